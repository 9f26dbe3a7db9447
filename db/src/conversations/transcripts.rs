//! Transcript requests: conversations that visitors asked to receive by e-mail.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{ConversationId, SiteId};
use uuid::Uuid;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::error::Result;
use crate::schema::transcripts;
use helpbot_domain::conversation::TranscriptRequest;

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
    let (site_text, id_text) = (site.to_string(), id.to_string());
    let row: Option<(String, String, i64)> = on!(c, |c| {
        transcripts::table
            .filter(transcripts::site_id.eq(&site_text))
            .filter(transcripts::id.eq(&id_text))
            .select((transcripts::conversation_id, transcripts::email, transcripts::created_at_ms))
            .get_result(c)
            .await
            .optional()
    })?;
    row.map(|(conversation, email, created)| {
        let conversation_id = columns::parse(&conversation)?;
        Ok(TranscriptRequest { site_id: site, id, conversation_id, email, created_at: Timestamp::from_ms(created) })
    })
    .transpose()
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

/// Returns the number of requests for an e-mail address after a time.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count_to(c: &mut Conn, site: SiteId, email: &str, after: Timestamp) -> Result<i64> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        transcripts::table
            .filter(transcripts::site_id.eq(&site))
            .filter(transcripts::email.eq(email))
            .filter(transcripts::created_at_ms.gt(after.as_ms()))
            .count()
            .get_result(c)
            .await
    })?)
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
