//! Filters the text of a model while it streams: images, HTML, addresses that retrieval did not
//! return, citations of passages that were not given, invisible characters. The same filter runs at
//! the end of the text.

use std::collections::{BTreeSet, HashSet};

use crate::normalization::{is_bigram_char, is_invisible};

/// Maximum number of bytes that are held back while a bracket, tag or address is open. A longer one
/// is not a real link, and is shown as plain text or not at all.
const MAX_HELD_BYTES: usize = 2048;
/// The start of an address in any position. Pages make a link of it even when it directly follows a
/// word, as in scripts without spaces.
const ADDRESS_STARTS: [&str; 2] = ["http://", "https://"];
/// The start of an address at the beginning of a word. Inside a word it is only letters.
const WORD_START: &str = "www.";

/// The filter of one answer.
#[derive(Debug)]
pub(crate) struct Sanitizer {
    held: String,
    addresses: HashSet<String>,
    passages: usize,
    cited: BTreeSet<usize>,
    last: char,
    /// The last characters that were shown, in lower case. Two pieces must not form an address when
    /// something between them is removed.
    shown: String,
}

/// The next step for the held text.
enum FilterStep {
    /// Show this text, and skip this number of bytes.
    Take(String, usize),
    /// Like `Take`, for an address that is known.
    Known(String, usize),
    /// Wait for more text.
    Hold,
}

impl Sanitizer {
    /// Creates a filter that allows citations of `1..=passages` and links to these addresses.
    pub(crate) fn new(addresses: HashSet<String>, passages: usize) -> Self {
        Self { held: String::new(), addresses, passages, cited: BTreeSet::new(), last: ' ', shown: String::new() }
    }

    /// Adds a piece, and returns the text that can be shown.
    pub(crate) fn push(&mut self, delta: &str) -> String {
        let kept = |c: &char| matches!(c, '\n' | '\t') || !(c.is_control() || is_invisible(*c));
        self.held.extend(delta.chars().filter(kept));
        self.drain(false)
    }

    /// Returns the rest of the text that can be shown.
    pub(crate) fn finish(&mut self) -> String {
        self.drain(true)
    }

    /// Returns the passages that were cited so far, counted from 1.
    pub(crate) fn cited(&self) -> &BTreeSet<usize> {
        &self.cited
    }

    fn drain(&mut self, is_end: bool) -> String {
        let held = std::mem::take(&mut self.held);
        let mut out = String::new();
        let mut at = 0;
        while at < held.len() {
            let rest = &held[at..];
            // At the end of the text, the filter decides without waiting.
            let waits = !is_end && rest.len() < MAX_HELD_BYTES;
            match self.step(rest, waits) {
                FilterStep::Take(text, length) => {
                    self.last = rest[..length].chars().next_back().unwrap_or(self.last);
                    text.chars().for_each(|c| self.show(c, &mut out));
                    at += length;
                }
                FilterStep::Known(text, length) => {
                    self.last = rest[..length].chars().next_back().unwrap_or(self.last);
                    self.shown.clear();
                    out.push_str(&text);
                    at += length;
                }
                FilterStep::Hold => break,
            }
        }
        held[at..].clone_into(&mut self.held);
        out
    }

    /// Shows a character, or a space when the character would complete the start of an address.
    fn show(&mut self, c: char, out: &mut String) {
        /// Longer than the longest start of an address, with the character before it.
        const KEPT: usize = 9;
        self.shown.extend(c.to_lowercase());
        let is_word = |before: &str| !before.ends_with(char::is_alphanumeric);
        let begins = ADDRESS_STARTS.iter().any(|start| self.shown.ends_with(start))
            || self.shown.strip_suffix(WORD_START).is_some_and(is_word);
        if begins {
            self.shown.clear();
        }
        if let Some((at, _)) = self.shown.char_indices().nth_back(KEPT) {
            self.shown.drain(..at);
        }
        out.push(if begins { ' ' } else { c });
    }

    fn step(&mut self, rest: &str, waits: bool) -> FilterStep {
        let first = rest.chars().next().unwrap_or_default();
        match first {
            '!' if rest.len() == 1 && waits => FilterStep::Hold,
            '!' if rest.starts_with("![") => match self.bracket(&rest[1..], waits) {
                FilterStep::Take(text, length) | FilterStep::Known(text, length) => {
                    FilterStep::Take(plain_label(&text), length + 1)
                }
                FilterStep::Hold => FilterStep::Hold,
            },
            '[' => self.bracket(rest, waits),
            '<' => self.tag(rest, waits),
            'h' | 'H' | 'w' | 'W' => self.address(rest, first, waits),
            _ => FilterStep::Take(first.to_string(), first.len_utf8()),
        }
    }

    /// Handles `[label](address)`, `[1]` and other brackets.
    fn bracket(&mut self, rest: &str, waits: bool) -> FilterStep {
        let Some(close) = rest.find(']') else {
            return if waits { FilterStep::Hold } else { FilterStep::Take(String::new(), 1) };
        };
        let label = &rest[1..close];
        let after = &rest[close + 1..];
        if after.is_empty() && waits {
            return FilterStep::Hold;
        }
        if let Some(target) = after.strip_prefix('(') {
            let Some(end) = target.find(')') else {
                return if waits { FilterStep::Hold } else { FilterStep::Take(plain_label(label), rest.len()) };
            };
            let address = target[..end].split_whitespace().next().unwrap_or_default();
            let label = plain_label(label);
            let is_known = self.addresses.contains(address);
            let length = close + end + 3;
            return if is_known {
                FilterStep::Known(format!("[{label}]({address})"), length)
            } else {
                FilterStep::Take(label, length)
            };
        }
        match numbers(label) {
            Some(numbers) => FilterStep::Take(self.citations(&numbers), close + 1),
            None => FilterStep::Take(format!("({})", plain_label(label)), close + 1),
        }
    }

    fn citations(&mut self, numbers: &[usize]) -> String {
        let known = numbers.iter().filter(|number| (1..=self.passages).contains(*number));
        let known: Vec<usize> = known.copied().collect();
        self.cited.extend(&known);
        known.iter().map(|number| format!("[{number}]")).collect()
    }

    /// Removes an HTML tag or an address in angle brackets. A "less than" sign stays.
    fn tag(&mut self, rest: &str, waits: bool) -> FilterStep {
        let Some(next) = rest[1..].chars().next() else {
            return if waits { FilterStep::Hold } else { FilterStep::Take("<".to_owned(), 1) };
        };
        if !(next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?')) {
            return FilterStep::Take("<".to_owned(), 1);
        }
        match rest.find('>') {
            Some(end) => FilterStep::Take(String::new(), end + 1),
            None if waits => FilterStep::Hold,
            None => FilterStep::Take(String::new(), 1),
        }
    }

    /// Shows an address only when it is known.
    fn address(&mut self, rest: &str, first: char, waits: bool) -> FilterStep {
        let starts = |start: &&str| {
            let length = start.len().min(rest.len());
            rest.as_bytes()[..length].eq_ignore_ascii_case(&start.as_bytes()[..length])
        };
        let at_word = (!self.last.is_alphanumeric()).then_some(WORD_START);
        let Some(start) = ADDRESS_STARTS.into_iter().chain(at_word).find(starts) else {
            return FilterStep::Take(first.to_string(), first.len_utf8());
        };
        let end = rest.find(ends_address);
        if end.is_none() && waits {
            return FilterStep::Hold;
        }
        let word = &rest[..end.unwrap_or(rest.len())];
        if word.len() < start.len() {
            return FilterStep::Take(first.to_string(), first.len_utf8());
        }
        let address = word.trim_end_matches(['.', ',', ';', ':', '!', '?']);
        if !self.addresses.contains(address) {
            return FilterStep::Take(word[address.len()..].to_owned(), word.len());
        }
        // Without the space, the characters that follow would be read as a part of the address.
        let is_glued = rest[word.len()..].starts_with(is_unspaced);
        FilterStep::Known(if is_glued { format!("{word} ") } else { word.to_owned() }, word.len())
    }
}

/// Whether an address ends here: at a space, at a closing mark, or where a script without spaces
/// continues.
fn ends_address(c: char) -> bool {
    c.is_whitespace() || matches!(c, ')' | ']' | '>' | '"' | '<') || is_unspaced(c)
}

/// Characters of scripts without spaces, and their punctuation. Their period would count as a dot
/// of a host name.
fn is_unspaced(c: char) -> bool {
    is_bigram_char(c) || matches!(u32::from(c), 0x3000..=0x303F | 0xFF00..=0xFFEF)
}

/// Returns a label that cannot open a link, tag or address.
fn plain_label(label: &str) -> String {
    let words = label.split(' ').filter(|word| !word.contains("://") && !word.starts_with("www."));
    words.collect::<Vec<_>>().join(" ").replace(['[', ']', '<', '>', '!'], "")
}

fn numbers(label: &str) -> Option<Vec<usize>> {
    label.split(',').map(|part| part.trim().trim_start_matches('^').parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "See [our page](https://a.example/x) [1] and [more](https://evil.example/?q=1) [7].\n\
        ![pixel](https://evil.example/p.png) <img src=x onerror=alert(1)> https://evil.example/a. \
        5 < 6 [note] www.evil.example [2, 9] https://a.example/x, done\u{202E}";
    const CLEAN: &str = "See [our page](https://a.example/x) [1] and more .\n\
        pixel  . \
        5 < 6 (note)  [2] https://a.example/x, done";

    fn sanitizer() -> Sanitizer {
        Sanitizer::new(HashSet::from(["https://a.example/x".to_owned()]), 2)
    }

    #[test]
    fn only_known_links_and_citations_remain() {
        let mut sanitizer = sanitizer();

        let text = sanitizer.push(HOSTILE) + &sanitizer.finish();

        assert_eq!(text, CLEAN);
        assert_eq!(sanitizer.cited(), &BTreeSet::from([1, 2]));
    }

    #[test]
    fn the_pieces_do_not_matter() {
        for size in 1..20 {
            let mut sanitizer = sanitizer();
            let characters: Vec<char> = HOSTILE.chars().collect();
            let mut text = String::new();
            for piece in characters.chunks(size) {
                text += &sanitizer.push(&piece.iter().collect::<String>());
            }
            text += &sanitizer.finish();
            assert_eq!(text, CLEAN, "pieces of {size}");
        }
    }

    #[test]
    fn an_address_glued_to_a_word_is_an_address() {
        for (hostile, clean) in [
            ("詳しくはhttps://evil.example/をご覧ください。", "詳しくはをご覧ください。"),
            ("详情请见HTTP://evil.example。谢谢", "详情请见。谢谢"),
            ("seehttps://evil.example/x, please", "see, please"),
            ("xhhttps://evil.example/x", "xh"),
            ("詳しくはhttps://a.example/xをご覧", "詳しくはhttps://a.example/x をご覧"),
            ("詳しくはhttps://a.example/x。evil.example", "詳しくはhttps://a.example/x 。evil.example"),
            ("awww. the worldwide web, hi", "awww. the worldwide web, hi"),
        ] {
            for size in 1..12 {
                let mut sanitizer = sanitizer();
                let characters: Vec<char> = hostile.chars().collect();
                let pieces = characters.chunks(size).map(|piece| sanitizer.push(&piece.iter().collect::<String>()));
                let text = pieces.collect::<String>();

                assert_eq!(text + &sanitizer.finish(), clean, "pieces of {size}");
            }
        }
    }

    #[test]
    fn what_falls_away_joins_nothing_to_an_address() {
        for hostile in
            ["ht<b>tps://evil.example", "https:[9]//evil.example", "ht![]()tp://evil.example", "www<i>.evil.example"]
        {
            let mut sanitizer = sanitizer();

            let text = sanitizer.push(hostile) + &sanitizer.finish();

            assert!(!text.contains("://") && !text.contains("www."), "{hostile} became {text}");
        }
    }

    #[test]
    fn an_endless_bracket_is_not_waited_for() {
        let mut sanitizer = sanitizer();

        let text = sanitizer.push(&format!("[{}", "a".repeat(5000)));

        assert!(text.len() > 4000);
    }
}
