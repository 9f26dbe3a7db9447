//! The semantic channel of an index: the cosine between a question and each entry.
//!
//! The built-in table knows English only; `whole_word_share` tells whether entries of one language
//! or a question speak it. An entry has two vectors (all its text; its question) and one per phrasing; the
//! rows of the table are weighted by what is rare on the site.

use crate::chunk::Fields;
use crate::embedding::{self, Cut, DIMS};
use crate::parallel;
use crate::vectors::{QueryVector, Vectors, nearness};

/// Below this share of words that are whole pieces entries are not written in the table's language:
/// English sites have .78 to .99, German .4, French .5, other scripts near 0.
const MIN_WHOLE_WORDS: f64 = 0.7;
/// The same for one question, which is short: names and typing errors weigh more.
const MIN_QUESTION_WHOLE_WORDS: f64 = 0.5;

/// Vectors of all entries of an index.
#[derive(Debug)]
pub struct Semantic {
    /// Per piece that occurs on the site, the square root of its idf, sorted by piece.
    weights: Vec<(u16, f32)>,
    unseen_weight: f32,
    /// Entry `i` has numbers `2i` (all text) and `2i + 1` (question).
    vectors: Vectors,
    phrasings: Vectors,
    /// The entry of each phrasing vector, ascending.
    phrasing_entries: Vec<u32>,
}

/// Question and body of each entry, cut into the table's pieces.
#[derive(Debug)]
pub struct Cuts(Vec<[Cut; 2]>);

impl Cuts {
    /// Of these entries; none when their language is not the table's.
    pub fn of(documents: &[&Fields]) -> Option<Self> {
        let cut = |fields: &&Fields| [embedding::cut(&fields.question), embedding::cut(&fields.body)];
        let cuts: Vec<[Cut; 2]> = parallel::map(documents, cut);
        (whole_word_share(&cuts) >= MIN_WHOLE_WORDS).then_some(Self(cuts))
    }
}

impl Semantic {
    /// The channel for entries in the table's language.
    pub fn build(documents: &[&Fields], Cuts(cuts): &Cuts) -> Self {
        let mut semantic = Self {
            weights: weights(cuts),
            unseen_weight: idf(documents.len(), 0).sqrt(),
            vectors: Vectors::new(DIMS),
            phrasings: Vectors::new(DIMS),
            phrasing_entries: Vec::new(),
        };
        let mut by_piece = vec![semantic.unseen_weight; embedding::piece_count()];
        semantic.weights.iter().for_each(|(piece, weight)| by_piece[usize::from(*piece)] = *weight);
        let sum = |cut: &Cut| sum(&cut.pieces, |piece| by_piece[usize::from(piece)]);
        for (entry, (fields, [question, body])) in (0..).zip(documents.iter().zip(cuts)) {
            let asked = sum(question);
            let mut all = sum(body);
            all.iter_mut().zip(&asked).for_each(|(all, asked)| *all += asked);
            semantic.vectors.push(&all);
            semantic.vectors.push(if question.pieces.is_empty() { &all } else { &asked });
            for phrasing in &fields.phrasings {
                semantic.phrasings.push(&sum(&embedding::cut(phrasing)));
                semantic.phrasing_entries.push(entry);
            }
        }
        semantic
    }

    /// A question's vector; none when its words are not the table's, or it has none.
    pub fn embed(&self, question: &str) -> Option<QueryVector> {
        let cut = embedding::cut(question);
        let share = cut.whole_words as f64 / cut.words.max(1) as f64;
        if cut.words > 0 && share < MIN_QUESTION_WHOLE_WORDS {
            return None;
        }
        QueryVector::new(&self.sum(&cut.pieces))
    }

    /// The cosine of the question with each entry, in entry order: between the larger of two
    /// and their mean; with phrasings the mean of that with all text and the best with one of them.
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
            nearness(all, asked, nearest)
        };
        (0..).zip(pairs).map(score).collect()
    }

    /// Bytes on the heap.
    pub fn size_bytes(&self) -> usize {
        self.weights.len() * size_of::<(u16, f32)>()
            + self.vectors.size_bytes()
            + self.phrasings.size_bytes()
            + self.phrasing_entries.len() * size_of::<u32>()
    }

    fn sum(&self, pieces: &[u16]) -> [f32; DIMS] {
        sum(pieces, |piece| {
            let found = self.weights.binary_search_by_key(&piece, |(piece, _)| *piece);
            found.map_or(self.unseen_weight, |at| self.weights[at].1)
        })
    }
}

fn sum(pieces: &[u16], weight: impl Fn(u16) -> f32) -> [f32; DIMS] {
    let mut sum = [0.0; DIMS];
    pieces.iter().for_each(|&piece| embedding::add_row(&mut sum, piece, weight(piece)));
    sum
}

fn whole_word_share(cuts: &[[Cut; 2]]) -> f64 {
    let (words, whole) =
        cuts.iter().flatten().fold((0, 0), |(words, whole), cut| (words + cut.words, whole + cut.whole_words));
    if words == 0 { 0.0 } else { whole as f64 / words as f64 }
}

fn weights(cuts: &[[Cut; 2]]) -> Vec<(u16, f32)> {
    let mut counts = vec![0_u32; embedding::piece_count()];
    let mut last = vec![usize::MAX; embedding::piece_count()];
    for (entry, parts) in cuts.iter().enumerate() {
        for &piece in parts.iter().flat_map(|cut| &cut.pieces) {
            let piece = usize::from(piece);
            if last[piece] != entry {
                last[piece] = entry;
                counts[piece] += 1;
            }
        }
    }
    let seen = (0_u16..).zip(&counts).filter(|(_, count)| **count > 0);
    seen.map(|(piece, &count)| (piece, idf(cuts.len(), count).sqrt())).collect()
}

fn idf(entries: usize, with: u32) -> f32 {
    let (entries, with) = (entries as f32, with as f32);
    (1.0 + (entries - with + 0.5) / (with + 0.5)).ln()
}
