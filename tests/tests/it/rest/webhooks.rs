//! Tests of GET, POST and DELETE /webhooks.

use futures_util::future::join_all;
use helpbot_domain::plan::Plan;
use helpbot_tests::{Reply, TestApp, TestSite, on_both_backends};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::rest::{refusal, refused_field, told};

on_both_backends!(
    webhooks_post_200_shows_the_secret_once,
    webhooks_get_200_redacts_the_secret,
    webhooks_post_400_for_bad_addresses_events_and_descriptions,
    webhooks_post_403_for_the_sixth_also_of_many_at_once,
    webhooks_delete_200_and_then_404,
    webhooks_delete_400_without_an_id,
    webhooks_401_without_a_key,
    webhooks_403_on_the_starter_plan_and_with_a_widget_key,
);

const PATH: &str = "/api/v1/webhooks";
const URL: &str = "https://example.com/hooks/helpbot";

async fn create(site: &TestSite<'_>) -> Reply {
    site.owner().post(PATH, &json!({"url": URL, "events": ["conversation.created"]})).await
}

async fn webhooks_post_200_shows_the_secret_once(app: &TestApp) {
    let site = app.site().create().await;
    let events = ["conversation.handoff", "conversation.created", "conversation.handoff"];

    let reply = site.owner().post(PATH, &json!({"url": URL, "events": events, "description": " CRM "})).await;

    let (status, mut body) = told(&reply);
    let secret = body["webhook"]["secret"].take();
    // 32 bytes in base64: 43 characters and their padding.
    let secret = secret.as_str().and_then(|secret| secret.strip_prefix("whsec_")).expect("a secret");
    assert!(secret.len() == 44 && secret.ends_with('='), "{secret}");
    let webhook = json!({
        "id": "[wh]", "url": URL, "events": ["conversation.created", "conversation.handoff"], "description": "CRM",
        "secret": null, "enabled": true, "createdAt": "[time]", "updatedAt": "[time]",
    });
    assert_eq!((status, body), (200, json!({"webhook": webhook})));
}

async fn webhooks_get_200_redacts_the_secret(app: &TestApp) {
    let site = app.site().create().await;
    let empty = site.owner().get(PATH).await;
    let created = create(&site).await.ok();
    let secret = created["webhook"]["secret"].as_str().expect("a secret");

    let reply = site.owner().get(PATH).await;

    assert_eq!(told(&empty), (200, json!({"webhooks": []})));
    let webhook = json!({
        "id": "[wh]", "url": URL, "events": ["conversation.created"], "description": null,
        "secret": format!("****{}", &secret[secret.len() - 4..]), "enabled": true,
        "createdAt": "[time]", "updatedAt": "[time]",
    });
    assert_eq!(told(&reply), (200, json!({"webhooks": [webhook]})));
}

async fn webhooks_post_400_for_bad_addresses_events_and_descriptions(app: &TestApp) {
    let site = app.site().create().await;
    let good = json!(["conversation.created"]);
    let refused = "events must contain one or more of the four event names";

    for events in [json!(null), json!([]), json!("conversation.created"), json!(["message.created"]), json!([1])] {
        let reply = site.owner().post(PATH, &json!({"url": URL, "events": events})).await;
        assert_eq!(told(&reply), refusal(StatusCode::BAD_REQUEST, refused, "BAD_USER_INPUT"), "{events}");
    }
    for (url, error) in [(json!(null), "Missing url"), (json!("example.com"), "url is not a valid URL")] {
        let reply = site.owner().post(PATH, &json!({"url": url, "events": good})).await;
        assert_eq!(told(&reply), refused_field(error, "url"), "{url}");
    }
    for url in ["http://example.com/", "https://10.0.0.1/", "https://localhost/"] {
        let reply = site.owner().post(PATH, &json!({"url": url, "events": good})).await;
        assert_eq!(
            (reply.status, &reply.json()["details"]["field"]),
            (StatusCode::BAD_REQUEST, &json!("url")),
            "{url}"
        );
    }
    let long = json!({"url": URL, "events": good, "description": "ü".repeat(201)});
    let expected = refused_field("description must be at most 200 characters", "description");
    assert_eq!(told(&site.owner().post(PATH, &long).await), expected);
    assert_eq!(told(&site.owner().get(PATH).await), (200, json!({"webhooks": []})));
}

async fn webhooks_post_403_for_the_sixth_also_of_many_at_once(app: &TestApp) {
    let site = app.site().create().await;
    for _ in 0..4 {
        create(&site).await.ok();
    }

    let replies = join_all((0..20).map(|_| create(&site))).await;

    let limit =
        refusal(StatusCode::FORBIDDEN, "A site can have at most 5 webhooks. Delete one first.", "LIMIT_REACHED");
    let (created, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == StatusCode::OK);
    assert_eq!((created.len(), refused.len()), (1, 19));
    assert!(refused.iter().all(|reply| told(reply) == limit));
    assert_eq!(site.owner().get(PATH).await.ok()["webhooks"].as_array().map(Vec::len), Some(5));
}

async fn webhooks_delete_200_and_then_404(app: &TestApp) {
    let (site, other) = (app.site().create().await, app.site().create().await);
    let id = create(&site).await.ok()["webhook"]["id"].as_str().expect("an id").to_owned();
    let path = format!("{PATH}?id={id}");
    let unknown = refusal(StatusCode::NOT_FOUND, "Webhook not found", "NOT_FOUND");

    assert_eq!(told(&other.owner().delete(&path).await), unknown, "another site's");
    assert_eq!(told(&site.owner().delete(&path).await), (200, json!({"deleted": true})));
    assert_eq!(told(&site.owner().delete(&path).await), unknown, "twice");
    assert_eq!(told(&site.owner().delete(&format!("{PATH}?id=1")).await), unknown, "malformed");
}

async fn webhooks_delete_400_without_an_id(app: &TestApp) {
    let site = app.site().create().await;

    let reply = site.owner().delete(PATH).await;

    assert_eq!(told(&reply), refusal(StatusCode::BAD_REQUEST, "Missing id query parameter", "BAD_USER_INPUT"));
}

async fn webhooks_401_without_a_key(app: &TestApp) {
    let missing: (u16, Value) = refusal(StatusCode::UNAUTHORIZED, "Missing API key", "UNAUTHENTICATED");

    assert_eq!(told(&app.anonymous().get(PATH).await), missing);
    assert_eq!(told(&app.anonymous().post(PATH, &json!({})).await), missing);
    assert_eq!(told(&app.anonymous().delete(PATH).await), missing);
}

async fn webhooks_403_on_the_starter_plan_and_with_a_widget_key(app: &TestApp) {
    let (small, large) = (app.site().plan(Plan::Starter).create().await, app.site().create().await);
    let required = refusal(StatusCode::FORBIDDEN, "This requires the Growth plan.", "PLAN_REQUIRED");
    let forbidden = refusal(StatusCode::FORBIDDEN, "This API key is not allowed to manage webhooks.", "FORBIDDEN");

    for (client, expected) in [(small.owner(), required), (large.visitor(), forbidden)] {
        assert_eq!(told(&client.get(PATH).await), expected);
        assert_eq!(told(&client.post(PATH, &json!({})).await), expected, "before 400");
        assert_eq!(told(&client.delete(PATH).await), expected, "before 400");
    }
    assert_eq!(app.site().plan(Plan::Growth).create().await.owner().get(PATH).await.status, StatusCode::OK);
}
