//! The fields `node` and `nodes`: any object by its global ID.
//!
//! The prefix of an ID names its type. An object that the viewer may not read gives the same
//! answer as one that does not exist.

use async_graphql::{Context, ID, Interface, Object, Result};
use helpbot_domain::Invalid;
use helpbot_domain::global_id::GlobalId;
use helpbot_domain::ids::{ConversationId, KeyId, MemberId, SiteId, SourceId, WebhookId};
use helpbot_services::accounts::{keys, members};
use helpbot_services::runtime::global_ids;
use helpbot_services::webhooks::{self, deliveries};
use helpbot_services::{Error, sources};
use uuid::Uuid;

use crate::error::top_level;
use crate::schema::access::Access;
use crate::schema::conversations::Conversation;
use crate::schema::ids;
use crate::schema::keys::ApiKey;
use crate::schema::loaders;
use crate::schema::members::Member;
use crate::schema::page;
use crate::schema::sites::Site;
use crate::schema::sources::Source;
use crate::schema::webhooks::Webhook;
use crate::schema::webhooks::deliveries::WebhookDelivery;

/// Maximum number of IDs of one request, as many as a page of a list can have.
const NODES_MAX: usize = page::MAX as usize;

/// An object that has a global ID.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Global ID of the object, which is unique among all objects."))]
#[allow(clippy::large_enum_variant, reason = "lives for one field of one response")]
pub enum Node {
    Site(Site),
    Source(Source),
    Conversation(Conversation),
    ApiKey(ApiKey),
    Member(Member),
    Webhook(Webhook),
    WebhookDelivery(WebhookDelivery),
}

/// The fields that find objects by their global IDs.
#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Returns the object with the given global ID. The result is null when no such object exists or
    /// the API key may not read it.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Global ID of an object, for example `conv_…` or `src_…`. The ID of a webhook delivery is a UUID."
        )]
        id: ID,
    ) -> Result<Option<Node>> {
        find(Access::of(ctx), &id).await
    }

    /// Returns the objects with the given global IDs, in the order of `ids`. An item is null when no
    /// such object exists or the API key may not read it.
    ///
    /// Fails with `BAD_USER_INPUT` for more than 100 IDs.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Global IDs of the objects. At most 100 are accepted.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        let access = Access::of(ctx);
        if ids.len() > NODES_MAX {
            let message = format!("ids can contain at most {NODES_MAX} IDs.");
            return Err(top_level(Invalid::new("ids", message).into()));
        }
        let found = ids.iter().map(|id| find(access, id));
        futures_util::future::try_join_all(found).await
    }
}

async fn find(access: &Access, id: &ID) -> Result<Option<Node>> {
    let kind = id.split('_').next().unwrap_or_default();
    let found = match kind {
        SiteId::PREFIX => Site::load(access, Some(id)).await.map(|site| Some(Node::Site(site))),
        SourceId::PREFIX => source(access, ids::read(id)).await,
        ConversationId::PREFIX => return conversation(access, ids::read(id)).await,
        KeyId::PREFIX => key(access, ids::read(id)).await,
        MemberId::PREFIX => member(access, ids::read(id)).await,
        WebhookId::PREFIX => webhook(access, ids::read(id)).await,
        // A delivery is identified by the UUID that the header of each attempt carries.
        _ => match id.parse() {
            Ok(id) => delivery(access, id).await,
            Err(_) => Ok(None),
        },
    };
    match found {
        Ok(node) => Ok(node),
        Err(error) if is_hidden(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether the object must look to the viewer as if it did not exist.
fn is_hidden(error: &Error) -> bool {
    matches!(error, Error::NotFound(_) | Error::Forbidden(_) | Error::PlanRequired { .. })
}

async fn site_of(access: &Access, thing: GlobalId) -> helpbot_services::Result<Option<SiteId>> {
    global_ids::site_of(&access.services, &access.viewer, thing).await.map(Some)
}

async fn source(access: &Access, id: SourceId) -> helpbot_services::Result<Option<Node>> {
    let site = site_of(access, GlobalId::Source(id)).await?;
    let found = sources::by_ids(&access.services, &access.viewer, site, &[id]).await?;
    Ok(found.into_iter().next().map(|row| Node::Source(Source { row, access: access.clone() })))
}

async fn key(access: &Access, id: KeyId) -> helpbot_services::Result<Option<Node>> {
    let site = site_of(access, GlobalId::Key(id)).await?;
    let found = keys::list(&access.services, &access.viewer, site).await?;
    Ok(found.into_iter().find(|key| key.id == id).map(|key| Node::ApiKey(key.into())))
}

async fn member(access: &Access, id: MemberId) -> helpbot_services::Result<Option<Node>> {
    let site = site_of(access, GlobalId::Member(id)).await?;
    let found = members::by_ids(&access.services, &access.viewer, site, &[id]).await?;
    Ok(found.into_iter().next().map(|member| Node::Member(member.into())))
}

async fn webhook(access: &Access, id: WebhookId) -> helpbot_services::Result<Option<Node>> {
    let site = site_of(access, GlobalId::Webhook(id)).await?;
    let row = webhooks::get(&access.services, &access.viewer, site, id).await?;
    Ok(Some(Node::Webhook(Webhook { row, access: access.clone() })))
}

async fn delivery(access: &Access, id: Uuid) -> helpbot_services::Result<Option<Node>> {
    let site = site_of(access, GlobalId::Delivery(id)).await?;
    let row = deliveries::get(&access.services, &access.viewer, site, id).await?;
    Ok(Some(Node::WebhookDelivery(WebhookDelivery::alone(row, access))))
}

/// Uses the loader, so that `nodes` reads many conversations with one query. They share its failure.
async fn conversation(access: &Access, id: ConversationId) -> Result<Option<Node>> {
    let site = match global_ids::site_of(&access.services, &access.viewer, GlobalId::Conversation(id)).await {
        Ok(site) => site,
        Err(error) if is_hidden(&error) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    match access.loaders.conversation(site, id).await {
        Ok(found) => Ok(found.map(|row| Node::Conversation(Conversation { row, access: access.clone() }))),
        Err(error) if is_hidden(&error) => Ok(None),
        Err(error) => Err(loaders::failed(error)),
    }
}
