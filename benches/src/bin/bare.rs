//! The ceiling for GraphQL lists: a bare axum handler that runs the same SQL through the same pool and writes the
//! same bytes with serde, without authentication, limits, logs or GraphQL.
//!
//! `benches/peers/compare.py` starts it as `bare DATABASE SITE_ID PORT` beside the server and sends it the same
//! queries. The beginning of the query decides which of the four answers it gets.

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use helpbot_db::conversations::{PageOfList, Window};
use helpbot_db::{DatabaseUrl, Db, conversations, sources};
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::{Conversation, Message};
use helpbot_domain::conversation_order::ConversationOrder;
use helpbot_domain::conversation_parts::ConversationParts as Parts;
use helpbot_domain::conversation_query::ConversationQuery;
use helpbot_domain::ids::{ConversationId, MessageId, SiteId, SourceId};
use helpbot_domain::source::Source;
use helpbot_services::conversations::messages;
use serde::Serialize;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Bare {
    db: Db,
    site: SiteId,
}

#[derive(Serialize)]
struct Answer<T> {
    data: Root<T>,
}

#[derive(Serialize)]
struct Root<T> {
    site: Site<T>,
}

#[derive(Serialize)]
struct Site<T> {
    conversations: Nodes<T>,
}

#[derive(Serialize)]
struct Nodes<T> {
    nodes: Vec<T>,
}

#[derive(Serialize)]
struct OnlyId {
    id: ConversationId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Scalars<'a> {
    id: ConversationId,
    question: &'a str,
    answer: &'a str,
    is_unanswered: bool,
    created_at: Timestamp,
}

#[derive(Serialize)]
struct Nested<'a> {
    #[serde(flatten)]
    scalars: Scalars<'a>,
    citations: Vec<Citation<'a>>,
    messages: Nodes<OneMessage>,
}

#[derive(Serialize)]
struct Citation<'a> {
    url: Option<&'a str>,
    title: &'a str,
    quote: &'a str,
    source: Option<OneSource<'a>>,
}

#[derive(Serialize)]
struct OneSource<'a> {
    id: SourceId,
    title: Option<&'a str>,
    status: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OneMessage {
    id: MessageId,
    author: String,
    text: String,
    created_at: Timestamp,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [path, site, port] = words.as_slice() else { return Err("usage: bare DATABASE SITE_ID PORT".into()) };
    let db = Db::open_migrated(&DatabaseUrl::Sqlite(path.into())).await?;
    let bare = Arc::new(Bare { db, site: site.parse()? });
    let app = Router::new().route("/graphql", post(answer)).with_state(bare);
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    axum::serve(listener, app).await?;
    Ok(())
}

async fn answer(State(bare): State<Arc<Bare>>, body: Bytes) -> Response {
    let asked = |text: &str| body.windows(text.len()).any(|part| part == text.as_bytes());
    let scalars = Parts::QUESTION.with(Parts::ANSWER).with(Parts::OUTCOME).with(Parts::CREATED);
    if asked("citations") {
        let rows = bare.rows(25, scalars.with(Parts::CITATIONS).with(Parts::MESSAGE_COUNT)).await;
        let cited = bare.sources(&rows).await;
        return written(rows.iter().map(|row| nested(row, &cited)).collect());
    }
    if asked("question") {
        let rows = bare.rows(50, scalars).await;
        return written(rows.iter().map(scalars_of).collect());
    }
    let limit = if asked("first: 100") { 100 } else { 1 };
    let rows = bare.rows(limit, Parts::ID).await;
    written(rows.iter().map(|row| OnlyId { id: row.id }).collect())
}

impl Bare {
    async fn rows(&self, shown: usize, parts: Parts) -> Vec<Conversation> {
        let limit = i64::try_from(shown).expect("a small number") + 1;
        let page = PageOfList { order: ConversationOrder::CreatedDesc, window: Window::Offset(0), limit, parts };
        let mut c = self.db.reader().await.expect("a connection");
        let rows = conversations::list(&mut c, self.site, &ConversationQuery::default(), page).await;
        let mut rows = rows.expect("the query succeeds");
        rows.truncate(shown);
        rows
    }

    async fn sources(&self, rows: &[Conversation]) -> Vec<Source> {
        let mut ids: Vec<SourceId> = rows.iter().flat_map(|row| &row.citations).map(|one| one.source_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut c = self.db.reader().await.expect("a connection");
        sources::by_ids(&mut c, self.site, &ids).await.expect("the query succeeds")
    }
}

fn scalars_of(row: &Conversation) -> Scalars<'_> {
    Scalars {
        id: row.id,
        question: &row.question,
        answer: &row.answer,
        is_unanswered: row.outcome.is_unanswered(),
        created_at: row.created_at,
    }
}

fn nested<'a>(row: &'a Conversation, cited: &'a [Source]) -> Nested<'a> {
    let citations = row.citations.iter().map(|one| Citation {
        url: one.url.as_deref(),
        title: &one.title,
        quote: &one.quote,
        source: cited.iter().find(|source| source.id == one.source_id).map(|source| OneSource {
            id: source.id,
            title: source.title.as_deref(),
            status: source.status.as_str().to_uppercase(),
        }),
    });
    let message = |message: Message| OneMessage {
        id: message.id,
        author: message.author.as_str().to_uppercase(),
        text: message.text,
        created_at: message.created_at,
    };
    Nested {
        scalars: scalars_of(row),
        citations: citations.collect(),
        messages: Nodes { nodes: messages::opening(row).into_iter().map(message).collect() },
    }
}

fn written<T: Serialize>(nodes: Vec<T>) -> Response {
    let answer = Answer { data: Root { site: Site { conversations: Nodes { nodes } } } };
    let json = serde_json::to_vec(&answer).expect("plain data is JSON");
    ([(header::CONTENT_TYPE, "application/json")], json).into_response()
}
