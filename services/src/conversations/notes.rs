//! Notes: what members write to each other about a conversation. Visitors never see them, no mail and no webhook
//! contains them, and their events reach only the team.

use helpbot_db as db;
use helpbot_domain::conversation::Conversation;
use helpbot_domain::event::{EventData, EventType};
use helpbot_domain::ids::{ConversationId, NoteId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::page::PageRequest;
use helpbot_domain::text;
use helpbot_domain::triage::{NOTE_MAX_CHARS, Note};

use crate::conversations::change::{ConversationChange, change};
use crate::runtime::lookups::find_by_ids;
use crate::runtime::randomness;
use crate::{Error, Result, Services, Viewer, boxed};

/// Maximum number of notes of a conversation.
pub(super) const NOTES_MAX: i64 = 500;

/// Writes a note about a conversation.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` for an empty or too long text; `LimitReached`.
#[boxed]
pub async fn add(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    words: &str,
) -> Result<(Conversation, Note)> {
    viewer.require(Scope::WriteConversations)?;
    let site = viewer.site(named)?;
    let text = text::required("text", words, NOTE_MAX_CHARS)?;
    if db::conversation_notes::count(&mut services.db.reader().await?, site, id).await? >= NOTES_MAX {
        return Err(Error::LimitReached(format!("A conversation can have at most {NOTES_MAX} notes.")));
    }
    let now = services.now();
    let note = Note {
        site_id: site,
        id: NoteId::from_uuid(randomness::uuid(now)),
        conversation_id: id,
        member_id: viewer.member.as_ref().map(|member| member.id),
        author_name: viewer.member.as_ref().map(|member| member.name.clone()),
        text,
        created_at: now,
    };
    let stored = note.clone();
    let conversation = change(services, site, id, move |_, _| {
        let data = EventData::Noted { conversation_id: id, actor_id: note.member_id, note_id: note.id };
        Ok(ConversationChange {
            event: Some((EventType::NoteChanged, data)),
            note: Some(note),
            ..ConversationChange::default()
        })
    })
    .await?;
    Ok((conversation, stored))
}

/// Deletes a note. A member may delete only their own notes; a key of the site and an administrator may delete all.
///
/// # Errors
/// `Forbidden`; `NotFound`.
#[boxed]
pub async fn delete(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: NoteId) -> Result<NoteId> {
    viewer.require(Scope::WriteConversations)?;
    let site = viewer.site(named)?;
    let found = db::conversation_notes::by_id(&mut services.db.reader().await?, site, id).await?;
    let note = found.ok_or(Error::NotFound("Note"))?;
    let own = viewer.member.as_ref().map(|member| member.id);
    if own.is_some() && own != note.member_id && !viewer.has(Scope::Admin) {
        return Err(Error::Forbidden("Only its author and administrators can delete a note.".into()));
    }
    let conversation = note.conversation_id;
    services
        .db
        .write(move |c| Box::pin(async move { Ok::<_, Error>(db::conversation_notes::delete(c, site, id).await?) }))
        .await?;
    let data = EventData::Noted { conversation_id: conversation, actor_id: own, note_id: id };
    let reported = change(services, site, conversation, move |_, _| {
        Ok(ConversationChange { event: Some((EventType::NoteChanged, data)), ..ConversationChange::default() })
    });
    reported.await?;
    Ok(id)
}

find_by_ids! {
    /// Returns the notes of the site with these IDs. Unknown IDs are left out.
    by_ids, ReadConversations, NoteId => Note, db::conversation_notes::by_ids
}

/// Returns one page of the notes of a conversation, oldest first.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn list(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    page: PageRequest<NoteId>,
) -> Result<Vec<Note>> {
    viewer.require(Scope::ReadConversations)?;
    let site = viewer.site(named)?;
    Ok(db::conversation_notes::list(&mut services.db.reader().await?, site, id, page).await?)
}

/// Returns the number of notes of a conversation.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn total(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: ConversationId) -> Result<i64> {
    viewer.require(Scope::ReadConversations)?;
    let site = viewer.site(named)?;
    Ok(db::conversation_notes::count(&mut services.db.reader().await?, site, id).await?)
}
