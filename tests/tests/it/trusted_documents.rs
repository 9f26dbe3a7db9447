//! Tests of trusted documents: the pages of the server and the manifests of common clients work when the server executes
//! nothing else. The database has no part in it, so they run on SQLite only.

use std::path::Path;

use helpbot_server::assets;
use helpbot_tests::database::{self, TestDatabase};
use helpbot_tests::{Client, TestApp};
use serde_json::{Map, Value, json};

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
            let (_, code) = send(owner, json!({ "documentId": id, "query": text, "variables": {} })).await;
            let is_known = !matches!(code.as_deref(), Some("FORBIDDEN" | "PERSISTED_QUERY_NOT_FOUND"));
            assert!(is_known, "{id}: {code:?} for {text}");
        }
        let viewer = documents.iter().find(|(_, text)| text.as_str().is_some_and(|text| text.starts_with("query Viewer{")));
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
        assert_eq!(name(&owner, json!({ "documentId": "helpbot:0000000000000000" })).await, "PERSISTED_QUERY_NOT_FOUND");
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
