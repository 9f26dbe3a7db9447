//! A compact sorted list of words with a number each, and the search for the word closest to a
//! misspelled one.

/// Minimum length of a word that is corrected, in characters. Too many words are close to a shorter
/// one.
const MIN_REPAIRED_CHARS: usize = 4;
/// Minimum length from which two edits are allowed instead of one.
const MIN_TWO_EDITS_CHARS: usize = 8;

/// Words in byte order, each with a value. The list cannot be changed.
#[derive(Debug, Default)]
pub struct Lexicon {
    text: String,
    ends: Vec<u32>,
    values: Vec<u32>,
    /// One bit per letter class for each word. Two words within an edit differ in few bits.
    letters: Vec<u32>,
}

/// A word that is close to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Near<'a> {
    /// The word.
    pub word: &'a str,
    /// Number of edits between the two words.
    pub edits: usize,
}

impl Lexicon {
    /// Creates a lexicon of these words. Of equal words, the first value is kept.
    pub fn new(words: impl IntoIterator<Item = (String, u32)>) -> Self {
        let mut words: Vec<(String, u32)> = words.into_iter().collect();
        words.sort();
        words.dedup_by(|b, a| a.0 == b.0);
        let mut lexicon = Self::default();
        for (word, value) in words {
            lexicon.text.push_str(&word);
            lexicon.ends.push(lexicon.text.len() as u32);
            lexicon.values.push(value);
            lexicon.letters.push(letter_bits(&word));
        }
        lexicon.text.shrink_to_fit();
        lexicon
    }

    /// Returns the value of a word.
    pub fn get(&self, word: &str) -> Option<u32> {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.word(middle).cmp(word) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(self.values[middle]),
            }
        }
        None
    }

    /// Returns the word that a misspelled one most likely means: the one with the fewest edits,
    /// then the highest `rank` of its value, then the first in order. Swapping two neighbors counts
    /// as one edit. The first or last character must agree. `None` when `word` is short or nothing
    /// is close.
    pub fn nearest(&self, word: &str, rank: impl Fn(u32) -> u32) -> Option<Near<'_>> {
        let wanted: Vec<char> = word.chars().collect();
        if wanted.len() < MIN_REPAIRED_CHARS {
            return None;
        }
        let most_edits = if wanted.len() < MIN_TWO_EDITS_CHARS { 1 } else { 2 };
        let bits = letter_bits(word);
        let mut best: Option<(usize, std::cmp::Reverse<u32>, usize)> = None;
        for (at, letters) in self.letters.iter().enumerate() {
            // An edit changes at most two letter classes.
            if (letters ^ bits).count_ones() > 2 * most_edits {
                continue;
            }
            let Some(edits) = edits_within(&wanted, self.word(at), most_edits as usize) else {
                continue;
            };
            let candidate = (edits, std::cmp::Reverse(rank(self.values[at])), at);
            if best.is_none_or(|best| candidate < best) {
                best = Some(candidate);
            }
        }
        best.map(|(edits, _, at)| Near { word: self.word(at), edits })
    }

    /// Returns the words that begin with `prefix`, in order, with their values.
    pub fn starting_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, u32)> + 'a {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.word(middle) < prefix { low = middle + 1 } else { high = middle }
        }
        let words = (low..self.ends.len()).map(|at| (self.word(at), self.values[at]));
        words.take_while(move |(word, _)| word.starts_with(prefix))
    }

    /// Number of bytes on the heap.
    pub fn size_bytes(&self) -> usize {
        self.text.len() + self.ends.len() * 3 * size_of::<u32>()
    }

    fn word(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        &self.text[start..self.ends[at] as usize]
    }
}

fn letter_bits(word: &str) -> u32 {
    word.chars().fold(0, |bits, c| bits | 1 << (u32::from(c) % 32))
}

/// Returns the optimal string alignment distance if it is at most `most` and one end agrees.
fn edits_within(wanted: &[char], word: &str, most: usize) -> Option<usize> {
    if word.len() + 4 * most < wanted.len() || word.len() > 4 * (wanted.len() + most) {
        return None;
    }
    let word: Vec<char> = word.chars().collect();
    if word.len().abs_diff(wanted.len()) > most {
        return None;
    }
    if word.first() != wanted.first() && word.last() != wanted.last() {
        return None;
    }
    let edits = alignment_distance(wanted, &word);
    (edits <= most).then_some(edits)
}

fn alignment_distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lexicon() -> Lexicon {
        let words = ["delivery", "deliver", "password", "größe", "refund", "return"];
        Lexicon::new(words.iter().zip(0..).map(|(word, value)| ((*word).to_owned(), value)))
    }

    #[test]
    fn words_are_found_with_their_values() {
        assert_eq!(lexicon().get("password"), Some(2));
        assert_eq!(lexicon().get("passwor"), None);
    }

    #[test]
    fn a_typo_finds_its_word() {
        let lexicon = lexicon();

        for (typo, word) in [("pasword", "password"), ("refnud", "refund"), ("delievry", "delivery")] {
            assert_eq!(lexicon.nearest(typo, |_| 0), Some(Near { word, edits: 1 }), "{typo}");
        }
        assert_eq!(lexicon.nearest("grösse", |_| 0), None, "two edits are too many for six letters");
    }

    #[test]
    fn short_and_far_words_stay() {
        assert_eq!(lexicon().nearest("ref", |_| 0), None);
        assert_eq!(lexicon().nearest("banana", |_| 0), None);
        assert_eq!(lexicon().nearest("xefunx", |_| 0), None);
    }
}
