//! Unit vectors stored as bytes, and the exact scan over them.
//!
//! One byte per number costs a few thousandths of a cosine and a quarter of the memory. It lets the
//! processor multiply as many numbers at once as it can (docs/decisions/0020). Products are summed
//! as integers, so that a cosine is equal to the last bit on every machine.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, i8x32, i16x16, i32x8};

/// Largest stored value. -128 is not used, so that negation never changes the range.
const BYTE_MAX: f32 = 127.0;
/// Largest value of a query, finer than a stored one. The sum of 16,000 products with [`BYTE_MAX`]
/// still fits into 32 bits.
const QUERY_MAX: f32 = 1024.0;
/// Number of regions that a scan reads side by side. Memory serves several readers faster than one,
/// which matters on a site of 100,000 entries.
const STRETCHES: usize = 4;
/// Number of bytes of the scale before the numbers of a stored vector.
const SCALE_BYTES: usize = size_of::<f32>();

/// How much the score of an entry moves from the larger of its two cosines to their mean. An entry
/// whose question and text both match is the better one (+.005 MRR on the development sets).
const MEAN_SHARE: f32 = 0.5;

/// Combines the cosines of an entry's whole text and of its question: between the larger one and
/// the mean. With phrasings of the owner, `nearest` is the best of their cosines, and the result is
/// its mean with the whole text.
#[inline]
pub fn nearness(all: f32, asked: f32, nearest: Option<f32>) -> f32 {
    match nearest {
        Some(nearest) => f32::midpoint(all, nearest.max(asked)),
        None => {
            let larger = all.max(asked);
            larger + MEAN_SHARE * (f32::midpoint(all, asked) - larger)
        }
    }
}

/// Vectors of one length, in order of insertion.
#[derive(Debug, Default)]
pub struct Vectors {
    dims: usize,
    bytes: Vec<i8>,
    scales: Vec<f32>,
}

/// A unit vector in the form that is fast to compare.
#[derive(Debug, Clone)]
pub struct QueryVector {
    values: Vec<i16>,
    scale: f32,
}

impl Vectors {
    /// Creates an empty list of vectors with `dims` numbers.
    pub fn new(dims: usize) -> Self {
        Self { dims, bytes: Vec::new(), scales: Vec::new() }
    }

    /// Appends a vector, normalized. A zero vector stays zero. `vector` must have `dims` numbers.
    pub fn push(&mut self, vector: &[f32]) {
        debug_assert_eq!(vector.len(), self.dims);
        let (length, largest) = extent(vector);
        let step = if largest > 0.0 { largest / BYTE_MAX } else { 1.0 };
        self.bytes.extend(vector.iter().map(|x| (x / step).round() as i8));
        self.scales.push(if length > 0.0 { step / length } else { 0.0 });
    }

    /// Appends a vector that is stored as bytes already, with the factor that makes it a unit vector.
    pub fn push_row(&mut self, row: impl Iterator<Item = i8>, factor: f32) {
        self.bytes.extend(row);
        self.scales.push(factor);
    }

    /// Returns the cosine of the query with vector number `at`.
    pub fn cosine(&self, at: usize, query: &QueryVector) -> f32 {
        dispatch!(Level::new(), simd => self.cosine_with(simd, at, query))
    }

    /// Returns the cosine of the query with each vector, in order. `query` must have the same
    /// length.
    pub fn cosines(&self, query: &QueryVector) -> Vec<f32> {
        debug_assert_eq!(query.dims(), self.dims);
        let mut cosines = vec![0.0; self.len()];
        dispatch!(Level::new(), simd => simd.vectorize(#[inline(always)] || {
            let rows = self.len();
            let stretch = rows.div_ceil(STRETCHES);
            for step in 0..stretch {
                let mut at = step;
                while at < rows {
                    cosines[at] = self.cosine_with(simd, at, query);
                    at += stretch;
                }
            }
        }));
        cosines
    }

    #[inline(always)]
    fn cosine_with<S: Simd>(&self, simd: S, at: usize, query: &QueryVector) -> f32 {
        let row = &self.bytes[at * self.dims..(at + 1) * self.dims];
        dot(simd, row, &query.values) as f32 * self.scales[at] * query.scale
    }

    /// Number of vectors.
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// Length of each vector.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// Encodes all vectors: for each, its little-endian scale and then its numbers.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.size_bytes());
        for (at, scale) in self.scales.iter().enumerate() {
            bytes.extend_from_slice(&scale.to_le_bytes());
            bytes.extend(self.bytes[at * self.dims..(at + 1) * self.dims].iter().map(|number| number.cast_unsigned()));
        }
        bytes
    }

    /// Appends the vectors that [`Vectors::to_bytes`] wrote, and returns their number. Returns
    /// `None` and appends nothing when the bytes are not vectors of this length.
    pub fn push_bytes(&mut self, bytes: &[u8]) -> Option<usize> {
        let each = SCALE_BYTES + self.dims;
        if !bytes.len().is_multiple_of(each) {
            return None;
        }
        for vector in bytes.chunks_exact(each) {
            let (scale, numbers) = vector.split_first_chunk::<SCALE_BYTES>()?;
            self.scales.push(f32::from_le_bytes(*scale));
            self.bytes.extend(numbers.iter().map(|number| number.cast_signed()));
        }
        Some(bytes.len() / each)
    }

    /// Returns the length of each of `count` vectors that are encoded in `bytes`, or `None` when
    /// the numbers do not match.
    pub fn dims_of(bytes: &[u8], count: usize) -> Option<usize> {
        let is_even = count > 0 && bytes.len().is_multiple_of(count) && bytes.len() / count > SCALE_BYTES;
        is_even.then(|| bytes.len() / count - SCALE_BYTES)
    }

    /// Number of bytes on the heap.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len() + self.scales.len() * size_of::<f32>()
    }
}

impl QueryVector {
    /// Length of the vector.
    pub fn dims(&self) -> usize {
        self.values.len()
    }

    /// Returns the direction of `vector`, or `None` when it is zero.
    pub fn new(vector: &[f32]) -> Option<Self> {
        let (length, largest) = extent(vector);
        let step = largest / QUERY_MAX;
        let values = vector.iter().map(|x| (x / step).round() as i16).collect();
        (length > 0.0).then_some(Self { values, scale: step / length })
    }
}

fn extent(vector: &[f32]) -> (f32, f32) {
    let squares: f32 = vector.iter().map(|x| x * x).sum();
    (squares.sqrt(), vector.iter().fold(0.0, |most, x| most.max(x.abs())))
}

/// Returns the sum of products. It uses plain loops, because iterators here are not compiled for
/// the wide instructions.
#[inline(always)]
fn dot<S: Simd>(simd: S, a: &[i8], b: &[i16]) -> i32 {
    const LANES: usize = 32;
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    let (mut low, mut high) = (i32x8::splat(simd, 0), i32x8::splat(simd, 0));
    for block in 0..a_blocks.len().min(b_blocks.len()) {
        let (a_low, a_high) = i8x32::load_array_ref(simd, &a_blocks[block]).widen();
        let (b_low, b_high) = b_blocks[block].split_at(LANES / 2);
        low += a_low.pairwise_dot_product(i16x16::from_slice(simd, b_low));
        high += a_high.pairwise_dot_product(i16x16::from_slice(simd, b_high));
    }
    let mut sum = (low + high).reduce_sum();
    for at in 0..a_rest.len().min(b_rest.len()) {
        sum += i32::from(a_rest[at]) * i32::from(b_rest[at]);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosines_of_bytes_are_those_of_floats_within_a_hundredth() {
        let a: Vec<f32> = (0..256).map(|i| ((i * 37 % 101) as f32 - 50.0) / 7.0).collect();
        let b: Vec<f32> = (0..256).map(|i| ((i * 53 % 97) as f32 - 40.0) / 3.0).collect();
        let mut vectors = Vectors::new(256);
        vectors.push(&a);
        vectors.push(&[0.0; 256]);
        let query = QueryVector::new(&b).unwrap();

        let product: f32 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
        let exact = product / (extent(&a).0 * extent(&b).0);

        assert!((vectors.cosine(0, &query) - exact).abs() < 0.01);
        assert_eq!(vectors.cosine(1, &query), 0.0);
        assert!(QueryVector::new(&[0.0; 256]).is_none());
    }
}
