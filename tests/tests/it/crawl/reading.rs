//! Tests of what the owner of a site sees about a page: its entries and passages, what was left out and why, and its last
//! change.

use helpbot_tests::{Page, Pages, TestApp, on_both_backends, wait_for};
use serde_json::{Value, json};

on_both_backends!(a_page_shows_what_was_read_left_out_and_changed);

const ADD: &str =
    "mutation ($input: AddSourceInput!) { addSource(input: $input) { source { id } userErrors { message } } }";
const SYNC: &str = "mutation ($input: SyncSourceInput!) { syncSource(input: $input) { userErrors { message } } }";
const LOOK: &str = "query ($id: ID!, $url: String!) {
    node(id: $id) { ... on Source { status pages(url: $url) { totalCount nodes {
        url
        entries(first: 1) { totalCount nodes { question answer } pageInfo { hasNextPage endCursor } }
        passages { totalCount nodes { headings text } }
        omitted { reason sample }
        lastChange { totalCount chunks { kind isEntry title before after } }
    } } } }
}";
const NEXT: &str = "query ($id: ID!, $url: String!, $after: String!) {
    node(id: $id) { ... on Source { pages(url: $url) { nodes { entries(first: 1, after: $after) {
        nodes { question } pageInfo { hasNextPage }
    } } } } }
}";

fn html(refund: &str, shipping: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><title>Help</title></head><body>\
         <nav><a href=\"/\">Home</a> <a href=\"/shop\">All our products</a></nav>\
         <main><h1>Help</h1><p>The workshop repairs instruments of wood, and takes part in the open day.</p>\
         <h2>How do I get a refund?</h2><p>{refund}</p>\
         {shipping}\
         </main></body></html>"
    )
}

const REFUND: &str = "Send it back to us within a month, with the slip.";
const SHIPPING: &str = "<h2>Do you ship to Canada?</h2><p>Yes, a parcel to Canada takes about ten days.</p>";

async fn look(app: &helpbot_tests::Client, id: &Value, url: &str) -> Value {
    let looked = app.graphql(LOOK, json!({ "id": id, "url": url })).await.ok();
    looked["node"].clone()
}

async fn a_page_shows_what_was_read_left_out_and_changed(app: &TestApp) {
    let pages = Pages::of([("/help", Page::html(html(REFUND, SHIPPING)))]).await;
    let site = app.site().create().await;
    let owner = site.owner();
    let url = pages.url("/help").to_string();
    let added = owner.graphql(ADD, json!({ "input": { "url": url } })).await.ok();
    let id = &added["addSource"]["source"]["id"];

    let read = wait_for("the first sync", async || {
        Some(look(&owner, id, &url).await).filter(|source| source["status"] == "INDEXED")
    })
    .await;

    assert_eq!(read["pages"]["totalCount"], 1);
    let page = &read["pages"]["nodes"][0];
    assert_eq!(page["entries"]["totalCount"], 2);
    let first = json!([{ "question": "How do I get a refund?", "answer": REFUND }]);
    assert_eq!(page["entries"]["nodes"], first);
    let passage = "The workshop repairs instruments of wood, and takes part in the open day.";
    let found = &page["passages"]["nodes"][0];
    assert_eq!((&page["passages"]["totalCount"], &found["text"]), (&json!(1), &json!(passage)));
    assert_eq!(found["headings"], json!(["Help"]));
    assert_eq!(page["omitted"][0]["reason"], "PAGE_FRAME", "{page}");
    let sample = page["omitted"][0]["sample"].as_str().unwrap_or_default();
    assert!(sample.starts_with("Home") && sample.contains("All our products"), "{page}");
    assert_eq!(page["lastChange"], Value::Null);
    let after = &page["entries"]["pageInfo"]["endCursor"];
    let next = owner.graphql(NEXT, json!({ "id": id, "url": url, "after": after })).await.ok();
    let expected = json!({ "nodes": [{ "question": "Do you ship to Canada?" }], "pageInfo": { "hasNextPage": false } });
    assert_eq!(next["node"]["pages"]["nodes"][0]["entries"], expected);

    pages.put("/help", Page::html(html("Send it back to us within two months.", "")));
    let synced = owner.graphql(SYNC, json!({ "input": { "sourceId": id } })).await.ok();
    assert_eq!(synced["syncSource"]["userErrors"], json!([]));
    let read = wait_for("the second sync", async || {
        let source = look(&owner, id, &url).await;
        Some(source).filter(|source| !source["pages"]["nodes"][0]["lastChange"].is_null())
    })
    .await;

    let changed = json!({ "totalCount": 2, "chunks": [
        {
            "kind": "CHANGED", "isEntry": true, "title": "How do I get a refund?",
            "before": REFUND, "after": "Send it back to us within two months.",
        },
        {
            "kind": "REMOVED", "isEntry": true, "title": "Do you ship to Canada?",
            "before": "Yes, a parcel to Canada takes about ten days.", "after": null,
        },
    ] });
    assert_eq!(read["pages"]["nodes"][0]["lastChange"], changed);
    let other = look(&owner, id, "https://example.com/other").await;
    assert_eq!(other["pages"], json!({ "totalCount": 0, "nodes": [] }));
}
