//! Finding the site of an object of which only the ID is known. These functions search all sites,
//! so they are only for operators. All other finders take the site that the key gives access to.

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

/// Looks up an ID in a table whose primary key starts with the site: one index lookup per site
/// instead of a scan of the table.
macro_rules! site_by_id {
    ($c:expr, $table:ident, $id:expr) => {
        site_by_id!($c, $table, id, $id)
    };
    ($c:expr, $table:ident, $column:ident, $id:expr) => {{
        let id = $id.to_string();
        on!($c, |c| {
            $table::table
                .filter($table::site_id.eq_any(sites::table.filter(sites::deleted_at_ms.is_null()).select(sites::id)))
                .filter($table::$column.eq(&id))
                .select($table::site_id)
                .first(c)
                .await
                .optional()
        })?
    }};
}

/// Returns the site that an object belongs to. `None` when the object does not exist or belongs to
/// no site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn site_of(c: &mut Conn, id: GlobalId) -> Result<Option<SiteId>> {
    let site: Option<String> = match id {
        GlobalId::Source(id) => site_by_id!(c, sources, id),
        GlobalId::Conversation(id) => site_by_id!(c, conversations, id),
        GlobalId::Member(id) => site_by_id!(c, members, id),
        GlobalId::Webhook(id) => site_by_id!(c, webhooks, id),
        GlobalId::Chunk(id) => site_by_id!(c, chunks, id),
        GlobalId::Page(id) => site_by_id!(c, documents, id),
        GlobalId::Case(id) => site_by_id!(c, evaluation_cases, id),
        GlobalId::Block(id) => site_by_id!(c, blocked_visitors, id),
        GlobalId::Note(id) => site_by_id!(c, conversation_notes, id),
        GlobalId::CannedReply(id) => site_by_id!(c, canned_replies, id),
        GlobalId::Rule(id) => site_by_id!(c, answer_rules, id),
        GlobalId::Preview(id) => site_by_id!(c, change_previews, id),
        GlobalId::Contact(id) => site_by_id!(c, contacts, id),
        // A session has the ID of its token.
        GlobalId::Session(id) => site_by_id!(c, sessions, token_id, id.uuid()),
        GlobalId::Key(id) => {
            let id = id.to_string();
            let key = on!(c, |c| keys::table.find(&id).select(keys::site_id).first(c).await.optional())?;
            key.flatten()
        }
        GlobalId::Delivery(id) => {
            let id = id.to_string();
            on!(c, |c| deliveries::table.find(&id).select(deliveries::site_id).first(c).await.optional())?
        }
    };
    columns::parse_opt(site.as_deref())
}
