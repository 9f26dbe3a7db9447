//! The promise on wrong answers, and how a site keeps it.

use helpbot_api_macros::OutputObject;
use helpbot_services::knowledge::promises::PromiseState;

use crate::schema::scalars::int;

/// The promise on wrong answers that an owner gives, and how a site keeps it.
///
/// The promise sets the confidence from which a question is answered. Before answers were judged, that
/// confidence comes from measurements on other sites. Each judged answer then moves it: after a wrong one,
/// HelpBot answers more carefully.
#[derive(OutputObject)]
pub struct AnswerPromise {
    /// Maximum share of the answers that may be wrong, 0 to 1.
    max_wrong_answers: f64,
    /// Number of answers that were judged. A visitor judges an answer with a vote, and a member by taking
    /// over a conversation that HelpBot had answered. Answers to saved test questions count as they were
    /// when the test questions were last run.
    judged_answers: i32,
    /// Number of judged answers that were wrong.
    wrong_answers: i32,
    /// Number of answers to saved test questions among the judged answers.
    test_answers: i32,
    /// Measured share of wrong answers among the judged answers, 0 to 1. It is null when no answer was
    /// judged.
    wrong_share: Option<f64>,
    /// Whether the measured share of wrong answers is within the promise. It is null when fewer than 30
    /// answers were judged.
    is_kept: Option<bool>,
    /// Confidence from which the next question is answered, 0 to 1. A question in exactly the words of an
    /// entry is always answered.
    threshold: f64,
}

impl From<PromiseState> for AnswerPromise {
    fn from(state: PromiseState) -> Self {
        let judged = state.judged();
        Self {
            max_wrong_answers: state.promised,
            judged_answers: int(judged.answers),
            wrong_answers: int(judged.wrong),
            test_answers: int(state.by_cases.answers),
            wrong_share: judged.wrong_share(),
            is_kept: state.is_kept(),
            threshold: state.threshold,
        }
    }
}
