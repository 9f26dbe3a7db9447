//! The client cynic, as an adapter of `scenario.mjs`: the program reads requests from its standard input and writes results
//! and events to its standard output, one JSON object on each line. The derived types are checked against the schema when
//! the program is compiled.

use std::env;
use std::io::{self, BufRead, Write};
use std::thread;
use std::time::Duration;

use cynic::serde::de::DeserializeOwned;
use cynic::serde::{Deserialize, Serialize};
use cynic::{GraphQlResponse, MutationBuilder, QueryBuilder, StreamingOperation, SubscriptionBuilder};
use serde_json::{Value, json};
use tungstenite::Message;
use tungstenite::client::IntoClientRequest;

#[cynic::schema("helpbot")]
mod schema {}

#[derive(cynic::Scalar, Debug, Clone)]
struct DateTime(String);

#[derive(cynic::Enum, Debug, Clone, Copy, PartialEq, Eq)]
enum Feedback {
    Helpful,
    Unhelpful,
}

#[derive(cynic::Enum, Debug, Clone, Copy)]
enum ConversationEventType {
    ConversationAssigned,
    ConversationCreated,
    ConversationFeedback,
    ConversationHandoff,
    ConversationReopened,
    ConversationResolved,
    ConversationUnanswered,
    MessageCreated,
    #[cynic(fallback)]
    Unknown,
}

#[derive(cynic::QueryVariables)]
struct PageVariables {
    search: Option<String>,
    first: Option<i32>,
    after: Option<String>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "PageVariables")]
struct Page {
    site: Option<PagedSite>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Site", variables = "PageVariables")]
struct PagedSite {
    #[arguments(filter: { search: $search }, first: $first, after: $after)]
    conversations: Option<ConversationConnection>,
}

#[derive(cynic::QueryFragment)]
struct ConversationConnection {
    nodes: Vec<Conversation>,
    page_info: PageInfo,
}

#[derive(cynic::QueryFragment)]
struct Conversation {
    id: cynic::Id,
    feedback: Option<Feedback>,
    created_at: DateTime,
}

#[derive(cynic::QueryFragment)]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query")]
struct Newest {
    site: Option<NewestSite>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Site")]
struct NewestSite {
    event_cursor: Option<String>,
}

#[derive(cynic::InputObject)]
#[cynic(graphql_type = "AskQuestionInput")]
struct AskQuestionInput {
    question: String,
}

#[derive(cynic::QueryVariables)]
struct AskVariables {
    input: AskQuestionInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "AskVariables")]
struct Ask {
    #[arguments(input: $input)]
    ask_question: AskQuestionPayload,
}

#[derive(cynic::QueryFragment)]
struct AskQuestionPayload {
    conversation: Option<Conversation>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment)]
struct UserError {
    message: String,
}

#[derive(cynic::InputObject)]
struct SubmitFeedbackInput {
    conversation_id: cynic::Id,
    feedback: Feedback,
}

#[derive(cynic::QueryVariables)]
struct VoteVariables {
    input: SubmitFeedbackInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "VoteVariables")]
struct Vote {
    #[arguments(input: $input)]
    submit_feedback: SubmitFeedbackPayload,
}

#[derive(cynic::QueryFragment)]
struct SubmitFeedbackPayload {
    conversation: Option<Conversation>,
}

#[derive(cynic::QueryVariables)]
struct EventVariables {
    after: Option<String>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Subscription", variables = "EventVariables")]
struct Events {
    #[arguments(after: $after)]
    conversation_events: ConversationEvent,
}

#[derive(cynic::QueryFragment)]
struct ConversationEvent {
    cursor: String,
    #[cynic(rename = "type")]
    kind: ConversationEventType,
    conversation_id: cynic::Id,
}

fn setting(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is set"))
}

/// Runs a query or mutation and returns its data.
fn run<Data: DeserializeOwned>(operation: &impl Serialize) -> Data {
    let response = ureq::post(setting("HELPBOT_URL"))
        .header("authorization", format!("Bearer {}", setting("HELPBOT_KEY")))
        .header("accept", "application/graphql-response+json")
        .send_json(operation);
    let body: GraphQlResponse<Data> =
        response.expect("a response").body_mut().read_json().expect("a response of GraphQL");
    body.data.unwrap_or_else(|| panic!("no data: {:?}", body.errors))
}

fn page(search: &str, first: i32, after: Option<String>) -> Value {
    let variables = PageVariables { search: Some(search.to_owned()), first: Some(first), after };
    let page: Page = run(&Page::build(variables));
    let list = page.site.and_then(|site| site.conversations).expect("a list");
    assert!(list.nodes.iter().all(|node| node.created_at.0.ends_with('Z')), "times are in UTC");
    let ids: Vec<&str> = list.nodes.iter().map(|node| node.id.inner()).collect();
    json!({ "ids": ids, "endCursor": list.page_info.end_cursor, "hasNextPage": list.page_info.has_next_page })
}

fn ask(question: &str) -> Value {
    let asked: Ask = run(&Ask::build(AskVariables { input: AskQuestionInput { question: question.to_owned() } }));
    let Some(conversation) = asked.ask_question.conversation else {
        panic!("{:?}", asked.ask_question.user_errors.iter().map(|error| &error.message).collect::<Vec<_>>());
    };
    json!(conversation.id.inner())
}

fn vote(id: &str) -> Value {
    let input = SubmitFeedbackInput { conversation_id: id.into(), feedback: Feedback::Helpful };
    let voted: Vote = run(&Vote::build(VoteVariables { input }));
    let conversation = voted.submit_feedback.conversation.expect("a conversation");
    json!(if conversation.feedback == Some(Feedback::Helpful) { "HELPFUL" } else { "UNHELPFUL" })
}

fn cursor() -> Value {
    let newest: Newest = run(&Newest::build(()));
    json!(newest.site.and_then(|site| site.event_cursor))
}

#[derive(Deserialize)]
#[serde(crate = "cynic::serde")]
struct Frame {
    #[serde(rename = "type")]
    kind: String,
    payload: Option<Value>,
}

/// Reports events after the cursor until the connection is lost. `after` is then the cursor of the last event.
fn listen(after: &mut String) -> Result<(), tungstenite::Error> {
    let mut request = setting("HELPBOT_STREAM_URL").into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().expect("a header"));
    let (mut socket, _) = tungstenite::connect(request)?;
    let authorization = format!("Bearer {}", setting("HELPBOT_KEY"));
    socket.send(Message::text(json!({ "type": "connection_init", "payload": { "authorization": authorization } }).to_string()))?;
    loop {
        let Message::Text(text) = socket.read()? else { continue };
        let frame: Frame = serde_json::from_str(&text).expect("a frame of graphql-transport-ws");
        match frame.kind.as_str() {
            "connection_ack" => {
                let events: StreamingOperation<Events, EventVariables> =
                    Events::build(EventVariables { after: Some(after.clone()) });
                socket.send(Message::text(json!({ "id": "1", "type": "subscribe", "payload": events }).to_string()))?;
            }
            "ping" => socket.send(Message::text(json!({ "type": "pong" }).to_string()))?,
            "next" => {
                let payload = frame.payload.expect("a payload");
                let response: GraphQlResponse<Events> = serde_json::from_value(payload).expect("an event");
                let event = response.data.expect("data").conversation_events;
                *after = event.cursor.clone();
                let kind = match event.kind {
                    ConversationEventType::ConversationCreated => "CONVERSATION_CREATED",
                    _ => "OTHER",
                };
                let id = event.conversation_id.inner();
                write(&json!({ "event": { "cursor": event.cursor, "type": kind, "conversationId": id } }));
            }
            kind => panic!("the server sent {kind}: {:?}", frame.payload),
        }
    }
}

fn follow(mut after: String) {
    loop {
        let lost = listen(&mut after);
        assert!(lost.is_err(), "a subscription ends only with its connection");
        thread::sleep(Duration::from_millis(20));
    }
}

fn write(line: &Value) {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("the output is open");
}

fn main() {
    for line in io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line.expect("a line")).expect("a request");
        let params = &request["params"];
        let text = |index: usize| params[index].as_str().unwrap_or_default().to_owned();
        let result = match request["method"].as_str() {
            Some("ask") => ask(&text(0)),
            Some("page") => page(&text(0), 2, params[2].as_str().map(str::to_owned)),
            Some("vote") => vote(&text(0)),
            Some("cursor") => cursor(),
            Some("follow") => {
                let after = text(0);
                thread::spawn(move || follow(after));
                Value::Null
            }
            method => panic!("unknown method {method:?}"),
        };
        write(&json!({ "id": request["id"], "result": result }));
    }
}
