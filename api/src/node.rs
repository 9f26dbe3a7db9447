//! Anything that has an id, by its id. The prefix of an id tells its kind.

use async_graphql::{Context, ID, Interface, Object, Result};
use helpbot_domain::ids::{ConversationId, SiteId, SourceId};
use helpbot_services::{Error, sources};

use crate::access::Access;
use crate::conversations::Conversation;
use crate::ids;
use crate::keys::ApiKey;
use crate::loaders;
use crate::page;
use crate::sites::Site;
use crate::sources::Source;

/// Something that has an id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Its id, unique among all things."))]
#[allow(clippy::large_enum_variant, reason = "lives for one field of one response")]
pub enum Node {
    Site(Site),
    Source(Source),
    Conversation(Conversation),
    ApiKey(ApiKey),
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
        #[graphql(desc = "For example `conv_…` or `src_…`.")] id: ID,
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
        _ => Ok(None),
    };
    match found {
        Ok(node) => Ok(node),
        Err(Error::NotFound(_) | Error::Forbidden(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn source(access: &Access, id: &ID) -> helpbot_services::Result<Option<Node>> {
    let id: SourceId = ids::read(id);
    let found = sources::by_ids(&access.services, &access.viewer, None, &[id]).await?;
    Ok(found.into_iter().next().map(|row| Node::Source(Source { row, access: access.clone() })))
}

async fn conversation(access: &Access, id: &ID) -> Result<Option<Node>> {
    let Some(site) = access.viewer.site_id else { return Ok(None) };
    let found = access.loaders.conversation(site, ids::read(id)).await.map_err(loaders::failed)?;
    Ok(found.map(|row| Node::Conversation(Conversation { row, access: access.clone() })))
}
