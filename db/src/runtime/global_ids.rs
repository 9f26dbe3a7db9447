//! Whose a thing is, of which nothing but the id is known. These look at all sites at once: only for
//! an operator, who may see each. Everybody else's finders take the site that their key opens.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use helpbot_domain::ids::SiteId;

use crate::columns;
use crate::connection::Conn;
use crate::connection::conn::on;
use crate::error::Result;
use crate::schema::{conversations, deliveries, keys, members, sites, sources, webhooks};
use helpbot_domain::global_id::GlobalId;

/// In tables whose key begins with the site, a look into the key for each site there is, and not
/// through the whole table: an id alone is in no index of theirs.
macro_rules! site_by_id {
    ($c:expr, $table:ident, $id:expr) => {{
        let id = $id.to_string();
        on!($c, |c| {
            $table::table
                .filter($table::site_id.eq_any(sites::table.select(sites::id)))
                .filter($table::id.eq(&id))
                .select($table::site_id)
                .first(c)
                .await
                .optional()
        })?
    }};
}

/// The site that a thing belongs to; none when there is no such thing, or no site that has it.
///
/// # Errors
/// Only the database's own.
pub async fn site_of(c: &mut Conn, id: GlobalId) -> Result<Option<SiteId>> {
    let site: Option<String> = match id {
        GlobalId::Source(id) => site_by_id!(c, sources, id),
        GlobalId::Conversation(id) => site_by_id!(c, conversations, id),
        GlobalId::Member(id) => site_by_id!(c, members, id),
        GlobalId::Webhook(id) => site_by_id!(c, webhooks, id),
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
