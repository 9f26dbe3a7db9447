//! The GraphQL schema: one folder per noun, joined into the three root types.
//!
//! `server` builds the gateway from here and prints the schema. A resolver checks nothing and
//! decides nothing: it calls one use case of `services` with the viewer of the request and shapes
//! the result. [`mutation`] and [`page`] hold what all mutations and all lists share.

pub mod access;
pub mod analytics;
pub mod answer_rules;
pub mod audit_log;
pub mod audited;
pub mod batch_jobs;
pub mod business_hours;
pub mod canned_replies;
pub mod contacts;
pub mod conversations;
pub mod cost;
mod direct;
pub mod entries;
pub mod enums;
pub mod evaluation;
pub mod events;
pub mod federation;
pub mod ids;
pub mod keys;
pub mod live;
mod loaders;
pub mod members;
pub mod mutation;
pub mod node;
pub(crate) mod output_object;
pub mod page;
pub mod plain;
pub mod previews;
pub mod scalars;
pub mod sessions;
pub mod sites;
pub mod sources;
pub mod topics;
pub mod trusted_documents;
pub mod upload;
pub mod usage;
pub mod visitors;
pub mod webhooks;

use async_graphql::{Data, MergedObject, MergedSubscription, ObjectType, SDLExportOptions, Schema, SchemaBuilder};
use helpbot_services::{Services, Viewer};

use crate::gateway::execution::Gateway;
use crate::gateway::guard::model::{SchemaModel, SchemaRules};
use crate::gateway::settings::{GatewaySettings, Introspection};
use crate::gateway::trusted::TrustedDocuments;
use crate::schema::access::Access;
use crate::schema::answer_rules::mutation::AnswerRuleMutation;
use crate::schema::audited::Audited;
use crate::schema::batch_jobs::BatchJobQuery;
use crate::schema::business_hours::BusinessHoursMutation;
use crate::schema::canned_replies::CannedReplyMutation;
use crate::schema::contacts::mutation::ContactMutation;
use crate::schema::conversations::erasure::ErasureMutation;
use crate::schema::conversations::handoff::HandoffMutation;
use crate::schema::conversations::mutation::ConversationMutation;
use crate::schema::conversations::notes::NoteMutation;
use crate::schema::conversations::subscription::{ActivitySubscription, AnswerSubscription};
use crate::schema::conversations::transcript::TranscriptMutation;
use crate::schema::conversations::triage::TriageMutation;
use crate::schema::entries::mutation::EntryMutation;
use crate::schema::evaluation::mutation::EvaluationMutation;
use crate::schema::events::content::ContentSubscription;
use crate::schema::events::subscription::EventSubscription;
use crate::schema::federation::FederationQuery;
use crate::schema::keys::KeyMutation;
use crate::schema::live::LiveDirective;
use crate::schema::members::MemberMutation;
use crate::schema::node::NodeQuery;
use crate::schema::previews::mutation::PreviewMutation;
use crate::schema::sessions::mutation::SessionMutation;
use crate::schema::sites::mutation::SiteMutation;
use crate::schema::sites::query::SiteQuery;
use crate::schema::sources::mutation::SourceMutation;
use crate::schema::sources::subscription::SourceSubscription;
use crate::schema::topics::mutation::TopicMutation;
use crate::schema::trusted_documents::TrustedDocumentMutation;
use crate::schema::visitors::mutation::VisitorMutation;
use crate::schema::visitors::retention::RetentionMutation;
use crate::schema::webhooks::mutation::WebhookMutation;

/// Deepest nesting of fields. The standard introspection query needs 15 (measured: 14 blocks it).
const DEPTH: usize = 15;
/// Most directives on one field. More of them have no use and were an attack (CVE-2024-47614).
const DIRECTIVES: usize = 50;

/// Operations that read data.
#[derive(Default, MergedObject)]
#[graphql(name = "Query")]
pub struct QueryRoot(SiteQuery, NodeQuery, BatchJobQuery);

// The type that is served: it has the fields for routers too, and the same description.
/// Operations that read data.
#[derive(Default, MergedObject)]
#[graphql(name = "Query")]
pub struct SubgraphQueryRoot(SiteQuery, NodeQuery, BatchJobQuery, FederationQuery);

/// Operations that change data.
#[derive(Default, MergedObject)]
#[graphql(name = "Mutation")]
pub struct Mutations(
    ConversationMutation,
    HandoffMutation,
    TriageMutation,
    NoteMutation,
    CannedReplyMutation,
    BusinessHoursMutation,
    TranscriptMutation,
    SessionMutation,
    ContactMutation,
    ErasureMutation,
    SourceMutation,
    EntryMutation,
    SiteMutation,
    KeyMutation,
    MemberMutation,
    WebhookMutation,
    EvaluationMutation,
    AnswerRuleMutation,
    PreviewMutation,
    TopicMutation,
    VisitorMutation,
    RetentionMutation,
    TrustedDocumentMutation,
);

/// The mutations, each of which is recorded in the audit log of its site.
pub type MutationRoot = Audited<Mutations>;

/// Operations that report changes as they happen.
#[derive(Default, MergedSubscription)]
#[graphql(name = "Subscription")]
pub struct SubscriptionRoot(
    EventSubscription,
    ContentSubscription,
    AnswerSubscription,
    ActivitySubscription,
    SourceSubscription,
);

/// The schema without the fields of federation, as it is published.
pub type HelpBotSchema = Schema<QueryRoot, MutationRoot, SubscriptionRoot>;

/// What the definition of the schema does not say about its lists and scalars.
const RULES: SchemaRules = SchemaRules {
    list_bounds: cost::LIST_BOUNDS,
    public_fields: sites::PUBLIC_FIELDS,
    page_default: page::DEFAULT as usize,
    page_max: page::MAX as usize,
    scalar_problem: scalars::problem,
    direct: direct::RULES,
};

/// The schema with its default limits. Each request brings the data that its resolvers need.
pub fn schema() -> HelpBotSchema {
    builder(QueryRoot::default()).finish()
}

/// What validation knows about the schema, for documents that are checked before they are executed.
///
/// # Panics
/// When the definition of the schema cannot be parsed, which is an error in the program.
fn model(has_suggestions: bool) -> SchemaModel {
    SchemaModel::new(&schema().sdl(), RULES, has_suggestions).expect("async-graphql writes a valid definition")
}

/// The gateway that authenticates, limits and executes operations of this schema.
pub fn gateway(services: Services, trusted: TrustedDocuments, settings: GatewaySettings) -> Gateway {
    let of_request = services.clone();
    let request_data = move |viewer: &Viewer| {
        let mut data = Data::default();
        data.insert(Access::new(of_request.clone(), viewer.clone()));
        data
    };
    let federation = FederationQuery { has_introspection: settings.introspection == Introspection::Allowed };
    let query = SubgraphQueryRoot(SiteQuery, NodeQuery, BatchJobQuery, federation);
    Gateway::new(builder(query), RULES, services, request_data, trusted, settings)
}

/// The schema with the limits that are not settings. The gateway limits the cost of operations.
fn builder<Q: ObjectType + 'static>(query: Q) -> SchemaBuilder<Q, MutationRoot, SubscriptionRoot> {
    Schema::build(query, MutationRoot::default(), SubscriptionRoot::default())
        .limit_depth(DEPTH)
        .limit_directives(DIRECTIVES)
        .directive(LiveDirective)
}

/// The schema in the schema definition language, exactly as the file `schema.graphql` contains it.
pub fn sdl() -> String {
    let options = SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items();
    let text = schema().sdl_with_options(options.include_specified_by().use_space_ident());
    format!("{}\n", live::describe_arguments(text.trim_end()))
}

/// The schema as the definition of a subgraph, with the directives of Apollo Federation 2.
pub fn federated_sdl() -> String {
    federation::subgraph(&sdl())
}
