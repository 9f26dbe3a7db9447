//! How far each side of a conversation has read.

use diesel::prelude::*;
use helpbot_domain::conversation::Author;
use helpbot_domain::ids::{ConversationId, SiteId};

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::among;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;
use crate::schema::{messages, read_marks as marks};

/// Records that a side of the conversation has read up to message `seq`. A mark never moves
/// backward. Returns whether it moved.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn mark(c: &mut Conn, site: SiteId, id: ConversationId, reader: Author, seq: i64) -> Result<bool> {
    let (site, id) = (site.to_string(), id.to_string());
    let row = (
        marks::site_id.eq(&site),
        marks::conversation_id.eq(&id),
        marks::reader.eq(reader.as_str()),
        marks::seq.eq(seq),
    );
    let first = on!(c, |c| diesel::insert_into(marks::table).values(row).on_conflict_do_nothing().execute(c).await)?;
    // The condition is checked once the row is locked: of two concurrent readers, the higher number
    // wins.
    let later = on!(c, |c| {
        let row = marks::table
            .filter(marks::site_id.eq(&site))
            .filter(marks::conversation_id.eq(&id))
            .filter(marks::reader.eq(reader.as_str()));
        diesel::update(row.filter(marks::seq.lt(seq))).set(marks::seq.eq(seq)).execute(c).await
    })?;
    Ok(later == 1 || (first == 1 && seq > 0))
}

/// Returns up to which message a side has read each of these conversations. Conversations of which
/// it has read nothing are left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of(
    c: &mut Conn,
    site: SiteId,
    ids: &[ConversationId],
    reader: Author,
) -> Result<Vec<(ConversationId, i64)>> {
    let site = site.to_string();
    let rows: Vec<(String, i64)> = on!(c, |c| {
        marks::table
            .filter(marks::site_id.eq(&site))
            .filter(among(marks::conversation_id, ids))
            .filter(marks::reader.eq(reader.as_str()))
            .select((marks::conversation_id, marks::seq))
            .load(c)
            .await
    })?;
    rows.into_iter().map(|(id, seq)| Ok((columns::parse(&id)?, seq))).collect()
}

/// Returns the positions of the messages that `author` wrote in these conversations.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn written_by(
    c: &mut Conn,
    site: SiteId,
    ids: &[ConversationId],
    author: Author,
) -> Result<Vec<(ConversationId, i64)>> {
    let site = site.to_string();
    let rows: Vec<(String, i64)> = on!(c, |c| {
        messages::table
            .filter(messages::site_id.eq(&site))
            .filter(among(messages::conversation_id, ids))
            .filter(messages::author.eq(author.as_str()))
            .select((messages::conversation_id, messages::seq))
            .load(c)
            .await
    })?;
    rows.into_iter().map(|(id, seq)| Ok((columns::parse(&id)?, seq))).collect()
}
