//! Notices of handoffs: which handoffs the owner of a site is notified of, and in which mail.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::Conversation;
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::limit::MailRequester;
use uuid::Uuid;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;
use crate::paging::delete_oldest;
use crate::schema::handoff_notices as notices;

/// A handoff that the owner is notified of.
#[derive(Debug, Clone)]
pub struct HandoffNotice {
    /// Site of the handoff.
    pub site_id: SiteId,
    /// ID of the notice.
    pub id: Uuid,
    /// Conversation of the handoff.
    pub conversation_id: ConversationId,
    /// Session of the visitor.
    pub session_id: String,
    /// Mailbox of the address that the visitor left.
    pub mailbox: Option<String>,
    /// Keyed hash of the visitor's network address.
    pub address_key: Option<String>,
    /// Whether the mail shows the handoff. Otherwise it is only counted.
    pub is_listed: bool,
    /// ID of the mail and the time at which it is sent. `None` when no mail mentions the handoff.
    pub mail: Option<(Uuid, Timestamp)>,
    /// Time of the handoff.
    pub created_at: Timestamp,
}

impl HandoffNotice {
    /// Returns what limits count the handoff by.
    pub fn requester(&self) -> MailRequester {
        MailRequester {
            session_id: Some(self.session_id.clone()),
            mailbox: self.mailbox.clone(),
            address_key: self.address_key.clone(),
        }
    }
}

/// Stores a notice.
///
/// # Errors
/// `Conflict` when the ID is taken.
pub async fn insert(c: &mut Conn, new: &HandoffNotice) -> Result<()> {
    on!(c, |c| {
        diesel::insert_into(notices::table)
            .values((
                notices::site_id.eq(new.site_id.to_string()),
                notices::id.eq(new.id.to_string()),
                notices::conversation_id.eq(new.conversation_id.to_string()),
                notices::session_id.eq(&new.session_id),
                notices::mailbox.eq(&new.mailbox),
                notices::address_key.eq(&new.address_key),
                notices::is_listed.eq(new.is_listed),
                notices::mail_id.eq(new.mail.map(|(id, _)| id.to_string())),
                notices::mail_due_at_ms.eq(new.mail.map(|(_, due)| due.as_ms())),
                notices::created_at_ms.eq(new.created_at.as_ms()),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Returns the site's newest mail about handoffs, with the time at which it is or was due.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn newest_mail(c: &mut Conn, site: SiteId) -> Result<Option<(Uuid, Timestamp)>> {
    let site = site.to_string();
    let row: Option<(Option<String>, Option<i64>)> = on!(c, |c| {
        notices::table
            .filter(notices::site_id.eq(&site))
            .filter(notices::mail_due_at_ms.is_not_null())
            .order(notices::mail_due_at_ms.desc())
            .limit(1)
            .select((notices::mail_id, notices::mail_due_at_ms))
            .get_result(c)
            .await
            .optional()
    })?;
    match row {
        Some((Some(id), Some(due))) => Ok(Some((columns::parse(&id)?, Timestamp::from_ms(due)))),
        _ => Ok(None),
    }
}

/// Returns the number of mails about handoffs that were due after `after`.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn mails_since(c: &mut Conn, site: SiteId, after: Timestamp) -> Result<usize> {
    let site = site.to_string();
    let mails: Vec<Option<String>> = on!(c, |c| {
        notices::table
            .filter(notices::site_id.eq(&site))
            .filter(notices::mail_due_at_ms.gt(after.as_ms()))
            .select(notices::mail_id)
            .distinct()
            .load(c)
            .await
    })?;
    Ok(mails.len())
}

/// Returns the visitors who requested a human after `after`, of the handoffs that a mail lists.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn requesters_since(c: &mut Conn, site: SiteId, after: Timestamp) -> Result<Vec<MailRequester>> {
    let site = site.to_string();
    let rows: Vec<(Option<String>, Option<String>, Option<String>)> = on!(c, |c| {
        notices::table
            .filter(notices::site_id.eq(&site))
            .filter(notices::created_at_ms.gt(after.as_ms()))
            .filter(notices::is_listed.eq(true))
            .select((notices::session_id.nullable(), notices::mailbox, notices::address_key))
            .load(c)
            .await
    })?;
    Ok(rows.into_iter().map(super::requester).collect())
}

/// Returns the conversations that a mail lists, oldest handoff first, at most `limit`.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn listed_in(c: &mut Conn, site: SiteId, mail: Uuid, limit: i64) -> Result<Vec<Conversation>> {
    let (site_text, mail) = (site.to_string(), mail.to_string());
    let ids: Vec<String> = on!(c, |c| {
        notices::table
            .filter(notices::site_id.eq(&site_text))
            .filter(notices::mail_id.eq(&mail))
            .filter(notices::is_listed.eq(true))
            .order((notices::created_at_ms, notices::id))
            .limit(limit)
            .select(notices::conversation_id)
            .load(c)
            .await
    })?;
    let mut wanted: Vec<ConversationId> = Vec::new();
    for id in &ids {
        let id = columns::parse(id)?;
        if !wanted.contains(&id) {
            wanted.push(id);
        }
    }
    let mut found = super::by_ids(c, site, &wanted).await?;
    found.sort_by_key(|conversation| wanted.iter().position(|id| *id == conversation.id));
    Ok(found)
}

/// Returns the number of handoffs that a mail is about, listed or not.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count_in(c: &mut Conn, site: SiteId, mail: Uuid) -> Result<i64> {
    let (site, mail) = (site.to_string(), mail.to_string());
    Ok(on!(c, |c| {
        notices::table.filter(notices::site_id.eq(&site)).filter(notices::mail_id.eq(&mail)).count().get_result(c).await
    })?)
}

/// Deletes about `limit` notices of all sites that were created before `before`, oldest first, and returns their
/// number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_before(c: &mut Conn, before: Timestamp, limit: i64) -> Result<usize> {
    Ok(delete_oldest!(c, notices, before, limit))
}

/// Returns the IDs of the mails that mention handoffs of these conversations.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn mails_of(c: &mut Conn, site: SiteId, conversations: &[ConversationId]) -> Result<Vec<Uuid>> {
    let (site, conversations) = (site.to_string(), columns::texts(conversations));
    let rows: Vec<Option<String>> = on!(c, |c| {
        notices::table
            .filter(notices::site_id.eq(&site))
            .filter(notices::conversation_id.eq_any(&conversations))
            .select(notices::mail_id)
            .distinct()
            .load(c)
            .await
    })?;
    rows.iter().flatten().map(|id| columns::parse(id)).collect()
}
