//! Tests of GET and PATCH /config.

use helpbot_domain::plan::Plan;
use helpbot_services::accounts::sites::{self, SitePatch};
use helpbot_tests::{TestApp, on_both_backends};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::rest::{refusal, refused_field, told};

on_both_backends!(
    config_get_200_gives_every_field,
    config_get_200_may_be_kept_and_304_when_it_was,
    config_get_401_without_a_key,
    config_get_200_shows_the_branding_again_after_a_downgrade,
    config_patch_200_changes_what_was_sent,
    config_patch_400_changes_nothing,
    config_patch_401_without_a_key,
    config_patch_403_for_the_plan_and_for_the_key,
);

fn defaults() -> Value {
    json!({
        "primaryColor": "#2563eb", "primaryForeground": "#ffffff", "backgroundColor": "#ffffff",
        "foregroundColor": "#111827", "secondaryColor": "#f3f4f6", "secondaryForeground": "#111827",
        "position": "bottom-right", "greeting": "Hi! How can I help you?", "botName": "HelpBot",
        "showBranding": true, "aiLanguage": "auto", "inputPlaceholder": "Type your question\u{2026}",
        "typingText": "Typing\u{2026}", "onlineText": "Online", "handoffText": "Talk to a human",
        "handoffSentText": "Thanks! Our team has been notified.", "emailPlaceholder": "Your e-mail (optional)",
        "emailSendText": "Send", "emailSkipText": "Skip", "feedbackYesText": "Glad it helped!",
        "feedbackNoText": "Sorry about that. Would you like to talk to a human?",
        "errorText": "Something went wrong. Please try again.",
        "networkErrorText": "You seem to be offline. Please check your connection.",
    })
}

async fn config_get_200_gives_every_field(app: &TestApp) {
    let site = app.site().create().await;

    let reply = app.anonymous().get(&format!("/api/v1/config?apiKey={}", site.widget_key)).await;

    assert_eq!(told(&reply), (200, defaults()));
}

async fn config_get_200_may_be_kept_and_304_when_it_was(app: &TestApp) {
    let site = app.site().create().await;
    let first = site.visitor().get("/api/v1/config").await;
    let tag = first.header("etag").expect("an entity tag").to_owned();
    let again = || site.visitor().request(Method::GET, "/api/v1/config").header("if-none-match", &tag);

    let kept = site.visitor().send(again()).await;
    site.owner().patch("/api/v1/config", &json!({"botName": "Ada"})).await.ok();
    let changed = site.visitor().send(again()).await;

    assert_eq!(first.header("cache-control"), Some("private, max-age=60"));
    assert_eq!(
        (kept.status, kept.text().as_str(), kept.header("etag")),
        (StatusCode::NOT_MODIFIED, "", Some(tag.as_str()))
    );
    assert_eq!((changed.status, &changed.json()["botName"]), (StatusCode::OK, &json!("Ada")));
    assert_ne!(changed.header("etag"), Some(tag.as_str()));
}

async fn config_get_401_without_a_key(app: &TestApp) {
    let reply = app.anonymous().get("/api/v1/config").await;

    assert_eq!(told(&reply), refusal(StatusCode::UNAUTHORIZED, "Missing API key", "UNAUTHENTICATED"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

async fn config_get_200_shows_the_branding_again_after_a_downgrade(app: &TestApp) {
    let site = app.site().plan(Plan::Scale).create().await;
    site.owner().patch("/api/v1/config", &json!({"showBranding": false})).await.ok();

    let hidden = site.visitor().get("/api/v1/config").await.ok();
    let patch = SitePatch { plan: Some(Plan::Growth), ..SitePatch::default() };
    sites::update(app.services(), app.operator(), site.id, patch).await.expect("a downgrade");
    let shown = site.visitor().get("/api/v1/config").await.ok();

    assert_eq!((&hidden["showBranding"], &shown["showBranding"]), (&json!(false), &json!(true)));
}

async fn config_patch_200_changes_what_was_sent(app: &TestApp) {
    let site = app.site().create().await;

    let body =
        json!({"botName": " Ada ", "position": "bottom-left", "primaryColor": "rgb(1 2 3 / 50%)", "theme": "dark"});
    let reply = site.owner().patch("/api/v1/config", &body).await;

    let mut config = defaults();
    config["botName"] = json!("Ada");
    config["position"] = json!("bottom-left");
    config["primaryColor"] = json!("rgb(1 2 3 / 50%)");
    assert_eq!(told(&reply), (200, json!({"updated": ["primaryColor", "position", "botName"], "config": config})));
    assert_eq!(told(&site.visitor().get("/api/v1/config").await), (200, config));
}

async fn config_patch_400_changes_nothing(app: &TestApp) {
    let site = app.site().create().await;
    let bad = |error: &str| refusal(StatusCode::BAD_REQUEST, error, "BAD_USER_INPUT");
    let colour = "primaryColor must be a hex, rgb(), hsl() or oklch() color";

    for (body, expected) in [
        (json!({}), refused_field("No valid fields to update", "config")),
        (json!({"theme": "dark", "apiKey": site.secret_key}), refused_field("No valid fields to update", "config")),
        (json!({"greeting": "ok", "primaryColor": "#fff;}"}), refused_field(colour, "primaryColor")),
        (json!({"greeting": "x".repeat(501)}), refused_field("greeting must be at most 500 characters", "greeting")),
        (json!({"botName": ""}), refused_field("Missing botName", "botName")),
        (json!({"greeting": "ok", "botName": null}), bad("botName must be a string")),
        (json!({"showBranding": "false"}), bad("showBranding must be true or false")),
        (json!({"position": "top"}), bad("position must be \"bottom-right\" or \"bottom-left\"")),
    ] {
        assert_eq!(told(&site.owner().patch("/api/v1/config", &body).await), expected, "{body}");
    }
    assert_eq!(told(&site.visitor().get("/api/v1/config").await), (200, defaults()));
}

async fn config_patch_401_without_a_key(app: &TestApp) {
    let reply = app.anonymous().patch("/api/v1/config", &json!({"botName": 7})).await;

    assert_eq!(told(&reply), refusal(StatusCode::UNAUTHORIZED, "Missing API key", "UNAUTHENTICATED"));
}

async fn config_patch_403_for_the_plan_and_for_the_key(app: &TestApp) {
    let site = app.site().plan(Plan::Growth).create().await;
    let plan_required = refusal(StatusCode::FORBIDDEN, "This requires the Scale plan.", "PLAN_REQUIRED");

    // Also beside a bad value, and beside one of a wrong type: the plan is asked first.
    for body in [
        json!({"showBranding": false}),
        json!({"showBranding": false, "primaryColor": "red"}),
        json!({"showBranding": false, "greeting": 7}),
    ] {
        assert_eq!(told(&site.owner().patch("/api/v1/config", &body).await), plan_required, "{body}");
    }
    let widget = site.visitor().patch("/api/v1/config", &json!({"botName": 7})).await;
    assert_eq!(
        told(&widget),
        refusal(StatusCode::FORBIDDEN, "This API key is not allowed to change the configuration.", "FORBIDDEN")
    );
}
