//! Transcript requests: conversations that visitors asked to receive by e-mail.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::{Timestamp, mailbox};
use uuid::Uuid;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::schema::transcripts;
use helpbot_domain::conversation::TranscriptRequest;

#[derive(Queryable, Selectable)]
#[diesel(table_name = transcripts)]
struct Row {
    site_id: String,
    id: String,
    conversation_id: String,
    email: String,
    created_at_ms: i64,
    mailbox: Option<String>,
    session_id: Option<String>,
    address_key: Option<String>,
}

impl TryFrom<Row> for TranscriptRequest {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(TranscriptRequest {
            site_id: columns::parse(&row.site_id)?,
            id: columns::parse(&row.id)?,
            conversation_id: columns::parse(&row.conversation_id)?,
            // Earlier versions stored no mailbox.
            mailbox: row.mailbox.unwrap_or_else(|| mailbox::of(&row.email)),
            email: row.email,
            session_id: row.session_id,
            address_key: row.address_key,
            created_at: Timestamp::from_ms(row.created_at_ms),
        })
    }
}

/// Stores a request.
///
/// # Errors
/// `Conflict` when the ID is taken.
pub async fn insert(c: &mut Conn, new: &TranscriptRequest) -> Result<()> {
    on!(c, |c| {
        diesel::insert_into(transcripts::table)
            .values((
                transcripts::site_id.eq(new.site_id.to_string()),
                transcripts::id.eq(new.id.to_string()),
                transcripts::conversation_id.eq(new.conversation_id.to_string()),
                transcripts::email.eq(&new.email),
                transcripts::mailbox.eq(&new.mailbox),
                transcripts::session_id.eq(&new.session_id),
                transcripts::address_key.eq(&new.address_key),
                transcripts::created_at_ms.eq(new.created_at.as_ms()),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Returns a request of the site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_id(c: &mut Conn, site: SiteId, id: Uuid) -> Result<Option<TranscriptRequest>> {
    let (site, id) = (site.to_string(), id.to_string());
    let row: Option<Row> = on!(c, |c| {
        transcripts::table
            .filter(transcripts::site_id.eq(&site))
            .filter(transcripts::id.eq(&id))
            .select(Row::as_select())
            .get_result(c)
            .await
            .optional()
    })?;
    row.map(TranscriptRequest::try_from).transpose()
}

/// Returns the number of requests for a conversation.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count_of(c: &mut Conn, site: SiteId, conversation: ConversationId) -> Result<i64> {
    let (site, conversation) = (site.to_string(), conversation.to_string());
    Ok(on!(c, |c| {
        transcripts::table
            .filter(transcripts::site_id.eq(&site))
            .filter(transcripts::conversation_id.eq(&conversation))
            .count()
            .get_result(c)
            .await
    })?)
}

/// Returns the site's requests that were made after a time.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn since(c: &mut Conn, site: SiteId, after: Timestamp) -> Result<Vec<TranscriptRequest>> {
    let site = site.to_string();
    let rows: Vec<Row> = on!(c, |c| {
        transcripts::table
            .filter(transcripts::site_id.eq(&site))
            .filter(transcripts::created_at_ms.gt(after.as_ms()))
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(TranscriptRequest::try_from).collect()
}

/// Returns the IDs of the requests for these conversations.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn ids_of(c: &mut Conn, site: SiteId, conversations: &[ConversationId]) -> Result<Vec<Uuid>> {
    let (site, conversations) = (site.to_string(), columns::texts(conversations));
    let rows: Vec<String> = on!(c, |c| {
        transcripts::table
            .filter(transcripts::site_id.eq(&site))
            .filter(transcripts::conversation_id.eq_any(&conversations))
            .select(transcripts::id)
            .load(c)
            .await
    })?;
    rows.iter().map(|id| columns::parse(id)).collect()
}

/// Returns the IDs of up to `limit` requests for transcripts to an e-mail address, which is in lower case.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn ids_of_email(c: &mut Conn, site: SiteId, email: &str, limit: i64) -> Result<Vec<Uuid>> {
    let site = site.to_string();
    let rows: Vec<String> = on!(c, |c| {
        transcripts::table
            .filter(transcripts::site_id.eq(&site))
            .filter(sql::<Bool>("lower(email) = ").bind::<Text, _>(email))
            .limit(limit)
            .select(transcripts::id)
            .load(c)
            .await
    })?;
    rows.iter().map(|id| columns::parse(id)).collect()
}

/// Deletes requests.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete(c: &mut Conn, site: SiteId, ids: &[Uuid]) -> Result<usize> {
    let (site, ids) = (site.to_string(), columns::texts(ids));
    Ok(on!(c, |c| {
        diesel::delete(transcripts::table.filter(transcripts::site_id.eq(&site)).filter(transcripts::id.eq_any(&ids)))
            .execute(c)
            .await
    })?)
}

/// Returns the requests for transcripts of these conversations, oldest first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of(c: &mut Conn, site: SiteId, conversations: &[ConversationId]) -> Result<Vec<TranscriptRequest>> {
    let (site, conversations) = (site.to_string(), columns::texts(conversations));
    let rows: Vec<Row> = on!(c, |c| {
        transcripts::table
            .filter(transcripts::site_id.eq(&site))
            .filter(transcripts::conversation_id.eq_any(&conversations))
            .order((transcripts::created_at_ms, transcripts::id))
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(TranscriptRequest::try_from).collect()
}
