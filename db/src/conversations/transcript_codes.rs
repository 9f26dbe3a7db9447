//! Codes that prove that an e-mail address is a visitor's. The codes themselves are not stored.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::TranscriptCode;
use helpbot_domain::ids::SiteId;
use helpbot_domain::limit::MailRequester;
use uuid::Uuid;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::{ForUpdate, locked};
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::paging::delete_oldest;
use crate::schema::transcript_codes as codes;

#[derive(Queryable, Selectable)]
#[diesel(table_name = codes)]
struct Row {
    site_id: String,
    id: String,
    session_id: String,
    token_id: String,
    email: String,
    mailbox: String,
    address_key: Option<String>,
    attempts: i32,
    created_at_ms: i64,
    confirmed_at_ms: Option<i64>,
}

impl TryFrom<Row> for TranscriptCode {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(TranscriptCode {
            site_id: columns::parse(&row.site_id)?,
            id: columns::parse(&row.id)?,
            session_id: row.session_id,
            token_id: columns::parse(&row.token_id)?,
            email: row.email,
            mailbox: row.mailbox,
            address_key: row.address_key,
            attempts: row.attempts,
            created_at: Timestamp::from_ms(row.created_at_ms),
            confirmed_at: columns::ms(row.confirmed_at_ms),
        })
    }
}

/// Stores a new code.
///
/// # Errors
/// `Conflict` when the ID is taken.
pub async fn insert(c: &mut Conn, new: &TranscriptCode) -> Result<()> {
    on!(c, |c| {
        diesel::insert_into(codes::table)
            .values((
                codes::site_id.eq(new.site_id.to_string()),
                codes::id.eq(new.id.to_string()),
                codes::session_id.eq(&new.session_id),
                codes::token_id.eq(new.token_id.to_string()),
                codes::email.eq(&new.email),
                codes::mailbox.eq(&new.mailbox),
                codes::address_key.eq(&new.address_key),
                codes::attempts.eq(new.attempts),
                codes::created_at_ms.eq(new.created_at.as_ms()),
                codes::confirmed_at_ms.eq(new.confirmed_at.map(Timestamp::as_ms)),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Stores the number of attempts and the confirmation of a code.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn update(c: &mut Conn, changed: &TranscriptCode) -> Result<()> {
    let (site, id) = (changed.site_id.to_string(), changed.id.to_string());
    on!(c, |c| {
        diesel::update(codes::table.filter(codes::site_id.eq(&site)).filter(codes::id.eq(&id)))
            .set((
                codes::attempts.eq(changed.attempts),
                codes::confirmed_at_ms.eq(changed.confirmed_at.map(Timestamp::as_ms)),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Returns a code of the site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_id(c: &mut Conn, site: SiteId, id: Uuid) -> Result<Option<TranscriptCode>> {
    let (site, id) = (site.to_string(), id.to_string());
    let row: Option<Row> = on!(c, |c| {
        codes::table
            .filter(codes::site_id.eq(&site))
            .filter(codes::id.eq(&id))
            .select(Row::as_select())
            .get_result(c)
            .await
            .optional()
    })?;
    row.map(TranscriptCode::try_from).transpose()
}

/// Returns the newest code that was sent to `email` for a session, locked against other writers until
/// the transaction ends.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn newest_locked(
    c: &mut Conn,
    site: SiteId,
    session: &str,
    token: Uuid,
    email: &str,
) -> Result<Option<TranscriptCode>> {
    let (site, token) = (site.to_string(), token.to_string());
    let row: Option<Row> = on!(c, |c| {
        let found = codes::table
            .filter(codes::site_id.eq(&site))
            .filter(codes::session_id.eq(session))
            .filter(codes::token_id.eq(&token))
            .filter(codes::email.eq(email))
            .order((codes::created_at_ms.desc(), codes::id.desc()))
            .limit(1)
            .select(Row::as_select());
        locked(ForUpdate, found).get_result(c).await.optional()
    })?;
    row.map(TranscriptCode::try_from).transpose()
}

/// Returns whether the visitor of a session confirmed the address `email`.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn is_confirmed(c: &mut Conn, site: SiteId, session: &str, token: Uuid, email: &str) -> Result<bool> {
    let (site, token) = (site.to_string(), token.to_string());
    Ok(on!(c, |c| {
        let found = codes::table
            .filter(codes::site_id.eq(&site))
            .filter(codes::session_id.eq(session))
            .filter(codes::token_id.eq(&token))
            .filter(codes::email.eq(email))
            .filter(codes::confirmed_at_ms.is_not_null());
        diesel::select(diesel::dsl::exists(found)).get_result(c).await
    })?)
}

/// Returns the visitors who requested the site's codes that were created after a time.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn since(c: &mut Conn, site: SiteId, after: Timestamp) -> Result<Vec<MailRequester>> {
    let site = site.to_string();
    let rows: Vec<(Option<String>, Option<String>, Option<String>)> = on!(c, |c| {
        codes::table
            .filter(codes::site_id.eq(&site))
            .filter(codes::created_at_ms.gt(after.as_ms()))
            .select((codes::session_id.nullable(), codes::mailbox.nullable(), codes::address_key))
            .load(c)
            .await
    })?;
    Ok(rows.into_iter().map(super::requester).collect())
}

/// Returns the IDs of a session's codes.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn ids_of_session(c: &mut Conn, site: SiteId, session: &str) -> Result<Vec<Uuid>> {
    let site = site.to_string();
    let rows: Vec<String> = on!(c, |c| {
        codes::table
            .filter(codes::site_id.eq(&site))
            .filter(codes::session_id.eq(session))
            .select(codes::id)
            .load(c)
            .await
    })?;
    rows.iter().map(|id| columns::parse(id)).collect()
}

/// Deletes the codes of a session.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_of_session(c: &mut Conn, site: SiteId, session: &str) -> Result<usize> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        diesel::delete(codes::table.filter(codes::site_id.eq(&site)).filter(codes::session_id.eq(session)))
            .execute(c)
            .await
    })?)
}

/// Deletes about `limit` codes of all sites that were created before `before`, oldest first, and returns their
/// number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_before(c: &mut Conn, before: Timestamp, limit: i64) -> Result<usize> {
    Ok(delete_oldest!(c, codes, before, limit))
}

/// Returns the codes of a session, oldest first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of_session(c: &mut Conn, site: SiteId, session: &str) -> Result<Vec<TranscriptCode>> {
    let site = site.to_string();
    let rows: Vec<Row> = on!(c, |c| {
        codes::table
            .filter(codes::site_id.eq(&site))
            .filter(codes::session_id.eq(session))
            .order((codes::created_at_ms, codes::id))
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(TranscriptCode::try_from).collect()
}
