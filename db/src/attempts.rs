//! Attempts of deliveries: what was sent and what came back, kept for the owner to read.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::SiteId;
use uuid::Uuid;

use crate::conn::on;
use crate::schema::delivery_attempts as attempts;
use crate::{Conn, Result, columns};

/// What came of one attempt, kept for the owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Whose.
    pub site_id: SiteId,
    /// Of which delivery.
    pub delivery_id: Uuid,
    /// From 1, over replays too.
    pub number: i32,
    /// Where it was sent.
    pub url: String,
    /// What was answered; none when nothing was.
    pub status: Option<i32>,
    /// Why nothing was answered: a stable name.
    pub error: Option<String>,
    /// The same in words.
    pub error_text: Option<String>,
    /// Time for the name; none for an open connection or an address.
    pub dns_ms: Option<i64>,
    /// Time for TCP and TLS; none for an open connection.
    pub connect_ms: Option<i64>,
    /// Time to the head of the response.
    pub first_byte_ms: Option<i64>,
    /// Time in all.
    pub total_ms: i64,
    /// As sent; JSON of pairs.
    pub request_headers: String,
    /// The head of what was answered; JSON of pairs.
    pub response_headers: String,
    /// The beginning of what was answered.
    pub response: String,
    /// When it began.
    pub started_at: Timestamp,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = attempts)]
struct Row {
    site_id: String,
    delivery_id: String,
    number: i32,
    url: String,
    status: Option<i32>,
    error: Option<String>,
    error_text: Option<String>,
    dns_ms: Option<i64>,
    connect_ms: Option<i64>,
    first_byte_ms: Option<i64>,
    total_ms: i64,
    request_headers: String,
    response_headers: String,
    response: String,
    started_at_ms: i64,
}

/// An attempt as columns.
macro_rules! row {
    ($new:expr) => {{
        let new: &Attempt = $new;
        (
            attempts::site_id.eq(new.site_id.to_string()),
            attempts::delivery_id.eq(new.delivery_id.to_string()),
            attempts::number.eq(new.number),
            attempts::url.eq(&new.url),
            attempts::status.eq(new.status),
            attempts::error.eq(&new.error),
            attempts::error_text.eq(&new.error_text),
            attempts::dns_ms.eq(new.dns_ms),
            attempts::connect_ms.eq(new.connect_ms),
            attempts::first_byte_ms.eq(new.first_byte_ms),
            attempts::total_ms.eq(new.total_ms),
            attempts::request_headers.eq(&new.request_headers),
            attempts::response_headers.eq(&new.response_headers),
            attempts::response.eq(&new.response),
            attempts::started_at_ms.eq(new.started_at.as_ms()),
        )
    }};
}

/// Keeps an attempt.
///
/// # Errors
/// `Conflict` when its number is taken.
pub async fn insert(c: &mut Conn, new: &Attempt) -> Result<()> {
    on!(c, |c| diesel::insert_into(attempts::table).values(row!(new)).execute(c).await)?;
    Ok(())
}

/// Keeps many.
///
/// # Errors
/// `Conflict` when a number is taken; then some may be kept: roll back.
pub async fn insert_all(c: &mut Conn, new: &[Attempt]) -> Result<()> {
    // One statement where each costs a way to the server; on SQLite a prepared one costs less.
    on!(
        c,
        sqlite | c | {
            for new in new {
                diesel::insert_into(attempts::table).values(row!(new)).execute(c).await?;
            }
            Ok::<_, diesel::result::Error>(0)
        },
        pg | c | {
            let rows: Vec<_> = new.iter().map(|new| row!(new)).collect();
            diesel::insert_into(attempts::table).values(rows).execute(c).await
        }
    )?;
    Ok(())
}

/// The attempts of some deliveries of the site, by delivery and number.
///
/// # Errors
/// Only the database's own.
pub async fn of(c: &mut Conn, site: SiteId, ids: &[Uuid]) -> Result<Vec<Attempt>> {
    let (site, ids) = (site.to_string(), columns::texts(ids));
    let rows: Vec<Row> = on!(c, |c| {
        attempts::table
            .filter(attempts::site_id.eq(&site))
            .filter(attempts::delivery_id.eq_any(&ids))
            .order((attempts::delivery_id, attempts::number))
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter()
        .map(|row| {
            Ok(Attempt {
                site_id: columns::parse(&row.site_id)?,
                delivery_id: columns::parse(&row.delivery_id)?,
                number: row.number,
                url: row.url,
                status: row.status,
                error: row.error,
                error_text: row.error_text,
                dns_ms: row.dns_ms,
                connect_ms: row.connect_ms,
                first_byte_ms: row.first_byte_ms,
                total_ms: row.total_ms,
                request_headers: row.request_headers,
                response_headers: row.response_headers,
                response: row.response,
                started_at: Timestamp::from_ms(row.started_at_ms),
            })
        })
        .collect()
}
