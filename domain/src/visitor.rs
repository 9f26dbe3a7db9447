//! The identity of a visitor whose data is erased or exported.

use std::fmt;
use std::str::FromStr;

use crate::ids::ConversationId;

/// What a visitor is known by. Each stands for a set of sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VisitorIdentity {
    /// One session.
    Session(String),
    /// All sessions in which this e-mail address was given. Its ASCII letters are in lower case. Other spellings of the same mailbox are other addresses,
    /// because with other mail servers they can belong to other people.
    Email(String),
}

/// Names a record about a visitor: a session, or one of its conversations. Records are sorted by session, each followed by its
/// conversations, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VisitorRecordKey {
    /// The session.
    pub session_id: String,
    /// The conversation. `None` for the record of the session itself.
    pub conversation_id: Option<ConversationId>,
}

/// The text does not name a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the key of a record about a visitor")]
pub struct NotARecordKey;

/// Ends the ID of the conversation in the text of a key. No ID contains it.
const SEPARATOR: char = ' ';

impl fmt::Display for VisitorRecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(id) = self.conversation_id {
            write!(f, "{id}")?;
        }
        write!(f, "{SEPARATOR}{}", self.session_id)
    }
}

impl FromStr for VisitorRecordKey {
    type Err = NotARecordKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (id, session) = text.split_once(SEPARATOR).ok_or(NotARecordKey)?;
        let conversation_id = Some(id).filter(|id| !id.is_empty()).map(str::parse).transpose();
        Ok(Self { session_id: session.to_owned(), conversation_id: conversation_id.map_err(|_| NotARecordKey)? })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_text_of_a_key_names_the_same_record() {
        let id = ConversationId::from_uuid(Uuid::from_u128(7));
        for conversation_id in [None, Some(id)] {
            let key = VisitorRecordKey { session_id: "visitor 7".into(), conversation_id };
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        assert_eq!("visitor".parse::<VisitorRecordKey>(), Err(NotARecordKey));
        assert_eq!("conv visitor".parse::<VisitorRecordKey>(), Err(NotARecordKey));
    }
}
