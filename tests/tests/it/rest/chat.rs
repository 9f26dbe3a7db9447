//! Tests of POST /chat, /feedback and /handoff.

use helpbot_tests::{TestApp, on_both_backends};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::rest::{
    ENTRY_ANSWER, ENTRY_QUESTION, ENTRY_URL, UNKNOWN_QUESTION, asked, refusal, refused_field, told, with_entry,
};

on_both_backends!(
    chat_200_answers_from_the_sites_sources,
    chat_200_says_politely_that_it_found_nothing,
    chat_200_for_the_reference_pages_own_curl,
    chat_400_for_a_missing_empty_or_long_question,
    chat_401_without_a_key_and_with_a_wrong_one,
    chat_429_when_the_months_credits_are_used_up,
    feedback_200_for_both_votes_and_again,
    feedback_400_for_missing_and_invalid_fields,
    feedback_401_without_a_key,
    handoff_200_with_and_without_an_address_and_again,
    handoff_400_for_missing_and_invalid_fields,
    handoff_401_without_a_key,
);

async fn chat_200_answers_from_the_sites_sources(app: &TestApp) {
    let site = app.site().create().await;
    with_entry(app, &site).await;

    let body = json!({"question": ENTRY_QUESTION, "sessionId": "visit-1", "language": "en"});
    let reply = site.visitor().post("/api/v1/chat", &body).await;

    let expected = json!({"answer": ENTRY_ANSWER, "sources": [ENTRY_URL], "conversationId": "[conv]"});
    assert_eq!(told(&reply), (200, expected));
}

async fn chat_200_says_politely_that_it_found_nothing(app: &TestApp) {
    let site = app.site().create().await;

    let reply = site.visitor().post("/api/v1/chat", &json!({"question": UNKNOWN_QUESTION})).await;

    let (status, mut body) = told(&reply);
    let answer = body["answer"].take();
    assert!(answer.as_str().is_some_and(|answer| !answer.trim().is_empty()), "{answer}");
    assert_eq!((status, body), (200, json!({"answer": null, "sources": [], "conversationId": "[conv]"})));
}

async fn chat_200_for_the_reference_pages_own_curl(app: &TestApp) {
    let site = app.site().create().await;

    // curl -X POST … -H "Authorization: Bearer YOUR_KEY" -d '…' names this type by itself.
    let request = site.visitor().request(Method::POST, "/api/v1/chat");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let reply = site.visitor().send(request.body(r#"{"question":"How do I get started?"}"#)).await;

    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
}

async fn chat_400_for_a_missing_empty_or_long_question(app: &TestApp) {
    let site = app.site().create().await;
    let longest = "ü".repeat(1000);

    for question in [json!(null), json!(""), json!(" \n"), json!(7), json!(["a"])] {
        let reply = site.visitor().post("/api/v1/chat", &json!({"question": question})).await;
        assert_eq!(told(&reply), refused_field("Missing question", "question"), "{question}");
    }
    let too_long = site.visitor().post("/api/v1/chat", &json!({"question": format!("{longest}ü")})).await;
    let long = site.visitor().post("/api/v1/chat", &json!({"question": format!("  {longest}  ")})).await;

    assert_eq!(told(&too_long), refused_field("question must be at most 1000 characters", "question"));
    assert_eq!(long.status, StatusCode::OK);
}

async fn chat_401_without_a_key_and_with_a_wrong_one(app: &TestApp) {
    let question = json!({"question": "Hi?"});

    let without = app.anonymous().post("/api/v1/chat", &question).await;
    let wrong = app.client("wk_live_abc123").post("/api/v1/chat", &question).await;

    assert_eq!(told(&without), refusal(StatusCode::UNAUTHORIZED, "Missing API key", "UNAUTHENTICATED"));
    assert_eq!(told(&wrong), refusal(StatusCode::UNAUTHORIZED, "Invalid API key", "UNAUTHENTICATED"));
    assert_eq!(wrong.header("www-authenticate"), Some("Bearer"));
}

async fn chat_429_when_the_months_credits_are_used_up(app: &TestApp) {
    let site = app.site().credits(1).create().await;
    asked(&site).await;

    let reply = site.visitor().post("/api/v1/chat", &json!({"question": "One more?"})).await;

    let expected = refusal(StatusCode::TOO_MANY_REQUESTS, "Monthly credit limit reached", "CREDITS_EXHAUSTED");
    assert_eq!(told(&reply), expected);
    // From noon of March 15 to the beginning of April, UTC.
    assert_eq!(reply.header("retry-after"), Some("1425600"));
}

async fn feedback_200_for_both_votes_and_again(app: &TestApp) {
    let site = app.site().create().await;
    let id = asked(&site).await;

    for vote in ["yes", "yes", "no"] {
        let reply = site.visitor().post("/api/v1/feedback", &json!({"conversationId": id, "helpful": vote})).await;
        assert_eq!(told(&reply), (200, json!({"success": true})));
    }

    let kept = site.owner().get("/api/v1/conversations").await.ok();
    assert_eq!(kept["conversations"][0]["helpful"], "no");
}

async fn feedback_400_for_missing_and_invalid_fields(app: &TestApp) {
    let (site, other) = (app.site().create().await, app.site().create().await);
    let (own, foreign) = (asked(&site).await, asked(&other).await);
    let bad = |error: &str| refusal(StatusCode::BAD_REQUEST, error, "BAD_USER_INPUT");

    for (body, expected) in [
        (json!({"helpful": "yes"}), bad("Missing conversationId")),
        (json!({"conversationId": 7, "helpful": "yes"}), bad("Missing conversationId")),
        (json!({"conversationId": own}), bad("helpful must be \"yes\" or \"no\"")),
        (json!({"conversationId": own, "helpful": true}), bad("helpful must be \"yes\" or \"no\"")),
        (json!({"conversationId": own, "helpful": "YES"}), bad("helpful must be \"yes\" or \"no\"")),
        (json!({"conversationId": foreign, "helpful": "yes"}), bad("Conversation not found")),
        (json!({"conversationId": "conv_abc123", "helpful": "yes"}), bad("Conversation not found")),
    ] {
        assert_eq!(told(&site.visitor().post("/api/v1/feedback", &body).await), expected, "{body}");
    }
}

async fn feedback_401_without_a_key(app: &TestApp) {
    let body = json!({"conversationId": "conv_abc123", "helpful": "maybe"});

    let reply = app.anonymous().post("/api/v1/feedback", &body).await;

    assert_eq!(told(&reply), refusal(StatusCode::UNAUTHORIZED, "Missing API key", "UNAUTHENTICATED"));
}

async fn handoff_200_with_and_without_an_address_and_again(app: &TestApp) {
    let site = app.site().create().await;
    let id = asked(&site).await;

    for email in [json!(null), json!(""), json!("visitor@example.com"), json!("second@example.com")] {
        let body = json!({"conversationId": id, "customerEmail": email});
        assert_eq!(
            told(&site.visitor().post("/api/v1/handoff", &body).await),
            (200, json!({"success": true})),
            "{email}"
        );
    }

    let kept = site.owner().get("/api/v1/conversations?filter=handoff").await.ok();
    let kept = &kept["conversations"][0];
    assert_eq!((&kept["handoff"], &kept["customerEmail"]), (&json!(true), &json!("visitor@example.com")));
}

async fn handoff_400_for_missing_and_invalid_fields(app: &TestApp) {
    let site = app.site().create().await;
    let id = asked(&site).await;
    let bad = |error: &str| refusal(StatusCode::BAD_REQUEST, error, "BAD_USER_INPUT");

    for (body, expected) in [
        (json!({}), bad("Missing conversationId")),
        (json!({"conversationId": "conv_abc123"}), bad("Conversation not found")),
        (
            json!({"conversationId": id, "customerEmail": "no address"}),
            refused_field("customerEmail is not a valid e-mail address", "customerEmail"),
        ),
        (
            json!({"conversationId": id, "customerEmail": 7}),
            refused_field("customerEmail is not a valid e-mail address", "customerEmail"),
        ),
    ] {
        assert_eq!(told(&site.visitor().post("/api/v1/handoff", &body).await), expected, "{body}");
    }
}

async fn handoff_401_without_a_key(app: &TestApp) {
    let reply = app.anonymous().post("/api/v1/handoff", &json!({})).await;

    assert_eq!(told(&reply), refusal(StatusCode::UNAUTHORIZED, "Missing API key", "UNAUTHENTICATED"));
}
