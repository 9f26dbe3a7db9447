//! The direct execution of the queries that pages of conversations consist of.
//!
//! The gateway calls [`execute`] for a query that selects only [`FIELDS`], as described in
//! [`gateway::direct`](crate::gateway::direct). The rules are those of the use cases; this folder reads
//! the arguments, calls the same use cases as the resolvers, and writes the JSON. [`conversations`] reads all
//! objects of a page before it writes the first one, so that each table is read once.
//!
//! `None` means that async-graphql must execute the query. Tests compare both ways for every field.

mod arguments;
mod connection;
mod conversations;
mod writer;

use async_graphql::{ID, Variables};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use helpbot_domain::site::Site;
use helpbot_services::accounts::sites;
use helpbot_services::{Error, Services, Viewer};

use crate::gateway::direct::{DirectData, DirectRules};
use crate::gateway::guard::plan::{PlannedField, QueryPlan, TYPE_NAME};
use crate::schema::enums::Plan;
use crate::schema::ids;
use crate::schema::plain::PlainValue as _;
use arguments::Arguments;
use conversations::ConversationPage;
use writer::JsonWriter;

/// What is read directly.
pub(super) const RULES: DirectRules = DirectRules { fields: FIELDS, execute };

/// The fields that can be read directly. Every field of a plan is one of them.
const FIELDS: &[(&str, &[&str])] = &[
    ("Query", &["site"]),
    ("Site", &["id", "name", "plan", "createdAt", "conversations"]),
    ("ConversationConnection", &["nodes", "edges", "pageInfo", "totalCount"]),
    ("ConversationEdge", &["node", "cursor"]),
    (
        "Conversation",
        &[
            "id",
            "sessionId",
            "question",
            "answer",
            "outcome",
            "isUnanswered",
            "confidence",
            "feedback",
            "feedbackReason",
            "feedbackComment",
            "language",
            "createdAt",
            "updatedAt",
            "sources",
            "citations",
            "messages",
            "handoff",
        ],
    ),
    ("Citation", &["url", "title", "quote", "score", "textFragment", "source"]),
    ("Source", &["id", "kind", "url", "title", "status", "error", "pageCount", "documentCount", "chunkCount"]),
    ("Handoff", &["status", "customerEmail", "requestedAt"]),
    ("MessageConnection", &["nodes", "edges", "pageInfo", "totalCount"]),
    ("MessageEdge", &["node", "cursor"]),
    ("Message", &["id", "seq", "author", "agentName", "text", "createdAt"]),
    ("PageInfo", &["hasNextPage", "hasPreviousPage", "startCursor", "endCursor"]),
];

/// The use cases as the viewer of a query may use them, and the values of its variables.
#[derive(Clone, Copy)]
struct DirectQuery<'a> {
    services: &'a Services,
    viewer: &'a Viewer,
    variables: &'a Variables,
}

/// Room for the JSON text of an answer with few objects.
const SMALL_BYTES: usize = 512;

fn execute<'a>(
    services: &'a Services,
    viewer: &'a Viewer,
    plan: &'a QueryPlan,
    variables: &'a Variables,
) -> BoxFuture<'a, Option<DirectData>> {
    let query = DirectQuery { services, viewer, variables };
    async move {
        let mut roots = Vec::with_capacity(plan.fields.len());
        for field in &plan.fields {
            roots.push(Root::read(query, field).await?);
        }
        let room: usize = roots.iter().map(Root::room).sum();
        let mut json = JsonWriter::with_capacity(SMALL_BYTES + room);
        let mut roots = roots.iter();
        json.object(&plan.fields, |json, field| roots.next()?.write(query, json, field))?;
        let (json, objects) = json.finish();
        Some(DirectData { json, objects: objects.saturating_sub(1) })
    }
    .boxed()
}

/// A root field with everything that it selects.
enum Root {
    TypeName,
    NoSite,
    Site(std::sync::Arc<Site>, Vec<ConversationPage>),
}

impl Root {
    async fn read(query: DirectQuery<'_>, field: &PlannedField) -> Option<Self> {
        if field.name == TYPE_NAME {
            return Some(Root::TypeName);
        }
        let arguments = Arguments { field, variables: query.variables };
        let named = arguments.get::<Option<ID>>("id")?;
        let site = match query.viewer.site(ids::site(named.as_ref())) {
            Ok(id) => sites::remembered(query.services, id).await,
            Err(error) => Err(error),
        };
        let site = match site {
            Ok(site) => site,
            // `Invalid` means that an operator key names no site.
            Err(Error::NotFound(_) | Error::Invalid(_)) => return Some(Root::NoSite),
            Err(_) => return None,
        };
        let mut pages = Vec::new();
        for list in field.fields.iter().filter(|field| field.name == "conversations") {
            pages.push(ConversationPage::read(query, &site, list).await?);
        }
        Some(Root::Site(site, pages))
    }

    /// Bytes that the JSON text needs, about.
    fn room(&self) -> usize {
        match self {
            Root::TypeName | Root::NoSite => 0,
            Root::Site(_, pages) => pages.iter().map(ConversationPage::room).sum(),
        }
    }

    fn write(&self, query: DirectQuery<'_>, json: &mut JsonWriter, field: &PlannedField) -> Option<()> {
        let (site, pages) = match self {
            Root::TypeName => return json.word("Query"),
            Root::NoSite => return json.null(),
            Root::Site(site, pages) => (site, pages),
        };
        let mut pages = pages.iter();
        json.object(&field.fields, |json, field| match field.name.as_str() {
            "id" => json.word(site.id),
            "name" => json.string(&site.name),
            "plan" => json.choice(Plan::from(site.plan)),
            "createdAt" => json.word(site.created_at),
            "conversations" => pages.next()?.write(query, json, field),
            TYPE_NAME => json.word("Site"),
            _ => None,
        })
    }
}
