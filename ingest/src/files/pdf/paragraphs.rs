//! Lines of all pages to the HTML of a document: headings, paragraphs, lists and tables.
//!
//! Called by the reader last. A line goes on with the paragraph before it unless the distance, the font, or
//! its beginning says otherwise; the usual distance is that of the document itself, so that text set with
//! wide spacing stays together. Words that are divided at the end of a line are put together again.

use std::collections::{HashMap, HashSet};

use super::super::lines as text_lines;
use super::super::text::is_unspaced;
use super::super::xml::escaped;
use super::lines::Line;
use super::{columns, contents};
use crate::extract::question;

/// A line further below than this many usual distances begins a paragraph.
const PARAGRAPH_GAP: f32 = 1.3;

/// A font larger than the usual one by this factor sets headings.
const HEADING_SIZE: f32 = 1.12;

/// The longest heading, in characters.
const LONGEST_HEADING_CHARS: usize = 200;

/// A line that ends before this share of its column is the last of its paragraph.
const SHORT_LINE: f32 = 0.72;

/// The longest bold line that titles what follows it, in characters.
const LONGEST_BOLD_TITLE_CHARS: usize = 100;

/// Signs before the items of a list.
const BULLETS: [&str; 11] = ["• ", "▪ ", "– ", "● ", "o ", "\u{f0b7} ", "■ ", "‣ ", "◦ ", "➢ ", "✓ "];

/// The longest name before a colon in a line of facts, in characters.
const LONGEST_LABEL_CHARS: usize = 32;

/// First parts of compounds that keep their hyphen.
const COMPOUNDING: [&str; 16] = [
    "high", "low", "well", "long", "short", "self", "full", "half", "real", "state", "non", "cross", "single", "multi",
    "large", "small",
];

/// The fewest rows of a table.
const TABLE_ROWS: usize = 2;

/// What a bookmark calls a place of the document: its title, folded, and its level from 1.
pub(super) type Bookmarks = HashMap<String, u8>;

/// The HTML of a document.
pub(super) fn html(pages: &[Vec<Line>], bookmarks: &Bookmarks) -> String {
    let lines: Vec<&Line> = pages.iter().flatten().collect();
    let usual = Usual::of(&lines);
    let words = words(&lines);
    let mut writer = ParagraphWriter { usual, bookmarks, words, parts: Vec::new(), open: Vec::new() };
    let mut at = 0;
    while at < lines.len() {
        let entries = contents::entries(&lines[at..], pages.len());
        let rows = table_rows(&lines[at..]);
        if entries > 0 {
            writer.flush();
            at += entries;
        } else if rows >= TABLE_ROWS {
            writer.flush();
            writer.table(&lines[at..at + rows]);
            at += rows;
        } else {
            writer.line(lines[at]);
            at += 1;
        }
    }
    writer.flush();
    writer.finish()
}

/// What is usual in a document.
struct Usual {
    size: f32,
    /// The distance between two lines as a multiple of the font's size.
    pitch: f32,
}

impl Usual {
    fn of(lines: &[&Line]) -> Self {
        let mut sizes: HashMap<i32, usize> = HashMap::new();
        for line in lines {
            *sizes.entry((line.size * 2.0).round() as i32).or_default() += line.text().len();
        }
        let size =
            sizes.into_iter().max_by_key(|&(size, count)| (count, -size)).map_or(10.0, |(size, _)| size as f32 / 2.0);
        let mut pitches: HashMap<i32, usize> = HashMap::new();
        for pair in lines.windows(2) {
            let pitch = (pair[0].y - pair[1].y) / pair[1].size.max(1.0);
            let is_same_column = (pair[0].column.0 - pair[1].column.0).abs() < size;
            if is_same_column && (0.8..4.0).contains(&pitch) && (pair[1].size - size).abs() < 1.0 {
                // Lines of several words count: a list of single words is spaced by its own rule.
                *pitches.entry((pitch * 10.0).round() as i32).or_default() += pair[1].text().split(' ').count();
            }
        }
        let most = pitches.values().copied().max().unwrap_or(0);
        // Of distances that are about as common, the smaller one is that within paragraphs.
        let pitch = pitches.into_iter().filter(|&(_, count)| count * 3 >= most).map(|(pitch, _)| pitch).min();
        Self { size, pitch: pitch.map_or(1.3, |pitch| pitch as f32 / 10.0) }
    }
}

/// All words of the document, folded to lower case.
fn words(lines: &[&Line]) -> HashSet<String> {
    let text = lines.iter().map(|line| line.text());
    text.flat_map(|text| {
        text.split(|c: char| !c.is_alphanumeric() && c != '-').map(str::to_lowercase).collect::<Vec<_>>()
    })
    .collect()
}

/// How many lines from the first on are rows of one table: two cells and more, the second of which
/// begin at the same places.
fn table_rows(lines: &[&Line]) -> usize {
    let Some(first) = lines.first().filter(|line| line.cells.len() > 1) else { return 0 };
    let is_row = |line: &&&Line| {
        let near = |one: f32, other: f32| (one - other).abs() <= first.size * 2.5;
        let is_aligned = |cell: &super::lines::Piece| {
            first.cells.iter().any(|other| near(cell.x, other.x) || near(cell.end, other.end))
        };
        line.cells.len() > 1
            && line.cells.iter().skip(1).filter(|cell| is_aligned(cell)).count() * 2 >= line.cells.len() - 1
    };
    lines.iter().take_while(is_row).count()
}

struct ParagraphWriter<'a> {
    usual: Usual,
    bookmarks: &'a Bookmarks,
    words: HashSet<String>,
    parts: Vec<Part>,
    /// The lines of the open paragraph.
    open: Vec<&'a Line>,
}

/// A part of the document, one behind the other.
enum Part {
    Html(String),
    /// A bold line, which titles what follows it unless that is bold as well. Its text is escaped.
    BoldLine(String),
    /// A longer bold paragraph, or a bold line that is a sentence.
    Bold(String),
}

impl<'a> ParagraphWriter<'a> {
    fn line(&mut self, line: &'a Line) {
        let is_new = match (self.heading(line), self.open.last()) {
            (Some(_), Some(last)) => !self.goes_on_as_heading(last, line),
            _ => self.begins_paragraph(line),
        };
        if is_new {
            self.flush();
        }
        self.open.push(line);
    }

    /// The level of a line that is a heading by its bookmark or its font.
    fn heading(&self, line: &Line) -> Option<u8> {
        let text = line.text();
        if text.chars().count() > LONGEST_HEADING_CHARS || !text.chars().any(char::is_alphabetic) {
            return None;
        }
        if let Some(level) = self.bookmarks.get(&question::fold(&text)) {
            return Some((level + 1).min(6));
        }
        let factor = line.size / self.usual.size;
        (factor >= HEADING_SIZE).then_some({
            if factor >= 1.6 {
                1
            } else if factor >= 1.3 {
                2
            } else {
                3
            }
        })
    }

    fn goes_on_as_heading(&self, last: &Line, line: &Line) -> bool {
        let gap = last.y - line.y;
        self.heading(last).is_some() && (last.size - line.size).abs() < 0.5 && (0.0..line.size * 1.8).contains(&gap)
    }

    fn begins_paragraph(&self, line: &Line) -> bool {
        let Some(last) = self.open.last() else { return true };
        if self.heading(last).is_some() || line.cells.len() > 1 || last.cells.len() > 1 {
            return true;
        }
        let (text, before) = (line.text(), last.text());
        if is_item(&text) || is_labelled(&text) && is_labelled(&before) && self.is_short(last) {
            return true;
        }
        let is_other_font = (last.size - line.size).abs() > 0.8 || last.is_bold() != line.is_bold();
        if is_other_font || text_lines::begins(text.trim()) || question::ends_in_mark(&before) {
            return true;
        }
        let ends_sentence = before.trim_end().ends_with(['.', '!', '?', ':', '。', '！', '？', '؟', '”', '"']);
        let gap = last.y - line.y;
        let is_moved = gap < 0.0 || (last.column.0 - line.column.0).abs() > self.usual.size * 2.0;
        if is_moved {
            // The text goes on in the next column or on the next page, unless a sentence ended.
            return ends_sentence && (self.is_short(last) || question::likeness(&text) >= question::LIKELY);
        }
        let is_far = gap > self.usual.pitch * PARAGRAPH_GAP * line.size.max(1.0);
        let is_indented = line.x() - last.x() > line.size * 0.8 && ends_sentence;
        is_far || is_indented || ends_sentence && (self.is_short(last) || question::likeness(&text) >= question::LIKELY)
    }

    /// Whether a line ends well before its column does.
    fn is_short(&self, line: &Line) -> bool {
        let (left, right) = line.column;
        let length = if line.is_right_to_left() { right - line.x() } else { line.end() - left };
        length < (right - left) * SHORT_LINE
    }

    /// Writes the open paragraph.
    fn flush(&mut self) {
        let lines = std::mem::take(&mut self.open);
        let Some(first) = lines.first() else { return };
        let mut text = String::new();
        for line in &lines {
            self.join(&mut text, &contents::without_leaders(&line.text()));
        }
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        let bullet = BULLETS.iter().find_map(|sign| text.strip_prefix(sign));
        let is_title = text.chars().count() <= LONGEST_BOLD_TITLE_CHARS && !text.ends_with(['.', ',', ';', ':', '!']);
        self.parts.push(match (self.heading(first), bullet) {
            (Some(level), _) => Part::Html(format!("<h{level}>{}</h{level}>\n", escaped(text))),
            (None, Some(item)) => Part::Html(format!("<ul><li>{}</li></ul>\n", escaped(item))),
            (None, None) if first.is_bold() && is_title => Part::BoldLine(escaped(text)),
            (None, None) if first.is_bold() => Part::Bold(escaped(text)),
            (None, None) => Part::Html(format!("<p>{}</p>\n", escaped(text))),
        });
    }

    /// The HTML of all parts. A bold line before text is a heading below those by size.
    fn finish(self) -> String {
        let mut html = String::new();
        let mut parts = self.parts.into_iter().peekable();
        while let Some(part) = parts.next() {
            let is_before_text = matches!(parts.peek(), Some(Part::Html(next)) if !next.starts_with("<h"));
            html.push_str(&match part {
                Part::Html(html) => html,
                Part::BoldLine(text) if is_before_text => format!("<h5>{text}</h5>\n"),
                Part::BoldLine(text) | Part::Bold(text) => format!("<p><b>{text}</b></p>\n"),
            });
        }
        html
    }

    /// Adds a line to a text, with the word that the line's end has divided put together.
    fn join(&self, text: &mut String, line: &str) {
        let line = line.trim();
        let before = text.chars().next_back();
        let after = line.chars().next();
        match (before, after) {
            (None, _) => {}
            (Some('-' | '\u{ad}' | '\u{2010}'), Some(after)) => {
                let head = text.trim_end_matches(['-', '\u{ad}', '\u{2010}']);
                if !self.keeps_hyphen(head, line, after) {
                    text.truncate(head.len());
                } else if ["und ", "oder ", "and ", "or ", "et ", "ou ", "y ", "o ", "e ", "en "]
                    .iter()
                    .any(|word| line.starts_with(word))
                {
                    text.push(' ');
                }
            }
            (Some(before), Some(after)) if is_unspaced(before) && is_unspaced(after) => {}
            (Some(_), _) => text.push(' '),
        }
        text.push_str(line);
    }

    /// Whether a hyphen at the end of a line is part of its word: by how the document writes the word
    /// elsewhere, or because what follows is no small letter.
    fn keeps_hyphen(&self, head: &str, line: &str, after: char) -> bool {
        let first = head.rsplit(|c: char| !c.is_alphanumeric() && c != '-').next().unwrap_or_default().to_lowercase();
        let second = line.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_lowercase();
        let is_known_whole = self.words.contains(&format!("{first}{second}"));
        let is_known_divided = self.words.contains(&format!("{first}-{second}"));
        let is_joining = ["und", "oder", "and", "or", "et", "ou"].contains(&second.as_str());
        let is_number = head.ends_with(|c: char| c.is_ascii_digit());
        if is_known_whole {
            return false;
        }
        // "up-to-date", "high-dimensional".
        let is_compound = first.contains('-') || COMPOUNDING.contains(&first.as_str());
        is_known_divided || is_joining || is_number || is_compound || !after.is_lowercase()
    }

    fn table(&mut self, rows: &[&Line]) {
        let is_named = rows[0].is_bold() && !rows[1].is_bold();
        let widest = rows.iter().max_by_key(|row| row.cells.len()).unwrap_or(&rows[0]);
        let mut html = "<table>".to_owned();
        for (at, row) in rows.iter().enumerate() {
            let tag = if at == 0 && is_named { "th" } else { "td" };
            html.push_str("<tr>");
            for cell in columns::placed(row, widest) {
                let text = contents::without_leaders(cell.map_or("", |cell| cell.text.trim()));
                html.push_str(&format!("<{tag}>{}</{tag}>", escaped(&text)));
            }
            html.push_str("</tr>");
        }
        html.push_str("</table>\n");
        self.parts.push(Part::Html(html));
    }
}

/// Whether a line begins with the sign of a list.
fn is_item(text: &str) -> bool {
    BULLETS.iter().any(|sign| *sign != "o " && *sign != "– " && text.starts_with(sign))
}

/// Whether a line names something and gives its value: "Report date: 15 May".
fn is_labelled(text: &str) -> bool {
    let Some((label, value)) = text.split_once(':') else { return false };
    let is_name = label.chars().next().is_some_and(char::is_uppercase)
        && label.chars().count() <= LONGEST_LABEL_CHARS
        && label.split_whitespace().count() <= 4
        && !label.contains(['.', ',', ';']);
    is_name && value.starts_with(' ') && !value.trim().is_empty()
}
