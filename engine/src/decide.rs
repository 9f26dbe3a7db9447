//! Decides whether to answer, to offer suggestions, or to say that there is no answer.
//!
//! A logistic function turns the signals of a retrieval into the probability that the best entry
//! answers the question. Its weights are fitted on many development sites at once, and validated on
//! sets that were left out (`engine/examples/fit.rs` prints the constants below). An entry that
//! conflicts with what the question names exactly is never given as the answer.

use helpbot_domain::conversation::Outcome;
use serde::Serialize;

use crate::evidence::Conflict;
use crate::normalization::normalize;
use crate::retrieval::{Candidate, Retrieval};
use crate::settings::AnswerPolicy;

/// Maximum number of suggestions.
pub const MAX_SUGGESTIONS: usize = 3;
/// Minimum probability of the best entry for which suggestions are offered. In languages of the multilingual table
/// probabilities are lower, because its last weight is lowered.
const MIN_SUGGESTED_PROBABILITY: f64 = 0.2;
const MIN_SUGGESTED_PROBABILITY_MULTILINGUAL: f64 = 0.025;
/// Minimum score of a suggestion, as a share of the best score.
const MIN_SUGGESTED_SHARE: f64 = 0.6;
/// Distance to the best score that a suggestion may have whatever that score is. Low scores say little about which entry is
/// the best.
const NEAR_SCORE: f64 = 0.1;

/// Cosines of the English and the multilingual table below which a question and an entry have nothing
/// in common. Then a few common words are an accident.
const UNRELATED: f64 = 0.1;
const UNRELATED_MULTILINGUAL: f64 = 0.2;
/// Share of the question's words from which an entry is related whatever the cosine is.
const RELATED_COVERAGE: f64 = 0.6;
const RELATED_COVERAGE_MULTILINGUAL: f64 = 0.85;
/// Number of content words from which more say no more.
const MANY_WORDS: f64 = 8.0;
/// Confidence in an entry whose question the visitor wrote word by word.
const OWN_WORDS: f64 = 0.99;
/// Maximum confidence in any other entry, however well it matches.
const OTHER_WORDS: f64 = 0.985;
/// Threshold when the promise allows no more wrong answers. Only [`OWN_WORDS`] reaches it.
const CLOSED: f64 = 0.99;

/// What is done with a question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// `Answered`, `Suggested` or `Declined`.
    pub outcome: Outcome,
    /// Probability that the best candidate answers the question, 0 to 1.
    pub confidence: f64,
    /// Candidates to offer, as positions in the retrieval. Empty unless the outcome is `Suggested`.
    pub suggested: Vec<usize>,
}

/// Names of the features, in the order of the weights.
pub const FEATURES: [&str; 8] = ["share", "coverage", "lead", "content", "missing", "passage", "small", "one"];

/// Weights of [`FEATURES`].
type Weights = [f64; FEATURES.len()];

/// With the English table.
const ENGLISH: Weights = [3.641, -1.451, 7.129, 1.004, -0.008, 0.156, 2.189, -3.382];
/// With the multilingual table. The last weight is 1.5 lower than the fit, because the sets in these languages
/// have few questions without an answer.
const MULTILINGUAL: Weights = [0.0, -1.375, 15.645, 0.306, -0.015, 1.397, 3.612, -4.399];
/// With words and n-grams alone.
const WORDS: Weights = [1.044, -1.491, 15.12, 1.647, -0.022, 0.216, 3.287, -3.332];

/// Precision of the answers from a probability on: (precision, threshold). It was measured on the
/// English sets and their variants with passages and small sites, each by weights that were fitted on
/// the others, and is lowered by .02 as a margin for a new site.
const PRECISION: [(f64, f64); 10] = [
    (0.409, 0.05),
    (0.508, 0.15),
    (0.606, 0.25),
    (0.676, 0.35),
    (0.751, 0.5),
    (0.794, 0.6),
    (0.839, 0.7),
    (0.881, 0.8),
    (0.922, 0.9),
    (0.97, 0.96),
];

/// Decides about a retrieval under the policy of a site. The same input gives the same decision.
pub fn decide(retrieval: &Retrieval, settings: &AnswerPolicy) -> Decision {
    if retrieval.is_pinned() {
        return Decision { outcome: Outcome::Answered, confidence: 1.0, suggested: Vec::new() };
    }
    let confidence = confidence(retrieval);
    let conflicts =
        retrieval.candidates.first().is_some_and(|best| best.conflict.is_some() || is_accident(retrieval, best));
    let answers = !conflicts && confidence >= threshold(settings);
    let suggested = if answers || !settings.suggests { Vec::new() } else { near(retrieval, confidence) };
    let outcome = match (answers, suggested.is_empty()) {
        (true, _) => Outcome::Answered,
        (false, false) => Outcome::Suggested,
        (false, true) => Outcome::Declined,
    };
    Decision { outcome, confidence, suggested }
}

/// Whether the best entry has a few words of the question and nothing of its meaning.
fn is_accident(retrieval: &Retrieval, best: &Candidate) -> bool {
    let is_multilingual = retrieval.signals.is_some_and(|signals| signals.is_multilingual);
    let (least, enough) = match is_multilingual {
        true => (UNRELATED_MULTILINGUAL, RELATED_COVERAGE_MULTILINGUAL),
        false => (UNRELATED, RELATED_COVERAGE),
    };
    best.semantic.is_some_and(|cosine| cosine < least) && best.coverage < enough
}

/// Returns the confidence from which a site answers its next question: the one at which as many
/// answers are wrong as its promise and the answers that were judged allow.
pub fn threshold(settings: &AnswerPolicy) -> f64 {
    let allowed = settings.judged.allowed(settings.promised());
    if allowed <= 0.0 && settings.judged.answers > 0 { CLOSED } else { threshold_of(1.0 - allowed) }
}

/// Returns the confidence from which this share of the answers is right.
pub fn threshold_of(precision: f64) -> f64 {
    let target = precision.clamp(PRECISION[0].0, PRECISION[PRECISION.len() - 1].0);
    let above = PRECISION.iter().position(|(precision, _)| *precision >= target).unwrap_or(0).max(1);
    let ((low, from), (high, to)) = (PRECISION[above - 1], PRECISION[above]);
    from + (to - from) * (target - low) / (high - low)
}

/// Returns the features of a retrieval in the order of [`FEATURES`], or `None` when it is empty.
pub fn features(retrieval: &Retrieval) -> Option<[f64; FEATURES.len()]> {
    let best = retrieval.candidates.first()?;
    let signals = retrieval.signals?;
    let mass = signals.question_mass;
    Some([
        // Of what the right entry scores on this site.
        best.score / signals.own_level,
        best.coverage,
        signals.lead,
        (signals.content_words as f64).min(MANY_WORDS) / MANY_WORDS,
        (1.0 - best.coverage) * mass,
        f64::from(u8::from(signals.is_passage)),
        // Scores and leads are lower where there are few entries to stand out from.
        1.0 / (signals.entries.max(1) as f64).sqrt(),
        1.0,
    ])
}

/// Returns the name of the weights that a retrieval uses.
pub fn kind(retrieval: &Retrieval) -> &'static str {
    match (retrieval.is_semantic, retrieval.signals.is_some_and(|signals| signals.is_multilingual)) {
        (true, false) => "ENGLISH",
        (true, true) => "MULTILINGUAL",
        (false, _) => "WORDS",
    }
}

fn confidence(retrieval: &Retrieval) -> f64 {
    let Some(features) = features(retrieval) else { return 0.0 };
    if retrieval.candidates[0].score <= 0.0 {
        return 0.0;
    }
    let weights = match kind(retrieval) {
        "ENGLISH" => ENGLISH,
        "MULTILINGUAL" => MULTILINGUAL,
        _ => WORDS,
    };
    let sum: f64 = features.iter().zip(weights).map(|(feature, weight)| feature * weight).sum();
    let confidence = (1.0 / (1.0 + (-sum).exp())).min(OTHER_WORDS);
    let is_own = retrieval.signals.is_some_and(|signals| signals.is_own_words);
    if is_own { OWN_WORDS } else { confidence }
}

fn near(retrieval: &Retrieval, confidence: f64) -> Vec<usize> {
    let has_nothing = retrieval.candidates.first().is_some_and(|best| best.conflict == Some(Conflict::FunctionWords));
    let minimum = match kind(retrieval) {
        "MULTILINGUAL" => MIN_SUGGESTED_PROBABILITY_MULTILINGUAL,
        _ => MIN_SUGGESTED_PROBABILITY,
    };
    if confidence < minimum || has_nothing {
        return Vec::new();
    }
    let best = retrieval.candidates.first().map_or(0.0, |best| best.score);
    let least = (best * MIN_SUGGESTED_SHARE).min(best - NEAR_SCORE);
    let mut titles: Vec<String> = Vec::new();
    let mut places = Vec::new();
    for (place, candidate) in retrieval.candidates.iter().enumerate() {
        let title = suggestion_key(candidate);
        if candidate.score < least || title.is_empty() || titles.contains(&title) {
            continue;
        }
        titles.push(title);
        places.push(place);
        if places.len() == MAX_SUGGESTIONS {
            break;
        }
    }
    places
}

/// Equal for suggestions that a visitor reads as the same.
fn suggestion_key(candidate: &Candidate) -> String {
    let title = normalize(candidate.chunk.title());
    title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
