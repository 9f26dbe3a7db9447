//! Questions that lean on the one before: "and on Sundays?", "how much is it?".
//!
//! A question that opens like a continuation is searched together with the earlier one. A short
//! one that finds nothing alone is too, but then only an entry that it touches itself may answer:
//! a new subject must not be answered with the old one.

use crate::ask::Ask;
use crate::decide;
use crate::external_embeddings::QuestionVectors;
use crate::index::Index;
use crate::normalization;
use crate::retrieval::Retrieval;

/// More words than this stand on their own.
const MAX_LEANING_WORDS: usize = 7;
/// A leaning question that finds this much alone is not leaning.
const SURE: f64 = 0.8;

/// Pairs of words with which a continuation opens, in normalised form.
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
/// Opening words that need no second one to show that something came before.
const CONJUNCTIONS: [&str; 28] = [
    "and", "but", "also", "then", "or", "und", "oder", "aber", "et", "mais", "ou", "y", "e", "ed", "pero", "en", "och",
    "og", "eller", "ja", "a", "i", "и", "а", "ve", "peki", "و", "और",
];
/// Words that stand for something said before.
const PRONOUNS: [&str; 20] = [
    "it", "its", "that", "this", "they", "them", "those", "these", "one", "there", "das", "dies", "dafür", "davon",
    "ça", "cela", "eso", "esto", "quello", "isso",
];

/// What a question finds, alone or with the last one of the session.
pub(crate) fn retrieve(index: &Index, ask: &Ask, meaning: Option<&QuestionVectors>) -> Retrieval {
    let alone = meaning.map(|meaning| (&meaning.alone, &meaning.scale));
    let together = meaning.and_then(|meaning| Some((meaning.together.as_ref()?, &meaning.scale)));
    let alone = index.retrieve_by(&ask.question, None, alone);
    let Some(earlier) = ask.history.last().filter(|_| alone.word_count <= MAX_LEANING_WORDS) else {
        return alone;
    };
    let sure = decide::decide(&alone, &ask.settings).confidence;
    if sure >= SURE {
        return alone;
    }
    let together = index.retrieve_by(&ask.question, Some(&earlier.question), together);
    if opens_as_continuation(&ask.question) {
        return together;
    }
    let touches = together.candidates.first().is_some_and(|best| {
        let itself = alone.candidates.iter().find(|own| own.chunk.id == best.chunk.id);
        itself.is_some_and(|own| own.lexical > 0.0)
    });
    let is_better = decide::decide(&together, &ask.settings).confidence > sure;
    if is_better && (touches || has_pronoun(&ask.question)) { together } else { alone }
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
