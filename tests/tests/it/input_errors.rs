//! Tests of the errors that name what is wrong with an input: all rejected fields at once, and which of several IDs was not
//! found.

use helpbot_domain::plan::Plan;
use helpbot_tests::{Client, TestApp, on_both_backends};
use serde_json::{Value, json};

on_both_backends!(
    all_rejected_fields_of_an_input_are_reported_at_once,
    of_several_ids_the_one_that_was_not_found_is_named,
    rest_reports_the_first_rejected_field,
);

/// The fields and codes of the user errors of a mutation.
async fn rejected(client: &Client, mutation: &str, input: &str) -> Vec<(String, String)> {
    let document = format!("mutation {{ {mutation}(input: {{ {input} }}) {{ userErrors {{ field message code }} }} }}");
    let data = client.graphql(&document, json!({})).await.ok();
    let errors = data[mutation]["userErrors"].as_array().expect("a list").clone();
    let path = |error: &Value| {
        error["field"].as_array().map(|path| path.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("."))
    };
    errors
        .iter()
        .map(|error| (path(error).unwrap_or_default(), error["code"].as_str().unwrap_or_default().to_owned()))
        .collect()
}

fn invalid(fields: &[&str]) -> Vec<(String, String)> {
    fields.iter().map(|field| (format!("input.{field}"), "BAD_USER_INPUT".to_owned())).collect()
}

async fn all_rejected_fields_of_an_input_are_reported_at_once(app: &TestApp) {
    let site = app.site().plan(Plan::Scale).create().await;
    let owner = site.owner();
    let long = "x".repeat(501);

    for (mutation, input, fields) in [
        ("addMember", r#"name: "", email: "nobody", role: AGENT"#.to_owned(), &["name", "email"][..]),
        (
            "addFaqEntry",
            format!(r#"question: " ", answer: "", phrasings: ["{long}"], url: "x""#),
            &["question", "answer", "phrasings", "url"],
        ),
        ("createWebhook", r#"url: "ftp://x", events: []"#.to_owned(), &["url", "events"]),
        ("addTextSource", r#"title: "", text: """#.to_owned(), &["title", "text"]),
        (
            "updateDataRetention",
            "conversationDays: 0, eventDays: 3651, deliveryDays: -1".to_owned(),
            &["conversationDays", "eventDays", "deliveryDays"],
        ),
        ("updateCreditCaps", "perDay: -1, perAddressPerDay: -1".to_owned(), &["perDay", "perAddressPerDay"]),
        (
            "updateWidgetConfig",
            r#"primaryColor: "x", greeting: "Hello", botName: """#.to_owned(),
            &["primaryColor", "botName"],
        ),
    ] {
        assert_eq!(rejected(&owner, mutation, &input).await, invalid(fields), "{mutation}");
    }
    let greeting = owner.graphql("{ site { widget { greeting } } }", json!({})).await.ok();
    assert_ne!(greeting["site"]["widget"]["greeting"], "Hello", "nothing is changed when a field is rejected");

    let operator = app.operator_client();
    let site = r#"name: "", ownerEmail: "nobody", creditLimit: -1"#;
    assert_eq!(rejected(&operator, "createSite", site).await, invalid(&["name", "ownerEmail", "creditLimit"]));
}

async fn of_several_ids_the_one_that_was_not_found_is_named(app: &TestApp) {
    let site = app.site().plan(Plan::Scale).create().await;
    let (owner, visitor) = (site.owner(), site.visitor());
    let asked = visitor.post("/api/v1/chat", &json!({ "question": "Is anybody there?" })).await.ok();
    let conversation = asked["conversationId"].as_str().expect("an ID");
    visitor.post("/api/v1/handoff", &json!({ "conversationId": conversation })).await.ok();

    let unknown = |field: &str| vec![(format!("input.{field}"), "NOT_FOUND".to_owned())];
    let assign = format!(r#"conversationId: "{conversation}", memberId: "member_none""#);
    assert_eq!(rejected(&owner, "assignConversation", &assign).await, unknown("memberId"));
    let source = r#"question: "Who?", sourceId: "source_none""#;
    assert_eq!(rejected(&owner, "addEvaluationCase", source).await, unknown("sourceId"));
    let entry = r#"question: "Who?", entryId: "entry_none""#;
    assert_eq!(rejected(&owner, "addEvaluationCase", entry).await, unknown("entryId"));
}

async fn rest_reports_the_first_rejected_field(app: &TestApp) {
    let site = app.site().create().await;

    let reply = site.owner().patch("/api/v1/config", &json!({ "botName": "", "primaryColor": "x" })).await;

    assert_eq!(reply.status, 400);
    assert!(reply.text().contains("primaryColor"), "{}", reply.text());
}
