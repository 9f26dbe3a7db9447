//! How fast the team replies: when humans were requested and when a member first wrote after that.

use std::collections::HashMap;

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::Author;
use helpbot_domain::ids::SiteId;

use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;
use crate::schema::{conversations as conv, messages};

/// Returns the last `limit` handoffs after `after` with the time of their first reply, newest first. The time is
/// `None` when no member has replied yet.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn recent(
    c: &mut Conn,
    site: SiteId,
    after: Timestamp,
    limit: i64,
) -> Result<Vec<(Timestamp, Option<Timestamp>)>> {
    let site = site.to_string();
    let handoffs: Vec<(String, Option<i64>)> = on!(c, |c| {
        conv::table
            .filter(conv::site_id.eq(&site))
            .filter(conv::handoff_at_ms.gt(after.as_ms()))
            .order(conv::handoff_at_ms.desc())
            .limit(limit)
            .select((conv::id, conv::handoff_at_ms))
            .load(c)
            .await
    })?;
    let ids: Vec<String> = handoffs.iter().map(|(id, _)| id.clone()).collect();
    let replies: Vec<(String, i64)> = on!(c, |c| {
        messages::table
            .filter(messages::site_id.eq(&site))
            .filter(messages::conversation_id.eq_any(&ids))
            .filter(messages::author.eq(Author::Agent.as_str()))
            .select((messages::conversation_id, messages::created_at_ms))
            .load(c)
            .await
    })?;
    let mut by_conversation: HashMap<String, Vec<i64>> = HashMap::new();
    for (id, ms) in replies {
        by_conversation.entry(id).or_default().push(ms);
    }
    let first = |(id, at): (String, Option<i64>)| {
        let at = at.unwrap_or_default();
        let reply = by_conversation.get(&id).and_then(|all| all.iter().copied().filter(|ms| *ms >= at).min());
        (Timestamp::from_ms(at), reply.map(Timestamp::from_ms))
    };
    Ok(handoffs.into_iter().map(first).collect())
}
