//! What the owner of a site checks about a page: the texts that the last sync left out, and the
//! last change of its content. `ingest` names the omissions, `services` compares two syncs, and
//! the sync report shows both.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::cases::plain_enum;
use crate::chunk::ChunkKind;

/// Maximum number of omissions that are stored for one page. Pages with more repeat themselves.
pub const OMISSIONS_MAX: usize = 30;
/// Maximum number of changed chunks that are stored for one page.
pub const CHANGES_MAX: usize = 20;
/// Maximum length of a sample in characters: enough to find the text on the page.
pub const SAMPLE_MAX_CHARS: usize = 200;

/// Passes the cases of [`OmissionReason`] to a macro that declares an enum.
#[macro_export]
macro_rules! omission_reason_cases {
    ($macro:ident $enum:tt) => {
        $macro! { $enum
            /// The text belongs to the navigation, a header or footer, a banner, a notice or a vote.
            PageFrame,
            /// The text is the label of a button or another control.
            Control,
            /// The text consists mostly of links.
            LinkList,
            /// The text is too short to have a meaning by itself.
            TooShort,
            /// The text only contains descriptions of images.
            ImagesOnly,
            /// The text is a heading that no other text follows.
            EmptyHeading,
            /// The text was already read on another page of the source.
            OnAnotherPage,
        }
    };
}

omission_reason_cases!(plain_enum {
    /// Why a text of a page was left out.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum OmissionReason
});

impl OmissionReason {
    /// Returns the reason as a phrase for the command line.
    pub const fn words(self) -> &'static str {
        match self {
            OmissionReason::PageFrame => "navigation, header, footer, banner, notice or vote",
            OmissionReason::Control => "label of a button",
            OmissionReason::LinkList => "list of links",
            OmissionReason::TooShort => "too short to have a meaning by itself",
            OmissionReason::ImagesOnly => "only images",
            OmissionReason::EmptyHeading => "heading that no text follows",
            OmissionReason::OnAnotherPage => "already read on another page",
        }
    }
}

/// A text of a page that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Omission {
    /// Why it was left out.
    pub reason: OmissionReason,
    /// Beginning of the text, at most [`SAMPLE_MAX_CHARS`] characters.
    pub sample: String,
}

/// What happened to a chunk of a page between two syncs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChunkChangeKind {
    /// The chunk is new.
    Added,
    /// The chunk has the same question or heading as before, and another text.
    Changed,
    /// The chunk is gone.
    Removed,
}

/// The change of one question or passage of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkChange {
    /// What happened.
    pub kind: ChunkChangeKind,
    /// Whether the chunk is a question with its answer or a passage.
    pub chunk: ChunkKind,
    /// The question or innermost heading. Empty when the chunk has none.
    pub title: String,
    /// Beginning of the text before. `None` when the chunk is new.
    pub before: Option<String>,
    /// Beginning of the text after. `None` when the chunk is gone.
    pub after: Option<String>,
}

/// The change of a page's content between two syncs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageChange {
    /// Time of the later sync.
    pub at: Timestamp,
    /// Number of changed chunks.
    pub total: i64,
    /// The first [`CHANGES_MAX`] of them, in the order of the page.
    pub chunks: Vec<ChunkChange>,
}
