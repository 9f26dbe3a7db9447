//! Answer rules: instructions of the owner about the answer to one question.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::cases::named_enum;
use crate::ids::{ChunkId, RuleId, SiteId, SourceId};

/// Passes the cases of [`RuleKind`] to a macro that declares an enum.
#[macro_export]
macro_rules! rule_kind_cases {
    ($macro:ident $enum:tt) => {
        $macro! { $enum
            /// The entry is always the answer to the question.
            Pin = "pin",
            /// The entry is never the answer to the question, and is not suggested for it.
            Forbid = "forbid",
        }
    };
}

rule_kind_cases!(named_enum {
    /// What an answer rule does.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum RuleKind
});

/// An instruction of the owner: which entry answers a question, or never answers it.
///
/// An entry of a page gets a new ID when its text changes. The rule then applies to the entry with
/// the same question, if the site has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRule {
    /// Site that the rule belongs to.
    pub site_id: SiteId,
    /// ID of the rule.
    pub id: RuleId,
    /// What the rule does.
    pub kind: RuleKind,
    /// Question that the rule applies to, as a visitor would ask it.
    pub question: String,
    /// Entry that the rule names. The entry may have been deleted since.
    pub entry_id: ChunkId,
    /// Source of the entry.
    pub source_id: SourceId,
    /// Question of the entry when the rule was added.
    pub entry_question: String,
    /// Time of creation.
    pub created_at: Timestamp,
}
