//! The schema: the nouns put together, its limits, and its text.

pub mod access;
pub mod analytics;
pub mod conversations;
pub mod entries;
pub mod enums;
pub mod evaluation;
pub mod events;
pub mod ids;
pub mod keys;
mod loaders;
pub mod members;
pub mod node;
pub mod page;
pub mod scalars;
pub mod sites;
pub mod sources;
pub mod topics;
pub mod webhooks;

use async_graphql::{Data, MergedObject, MergedSubscription, SDLExportOptions, Schema, SchemaBuilder};
use helpbot_services::{Services, Viewer};

use crate::gateway::{Gateway, GatewaySettings, TrustedDocuments};
use crate::schema::access::Access;
use crate::schema::conversations::erasure::ErasureMutation;
use crate::schema::conversations::mutation::ConversationMutation;
use crate::schema::conversations::subscription::{ActivitySubscription, AnswerSubscription};
use crate::schema::conversations::transcript::TranscriptMutation;
use crate::schema::entries::mutation::EntryMutation;
use crate::schema::evaluation::mutation::EvaluationMutation;
use crate::schema::events::EventSubscription;
use crate::schema::keys::KeyMutation;
use crate::schema::members::MemberMutation;
use crate::schema::node::NodeQuery;
use crate::schema::sites::mutation::SiteMutation;
use crate::schema::sites::query::SiteQuery;
use crate::schema::sources::mutation::SourceMutation;
use crate::schema::sources::subscription::SourceSubscription;
use crate::schema::webhooks::mutation::WebhookMutation;

/// Fields inside fields. The standard introspection query needs 15 (measured: 14 blocks it).
const DEPTH: usize = 15;
/// Fields in all, those of a list times its size; introspection needs about 300.
pub const COMPLEXITY: usize = 2_000;
/// Directives on one field; more has no use and was once an attack (CVE-2024-47614).
const DIRECTIVES: usize = 50;

/// Everything that can be read.
#[derive(Default, MergedObject)]
pub struct Query(SiteQuery, NodeQuery);

/// Everything that can be changed.
#[derive(Default, MergedObject)]
pub struct Mutation(
    ConversationMutation,
    TranscriptMutation,
    ErasureMutation,
    SourceMutation,
    EntryMutation,
    SiteMutation,
    KeyMutation,
    MemberMutation,
    WebhookMutation,
    EvaluationMutation,
);

/// Everything that can be watched.
#[derive(Default, MergedSubscription)]
pub struct Subscription(EventSubscription, AnswerSubscription, ActivitySubscription, SourceSubscription);

/// The schema of HelpBot.
pub type HelpBotSchema = Schema<Query, Mutation, Subscription>;

/// The schema with its limits. What resolvers need comes with each request.
pub fn schema() -> HelpBotSchema {
    builder().limit_complexity(COMPLEXITY).finish()
}

/// The gateway to it, over the use cases.
pub fn gateway(services: Services, trusted: TrustedDocuments, settings: GatewaySettings) -> Gateway {
    let of_request = services.clone();
    let request_data = move |viewer: &Viewer| {
        let mut data = Data::default();
        data.insert(Access::new(of_request.clone(), viewer.clone()));
        data
    };
    Gateway::new(builder, services, request_data, trusted, settings)
}

/// With the limits that no installation sets; the gateway sets the complexity.
fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .limit_depth(DEPTH)
        .limit_directives(DIRECTIVES)
}

/// The text of the schema, as `schema.graphql` holds it.
pub fn sdl() -> String {
    let options = SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items();
    let text = schema().sdl_with_options(options.include_specified_by().use_space_ident());
    format!("{}\n", text.trim_end())
}
