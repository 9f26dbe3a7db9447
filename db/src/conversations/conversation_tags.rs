//! Tags of conversations.

use diesel::dsl::count_star;
use diesel::prelude::*;
use helpbot_domain::ids::{ConversationId, SiteId};

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::among;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;
use crate::schema::conversation_tags as tags;

/// Adds a tag to a conversation. Returns false when the conversation has it.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn add(c: &mut Conn, site: SiteId, id: ConversationId, tag: &str) -> Result<bool> {
    let row = (tags::site_id.eq(site.to_string()), tags::conversation_id.eq(id.to_string()), tags::tag.eq(tag));
    let count = on!(c, |c| diesel::insert_into(tags::table).values(row).on_conflict_do_nothing().execute(c).await)?;
    Ok(count == 1)
}

/// Removes a tag from a conversation. Returns false when the conversation does not have it.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn remove(c: &mut Conn, site: SiteId, id: ConversationId, tag: &str) -> Result<bool> {
    let (site, id) = (site.to_string(), id.to_string());
    let count = on!(c, |c| {
        let row =
            tags::table.filter(tags::site_id.eq(&site)).filter(tags::conversation_id.eq(&id)).filter(tags::tag.eq(tag));
        diesel::delete(row).execute(c).await
    })?;
    Ok(count == 1)
}

/// Returns the tags of these conversations, ordered by conversation and name.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of(c: &mut Conn, site: SiteId, ids: &[ConversationId]) -> Result<Vec<(ConversationId, String)>> {
    let site = site.to_string();
    let rows: Vec<(String, String)> = on!(c, |c| {
        tags::table
            .filter(tags::site_id.eq(&site))
            .filter(among(tags::conversation_id, ids))
            .order((tags::conversation_id, tags::tag))
            .select((tags::conversation_id, tags::tag))
            .load(c)
            .await
    })?;
    rows.into_iter().map(|(id, tag)| Ok((columns::parse(&id)?, tag))).collect()
}

/// Returns the tags of a site with the number of their conversations, the most frequent first, at most `limit`.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn counts(c: &mut Conn, site: SiteId, limit: i64) -> Result<Vec<(String, i64)>> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        tags::table
            .filter(tags::site_id.eq(&site))
            .group_by(tags::tag)
            .order((count_star().desc(), tags::tag.asc()))
            .limit(limit)
            .select((tags::tag, count_star()))
            .load(c)
            .await
    })?)
}
