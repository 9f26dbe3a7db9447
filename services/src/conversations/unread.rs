//! What one side of a conversation has not read yet of what the other wrote.
//!
//! The team reads as one: what a member has read, the others need not. Who writes has read what
//! came before.

use std::collections::HashMap;

use helpbot_db as db;
use helpbot_domain::conversation::Author;
use helpbot_domain::ids::{ConversationId, SiteId};

use crate::conversations::activity::Side;
use crate::{Conversation, Error, Result, Services, Viewer, boxed, conversations};

impl Side {
    /// As whom it writes.
    pub(crate) fn author(self) -> Author {
        match self {
            Side::Visitor => Author::Visitor,
            Side::Team => Author::Agent,
        }
    }

    fn other(self) -> Self {
        match self {
            Side::Visitor => Side::Team,
            Side::Team => Side::Visitor,
        }
    }
}

/// Notes that the viewer's side has read a conversation up to message `seq`, or to its last one.
/// Less than before changes nothing.
///
/// # Errors
/// `Forbidden`; `NotFound` for a conversation that the viewer may not see.
#[boxed]
pub async fn mark_read(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    seq: Option<i64>,
) -> Result<Conversation> {
    let found = conversations::by_ids(services, viewer, named, &[id]).await?;
    let conversation = found.into_iter().next().ok_or(Error::NotFound("Conversation"))?;
    let (site, reader) = (conversation.site_id, Side::of(viewer).author());
    // A message that is not there yet cannot have been read.
    let seq = seq.unwrap_or(conversation.message_count).clamp(0, conversation.message_count);
    services
        .db
        .write(move |c| Box::pin(async move { Ok::<_, Error>(db::read_marks::mark(c, site, id, reader, seq).await?) }))
        .await?;
    Ok(conversation)
}

/// How many messages the viewer's side has not read yet, for each of the conversations that the
/// viewer may see.
///
/// # Errors
/// `Forbidden` for who may see none at all.
#[boxed]
pub async fn unread(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    ids: &[ConversationId],
) -> Result<HashMap<ConversationId, i64>> {
    let visible = conversations::by_ids(services, viewer, named, ids).await?;
    let ids: Vec<ConversationId> = visible.iter().map(|conversation| conversation.id).collect();
    let (site, side) = (viewer.site(named)?, Side::of(viewer));
    let mut c = services.db.reader().await?;
    let read: HashMap<_, _> = db::read_marks::of(&mut c, site, &ids, side.author()).await?.into_iter().collect();
    let mut counts: HashMap<_, _> = ids.iter().map(|id| (*id, 0)).collect();
    for (id, seq) in db::read_marks::written_by(&mut c, site, &ids, side.other().author()).await? {
        if seq > read.get(&id).copied().unwrap_or(0) {
            *counts.entry(id).or_default() += 1;
        }
    }
    Ok(counts)
}
