//! Anything that has an id, by its id. The prefix of an id tells its kind.

use async_graphql::{Context, ID, Interface, Object, Result};
use helpbot_domain::ids::{ConversationId, KeyId, MemberId, SiteId, SourceId, WebhookId};
use helpbot_services::accounts::{keys, members};
use helpbot_services::runtime::global_ids;
use helpbot_services::webhooks::{self, deliveries};
use helpbot_services::{Error, Thing, sources};
use uuid::Uuid;

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
        SourceId::PREFIX => source(access, ids::read(id)).await,
        ConversationId::PREFIX => return conversation(access, ids::read(id)).await,
        KeyId::PREFIX => key(access, ids::read(id)).await,
        MemberId::PREFIX => member(access, ids::read(id)).await,
        WebhookId::PREFIX => webhook(access, ids::read(id)).await,
        // A delivery has a UUID: that of the header that each attempt carries.
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

/// Whether the thing is as good as not there for the viewer.
fn is_hidden(error: &Error) -> bool {
    matches!(error, Error::NotFound(_) | Error::Forbidden(_) | Error::PlanRequired { .. })
}

async fn site_of(access: &Access, thing: Thing) -> helpbot_services::Result<Option<SiteId>> {
    global_ids::site_of(&access.services, &access.viewer, thing).await.map(Some)
}

async fn source(access: &Access, id: SourceId) -> helpbot_services::Result<Option<Node>> {
    let site = site_of(access, Thing::Source(id)).await?;
    let found = sources::by_ids(&access.services, &access.viewer, site, &[id]).await?;
    Ok(found.into_iter().next().map(|row| Node::Source(Source { row, access: access.clone() })))
}

async fn key(access: &Access, id: KeyId) -> helpbot_services::Result<Option<Node>> {
    let site = site_of(access, Thing::Key(id)).await?;
    let found = keys::list(&access.services, &access.viewer, site).await?;
    Ok(found.into_iter().find(|key| key.id == id).map(|key| Node::ApiKey(key.into())))
}

async fn member(access: &Access, id: MemberId) -> helpbot_services::Result<Option<Node>> {
    let site = site_of(access, Thing::Member(id)).await?;
    let found = members::by_ids(&access.services, &access.viewer, site, &[id]).await?;
    Ok(found.into_iter().next().map(|member| Node::Member(member.into())))
}

async fn webhook(access: &Access, id: WebhookId) -> helpbot_services::Result<Option<Node>> {
    let site = site_of(access, Thing::Webhook(id)).await?;
    let row = webhooks::get(&access.services, &access.viewer, site, id).await?;
    Ok(Some(Node::Webhook(Webhook { row, access: access.clone() })))
}

async fn delivery(access: &Access, id: Uuid) -> helpbot_services::Result<Option<Node>> {
    let site = site_of(access, Thing::Delivery(id)).await?;
    let row = deliveries::get(&access.services, &access.viewer, site, id).await?;
    Ok(Some(Node::WebhookDelivery(WebhookDelivery::alone(row, access))))
}

/// Through the loader, so that `nodes` reads many at once; its failure is shared among them.
async fn conversation(access: &Access, id: ConversationId) -> Result<Option<Node>> {
    let site = match global_ids::site_of(&access.services, &access.viewer, Thing::Conversation(id)).await {
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
