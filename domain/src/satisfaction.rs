//! Satisfaction: why an answer did not help, and how a visitor rates the help of a human.

use serde::{Deserialize, Serialize};

use crate::cases::named_enum;
use crate::{Invalid, text};

/// Maximum length of a comment in code points: a few paragraphs. Members read comments beside the conversation, and a
/// longer story belongs into a message.
pub const COMMENT_MAX_CHARS: usize = 1000;

/// Passes the cases of [`FeedbackReason`] to a macro that declares an enum.
#[macro_export]
macro_rules! feedback_reason_cases {
    ($macro:ident $enum:tt) => {
        $macro! { $enum
            /// The answer is about something else than the question.
            NotRelevant = "not_relevant",
            /// The answer leaves out what the visitor needs to know.
            Incomplete = "incomplete",
            /// The answer was right once and no longer is.
            Outdated = "outdated",
            /// The answer is wrong.
            Wrong = "wrong",
            /// The visitor does not understand the answer.
            Unclear = "unclear",
            /// There is another reason, which the comment may contain.
            Other = "other",
        }
    };
}

feedback_reason_cases!(named_enum {
    /// Why an answer did not help. Each reason needs other work: a better match, a longer text, a newer text, a
    /// correction, or a clearer text.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum FeedbackReason
});

/// How a visitor rates the help of a human, from 1 (very bad) to 5 (very good).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rating(u8);

impl Rating {
    /// The worst rating.
    pub const MIN: i64 = 1;
    /// The best rating.
    pub const MAX: i64 = 5;
    /// The lowest rating of a satisfied visitor. Help desks report the share of the two best ratings.
    const SATISFIED: u8 = 4;

    /// Validates a rating.
    ///
    /// # Errors
    /// Names the field `rating` when the number is not from 1 to 5.
    pub fn checked(number: i64) -> Result<Self, Invalid> {
        let refused = || Invalid::new("rating", format!("rating must be from {} to {}.", Self::MIN, Self::MAX));
        let is_valid = (Self::MIN..=Self::MAX).contains(&number);
        u8::try_from(number).ok().filter(|_| is_valid).map(Self).ok_or_else(refused)
    }

    /// Returns the number, from 1 to 5.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Returns whether the visitor is satisfied.
    pub const fn is_satisfied(self) -> bool {
        self.0 >= Self::SATISFIED
    }
}

/// Returns a comment as it is stored. An empty one is none.
///
/// # Errors
/// Fails when the comment is longer than [`COMMENT_MAX_CHARS`].
pub fn comment(given: &str) -> Result<Option<String>, Invalid> {
    let comment = text::bounded("comment", given, COMMENT_MAX_CHARS)?;
    Ok(Some(comment).filter(|comment| !comment.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rating_is_a_number_from_one_to_five() {
        let numbers: Vec<u8> = (1..=5).map(|number| Rating::checked(number).expect("a rating").number()).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5]);
        for wrong in [i64::MIN, -1, 0, 6, 256, 257] {
            assert_eq!(Rating::checked(wrong).expect_err("it is refused").field, "rating", "{wrong}");
        }
        let satisfied: Vec<bool> = (1..=5).map(|number| Rating::checked(number).unwrap().is_satisfied()).collect();
        assert_eq!(satisfied, [false, false, false, true, true]);
    }

    #[test]
    fn an_empty_comment_is_none() {
        assert_eq!(comment(" \n "), Ok(None));
        assert_eq!(comment(" Thanks! "), Ok(Some("Thanks!".to_owned())));
        assert!(comment(&"ß".repeat(COMMENT_MAX_CHARS)).is_ok());
        assert!(comment(&"ß".repeat(COMMENT_MAX_CHARS + 1)).is_err());
    }

    #[test]
    fn each_reason_is_stored_under_its_name() {
        for reason in FeedbackReason::ALL {
            assert_eq!(serde_json::to_value(reason).expect("a name"), serde_json::json!(reason.as_str()));
        }
    }
}
