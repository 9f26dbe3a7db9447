//! Triage: what the team notes about a conversation to work on it. Visitors never see it.

use serde::{Deserialize, Serialize};

use crate::ids::{CannedReplyId, ConversationId, MemberId, NoteId, SiteId};
use crate::{Invalid, Timestamp, text};

/// Maximum length of a tag in characters.
pub const TAG_MAX_CHARS: usize = 40;
/// Maximum number of tags of a conversation.
pub const TAGS_MAX: usize = 20;
/// Maximum length of a note in characters.
pub const NOTE_MAX_CHARS: usize = 4000;

/// How urgent a conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// It can wait.
    Low,
    /// The default.
    #[default]
    Normal,
    /// It comes before others.
    High,
    /// It comes before everything else.
    Urgent,
}

impl Priority {
    /// Returns the stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Priority::Low => "low",
            Priority::Normal => "normal",
            Priority::High => "high",
            Priority::Urgent => "urgent",
        }
    }
}

/// Returns a tag as it is stored: in lower case, with single spaces, so that one tag has one spelling.
///
/// # Errors
/// Fails when the tag is empty, too long or contains a comma or control characters. `field` names it.
pub fn tag(field: &'static str, given: &str) -> Result<String, Invalid> {
    let tag = given.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    if tag.chars().any(|c| c == ',' || c.is_control()) {
        return Err(Invalid::new(field, "A tag must not contain commas or control characters."));
    }
    text::required(field, &tag, TAG_MAX_CHARS)
}

/// A note of the team in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Site of the conversation.
    pub site_id: SiteId,
    /// ID of the note.
    pub id: NoteId,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Member who wrote the note. `None` for an API key without a member.
    pub member_id: Option<MemberId>,
    /// Name of that member at the time of writing.
    pub author_name: Option<String>,
    /// Text of the note.
    pub text: String,
    /// Time of writing.
    pub created_at: Timestamp,
}

/// A text that members send often. It can contain placeholders such as `{{visitor.email}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CannedReply {
    /// Site that the reply belongs to.
    pub site_id: SiteId,
    /// ID of the reply.
    pub id: CannedReplyId,
    /// Short name, unique within the site.
    pub name: String,
    /// Text with placeholders.
    pub text: String,
    /// Time at which the reply was added.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_tag_has_one_spelling() {
        for given in ["Back  order", " back order ", "BACK\torder"] {
            assert_eq!(tag("addTags", given).expect("a tag"), "back order", "{given}");
        }
        for wrong in ["", "  ", "a,b", "a\u{0}b", &"x".repeat(TAG_MAX_CHARS + 1)] {
            assert!(tag("addTags", wrong).is_err(), "{wrong}");
        }
    }
}
