//! Questions that tell a story before they ask: one clause of them is the question.
//!
//! Called by `follow_up.rs` when the whole question finds nothing certain. Each clause is searched
//! alone, and the one with the highest confidence is used.

use crate::decide;
use crate::index::Index;
use crate::retrieval::Retrieval;
use crate::settings::AnswerPolicy;

/// Number of words from which a question is taken apart.
const MIN_WORDS: usize = 20;
/// Minimum number of words in a clause.
const MIN_CLAUSE_WORDS: usize = 4;
/// Maximum number of clauses that are searched, counted from the end, where the question usually is.
const MAX_CLAUSES: usize = 6;
/// Words that begin a clause without punctuation before them.
const CONJUNCTIONS: [&str; 12] =
    ["so", "but", "whether", "because", "if", "aber", "ob", "weil", "mais", "donc", "pero", "entonces"];

/// Returns the result of the best clause, or `whole` when no clause is more certain.
pub(crate) fn retrieve(index: &Index, question: &str, policy: &AnswerPolicy, whole: Retrieval) -> Retrieval {
    // The owner has ruled about the whole question.
    if whole.word_count < MIN_WORDS || !whole.rules.is_empty() {
        return whole;
    }
    let confidence = |retrieval: &Retrieval| decide::decide(retrieval, policy).confidence;
    let mut best = (confidence(&whole), whole);
    for clause in clauses(question).iter().rev().take(MAX_CLAUSES) {
        let found = index.search(clause, &[], None);
        let sure = confidence(&found);
        if sure > best.0 {
            best = (sure, Retrieval { question: question.to_owned(), ..found });
        }
    }
    best.1
}

fn clauses(question: &str) -> Vec<String> {
    let mut clauses = vec![Vec::new()];
    for word in question.split_whitespace() {
        let plain = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        if CONJUNCTIONS.contains(&plain.as_str()) {
            clauses.push(Vec::new());
        }
        clauses.last_mut().map(|clause| clause.push(word)).unwrap_or_default();
        if word.ends_with(['.', ',', ';', ':', '?', '!']) {
            clauses.push(Vec::new());
        }
    }
    let long = clauses.iter().filter(|clause| clause.len() >= MIN_CLAUSE_WORDS);
    long.map(|clause| clause.join(" ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_is_split_at_punctuation_and_conjunctions() {
        let clauses = clauses("Hi, we flew in last night and it rained, so can we still check in after ten?");

        assert_eq!(clauses, ["we flew in last night and it rained,", "so can we still check in after ten?"]);
    }
}
