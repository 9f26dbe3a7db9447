//! Deleting conversations with everything that belongs to them: mails that wait, and their part of the daily counts.
//!
//! [`erasure`](super::erasure) deletes the conversations of a visitor, and [`retention`](super::retention) those that are old
//! enough. Both do it in groups, each inside a transaction of its own.

use helpbot_db as db;
use helpbot_db::stats::DailyCounts;
use helpbot_domain::conversation::{Conversation, Vote};
use helpbot_domain::ids::{ConversationId, SiteId};
use uuid::Uuid;

use crate::Result;
use crate::runtime::batches;
use crate::runtime::job_kinds::{HANDOFF_MAIL, HandoffMail, REPLY_MAIL, ReplyMail, TRANSCRIPT_MAIL, TranscriptMail};

/// Number of conversations per transaction. Each has messages, mails and read marks.
pub(super) const GROUP: i64 = batches::ROWS / 2;

/// Why conversations are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeletionReason {
    /// The visitor wants to be forgotten, also by the statistics.
    Erasure,
    /// The conversations are old. The statistics of their days stay.
    Age,
}

/// Deletes conversations that the transaction has locked. Returns their number.
pub(super) async fn delete_group(
    c: &mut db::Conn,
    site: SiteId,
    group: &[Conversation],
    reason: DeletionReason,
) -> Result<usize> {
    let ids: Vec<_> = group.iter().map(|conversation| conversation.id).collect();
    let handoff = |id: &ConversationId| db::columns::to_json(&HandoffMail::Single { conversation_id: *id });
    db::jobs::delete_of(c, site, HANDOFF_MAIL, &ids.iter().map(handoff).collect::<Vec<_>>()).await?;
    let asked = db::transcripts::ids_of(c, site, &ids).await?;
    cancel_transcripts(c, site, &asked).await?;
    let replies = db::conversation_mails::ids_of(c, site, &ids).await?;
    let reply = |id: &Uuid| db::columns::to_json(&ReplyMail { mail_id: id.to_string() });
    db::jobs::delete_of(c, site, REPLY_MAIL, &replies.iter().map(reply).collect::<Vec<_>>()).await?;
    for conversation in group {
        let (day, counts) = (conversation.created_at.day(), counts_of(conversation));
        match reason {
            DeletionReason::Erasure => db::stats::add(c, site, day, negative(counts)).await?,
            DeletionReason::Age => db::stats::expire(c, site, day, counts).await?,
        }
    }
    let mails = db::handoff_notices::mails_of(c, site, &ids).await?;
    let deleted = db::conversations::delete(c, site, &ids).await?;
    for mail in mails {
        // A mail that is about other visitors too is still sent, without the deleted conversations.
        if db::handoff_notices::count_in(c, site, mail).await? == 0 {
            let payload = db::columns::to_json(&HandoffMail::of_mail(mail));
            db::jobs::delete_of(c, site, HANDOFF_MAIL, &[payload]).await?;
        }
    }
    Ok(deleted)
}

/// Deletes the queued mails of requests for transcripts.
pub(super) async fn cancel_transcripts(c: &mut db::Conn, site: SiteId, requests: &[Uuid]) -> Result<()> {
    let transcript = |id: &Uuid| db::columns::to_json(&TranscriptMail { transcript_id: id.to_string() });
    db::jobs::delete_of(c, site, TRANSCRIPT_MAIL, &requests.iter().map(transcript).collect::<Vec<_>>()).await?;
    Ok(())
}

/// Returns what a conversation adds to the counts of its day.
fn counts_of(conversation: &Conversation) -> DailyCounts {
    DailyCounts {
        questions: 1,
        unanswered: i64::from(conversation.outcome.is_unanswered()),
        handoffs: i64::from(conversation.handoff.is_some()),
        helpful: i64::from(conversation.vote == Some(Vote::Yes)),
        unhelpful: i64::from(conversation.vote == Some(Vote::No)),
    }
}

fn negative(counts: DailyCounts) -> DailyCounts {
    DailyCounts {
        questions: -counts.questions,
        unanswered: -counts.unanswered,
        handoffs: -counts.handoffs,
        helpful: -counts.helpful,
        unhelpful: -counts.unhelpful,
    }
}
