//! Vectors of an embedding model that is not built in: which texts of a chunk are embedded, how
//! their vectors are stored, and how their cosines are read.
//!
//! One model gives a cosine of .9 to two texts to which another gives .4. So that decisions hold
//! for any model, a model embeds fixed pairs of questions with the same meaning, and its cosines
//! are mapped to the scale of the built-in table, for which the calibration was fitted.

use std::sync::LazyLock;

use crate::chunk::{Chunk, Fields};
use crate::embedding::{self, DIMS};
use crate::vectors::{QueryVector, Vectors, nearness};

/// Maximum length of a text that is given to a model, in characters. Most models read no more.
const MAX_TEXT_CHARS: usize = 2_000;
/// Minimum distance between questions of the same meaning and unrelated ones. A model below it
/// cannot tell them apart.
const MIN_SPAN: f32 = 0.05;

/// Pairs of questions with the same meaning. Questions of different pairs have nothing in common.
const PROBES: [[&str; 2]; 10] = [
    ["How long does delivery take?", "When will my parcel arrive?"],
    ["I forgot my password", "How do I reset my login?"],
    ["Can I bring my dog?", "Are pets allowed?"],
    ["Where is the nearest car park?", "Is there parking close by?"],
    ["How do I cancel my subscription?", "I want to end my membership"],
    ["Is breakfast included in the price?", "Does the room rate cover a morning meal?"],
    ["Which file formats are supported?", "What kinds of files can I open?"],
    ["Does this vaccine have side effects?", "What reactions may follow the injection?"],
    ["What are your opening hours?", "When is the shop open?"],
    ["How old must one be to take part?", "What is the minimum age for participants?"],
];

/// Returns the texts of a chunk that get a vector each: the whole chunk, its question, its
/// phrasings.
pub fn texts(chunk: &Chunk) -> Vec<String> {
    let fields = Fields::of(chunk);
    let mut texts = vec![head(&format!("{}\n{}", fields.question, fields.body))];
    texts.extend(chunk.question.as_deref().map(head));
    texts.extend(chunk.phrasings.iter().map(|phrasing| head(phrasing)));
    texts
}

/// Encodes vectors for storage: one byte per number after four bytes of scale. All `vectors` have
/// the same length.
pub fn encode(vectors: &[Vec<f32>]) -> Vec<u8> {
    let mut kept = Vectors::new(vectors.first().map_or(0, Vec::len));
    vectors.iter().for_each(|vector| kept.push(vector));
    kept.to_bytes()
}

/// Returns the questions from which a [`CosineScale`] is measured.
pub fn probes() -> Vec<String> {
    PROBES.as_flattened().iter().map(|probe| (*probe).to_owned()).collect()
}

/// The meaning of a model's cosines: their mean for unrelated questions and for questions of the
/// same meaning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CosineScale {
    unrelated: f32,
    same: f32,
}

impl CosineScale {
    /// Measures the scale from the vectors of [`probes`], in order. `None` when the model cannot
    /// tell them apart.
    pub fn of(vectors: &[Vec<f32>]) -> Option<Self> {
        if vectors.len() != 2 * PROBES.len() {
            return None;
        }
        let mut kept = Vectors::new(vectors.first()?.len());
        vectors.iter().for_each(|vector| kept.push(vector));
        let (mut unrelated, mut same) = (Mean::default(), Mean::default());
        for (at, vector) in vectors.iter().enumerate() {
            let query = QueryVector::new(vector)?;
            for other in 0..at {
                let mean = if other / 2 == at / 2 { &mut same } else { &mut unrelated };
                mean.add(kept.cosine(other, &query));
            }
        }
        let scale = Self { unrelated: unrelated.value(), same: same.value() };
        (scale.same - scale.unrelated >= MIN_SPAN).then_some(scale)
    }

    /// Maps a cosine to the scale of the built-in table.
    fn scaled(&self, cosine: f32) -> f32 {
        static BUILT_IN: LazyLock<CosineScale> = LazyLock::new(|| {
            let vectors: Vec<Vec<f32>> = probes().iter().map(|probe| built_in(probe)).collect();
            CosineScale::of(&vectors).expect("the table tells the probes apart: a test looks")
        });
        let share = (cosine - self.unrelated) / (self.same - self.unrelated);
        BUILT_IN.unrelated + share * (BUILT_IN.same - BUILT_IN.unrelated)
    }
}

/// The vectors of a question, alone and together with the question before it.
#[derive(Debug, Clone)]
pub struct QuestionVectors {
    /// Vector of the question.
    pub alone: QueryVector,
    /// Vector of both questions. `None` when there was no earlier question.
    pub together: Option<QueryVector>,
    /// Scale of the model.
    pub scale: CosineScale,
}

/// The vectors of all chunks of an index.
#[derive(Debug)]
pub(crate) struct ExternalVectors {
    model: String,
    vectors: Vectors,
    /// Number of the first vector of each chunk, and at the end the number of all vectors.
    starts: Vec<u32>,
}

impl ExternalVectors {
    /// Reads the stored vectors of each chunk, in the order of the chunks. `None` when vectors are
    /// missing or differ in length.
    pub fn build(model: &str, chunks: &[std::sync::Arc<Chunk>], stored: &[Vec<u8>]) -> Option<Self> {
        if chunks.len() != stored.len() {
            return None;
        }
        let count = |chunk: &Chunk| 1 + usize::from(chunk.question.is_some()) + chunk.phrasings.len();
        let dims = Vectors::dims_of(stored.first()?, count(chunks.first()?))?;
        let mut built = Self { model: model.to_owned(), vectors: Vectors::new(dims), starts: vec![0] };
        for (chunk, bytes) in chunks.iter().zip(stored) {
            let added = built.vectors.push_bytes(bytes)?;
            if added != count(chunk) {
                return None;
            }
            built.starts.push(built.vectors.len() as u32);
        }
        Some(built)
    }

    /// Name of the model.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Returns how close each chunk is to a question, on the scale of the built-in table and in the
    /// order of the chunks. `None` for a vector of another length.
    pub fn scores(&self, question: &QueryVector, scale: &CosineScale) -> Option<Vec<f32>> {
        if question.dims() != self.vectors.dims() {
            return None;
        }
        let cosines = self.vectors.cosines(question);
        let score = |range: &[u32]| {
            let mut cosines = cosines[range[0] as usize..range[1] as usize].iter().copied();
            let all = cosines.next().unwrap_or_default();
            let asked = cosines.next().unwrap_or(all);
            scale.scaled(nearness(all, asked, cosines.reduce(f32::max)))
        };
        Some(self.starts.windows(2).map(score).collect())
    }

    /// Number of bytes on the heap.
    pub fn size_bytes(&self) -> usize {
        self.vectors.size_bytes() + self.starts.len() * size_of::<u32>()
    }
}

#[derive(Default)]
struct Mean {
    sum: f32,
    count: u32,
}

impl Mean {
    fn add(&mut self, value: f32) {
        self.sum += value;
        self.count += 1;
    }

    fn value(&self) -> f32 {
        self.sum / self.count.max(1) as f32
    }
}

fn built_in(text: &str) -> Vec<f32> {
    let mut sum = [0.0; DIMS];
    embedding::cut(text).pieces.iter().for_each(|piece| embedding::add_row(&mut sum, *piece, 1.0));
    sum.to_vec()
}

fn head(text: &str) -> String {
    text.trim().chars().take(MAX_TEXT_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_tells_the_probes_apart_and_keeps_its_own_scale() {
        let vectors: Vec<Vec<f32>> = probes().iter().map(|probe| built_in(probe)).collect();

        let scale = CosineScale::of(&vectors).unwrap();

        assert!(scale.unrelated < 0.2 && scale.same > 0.4, "{scale:?}");
        assert!((scale.scaled(0.37) - 0.37).abs() < 1e-5);
    }

    #[test]
    fn a_model_with_a_narrow_range_is_put_on_the_same_scale() {
        let wide: Vec<Vec<f32>> = probes().iter().map(|probe| built_in(probe)).collect();
        // A large common component raises all cosines, as it does in many models.
        let narrow: Vec<Vec<f32>> = wide
            .iter()
            .map(|vector| {
                let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
                vector.iter().map(|x| x / length).chain([2.0]).collect()
            })
            .collect();

        let (wide, narrow) = (CosineScale::of(&wide).unwrap(), CosineScale::of(&narrow).unwrap());

        assert!(narrow.unrelated > 0.7, "{narrow:?}");
        for share in [0.0, 0.5, 1.0] {
            let at = |scale: &CosineScale| scale.unrelated + share * (scale.same - scale.unrelated);
            assert!((narrow.scaled(at(&narrow)) - wide.scaled(at(&wide))).abs() < 1e-4);
        }
    }

    #[test]
    fn a_model_that_says_the_same_of_everything_is_of_no_use() {
        assert_eq!(CosineScale::of(&vec![vec![1.0, 0.5]; 2 * PROBES.len()]), None);
        assert_eq!(CosineScale::of(&[vec![1.0]]), None);
    }
}
