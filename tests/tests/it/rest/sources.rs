//! Tests of GET, POST and DELETE /sources and of POST `/sources/rescrape`.

use helpbot_domain::key::{KeyKind, Scope};
use helpbot_domain::plan::Plan;
use helpbot_tests::{Page, Pages, TestApp, on_both_backends, wait_for};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::rest::{refusal, refused_field, told, with_entry};

on_both_backends!(
    sources_get_200_lists_each_kind,
    sources_get_401_without_a_key,
    sources_get_403_for_the_plan_and_for_the_key,
    sources_post_200_adds_a_page_that_ends_indexed,
    sources_post_200_gives_the_source_that_is_there,
    sources_post_400_for_a_missing_or_refused_address,
    sources_post_401_and_403_come_before_400,
    sources_delete_200_and_then_404,
    sources_delete_400_without_an_id,
    sources_delete_401_and_403,
    rescrape_200_reads_again_and_answers_alike_meanwhile,
    rescrape_400_for_a_missing_id_and_for_a_text,
    rescrape_401_403_and_404,
);

const ADDED: &str = "Source added. Poll GET /api/v1/sources to see when it is indexed.";
const AGAIN: &str = "The source is being synced. Poll GET /api/v1/sources to see when it is indexed.";

fn faq() -> Page {
    Page::html("<h1>FAQ</h1><h2>When are you open?</h2><p>From nine to five, Monday to Friday.</p>")
}

fn plan_required() -> (u16, Value) {
    refusal(StatusCode::FORBIDDEN, "This requires the Scale plan.", "PLAN_REQUIRED")
}

fn missing_key() -> (u16, Value) {
    refusal(StatusCode::UNAUTHORIZED, "Missing API key", "UNAUTHENTICATED")
}

async fn sources_get_200_lists_each_kind(app: &TestApp) {
    let site = app.site().create().await;
    let empty = site.owner().get("/api/v1/sources").await;
    with_entry(app, &site).await;

    let reply = site.owner().get("/api/v1/sources").await;

    assert_eq!(told(&empty), (200, json!({"sources": []})));
    let (status, body) = told(&reply);
    let source = &body["sources"][0];
    assert_eq!((status, body["sources"].as_array().map(Vec::len)), (200, Some(1)));
    assert_eq!(
        json!([
            source["id"],
            source["type"],
            source["status"],
            source["error"],
            source["createdAt"],
            source["updatedAt"]
        ]),
        json!(["[src]", "text", "indexed", null, "[time]", "[time]"])
    );
    assert_eq!(source.as_object().map(serde_json::Map::len), Some(9), "{source}");
}

async fn sources_get_401_without_a_key(app: &TestApp) {
    assert_eq!(told(&app.anonymous().get("/api/v1/sources").await), missing_key());
}

async fn sources_get_403_for_the_plan_and_for_the_key(app: &TestApp) {
    let small = app.site().plan(Plan::Growth).create().await;
    let large = app.site().create().await;

    let plan = small.owner().get("/api/v1/sources").await;
    let key = large.visitor().get("/api/v1/sources").await;

    assert_eq!(told(&plan), plan_required());
    assert_eq!(told(&key), refusal(StatusCode::FORBIDDEN, "This API key is not allowed to read sources.", "FORBIDDEN"));
}

async fn sources_post_200_adds_a_page_that_ends_indexed(app: &TestApp) {
    let site = app.site().create().await;
    let pages = Pages::of([("/faq", faq())]).await;
    let url = pages.url("/faq");

    let reply = site.owner().post("/api/v1/sources", &json!({"url": url})).await;
    let listed = wait_for("an indexed source", async || {
        let listed = site.owner().get("/api/v1/sources").await;
        (listed.json()["sources"][0]["status"] == "indexed").then_some(listed)
    })
    .await;

    let source = json!({
        "id": "[src]", "url": url, "type": "url", "status": "pending", "documentCount": 0, "error": null,
        "lastScrapedAt": null, "createdAt": "[time]", "updatedAt": "[time]",
    });
    assert_eq!(told(&reply), (200, json!({"source": source, "message": ADDED})));
    let indexed = json!({
        "id": "[src]", "url": url, "type": "url", "status": "indexed", "documentCount": 1, "error": null,
        "lastScrapedAt": "[time]", "createdAt": "[time]", "updatedAt": "[time]",
    });
    assert_eq!(told(&listed), (200, json!({"sources": [indexed]})));
}

async fn sources_post_200_gives_the_source_that_is_there(app: &TestApp) {
    let site = app.site().create().await;
    let pages = Pages::of([("/faq", faq())]).await;
    let url = pages.url("/faq").to_string();
    let first = site.owner().post("/api/v1/sources", &json!({"url": url})).await.ok();

    let again = site.owner().post("/api/v1/sources", &json!({"url": format!(" {url}#top")})).await.ok();

    assert_eq!(again["source"]["id"], first["source"]["id"]);
    assert_eq!(again["message"], "This source was added before.");
}

async fn sources_post_400_for_a_missing_or_refused_address(app: &TestApp) {
    let site = app.site().create().await;
    let long = format!("https://example.com/{}", "a".repeat(2048));

    for (url, error) in [
        (json!(null), "Missing url"),
        (json!(["https://example.com"]), "Missing url"),
        (json!("example.com/faq"), "url is not a valid URL"),
        (json!("ftp://example.com/faq"), "url must start with http:// or https://"),
        (json!("https://ann:secret@example.com/"), "url must not contain a user name or password"),
        (json!(long), "url must be at most 2048 characters"),
    ] {
        let reply = site.owner().post("/api/v1/sources", &json!({"url": url})).await;
        assert_eq!(told(&reply), refused_field(error, "url"), "{url}");
    }
    // The words are the guard's; that these are refused is the contract's.
    for url in ["http://10.0.0.1/", "http://169.254.169.254/latest", "http://[::1]/", "http://localhost/"] {
        let reply = site.owner().post("/api/v1/sources", &json!({"url": url})).await;
        let body = reply.json();
        assert_eq!((reply.status, &body["details"]["field"]), (StatusCode::BAD_REQUEST, &json!("url")), "{url} {body}");
    }
}

async fn sources_post_401_and_403_come_before_400(app: &TestApp) {
    let small = app.site().plan(Plan::Growth).create().await;
    let large = app.site().create().await;
    let nothing = json!({});

    assert_eq!(told(&app.anonymous().post("/api/v1/sources", &nothing).await), missing_key());
    assert_eq!(told(&small.owner().post("/api/v1/sources", &nothing).await), plan_required());
    let widget = large.visitor().post("/api/v1/sources", &nothing).await;
    assert_eq!(
        told(&widget),
        refusal(StatusCode::FORBIDDEN, "This API key is not allowed to change sources.", "FORBIDDEN")
    );
}

async fn sources_delete_200_and_then_404(app: &TestApp) {
    let (site, other) = (app.site().create().await, app.site().create().await);
    with_entry(app, &site).await;
    let id = site.owner().get("/api/v1/sources").await.ok()["sources"][0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/v1/sources?id={id}");
    let unknown = refusal(StatusCode::NOT_FOUND, "Source not found", "NOT_FOUND");

    assert_eq!(told(&other.owner().delete(&path).await), unknown, "another site's");
    assert_eq!(told(&site.owner().delete(&path).await), (200, json!({"deleted": true})));
    assert_eq!(told(&site.owner().delete(&path).await), unknown, "twice");
    assert_eq!(told(&site.owner().delete("/api/v1/sources?id=1").await), unknown, "malformed");
    assert_eq!(told(&site.owner().get("/api/v1/sources").await), (200, json!({"sources": []})));
}

async fn sources_delete_400_without_an_id(app: &TestApp) {
    let site = app.site().create().await;
    let missing = refusal(StatusCode::BAD_REQUEST, "Missing id query parameter", "BAD_USER_INPUT");

    for path in ["/api/v1/sources", "/api/v1/sources?id=", "/api/v1/sources?ID=src_1"] {
        assert_eq!(told(&site.owner().delete(path).await), missing, "{path}");
    }
}

async fn sources_delete_401_and_403(app: &TestApp) {
    let small = app.site().plan(Plan::Starter).create().await;

    assert_eq!(told(&app.anonymous().delete("/api/v1/sources").await), missing_key());
    assert_eq!(told(&small.owner().delete("/api/v1/sources").await), plan_required());
}

async fn rescrape_200_reads_again_and_answers_alike_meanwhile(app: &TestApp) {
    let site = app.site().create().await;
    let pages = Pages::of([("/faq", faq())]).await;
    let url = pages.url("/faq");
    let added = site.owner().post("/api/v1/sources", &json!({"url": url})).await.ok();
    let body = json!({"sourceId": added["source"]["id"]});

    let first = site.owner().post("/api/v1/sources/rescrape", &body).await;
    let second = site.owner().post("/api/v1/sources/rescrape", &body).await;

    let expected = json!({"sourceId": "[src]", "url": url, "status": "scraping", "message": AGAIN});
    assert_eq!(told(&first), (200, expected.clone()));
    assert_eq!(told(&second), (200, expected));
}

async fn rescrape_400_for_a_missing_id_and_for_a_text(app: &TestApp) {
    let site = app.site().create().await;
    with_entry(app, &site).await;
    let id = site.owner().get("/api/v1/sources").await.ok()["sources"][0]["id"].clone();

    let missing = site.owner().post("/api/v1/sources/rescrape", &json!({})).await;
    let text = site.owner().post("/api/v1/sources/rescrape", &json!({"sourceId": id})).await;

    assert_eq!(told(&missing), refusal(StatusCode::BAD_REQUEST, "Missing sourceId", "BAD_USER_INPUT"));
    assert_eq!(told(&text), refused_field("Only URL sources can be re-scraped", "sourceId"));
}

async fn rescrape_401_403_and_404(app: &TestApp) {
    let site = app.site().create().await;
    let (_, reader) = site.key(KeyKind::Secret).scopes(&[Scope::ReadSources]).create().await;
    let body = json!({"sourceId": "src_abc123"});
    let path = "/api/v1/sources/rescrape";

    assert_eq!(told(&app.anonymous().post(path, &body).await), missing_key());
    let forbidden = refusal(StatusCode::FORBIDDEN, "This API key is not allowed to change sources.", "FORBIDDEN");
    assert_eq!(told(&app.client(&reader).post(path, &body).await), forbidden);
    let unknown = refusal(StatusCode::NOT_FOUND, "Source not found", "NOT_FOUND");
    assert_eq!(told(&site.owner().post(path, &body).await), unknown);
}
