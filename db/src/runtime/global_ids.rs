//! Finding the site of an object of which only the ID is known. These functions search all sites,
//! so they are only for operators. All other finders take the site that the key gives access to.

use std::collections::HashMap;
use std::mem::discriminant;

use diesel::prelude::*;
use helpbot_domain::ids::SiteId;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;
use crate::schema::{
    answer_rules, blocked_visitors, canned_replies, change_previews, chunks, contacts, conversation_notes,
    conversations, deliveries, documents, evaluation_cases, keys, members, sessions, sites, sources, webhooks,
};
use helpbot_domain::global_id::GlobalId;

/// Looks up IDs in a table whose primary key starts with the site: one index lookup per site and ID
/// instead of a scan of the table. The result has the form `(id, site)`.
macro_rules! sites_by_id {
    ($c:expr, $table:ident, $ids:expr) => {
        sites_by_id!($c, $table, id, $ids)
    };
    ($c:expr, $table:ident, $column:ident, $ids:expr) => {{
        let rows: Vec<(String, String)> = on!($c, |c| {
            $table::table
                .filter($table::site_id.eq_any(sites::table.filter(sites::deleted_at_ms.is_null()).select(sites::id)))
                .filter($table::$column.eq_any(&$ids))
                .select(($table::$column, $table::site_id))
                .load(c)
                .await
        })?;
        rows
    }};
}

/// Returns the site that an object belongs to. `None` when the object does not exist or belongs to
/// no site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn site_of(c: &mut Conn, id: GlobalId) -> Result<Option<SiteId>> {
    Ok(sites_of(c, &[id]).await?.into_iter().next().map(|(_, site)| site))
}

/// Returns the sites that objects belong to, with one statement for each kind of object. Objects that do not exist or belong to no site
/// are left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn sites_of(c: &mut Conn, ids: &[GlobalId]) -> Result<Vec<(GlobalId, SiteId)>> {
    let mut kinds: HashMap<_, Vec<GlobalId>> = HashMap::new();
    for id in ids {
        kinds.entry(discriminant(id)).or_default().push(*id);
    }
    let mut found: HashMap<String, SiteId> = HashMap::new();
    for of_kind in kinds.into_values() {
        let texts = of_kind.iter().map(text).collect();
        for (id, site) in rows_of_kind(c, of_kind[0], texts).await? {
            found.insert(id, columns::parse(&site)?);
        }
    }
    Ok(ids.iter().filter_map(|id| Some((*id, *found.get(&text(id))?))).collect())
}

/// The ID as it is stored.
fn text(id: &GlobalId) -> String {
    match id {
        GlobalId::Source(id) => id.to_string(),
        GlobalId::Conversation(id) => id.to_string(),
        GlobalId::Member(id) => id.to_string(),
        GlobalId::Webhook(id) => id.to_string(),
        GlobalId::Chunk(id) => id.to_string(),
        GlobalId::Page(id) => id.to_string(),
        GlobalId::Case(id) => id.to_string(),
        GlobalId::Block(id) => id.to_string(),
        GlobalId::Note(id) => id.to_string(),
        GlobalId::CannedReply(id) => id.to_string(),
        GlobalId::Rule(id) => id.to_string(),
        GlobalId::Preview(id) => id.to_string(),
        GlobalId::Key(id) => id.to_string(),
        GlobalId::Delivery(id) => id.to_string(),
        GlobalId::Contact(id) => id.to_string(),
        // A session has the ID of its token.
        GlobalId::Session(id) => id.uuid().to_string(),
    }
}

/// The stored IDs and sites of objects of the same kind as `kind`.
async fn rows_of_kind(c: &mut Conn, kind: GlobalId, ids: Vec<String>) -> Result<Vec<(String, String)>> {
    Ok(match kind {
        GlobalId::Source(_) => sites_by_id!(c, sources, ids),
        GlobalId::Conversation(_) => sites_by_id!(c, conversations, ids),
        GlobalId::Member(_) => sites_by_id!(c, members, ids),
        GlobalId::Webhook(_) => sites_by_id!(c, webhooks, ids),
        GlobalId::Chunk(_) => sites_by_id!(c, chunks, ids),
        GlobalId::Page(_) => sites_by_id!(c, documents, ids),
        GlobalId::Case(_) => sites_by_id!(c, evaluation_cases, ids),
        GlobalId::Block(_) => sites_by_id!(c, blocked_visitors, ids),
        GlobalId::Note(_) => sites_by_id!(c, conversation_notes, ids),
        GlobalId::CannedReply(_) => sites_by_id!(c, canned_replies, ids),
        GlobalId::Rule(_) => sites_by_id!(c, answer_rules, ids),
        GlobalId::Preview(_) => sites_by_id!(c, change_previews, ids),
        GlobalId::Contact(_) => sites_by_id!(c, contacts, ids),
        GlobalId::Session(_) => sites_by_id!(c, sessions, token_id, ids),
        GlobalId::Key(_) => {
            let rows: Vec<(String, Option<String>)> = on!(c, |c| {
                keys::table.filter(keys::id.eq_any(&ids)).select((keys::id, keys::site_id)).load(c).await
            })?;
            rows.into_iter().filter_map(|(id, site)| Some((id, site?))).collect()
        }
        GlobalId::Delivery(_) => on!(c, |c| {
            let rows = deliveries::table.filter(deliveries::id.eq_any(&ids));
            rows.select((deliveries::id, deliveries::site_id)).load(c).await
        })?,
    })
}
