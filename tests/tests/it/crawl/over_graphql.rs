//! Tests of crawls over GraphQL: starting, following and changing them.

use helpbot_tests::{TestApp, on_both_backends};
use serde_json::{Value, json};

use crate::crawl::page;
use crate::crawl::web::{Served, Web};

on_both_backends!(
    a_crawl_is_asked_for_followed_and_changed,
    a_sync_is_canceled_only_with_permission_to_write_sources,
    caps_out_of_bounds_are_refused,
);

const ADD: &str = "mutation ($input: AddSourceInput!) {
    addSource(input: $input) { source { id scope maxPages maxDepth schedule } userErrors { field code message } }
}";
const UPDATE: &str = "mutation ($input: UpdateSourceInput!) {
    updateSource(input: $input) { source { scope schedule maxPages status } userErrors { field code } }
}";
const FOLLOW: &str = "subscription ($id: ID!) {
    sourceProgress(sourceId: $id) {
        isFinished
        source { status pageCount lastSync { planned fetched unchanged skipped failed finishedAt } }
    }
}";

async fn a_crawl_is_asked_for_followed_and_changed(app: &TestApp) {
    let web = Web::start().await;
    web.put("/", Served::html(page("0", &["/1.html", "/gone.html"], "")));
    web.put("/1.html", Served::html(page("1", &[], "")));
    let gate = web.gate("/1.html");
    let site = app.site().create().await;
    let owner = site.owner();

    let input = json!({ "url": web.url("/"), "scope": "SITE", "maxPages": 20, "schedule": "DAILY" });
    let added = owner.graphql(ADD, json!({ "input": input })).await.ok();
    let source = &added["addSource"]["source"];
    assert_eq!([&source["scope"], &source["schedule"]], ["SITE", "DAILY"]);
    assert_eq!([&source["maxPages"], &source["maxDepth"]], [20, 10]);
    let mut socket = owner.socket().await;
    let following = socket.subscribe(FOLLOW, json!({ "id": source["id"] })).await;
    let first = socket.next(&following).await;
    assert_eq!(first["sourceProgress"]["isFinished"], false);
    gate.reached().await;
    gate.open();

    let last = end(&mut socket, &following).await;
    assert_eq!(last["source"]["status"], "INDEXED");
    let report = &last["source"]["lastSync"];
    assert_eq!([&report["planned"], &report["fetched"], &report["unchanged"]], [3, 2, 0]);
    assert_eq!([&report["skipped"], &report["failed"]], [0, 1]);
    assert!(report["finishedAt"].is_string());

    let input = json!({ "id": source["id"], "scope": "PAGE", "schedule": "NONE" });
    let updated = owner.graphql(UPDATE, json!({ "input": input })).await.ok();
    let expected = json!({ "scope": "PAGE", "schedule": "NONE", "maxPages": 20, "status": "PENDING" });
    assert_eq!(updated["updateSource"]["source"], expected);
}

async fn end(socket: &mut helpbot_tests::Socket, following: &str) -> Value {
    loop {
        let state = socket.next(following).await["sourceProgress"].take();
        if state["isFinished"] == true {
            return state;
        }
    }
}

async fn a_sync_is_canceled_only_with_permission_to_write_sources(app: &TestApp) {
    const CANCEL: &str = "mutation ($id: ID!) {
        cancelSync(input: { sourceId: $id }) { source { status error } userErrors { field code } }
    }";
    let web = Web::start().await;
    web.put("/", Served::html(page("0", &[], "")));
    let gate = web.gate("/");
    let (site, other) = (app.site().create().await, app.site().create().await);
    let owner = site.owner();
    let added = owner.graphql(ADD, json!({ "input": { "url": web.url("/") } })).await.ok();
    let id = json!({ "id": added["addSource"]["source"]["id"] });
    gate.reached().await;

    assert_eq!(site.visitor().graphql(CANCEL, id.clone()).await.codes(), ["FORBIDDEN"]);
    let foreign = other.owner().graphql(CANCEL, id.clone()).await.ok();
    let cancelled = owner.graphql(CANCEL, id.clone()).await.ok();
    gate.open();

    assert_eq!(foreign["cancelSync"]["userErrors"][0]["code"], "NOT_FOUND", "{foreign}");
    let reason = "The sync was canceled before it finished. Sync the source to use its content.";
    let source = json!({ "status": "FAILED", "error": reason });
    assert_eq!(cancelled["cancelSync"], json!({ "source": source, "userErrors": [] }));
}

async fn caps_out_of_bounds_are_refused(app: &TestApp) {
    let site = app.site().create().await;

    let input = json!({ "url": "http://127.0.0.1/", "scope": "SITE", "maxPages": 10_001 });
    let refused = site.owner().graphql(ADD, json!({ "input": input })).await.ok();

    let error = json!({
        "field": ["input", "maxPages"], "code": "BAD_USER_INPUT", "message": "maxPages must be between 1 and 10000."
    });
    assert_eq!(refused["addSource"]["userErrors"], json!([error]));
}
