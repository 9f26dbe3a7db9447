//! Delivery attempts: what was sent and what came back, for the owner to read.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::SiteId;
use uuid::Uuid;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::insert_rows;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;
use crate::schema::delivery_attempts as attempts;
use helpbot_domain::webhook::Attempt;

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

/// The columns of an attempt with their values.
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

/// Stores an attempt.
///
/// # Errors
/// `Conflict` when its number is taken.
pub async fn insert(c: &mut Conn, new: &Attempt) -> Result<()> {
    on!(c, |c| diesel::insert_into(attempts::table).values(row!(new)).execute(c).await)?;
    Ok(())
}

/// Stores several attempts.
///
/// # Errors
/// `Conflict` when a number is taken. Some attempts may be stored then, so roll back the
/// transaction.
pub async fn insert_all(c: &mut Conn, new: &[Attempt]) -> Result<()> {
    insert_rows!(c, attempts::table, new, |new| row!(new));
    Ok(())
}

/// Returns the attempts of these deliveries of the site, ordered by delivery and number.
///
/// # Errors
/// Returns an error when the query fails.
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
