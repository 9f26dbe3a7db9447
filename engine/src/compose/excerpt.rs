//! Takes the part of a text that answers a question, in whole sentences, list items, table rows and
//! code blocks.
//!
//! The sentence with the most important words of the question is always part of the excerpt. A row
//! of a table is shown with the header of the table.

use std::collections::{HashMap, HashSet};

use crate::index::Index;
use crate::markdown::{self, Unit};
use crate::retrieval::Candidate;

/// How much more a sentence must match than the first one, to begin with it. Readers prefer the
/// beginning of a text.
const LEAD: f32 = 1.05;
/// Share of the best row's weight from which other rows of a table are shown with it.
const ROW_SHARE: f32 = 0.9;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// Whole units of the text, or the first clauses of a single unit that is too long.
    pub text: String,
    /// Whether something was left out.
    pub is_cut: bool,
}

/// Returns the beginning of a text, at most `budget` characters.
pub(super) fn leading(text: &str, budget: usize) -> Excerpt {
    match whole(text, budget) {
        Some(whole) => whole,
        None => window(&markdown::units(text), 0, budget),
    }
}

/// Returns the part of `text`, the text of the candidate, that matches the question best, at most
/// `budget` characters. It begins at the start of the text if the best sentence is within reach.
pub(super) fn matching(index: &Index, question: &str, candidate: &Candidate, text: &str, budget: usize) -> Excerpt {
    if let Some(whole) = whole(text, budget) {
        return whole;
    }
    let units = markdown::units(text);
    let weights = weights(index, question, candidate, &units);
    let Some(best) = best_unit(&units, &weights) else { return window(&units, 0, budget) };
    if units[best].table_header.is_some() {
        return rows(&units, &weights, best, budget);
    }
    if best < fitting(&units, budget) {
        return window(&units, 0, budget);
    }
    // From the start of the paragraph of the best sentence, if both fit.
    let paragraph = (0..=best).rev().find(|at| units[*at].gap == "\n\n").unwrap_or(best);
    let start = if best < paragraph + fitting(&units[paragraph..], budget) { paragraph } else { best };
    let leads = start > 0 && units[start - 1].leads;
    window(&units, start - usize::from(leads), budget)
}

fn whole(text: &str, budget: usize) -> Option<Excerpt> {
    (text.chars().count() <= budget).then(|| Excerpt { text: text.trim().to_owned(), is_cut: false })
}

/// Weight of each unit: the question's content words in it, by how rare they are on the site and in
/// this text. A row of a table counts with its header.
pub(super) fn weights(index: &Index, question: &str, candidate: &Candidate, units: &[Unit]) -> Vec<f32> {
    let wanted: HashMap<String, f32> = index.content_words(candidate, question).into_iter().collect();
    let found: Vec<HashSet<String>> = units
        .iter()
        .map(|unit| {
            let header = unit.table_header.as_deref().unwrap_or_default();
            let words = index.weighted_words(candidate, &format!("{header}\n{}", unit.text));
            words.into_iter().map(|(word, _)| word).filter(|word| wanted.contains_key(word)).collect()
        })
        .collect();
    let rarity = |word: &String| {
        let with = found.iter().filter(|words| words.contains(word)).count();
        (1.0 + units.len() as f32 / with.max(1) as f32).ln()
    };
    let rarity: HashMap<&String, f32> = wanted.iter().map(|(word, idf)| (word, idf * rarity(word))).collect();
    let weight = |(words, unit): (&HashSet<String>, &Unit)| {
        // The header of a table is shown with its rows and answers nothing alone.
        if unit.leads { 0.0 } else { words.iter().filter_map(|word| rarity.get(word)).sum() }
    };
    found.iter().zip(units).map(weight).collect()
}

/// The first of the best units. `None` when no other is better than the first unit.
pub(super) fn best_unit(units: &[Unit], weights: &[f32]) -> Option<usize> {
    let mut best = (0, weights.first().copied().unwrap_or_default() * LEAD);
    for (at, weight) in weights.iter().enumerate().skip(1) {
        if *weight > best.1 {
            best = (at, *weight);
        }
    }
    (best.0 > 0 && best.0 < units.len()).then_some(best.0)
}

/// The rows of a table that match like the best one, below the header of the table.
fn rows(units: &[Unit], weights: &[f32], best: usize, budget: usize) -> Excerpt {
    let header = units[best].table_header.as_deref().unwrap_or_default();
    let mut text = header.to_owned();
    // Rows follow their header in the form in which the page has them.
    let gap = if header.contains('\n') { "\n" } else { "\n\n" };
    for (unit, weight) in units.iter().zip(weights) {
        let is_row = unit.table_header.as_deref() == Some(header) && *weight >= ROW_SHARE * weights[best];
        if is_row && text.chars().count() + unit.text.chars().count() + gap.len() <= budget {
            text.push_str(gap);
            text.push_str(&unit.text);
        }
    }
    Excerpt { text, is_cut: true }
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

/// Number of units from the first one that fit.
fn fitting(units: &[Unit], budget: usize) -> usize {
    let mut used = 0;
    let fits = |unit: &&Unit| {
        used += unit.text.chars().count() + unit.gap.len();
        // The gap of the first unit is not written.
        used <= budget + 2
    };
    units.iter().take_while(fits).count()
}

/// The beginning of a unit that is too long: text without a period, or long code. It ends after a
/// clause or between words, and with an ellipsis.
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
    fn a_line_that_introduces_a_list_is_not_the_end_of_an_excerpt() {
        let text = format!("It works. You need:\n\n- {}\n- b", "a".repeat(60));

        assert_eq!(leading(&text, 40).text, "It works.");
    }

    #[test]
    fn long_text_without_sentences_ends_between_words_with_an_ellipsis() {
        let text = "word ".repeat(100);

        let excerpt = leading(&text, 50);

        assert!(excerpt.text.ends_with("word…") && excerpt.text.chars().count() <= 50);
    }
}
