//! The two built-in embedding tables behind one interface: their pieces, rows, weights and scales.

use crate::embedding::{self, DIMS};
use crate::multilingual;
use crate::vectors::Vectors;

/// Cosines of unrelated questions and of questions with the same meaning, on the fixed pairs of
/// `external_embeddings.rs`. Cosines of the multilingual table are mapped to the English scale.
const ENGLISH_SCALE: [f32; 2] = [0.06, 0.47];
const MULTILINGUAL_SCALE: [f32; 2] = [0.21, 0.46];

/// A built-in embedding table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// English word pieces.
    English,
    /// Word pieces of sixteen languages.
    Multilingual,
}

impl Table {
    /// Splits a text into pieces of the table.
    pub fn cut(self, text: &str) -> Vec<u32> {
        match self {
            Self::English => embedding::cut(text).pieces.into_iter().map(u32::from).collect(),
            Self::Multilingual => multilingual::cut(text),
        }
    }

    /// Number of pieces that the table knows.
    pub fn piece_count(self) -> usize {
        match self {
            Self::English => embedding::piece_count(),
            Self::Multilingual => multilingual::piece_count(),
        }
    }

    /// Appends a row, as a unit vector.
    pub fn push_row(self, rows: &mut Vectors, piece: u32) {
        match self {
            Self::English => {
                let (row, factor) = embedding::row(piece as u16).unwrap_or((&[0; DIMS], 0.0));
                rows.push_row(row.iter().map(|value| value.cast_signed()), factor);
            }
            Self::Multilingual => {
                let squares = multilingual::numbers(piece).map(|number| i32::from(number).pow(2)).sum();
                rows.push_row(multilingual::numbers(piece), embedding::factor(squares));
            }
        }
    }

    /// Adds a row to a sum, with a weight.
    pub fn add_row(self, sum: &mut [f32; DIMS], piece: u32, weight: f32) {
        match self {
            Self::English => embedding::add_row(sum, piece as u16, weight),
            Self::Multilingual => multilingual::add_row(sum, piece, weight),
        }
    }

    /// The weight of a piece that `with` of `entries` contain, as each table was measured.
    pub fn weight(self, entries: usize, with: u32) -> f32 {
        let (entries, with) = (entries as f32, with as f32);
        match self {
            Self::English => (1.0 + (entries - with + 0.5) / (with + 0.5)).ln().sqrt(),
            Self::Multilingual => (1.0 + entries / with.max(1.0)).ln(),
        }
    }

    /// Maps a cosine to the scale of the English table.
    pub fn scaled(self, cosine: f32) -> f32 {
        match self {
            Self::English => cosine,
            Self::Multilingual => {
                let ([low, high], [from, to]) = (ENGLISH_SCALE, MULTILINGUAL_SCALE);
                low + (cosine - from) / (to - from) * (high - low)
            }
        }
    }
}
