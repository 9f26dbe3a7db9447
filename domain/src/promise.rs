//! The promise on wrong answers: at most how many of a site's answers may be wrong.
//!
//! Before anybody has judged an answer, the limit comes from other sites. Then each judged answer
//! moves what the next ones may have wrong: a wrong answer uses some of it up, a right one adds to
//! it. When it is used up, only questions in the owner's own words are answered.
//!
//! So that the promise holds for every order of questions and whatever visitors ask: an answer in
//! other words is given only while `wrong < promised * (answers + HORIZON)`. After any number of
//! judged answers, at most `promised * (answers + HORIZON) + 1` of them are wrong, and the share of
//! wrong ones tends to `promised` or less. This is the guarantee of adaptive conformal inference.
//! Answers that nobody judged are covered as far as the judged ones are like them.

use crate::conversation::{Conversation, Outcome};

/// Number of answers over which a difference to the promise is made up. A longer one lets more
/// answers through before the first assessments, a shorter one reacts more to a single assessment.
const HORIZON: f64 = 20.0;
/// Standard deviations of the random variation of the judged answers that are held back, so that the
/// measured share stays below the promise and not only near it.
const RESERVE: f64 = 0.5;
/// Number of judged answers from which the measured share says something.
pub const MIN_JUDGED: i64 = 30;

/// Whether an answer was right, as far as anybody said: the visitor by a vote, or else a member who
/// took over although the question had been answered. `None` when nobody said, or there was no
/// answer.
pub fn verdict(of: &Conversation) -> Option<bool> {
    let is_corrected = of.handoff.is_some() && of.assignee_id.is_some();
    match (of.outcome, of.vote) {
        (Outcome::Answered, Some(vote)) => Some(vote.is_helpful()),
        (Outcome::Answered, None) => is_corrected.then_some(false),
        _ => None,
    }
}

/// Answers that somebody judged, and how many of them were wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Judged {
    /// Number of judged answers.
    pub answers: i64,
    /// Number of wrong ones among them.
    pub wrong: i64,
}

impl Judged {
    /// One answer.
    pub fn one(is_right: bool) -> Self {
        Self { answers: 1, wrong: i64::from(!is_right) }
    }

    /// The difference between two assessments of the same answer.
    pub fn between(before: Option<bool>, after: Option<bool>) -> Self {
        let of = |assessment: Option<bool>| assessment.map_or_else(Self::default, Self::one);
        let (before, after) = (of(before), of(after));
        Self { answers: after.answers - before.answers, wrong: after.wrong - before.wrong }
    }

    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self { answers: self.answers + other.answers, wrong: self.wrong + other.wrong }
    }

    /// The share of wrong answers. `None` when no answer was judged.
    pub fn wrong_share(self) -> Option<f64> {
        (self.answers > 0).then(|| self.wrong as f64 / self.answers as f64)
    }

    /// The share of the next answers that may be wrong, so that the promise is kept. 0 means that the
    /// promise allows no more answers than those in the owner's own words.
    pub fn allowed(self, promised: f64) -> f64 {
        let (answers, wrong) = (self.answers.max(0) as f64, self.wrong.max(0) as f64);
        let expected = promised * (answers + HORIZON);
        let reserve = RESERVE * (promised * answers * (1.0 - promised)).max(0.0).sqrt();
        ((expected - wrong - reserve) / HORIZON).clamp(0.0, promised)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_without_assessments_may_use_the_promise() {
        assert!((Judged::default().allowed(0.1) - 0.1).abs() < 1e-9);
    }

    #[test]
    fn the_more_answers_were_judged_the_more_is_held_back_for_random_variation() {
        let as_promised = |answers| Judged { answers, wrong: answers / 10 }.allowed(0.1);

        assert!(as_promised(10) < 0.1 && as_promised(100) < as_promised(10));
    }

    #[test]
    fn wrong_answers_use_the_promise_up_and_right_ones_earn_it_back() {
        let wrong = Judged { answers: 4, wrong: 1 };
        let used_up = Judged { answers: 4, wrong: 3 };
        let later = Judged { answers: 60, wrong: 3 };

        assert!(wrong.allowed(0.1) < Judged::default().allowed(0.1));
        assert!(used_up.allowed(0.1) <= 0.0);
        assert!(later.allowed(0.1) >= 0.1);
        assert!(Judged { answers: 1_000, wrong: 0 }.allowed(0.1) <= 0.1);
    }

    #[test]
    fn whatever_is_asked_the_wrong_answers_stay_within_the_bound() {
        // The worst visitor asks so that every answer that may be wrong is wrong.
        for promised in [0.05, 0.1, 0.2] {
            let mut judged = Judged::default();
            for _ in 0..2_000 {
                judged = judged.and(Judged::one(judged.allowed(promised) <= 0.0));
                let bound = promised * (judged.answers as f64 + HORIZON) + 1.0;
                assert!(judged.wrong as f64 <= bound, "{judged:?}");
            }
            assert!(judged.wrong_share().unwrap() < promised * 1.05, "{judged:?}");
        }
    }

    #[test]
    fn a_changed_assessment_counts_once() {
        assert_eq!(Judged::between(None, Some(false)), Judged { answers: 1, wrong: 1 });
        assert_eq!(Judged::between(Some(false), Some(true)), Judged { answers: 0, wrong: -1 });
        assert_eq!(Judged::between(Some(true), None), Judged { answers: -1, wrong: 0 });
        assert_eq!(Judged::between(Some(true), Some(true)), Judged::default());
    }
}
