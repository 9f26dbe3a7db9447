//! Tests of trusted documents: the pages of the server, the manifests of common clients and the documents that a site
//! registered work when the server executes nothing else.

use std::path::Path;

use helpbot_server::assets;
use helpbot_tests::database::{self, TestDatabase};
use helpbot_tests::{Client, TestApp, on_both_backends};
use serde_json::{Map, Value, json};

on_both_backends!(
    a_registered_document_is_executed_by_its_id_on_its_site_only,
    registered_documents_are_listed_and_removed,
    all_wrong_documents_of_an_input_are_reported_and_none_is_registered,
);

const SITE: &str = "query Site { site { name } }";
/// SHA-256 of [`SITE`].
const SITE_HASH: &str = "fa89ab20caea09a70adcbbf73a3563e18dc506289a9ef9a392ac1ce2f9ec681e";
const NAME: &str = "Bäckerei Müller";

/// Runs `test` on a server that executes only trusted documents: those of its pages and of the files.
async fn limited(files: &[(&str, Value)], test: impl AsyncFnOnce(&TestApp, &Client)) {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |path: &Path, text: String| std::fs::write(path, text).expect("written");
    for (name, content) in files {
        let text = content.as_str().map_or_else(|| content.to_string(), str::to_owned);
        write(&directory.path().join(name), text);
    }
    database::with(Some(TestDatabase::sqlite()), async |database: &TestDatabase| {
        let app = TestApp::start_with(database, |settings, _| {
            settings.has_only_trusted_documents = true;
            settings.trusted_documents = Some(directory.path().to_owned());
        })
        .await;
        let owner = app.site().create().await.owner();
        test(&app, &owner).await;
        app.stop().await;
    })
    .await;
}

async fn send(client: &Client, body: Value) -> (Value, Option<String>) {
    let answer = client.post("/graphql", &body).await.json();
    let code = answer["errors"][0]["extensions"]["code"].as_str().map(str::to_owned);
    (answer["data"].clone(), code)
}

/// The name that a document returns, or the code of its error.
async fn name(client: &Client, body: Value) -> String {
    let (data, code) = send(client, body).await;
    code.unwrap_or_else(|| data["site"]["name"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn the_pages_work_when_only_trusted_documents_are_executed() {
    let documents: Map<String, Value> = serde_json::from_str(assets::DOCUMENTS).expect("an object");
    if documents.is_empty() {
        return eprintln!("skipped: the pages were not built");
    }
    limited(&[], async |_: &TestApp, owner: &Client| {
        for (id, text) in &documents {
            // Without variables, many of them are refused for another reason.
            let answer = owner.post("/graphql", &json!({ "documentId": id, "query": text })).await.text();
            assert!(!answer.contains("trusted document"), "{id}: {answer} for {text}");
        }
        let viewer =
            documents.iter().find(|(_, text)| text.as_str().is_some_and(|text| text.starts_with("query Viewer{")));
        let (id, _) = viewer.expect("the dashboard asks who has signed in");
        let (data, code) = send(owner, json!({ "documentId": id })).await;
        assert_eq!((&data["viewer"]["site"]["name"], code), (&json!(NAME), None));
    })
    .await;
}

#[tokio::test]
async fn a_page_of_another_version_works_unless_only_trusted_documents_are_executed() {
    let body = json!({ "documentId": "helpbot:0000000000000000", "query": SITE });

    helpbot_tests::on_sqlite(async |app: &TestApp| {
        let owner = app.site().create().await.owner();
        assert_eq!(name(&owner, body.clone()).await, NAME);
        assert_eq!(
            name(&owner, json!({ "documentId": "helpbot:0000000000000000" })).await,
            "PERSISTED_QUERY_NOT_FOUND"
        );
    })
    .await;
    limited(&[], async |_: &TestApp, owner: &Client| {
        assert_eq!(name(owner, body.clone()).await, "PERSISTED_QUERY_NOT_FOUND");
    })
    .await;
}

#[tokio::test]
async fn documents_of_files_and_manifests_are_requested_in_the_ways_of_their_clients() {
    let relay = json!({ "3be4abb81fa595e25eb725b2c6a87508": SITE });
    let apollo = json!({ "format": "apollo-persisted-query-manifest", "version": 1, "operations": [
        { "id": "site-by-apollo", "name": "Site", "type": "query", "body": SITE },
    ] });
    let codegen = json!({ "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567": SITE });
    let files = [
        ("site.graphql", json!(SITE)),
        ("relay.json", relay),
        ("apollo.json", apollo),
        ("persisted-documents.json", codegen),
    ];
    limited(&files, async |_: &TestApp, owner: &Client| {
        for id in [
            "3be4abb81fa595e25eb725b2c6a87508",
            "site-by-apollo",
            "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
            SITE_HASH,
            &SITE_HASH.to_uppercase(),
            &format!("sha256:{SITE_HASH}"),
        ] {
            assert_eq!(name(owner, json!({ "documentId": id })).await, NAME, "{id}");
            let persisted = json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": id } } });
            assert_eq!(name(owner, persisted).await, NAME, "{id} as a persisted query");
        }
        assert_eq!(name(owner, json!({ "query": SITE })).await, NAME, "the text of a trusted document");
        assert_eq!(name(owner, json!({ "query": "{ site { name } }" })).await, "FORBIDDEN");
        assert_eq!(name(owner, json!({ "documentId": "other" })).await, "PERSISTED_QUERY_NOT_FOUND");
        let unknown = json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": "0".repeat(64) } } });
        assert_eq!(name(owner, unknown).await, "FORBIDDEN");
    })
    .await;
}

const ADD: &str = "mutation($input: AddTrustedDocumentsInput!) { addTrustedDocuments(input: $input) {
    addedCount userErrors { field message code }
} }";
const REMOVE: &str = "mutation($input: RemoveTrustedDocumentsInput!) { removeTrustedDocuments(input: $input) {
    removedCount userErrors { field code }
} }";
const LIST: &str = "query($after: String) { site { trustedDocuments(first: 2, after: $after) {
    totalCount nodes { documentId body } pageInfo { hasNextPage endCursor }
} } }";

/// Registers documents and returns the payload.
async fn add(client: &Client, documents: &[(&str, &str)]) -> Value {
    let documents: Vec<Value> = documents.iter().map(|(id, body)| json!({ "id": id, "body": body })).collect();
    let input = json!({ "input": { "documents": documents } });
    client.graphql(ADD, input).await.ok()["addTrustedDocuments"].take()
}

async fn a_registered_document_is_executed_by_its_id_on_its_site_only(app: &TestApp) {
    let (site, other) = (app.site().create().await, app.site().create().await);

    assert_eq!(
        add(&site.owner(), &[("by-name", SITE), (SITE_HASH, SITE)]).await,
        json!({ "addedCount": 2, "userErrors": [] })
    );
    let repeated = add(&site.owner(), &[("by-name", SITE)]).await;
    let changed = add(&site.owner(), &[("new", SITE), ("by-name", "{ viewer { kind } }")]).await;

    for client in [site.owner(), site.visitor()] {
        for id in ["by-name", SITE_HASH, &format!("sha256:{SITE_HASH}")] {
            assert_eq!(name(&client, json!({ "documentId": id })).await, NAME, "{id}");
        }
    }
    let mut socket = site.visitor().socket().await;
    let started = json!({ "id": "1", "type": "subscribe", "payload": { "documentId": "by-name" } });
    socket.send(started).await;
    assert_eq!(socket.frame_of("1").await["payload"]["data"]["site"]["name"], NAME);
    assert_eq!(name(&other.owner(), json!({ "documentId": "by-name" })).await, "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(repeated, json!({ "addedCount": 0, "userErrors": [] }));
    assert_eq!((&changed["addedCount"], &changed["userErrors"][0]["code"]), (&Value::Null, &json!("CONFLICT")));
    assert_eq!(name(&site.owner(), json!({ "documentId": "new" })).await, "PERSISTED_QUERY_NOT_FOUND");
}

async fn registered_documents_are_listed_and_removed(app: &TestApp) {
    let site = app.site().create().await;
    let owner = site.owner();
    add(&owner, &[("c", SITE), ("a", SITE), ("b", "{ viewer { kind } }")]).await;

    let first = owner.graphql(LIST, json!({})).await.ok()["site"]["trustedDocuments"].take();
    let after = &first["pageInfo"]["endCursor"];
    let second = owner.graphql(LIST, json!({ "after": after })).await.ok()["site"]["trustedDocuments"].take();
    let removed = json!({ "input": { "documentIds": ["a", "c", "never"] } });
    let removed = owner.graphql(REMOVE, removed).await.ok();

    assert_eq!(first["totalCount"], 3);
    assert_eq!(
        first["nodes"],
        json!([{ "documentId": "a", "body": SITE }, { "documentId": "b", "body": "{ viewer { kind } }" }])
    );
    assert_eq!(second["nodes"], json!([{ "documentId": "c", "body": SITE }]));
    assert_eq!(removed["removeTrustedDocuments"], json!({ "removedCount": 2, "userErrors": [] }));
    assert_eq!(name(&owner, json!({ "documentId": "a" })).await, "PERSISTED_QUERY_NOT_FOUND");
    let (kind, code) = send(&owner, json!({ "documentId": "b" })).await;
    assert_eq!((&kind["viewer"]["kind"], code), (&json!("SECRET"), None));
}

async fn all_wrong_documents_of_an_input_are_reported_and_none_is_registered(app: &TestApp) {
    let owner = app.site().create().await.owner();

    let refused =
        add(&owner, &[("good", SITE), ("cut", "{ site {"), ("old", "{ site { nothing } }"), ("an ID", SITE)]).await;

    let errors = refused["userErrors"].as_array().expect("a list");
    for (error, part) in errors.iter().zip(["\"cut\"", "\"old\"", "visible ASCII"]) {
        assert_eq!((&error["code"], &error["field"]), (&json!("BAD_USER_INPUT"), &json!(["input", "documents"])));
        assert!(error["message"].as_str().is_some_and(|message| message.contains(part)), "{error}");
    }
    assert_eq!(errors.len(), 3, "{refused}");
    assert_eq!(owner.graphql(LIST, json!({})).await.ok()["site"]["trustedDocuments"]["totalCount"], 0);
}

#[tokio::test]
async fn a_site_registers_documents_when_only_trusted_documents_are_executed() {
    limited(&[], async |_: &TestApp, owner: &Client| {
        let input = json!({ "documents": [{ "id": "by-name", "body": SITE }] });
        let added = json!({ "documentId": "helpbot:addTrustedDocuments", "variables": { "input": input } });

        let (data, code) = send(owner, added).await;

        assert_eq!((&data["addTrustedDocuments"]["addedCount"], code), (&json!(1), None));
        assert_eq!(name(owner, json!({ "documentId": "by-name" })).await, NAME);
        let (listed, _) = send(owner, json!({ "documentId": "helpbot:trustedDocuments" })).await;
        assert_eq!(listed["site"]["trustedDocuments"]["nodes"][0]["documentId"], "by-name");
        let removed = json!({ "input": { "documentIds": ["by-name"] } });
        let (removed, _) =
            send(owner, json!({ "documentId": "helpbot:removeTrustedDocuments", "variables": removed })).await;
        assert_eq!(removed["removeTrustedDocuments"]["removedCount"], 1);
    })
    .await;
}
