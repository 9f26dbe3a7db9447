//! Mails of conversations: messages of the team that were mailed to an absent visitor, and mails of the visitor that
//! became messages.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::ConversationMail;
use helpbot_domain::ids::{ConversationId, SiteId};
use uuid::Uuid;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::schema::conversation_mails as mails;

#[derive(Queryable, Selectable)]
#[diesel(table_name = mails)]
struct Row {
    site_id: String,
    id: String,
    conversation_id: String,
    message_id: String,
    is_inbound: bool,
    mailbox: Option<String>,
    first_seq: i64,
    due_at_ms: i64,
    created_at_ms: i64,
}

impl TryFrom<Row> for ConversationMail {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(ConversationMail {
            site_id: columns::parse(&row.site_id)?,
            id: columns::parse(&row.id)?,
            conversation_id: columns::parse(&row.conversation_id)?,
            message_id: row.message_id,
            is_inbound: row.is_inbound,
            mailbox: row.mailbox,
            first_seq: row.first_seq,
            due_at: Timestamp::from_ms(row.due_at_ms),
            created_at: Timestamp::from_ms(row.created_at_ms),
        })
    }
}

/// Stores a mail. Returns false, and stores nothing, when the conversation has a mail with this Message-ID.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn insert(c: &mut Conn, new: &ConversationMail) -> Result<bool> {
    let count = on!(c, |c| {
        diesel::insert_into(mails::table)
            .values((
                mails::site_id.eq(new.site_id.to_string()),
                mails::id.eq(new.id.to_string()),
                mails::conversation_id.eq(new.conversation_id.to_string()),
                mails::message_id.eq(&new.message_id),
                mails::is_inbound.eq(new.is_inbound),
                mails::mailbox.eq(&new.mailbox),
                mails::first_seq.eq(new.first_seq),
                mails::due_at_ms.eq(new.due_at.as_ms()),
                mails::created_at_ms.eq(new.created_at.as_ms()),
            ))
            .on_conflict_do_nothing()
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}

/// Returns a mail of the site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_id(c: &mut Conn, site: SiteId, id: Uuid) -> Result<Option<ConversationMail>> {
    let (site, id) = (site.to_string(), id.to_string());
    let row: Option<Row> = on!(c, |c| {
        mails::table
            .filter(mails::site_id.eq(&site))
            .filter(mails::id.eq(&id))
            .select(Row::as_select())
            .get_result(c)
            .await
            .optional()
    })?;
    row.map(ConversationMail::try_from).transpose()
}

/// Returns all mails of a conversation, oldest first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of(c: &mut Conn, site: SiteId, conversation: ConversationId) -> Result<Vec<ConversationMail>> {
    let (site, conversation) = (site.to_string(), conversation.to_string());
    let rows: Vec<Row> = on!(c, |c| {
        mails::table
            .filter(mails::site_id.eq(&site))
            .filter(mails::conversation_id.eq(&conversation))
            .order((mails::created_at_ms, mails::id))
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(ConversationMail::try_from).collect()
}

/// Returns the number of mails to visitors that were created after `after`: of the site, and those to this mailbox.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn counts_since(c: &mut Conn, site: SiteId, mailbox: &str, after: Timestamp) -> Result<(i64, i64)> {
    let site = site.to_string();
    let recent = || {
        mails::table
            .filter(mails::site_id.eq(&site))
            .filter(mails::created_at_ms.gt(after.as_ms()))
            .filter(mails::is_inbound.eq(false))
    };
    let all: i64 = on!(c, |c| recent().count().get_result(c).await)?;
    let own: i64 = on!(c, |c| recent().filter(mails::mailbox.eq(mailbox)).count().get_result(c).await)?;
    Ok((all, own))
}

/// Returns the conversation of one of our own mails with these Message-IDs, of whatever site. Their domains are left
/// out. Only for callers who can read the mail of all sites.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn conversation_of(c: &mut Conn, message_ids: &[String]) -> Result<Option<(SiteId, ConversationId)>> {
    let found: Option<(String, String)> = on!(c, |c| {
        mails::table
            .filter(mails::message_id.eq_any(message_ids))
            .filter(mails::is_inbound.eq(false))
            .order(mails::created_at_ms.desc())
            .select((mails::site_id, mails::conversation_id))
            .first(c)
            .await
            .optional()
    })?;
    found.map(|(site, id)| Ok((columns::parse(&site)?, columns::parse(&id)?))).transpose()
}

/// Returns the IDs of the mails to the visitors of these conversations.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn ids_of(c: &mut Conn, site: SiteId, conversations: &[ConversationId]) -> Result<Vec<Uuid>> {
    let (site, conversations) = (site.to_string(), columns::texts(conversations));
    let rows: Vec<String> = on!(c, |c| {
        mails::table
            .filter(mails::site_id.eq(&site))
            .filter(mails::conversation_id.eq_any(&conversations))
            .filter(mails::is_inbound.eq(false))
            .select(mails::id)
            .load(c)
            .await
    })?;
    rows.iter().map(|id| columns::parse(id)).collect()
}
