//! Notes of the team in conversations.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{ConversationId, NoteId, SiteId};
use helpbot_domain::page::PageRequest;
use helpbot_domain::triage::Note;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::paging::{load_by_ids, load_one, load_page};
use crate::schema::conversation_notes as notes;

#[derive(Queryable, Selectable)]
#[diesel(table_name = notes)]
struct Row {
    site_id: String,
    id: String,
    conversation_id: String,
    member_id: Option<String>,
    author_name: Option<String>,
    body: String,
    created_at_ms: i64,
}

impl TryFrom<Row> for Note {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Note {
            site_id: columns::parse(&row.site_id)?,
            id: columns::parse(&row.id)?,
            conversation_id: columns::parse(&row.conversation_id)?,
            member_id: columns::parse_opt(row.member_id.as_deref())?,
            author_name: row.author_name,
            text: row.body,
            created_at: Timestamp::from_ms(row.created_at_ms),
        })
    }
}

/// Stores a note.
///
/// # Errors
/// `Conflict` when the ID is taken.
pub async fn insert(c: &mut Conn, new: &Note) -> Result<()> {
    on!(c, |c| {
        diesel::insert_into(notes::table)
            .values((
                notes::site_id.eq(new.site_id.to_string()),
                notes::id.eq(new.id.to_string()),
                notes::conversation_id.eq(new.conversation_id.to_string()),
                notes::member_id.eq(new.member_id.map(|id| id.to_string())),
                notes::author_name.eq(&new.author_name),
                notes::body.eq(&new.text),
                notes::created_at_ms.eq(new.created_at.as_ms()),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Returns a note of the site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_id(c: &mut Conn, site: SiteId, id: NoteId) -> Result<Option<Note>> {
    let (site, id) = (site.to_string(), id.to_string());
    load_one!(c, Note, notes::table.filter(notes::site_id.eq(&site)).filter(notes::id.eq(&id)))
}

/// Returns the notes of the site with these IDs, in no particular order. Missing ones are left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_ids(c: &mut Conn, site: SiteId, ids: &[NoteId]) -> Result<Vec<Note>> {
    load_by_ids!(c, Note, notes, site, ids)
}

/// Returns one page of the notes of a conversation, oldest first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn list(
    c: &mut Conn,
    site: SiteId,
    conversation: ConversationId,
    page: PageRequest<NoteId>,
) -> Result<Vec<Note>> {
    let (site, conversation) = (site.to_string(), conversation.to_string());
    let rows: Vec<Row> = on!(c, |c| {
        let rows = notes::table.filter(notes::site_id.eq(&site)).filter(notes::conversation_id.eq(&conversation));
        load_page!(c, rows, notes::id, page)
    })?;
    rows.into_iter().map(Note::try_from).collect()
}

/// Returns the number of notes of a conversation.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count(c: &mut Conn, site: SiteId, conversation: ConversationId) -> Result<i64> {
    let (site, conversation) = (site.to_string(), conversation.to_string());
    Ok(on!(c, |c| {
        let rows = notes::table.filter(notes::site_id.eq(&site)).filter(notes::conversation_id.eq(&conversation));
        rows.count().get_result(c).await
    })?)
}

/// Deletes a note. Returns false when the site has no such note.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete(c: &mut Conn, site: SiteId, id: NoteId) -> Result<bool> {
    let (site, id) = (site.to_string(), id.to_string());
    let count = on!(c, |c| {
        diesel::delete(notes::table.filter(notes::site_id.eq(&site)).filter(notes::id.eq(&id))).execute(c).await
    })?;
    Ok(count == 1)
}
