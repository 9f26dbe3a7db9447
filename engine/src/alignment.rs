//! Compares a question with an entry word by word.
//!
//! One vector for a whole text blurs a long passage in which a single sentence answers. Here, each
//! important piece of the question looks for the piece of the entry that is closest to it. The mean
//! of these similarities, weighted by how rare the pieces are on the site, tells apart the few
//! entries that are best by words and vectors.

use crate::embedding::DIMS;
use crate::embedding_table::Table;
use crate::vectors::{QueryVector, Vectors};

/// Number of pieces of a question that are compared. More cost time and change nothing.
pub const MAX_ASKED_PIECES: usize = 6;
/// Share of the entries from which a piece is left out, because it says nothing about an entry.
const MAX_ENTRY_SHARE: f32 = 0.5;

/// The pieces of each entry, ascending and without repeats.
#[derive(Debug, Default)]
pub struct EntryPieces {
    /// Position of the first piece of each entry, and at the end the number of all pieces.
    starts: Vec<u32>,
    pieces: Vec<u32>,
}

/// A piece of a question with its weight.
pub type AskedPiece = (u32, f32);

impl EntryPieces {
    /// Keeps the pieces of the entries, without those that most entries have.
    pub fn new(cuts: &[[Vec<u32>; 2]], counts: &[(u32, u32)]) -> Self {
        let most = (MAX_ENTRY_SHARE * cuts.len() as f32).max(2.0) as u32;
        let count = |piece: u32| counts.binary_search_by_key(&piece, |(piece, _)| *piece).map_or(0, |at| counts[at].1);
        let mut kept = Self { starts: vec![0], pieces: Vec::new() };
        let mut own: Vec<u32> = Vec::new();
        for cut in cuts {
            own.clear();
            own.extend(cut.iter().flatten());
            own.sort_unstable();
            own.dedup();
            kept.pieces.extend(own.iter().copied().filter(|piece| count(*piece) <= most));
            kept.starts.push(kept.pieces.len() as u32);
        }
        kept.pieces.shrink_to_fit();
        kept
    }

    /// The pieces of an entry.
    fn of(&self, entry: usize) -> &[u32] {
        &self.pieces[self.starts[entry] as usize..self.starts[entry + 1] as usize]
    }

    /// Number of bytes on the heap.
    pub fn size_bytes(&self) -> usize {
        (self.starts.len() + self.pieces.len()) * size_of::<u32>()
    }

    /// Returns how well each of `entries` states the pieces of a question, 0 to 1.
    pub fn alignments(&self, table: Table, asked: &[AskedPiece], entries: &[usize]) -> Vec<f32> {
        let mut distinct: Vec<u32> = entries.iter().flat_map(|entry| self.of(*entry)).copied().collect();
        distinct.sort_unstable();
        distinct.dedup();
        let mut rows = Vectors::new(DIMS);
        distinct.iter().for_each(|piece| table.push_row(&mut rows, *piece));
        let place = |piece: &u32| distinct.binary_search(piece).unwrap_or_default();
        let places: Vec<Vec<usize>> = entries.iter().map(|entry| self.of(*entry).iter().map(place).collect()).collect();
        let mut sums = vec![0.0; entries.len()];
        let mut mass = 0.0;
        for &(piece, weight) in asked {
            mass += weight;
            let mut row = [0.0; DIMS];
            table.add_row(&mut row, piece, 1.0);
            let Some(row) = QueryVector::new(&row) else { continue };
            let near = rows.cosines(&row);
            for (sum, places) in sums.iter_mut().zip(&places) {
                *sum += weight * places.iter().map(|place| near[*place]).fold(0.0, f32::max);
            }
        }
        if mass > 0.0 {
            sums.iter_mut().for_each(|sum| *sum /= mass);
        }
        sums
    }
}

/// The most important pieces of a question, each once.
pub fn most_important(pieces: &[u32], weight: impl Fn(u32) -> f32) -> Vec<AskedPiece> {
    let mut asked: Vec<AskedPiece> = Vec::new();
    for &piece in pieces {
        if asked.iter().all(|(known, _)| *known != piece) {
            asked.push((piece, weight(piece)));
        }
    }
    // Stable: of equally rare pieces, the first ones stay.
    asked.sort_by(|a, b| b.1.total_cmp(&a.1));
    asked.truncate(MAX_ASKED_PIECES);
    asked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedding;

    fn cut(text: &str) -> Vec<u32> {
        embedding::cut(text).pieces.into_iter().map(u32::from).collect()
    }

    fn aligned(question: &str, texts: [&str; 3]) -> Vec<f32> {
        let cuts: Vec<[Vec<u32>; 2]> = texts.iter().map(|text| [cut(text), Vec::new()]).collect();
        let pieces = EntryPieces::new(&cuts, &[]);
        pieces.alignments(Table::English, &most_important(&cut(question), |_| 1.0), &[0, 1, 2])
    }

    #[test]
    fn an_entry_with_the_words_of_the_question_is_aligned_completely() {
        let found = aligned("refund", ["We refund the price within a week", "Open on Sundays", ""]);

        assert!((found[0] - 1.0).abs() < 0.01, "{found:?}");
        assert!(found[1] < 0.5, "{found:?}");
        assert!(found[2].abs() < f32::EPSILON, "{found:?}");
    }

    #[test]
    fn a_related_word_counts_more_than_an_unrelated_one() {
        let found = aligned("parcel", ["Your package arrives on Monday", "The museum shows paintings", "Tea"]);

        assert!(found[0] > found[1] + 0.1, "{found:?}");
    }

    #[test]
    fn pieces_that_most_entries_have_are_left_out() {
        let cuts = [[vec![7, 8], vec![]], [vec![7, 9], vec![]], [vec![7, 7], vec![]]];

        let pieces = EntryPieces::new(&cuts, &[(7, 3), (8, 1), (9, 1)]);

        assert_eq!((pieces.of(0), pieces.of(1), pieces.of(2)), (&[8][..], &[9][..], &[][..]));
    }

    #[test]
    fn only_the_rarest_pieces_of_a_question_are_compared() {
        let asked = most_important(&[5, 1, 5, 2, 3, 4, 6, 7, 8], |piece| piece as f32);

        assert_eq!(asked.iter().map(|(piece, _)| *piece).collect::<Vec<_>>(), [8, 7, 6, 5, 4, 3]);
    }
}
