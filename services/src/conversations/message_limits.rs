//! Limits of the messages of one conversation. Without them, a visitor could fill the database through
//! a single conversation. `messages` and `change` apply them in the transaction that writes a message.

use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::{Author, Conversation, Message};

use crate::{Error, Result};

/// Number of messages of a conversation, with the question and the answer, from which on the visitor
/// can write no more. Long chats have tens of messages; 500 with the longest text take 8 MB.
pub const VISITOR_MESSAGES_MAX: i64 = 500;

/// Number of messages of a conversation from which on the team can write no more. It is higher than
/// [`VISITOR_MESSAGES_MAX`], so that a visitor who fills a conversation does not silence the team.
pub const MESSAGES_MAX: i64 = 1000;

/// Number of messages that a visitor can write in a conversation per [`PACE_WINDOW`]. One every three
/// seconds is faster than a person writes sentences.
pub const VISITOR_MESSAGES_PER_WINDOW: i64 = 20;

/// Period in which [`VISITOR_MESSAGES_PER_WINDOW`] are counted.
const PACE_WINDOW: Duration = Duration::from_secs(60);

/// Checks that a conversation has space for one more message of `author`.
///
/// # Errors
/// `LimitReached`.
pub(super) fn require_space(conversation: &Conversation, author: Author) -> Result<()> {
    let most = if author == Author::Visitor { VISITOR_MESSAGES_MAX } else { MESSAGES_MAX };
    if conversation.message_count >= most {
        return Err(Error::LimitReached(format!(
            "This conversation has reached its limit of {most} messages. Ask a new question to start another one."
        )));
    }
    Ok(())
}

/// Checks that the author of a new message does not write too fast. The team has no such limit. The
/// caller has locked the conversation.
///
/// # Errors
/// `RateLimited`.
pub(super) async fn require_pace(c: &mut db::Conn, new: &Message) -> Result<()> {
    if new.author != Author::Visitor {
        return Ok(());
    }
    let newer = VISITOR_MESSAGES_PER_WINDOW - 1;
    let earlier = db::messages::nth_last_of_author(c, new.site_id, new.conversation_id, new.author, newer).await?;
    match earlier.and_then(|earlier| rest_of_window(earlier.created_at, new.created_at)) {
        Some(retry_after) => Err(Error::RateLimited { retry_after }),
        None => Ok(()),
    }
}

/// Returns how long the window that began at `earlier` still lasts. `None` when it has ended.
fn rest_of_window(earlier: Timestamp, now: Timestamp) -> Option<Duration> {
    let end = earlier.plus(PACE_WINDOW);
    (end > now).then(|| end.since(now))
}
