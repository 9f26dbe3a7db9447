//! Tests of compressed responses: which responses are compressed, for whom, and with which headers. The database has no
//! part in it, so they run on SQLite only.

use std::io::Read as _;

use helpbot_tests::{Client, Reply, TestApp, TestSite, on_sqlite};
use reqwest::Method;
use serde_json::{Value, json};

const LIST: &str = "query { site { conversations(first: 50) { nodes { id question answer sessionId } } } }";
const WIDGET: &str = "/graphql?query=%7Bsite%7Bid%20name%20widget%7Bgreeting%20handoffText%20handoffSentText%20\
    feedbackNoText%20errorText%20networkErrorText%20emailPlaceholder%20inputPlaceholder%20onlineText%20typingText%20\
    emailSendText%20emailSkipText%20feedbackYesText%20botName%20primaryColor%20position%7D%7D%7D";

/// A request that accepts gzip.
fn accepting(client: &Client, method: Method, path: &str) -> reqwest::RequestBuilder {
    client.request(method, path).header("accept-encoding", "gzip, deflate, br")
}

async fn posted(client: &Client, document: &str, variables: Value) -> Reply {
    let body = json!({ "query": document, "variables": variables }).to_string();
    let request = accepting(client, Method::POST, "/graphql").header("content-type", "application/json");
    client.send(request.body(body)).await
}

async fn got(client: &Client, path: &str) -> Reply {
    client.send(accepting(client, Method::GET, path)).await
}

fn inflated(reply: &Reply) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&reply.bytes[..]).read_to_end(&mut plain).expect("a gzip file");
    plain
}

fn is_compressed(reply: &Reply) -> bool {
    let is_gzip = reply.header("content-encoding") == Some("gzip");
    assert_eq!(is_gzip, reply.bytes.starts_with(&[0x1f, 0x8b]), "the header says what the body is");
    is_gzip
}

fn varies(reply: &Reply) -> bool {
    let vary = reply.headers.get_all("vary").iter().filter_map(|value| value.to_str().ok());
    vary.flat_map(|value| value.split(',')).any(|entry| entry.trim().eq_ignore_ascii_case("accept-encoding"))
}

/// A site with a list of more than a kilobyte.
async fn filled(app: &TestApp) -> TestSite<'_> {
    let site = app.site().create().await;
    for number in 0..8 {
        let question = format!("Is there parking near the shop on day {number}, and may I stay for the whole day?");
        site.visitor().post("/api/v1/chat", &json!({ "question": question })).await.ok();
    }
    site
}

#[tokio::test]
async fn queries_rest_reads_and_descriptions_are_compressed_for_clients_that_accept_it() {
    on_sqlite(async |app: &TestApp| {
        let site = filled(app).await;
        let owner = site.owner();

        let plain = owner.graphql(LIST, json!({})).await.reply;
        let list = posted(&owner, LIST, json!({})).await;
        assert!(is_compressed(&list) && !is_compressed(&plain));
        assert_eq!(inflated(&list), plain.bytes);
        assert!(list.bytes.len() * 2 < plain.bytes.len(), "{} of {}", list.bytes.len(), plain.bytes.len());
        assert!(varies(&list) && varies(&plain), "both depend on Accept-Encoding");

        for path in ["/api/v1/conversations", "/openapi.json", "/docs"] {
            let (plain, sent) = (owner.get(path).await, got(&owner, path).await);
            assert!(is_compressed(&sent) && varies(&sent) && varies(&plain), "{path}: {:?}", sent.headers);
            assert_eq!(inflated(&sent), plain.bytes, "{path}");
            assert_eq!(sent.header("content-length"), Some(sent.bytes.len().to_string().as_str()), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn small_responses_mutations_and_streams_are_not_compressed() {
    on_sqlite(async |app: &TestApp| {
        let site = filled(app).await;
        let owner = site.owner();

        let small = posted(&owner, "{ site { id } }", json!({})).await;
        assert!(!is_compressed(&small) && !varies(&small));

        // A new key and text of the caller's choice in one response.
        let name = "k".repeat(80);
        let fields: String = (0..15)
            .map(|n| {
                format!("k{n}: createApiKey(input: {{ kind: WIDGET, name: $name }}) {{ secret apiKey {{ name }} }} ")
            })
            .collect();
        let keys = posted(&owner, &format!("mutation($name: String!) {{ {fields} }}"), json!({ "name": name })).await;
        assert!(keys.status.is_success() && keys.bytes.len() > 1024, "{}", keys.text());
        assert!(!is_compressed(&keys));

        let stream = accepting(&owner, Method::POST, "/graphql/stream").header("content-type", "application/json");
        let stream = stream.header("accept", "text/event-stream").body(json!({ "query": LIST }).to_string());
        let stream = owner.send(stream).await;
        assert!(stream.text().contains("event: complete") && stream.bytes.len() > 1024, "{}", stream.text());
        assert!(!is_compressed(&stream));

        let export = got(&owner, "/graphql/export/faq-entries.csv").await;
        assert!(export.status.is_success() && !is_compressed(&export));
    })
    .await;
}

#[tokio::test]
async fn the_entity_tag_of_a_compressed_response_is_weak_and_is_recognized() {
    on_sqlite(async |app: &TestApp| {
        let site = app.site().create().await;
        let visitor = site.visitor();
        let greeting = json!({ "greeting": "Welcome to the bakery. ".repeat(20) });
        site.owner().patch("/api/v1/config", &greeting).await.ok();

        for path in ["/api/v1/config", WIDGET] {
            let sent = got(&visitor, path).await;
            assert!(is_compressed(&sent), "{path}: {} {}", sent.status, sent.text());
            let tag = sent.header("etag").expect("an entity tag").to_owned();
            assert!(tag.starts_with("W/\""), "{path}: {tag}");

            let again = accepting(&visitor, Method::GET, path).header("if-none-match", &tag);
            let known = visitor.send(again).await;
            assert_eq!((known.status.as_u16(), known.bytes.len()), (304, 0), "{path}");
            assert_eq!(known.header("etag"), Some(tag.as_str()), "{path}");
            assert!(varies(&known) && known.header("content-encoding").is_none(), "{path}: {:?}", known.headers);
        }
        let plain = visitor.get("/api/v1/config").await;
        assert!(plain.header("etag").is_some_and(|tag| tag.starts_with('"')), "the contract has a strong tag");
    })
    .await;
}

#[tokio::test]
async fn head_has_the_headers_of_get() {
    on_sqlite(async |app: &TestApp| {
        let owner = app.site().create().await.owner();

        let full = got(&owner, "/openapi.json").await;
        let head = owner.send(accepting(&owner, Method::HEAD, "/openapi.json")).await;
        let plain = owner.send(owner.request(Method::HEAD, "/openapi.json")).await;

        assert_eq!((head.status, head.bytes.len()), (full.status, 0));
        for name in ["content-encoding", "content-length", "content-type", "cache-control", "etag"] {
            assert_eq!(head.header(name), full.header(name), "{name}");
        }
        assert!(varies(&head) && varies(&plain));
        assert!(plain.header("content-encoding").is_none());
    })
    .await;
}
