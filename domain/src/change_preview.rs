//! Change previews: what visitors would get if a change of a site's content was published.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::cases::named_enum;
use crate::conversation::Outcome;
use crate::ids::{ChunkId, PreviewId, SiteId, SourceId};

/// A change that can be previewed before it is published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SiteChange {
    /// A new entry of the owner.
    AddEntry {
        /// ID that the entry gets.
        id: ChunkId,
        /// Question of the entry.
        question: String,
        /// Answer in restricted Markdown.
        answer: String,
        /// Other ways to ask the question.
        phrasings: Vec<String>,
        /// Address where visitors can read more.
        url: Option<String>,
    },
    /// Other words of an entry. `None` leaves a value unchanged.
    UpdateEntry {
        /// ID of the entry.
        id: ChunkId,
        /// New question.
        question: Option<String>,
        /// New answer.
        answer: Option<String>,
        /// New phrasings.
        phrasings: Option<Vec<String>>,
    },
    /// Another way to ask the question of an entry.
    AddPhrasing {
        /// ID of the entry.
        id: ChunkId,
        /// The phrasing.
        phrasing: String,
    },
    /// The end of an entry that the owner wrote.
    DeleteEntry {
        /// ID of the entry.
        id: ChunkId,
    },
    /// The end of a source with all of its content.
    DeleteSource {
        /// ID of the source.
        id: SourceId,
    },
    /// Another share of answers that must be correct.
    TargetPrecision {
        /// The share, 0 to 1.
        target_precision: f64,
    },
}

/// Passes the cases of [`PreviewStatus`] to a macro that declares an enum.
#[macro_export]
macro_rules! preview_status_cases {
    ($macro:ident $enum:tt) => {
        $macro! { $enum
            /// The questions are being replayed.
            Running = "running",
            /// The result is complete, and the change can be published.
            Ready = "ready",
            /// The preview was canceled.
            Canceled = "canceled",
            /// The questions could not be replayed.
            Failed = "failed",
            /// The change was published.
            Published = "published",
        }
    };
}

preview_status_cases!(named_enum {
    /// State of a change preview.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum PreviewStatus
});

/// Passes the cases of [`PreviewEffect`] to a macro that declares an enum.
#[macro_export]
macro_rules! preview_effect_cases {
    ($macro:ident $enum:tt) => {
        $macro! { $enum
            /// The question has no answer now and would get one.
            Gained = "gained",
            /// The question has an answer now and would get none.
            Lost = "lost",
            /// The question has an answer now and would get another one.
            Changed = "changed",
        }
    };
}

preview_effect_cases!(named_enum {
    /// What a change would do to a question.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum PreviewEffect
});

/// What a site answers from: questions get the same answers as long as it stays the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentVersion {
    /// Version of the site's index.
    pub index_version: i64,
    /// Settings by which the site answers, as they are stored.
    pub answer_settings: String,
}

/// Numbers of questions by the effect of a change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EffectCounts {
    /// Different questions that would get an answer.
    pub gained: i64,
    /// Different questions that would lose their answer.
    pub lost: i64,
    /// Different questions that would get another answer.
    pub changed: i64,
}

/// A preview of a change.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangePreview {
    /// Site that the preview belongs to.
    pub site_id: SiteId,
    /// ID of the preview.
    pub id: PreviewId,
    /// The change.
    pub change: SiteChange,
    /// Content that the change was compared with. `None` until the replay has begun.
    pub content: Option<ContentVersion>,
    /// State of the preview.
    pub status: PreviewStatus,
    /// Number of different questions that were replayed so far.
    pub done_questions: i64,
    /// Number of different questions that are replayed. `None` until they were read.
    pub total_questions: Option<i64>,
    /// Number of questions by effect. All are 0 until the preview is ready.
    pub counts: EffectCounts,
    /// Time of creation.
    pub created_at: Timestamp,
}

/// What a visitor gets for a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PreviewedAnswer {
    /// The outcome.
    pub outcome: Outcome,
    /// Confidence of the engine, 0 to 1.
    pub confidence: f64,
    /// Title of the entry that answers or comes closest.
    pub title: Option<String>,
    /// Address of that entry.
    pub url: Option<String>,
}

/// A question on which a change would have an effect.
#[derive(Debug, Clone, PartialEq)]
pub struct PreviewedQuestion {
    /// Position in the result, from 1.
    pub seq: i64,
    /// What the change would do.
    pub effect: PreviewEffect,
    /// The question, without what could identify a visitor.
    pub question: String,
    /// Number of times that it was asked.
    pub count: i64,
    /// What visitors get now.
    pub before: PreviewedAnswer,
    /// What visitors would get.
    pub after: PreviewedAnswer,
}
