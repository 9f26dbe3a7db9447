//! Places in a question: the noun after a preposition of direction, as in "ship to the moon".

use crate::normalization::normalize;

/// Prepositions of direction and place, in the languages in which countries are known.
const PREPOSITIONS: [&str; 9] = ["to", "into", "nach", "vers", "hacia", "in", "auf", "zum", "zur"];
/// Words between a preposition and its noun.
const ARTICLES: [&str; 14] =
    ["the", "a", "an", "my", "der", "die", "das", "den", "dem", "mein", "la", "le", "les", "el"];
/// Minimum length of the noun, in characters.
const MIN_CHARS: usize = 3;

/// Returns the last words of a question that follow a preposition of direction and an article, or
/// begin with a capital. Only the end of a question names its destination.
pub fn named_after_preposition(question: &str) -> Vec<String> {
    let written: Vec<&str> = question.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let words: Vec<String> = written.iter().map(|word| normalize(word)).collect();
    let Some(last) = words.last().filter(|last| last.chars().count() >= MIN_CHARS) else { return Vec::new() };
    let before = words.len().checked_sub(2).map(|at| words[at].as_str());
    let two_before = words.len().checked_sub(3).map(|at| words[at].as_str());
    let is_preposition = |word: Option<&str>| word.is_some_and(|word| PREPOSITIONS.contains(&word));
    let has_article = before.is_some_and(|word| ARTICLES.contains(&word)) && is_preposition(two_before);
    let is_name = is_preposition(before) && written.last().is_some_and(|word| word.starts_with(char::is_uppercase));
    if has_article || is_name { vec![last.clone()] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_the_noun_at_the_end() {
        assert_eq!(named_after_preposition("Can you send it to the island?"), ["island"]);
        assert_eq!(named_after_preposition("Liefern Sie nach Atlantis?"), ["atlantis"]);
        assert!(named_after_preposition("How do I log in to pay?").is_empty());
    }
}
