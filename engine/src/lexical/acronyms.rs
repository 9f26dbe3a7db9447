//! Connects acronyms with the words that they stand for, using only texts of the site itself.
//!
//! A visitor asks for "2FA" where the site writes "two-factor authentication", or the other way
//! round. The index keeps the initials of every title and the acronyms that the site writes.

use std::collections::HashSet;

use crate::analysis::Analyzer;
use crate::chunk::Fields;

/// Length of an acronym, in characters.
const LENGTHS: std::ops::RangeInclusive<usize> = 2..=6;
/// Minimum length of an acronym that is not written in capitals, in characters.
const MIN_LOWER_CHARS: usize = 3;
/// Maximum number of acronyms of a site that are kept.
const MAX_WRITTEN: usize = 4_096;
/// Separates the initials of two titles.
const END: char = '\n';
/// Number words with the digit that acronyms use in their place.
const NUMBERS: [(&str, char); 24] = [
    ("one", '1'),
    ("two", '2'),
    ("three", '3'),
    ("four", '4'),
    ("five", '5'),
    ("double", '2'),
    ("eins", '1'),
    ("zwei", '2'),
    ("drei", '3'),
    ("vier", '4'),
    ("un", '1'),
    ("deux", '2'),
    ("trois", '3'),
    ("quatre", '4'),
    ("uno", '1'),
    ("dos", '2'),
    ("tres", '3'),
    ("cuatro", '4'),
    ("due", '2'),
    ("tre", '3'),
    ("dois", '2'),
    ("twee", '2'),
    ("drie", '3'),
    ("två", '2'),
];

/// The initials of the titles of an index, and the acronyms that its texts contain.
#[derive(Debug, Default)]
pub struct Acronyms {
    /// The first letters of the words of each title, each title ended by [`END`].
    initials: String,
    /// The titles, in the order of the entries.
    titles: Vec<Box<str>>,
    /// Acronyms of the site, in lower case.
    written: HashSet<String, foldhash::fast::RandomState>,
}

impl Acronyms {
    /// Reads the titles and texts of an index.
    pub fn new(analyzer: &Analyzer, documents: &[&Fields]) -> Self {
        let mut acronyms = Self::default();
        for document in documents {
            let title = format!("{}\n{}", document.question, document.headings);
            analyzer.each_word(&title, |word| acronyms.initials.extend(word.chars().next()));
            acronyms.initials.push(END);
            acronyms.titles.push(title.into());
            for text in [&document.question, &document.headings, &document.body] {
                acronyms.add_written(text);
            }
        }
        acronyms
    }

    fn add_written(&mut self, text: &str) {
        let is_capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        for word in text.split(|c: char| !c.is_alphanumeric()) {
            let capitals = word.bytes().filter(u8::is_ascii_uppercase).count();
            if LENGTHS.contains(&word.len())
                && capitals >= 2
                && word.chars().all(is_capital)
                && self.written.len() < MAX_WRITTEN
            {
                self.written.insert(word.to_ascii_lowercase());
            }
        }
    }

    /// Returns the words of a title for which `word`, which the site does not contain, is an
    /// acronym. `is_capital` says whether the visitor wrote it in capitals.
    pub fn expanded(&self, analyzer: &Analyzer, word: &str, is_capital: bool) -> Option<Vec<String>> {
        let length = word.chars().count();
        let is_short = !LENGTHS.contains(&length) || (length < MIN_LOWER_CHARS && !is_capital);
        if is_short || !word.chars().all(char::is_alphanumeric) {
            return None;
        }
        let found = initials_of(word).find_map(|initials| self.initials.find(&initials))?;
        let before = &self.initials[..found];
        let title = before.matches(END).count();
        let from = before.rsplit(END).next().unwrap_or_default().chars().count();
        let words: Vec<String> = analyzer.words(self.titles.get(title)?).into_iter().skip(from).take(length).collect();
        let is_whole =
            words.len() == length && words.iter().zip(word.chars()).all(|(word, initial)| stands_for(word, initial));
        is_whole.then_some(words)
    }

    /// Returns how many of the first words are one acronym of the site, and the acronym.
    pub fn shortened(&self, words: &[String], is_function_word: impl Fn(&str) -> bool) -> Option<(usize, String)> {
        if self.written.is_empty() {
            return None;
        }
        LENGTHS.rev().filter(|length| (MIN_LOWER_CHARS..=words.len()).contains(length)).find_map(|length| {
            let words = &words[..length];
            let content = words.iter().filter(|word| !is_function_word(word)).count();
            if is_function_word(&words[0]) || content * 2 < length {
                return None;
            }
            let initials: String = words.iter().filter_map(|word| word.chars().next()).collect();
            let digits: String = words.iter().filter_map(|word| digit(word).or(word.chars().next())).collect();
            [initials, digits]
                .into_iter()
                .find(|acronym| self.written.contains(acronym))
                .map(|acronym| (length, acronym))
        })
    }

    /// Number of bytes on the heap.
    pub fn size_bytes(&self) -> usize {
        let titles = self.titles.iter().map(|title| title.len() + size_of::<Box<str>>()).sum::<usize>();
        titles + self.initials.len() + self.written.iter().map(|word| word.len() + size_of::<String>()).sum::<usize>()
    }
}

/// Returns the words that a text writes in capitals, in lower case. A text that is written only in
/// capitals has none.
pub fn capitals(text: &str) -> HashSet<String> {
    if !text.contains(char::is_lowercase) && text.split_whitespace().count() > 1 {
        return HashSet::new();
    }
    let words = text.split(|c: char| !c.is_alphanumeric());
    let is_capital = |word: &&str| word.contains(char::is_uppercase) && !word.contains(char::is_lowercase);
    words.filter(is_capital).map(str::to_lowercase).collect()
}

/// The word itself, and for each digit in it the letters with which that number may begin.
fn initials_of(word: &str) -> impl Iterator<Item = String> + '_ {
    let spelled = |to: &'static str| {
        word.chars()
            .map(move |c| {
                NUMBERS
                    .iter()
                    .find(|(name, digit)| *digit == c && *name == to)
                    .map_or(c, |_| to.chars().next().unwrap_or(c))
            })
            .collect::<String>()
    };
    let names = NUMBERS.iter().filter(|(_, digit)| word.contains(*digit)).map(|(name, _)| *name);
    std::iter::once(word.to_owned()).chain(names.map(spelled))
}

fn stands_for(word: &str, initial: char) -> bool {
    word.starts_with(initial) || digit(word) == Some(initial)
}

fn digit(word: &str) -> Option<char> {
    NUMBERS.iter().find(|(name, _)| *name == word).map(|(_, digit)| *digit)
}
