//! The fields `node` and `nodes`: any object by its global ID.
//!
//! The prefix of an ID names its type. An object that the viewer may not read gives the same
//! answer as one that does not exist. All objects are read by the loaders of the request, so that
//! `nodes` reads the objects of each type with one query.

use async_graphql::{Context, ID, Interface, Object, Result, Union};
use helpbot_domain::Invalid;
use helpbot_domain::chunk::{ChunkKind, StoredChunk};
use helpbot_domain::global_id::GlobalId;
use helpbot_domain::ids::{
    BlockId, CannedReplyId, CaseId, ChunkId, ContactId, ConversationId, DocumentId, KeyId, MemberId, NoteId, PreviewId,
    RuleId, SessionId, SiteId, SourceId, WebhookId,
};
use helpbot_services::Error;

use crate::error::top_level;
use crate::schema::access::Access;
use crate::schema::answer_rules::AnswerRule;
use crate::schema::canned_replies::CannedReply;
use crate::schema::contacts::Contact;
use crate::schema::conversations::Conversation;
use crate::schema::conversations::notes::Note;
use crate::schema::entries::FaqEntry;
use crate::schema::evaluation::EvaluationCase;
use crate::schema::ids;
use crate::schema::keys::ApiKey;
use crate::schema::loaders::{self, Loaded};
use crate::schema::members::Member;
use crate::schema::page;
use crate::schema::previews::ChangePreview;
use crate::schema::sessions::Session;
use crate::schema::sites::Site;
use crate::schema::sources::Source;
use crate::schema::sources::pages::{Page, Passage};
use crate::schema::visitors::BlockedVisitor;
use crate::schema::webhooks::Webhook;
use crate::schema::webhooks::deliveries::WebhookDelivery;

/// Maximum number of IDs of one request, as many as a page of a list can have.
const NODES_MAX: usize = page::MAX as usize;

/// Writes the interface `Node` and the union of the same types that federation calls `_Entity`.
macro_rules! nodes {
    ($($name:ident,)+) => {
        /// An object that has a global ID.
        #[derive(Interface)]
        #[graphql(field(
            name = "id",
            ty = "ID",
            desc = "Global ID of the object, which is unique among all objects."
        ))]
        #[allow(clippy::large_enum_variant, reason = "lives for one field of one response")]
        pub enum Node {
            $($name($name),)+
        }

        /// An object that other subgraphs refer to by its type and its ID.
        #[derive(Union)]
        #[graphql(name = "_Entity")]
        #[allow(clippy::large_enum_variant, reason = "lives for one field of one response")]
        pub enum Entity {
            $($name($name),)+
        }

        impl Node {
            /// The object as an entity. `None` when it is not of the type `type_name`.
            pub(crate) fn entity(self, type_name: &str) -> Option<Entity> {
                match self {
                    $(Self::$name(object) if type_name == stringify!($name) => Some(Entity::$name(object)),)+
                    _ => None,
                }
            }
        }
    };
}

nodes! {
    AnswerRule, ApiKey, BlockedVisitor, CannedReply, ChangePreview, Contact, Conversation, EvaluationCase, FaqEntry, Member,
    Note, Page, Passage, Session, Site, Source, Webhook, WebhookDelivery,
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

/// The object with this ID. `None` when it does not exist or the viewer may not read it.
pub(crate) async fn find(access: &Access, id: &ID) -> Result<Option<Node>> {
    let kind = id.split('_').next().unwrap_or_default();
    let thing = match kind {
        SiteId::PREFIX => return site(access, id).await,
        SourceId::PREFIX => GlobalId::Source(ids::read(id)),
        ConversationId::PREFIX => GlobalId::Conversation(ids::read(id)),
        KeyId::PREFIX => GlobalId::Key(ids::read(id)),
        MemberId::PREFIX => GlobalId::Member(ids::read(id)),
        WebhookId::PREFIX => GlobalId::Webhook(ids::read(id)),
        ChunkId::PREFIX => GlobalId::Chunk(ids::read(id)),
        DocumentId::PREFIX => GlobalId::Page(ids::read(id)),
        CaseId::PREFIX => GlobalId::Case(ids::read(id)),
        BlockId::PREFIX => GlobalId::Block(ids::read(id)),
        NoteId::PREFIX => GlobalId::Note(ids::read(id)),
        CannedReplyId::PREFIX => GlobalId::CannedReply(ids::read(id)),
        RuleId::PREFIX => GlobalId::Rule(ids::read(id)),
        PreviewId::PREFIX => GlobalId::Preview(ids::read(id)),
        SessionId::PREFIX => GlobalId::Session(ids::read(id)),
        ContactId::PREFIX => GlobalId::Contact(ids::read(id)),
        // A delivery is identified by the UUID that the header of each attempt carries.
        _ => match id.parse() {
            Ok(id) => GlobalId::Delivery(id),
            Err(_) => return Ok(None),
        },
    };
    let of = match access.loaders.site_of(thing).await {
        Ok(site) => site,
        Err(error) if is_hidden(&error) => return Ok(None),
        Err(error) => return Err(loaders::failed(error)),
    };
    match load(access, of, thing).await {
        Ok(node) => Ok(node),
        Err(error) if is_hidden(&error) => Ok(None),
        Err(error) => Err(loaders::failed(error)),
    }
}

async fn site(access: &Access, id: &ID) -> Result<Option<Node>> {
    match Site::load(access, Some(id)).await {
        Ok(site) => Ok(Some(Node::Site(site))),
        Err(error) if is_hidden(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether the object must look to the viewer as if it did not exist.
fn is_hidden(error: &Error) -> bool {
    matches!(error, Error::NotFound(_) | Error::Forbidden(_) | Error::PlanRequired { .. })
}

/// Reads an object of a site with the loaders. All objects of a batch share its failure.
async fn load(access: &Access, site: SiteId, thing: GlobalId) -> Loaded<Option<Node>> {
    let (loaders, of) = (&access.loaders, || access.clone());
    Ok(match thing {
        GlobalId::Source(id) => loaders.source(site, id).await?.map(|row| Node::Source(Source { row, access: of() })),
        GlobalId::Conversation(id) => {
            loaders.conversation(site, id).await?.map(|row| Node::Conversation(Conversation { row, access: of() }))
        }
        GlobalId::Key(id) => loaders.key(site, id).await?.map(|row| Node::ApiKey(row.into())),
        GlobalId::Member(id) => loaders.member(site, id).await?.map(|row| Node::Member(row.into())),
        GlobalId::Webhook(id) => {
            loaders.webhook(site, id).await?.map(|row| Node::Webhook(Webhook { row, access: of() }))
        }
        GlobalId::Delivery(id) => {
            let found = loaders.delivery(site, id).await?;
            found.map(|row| Node::WebhookDelivery(WebhookDelivery::alone(row, access)))
        }
        GlobalId::Chunk(id) => loaders.chunk(site, id).await?.map(|row| chunk(row, access)),
        GlobalId::Page(id) => loaders.page(site, id).await?.map(|row| Node::Page(Page { row, access: of() })),
        GlobalId::Case(id) => {
            loaders.case(site, id).await?.map(|row| Node::EvaluationCase(EvaluationCase { row, access: of() }))
        }
        GlobalId::Block(id) => {
            loaders.block(site, id).await?.map(|row| Node::BlockedVisitor(BlockedVisitor::new(row, of())))
        }
        GlobalId::Note(id) => loaders.note(site, id).await?.map(|row| Node::Note(Note { row, access: of() })),
        GlobalId::CannedReply(id) => {
            loaders.canned_reply(site, id).await?.map(|row| Node::CannedReply(CannedReply { row, access: of() }))
        }
        GlobalId::Rule(id) => {
            loaders.rule(site, id).await?.map(|row| Node::AnswerRule(AnswerRule { row, access: of() }))
        }
        GlobalId::Preview(id) => {
            loaders.preview(site, id).await?.map(|row| Node::ChangePreview(ChangePreview { row, access: of() }))
        }
        GlobalId::Session(id) => {
            loaders.session(site, id).await?.map(|row| Node::Session(Session { row, access: of() }))
        }
        GlobalId::Contact(id) => {
            loaders.contact(site, id).await?.map(|row| Node::Contact(Contact { row, access: of() }))
        }
    })
}

/// Entries and passages have IDs of the same form.
fn chunk(row: StoredChunk, access: &Access) -> Node {
    match row.chunk.kind {
        ChunkKind::Faq => Node::FaqEntry(FaqEntry { row, access: access.clone() }),
        ChunkKind::Passage => Node::Passage(row.into()),
    }
}
