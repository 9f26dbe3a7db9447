//! Unread messages: what one side of a conversation has not read of the other side's messages.
//!
//! The team counts as one reader: what one member has read, the others need not read. A writer has
//! read the messages before their own.

use std::collections::HashMap;

use helpbot_db as db;
use helpbot_domain::conversation::{Author, Conversation};
use helpbot_domain::event::{EventData, EventType};
use helpbot_domain::ids::{ConversationId, SiteId};

use crate::conversations::presence::Side;
use crate::conversations::{change, lookup};
use crate::webhooks::outbox::{self, Appended};
use crate::{Error, Result, Services, Viewer, boxed};

impl Side {
    /// Returns the author of this side's messages.
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

/// Records that the viewer's side has read the conversation up to message `seq`. `None` means up to
/// the last message. A lower number than before changes nothing; a higher one is an event.
///
/// # Errors
/// `Forbidden`; `NotFound` when the viewer may not see the conversation.
#[boxed]
pub async fn mark_read(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    seq: Option<i64>,
) -> Result<Conversation> {
    let conversation = lookup::visible(services, viewer, named, id).await?;
    let (site, reader) = (conversation.site_id, Side::of(viewer).author());
    // A message that does not exist yet cannot have been read.
    let seq = seq.unwrap_or(conversation.message_count).clamp(0, conversation.message_count);
    let (now, seen) = (services.now(), viewer.session.clone().filter(|_| viewer.has_proved(&conversation)));
    let of = conversation.clone();
    let appended = services
        .db
        .write(move |c| {
            Box::pin(async move {
                if let Some(session) = seen {
                    db::sessions::seen(c, site, &session.id, session.token_id, now).await?;
                }
                if !db::read_marks::mark(c, site, id, reader, seq).await? {
                    return Ok(Appended::default());
                }
                let data = EventData::Read { conversation_id: id, reader };
                let new = change::event(&of, EventType::ConversationRead, &data, now);
                Ok::<_, Error>(outbox::append(c, site, now, vec![new]).await?)
            })
        })
        .await?;
    appended.publish(services);
    Ok(conversation)
}

/// Returns the number of messages that the viewer's side has not read, for each of the
/// conversations that the viewer may see.
///
/// # Errors
/// `Forbidden` for a viewer who may not see any conversation.
#[boxed]
pub async fn unread(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    ids: &[ConversationId],
) -> Result<HashMap<ConversationId, i64>> {
    let visible = lookup::by_ids(services, viewer, named, ids).await?;
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
