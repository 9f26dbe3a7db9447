//! The multilingual static embedding table that is compiled into the binary: 128,000 word pieces of
//! sixteen languages with a vector each, in one space.
//!
//! Entries in English use the table of `embedding.rs`, which is better there. This table serves the
//! other languages, and questions whose answer exists only in another language. The vector of a text
//! is the sum of the rows of its pieces, each multiplied by a weight that the index gives.
//! `engine/assets/multilingual/reference.py` defines it, `golden.jsonl` checks it, `distill.py` made
//! it, and `NOTICE` names the work it derives from.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::embedding::DIMS;

/// Languages for which the table was made, as primary subtags.
const LANGUAGES: [&str; 15] =
    ["ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh"];
/// Maximum number of characters of a text that are read, as in the reference.
const MAX_CHARS: usize = 1_500;
/// Number of capitals from which a text without small letters is read in lower case.
const MIN_SHOUTED: usize = 8;
/// Maximum length of a piece, in characters.
const MAX_PIECE_CHARS: usize = 16;
/// IDs below this are control pieces with a row of zeros. They never match text.
const FIRST_PIECE: u32 = 6;
/// What an unknown character costs beyond the lowest score of a piece.
const UNKNOWN_PENALTY: f64 = 10.0;
/// Marks the start of a word in the vocabulary.
const WORD_MARK: char = '\u{2581}';
/// Sizes of the headers of the files, in bytes.
const TABLE_HEADER: usize = 32;
const VOCABULARY_HEADER: usize = 16;
const ROW_BYTES: usize = DIMS / 2;

static TABLE: &[u8] = include_bytes!("../assets/multilingual/table.bin");
static VOCABULARY: &[u8] = include_bytes!("../assets/multilingual/vocab.bin");
static CHARACTERS: &[u8] = include_bytes!("../assets/multilingual/charsmap.bin");
static PIECES: LazyLock<Pieces> = LazyLock::new(Pieces::load);

/// Whether the table knows a language, given as a primary subtag.
pub fn knows(language: &str) -> bool {
    LANGUAGES.contains(&language)
}

/// Number of rows of the table. All piece IDs are below it.
pub fn piece_count() -> usize {
    let rows = &TABLE[12..16];
    u32::from_le_bytes([rows[0], rows[1], rows[2], rows[3]]) as usize
}

/// Splits a text into the pieces with the highest sum of scores.
pub fn cut(text: &str) -> Vec<u32> {
    let text = &text[..text.char_indices().nth(MAX_CHARS).map_or(text.len(), |(at, _)| at)];
    let capitals = text.chars().filter(|c| c.is_uppercase()).count();
    let is_shouted = capitals >= MIN_SHOUTED && !text.contains(char::is_lowercase);
    let normal = if is_shouted { normalized(&text.to_lowercase()) } else { normalized(text) };
    let pieces = &*PIECES;
    let mut ids = Vec::with_capacity(normal.len() / 3);
    let mut lattice = Lattice::default();
    for word in normal.split(' ').filter(|word| !word.is_empty()) {
        pieces.cut_word(word, &mut lattice, &mut ids);
    }
    ids
}

/// Adds `weight` times a row of the table to `sum`. Unknown IDs add nothing.
pub fn add_row(sum: &mut [f32; DIMS], piece: u32, weight: f32) {
    let Some((row, scale)) = row(piece) else { return };
    let factor = weight * scale;
    let (pairs, _) = sum.as_chunks_mut::<2>();
    for (pair, byte) in pairs.iter_mut().zip(row) {
        pair[0] += f32::from((byte & 15).cast_signed() - 8) * factor;
        pair[1] += f32::from((byte >> 4).cast_signed() - 8) * factor;
    }
}

/// The numbers of a row, in order. Empty for an unknown ID.
pub fn numbers(piece: u32) -> impl Iterator<Item = i8> {
    let row = row(piece).map_or(&[][..], |(row, _)| row);
    row.iter().flat_map(|byte| [(byte & 15).cast_signed() - 8, (byte >> 4).cast_signed() - 8])
}

fn row(piece: u32) -> Option<(&'static [u8], f32)> {
    let (rows, piece) = (piece_count(), piece as usize);
    if piece >= rows {
        return None;
    }
    let scale = &TABLE[TABLE_HEADER + 2 * piece..TABLE_HEADER + 2 * piece + 2];
    let scale = f32::from_bits(u32::from(u16::from_le_bytes([scale[0], scale[1]])) << 16);
    let start = TABLE_HEADER + 2 * rows + piece * ROW_BYTES;
    Some((&TABLE[start..start + ROW_BYTES], scale))
}

/// The vocabulary, with the score of each piece.
struct Pieces {
    ids: HashMap<&'static str, u32, foldhash::fast::RandomState>,
    scores: Vec<f32>,
    /// Score of a character that no piece contains.
    unknown: f64,
}

/// The best ways to split the start of a word, reused from word to word.
#[derive(Default)]
struct Lattice {
    word: String,
    /// Byte positions of the characters, and of the end.
    bounds: Vec<usize>,
    /// For each position: sum of scores, position before, piece.
    best: Vec<(f64, usize, u32)>,
}

impl Pieces {
    fn load() -> Self {
        let count = VOCABULARY[12..16].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let scores = &VOCABULARY[VOCABULARY_HEADER..VOCABULARY_HEADER + 4 * count];
        let scores: Vec<f32> = scores.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let lengths = &VOCABULARY[VOCABULARY_HEADER + 4 * count..VOCABULARY_HEADER + 5 * count];
        let mut start = VOCABULARY_HEADER + 5 * count;
        let mut ids = HashMap::with_capacity_and_hasher(count, foldhash::fast::RandomState::default());
        for (id, length) in (0_u32..).zip(lengths) {
            let end = start + usize::from(*length);
            if let Some(piece) = std::str::from_utf8(&VOCABULARY[start..end]).ok().filter(|_| id >= FIRST_PIECE) {
                ids.insert(piece, id);
            }
            start = end;
        }
        let lowest = scores.iter().fold(f32::MAX, |lowest, score| lowest.min(*score));
        Self { ids, scores, unknown: f64::from(lowest) - UNKNOWN_PENALTY }
    }

    /// Viterbi: only a strictly higher sum replaces an earlier one, so that ties are equal everywhere.
    fn cut_word(&self, word: &str, lattice: &mut Lattice, ids: &mut Vec<u32>) {
        let Lattice { word: marked, bounds, best } = lattice;
        marked.clear();
        marked.push(WORD_MARK);
        marked.push_str(word);
        bounds.clear();
        bounds.extend(marked.char_indices().map(|(at, _)| at).chain([marked.len()]));
        let length = bounds.len() - 1;
        best.clear();
        best.resize(length + 1, (f64::NEG_INFINITY, 0, 0));
        best[0].0 = 0.0;
        for from in 0..length {
            let mut is_known = false;
            for to in from + 1..=length.min(from + MAX_PIECE_CHARS) {
                let Some(&id) = self.ids.get(&marked[bounds[from]..bounds[to]]) else { continue };
                is_known |= to == from + 1;
                let sum = best[from].0 + f64::from(self.scores[id as usize]);
                if sum > best[to].0 {
                    best[to] = (sum, from, id);
                }
            }
            let sum = best[from].0 + self.unknown;
            if !is_known && sum > best[from + 1].0 {
                best[from + 1] = (sum, from, 0);
            }
        }
        let first = ids.len();
        let mut at = length;
        while at > 0 {
            ids.push(best[at].2);
            at = best[at].1;
        }
        ids[first..].reverse();
    }
}

/// The text by the character map of SentencePiece (`nmt_nfkc`): at each position, the longest key of
/// a double-array trie is replaced. Every kind of white space becomes a space.
fn normalized(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        match longest_key(rest.as_bytes()) {
            Some((replacement, length)) if rest.is_char_boundary(length) => {
                out.push_str(replacement);
                rest = &rest[length..];
            }
            _ => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    out
}

/// The longest key of the trie at the start of a text: its replacement, and its length in bytes.
fn longest_key(text: &[u8]) -> Option<(&'static str, usize)> {
    /// Layout of a unit of the trie (darts-clone).
    const LABEL: u32 = 0x8000_00FF;
    const HAS_LEAF: u32 = 0x100;
    const VALUE: u32 = 0x7FFF_FFFF;
    let offset = |unit: u32| (unit >> 10) << ((unit & 0x200) >> 6);
    let (size, units) = CHARACTERS.split_at(4);
    let size = u32::from_le_bytes([size[0], size[1], size[2], size[3]]) as usize;
    let (trie, replacements) = units.split_at(size);
    let unit = |at: u32| {
        let bytes = trie.get(4 * at as usize..4 * at as usize + 4)?;
        Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    };
    let mut node = offset(unit(0)?);
    let mut found = None;
    for (read, byte) in (1..).zip(text) {
        node ^= u32::from(*byte);
        let here = unit(node)?;
        if here & LABEL != u32::from(*byte) {
            break;
        }
        node ^= offset(here);
        if here & HAS_LEAF != 0 {
            found = Some((unit(node)? & VALUE, read));
        }
    }
    let (start, read) = found?;
    let replacement = &replacements[start as usize..];
    let end = replacement.iter().position(|byte| *byte == 0)?;
    Some((std::str::from_utf8(&replacement[..end]).ok()?, read))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Golden {
        text: String,
        ids: Vec<u32>,
        v1000: Vec<f32>,
    }

    #[test]
    fn the_table_splits_and_embeds_like_its_reference() {
        let golden = include_str!("../assets/multilingual/golden.jsonl");
        assert!(golden.lines().count() >= 200);

        for line in golden.lines() {
            let golden: Golden = serde_json::from_str(line).unwrap();
            let ids = cut(&golden.text);
            let mut sum = [0.0; DIMS];
            ids.iter().for_each(|id| add_row(&mut sum, *id, 1.0));
            let length = sum.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);

            assert_eq!(ids, golden.ids, "{}", golden.text);
            for (ours, reference) in sum.iter().zip(&golden.v1000) {
                assert!((1000.0 * ours / length - reference).abs() <= 0.6, "{}: {ours} {reference}", golden.text);
            }
        }
    }

    #[test]
    fn the_files_have_the_expected_shape() {
        assert_eq!((&TABLE[..8], &VOCABULARY[..8]), (&b"HBSTATI4"[..], &b"HBUNIGRM"[..]));
        assert_eq!(TABLE.len(), TABLE_HEADER + piece_count() * (2 + ROW_BYTES));
        assert_eq!(PIECES.scores.len(), piece_count());
    }
}
