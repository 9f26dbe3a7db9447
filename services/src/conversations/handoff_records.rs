//! The handoffs of conversations over time: when each began, was taken, first replied to and resolved, and its rating.
//!
//! [`handoffs`](super::handoffs) and [`messages`](super::messages) take the steps of a handoff, and [`ratings`](super::ratings) are
//! given after it. [`change`](super::change) records both here, in the transaction of the conversation.

use std::collections::HashMap;

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::Conversation;
use helpbot_domain::handoff::{HandoffRecord, HandoffStep, RATING_WINDOW};
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::satisfaction::Rating;

use crate::conversations::lookup;
use crate::{Error, Result, Services, Viewer, boxed};

/// A rating that a visitor gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRating {
    /// The rating.
    pub rating: Rating,
    /// The comment. `None` keeps an earlier comment, `Some(None)` removes it.
    pub comment: Option<Option<String>>,
}

/// Records a step of the last handoff of a conversation, which the transaction has locked.
pub(super) async fn record(c: &mut db::Conn, of: &Conversation, step: HandoffStep, now: Timestamp) -> Result<()> {
    let last = db::handoffs::last(c, of.site_id, of.id).await?;
    let next = HandoffRecord::after(last.as_ref(), of, step, now);
    if last.as_ref() != Some(&next) {
        db::handoffs::save(c, &next).await?;
    }
    Ok(())
}

/// Records the rating of the last handoff of a conversation, which the transaction has locked.
pub(super) async fn record_rating(c: &mut db::Conn, of: &Conversation, new: NewRating, now: Timestamp) -> Result<()> {
    let last = db::handoffs::last(c, of.site_id, of.id).await?;
    let Some(last) = last.filter(|last| last.resolved_at.is_some()) else {
        return Err(Error::Conflict(
            "Only a resolved handoff can be rated. The conversation has none, or a member is still there.".into(),
        ));
    };
    if last.rating_ends_at().is_none_or(|end| end <= now) {
        let days = RATING_WINDOW.as_secs() / 86_400;
        return Err(Error::Conflict(format!(
            "The handoff was resolved more than {days} days ago, so it can no longer be rated."
        )));
    }
    let comment = new.comment.unwrap_or_else(|| last.comment.clone());
    let rated = HandoffRecord { rating: Some(new.rating), comment, rated_at: Some(now), ..last };
    Ok(db::handoffs::save(c, &rated).await?)
}

/// Returns the last handoff of each of the conversations that the viewer may see. Conversations without one are left out.
///
/// # Errors
/// `Forbidden` for a viewer who may not see any conversation.
#[boxed]
pub async fn last_of(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    ids: &[ConversationId],
) -> Result<HashMap<ConversationId, HandoffRecord>> {
    let visible = lookup::by_ids(services, viewer, named, ids).await?;
    let ids: Vec<ConversationId> = visible.iter().map(|conversation| conversation.id).collect();
    let site = viewer.site(named)?;
    let all = db::handoffs::of(&mut services.db.reader_of(site).await?, site, &ids).await?;
    // Those of each conversation are sorted, so the last one remains.
    Ok(all.into_iter().map(|record| (record.conversation_id, record)).collect())
}
