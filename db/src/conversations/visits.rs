//! Visits: what is known of the sessions of a site, and to which contacts they belong.
//!
//! [`sessions`](super::sessions) begins and proves sessions. The global ID of a session is the ID of its token, which
//! no other session has.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{ContactId, SessionId, SiteId};
use helpbot_domain::visit::{SessionOrder, SessionQuery, VisitReport, VisitorSession};
use uuid::Uuid;

use crate::columns;
use crate::connection::conn::{Conn, on};
use crate::connection::dialect::among;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::schema::sessions;

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
struct Row {
    site_id: String,
    session_id: String,
    token_id: String,
    created_at_ms: i64,
    last_seen_at_ms: Option<i64>,
    page_url: Option<String>,
    referrer: Option<String>,
    language: Option<String>,
    browser: Option<String>,
    contact_id: Option<String>,
}

impl TryFrom<Row> for VisitorSession {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let token: Uuid = columns::parse(&row.token_id)?;
        Ok(VisitorSession {
            site_id: columns::parse(&row.site_id)?,
            id: SessionId::from_uuid(token),
            session_id: row.session_id,
            page_url: row.page_url,
            referrer: row.referrer,
            language: row.language,
            browser: row.browser,
            contact_id: columns::parse_opt(row.contact_id.as_deref())?,
            created_at: Timestamp::from_ms(row.created_at_ms),
            last_seen_at: Timestamp::from_ms(row.last_seen_at_ms.unwrap_or(row.created_at_ms)),
        })
    }
}

/// Stores what a client reports about a session, and that its visitor was seen at `now`. The first referrer is kept.
/// Returns whether the token with the ID `token` proves the session; otherwise nothing is stored.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn report(
    c: &mut Conn,
    site: SiteId,
    session: &str,
    token: Uuid,
    report: &VisitReport,
    now: Timestamp,
) -> Result<bool> {
    let (site, token) = (site.to_string(), token.to_string());
    let proved = || {
        sessions::table
            .filter(sessions::site_id.eq(&site))
            .filter(sessions::session_id.eq(session))
            .filter(sessions::token_id.eq(&token))
    };
    let count = on!(c, |c| {
        let values = (
            sessions::last_seen_at_ms.eq(now.as_ms()),
            report.page_url.as_ref().map(|page| sessions::page_url.eq(page)),
            report.language.as_ref().map(|language| sessions::language.eq(language)),
            report.browser.as_ref().map(|browser| sessions::browser.eq(browser)),
        );
        diesel::update(proved()).set(values).execute(c).await
    })?;
    if let (1, Some(referrer)) = (count, &report.referrer) {
        on!(c, |c| {
            let without = proved().filter(sessions::referrer.is_null());
            diesel::update(without).set(sessions::referrer.eq(referrer)).execute(c).await
        })?;
    }
    Ok(count == 1)
}

/// Names the contact of a session. Returns false when the token with the ID `token` does not prove the session, or the
/// session belongs to another contact.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn set_contact(c: &mut Conn, site: SiteId, session: &str, token: Uuid, contact: ContactId) -> Result<bool> {
    let (site, token, contact) = (site.to_string(), token.to_string(), contact.to_string());
    let count = on!(c, |c| {
        let free = sessions::table
            .filter(sessions::site_id.eq(&site))
            .filter(sessions::session_id.eq(session))
            .filter(sessions::token_id.eq(&token))
            .filter(sessions::contact_id.is_null().or(sessions::contact_id.eq(&contact)));
        diesel::update(free).set(sessions::contact_id.eq(&contact)).execute(c).await
    })?;
    Ok(count == 1)
}

/// Returns the sessions with these global IDs, in no particular order. Missing ones are left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_ids(c: &mut Conn, site: SiteId, ids: &[SessionId]) -> Result<Vec<VisitorSession>> {
    let (site, tokens): (_, Vec<Uuid>) = (site.to_string(), ids.iter().map(SessionId::uuid).collect());
    let rows: Vec<Row> = on!(c, |c| {
        let found = sessions::table.filter(sessions::site_id.eq(&site)).filter(among(sessions::token_id, &tokens));
        found.select(Row::as_select()).load(c).await
    })?;
    rows.into_iter().map(VisitorSession::try_from).collect()
}

/// Returns the sessions that conversations name with these IDs, in no particular order. Missing ones are left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_session_ids(c: &mut Conn, site: SiteId, ids: &[String]) -> Result<Vec<VisitorSession>> {
    let site = site.to_string();
    let rows: Vec<Row> = on!(c, |c| {
        let found = sessions::table.filter(sessions::site_id.eq(&site)).filter(among(sessions::session_id, ids));
        found.select(Row::as_select()).load(c).await
    })?;
    rows.into_iter().map(VisitorSession::try_from).collect()
}

macro_rules! filtered {
    ($backend:ty, $site:expr, $query:expr) => {{
        let query: &SessionQuery = $query;
        let mut rows = sessions::table.into_boxed::<$backend>().filter(sessions::site_id.eq($site.to_string()));
        if let Some(contact) = query.contact {
            rows = rows.filter(sessions::contact_id.eq(contact.to_string()));
        }
        rows = match query.has_contact {
            Some(true) => rows.filter(sessions::contact_id.is_not_null()),
            Some(false) => rows.filter(sessions::contact_id.is_null()),
            None => rows,
        };
        if let Some(since) = query.seen_since {
            rows = rows.filter(sessions::last_seen_at_ms.ge(since.as_ms()));
        }
        if let Some(before) = query.seen_before {
            rows = rows.filter(sessions::last_seen_at_ms.lt(before.as_ms()));
        }
        if let Some(languages) = &query.languages {
            rows = rows.filter(sessions::language.eq_any(languages.clone()));
        }
        rows
    }};
}

/// Returns at most `limit` sessions in this order, those that follow the session with the time and ID `after`.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn list(
    c: &mut Conn,
    site: SiteId,
    query: &SessionQuery,
    order: SessionOrder,
    after: Option<(Timestamp, SessionId)>,
    limit: i64,
) -> Result<Vec<VisitorSession>> {
    let after = after.map(|(at, id)| (at.as_ms(), id.uuid().to_string()));
    let rows: Vec<Row> = on!(c, <B> |c| {
        let mut rows = filtered!(B, site, query);
        // Every session has a time since migration 0250.
        let seen = sessions::last_seen_at_ms.assume_not_null();
        let made = sessions::created_at_ms;
        if let Some((ms, id)) = after {
            rows = match order {
                SessionOrder::LastSeenDesc => {
                    rows.filter(seen.lt(ms).or(seen.eq(ms).and(sessions::token_id.lt(id))))
                }
                SessionOrder::LastSeenAsc => {
                    rows.filter(seen.gt(ms).or(seen.eq(ms).and(sessions::token_id.gt(id))))
                }
                SessionOrder::CreatedDesc => {
                    rows.filter(made.lt(ms).or(made.eq(ms).and(sessions::token_id.lt(id))))
                }
                SessionOrder::CreatedAsc => {
                    rows.filter(made.gt(ms).or(made.eq(ms).and(sessions::token_id.gt(id))))
                }
            };
        }
        rows = match order {
            SessionOrder::LastSeenDesc => rows.order((seen.desc(), sessions::token_id.desc())),
            SessionOrder::LastSeenAsc => rows.order((seen.asc(), sessions::token_id.asc())),
            SessionOrder::CreatedDesc => rows.order((made.desc(), sessions::token_id.desc())),
            SessionOrder::CreatedAsc => rows.order((made.asc(), sessions::token_id.asc())),
        };
        rows.limit(limit).select(Row::as_select()).load(c).await
    })?;
    rows.into_iter().map(VisitorSession::try_from).collect()
}

/// Returns the number of sessions that meet the conditions.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count(c: &mut Conn, site: SiteId, query: &SessionQuery) -> Result<i64> {
    Ok(on!(c, <B> |c| filtered!(B, site, query).count().get_result(c).await)?)
}
