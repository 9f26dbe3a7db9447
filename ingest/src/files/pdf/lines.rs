//! Characters of a page to lines in reading order, columns apart.
//!
//! Called by the reader with the characters of one page. A line has one cell where its text runs on, and
//! several where wide gaps divide it; the text on both sides of a gap decides
//! whether it divides columns of text or cells of a table.

use super::super::text::is_unspaced;
use super::direction;
use super::glyph::Glyph;
use super::overprint;
use crate::extract::script::{self, Script};

/// Gaps wider than this share of the font's size divide words.
const WORD_GAP: f32 = 0.18;

/// Gaps wider than this share of the font's size divide cells or columns.
const CELL_GAP: f32 = 1.6;

/// How far baselines may differ within a line, as a share of the font's size: raised digits, uneven
/// scans.
const LINE_SLACK: f32 = 0.45;

/// The least width of the space between columns, as a share of the font's size.
const GUTTER: f32 = 0.8;

/// The fewest lines on each side of a column.
const COLUMN_LINES: usize = 3;

/// Columns of text are at least this full: the mean width of their lines as a share of the widest.
const COLUMN_FILL: f32 = 0.55;

/// Columns of text have at least this many characters in a line; cells of tables have fewer.
const COLUMN_CHARS: usize = 18;

/// How many columns are looked for within a column before the page is divided at all, and the most pieces
/// of text that such a column may have.
const INNER_DEPTH: usize = 2;
const INNER_PIECES: usize = 500;

/// How deep columns may be divided into columns.
const DEPTH_LIMIT: usize = 4;

/// A piece of a line without wide gaps.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece {
    pub x: f32,
    pub end: f32,
    pub y: f32,
    pub size: f32,
    pub text: String,
    pub is_bold: bool,
}

/// A line of a page or of a column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub y: f32,
    pub size: f32,
    /// In reading order; at least one.
    pub cells: Vec<Piece>,
    /// The left and right end of the column that the line is in.
    pub column: (f32, f32),
}

impl Line {
    pub(super) fn text(&self) -> String {
        self.cells.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// The left end.
    pub(super) fn x(&self) -> f32 {
        self.cells.iter().map(|cell| cell.x).fold(f32::MAX, f32::min)
    }

    /// The right end.
    pub(super) fn end(&self) -> f32 {
        self.cells.iter().map(|cell| cell.end).fold(f32::MIN, f32::max)
    }

    pub(super) fn is_right_to_left(&self) -> bool {
        self.cells.iter().any(|cell| direction::is_right_to_left(&cell.text))
    }

    pub(super) fn is_bold(&self) -> bool {
        self.cells.iter().all(|cell| cell.is_bold)
    }
}

/// The lines of a page in the order in which people read them.
pub(super) fn read(glyphs: Vec<Glyph>) -> Vec<Line> {
    let glyphs = overprint::without_copies(glyphs);
    let mut pieces = pieces(glyphs.into_iter().filter(|glyph| !glyph.is_turned));
    pieces.retain(|piece| !piece.text.trim().is_empty());
    let mut lines = Vec::new();
    order(pieces, 0, &mut lines);
    lines
}

/// Puts characters together to pieces, in drawing order; then joins pieces that touch.
fn pieces(glyphs: impl Iterator<Item = Glyph>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for glyph in glyphs {
        let size = glyph.size.max(1.0);
        if let Some(last) = pieces.last_mut() {
            let gap = glyph.x - last.end;
            let reach = last.size.max(size);
            let is_near =
                (glyph.y - last.y).abs() <= LINE_SLACK * reach && gap > -0.6 * reach && gap < CELL_GAP * reach;
            if is_near && let Some(script) = script(last, &glyph) {
                let text = script::written(glyph.text.trim(), script, last.text.chars().next_back());
                last.text.push_str(&text);
                last.end = last.end.max(glyph.end);
                continue;
            }
            if is_near {
                let is_space = gap > WORD_GAP * size && !last.text.ends_with(' ') && !glyph.text.starts_with(' ');
                if is_space && !(is_wide(last.text.chars().next_back()) && is_wide(glyph.text.chars().next())) {
                    last.text.push(' ');
                }
                last.is_bold &= glyph.is_bold || glyph.text.trim().is_empty();
                // A raised digit does not lift the line, whose first sign it may be.
                if size > last.size * 1.05 {
                    let is_mark = last.size <= size * SCRIPT_SIZE && last.y - glyph.y >= size * RAISED;
                    if is_mark && last.text.trim().bytes().all(|byte| byte.is_ascii_digit()) {
                        last.text = script::written(&last.text, Script::Raised, None);
                    }
                    (last.y, last.size) = (glyph.y, size);
                }
                last.text.push_str(&direction::drawn(&glyph.text));
                last.end = last.end.max(glyph.end);
                continue;
            }
        }
        if glyph.text.trim().is_empty() {
            continue;
        }
        pieces.push(Piece {
            x: glyph.x,
            end: glyph.end.max(glyph.x),
            y: glyph.y,
            size,
            text: direction::drawn(&glyph.text),
            is_bold: glyph.is_bold,
        });
    }
    for piece in &mut pieces {
        piece.text = unspread(&piece.text).unwrap_or_else(|| words(&piece.text));
    }
    joined(pieces)
}

/// Whether a digit is set smaller behind a piece, and above its line or below it: an exponent, or the mark of a
/// footnote.
fn script(piece: &Piece, glyph: &Glyph) -> Option<Script> {
    let rise = (glyph.y - piece.y) / piece.size;
    let is_small =
        glyph.size <= piece.size * SCRIPT_SIZE && glyph.text.trim().bytes().all(|byte| byte.is_ascii_digit());
    match () {
        () if !is_small || glyph.text.trim().is_empty() || piece.text.ends_with(' ') => None,
        () if rise >= RAISED => Some(Script::Raised),
        () if rise <= LOWERED => Some(Script::Lowered),
        () => None,
    }
}

/// The largest size of raised digits, and how far they are above or below the line, as shares of the size of the font.
const SCRIPT_SIZE: f32 = 0.8;
const RAISED: f32 = 0.2;
const LOWERED: f32 = -0.1;

/// A text with one space between its words.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The words of a text that is set wide with a space behind each letter and more of them behind each word.
fn unspread(text: &str) -> Option<String> {
    let words: Vec<&str> = text.trim().split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
    let is_spread = |word: &&str| word.split(' ').all(|letter| letter.chars().count() == 1);
    let has_word = words.iter().any(|word| word.chars().count() >= LONGEST_PAIR);
    (words.len() > 1 && has_word && words.iter().all(is_spread))
        .then(|| words.iter().map(|word| word.replace(' ', "")).collect::<Vec<_>>().join(" "))
}

/// Two letters with a space between them may be two words.
const LONGEST_PAIR: usize = 5;

/// Whether a character belongs to a script that writes no spaces.
fn is_wide(c: Option<char>) -> bool {
    c.is_some_and(is_unspaced)
}

/// Joins pieces of one line that touch, whatever the order in which they were drawn.
fn joined(mut pieces: Vec<Piece>) -> Vec<Piece> {
    pieces.sort_by(|one, other| other.y.total_cmp(&one.y).then(one.x.total_cmp(&other.x)));
    let mut out: Vec<Piece> = Vec::new();
    for piece in pieces {
        // The pieces of the same line are the last ones; a page has few of them side by side.
        let near = out.iter_mut().rev().take(24).find(|last| {
            let reach = last.size.max(piece.size);
            let gap = piece.x - last.end;
            (last.y - piece.y).abs() <= LINE_SLACK * 0.6 * reach && gap > -0.3 * reach && gap < CELL_GAP * 0.5 * reach
        });
        match near {
            Some(last) => {
                let is_space = piece.x - last.end > WORD_GAP * piece.size;
                last.text.push_str(if is_space { " " } else { "" });
                last.text.push_str(&piece.text);
                last.end = piece.end;
                last.is_bold &= piece.is_bold;
                last.size = last.size.max(piece.size);
            }
            None => out.push(piece),
        }
    }
    out
}

/// Adds the lines of a region: its columns one after the other, or its lines from edge to edge.
fn order(pieces: Vec<Piece>, depth: usize, lines: &mut Vec<Line>) {
    if depth < DEPTH_LIMIT
        && let Some(gutter) = gutter(&pieces, 0)
    {
        // Lines across the gutter divide the region into bands.
        let mut band: Vec<Piece> = Vec::new();
        let mut rest = pieces;
        rest.sort_by(|one, other| other.y.total_cmp(&one.y));
        let mut across: Vec<Piece> = Vec::new();
        for piece in rest {
            if piece.x < gutter && piece.end > gutter {
                columns(std::mem::take(&mut band), gutter, depth, lines);
                across.push(piece);
            } else {
                add_lines(std::mem::take(&mut across), lines);
                band.push(piece);
            }
        }
        columns(band, gutter, depth, lines);
        return add_lines(across, lines);
    }
    add_lines(pieces, lines);
}

fn columns(band: Vec<Piece>, gutter: f32, depth: usize, lines: &mut Vec<Line>) {
    let (left, right): (Vec<Piece>, Vec<Piece>) = band.into_iter().partition(|piece| piece.end <= gutter);
    order(left, depth + 1, lines);
    order(right, depth + 1, lines);
}

/// Where the space between two columns of text is, if a region has them. `depth` counts the columns that
/// are looked at within a column.
fn gutter(pieces: &[Piece], depth: usize) -> Option<f32> {
    if pieces.len() < COLUMN_LINES * 2 {
        return None;
    }
    let size = pieces.iter().map(|piece| piece.size).sum::<f32>() / pieces.len() as f32;
    let mut edges: Vec<(f32, i32)> = pieces.iter().flat_map(|piece| [(piece.x, 1), (piece.end, -1)]).collect();
    edges.sort_by(|one, other| one.0.total_cmp(&other.0).then(other.1.cmp(&one.1)));
    let most = pieces.len() as i32 / 8;
    let mut open = 0;
    let mut best: Option<(f32, f32)> = None;
    for pair in edges.windows(2) {
        open += pair[0].1;
        let width = pair[1].0 - pair[0].0;
        let middle = (pair[0].0 + pair[1].0) / 2.0;
        let is_better = best.is_none_or(|(_, widest)| width > widest);
        if open <= most && width >= GUTTER * size && is_better && has_text_columns(pieces, middle, depth) {
            best = Some((middle, width));
        }
    }
    best.map(|(middle, _)| middle)
}

/// Whether what is on both sides of a gap reads like text, and not like the cells of a table.
fn has_text_columns(pieces: &[Piece], middle: f32, depth: usize) -> bool {
    let side = |is_left: bool| {
        let side: Vec<&Piece> =
            pieces.iter().filter(|piece| if is_left { piece.end <= middle } else { piece.x >= middle }).collect();
        let left = side.iter().map(|piece| piece.x).fold(f32::MAX, f32::min);
        let right = side.iter().map(|piece| piece.end).fold(f32::MIN, f32::max);
        let count = side.len().max(1);
        let fill = side.iter().map(|piece| piece.end - piece.x).sum::<f32>() / count as f32 / (right - left).max(1.0);
        let chars =
            side.iter().map(|piece| piece.text.chars().map(|c| 1 + usize::from(is_wide(Some(c)))).sum::<usize>());
        let is_text = side.len() >= COLUMN_LINES && chars.sum::<usize>() / count >= COLUMN_CHARS;
        // What is beside the first of three columns is two columns.
        let has_columns = || {
            let is_small = depth < INNER_DEPTH && side.len() <= INNER_PIECES;
            is_small && gutter(&side.iter().map(|&piece| piece.clone()).collect::<Vec<_>>(), depth + 1).is_some()
        };
        is_text && (fill >= COLUMN_FILL || has_columns())
    };
    side(true) && side(false)
}

/// Adds the lines of a region without columns, top to bottom.
fn add_lines(mut pieces: Vec<Piece>, lines: &mut Vec<Line>) {
    if pieces.is_empty() {
        return;
    }
    pieces.sort_by(|one, other| other.y.total_cmp(&one.y));
    let column = (
        pieces.iter().map(|piece| piece.x).fold(f32::MAX, f32::min),
        pieces.iter().map(|piece| piece.end).fold(f32::MIN, f32::max),
    );
    let mut found: Vec<Line> = Vec::new();
    for piece in pieces {
        match found.last_mut() {
            Some(line) if (line.y - piece.y).abs() <= LINE_SLACK * line.size.max(piece.size) => {
                line.size = line.size.max(piece.size);
                line.cells.push(piece);
            }
            _ => found.push(Line { y: piece.y, size: piece.size, cells: vec![piece], column }),
        }
    }
    for line in &mut found {
        line.cells.sort_by(|one, other| one.x.total_cmp(&other.x));
        for cell in &mut line.cells {
            cell.text = direction::read(&cell.text);
        }
        if line.is_right_to_left() {
            line.cells.reverse();
        }
    }
    lines.extend(found);
}
