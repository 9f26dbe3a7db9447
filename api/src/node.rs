//! Anything that has an id, by its id. The prefix of an id tells its kind.

use async_graphql::{Context, ID, Interface, Object, Result};
use helpbot_domain::ids::{ConversationId, KeyId, MemberId, SiteId, SourceId, WebhookId};
use helpbot_services::{Error, deliveries, keys, members, sources, webhooks};
use uuid::Uuid;

use crate::access::Access;
use crate::conversations::Conversation;
use crate::ids;
use crate::keys::ApiKey;
use crate::loaders;
use crate::members::Member;
use crate::page;
use crate::sites::Site;
use crate::sources::Source;
use crate::webhooks::Webhook;
use crate::webhooks::deliveries::WebhookDelivery;

/// Something that has an id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Its id, unique among all things."))]
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

/// Finding things by their ids.
#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The thing with that id; null when there is none or the key may not see it.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "For example `conv_…` or `src_…`; the UUID of a delivery.")] id: ID,
    ) -> Result<Option<Node>> {
        find(Access::of(ctx), &id).await
    }

    /// The things with those ids, in their order, at most 100; null for each that there is none of.
    #[graphql(complexity = "ids.len().min(page::MAX as usize) * child_complexity")]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        let access = Access::of(ctx);
        let taken = usize::try_from(page::MAX).unwrap_or(0);
        let found = ids.iter().take(taken).map(|id| find(access, id));
        futures_util::future::try_join_all(found).await
    }
}

async fn find(access: &Access, id: &ID) -> Result<Option<Node>> {
    let kind = id.split('_').next().unwrap_or_default();
    let found = match kind {
        SiteId::PREFIX => Site::load(access, Some(id)).await.map(|site| Some(Node::Site(site))),
        SourceId::PREFIX => source(access, id).await,
        ConversationId::PREFIX => return conversation(access, id).await,
        KeyId::PREFIX => key(access, id).await,
        MemberId::PREFIX => member(access, id).await,
        WebhookId::PREFIX => webhook(access, id).await,
        // A delivery has a UUID: that of the header that each attempt carries.
        _ => match id.parse() {
            Ok(id) => delivery(access, id).await,
            Err(_) => Ok(None),
        },
    };
    match found {
        Ok(node) => Ok(node),
        Err(Error::NotFound(_) | Error::Forbidden(_) | Error::PlanRequired { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn source(access: &Access, id: &ID) -> helpbot_services::Result<Option<Node>> {
    let id: SourceId = ids::read(id);
    let found = sources::by_ids(&access.services, &access.viewer, None, &[id]).await?;
    Ok(found.into_iter().next().map(|row| Node::Source(Source { row, access: access.clone() })))
}

async fn key(access: &Access, id: &ID) -> helpbot_services::Result<Option<Node>> {
    let id: KeyId = ids::read(id);
    let found = keys::list(&access.services, &access.viewer, None).await?;
    Ok(found.into_iter().find(|key| key.id == id).map(|key| Node::ApiKey(key.into())))
}

async fn member(access: &Access, id: &ID) -> helpbot_services::Result<Option<Node>> {
    let found = members::by_ids(&access.services, &access.viewer, None, &[ids::read(id)]).await?;
    Ok(found.into_iter().next().map(|member| Node::Member(member.into())))
}

async fn webhook(access: &Access, id: &ID) -> helpbot_services::Result<Option<Node>> {
    let row = webhooks::get(&access.services, &access.viewer, None, ids::read(id)).await?;
    Ok(Some(Node::Webhook(Webhook { row, access: access.clone() })))
}

async fn delivery(access: &Access, id: Uuid) -> helpbot_services::Result<Option<Node>> {
    let row = deliveries::get(&access.services, &access.viewer, None, id).await?;
    Ok(Some(Node::WebhookDelivery(WebhookDelivery::alone(row, access))))
}

async fn conversation(access: &Access, id: &ID) -> Result<Option<Node>> {
    let Some(site) = access.viewer.site_id else { return Ok(None) };
    let found = access.loaders.conversation(site, ids::read(id)).await.map_err(loaders::failed)?;
    Ok(found.map(|row| Node::Conversation(Conversation { row, access: access.clone() })))
}
