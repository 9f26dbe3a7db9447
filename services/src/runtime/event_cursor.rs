//! Cursors of the event log: positions with which a subscriber continues after an event.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use helpbot_domain::Invalid;
use helpbot_domain::ids::EventId;

/// Version prefix of a cursor without a mark, so that other formats can be told apart later.
const CURSOR_FORM: &str = "e1:";
/// Version prefix of a cursor with a mark.
const MARKED_FORM: &str = "e2:";

/// A position in the event log of a site.
///
/// The mark is a part of the ID of the event at the position. After the restore of a backup, or a
/// fail-over that lost events, another event has that number, or none has. The mark shows it, whatever
/// the reason, so nobody has to tell the program that the database was restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EventCursor {
    pub(super) seq: i64,
    /// `None` before the first event, and in cursors of earlier versions.
    pub(super) mark: Option<u64>,
}

/// Number of bits of a mark. Two events have the same mark by accident once in 2^48 cases.
const MARK_BITS: u32 = 48;

/// Returns the mark of an event.
pub(super) fn mark_of(id: EventId) -> u64 {
    u64::try_from(id.uuid().as_u128() & ((1 << MARK_BITS) - 1)).unwrap_or_default()
}

impl EventCursor {
    /// Returns the cursor as text.
    pub(super) fn encoded(self) -> String {
        let text = match self.mark {
            Some(mark) => format!("{MARKED_FORM}{}:{mark:x}", self.seq),
            None => format!("{CURSOR_FORM}{}", self.seq),
        };
        URL_SAFE_NO_PAD.encode(text)
    }

    /// Reads the text of a cursor.
    ///
    /// # Errors
    /// `Invalid` for text that the server never returned.
    pub(super) fn parse(cursor: &str) -> Result<Self, Invalid> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| not_a_cursor())?;
        let text = std::str::from_utf8(&bytes).map_err(|_| not_a_cursor())?;
        let parsed = match text.strip_prefix(MARKED_FORM).and_then(|rest| rest.split_once(':')) {
            Some((seq, mark)) => (seq.parse().ok(), u64::from_str_radix(mark, 16).ok().map(Some)),
            None => (text.strip_prefix(CURSOR_FORM).and_then(|seq| seq.parse().ok()), Some(None)),
        };
        match parsed {
            (Some(seq), Some(mark)) if seq >= 0 => Ok(Self { seq, mark }),
            _ => Err(not_a_cursor()),
        }
    }
}

/// The error for a text that is not a cursor of the site.
pub(super) fn not_a_cursor() -> Invalid {
    Invalid::new(
        "after",
        "after is not a valid cursor of this site's events. Use a cursor that the site returned, or leave it out.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cursors_of_this_server_are_accepted() {
        let accepted = |text: &str| EventCursor::parse(&URL_SAFE_NO_PAD.encode(text)).ok();

        assert_eq!(accepted("e1:42"), Some(EventCursor { seq: 42, mark: None }));
        assert_eq!(accepted("e2:42:ff"), Some(EventCursor { seq: 42, mark: Some(255) }));
        for bad in ["", "42", "e1:-1", "e2:42", "e2:42:", "e2:-1:ff", "e2:42:xyz", "e3:42"] {
            assert_eq!(accepted(bad), None, "{bad}");
        }
        assert!(EventCursor::parse("e1:42").is_err() && EventCursor::parse("\u{e9}").is_err());
    }

    #[test]
    fn a_cursor_returns_what_it_was_made_of() {
        let cursor = EventCursor { seq: 7, mark: Some(0xabcdef) };

        assert_eq!(EventCursor::parse(&cursor.encoded()), Ok(cursor));
    }
}
