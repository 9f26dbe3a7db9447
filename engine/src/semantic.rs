//! The semantic channel of an index: the cosine between a question and each entry.
//!
//! There are two built-in tables. English entries use the English one, and entries in the other
//! languages of the multilingual table use that one. An entry has two vectors (its whole text and
//! its question) and one per phrasing. The rows of the table are weighted by how rare a piece is on
//! the site.

use crate::alignment::{self, AskedPiece, EntryPieces};
use crate::chunk::Fields;
use crate::embedding::{self, DIMS};
use crate::embedding_table::Table;
use crate::multilingual;
use crate::parallel;
use crate::vectors::{QueryVector, Vectors, nearness};

/// Share of words that are whole pieces below which entries are not written in English. English
/// sites have .78 to .99, German ones .4, French ones .5, and other scripts nearly 0.
const MIN_WHOLE_WORDS: f64 = 0.7;
/// The same for a question, which is short, so that names and typing errors weigh more.
const MIN_QUESTION_WHOLE_WORDS: f64 = 0.5;
/// Maximum weight of earlier questions in the vector of a question.
const MAX_CONTEXT_SHARE: f32 = 0.7;
/// Vectors of all entries of an index.
#[derive(Debug)]
pub struct Semantic {
    table: Table,
    /// Weight of each piece that occurs on the site, sorted by piece.
    weights: Vec<(u32, f32)>,
    /// Number of entries.
    entries: usize,
    /// Entry `i` has the vectors `2i` (whole text) and `2i + 1` (question).
    vectors: Vectors,
    phrasings: Vectors,
    /// The entry of each phrasing vector, ascending.
    phrasing_entries: Vec<u32>,
    pieces: EntryPieces,
}

/// The pieces of question and body of each entry.
#[derive(Debug)]
pub struct Cuts {
    table: Table,
    pieces: Vec<[Vec<u32>; 2]>,
}

impl Cuts {
    /// Splits entries into the pieces of the table for their language. `None` when no table knows
    /// the language.
    pub fn of(documents: &[&Fields], language: Option<&str>) -> Option<Self> {
        let is_english = language.is_none_or(|language| !multilingual::knows(language) || language == "en");
        if !is_english {
            return Some(Self::by(Table::Multilingual, documents));
        }
        let cut = |fields: &&Fields| [embedding::cut(&fields.question), embedding::cut(&body(fields))];
        let cuts = parallel::map(documents, cut);
        let counts = cuts.iter().flatten().map(|cut| (cut.words, cut.whole_words));
        let (words, whole) =
            counts.fold((0, 0), |(words, whole), (more, more_whole)| (words + more, whole + more_whole));
        if words == 0 || (whole as f64) < MIN_WHOLE_WORDS * words as f64 {
            return None;
        }
        let widened = |[question, body]: [embedding::Cut; 2]| {
            [question, body].map(|cut| cut.pieces.into_iter().map(u32::from).collect())
        };
        Some(Self { table: Table::English, pieces: cuts.into_iter().map(widened).collect() })
    }

    /// The table of the pieces.
    pub fn table(&self) -> Table {
        self.table
    }

    /// Splits entries into the pieces of a table.
    pub fn by(table: Table, documents: &[&Fields]) -> Self {
        let cut = |fields: &&Fields| [table.cut(&fields.question), table.cut(&body(fields))];
        Self { table, pieces: parallel::map(documents, cut) }
    }
}

impl Semantic {
    /// Builds the vectors of entries.
    pub fn build(documents: &[&Fields], Cuts { table, pieces }: &Cuts) -> Self {
        let counts = counts(*table, pieces);
        let mut semantic = Self {
            table: *table,
            weights: counts.iter().map(|(piece, count)| (*piece, table.weight(pieces.len(), *count))).collect(),
            entries: documents.len(),
            vectors: Vectors::new(DIMS),
            phrasings: Vectors::new(DIMS),
            phrasing_entries: Vec::new(),
            pieces: EntryPieces::new(pieces, &counts),
        };
        let mut by_piece = vec![0.0; table.piece_count()];
        semantic.weights.iter().for_each(|(piece, weight)| by_piece[*piece as usize] = *weight);
        let sum = |pieces: &[u32]| {
            let mut sum = [0.0; DIMS];
            for &piece in pieces {
                let weight = by_piece[piece as usize];
                // Only phrasings have pieces that no entry has.
                let weight = if weight > 0.0 { weight } else { table.weight(documents.len(), 0) };
                table.add_row(&mut sum, piece, weight);
            }
            sum
        };
        for (entry, (fields, [question, body])) in (0..).zip(documents.iter().zip(pieces)) {
            let asked = sum(question);
            let mut all = sum(body);
            all.iter_mut().zip(&asked).for_each(|(all, asked)| *all += asked);
            semantic.vectors.push(&all);
            semantic.vectors.push(if question.is_empty() { &all } else { &asked });
            for phrasing in &fields.phrasings {
                semantic.phrasings.push(&sum(&table.cut(phrasing)));
                semantic.phrasing_entries.push(entry);
            }
        }
        semantic
    }

    /// The table of the vectors.
    pub fn table(&self) -> Table {
        self.table
    }

    /// Embeds a question together with earlier ones, which weigh less. `None` when the table does
    /// not know its words.
    pub fn embed(&self, question: &str, context: &str) -> Option<QueryVector> {
        if self.table == Table::English {
            let cut = embedding::cut(&format!("{question} {context}"));
            let share = cut.whole_words as f64 / cut.words.max(1) as f64;
            if cut.words > 0 && share < MIN_QUESTION_WHOLE_WORDS {
                return None;
            }
        }
        let mut sum = self.sum(&self.table.cut(question));
        if !context.is_empty() {
            let earlier = self.sum(&self.table.cut(context));
            let (own, other) = (length(&sum), length(&earlier));
            let factor =
                if own > 0.0 && other > MAX_CONTEXT_SHARE * own { MAX_CONTEXT_SHARE * own / other } else { 1.0 };
            sum.iter_mut().zip(&earlier).for_each(|(sum, earlier)| *sum += factor * earlier);
        }
        QueryVector::new(&sum)
    }

    /// Returns the most important pieces of a question, which [`Semantic::alignments`] compares.
    pub fn asked(&self, question: &str) -> Vec<AskedPiece> {
        alignment::most_important(&self.table.cut(question), |piece| self.weight(piece).powi(2))
    }

    /// Returns how well each of `entries` states the pieces of a question, 0 to 1.
    pub fn alignments(&self, asked: &[AskedPiece], entries: &[usize]) -> Vec<f32> {
        self.pieces.alignments(self.table, asked, entries)
    }

    /// Returns how close each entry is to the question, on the English scale and in entry order.
    pub fn scores(&self, question: &QueryVector) -> Vec<f32> {
        let cosines = self.vectors.cosines(question);
        let of_phrasings = self.phrasings.cosines(question);
        let mut phrasings = self.phrasing_entries.iter().zip(of_phrasings).peekable();
        let (pairs, _) = cosines.as_chunks::<2>();
        let score = |(entry, &[all, asked]): (u32, &[f32; 2])| {
            let mut nearest: Option<f32> = None;
            while let Some((_, cosine)) = phrasings.next_if(|(of, _)| **of == entry) {
                nearest = Some(nearest.map_or(cosine, |nearest| nearest.max(cosine)));
            }
            self.table.scaled(nearness(all, asked, nearest))
        };
        (0..).zip(pairs).map(score).collect()
    }

    /// Number of bytes on the heap.
    pub fn size_bytes(&self) -> usize {
        self.weights.len() * size_of::<(u32, f32)>()
            + self.vectors.size_bytes()
            + self.phrasings.size_bytes()
            + self.phrasing_entries.len() * size_of::<u32>()
            + self.pieces.size_bytes()
    }

    fn sum(&self, pieces: &[u32]) -> [f32; DIMS] {
        let mut sum = [0.0; DIMS];
        pieces.iter().for_each(|piece| self.table.add_row(&mut sum, *piece, self.weight(*piece)));
        sum
    }

    fn weight(&self, piece: u32) -> f32 {
        let found = self.weights.binary_search_by_key(&piece, |(piece, _)| *piece);
        found.map_or_else(|_| self.table.weight(self.entries, 0), |at| self.weights[at].1)
    }
}

fn body(fields: &Fields) -> String {
    if fields.headings.is_empty() { fields.body.clone() } else { format!("{}\n{}", fields.body, fields.headings) }
}

fn length(vector: &[f32; DIMS]) -> f32 {
    vector.iter().map(|x| x * x).sum::<f32>().sqrt()
}

/// The pieces of the entries, ascending, with the number of entries that have them.
fn counts(table: Table, cuts: &[[Vec<u32>; 2]]) -> Vec<(u32, u32)> {
    let mut counts = vec![0_u32; table.piece_count()];
    let mut last = vec![usize::MAX; table.piece_count()];
    for (entry, parts) in cuts.iter().enumerate() {
        for &piece in parts.iter().flatten() {
            let piece = piece as usize;
            if last[piece] != entry {
                last[piece] = entry;
                counts[piece] += 1;
            }
        }
    }
    (0_u32..).zip(counts).filter(|(_, count)| *count > 0).collect()
}
