//! Tests of webhooks through the public interfaces: created over REST, sent, and the log queried and replayed over
//! GraphQL.

use axum::http::StatusCode;
use helpbot_tests::{Receiver, TestApp, TestSite, on_both_backends, wait_for};
use serde_json::{Value, json};

on_both_backends!(
    all_four_events_arrive_with_the_documented_headers_and_data,
    the_log_tells_of_each_attempt_and_a_delivery_is_sent_again_with_its_id,
    the_log_is_narrowed_by_event_status_and_time,
    what_happened_while_a_webhook_was_disabled_is_replayed,
    a_test_event_needs_an_enabled_webhook,
    a_secret_is_rotated_in_two_steps,
    another_sites_webhooks_and_deliveries_do_not_exist,
);

const EVENTS: [&str; 4] =
    ["conversation.created", "conversation.unanswered", "conversation.feedback", "conversation.handoff"];
const LOG: &str = "{ site { webhooks {
    id isEnabled disabledReason failingSince pausedUntil
    lastReplay { total checked replayed finishedAt }
    deliveries(first: 5) { totalCount nodes {
        id event isTest sequence status attemptCount nextAttemptAt body
        attempts { nodes {
            number statusCode errorCode dnsMs connectMs firstByteMs totalMs responseBody requestHeaders { name value } responseHeaders { name value }
        } }
    } }
} } }";
const REPLAY: &str = "mutation ($id: ID!) {
    replayDelivery(input: { id: $id }) { delivery { id status } userErrors { code } }
}";
const ENABLE: &str = "mutation ($id: ID!, $is: Boolean!) {
    updateWebhook(input: { id: $id, isEnabled: $is }) { webhook { isEnabled disabledReason } userErrors { code } }
}";
const TEST: &str = "mutation ($id: ID!) {
    sendTestEvent(input: { webhookId: $id }) { delivery { id isTest event sequence } userErrors { code } }
}";
const ROTATE: &str = "mutation ($id: ID!, $step: WebhookRotationStep!) {
    rotateWebhookSecret(input: { id: $id, step: $step }) {
        secret webhook { redactedSecret rotation { isStaged redactedSecret endsAt } } userErrors { code }
    }
}";

/// A webhook for all events, as REST tells of it.
async fn webhook(site: &TestSite<'_>, receiver: &Receiver) -> Value {
    let new = json!({ "url": receiver.url(), "events": EVENTS });
    site.owner().post("/api/v1/webhooks", &new).await.ok()["webhook"].take()
}

async fn ask(site: &TestSite<'_>, question: &str) -> String {
    let told = site.visitor().post("/api/v1/chat", &json!({ "question": question })).await.ok();
    told["conversationId"].as_str().expect("an id").to_owned()
}

/// The only webhook of the site, once `wanted` of its deliveries have arrived.
async fn log_once_delivered(site: &TestSite<'_>, wanted: usize) -> Value {
    wait_for("the record of the deliveries", async || {
        let mut log = site.owner().graphql(LOG, json!({})).await.ok();
        let webhook = log["site"]["webhooks"][0].take();
        let nodes = webhook["deliveries"]["nodes"].as_array().expect("a list");
        let delivered = nodes.iter().filter(|node| node["status"] == "DELIVERED").count();
        (delivered == wanted).then_some(webhook)
    })
    .await
}

async fn all_four_events_arrive_with_the_documented_headers_and_data(app: &TestApp) {
    let site = app.site().create().await;
    let mut receiver = Receiver::start().await;
    webhook(&site, &receiver).await;

    let id = ask(&site, "Why is the sky blue?").await;
    site.visitor().post("/api/v1/feedback", &json!({ "conversationId": id, "helpful": "no" })).await.ok();
    let handoff = json!({ "conversationId": id, "customerEmail": "ann@example.com" });
    site.visitor().post("/api/v1/handoff", &handoff).await.ok();

    let mut arrived = Vec::new();
    for _ in EVENTS {
        arrived.push(receiver.next().await);
    }
    arrived.sort_by_key(|it| it.header("x-helpbot-sequence").map(str::to_owned));
    let names: Vec<_> = arrived.iter().map(|it| it.header("x-helpbot-event").expect("a name")).collect();
    assert_eq!(names, EVENTS);
    for delivery in &arrived {
        assert_eq!(delivery.header("content-type"), Some("application/json"));
        assert_eq!(delivery.header("x-helpbot-delivery").map(str::len), Some(36));
        let signature = delivery.header("x-helpbot-signature").and_then(|it| it.strip_prefix("sha256="));
        assert!(signature.is_some_and(|hex| hex.len() == 64 && !hex.contains(char::is_uppercase)));
        assert_eq!(delivery.json()["event"], delivery.header("x-helpbot-event").expect("a name"));
        assert_eq!(delivery.json()["data"]["conversationId"], id);
    }
    assert_eq!(arrived[0].json()["data"]["question"], "Why is the sky blue?");
    assert_eq!(arrived[0].json()["data"]["sources"], json!([]));
    assert_eq!(arrived[2].json()["data"], json!({ "conversationId": id, "helpful": "no" }));
    assert_eq!(arrived[3].json()["data"]["customerEmail"], "ann@example.com");
}

async fn the_log_tells_of_each_attempt_and_a_delivery_is_sent_again_with_its_id(app: &TestApp) {
    let site = app.site().create().await;
    let mut receiver = Receiver::start().await;
    webhook(&site, &receiver).await;
    ask(&site, "Why?").await;
    let first = [receiver.next().await, receiver.next().await];

    let log = log_once_delivered(&site, 2).await;
    let node = log["deliveries"]["nodes"].as_array().and_then(|nodes| nodes.iter().find(|it| it["sequence"] == 1));
    let node = node.expect("the first event's delivery");
    let sent = first.iter().find(|it| it.header("x-helpbot-sequence") == Some("1")).expect("the same");

    assert_eq!(log["deliveries"]["totalCount"], 2);
    assert_eq!(node["id"], sent.header("x-helpbot-delivery").expect("an id"));
    assert_eq!(node["body"].as_str().map(str::as_bytes), Some(&sent.body[..]));
    assert_eq!((&node["event"], &node["isTest"]), (&json!("CONVERSATION_CREATED"), &json!(false)));
    assert_eq!((&node["attemptCount"], &node["nextAttemptAt"]), (&json!(1), &json!(null)));
    let [attempt] = &node["attempts"]["nodes"].as_array().expect("a list")[..] else { panic!("{node}") };
    assert_eq!((&attempt["number"], &attempt["statusCode"]), (&json!(1), &json!(200)));
    // An IP address needs no DNS lookup, and the second delivery may reuse an open connection.
    assert_eq!((&attempt["errorCode"], &attempt["dnsMs"]), (&json!(null), &json!(null)));
    assert!(attempt["firstByteMs"].as_u64() <= attempt["totalMs"].as_u64() && attempt["firstByteMs"].is_u64());
    assert_eq!(attempt["responseBody"], "");
    let header = json!({ "name": "x-helpbot-event", "value": "conversation.created" });
    assert!(attempt["requestHeaders"].as_array().is_some_and(|headers| headers.contains(&header)));
    let answered = json!({ "name": "content-length", "value": "0" });
    assert!(attempt["responseHeaders"].as_array().is_some_and(|headers| headers.contains(&answered)));

    let again = site.owner().graphql(REPLAY, json!({ "id": node["id"] })).await.ok();
    assert_eq!(again["replayDelivery"]["userErrors"], json!([]));
    let second = receiver.next().await;
    assert_eq!(second.header("x-helpbot-delivery"), sent.header("x-helpbot-delivery"));
    assert_eq!(second.body, sent.body);
}

async fn the_log_is_narrowed_by_event_status_and_time(app: &TestApp) {
    let site = app.site().create().await;
    let receiver = Receiver::start().await;
    webhook(&site, &receiver).await;
    let id = ask(&site, "Why?").await;
    log_once_delivered(&site, 2).await;
    app.pass(std::time::Duration::from_secs(3600));
    let later = app.now().to_rfc3339();
    site.visitor().post("/api/v1/feedback", &json!({ "conversationId": id, "helpful": "no" })).await.ok();
    log_once_delivered(&site, 3).await;
    let narrowed = async |filter: Value| {
        let query = "query ($filter: WebhookDeliveryFilter!) {
            site { webhooks { deliveries(filter: $filter) { totalCount nodes { event } } } }
        }";
        let mut told = site.owner().graphql(query, json!({ "filter": filter })).await.ok();
        let log = told["site"]["webhooks"][0]["deliveries"].take();
        let events: Vec<Value> =
            log["nodes"].as_array().expect("a list").iter().map(|it| it["event"].clone()).collect();
        assert_eq!(log["totalCount"], events.len());
        events
    };

    assert_eq!(narrowed(json!({ "event": "CONVERSATION_UNANSWERED" })).await, ["CONVERSATION_UNANSWERED"]);
    assert_eq!(narrowed(json!({ "since": later })).await, ["CONVERSATION_FEEDBACK"]);
    assert_eq!(narrowed(json!({ "status": "DELIVERED" })).await.len(), 3);
    assert!(narrowed(json!({ "status": "FAILED" })).await.is_empty());
    assert!(narrowed(json!({ "since": later, "event": "CONVERSATION_CREATED" })).await.is_empty());
}

async fn what_happened_while_a_webhook_was_disabled_is_replayed(app: &TestApp) {
    let site = app.site().create().await;
    let mut receiver = Receiver::start().await;
    let id = webhook(&site, &receiver).await["id"].take();
    let owner = site.owner();
    let off = owner.graphql(ENABLE, json!({ "id": id, "is": false })).await.ok();
    assert_eq!(off["updateWebhook"]["webhook"], json!({ "isEnabled": false, "disabledReason": "OWNER" }));
    ask(&site, "Missed?").await;
    owner.graphql(ENABLE, json!({ "id": id, "is": true })).await.ok();
    assert!(receiver.arrived().is_empty());

    let replay = "mutation ($id: ID!, $since: DateTime!) {
        replayFailedDeliveries(input: { webhookId: $id, since: $since }) { replay { total } userErrors { code } }
    }";
    let asked = owner.graphql(replay, json!({ "id": id, "since": app.now().to_rfc3339() })).await.ok();

    assert_eq!(asked["replayFailedDeliveries"], json!({ "replay": { "total": 2 }, "userErrors": [] }));
    for _ in 0..2 {
        assert_eq!(receiver.next().await.json()["data"]["question"], "Missed?");
    }
    log_once_delivered(&site, 2).await;
    let ended = wait_for("the end of the replay", async || {
        let mut log = site.owner().graphql(LOG, json!({})).await.ok();
        let replay = log["site"]["webhooks"][0]["lastReplay"].take();
        replay["finishedAt"].is_string().then_some(replay)
    })
    .await;
    assert_eq!((&ended["total"], &ended["checked"], &ended["replayed"]), (&json!(2), &json!(2), &json!(2)));
}

async fn a_test_event_needs_an_enabled_webhook(app: &TestApp) {
    let site = app.site().create().await;
    let mut receiver = Receiver::start().await;
    receiver.answer_next([StatusCode::NO_CONTENT]);
    let id = webhook(&site, &receiver).await["id"].take();

    let sent = site.owner().graphql(TEST, json!({ "id": id })).await.ok();
    let arrived = receiver.next().await;

    let delivery = &sent["sendTestEvent"]["delivery"];
    assert_eq!((&delivery["isTest"], &delivery["event"]), (&json!(true), &json!(null)));
    assert_eq!(delivery["id"], arrived.header("x-helpbot-delivery").expect("an id"));
    assert_eq!(arrived.header("x-helpbot-event"), Some("ping"));
    assert_eq!(arrived.header("x-helpbot-sequence"), None);
    assert_eq!(arrived.json()["data"], json!({ "webhookId": id }));
    site.owner().graphql(ENABLE, json!({ "id": id, "is": false })).await.ok();
    let refused = site.owner().graphql(TEST, json!({ "id": id })).await.ok();
    assert_eq!(refused["sendTestEvent"]["userErrors"], json!([{ "code": "CONFLICT" }]));
}

async fn a_secret_is_rotated_in_two_steps(app: &TestApp) {
    let site = app.site().create().await;
    let receiver = Receiver::start().await;
    let mut made = webhook(&site, &receiver).await;
    let (id, first) = (made["id"].take(), made["secret"].as_str().expect("a secret").to_owned());
    let rotate = async |step: &str| {
        let mut told = site.owner().graphql(ROTATE, json!({ "id": id, "step": step })).await.ok();
        told["rotateWebhookSecret"].take()
    };
    let redacted = |secret: &str| format!("****{}", &secret[secret.len() - 4..]);

    assert_eq!(rotate("PROMOTE").await["userErrors"], json!([{ "code": "CONFLICT" }]));
    let staged = rotate("STAGE").await;
    let second = staged["secret"].as_str().expect("the next secret").to_owned();
    assert!(second.starts_with("whsec_") && second != first);
    assert_eq!(staged["webhook"]["redactedSecret"], redacted(&first));
    assert_eq!(staged["webhook"]["rotation"]["isStaged"], true);
    let promoted = rotate("PROMOTE").await;

    assert_eq!(promoted["secret"], json!(null));
    assert_eq!(promoted["webhook"]["redactedSecret"], redacted(&second));
    assert_eq!(promoted["webhook"]["rotation"]["redactedSecret"], redacted(&first));
    let day = std::time::Duration::from_secs(86_400);
    assert_eq!(promoted["webhook"]["rotation"]["endsAt"], app.now().plus(day).to_rfc3339());
}

async fn another_sites_webhooks_and_deliveries_do_not_exist(app: &TestApp) {
    let (site, other) = (app.site().create().await, app.site().create().await);
    let mut receiver = Receiver::start().await;
    let id = webhook(&site, &receiver).await["id"].take();
    ask(&site, "Why?").await;
    let delivery = receiver.next().await.header("x-helpbot-delivery").expect("an id").to_owned();
    let gone = json!([{ "code": "NOT_FOUND" }]);

    let replayed = other.owner().graphql(REPLAY, json!({ "id": delivery })).await.ok();
    let tested = other.owner().graphql(TEST, json!({ "id": id })).await.ok();
    let changed = other.owner().graphql(ENABLE, json!({ "id": id, "is": false })).await.ok();
    let rotated = other.owner().graphql(ROTATE, json!({ "id": id, "step": "STAGE" })).await.ok();

    assert_eq!(replayed["replayDelivery"]["userErrors"], gone);
    assert_eq!(tested["sendTestEvent"]["userErrors"], gone);
    assert_eq!(changed["updateWebhook"]["userErrors"], gone);
    assert_eq!(rotated["rotateWebhookSecret"]["userErrors"], gone);
    assert_eq!(other.owner().graphql(LOG, json!({})).await.ok()["site"]["webhooks"], json!([]));
}
