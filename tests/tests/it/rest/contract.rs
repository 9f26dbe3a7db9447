//! Tests of the decisions of the REST contract, by their numbers. Each test checks only its decision; whole responses are
//! compared in the file of the route. Decisions about stored data are in `contract_data`.

use std::time::Duration;

use futures_util::future::join_all;
use helpbot_domain::key::{KeyKind, Scope};
use helpbot_domain::plan::Plan;
use helpbot_tests::{Client, Page, Pages, Reply, TestApp, on_both_backends, wait_for};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::rest::{ENTRY_QUESTION, ENTRY_URL, UNKNOWN_QUESTION, asked, is_time, with_entry};

on_both_backends!(
    decision_01_success_is_always_200_with_json,
    decision_02_errors_are_a_sentence_and_a_code,
    decision_03_sources_are_addresses_without_repeats,
    decision_04_no_answer_is_polite_and_costs_a_credit,
    decision_05_lengths_count_code_points_after_trimming,
    decision_06_a_session_is_any_text_of_200_characters,
    decision_07_an_unknown_language_is_never_refused,
    decision_08_another_sites_conversation_looks_like_a_missing_one,
    decision_09_a_vote_may_change_and_a_handoff_repeat,
    decision_10_an_empty_address_is_none,
    decision_11_the_first_place_with_a_key_decides,
    decision_12_checks_come_in_their_order_and_cost_nothing,
    decision_13_a_body_is_json_whatever_it_is_called,
    decision_14_unknown_fields_are_ignored_and_null_is_absent,
    decision_15_an_unknown_range_is_the_default,
    decision_18_times_have_milliseconds_and_ids_are_typed,
    decision_21_one_credit_answers_one_of_many,
    decision_24_a_failed_sync_keeps_the_previous_content,
    decision_29_a_page_of_any_origin_may_call,
    decision_30_a_trailing_slash_is_accepted,
    decision_31_plans_open_what_they_include,
    decision_32_an_id_is_the_same_in_rest_and_graphql,
    decision_33_a_key_does_what_it_is_for,
);

async fn chat(client: &Client, question: &str) -> Reply {
    client.post("/api/v1/chat", &json!({ "question": question })).await
}

async fn credits_used(owner: &Client) -> Value {
    owner.get("/api/v1/analytics/overview").await.ok()["credits"]["used"].clone()
}

async fn decision_01_success_is_always_200_with_json(app: &TestApp) {
    let site = app.site().create().await;
    let id = asked(&site).await;

    for reply in [
        chat(&site.visitor(), "Hi?").await,
        site.visitor().post("/api/v1/feedback", &json!({"conversationId": id, "helpful": "no"})).await,
        site.owner().post("/api/v1/sources", &json!({"url": "http://127.0.0.1:9/"})).await,
        site.owner().patch("/api/v1/config", &json!({"botName": "Ada"})).await,
        site.owner().get("/api/v1/sources").await,
    ] {
        assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, Some("application/json")));
        assert!(reply.json().is_object());
    }
}

async fn decision_02_errors_are_a_sentence_and_a_code(app: &TestApp) {
    let site = app.site().create().await;

    for reply in [
        chat(&app.anonymous(), "Hi?").await,
        chat(&site.visitor(), "").await,
        site.visitor().get("/api/v1/sources").await,
        site.owner().delete("/api/v1/sources?id=1").await,
        site.owner().get("/api/v1/nothing").await,
    ] {
        let body = reply.json();
        assert!(body["error"].is_string() && body["code"].is_string(), "{body}");
        assert!(reply.header("x-request-id").is_some());
        assert_eq!(body.get("details").is_some(), reply.status == StatusCode::BAD_REQUEST, "{body}");
    }
}

async fn decision_03_sources_are_addresses_without_repeats(app: &TestApp) {
    let site = app.site().create().await;
    with_entry(app, &site).await;
    with_entry(app, &site).await;

    let answer = chat(&site.visitor(), ENTRY_QUESTION).await.ok();

    assert_eq!(answer["sources"], json!([ENTRY_URL]));
}

async fn decision_04_no_answer_is_polite_and_costs_a_credit(app: &TestApp) {
    let site = app.site().create().await;

    let answer = chat(&site.visitor(), UNKNOWN_QUESTION).await.ok();

    assert_eq!(answer["sources"], json!([]));
    let kept = site.owner().get("/api/v1/conversations?filter=unanswered").await.ok();
    assert_eq!(kept["conversations"][0]["id"], answer["conversationId"]);
    assert_eq!(credits_used(&site.owner()).await, 1);
}

async fn decision_05_lengths_count_code_points_after_trimming(app: &TestApp) {
    let site = app.site().create().await;
    // One code point, two UTF-16 units, four bytes.
    let face = "\u{1f600}";

    assert_eq!(chat(&site.visitor(), &format!(" {} ", face.repeat(1000))).await.status, StatusCode::OK);
    assert_eq!(chat(&site.visitor(), &face.repeat(1001)).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(chat(&site.visitor(), "\u{2003}\n").await.json()["error"], "Missing question");
}

async fn decision_06_a_session_is_any_text_of_200_characters(app: &TestApp) {
    let site = app.site().create().await;
    let longest = "ß".repeat(200);

    for (sent, kept) in
        [(json!(longest), Some(longest.as_str())), (json!("ß".repeat(201)), None), (json!(7), None), (json!(""), None)]
    {
        let body = json!({"question": UNKNOWN_QUESTION, "sessionId": sent});
        let answer = site.visitor().post("/api/v1/chat", &body).await.ok();
        assert_eq!(answer.as_object().map(serde_json::Map::len), Some(3), "the session is not returned: {answer}");
        app.pass(Duration::from_millis(1));
        let last = site.owner().get("/api/v1/conversations?limit=1").await.ok();
        let stored = last["conversations"][0]["sessionId"].as_str().expect("a session").to_owned();
        match kept {
            Some(kept) => assert_eq!(stored, kept),
            None => assert!(!stored.is_empty() && stored.len() <= 200 && json!(stored) != sent, "{stored}"),
        }
    }
}

async fn decision_07_an_unknown_language_is_never_refused(app: &TestApp) {
    let site = app.site().create().await;

    for language in
        [json!("de"), json!("DE-at"), json!("klingon"), json!(""), json!(null), json!(7), json!("x".repeat(999))]
    {
        let body = json!({"question": UNKNOWN_QUESTION, "language": language});
        assert_eq!(site.visitor().post("/api/v1/chat", &body).await.status, StatusCode::OK, "{language}");
    }
}

async fn decision_08_another_sites_conversation_looks_like_a_missing_one(app: &TestApp) {
    let (site, other) = (app.site().create().await, app.site().create().await);
    let foreign = asked(&other).await;

    for path in ["/api/v1/feedback", "/api/v1/handoff"] {
        let vote = |id: &str| json!({"conversationId": id, "helpful": "yes"});
        let of_other = site.visitor().post(path, &vote(&foreign)).await;
        let of_none = site.visitor().post(path, &vote("conv_00000000000000000000000000")).await;
        assert_eq!(of_other.status, StatusCode::BAD_REQUEST);
        assert_eq!((of_other.json(), &of_other.json()["error"]), (of_none.json(), &json!("Conversation not found")));
    }
}

async fn decision_09_a_vote_may_change_and_a_handoff_repeat(app: &TestApp) {
    let site = app.site().create().await;
    let id = asked(&site).await;

    for vote in ["no", "yes", "yes"] {
        site.visitor().post("/api/v1/feedback", &json!({"conversationId": id, "helpful": vote})).await.ok();
    }
    for email in ["", "first@example.com", "second@example.com"] {
        site.visitor().post("/api/v1/handoff", &json!({"conversationId": id, "customerEmail": email})).await.ok();
    }

    let kept = site.owner().get("/api/v1/conversations").await.ok()["conversations"][0].clone();
    assert_eq!((&kept["helpful"], &kept["customerEmail"]), (&json!("yes"), &json!("first@example.com")));
    let overview = site.owner().get("/api/v1/analytics/overview").await.ok();
    assert_eq!(
        json!([overview["helpfulCount"], overview["totalFeedback"], overview["handoffCount"]]),
        json!([1, 1, 1]),
        "each counted once"
    );
}

async fn decision_10_an_empty_address_is_none(app: &TestApp) {
    let site = app.site().create().await;
    let id = asked(&site).await;

    for (email, status) in [(json!(null), 200), (json!(" "), 200), (json!("a@b"), 400), (json!("a b@example.com"), 400)]
    {
        let reply =
            site.visitor().post("/api/v1/handoff", &json!({"conversationId": id, "customerEmail": email})).await;
        assert_eq!(reply.status.as_u16(), status, "{email}");
    }
    let kept = site.owner().get("/api/v1/conversations").await.ok();
    assert_eq!(kept["conversations"][0]["customerEmail"], Value::Null);
}

async fn decision_11_the_first_place_with_a_key_decides(app: &TestApp) {
    let site = app.site().create().await;
    let good = site.widget_key.as_str();

    for (header, query, body, status) in [
        (Some(format!("Bearer {good}")), Some("bad"), json!("bad"), 200),
        (Some(format!("bEARER  {good} ")), None, Value::Null, 200),
        (Some("Bearer bad".to_owned()), Some(good), json!(good), 401),
        (Some(format!("Basic {good}")), Some(good), Value::Null, 200),
        (Some(format!("Basic {good}")), None, Value::Null, 401),
        (Some("Bearer".to_owned()), None, json!(good), 200),
        (None, Some(good), json!("bad"), 200),
        (None, Some("bad"), json!(good), 401),
        (None, Some(""), json!(good), 200),
        (None, None, json!(good), 200),
        (None, None, json!([good]), 401),
        (None, None, Value::Null, 401),
    ] {
        let path = query.map_or_else(|| "/api/v1/chat".to_owned(), |key| format!("/api/v1/chat?apiKey={key}"));
        let mut request = app.anonymous().request(Method::POST, &path);
        if let Some(header) = &header {
            request = request.header("authorization", header);
        }
        let sent = json!({"question": UNKNOWN_QUESTION, "apiKey": body});
        let reply = app.anonymous().send(request.body(sent.to_string())).await;
        assert_eq!(reply.status.as_u16(), status, "{header:?} {query:?} {body}");
    }
    let in_body = app.anonymous().request(Method::GET, "/api/v1/config");
    let in_body = app.anonymous().send(in_body.body(json!({"apiKey": good}).to_string())).await;
    assert_eq!(in_body.status, StatusCode::OK, "also where no body is needed");
}

async fn decision_12_checks_come_in_their_order_and_cost_nothing(app: &TestApp) {
    let site = app.site().plan(Plan::Starter).credits(1).create().await;
    let (_, narrow) = site.key(KeyKind::Secret).scopes(&[Scope::ReadConfig]).create().await;
    asked(&site).await;
    let malformed = async |client: Client| client.send(client.request(Method::POST, "/api/v1/chat").body("{")).await;

    // Malformed, then who, then may it, then the values, and credits last.
    assert_eq!(malformed(app.anonymous()).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(chat(&app.anonymous(), "").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(chat(&app.client(&narrow), "").await.status, StatusCode::FORBIDDEN);
    assert_eq!(chat(&site.visitor(), "").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(chat(&site.visitor(), "Hi?").await.status, StatusCode::TOO_MANY_REQUESTS);
    // The plan, then the id, then whether there is such a thing.
    assert_eq!(site.owner().delete("/api/v1/sources").await.status, StatusCode::FORBIDDEN);

    let rich = app.site().create().await;
    chat(&rich.visitor(), " ").await;
    malformed(rich.visitor()).await;
    assert_eq!(credits_used(&rich.owner()).await, 0);
}

async fn decision_13_a_body_is_json_whatever_it_is_called(app: &TestApp) {
    let site = app.site().create().await;
    let body = json!({"question": UNKNOWN_QUESTION}).to_string();

    for content_type in [None, Some("application/x-www-form-urlencoded"), Some("text/plain"), Some("nonsense")] {
        let mut request = site.visitor().request(Method::POST, "/api/v1/chat");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let reply = site.visitor().send(request.body(body.clone())).await;
        assert_eq!(reply.status, StatusCode::OK, "{content_type:?}");
    }
}

async fn decision_14_unknown_fields_are_ignored_and_null_is_absent(app: &TestApp) {
    let site = app.site().create().await;

    let body = json!({"question": UNKNOWN_QUESTION, "sessionId": null, "language": null, "theme": {"a": [1]}});
    let asked = site.visitor().post("/api/v1/chat?utm=1&question=x", &body).await;
    let unknown = site.owner().patch("/api/v1/config", &json!({"theme": "dark"})).await;
    let null = site.owner().patch("/api/v1/config", &json!({"greeting": null})).await;

    assert_eq!(asked.status, StatusCode::OK);
    assert_eq!(
        (unknown.status, &unknown.json()["error"]),
        (StatusCode::BAD_REQUEST, &json!("No valid fields to update"))
    );
    assert_eq!(null.status, StatusCode::BAD_REQUEST);
}

async fn decision_15_an_unknown_range_is_the_default(app: &TestApp) {
    let site = app.site().create().await;

    for (range, effective) in [
        ("", "30d"),
        ("?range=7d", "7d"),
        ("?range=all", "all"),
        ("?range=7D", "30d"),
        ("?range=", "30d"),
        ("?range=7d&range=90d", "7d"),
    ] {
        for path in ["/api/v1/analytics/overview", "/api/v1/analytics/activity"] {
            assert_eq!(site.owner().get(&format!("{path}{range}")).await.ok()["range"], effective, "{range}");
        }
    }
}

async fn decision_18_times_have_milliseconds_and_ids_are_typed(app: &TestApp) {
    let site = app.site().create().await;
    let id = asked(&site).await;

    let kept = site.owner().get("/api/v1/conversations").await.ok()["conversations"][0].clone();

    assert_eq!((kept["id"].as_str(), id.len()), (Some(id.as_str()), "conv_".len() + 26));
    for field in ["createdAt", "updatedAt"] {
        assert!(kept[field].as_str().is_some_and(is_time), "{}", kept[field]);
    }
}

async fn decision_21_one_credit_answers_one_of_many(app: &TestApp) {
    const MANY: usize = 40;
    let site = app.site().credits(3).create().await;
    asked(&site).await;
    asked(&site).await;
    let visitor = site.visitor();

    let replies = join_all((0..MANY).map(|_| chat(&visitor, UNKNOWN_QUESTION))).await;

    let of = |status: u16| replies.iter().filter(|reply| reply.status.as_u16() == status).count();
    assert_eq!((of(200), of(429)), (1, MANY - 1));
    let refused = replies.iter().find(|reply| reply.status.as_u16() == 429).expect("one");
    assert_eq!(
        (&refused.json()["code"], refused.header("retry-after")),
        (&json!("CREDITS_EXHAUSTED"), Some("1425600"))
    );
    assert_eq!(credits_used(&site.owner()).await, 3);
}

async fn decision_24_a_failed_sync_keeps_the_previous_content(app: &TestApp) {
    let site = app.site().create().await;
    let page = "<h1>FAQ</h1><h2>When are you open?</h2><p>From nine to five, Monday to Friday.</p>";
    let pages = Pages::of([("/faq", Page::html(page))]).await;
    let added = site.owner().post("/api/v1/sources", &json!({"url": pages.url("/faq")})).await.ok();
    let status = async |wanted: &str| {
        let source = site.owner().get("/api/v1/sources").await.ok()["sources"][0].clone();
        (source["status"] == wanted).then_some(source)
    };
    wait_for("the first sync", async || status("indexed").await).await;

    pages.put("/faq", Page::status(StatusCode::NOT_FOUND));
    site.owner().post("/api/v1/sources/rescrape", &json!({"sourceId": added["source"]["id"]})).await.ok();
    let failed = wait_for("the second reading", async || status("failed").await).await;

    assert!(failed["error"].as_str().is_some_and(|error| !error.is_empty()), "{failed}");
    let answer = chat(&site.visitor(), "When are you open?").await.ok();
    assert_eq!(answer["sources"], json!([pages.url("/faq")]), "{answer}");
}

async fn decision_29_a_page_of_any_origin_may_call(app: &TestApp) {
    let site = app.site().create().await;
    let request = site.visitor().request(Method::POST, "/api/v1/chat").header("origin", "https://shop.example");

    let reply = site.visitor().send(request.body(r#"{"question":"Hi?"}"#)).await;

    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (StatusCode::OK, Some("*")));
    assert_eq!(reply.header("access-control-allow-credentials"), None);
}

async fn decision_30_a_trailing_slash_is_accepted(app: &TestApp) {
    let site = app.site().create().await;

    for path in ["/api/v1/sources/", "/api/v1/config/", "/api/v1/analytics/overview/", "/api/v1/conversations/?limit=1"]
    {
        assert_eq!(site.owner().get(path).await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(site.visitor().post("/api/v1/chat/", &json!({"question": "Hi?"})).await.status, StatusCode::OK);
}

async fn decision_31_plans_open_what_they_include(app: &TestApp) {
    for (plan, sources, analytics) in [(Plan::Starter, 403, 403), (Plan::Growth, 403, 200), (Plan::Scale, 200, 200)] {
        let site = app.site().plan(plan).create().await;
        assert_eq!(site.owner().get("/api/v1/sources").await.status.as_u16(), sources, "{plan:?}");
        assert_eq!(site.owner().get("/api/v1/analytics/overview").await.status.as_u16(), analytics, "{plan:?}");
        assert_eq!(site.owner().get("/api/v1/config").await.status.as_u16(), 200, "{plan:?}");
    }
}

async fn decision_32_an_id_is_the_same_in_rest_and_graphql(app: &TestApp) {
    let site = app.site().create().await;
    let id = asked(&site).await;

    let document = "query($id: ID!) { node(id: $id) { id } site { conversations { nodes { id } } } }";
    let data = site.owner().graphql(document, json!({ "id": id })).await.ok();

    assert_eq!((&data["node"]["id"], &data["site"]["conversations"]["nodes"][0]["id"]), (&json!(id), &json!(id)));
}

async fn decision_33_a_key_does_what_it_is_for(app: &TestApp) {
    let site = app.site().create().await;
    let (_, bound) = site.key(KeyKind::Widget).origin("https://shop.example").create().await;
    let (_, narrow) = site.key(KeyKind::Secret).scopes(&[Scope::ReadAnalytics]).create().await;
    let (_, brief) = site.key(KeyKind::Secret).expires(app.now().plus(Duration::from_secs(60))).create().await;
    let config = async |key: &str, origin: &str| {
        let client = app.client(key);
        client.send(client.request(Method::GET, "/api/v1/config").header("origin", origin)).await.status.as_u16()
    };

    assert_eq!(config(&bound, "https://shop.example").await, 200);
    assert_eq!(config(&bound, "https://thief.example").await, 401);
    assert_eq!(app.client(&narrow).get("/api/v1/analytics/overview").await.status, StatusCode::OK);
    assert_eq!(app.client(&narrow).get("/api/v1/conversations").await.status, StatusCode::FORBIDDEN);
    assert_eq!(config(&brief, "null").await, 200);
    app.pass(Duration::from_secs(60));
    assert_eq!(config(&brief, "null").await, 401);
}

#[test]
fn each_decision_has_a_test_that_is_named_after_it() {
    let tests = concat!(include_str!("contract.rs"), include_str!("contract_data.rs"));

    for number in 1..=35 {
        assert!(tests.contains(&format!("async fn decision_{number:02}_")), "decision {number}");
    }
}
