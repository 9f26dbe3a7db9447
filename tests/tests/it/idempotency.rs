//! Tests of requests with an `Idempotency-Key`: each has one effect and the same response when it is repeated, over every
//! transport and over REST.

use helpbot_services::runtime::idempotency;
use std::time::Duration;

use futures_util::future::join_all;
use helpbot_domain::key::KeyKind;
use helpbot_tests::{Client, GraphqlReply, Reply, TestApp, on_both_backends};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use url::form_urlencoded;

on_both_backends!(
    the_same_request_again_has_no_second_effect_and_the_same_answer,
    another_request_under_the_same_name_is_refused,
    twenty_at_once_have_one_effect,
    a_refused_request_may_be_put_right_under_its_name,
    a_request_without_credits_may_be_sent_again_when_there_are_some,
    each_key_and_each_visitor_has_names_of_its_own,
    a_secret_is_shown_again_to_the_same_request_alone,
    an_operator_makes_a_site_once,
    a_name_is_free_after_a_day,
    a_socket_names_each_of_its_operations,
    a_repeated_secret_key_request_returns_the_session_token_again,
    a_streamed_question_is_asked_once,
    a_question_cannot_be_asked_by_get,
    rest_answers_the_same_again_and_409_to_another_body,
);

const ASK: &str = "mutation ($question: String!) {
    askQuestion(input: { question: $question }) { conversation { id question } sessionToken userErrors { code } }
}";
const COUNT: &str = "{ site { conversations { totalCount } credits { used } } }";

async fn named(client: &Client, name: &str, document: &str, variables: Value) -> GraphqlReply {
    let body = json!({ "query": document, "variables": variables }).to_string();
    let request = client.request(Method::POST, "/graphql").header("content-type", "application/json");
    let reply = client.send(request.header("idempotency-key", name).body(body)).await;
    let mut told = reply.json();
    let errors = told["errors"].as_array().cloned().unwrap_or_default();
    GraphqlReply { data: told["data"].take(), errors, reply }
}

async fn named_chat(client: &Client, name: &str, question: &str) -> Reply {
    let request = client.request(Method::POST, "/api/v1/chat").header("idempotency-key", name);
    client.send(request.body(json!({ "question": question }).to_string())).await
}

/// Conversations and used credits.
async fn effects(owner: &Client) -> (Value, Value) {
    let mut data = owner.graphql(COUNT, json!({})).await.ok();
    (data["site"]["conversations"]["totalCount"].take(), data["site"]["credits"]["used"].take())
}

async fn the_same_request_again_has_no_second_effect_and_the_same_answer(app: &TestApp) {
    let site = app.site().create().await;

    let first = named(&site.visitor(), "a", ASK, json!({ "question": "Open?" })).await;
    let again = named(&site.visitor(), "a", ASK, json!({ "question": "Open?" })).await;
    let unnamed = site.visitor().graphql(ASK, json!({ "question": "Open?" })).await;

    assert_eq!(first.reply.json()["extensions"]["replayed"], Value::Null);
    assert_eq!(again.reply.json()["extensions"]["replayed"], true);
    assert_eq!(again.reply.status, StatusCode::OK);
    let (mut first, again) = (first.ok(), again.ok());
    assert!(first["askQuestion"]["sessionToken"].is_string());
    // Another visitor with the same address could send the same request, so a repeat gives no token.
    first["askQuestion"]["sessionToken"] = Value::Null;
    assert_eq!(first, again);
    assert_ne!(first, unnamed.ok());
    assert_eq!(effects(&site.owner()).await, (json!(2), json!(2)));
}

async fn another_request_under_the_same_name_is_refused(app: &TestApp) {
    let site = app.site().create().await;
    named(&site.visitor(), "a", ASK, json!({ "question": "Open?" })).await.ok();

    let other = named(&site.visitor(), "a", ASK, json!({ "question": "Closed?" })).await;

    assert_eq!(other.codes(), ["IDEMPOTENCY_MISMATCH"]);
    assert_eq!(effects(&site.owner()).await, (json!(1), json!(1)));
}

async fn twenty_at_once_have_one_effect(app: &TestApp) {
    let site = app.site().create().await;
    let visitor = site.visitor();

    let answers = join_all((0..20).map(|_| named(&visitor, "a", ASK, json!({ "question": "Open?" })))).await;

    let answers: Vec<Value> = answers.into_iter().map(GraphqlReply::ok).collect();
    let conversation = &answers[0]["askQuestion"]["conversation"];
    assert!(conversation.is_object());
    assert!(answers.iter().all(|answer| answer["askQuestion"]["conversation"] == *conversation));
    let tokens = answers.iter().filter(|answer| answer["askQuestion"]["sessionToken"].is_string()).count();
    assert_eq!(tokens, 1, "repeats give no token");
    assert_eq!(effects(&site.owner()).await, (json!(1), json!(1)));
}

async fn a_refused_request_may_be_put_right_under_its_name(app: &TestApp) {
    let site = app.site().create().await;

    let refused = named(&site.visitor(), "a", ASK, json!({ "question": " " })).await.ok();
    let right = named(&site.visitor(), "a", ASK, json!({ "question": "Open?" })).await.ok();

    assert_eq!(refused["askQuestion"]["userErrors"][0]["code"], "BAD_USER_INPUT");
    assert_eq!(right["askQuestion"]["conversation"]["question"], "Open?");
}

async fn a_request_without_credits_may_be_sent_again_when_there_are_some(app: &TestApp) {
    const MORE: &str =
        "mutation ($id: ID!) { updateSite(input: { id: $id, creditLimit: 1 }) { userErrors { message } } }";
    let site = app.site().credits(0).create().await;

    let refused = named(&site.visitor(), "a", ASK, json!({ "question": "Open?" })).await;
    assert_eq!(refused.codes(), ["CREDITS_EXHAUSTED"]);
    app.operator_client().graphql(MORE, json!({ "id": site.id.to_string() })).await.ok();
    let answered = named(&site.visitor(), "a", ASK, json!({ "question": "Open?" })).await.ok();

    assert!(answered["askQuestion"]["conversation"].is_object());
}

async fn each_key_and_each_visitor_has_names_of_its_own(app: &TestApp) {
    let (site, other) = (app.site().create().await, app.site().create().await);
    let question = json!({ "question": "Open?" });
    let first = named(&site.visitor(), "a", ASK, question.clone()).await.ok();
    let token = first["askQuestion"]["sessionToken"].as_str().expect("a token");
    let proved = site.visitor().with_session(token);

    let by_others = [
        named(&site.owner(), "a", ASK, question.clone()).await.ok(),
        named(&other.visitor(), "a", ASK, question.clone()).await.ok(),
        named(&proved, "a", ASK, question).await.ok(),
    ];

    for answer in by_others {
        assert_ne!(answer["askQuestion"]["conversation"]["id"], first["askQuestion"]["conversation"]["id"]);
    }
}

async fn a_secret_is_shown_again_to_the_same_request_alone(app: &TestApp) {
    const CREATE: &str =
        "mutation { createApiKey(input: { kind: SECRET, name: \"deploy\" }) { secret apiKey { id } } }";
    let site = app.site().create().await;
    let (_, second_key) = site.key(KeyKind::Secret).create().await;

    let first = named(&site.owner(), "a", CREATE, json!({})).await.ok();
    let again = named(&site.owner(), "a", CREATE, json!({})).await.ok();
    let by_another = named(&app.client(&second_key), "a", CREATE, json!({})).await.ok();

    assert!(first["createApiKey"]["secret"].as_str().is_some_and(|key| key.starts_with("sk_live_")));
    assert_eq!(again, first);
    assert_ne!(by_another, first);
}

async fn an_operator_makes_a_site_once(app: &TestApp) {
    const CREATE: &str = "mutation {
        createSite(input: { name: \"Shop\", ownerEmail: \"owner@shop.example\" }) { site { id } }
    }";
    let operator = app.operator_client();

    let first = named(&operator, "a", CREATE, json!({})).await.ok();
    let again = named(&operator, "a", CREATE, json!({})).await.ok();

    assert!(first["createSite"]["site"]["id"].is_string());
    assert_eq!(again, first);
}

async fn a_name_is_free_after_a_day(app: &TestApp) {
    let site = app.site().create().await;
    named(&site.visitor(), "a", ASK, json!({ "question": "Open?" })).await.ok();
    named(&site.visitor(), "b", ASK, json!({ "question": "Open?" })).await.ok();

    app.pass(Duration::from_secs(24 * 3_600 - 1));
    assert_eq!(idempotency::delete_expired(app.services()).await.expect("the database answers"), 0);
    let early = named(&site.visitor(), "a", ASK, json!({ "question": "Closed?" })).await;
    app.pass(Duration::from_secs(2));
    let late = named(&site.visitor(), "a", ASK, json!({ "question": "Closed?" })).await.ok();

    assert_eq!(early.codes(), ["IDEMPOTENCY_MISMATCH"]);
    assert_eq!(late["askQuestion"]["conversation"]["question"], "Closed?");
    assert_eq!(idempotency::delete_expired(app.services()).await.expect("the database answers"), 1, "that of b");
}

async fn a_socket_names_each_of_its_operations(app: &TestApp) {
    let site = app.site().create().await;
    let mut socket = site.visitor().socket().await;
    let ask = |id: &str, name: &str, question: &str| {
        json!({ "id": id, "type": "subscribe", "payload": {
            "query": ASK, "variables": { "question": question }, "extensions": { "idempotencyKey": name },
        }})
    };

    for (id, name, question) in [("1", "a", "Open?"), ("2", "a", "Open?"), ("3", "b", "Open?"), ("4", "a", "Closed?")] {
        socket.send(ask(id, name, question)).await;
    }

    let (first, again, other) = (socket.next("1").await, socket.next("2").await, socket.next("3").await);
    assert_eq!(first["askQuestion"]["conversation"], again["askQuestion"]["conversation"]);
    assert_ne!(first["askQuestion"]["conversation"], other["askQuestion"]["conversation"]);
    let mismatch = socket.frame_of("4").await;
    assert_eq!(mismatch["payload"][0]["extensions"]["code"], "IDEMPOTENCY_MISMATCH", "{mismatch}");
}

async fn a_repeated_secret_key_request_returns_the_session_token_again(app: &TestApp) {
    let site = app.site().create().await;

    let first = named(&site.owner(), "a", ASK, json!({ "question": "Open?" })).await.ok();
    let again = named(&site.owner(), "a", ASK, json!({ "question": "Open?" })).await.ok();

    assert!(first["askQuestion"]["sessionToken"].is_string());
    assert_eq!(again, first);
}

const ANSWER: &str = "subscription { answer(input: { question: \"Open?\" }) {
    ... on AnswerFinished { payload { conversation { id } sessionToken userErrors { code } } }
} }";

/// Sends the subscription `answer` with an idempotency key, and returns the last event.
async fn streamed(client: &Client, name: &str) -> Value {
    let request = client
        .request(Method::POST, "/graphql/stream")
        .header("content-type", "application/json")
        .header("accept", "text/event-stream")
        .header("idempotency-key", name);
    let reply = client.send(request.body(json!({ "query": ANSWER }).to_string())).await;
    let text = reply.text();
    let last = text.lines().filter_map(|line| line.strip_prefix("data: ")).rfind(|data| data.len() > 2);
    serde_json::from_str(last.unwrap_or_else(|| panic!("no event: {text}"))).expect("an event is JSON")
}

async fn a_streamed_question_is_asked_once(app: &TestApp) {
    let site = app.site().create().await;

    let first = streamed(&site.visitor(), "a").await;
    let again = streamed(&site.visitor(), "a").await;

    let (first, again) = (&first["data"]["answer"]["payload"], &again["data"]["answer"]["payload"]);
    assert!(first["sessionToken"].is_string(), "{first}");
    assert_eq!(again["conversation"], first["conversation"]);
    assert_eq!(again["sessionToken"], Value::Null);
    assert_eq!(effects(&site.owner()).await, (json!(1), json!(1)));
}

async fn a_question_cannot_be_asked_by_get(app: &TestApp) {
    let site = app.site().create().await;
    let visitor = site.visitor();

    let query = form_urlencoded::byte_serialize(ANSWER.as_bytes()).collect::<String>();
    let request = visitor.request(Method::GET, &format!("/graphql/stream?query={query}"));
    let reply = visitor.send(request.header("accept", "text/event-stream")).await;

    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{}", reply.text());
    assert_eq!(effects(&site.owner()).await, (json!(0), json!(0)));
}

async fn rest_answers_the_same_again_and_409_to_another_body(app: &TestApp) {
    let site = app.site().create().await;
    let visitor = site.visitor();

    let first = named_chat(&visitor, "a", "Open?").await;
    let again = named_chat(&visitor, "a", "Open?").await;
    let other = named_chat(&visitor, "a", "Closed?").await;
    let malformed = named_chat(&visitor, "a b", "Open?").await;

    assert_eq!(first.ok(), again.ok());
    assert_eq!((other.status, other.json()["code"].as_str()), (StatusCode::CONFLICT, Some("IDEMPOTENCY_MISMATCH")));
    assert_eq!(malformed.status, StatusCode::BAD_REQUEST, "{}", malformed.text());
    assert_eq!(effects(&site.owner()).await, (json!(1), json!(1)));
}
