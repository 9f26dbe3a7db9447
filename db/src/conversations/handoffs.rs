//! The handoffs of conversations over time. The last one of a conversation is the one that its columns describe.
//!
//! A caller that changes the handoffs of a conversation has locked the conversation.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::handoff::HandoffRecord;
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::satisfaction::Rating;

use crate::columns;
use crate::connection::conn::{Conn, on};
use crate::connection::dialect::among;
use crate::connection::prepared::Fixed;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::schema::handoffs;

#[derive(Queryable, Selectable)]
#[diesel(table_name = handoffs)]
struct Row {
    site_id: String,
    conversation_id: String,
    number: i64,
    began_at_ms: i64,
    is_requested: bool,
    assigned_at_ms: Option<i64>,
    first_reply_at_ms: Option<i64>,
    resolved_at_ms: Option<i64>,
    member_id: Option<String>,
    rating: Option<i64>,
    comment: Option<String>,
    rated_at_ms: Option<i64>,
}

impl TryFrom<Row> for HandoffRecord {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let rating = |number: i64| {
            Rating::checked(number).map_err(|_| Error::Corrupt { what: "rating", value: number.to_string() })
        };
        Ok(HandoffRecord {
            site_id: columns::parse(&row.site_id)?,
            conversation_id: columns::parse(&row.conversation_id)?,
            number: row.number,
            began_at: Timestamp::from_ms(row.began_at_ms),
            is_requested: row.is_requested,
            assigned_at: columns::ms(row.assigned_at_ms),
            first_reply_at: columns::ms(row.first_reply_at_ms),
            resolved_at: columns::ms(row.resolved_at_ms),
            member_id: columns::parse_opt(row.member_id.as_deref())?,
            rating: row.rating.map(rating).transpose()?,
            comment: row.comment,
            rated_at: columns::ms(row.rated_at_ms),
        })
    }
}

/// Stores a handoff, in place of the one with the same number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn save(c: &mut Conn, record: &HandoffRecord) -> Result<()> {
    let values = (
        handoffs::began_at_ms.eq(record.began_at.as_ms()),
        handoffs::is_requested.eq(record.is_requested),
        handoffs::assigned_at_ms.eq(record.assigned_at.map(Timestamp::as_ms)),
        handoffs::first_reply_at_ms.eq(record.first_reply_at.map(Timestamp::as_ms)),
        handoffs::resolved_at_ms.eq(record.resolved_at.map(Timestamp::as_ms)),
        handoffs::member_id.eq(record.member_id.map(|id| id.to_string())),
        handoffs::rating.eq(record.rating.map(|rating| i64::from(rating.number()))),
        handoffs::comment.eq(record.comment.clone()),
        handoffs::rated_at_ms.eq(record.rated_at.map(Timestamp::as_ms)),
    );
    let key = (
        handoffs::site_id.eq(record.site_id.to_string()),
        handoffs::conversation_id.eq(record.conversation_id.to_string()),
        handoffs::number.eq(record.number),
    );
    on!(c, |c| {
        let upsert = diesel::insert_into(handoffs::table)
            .values((key, values.clone()))
            .on_conflict((handoffs::site_id, handoffs::conversation_id, handoffs::number))
            .do_update()
            .set(values);
        Fixed(upsert).execute(c).await
    })?;
    Ok(())
}

/// Returns all handoffs of these conversations, those of each conversation oldest first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of(c: &mut Conn, site: SiteId, ids: &[ConversationId]) -> Result<Vec<HandoffRecord>> {
    let site = site.to_string();
    let rows: Vec<Row> = on!(c, |c| {
        handoffs::table
            .filter(handoffs::site_id.eq(&site))
            .filter(among(handoffs::conversation_id, ids))
            .order((handoffs::conversation_id, handoffs::number))
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(HandoffRecord::try_from).collect()
}

/// Returns the last handoff of a conversation.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn last(c: &mut Conn, site: SiteId, id: ConversationId) -> Result<Option<HandoffRecord>> {
    let (site, id) = (site.to_string(), id.to_string());
    let row: Option<Row> = on!(c, |c| {
        handoffs::table
            .filter(handoffs::site_id.eq(&site))
            .filter(handoffs::conversation_id.eq(&id))
            .order(handoffs::number.desc())
            .select(Row::as_select())
            .first(c)
            .await
            .optional()
    })?;
    row.map(HandoffRecord::try_from).transpose()
}

/// Returns the last `limit` handoffs of the site that began from `from` to before `until`, newest first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn between(
    c: &mut Conn,
    site: SiteId,
    from: Timestamp,
    until: Timestamp,
    limit: i64,
) -> Result<Vec<HandoffRecord>> {
    let site = site.to_string();
    let rows: Vec<Row> = on!(c, |c| {
        handoffs::table
            .filter(handoffs::site_id.eq(&site))
            .filter(handoffs::began_at_ms.ge(from.as_ms()))
            .filter(handoffs::began_at_ms.lt(until.as_ms()))
            .order(handoffs::began_at_ms.desc())
            .limit(limit)
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(HandoffRecord::try_from).collect()
}
