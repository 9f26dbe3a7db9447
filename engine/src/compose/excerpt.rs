//! Takes the part of a text that answers, in whole sentences, items and code blocks.

use std::collections::HashMap;

use crate::index::Index;
use crate::markdown::{self, Unit};
use crate::retrieval::Candidate;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// Whole units of the text, or of a single endless one its first clauses.
    pub text: String,
    /// Whether something was left out.
    pub is_cut: bool,
}

/// The beginning of a text, at most `budget` characters.
pub(super) fn leading(text: &str, budget: usize) -> Excerpt {
    if text.chars().count() <= budget {
        return Excerpt { text: text.trim().to_owned(), is_cut: false };
    }
    let units = markdown::units(text);
    window(&units, 0, budget)
}

/// The run of sentences of `text`, the candidate's, that has most of the question's words, at most
/// `budget` characters.
pub(super) fn matching(index: &Index, question: &str, candidate: &Candidate, text: &str, budget: usize) -> Excerpt {
    if text.chars().count() <= budget {
        return Excerpt { text: text.trim().to_owned(), is_cut: false };
    }
    let units = markdown::units(text);
    let wanted: HashMap<String, f32> = index.weighted_words(candidate, question).into_iter().collect();
    let weights: Vec<f32> = units.iter().map(|unit| weight(index, candidate, &wanted, &unit.text)).collect();
    let mut best = (0, 0.0);
    for start in 0..units.len() {
        let length = fitting(&units[start..], budget);
        let sum: f32 = weights[start..start + length].iter().sum();
        // A later start must earn its place: readers begin at the beginning.
        if sum > best.1 * 1.05 {
            best = (start, sum);
        }
    }
    let leads = best.0 > 0 && units[best.0 - 1].leads;
    window(&units, best.0 - usize::from(leads), budget)
}

/// The weight of the wanted words in a unit, each counted once.
fn weight(index: &Index, candidate: &Candidate, wanted: &HashMap<String, f32>, text: &str) -> f32 {
    let mut words: Vec<String> = index.weighted_words(candidate, text).into_iter().map(|(word, _)| word).collect();
    words.sort_unstable();
    words.dedup();
    words.iter().filter_map(|word| wanted.get(word)).sum()
}

fn window(units: &[Unit], start: usize, budget: usize) -> Excerpt {
    let mut length = fitting(&units[start..], budget);
    while length > 1 && units[start + length - 1].leads {
        length -= 1;
    }
    if length == 0 {
        let text = units.get(start).map(|unit| clauses(&unit.text, budget)).unwrap_or_default();
        return Excerpt { text, is_cut: true };
    }
    let is_cut = start > 0 || start + length < units.len();
    Excerpt { text: markdown::join(&units[start..start + length]), is_cut }
}

/// How many units from the first on fit.
fn fitting(units: &[Unit], budget: usize) -> usize {
    let mut used = 0;
    let fits = |unit: &&Unit| {
        used += unit.text.chars().count() + unit.gap.len();
        // The first unit's gap is not written.
        used <= budget + 2
    };
    units.iter().take_while(fits).count()
}

/// The beginning of a unit that alone is too long: text without a full stop, or endless code. Cut
/// after a clause, else between words, and marked as cut.
fn clauses(unit: &str, budget: usize) -> String {
    let end = unit.char_indices().nth(budget.saturating_sub(1)).map_or(unit.len(), |(at, _)| at);
    let head = &unit[..end];
    let mark = [";", ":", ",", "\n", "、", "，"].iter().filter_map(|mark| head.rfind(mark)).max();
    let cut = mark.filter(|at| *at > end / 2).or_else(|| head.rfind(' ')).unwrap_or(end);
    let mut text = format!("{}…", head[..cut].trim_end());
    if unit.starts_with("```") {
        text.push_str("\n```");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leading_excerpt_ends_with_a_sentence() {
        let text = "One is here. Two follows it. Three is the last of all sentences.";

        let excerpt = leading(text, 35);

        assert_eq!(excerpt, Excerpt { text: "One is here. Two follows it.".to_owned(), is_cut: true });
        assert!(!leading(text, 900).is_cut);
    }

    #[test]
    fn a_line_that_announces_a_list_does_not_stand_alone_at_the_end() {
        let text = format!("It works. You need:\n\n- {}\n- b", "a".repeat(60));

        assert_eq!(leading(&text, 40).text, "It works.");
    }

    #[test]
    fn endless_text_is_cut_between_words_and_marked() {
        let text = "word ".repeat(100);

        let excerpt = leading(&text, 50);

        assert!(excerpt.text.ends_with("word…") && excerpt.text.chars().count() <= 50);
    }
}
