//! Questions that follow up an earlier one: "and on Sundays?", "how much is it?".
//!
//! A question that opens like a continuation is searched together with the earlier questions. So is
//! a short question that finds nothing, or several entries equally well, alone. Then only an entry
//! that matches the question itself may answer, so that a new subject is not answered with the old
//! one.

use crate::ask::{Ask, Exchange};
use crate::decide;
use crate::external_embeddings::QuestionVectors;
use crate::index::{Earlier, Index};
use crate::long_question;
use crate::normalization;
use crate::retrieval::Retrieval;

/// Maximum number of words of a question that needs an earlier one.
const MAX_LEANING_WORDS: usize = 7;
/// Maximum number of words of an earlier question that needs the one before it.
const MAX_SHORT_WORDS: usize = 3;
/// Confidence from which a question needs no earlier one.
const SURE: f64 = 0.8;
/// Distance of scores below which two entries match equally well.
const TIE: f64 = 0.05;
/// Weights of the words of earlier questions, the latest first.
const WEIGHTS: [f32; 3] = [0.5, 0.4, 0.3];

/// Pairs of words with which a continuation opens, in normalized form.
const OPENINGS: [&str; 17] = [
    "what about",
    "how about",
    "what if",
    "same for",
    "wie sieht",
    "was wenn",
    "qu'en est",
    "et pour",
    "qué tal",
    "y para",
    "e per",
    "e para",
    "hoe zit",
    "wat als",
    "a co",
    "ماذا عن",
    "ya da",
];
/// Words with which a continuation opens.
const CONJUNCTIONS: [&str; 28] = [
    "and", "but", "also", "then", "or", "und", "oder", "aber", "et", "mais", "ou", "y", "e", "ed", "pero", "en", "och",
    "og", "eller", "ja", "a", "i", "и", "а", "ve", "peki", "و", "और",
];
/// Words that refer to something that was mentioned before.
const PRONOUNS: [&str; 20] = [
    "it", "its", "that", "this", "they", "them", "those", "these", "one", "there", "das", "dies", "dafür", "davon",
    "ça", "cela", "eso", "esto", "quello", "isso",
];

/// Searches for a question, alone or together with earlier questions of the session.
pub(crate) fn retrieve(index: &Index, ask: &Ask, vectors: Option<&QuestionVectors>) -> Retrieval {
    let alone = vectors.map(|vectors| (&vectors.alone, &vectors.scale));
    let together = vectors.and_then(|vectors| Some((vectors.together.as_ref()?, &vectors.scale)));
    let alone = index.search(&ask.question, &[], alone);
    let alone = long_question::retrieve(index, &ask.question, &ask.settings, alone);
    let earlier = earlier(&ask.history);
    if earlier.is_empty() || alone.word_count > MAX_LEANING_WORDS || !alone.rules.is_empty() {
        return alone;
    }
    let sure = decide::decide(&alone, &ask.settings).confidence;
    let continues = opens_as_continuation(&ask.question);
    let is_tied = alone.candidates.get(1).is_some_and(|second| alone.candidates[0].score - second.score < TIE);
    if sure >= SURE && !continues && !is_tied {
        return alone;
    }
    let together = index.search(&ask.question, &earlier, together);
    if continues {
        return together;
    }
    let best = together.candidates.first();
    let itself = best.and_then(|best| alone.candidates.iter().find(|own| own.chunk.id == best.chunk.id));
    if is_tied && sure >= SURE {
        // The earlier questions only choose between entries that match equally well.
        let is_among = itself.is_some_and(|own| alone.candidates[0].score - own.score < TIE);
        return if is_among { together } else { alone };
    }
    let touches = itself.is_some_and(|own| index.shares_content(own, &ask.question));
    let is_better = decide::decide(&together, &ask.settings).confidence > sure;
    if is_better && (touches || has_pronoun(&ask.question)) { together } else { alone }
}

/// The latest question and, as long as each is a follow-up itself, the ones before it.
fn earlier(history: &[Exchange]) -> Vec<Earlier<'_>> {
    let mut earlier = Vec::new();
    for (exchange, weight) in history.iter().rev().zip(WEIGHTS) {
        earlier.push(Earlier { question: &exchange.question, weight });
        let words = exchange.question.split_whitespace().count();
        if !opens_as_continuation(&exchange.question) && words > MAX_SHORT_WORDS {
            break;
        }
    }
    earlier
}

fn opens_as_continuation(question: &str) -> bool {
    let text = normalization::normalize(question);
    let mut words = text.split(|c: char| !(c.is_alphanumeric() || c == '\'')).filter(|word| !word.is_empty());
    let Some(first) = words.next() else { return false };
    if CONJUNCTIONS.contains(&first) {
        return true;
    }
    let two = words.next().map(|second| format!("{first} {second}"));
    two.is_some_and(|two| OPENINGS.contains(&two.as_str()))
}

fn has_pronoun(question: &str) -> bool {
    let text = normalization::normalize(question);
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    words.any(|word| PRONOUNS.contains(&word))
}
