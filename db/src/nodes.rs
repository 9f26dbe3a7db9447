//! Whose a thing is, of which nothing but the id is known. These look at all sites at once: only for
//! an operator, who may see each. Everybody else's finders take the site that their key opens.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use helpbot_domain::ids::{ConversationId, KeyId, MemberId, SiteId, SourceId, WebhookId};
use uuid::Uuid;

use crate::conn::on;
use crate::schema::{conversations, deliveries, keys, members, sites, sources, webhooks};
use crate::{Conn, Result, columns};

/// A thing with an id of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// A source.
    Source(SourceId),
    /// A conversation.
    Conversation(ConversationId),
    /// A key.
    Key(KeyId),
    /// A member.
    Member(MemberId),
    /// A webhook.
    Webhook(WebhookId),
    /// A delivery.
    Delivery(Uuid),
}

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
pub async fn site_of(c: &mut Conn, thing: Thing) -> Result<Option<SiteId>> {
    let site: Option<String> = match thing {
        Thing::Source(id) => site_by_id!(c, sources, id),
        Thing::Conversation(id) => site_by_id!(c, conversations, id),
        Thing::Member(id) => site_by_id!(c, members, id),
        Thing::Webhook(id) => site_by_id!(c, webhooks, id),
        Thing::Key(id) => {
            let id = id.to_string();
            let key = on!(c, |c| keys::table.find(&id).select(keys::site_id).first(c).await.optional())?;
            key.flatten()
        }
        Thing::Delivery(id) => {
            let id = id.to_string();
            on!(c, |c| deliveries::table.find(&id).select(deliveries::site_id).first(c).await.optional())?
        }
    };
    columns::parse_opt(site.as_deref())
}
