//! Postings of two fields (all text, question), and the part of BM25 that does not depend on idf.
//!
//! All lists share one byte stream. A posting is the distance to the document before, with a
//! variable length, and one byte with both term frequencies: about two bytes, read in order.

/// Saturation of the term frequency and length normalization of BM25. These are the textbook values;
/// no other values were measurably better on the development sets.
const K1: f32 = 1.2;
const B: f32 = 0.75;
/// A longer document counts as this many times the average length. Otherwise a passage would never
/// be found on a site of short entries (+.002 MRR on the development sets).
const MAX_LENGTH_RATIO: f32 = 1.5;
/// Weight of a match in the question field, added to the match in all text.
const QUESTION_WEIGHT: f32 = 0.4;
/// Minimum number of documents for the idf. With two or three documents, an unknown word would weigh
/// several times as much as a known one, and every question would fail because of one word. On sites
/// of four entries taken from the development sets, this raises the right answers from .41 to .50
/// (German) and from .82 to .88 (English).
const MIN_DOCUMENTS: usize = 8;
/// Maximum frequency that is stored. Both frequencies share a byte, and BM25 is nearly flat beyond.
const MAX_FREQUENCY: u8 = 15;

/// Collects documents one after the other.
#[derive(Debug, Default)]
pub struct PostingsBuilder {
    lists: Vec<List>,
    lengths: Vec<[f32; 2]>,
}

#[derive(Debug, Default, Clone)]
struct List {
    bytes: Vec<u8>,
    next_document: u32,
    documents: u32,
}

/// One occurrence of a term in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    /// Number of the term. Numbers start at 0 and have no gaps.
    pub term: u32,
    /// Whether the term is in the question field, which is also part of all text.
    pub in_question: bool,
}

impl PostingsBuilder {
    /// Appends a document with its occurrences, and sorts them.
    pub fn push(&mut self, occurrences: &mut [Occurrence]) {
        let document = self.lengths.len() as u32;
        let question_length = occurrences.iter().filter(|o| o.in_question).count();
        self.lengths.push([occurrences.len() as f32, question_length as f32]);
        // Comparing one number is faster than comparing two fields.
        occurrences.sort_unstable_by_key(|o| u64::from(o.term) << 1 | u64::from(o.in_question));
        for same in occurrences.chunk_by(|a, b| a.term == b.term) {
            let term = same[0].term as usize;
            let in_question = same.iter().filter(|o| o.in_question).count();
            if self.lists.len() <= term {
                self.lists.resize_with(term + 1, List::default);
            }
            let list = &mut self.lists[term];
            push_varint(&mut list.bytes, document - list.next_document);
            list.bytes.push(frequencies(same.len(), in_question));
            list.next_document = document + 1;
            list.documents += 1;
        }
    }

    /// Returns the postings, which cannot be changed.
    pub fn finish(self) -> Postings {
        let mut bytes = Vec::with_capacity(self.lists.iter().map(|list| list.bytes.len()).sum());
        let mut ends = Vec::with_capacity(self.lists.len());
        let mut document_counts = Vec::with_capacity(self.lists.len());
        for list in self.lists {
            bytes.extend_from_slice(&list.bytes);
            ends.push(bytes.len() as u32);
            document_counts.push(list.documents);
        }
        Postings { bytes, ends, document_counts, saturation: saturation(&self.lengths) }
    }
}

/// Documents by term, with the effect of their lengths on a match.
#[derive(Debug, Default)]
pub struct Postings {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    document_counts: Vec<u32>,
    saturation: Vec<[f32; 2]>,
}

impl Postings {
    /// Number of documents with a term. 0 for an unknown number.
    pub fn document_count(&self, term: u32) -> u32 {
        self.document_counts.get(term as usize).copied().unwrap_or(0)
    }

    /// Returns Robertson's idf, which is never negative. A term in no document has the highest. At least
    /// [`MIN_DOCUMENTS`] documents are assumed.
    pub fn idf(&self, document_count: u32) -> f32 {
        let all = self.saturation.len().max(MIN_DOCUMENTS) as f32;
        let with = document_count as f32;
        (1.0 + (all - with + 0.5) / (with + 0.5)).ln()
    }

    /// Calls `emit` with each document that has `term`, and its saturated match.
    #[inline]
    pub fn each(&self, term: u32, mut emit: impl FnMut(usize, f32)) {
        let term = term as usize;
        let Some(&end) = self.ends.get(term) else { return };
        let start = if term == 0 { 0 } else { self.ends[term - 1] as usize };
        let mut list = &self.bytes[start..end as usize];
        let mut document = 0;
        while let Some((step, rest)) = read_varint(list) {
            let Some((&both, rest)) = rest.split_first() else { return };
            list = rest;
            document += step as usize;
            let [all, question] = self.saturation[document];
            let in_all = f32::from(both & MAX_FREQUENCY);
            let in_question = f32::from(both >> 4);
            let matched = in_all / (in_all + all) + QUESTION_WEIGHT * in_question / (in_question + question);
            emit(document, matched);
            document += 1;
        }
    }

    /// Whether a document has `term`.
    pub fn contains(&self, term: u32, document: usize) -> bool {
        let mut is_found = false;
        self.each(term, |found, _| is_found |= found == document);
        is_found
    }

    /// Adds `weight` times the saturated match of `term` to the score of each document with it, and
    /// `weight` to its coverage.
    pub fn add(&self, term: u32, weight: f32, scores: &mut [Match]) {
        self.each(term, |document, matched| {
            let entry = &mut scores[document];
            entry.score += weight * matched;
            entry.covered += weight;
        });
    }

    /// Number of bytes on the heap.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
            + (self.ends.len() + self.document_counts.len()) * size_of::<u32>()
            + self.saturation.len() * size_of::<[f32; 2]>()
    }
}

/// Matches of the terms of a query in one document.
#[derive(Debug, Default, Clone, Copy)]
pub struct Match {
    /// Sum of idf times saturated frequency over both fields.
    pub score: f32,
    /// Sum of the idf of the terms that were found.
    pub covered: f32,
}

/// Returns `k1 (1 - b + b length/average)` of each document and field.
fn saturation(lengths: &[[f32; 2]]) -> Vec<[f32; 2]> {
    let average = |field: usize| {
        let (sum, count) = lengths
            .iter()
            .filter(|lengths| lengths[field] > 0.0)
            .fold((0.0, 0_u32), |(sum, count), lengths| (sum + f64::from(lengths[field]), count + 1));
        if count == 0 { 1.0 } else { (sum / f64::from(count)) as f32 }
    };
    let averages = [average(0), average(1)];
    let one = |length: f32, average: f32| K1 * (1.0 - B + B * (length / average).min(MAX_LENGTH_RATIO));
    lengths.iter().map(|l| [one(l[0], averages[0]), one(l[1], averages[1])]).collect()
}

fn frequencies(all: usize, question: usize) -> u8 {
    let cap = |count: usize| u8::try_from(count).unwrap_or(MAX_FREQUENCY).min(MAX_FREQUENCY);
    cap(all) | cap(question) << 4
}

fn push_varint(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push((value & 0x7F) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

#[inline]
fn read_varint(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (&first, mut rest) = bytes.split_first()?;
    let mut value = u32::from(first & 0x7F);
    let mut last = first;
    let mut shift = 7;
    while last & 0x80 != 0 {
        let (&next, after) = rest.split_first()?;
        value |= u32::from(next & 0x7F) << shift;
        (last, rest) = (next, after);
        shift += 7;
    }
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn occurrence(term: u32, in_question: bool) -> Occurrence {
        Occurrence { term, in_question }
    }

    #[test]
    fn documents_far_apart_are_found() {
        let mut builder = PostingsBuilder::default();
        for document in 0..1000 {
            let mut terms = vec![occurrence(u32::from(document % 400 == 3), document == 3)];
            builder.push(&mut terms);
        }
        let postings = builder.finish();
        let mut scores = vec![Match::default(); 1000];

        postings.add(1, 2.0, &mut scores);

        let found: Vec<usize> = (0..1000).filter(|&d| scores[d].covered > 0.0).collect();
        assert_eq!(found, [3, 403, 803]);
        assert_eq!(postings.document_count(1), 3);
        assert!(scores[3].score > scores[403].score, "the question field adds");
    }

    #[test]
    fn an_unknown_term_has_the_highest_idf_and_adds_nothing() {
        let mut builder = PostingsBuilder::default();
        builder.push(&mut [occurrence(0, false)]);
        let postings = builder.finish();
        let mut scores = vec![Match::default(); 1];

        postings.add(9, 1.0, &mut scores);

        assert_eq!(scores[0].covered, 0.0);
        assert!(postings.idf(0) > postings.idf(1));
        assert!(postings.idf(1) > 0.0);
    }
}
