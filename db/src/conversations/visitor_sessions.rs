//! The sessions of a visitor, and the keys of the records about them.
//!
//! Everything that is erased or exported about a visitor belongs to one of these sessions, so this is the one place that says
//! which they are.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use helpbot_domain::ids::SiteId;
use helpbot_domain::page::PageRequest;
use helpbot_domain::visitor::{VisitorIdentity, VisitorRecordKey};

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::prepared::Fixed;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;

/// The session `$2` of the site `$1`, if there is anything of it.
const BY_SESSION: &str = "SELECT session_id FROM sessions WHERE site_id = $1 AND session_id = $2 \
    UNION SELECT session_id FROM conversations WHERE site_id = $1 AND session_id = $2";

/// The sessions of the site `$1` whose visitor has the address `$2`: it was given for replies or for a transcript, or the site's own
/// server named it. A transcript that the team has sent to an address says nothing about who the visitor is.
const BY_EMAIL: &str = "SELECT session_id FROM conversations \
        WHERE site_id = $1 AND customer_email IS NOT NULL AND lower(customer_email) = $2 \
    UNION SELECT session_id FROM transcripts WHERE site_id = $1 AND lower(email) = $2 AND session_id IS NOT NULL \
    UNION SELECT session_id FROM transcript_codes WHERE site_id = $1 AND lower(email) = $2 \
    UNION SELECT s.session_id FROM contacts AS p JOIN sessions AS s ON s.site_id = p.site_id AND s.contact_id = p.id \
        WHERE p.site_id = $1 AND lower(p.email) = $2";

/// A key before or after all others.
const FIRST: &str = "";
const LAST: &str = "\u{10ffff}";

#[derive(QueryableByName)]
struct SessionName {
    #[diesel(sql_type = Text)]
    session_id: String,
}

#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = Text)]
    session_id: String,
    #[diesel(sql_type = Text)]
    id: String,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn found(visitor: &VisitorIdentity) -> (&'static str, &str) {
    match visitor {
        VisitorIdentity::Session(session) => (BY_SESSION, session),
        VisitorIdentity::Email(email) => (BY_EMAIL, email),
    }
}

/// The keys of all records: each session, and its conversations.
fn keys(found: &str) -> String {
    format!(
        "WITH found AS ({found}), record_keys AS (SELECT session_id, '' AS id FROM found UNION ALL \
         SELECT c.session_id, c.id FROM conversations AS c JOIN found AS f ON f.session_id = c.session_id WHERE c.site_id = $1)"
    )
}

/// Returns up to `limit` sessions of a visitor after `after`, in the order of their names.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of(c: &mut Conn, site: SiteId, visitor: &VisitorIdentity, after: &str, limit: i64) -> Result<Vec<String>> {
    let (site, (found, value)) = (site.to_string(), found(visitor));
    let query = format!("SELECT session_id FROM ({found}) AS found WHERE session_id > $3 ORDER BY session_id LIMIT $4");
    let rows: Vec<SessionName> = on!(c, |c| {
        let query = sql_query(&query).bind::<Text, _>(&site).bind::<Text, _>(value);
        Fixed(query.bind::<Text, _>(after).bind::<BigInt, _>(limit)).load(c).await
    })?;
    Ok(rows.into_iter().map(|row| row.session_id).collect())
}

/// Returns one page of the keys of the records about a visitor.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn record_keys(
    c: &mut Conn,
    site: SiteId,
    visitor: &VisitorIdentity,
    page: &PageRequest<VisitorRecordKey>,
) -> Result<Vec<VisitorRecordKey>> {
    let (site, (found, value)) = (site.to_string(), found(visitor));
    let (compared, direction, edge) = if page.is_backward { ("<", "DESC", LAST) } else { (">", "ASC", FIRST) };
    let query = format!(
        "{} SELECT session_id, id FROM record_keys WHERE (session_id, id) {compared} ($3, $4) \
         ORDER BY session_id {direction}, id {direction} LIMIT $5",
        keys(found)
    );
    let session = page.from.as_ref().map_or(edge, |key| key.session_id.as_str());
    let id = page.from.as_ref().and_then(|key| key.conversation_id).map(|id| id.to_string()).unwrap_or_default();
    let rows: Vec<KeyRow> = on!(c, |c| {
        let query = sql_query(&query).bind::<Text, _>(&site).bind::<Text, _>(value);
        let query = query.bind::<Text, _>(session).bind::<Text, _>(&id).bind::<BigInt, _>(page.limit);
        Fixed(query).load(c).await
    })?;
    let key = |row: KeyRow| {
        let conversation_id = columns::parse_opt(Some(row.id.as_str()).filter(|id| !id.is_empty()))?;
        Ok(VisitorRecordKey { session_id: row.session_id, conversation_id })
    };
    rows.into_iter().map(key).collect()
}

/// Returns the number of records about a visitor.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count_records(c: &mut Conn, site: SiteId, visitor: &VisitorIdentity) -> Result<i64> {
    let (site, (found, value)) = (site.to_string(), found(visitor));
    let query = format!("{} SELECT count(*) AS count FROM record_keys", keys(found));
    let row: Counted =
        on!(c, |c| Fixed(sql_query(&query).bind::<Text, _>(&site).bind::<Text, _>(value)).get_result(c).await)?;
    Ok(row.count)
}
