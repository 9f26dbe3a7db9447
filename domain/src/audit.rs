//! The audit log of a site: who changed what, when and from where.
//!
//! An entry names what was done and to which object. It contains no text of a visitor, no secret and no changed value.

use uuid::Uuid;

use crate::Timestamp;
use crate::ids::{KeyId, MemberId};
use crate::key::KeyKind;

/// Maximum number of characters of a user agent that is kept. Browsers send 80 to 250.
pub const USER_AGENT_MAX_CHARS: usize = 256;
/// Characters of the part of an ID that follows the prefix and the underscore: a UUID in base32.
const ID_SUFFIX_CHARS: usize = 26;
/// Maximum number of characters of the prefix of an ID. The longest is `canned`.
const ID_PREFIX_MAX_CHARS: usize = 8;

/// One change of a site, in its audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// ID of the entry. Entries of a site sort by it in the order of time.
    pub id: Uuid,
    /// Name of the mutation, for example `removeMember`, or `signIn` or `acceptInvitation`.
    pub action: String,
    /// Kind of the API key that made the change.
    pub key_kind: KeyKind,
    /// API key that made the change.
    pub key_id: KeyId,
    /// Member that the key belonged to. `None` for keys of no member.
    pub member_id: Option<MemberId>,
    /// Name that the member had. It stays when the member is removed.
    pub member_name: Option<String>,
    /// ID of the object that was changed. `None` for settings of the site and for objects without a global ID.
    pub object_id: Option<String>,
    /// Client address. `None` when it is not known.
    pub address: Option<String>,
    /// What the client called itself, at most [`USER_AGENT_MAX_CHARS`] characters. `None` when it sent nothing.
    pub user_agent: Option<String>,
    /// Time of the change.
    pub created_at: Timestamp,
}

/// Conditions on the entries of an audit log. `None` means any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Name of the action.
    pub action: Option<String>,
    /// Member who made the change.
    pub member_id: Option<MemberId>,
    /// API key that made the change.
    pub key_id: Option<KeyId>,
    /// Time from which on entries are included.
    pub from: Option<Timestamp>,
    /// Time before which entries are included.
    pub before: Option<Timestamp>,
}

/// Returns whether a text has the form of an ID of an object. Other texts of a request are not kept, because
/// visitors may have written them.
#[must_use]
pub fn is_object_id(text: &str) -> bool {
    text.split_once('_').is_some_and(|(prefix, suffix)| {
        (1..=ID_PREFIX_MAX_CHARS).contains(&prefix.len())
            && prefix.bytes().all(|byte| byte.is_ascii_lowercase())
            && suffix.len() == ID_SUFFIX_CHARS
            && suffix.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{CannedReplyId, SiteId};

    #[test]
    fn only_ids_of_objects_are_kept() {
        for id in [SiteId::from_uuid(Uuid::nil()).to_string(), CannedReplyId::from_uuid(Uuid::max()).to_string()] {
            assert!(is_object_id(&id), "{id}");
        }
        for text in ["", "ann@example.com", "s_1", "visitor_wrote this with twenty six.", "sk_live_0123456789"] {
            assert!(!is_object_id(text), "{text}");
        }
    }
}
