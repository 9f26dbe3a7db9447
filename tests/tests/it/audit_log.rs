//! Tests of the audit log: each change is recorded once with the person, the action, the time and the address, and failures, visitors and
//! the work in conversations are not.

use std::time::Duration;

use helpbot_services::accounts::audit_log;
use helpbot_tests::{Client, TestApp, on_both_backends};
use serde_json::{Value, json};

on_both_backends!(
    each_change_is_recorded_once_with_its_object,
    failures_visitors_and_work_in_conversations_are_not_recorded,
    the_log_is_filtered_and_paged,
    the_log_contains_no_secret_and_no_visitor_text,
    a_change_over_rest_and_a_repeated_request_are_recorded_once,
    expired_entries_are_deleted,
);

const LOG: &str = "query ($filter: AuditLogFilter, $first: Int, $after: String, $last: Int, $before: String) {
    site { auditLog(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
        nodes { action keyKind memberName member { name } apiKey { name } objectId address userAgent createdAt }
        pageInfo { endCursor startCursor hasNextPage } totalCount } } }";

async fn log(client: &Client, variables: Value) -> Value {
    client.graphql(LOG, variables).await.ok()["site"]["auditLog"].take()
}

async fn actions(client: &Client, variables: Value) -> Vec<String> {
    let nodes = log(client, variables).await["nodes"].take();
    let of = |node: &Value| node["action"].as_str().expect("an action").to_owned();
    nodes.as_array().expect("nodes").iter().map(of).collect()
}

async fn member(client: &Client, name: &str) -> (Value, String) {
    let add = "mutation ($name: String!, $email: String!) {
        m: addMember(input: { name: $name, email: $email, role: ADMIN }) { member { id } secret } }";
    let input = json!({ "name": name, "email": format!("{name}@example.com") });
    let mut added = client.graphql(add, input).await.ok()["m"].take();
    (added["member"]["id"].take(), added["secret"].as_str().expect("a key").to_owned())
}

async fn each_change_is_recorded_once_with_its_object(app: &TestApp) {
    let site = app.site().create().await;
    let (ann, key) = member(&site.owner(), "Ann").await;
    let client = app.client(&key);
    let request = client.request(reqwest::Method::POST, "/graphql").header("user-agent", "Desk \t 1.0");
    let add = "mutation { one: addCannedReply(input: { name: \"a\", text: \"A.\" }) { cannedReply { id } }
        two: updateCreditCaps(input: { perDay: 5 }) { userErrors { code } } }";
    let request = request.header("content-type", "application/json").body(json!({ "query": add }).to_string());
    let done = client.send(request).await.ok();

    let entries = log(&client, json!({})).await;
    let nodes = entries["nodes"].as_array().expect("nodes");
    assert_eq!(entries["totalCount"], 3, "{entries}");
    let found: Vec<&Value> = nodes.iter().map(|node| &node["action"]).collect();
    assert_eq!(found, ["updateCreditCaps", "addCannedReply", "addMember"]);
    assert_eq!(nodes[0]["objectId"], Value::Null);
    assert_eq!(nodes[1]["objectId"], done["data"]["one"]["cannedReply"]["id"]);
    assert_eq!(nodes[2]["objectId"], ann);
    assert_eq!((&nodes[1]["memberName"], &nodes[1]["member"]["name"]), (&json!("Ann"), &json!("Ann")));
    assert_eq!((&nodes[1]["keyKind"], &nodes[1]["apiKey"]["name"]), (&json!("MEMBER"), &json!("Ann")));
    assert_eq!((&nodes[1]["address"], &nodes[1]["userAgent"]), (&json!("127.0.0.1"), &json!("Desk 1.0")));
    assert_eq!((&nodes[2]["keyKind"], &nodes[2]["memberName"]), (&json!("SECRET"), &Value::Null));

    let remove = "mutation ($id: ID!) { m: removeMember(input: { id: $id }) { removedId } }";
    site.owner().graphql(remove, json!({ "id": ann })).await.ok();
    let entries = log(&site.owner(), json!({})).await;
    assert_eq!(entries["nodes"][0]["action"], "removeMember");
    assert_eq!(entries["nodes"][2]["memberName"], "Ann", "the name outlives the member");
    assert_eq!(entries["nodes"][2]["member"], Value::Null);
}

async fn failures_visitors_and_work_in_conversations_are_not_recorded(app: &TestApp) {
    let (site, other) = (app.site().create().await, app.site().create().await);
    let ask = "mutation { m: askQuestion(input: { question: \"Hi?\" }) { conversation { id } } }";
    let asked = site.visitor().graphql(ask, json!({})).await.ok();
    let variables = json!({ "id": asked["m"]["conversation"]["id"], "site": site.id });
    for work in [
        "mutation ($id: ID!) { m: addNote(input: { conversationId: $id, text: \"Hm.\" }) { userErrors { code } } }",
        "mutation ($id: ID!) { m: updateConversation(input: { conversationId: $id, priority: HIGH }) { userErrors { code } } }",
        "mutation { m: addCannedReply(input: { name: \" \", text: \"A.\" }) { userErrors { code } } }",
        "mutation { m: revokeApiKey(input: { id: \"x\" }) { userErrors { code } } }",
    ] {
        site.owner().graphql(work, variables.clone()).await.ok();
    }
    let theirs = "mutation ($site: ID) {
        m: addCannedReply(input: { siteId: $site, name: \"a\", text: \"A.\" }) { userErrors { code } } }";
    other.owner().graphql(theirs, variables).await;

    assert_eq!(actions(&site.owner(), json!({})).await, Vec::<String>::new());
    assert_eq!(actions(&other.owner(), json!({})).await, Vec::<String>::new());
    let narrow = "{ site { auditLog { totalCount } } }";
    assert_eq!(site.visitor().graphql(narrow, json!({})).await.codes(), ["FORBIDDEN"]);
    // An operator names the site, and is recorded there.
    let caps =
        "mutation ($site: ID) { m: updateCreditCaps(input: { siteId: $site, perDay: 5 }) { userErrors { code } } }";
    app.operator_client().graphql(caps, json!({ "site": site.id })).await.ok();
    let entries = log(&site.owner(), json!({})).await;
    assert_eq!((&entries["nodes"][0]["keyKind"], &entries["totalCount"]), (&json!("OPERATOR"), &json!(1)));
    assert_eq!(entries["nodes"][0]["apiKey"], Value::Null);
}

async fn the_log_is_filtered_and_paged(app: &TestApp) {
    let site = app.site().create().await;
    let owner = site.owner();
    let (ann, key) = member(&owner, "Ann").await;
    let reply =
        "mutation ($name: String!) { m: addCannedReply(input: { name: $name, text: \"A.\" }) { userErrors { code } } }";
    for number in 0..4 {
        app.pass(Duration::from_secs(60));
        let client = if number % 2 == 0 { app.client(&key) } else { owner.clone() };
        client.graphql(reply, json!({ "name": format!("reply {number}") })).await.ok();
    }
    let filtered = async |filter: Value| log(&owner, json!({ "filter": filter })).await["totalCount"].take();

    assert_eq!(filtered(json!({ "action": "addCannedReply" })).await, 4);
    assert_eq!(filtered(json!({ "action": "addMember" })).await, 1);
    assert_eq!(filtered(json!({ "action": "add" })).await, 0);
    assert_eq!(filtered(json!({ "memberId": ann })).await, 2);
    assert_eq!(filtered(json!({ "memberId": "x" })).await, 0);
    assert_eq!(filtered(json!({ "from": app.now().minus(Duration::from_secs(60)).to_string() })).await, 2);
    assert_eq!(filtered(json!({ "before": app.now().minus(Duration::from_secs(60)).to_string() })).await, 3);

    let all = log(&owner, json!({})).await["nodes"].take();
    let (mut read, mut after) = (Vec::new(), Value::Null);
    loop {
        let mut page = log(&owner, json!({ "first": 2, "after": after })).await;
        read.append(page["nodes"].as_array_mut().expect("nodes"));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].take();
    }
    assert_eq!(json!(read), all, "pages continue from newest to oldest");
    let last = log(&owner, json!({ "last": 2 })).await["nodes"].take();
    assert_eq!(last, json!([all[3], all[4]]));
}

async fn the_log_contains_no_secret_and_no_visitor_text(app: &TestApp) {
    let site = app.site().create().await;
    let ask =
        "mutation { m: askQuestion(input: { question: \"My card is 4111?\" }) { conversation { id sessionId } } }";
    let asked = site.owner().graphql(ask, json!({})).await.ok()["m"]["conversation"].take();
    let create = "mutation { m: createApiKey(input: { kind: SECRET, name: \"deploy\" }) { secret } }";
    let secret = site.owner().graphql(create, json!({})).await.ok()["m"]["secret"].take();
    let erase = "mutation ($id: String!) { m: eraseSession(input: { sessionId: $id }) { userErrors { code } } }";
    site.owner().graphql(erase, json!({ "id": asked["sessionId"] })).await.ok();

    let entries = log(&site.owner(), json!({})).await;
    let text = entries.to_string();
    assert_eq!(actions(&site.owner(), json!({})).await, ["eraseSession", "createApiKey"]);
    for hidden in [secret.as_str().expect("a secret"), asked["sessionId"].as_str().expect("a session"), "4111"] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
}

async fn a_change_over_rest_and_a_repeated_request_are_recorded_once(app: &TestApp) {
    let site = app.site().create().await;
    let config = json!({ "botName": "Bo" });
    site.owner().patch("/api/v1/config", &config).await.ok();
    let caps = json!({ "query": "mutation { updateCreditCaps(input: { perDay: 5 }) { userErrors { code } } }" });
    for _ in 0..2 {
        let client = site.owner();
        let request = client.request(reqwest::Method::POST, "/graphql").header("idempotency-key", "once");
        client.send(request.header("content-type", "application/json").body(caps.to_string())).await.ok();
    }

    assert_eq!(actions(&site.owner(), json!({})).await, ["updateCreditCaps", "updateWidgetConfig"]);
}

async fn expired_entries_are_deleted(app: &TestApp) {
    let site = app.site().create().await;
    let caps = "mutation { updateCreditCaps(input: { perDay: 5 }) { userErrors { code } } }";
    site.owner().graphql(caps, json!({})).await.ok();
    app.pass(audit_log::RETENTION - Duration::from_secs(60));
    site.owner().graphql(caps, json!({})).await.ok();
    assert_eq!(audit_log::delete_expired(app.services()).await.expect("the database answers"), 0);

    app.pass(Duration::from_secs(120));
    assert_eq!(audit_log::delete_expired(app.services()).await.expect("the database answers"), 1);
    assert_eq!(log(&site.owner(), json!({})).await["totalCount"], 1);
}
