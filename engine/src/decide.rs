//! Answer, suggest or decline: from scores to a calibrated probability to one of three outcomes.
//!
//! The probability is that the best entry answers the question, fitted on the development sets
//! (`examples/fit.rs` prints the constants below). It rests on the best entry's absolute score alone:
//! the gap to the next would sharpen it, but makes a second entry for the same question a reason
//! for silence, and tells answerable questions from others worse. A question near an entry but without one of
//! its own is what scores can't tell apart; the middle outcome is for those.

use helpbot_domain::conversation::Outcome;
use serde::Serialize;

use crate::retrieval::Retrieval;
use crate::settings::AnswerPolicy;

/// Most entries offered instead of an answer.
pub const MAX_SUGGESTIONS: usize = 3;
/// Below this probability not even a suggestion is honest.
const MIN_SUGGESTED_PROBABILITY: f64 = 0.2;
/// A suggestion's score is at least this share of the best one's.
const MIN_SUGGESTED_SHARE: f64 = 0.6;

/// What to do with a question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// `Answered`, `Suggested` or `Declined`.
    pub outcome: Outcome,
    /// The probability that the best candidate answers the question, 0 to 1.
    pub confidence: f64,
    /// Candidates to offer, as places in the retrieval; empty unless suggested.
    pub suggested: Vec<usize>,
}

/// What the decision rests on, in the order of the weights.
pub const FEATURES: [&str; 2] = ["score", "one"];

/// Weights of [`FEATURES`].
type Weights = [f64; FEATURES.len()];

/// With the semantic channel.
const BOTH: Weights = [7.620, -3.031];
/// Words and n-grams alone.
const LEXICAL_ONLY: Weights = [7.752, -2.896];

/// Precision among the answers given from a probability on, as measured: (precision, threshold).
/// Both channels and words alone differ by less than .03.
const PRECISION: [(f64, f64); 10] = [
    (0.47, 0.05),
    (0.525, 0.15),
    (0.59, 0.25),
    (0.67, 0.35),
    (0.7, 0.4),
    (0.75, 0.5),
    (0.8, 0.6),
    (0.865, 0.7),
    (0.915, 0.8),
    (0.95, 0.9),
];

/// The outcome for a retrieval under a site's settings. Pure, and deterministic.
pub fn decide(retrieval: &Retrieval, settings: &AnswerPolicy) -> Decision {
    let confidence = confidence(retrieval);
    let answers = confidence >= threshold(settings.target_precision);
    let suggested = if answers || !settings.suggests { Vec::new() } else { near(retrieval, confidence) };
    let outcome = match (answers, suggested.is_empty()) {
        (true, _) => Outcome::Answered,
        (false, false) => Outcome::Suggested,
        (false, true) => Outcome::Declined,
    };
    Decision { outcome, confidence, suggested }
}

/// The probability from which on a site with this target answers.
pub fn threshold(target_precision: f64) -> f64 {
    let target = target_precision.clamp(PRECISION[0].0, PRECISION[PRECISION.len() - 1].0);
    let above = PRECISION.iter().position(|(precision, _)| *precision >= target).unwrap_or(0).max(1);
    let ((low, from), (high, to)) = (PRECISION[above - 1], PRECISION[above]);
    from + (to - from) * (target - low) / (high - low)
}

/// The features of a retrieval in the order of [`FEATURES`]; none when it is empty.
pub fn features(retrieval: &Retrieval) -> Option<[f64; FEATURES.len()]> {
    let best = retrieval.candidates.first()?;
    Some([best.score, 1.0])
}

fn confidence(retrieval: &Retrieval) -> f64 {
    let Some(features) = features(retrieval) else { return 0.0 };
    if retrieval.candidates[0].score <= 0.0 {
        return 0.0;
    }
    let weights = if retrieval.is_semantic { BOTH } else { LEXICAL_ONLY };
    let sum: f64 = features.iter().zip(weights).map(|(feature, weight)| feature * weight).sum();
    1.0 / (1.0 + (-sum).exp())
}

fn near(retrieval: &Retrieval, confidence: f64) -> Vec<usize> {
    if confidence < MIN_SUGGESTED_PROBABILITY {
        return Vec::new();
    }
    let least = retrieval.candidates.first().map_or(0.0, |best| best.score * MIN_SUGGESTED_SHARE);
    let mut titles: Vec<&str> = Vec::new();
    let mut places = Vec::new();
    for (place, candidate) in retrieval.candidates.iter().enumerate() {
        let title = candidate.chunk.title();
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
