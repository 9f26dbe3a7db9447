//! Tests that forbidden addresses cannot be reached through any public input: webhooks and sources when they are created and
//! updated, deliveries and crawls of such addresses in the database, each hop of a redirect, and names that resolve
//! differently each time. They use the same table of addresses as the tests of `outbound`, and a canary on loopback counts
//! connections.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use helpbot_db::{Db, sources, webhooks};
use helpbot_domain::ids::{SourceId, WebhookId};
use helpbot_outbound::{Dial, Lookup};
use helpbot_tests::database::{self, TestDatabase};
use helpbot_tests::{TestApp, TestSite, wait_for};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

const TABLE: &str = include_str!("../../../outbound/tests/it/ssrf.tsv");
/// A name that the operator lists, and behind it a site of the test.
const LISTED: &str = "site.example";
/// A name that leads elsewhere every time.
const REBINDING: &str = "rebind.example";
/// Stands for a public address: the one that the operator lists.
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// Webhooks that a site may have.
const AT_ONCE: usize = 5;
const LOG: &str = "{ site { webhooks { url deliveries(first: 5) { nodes { status attempts { nodes { statusCode errorCode } } } } } } }";
const SOURCE: &str = "query ($id: ID!) { node(id: $id) { ... on Source {
    status error lastSync { fetched failed } pages(first: 100) { nodes { url outcome reason } }
} } }";
const RESCRAPE: &str =
    "mutation ($id: ID!) { syncSource(input: { sourceId: $id }) { source { status } userErrors { code } } }";

/// Listens on every address of this machine, and counts who connects.
struct Canary {
    port: u16,
    reached: Arc<AtomicUsize>,
}

impl Canary {
    async fn start() -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let reached = Arc::<AtomicUsize>::default();
        count(listener, Arc::clone(&reached));
        // Where there is IPv6, on that too.
        if let Ok(listener) = TcpListener::bind(("::1", port)).await {
            count(listener, Arc::clone(&reached));
        }
        Self { port, reached }
    }

    /// Ways to write where the canary is, its port among them.
    fn spellings(&self) -> Vec<String> {
        [
            "127.0.0.1",
            "localhost",
            "LOCALHOST.",
            "127.0.0.1.",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "0.0.0.0",
            "0",
            "127.0.0.3",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "127。0。0。1",
            "①②⑦.⓪.⓪.①",
            "%31%32%37.0.0.1",
            "a.localhost",
            "ann@127.0.0.1",
            "ann:pw@localhost",
        ]
        .iter()
        .flat_map(|host| ["http", "https"].map(|scheme| format!("{scheme}://{host}:{}/", self.port)))
        .collect()
    }

    fn assert_alone(&self) {
        assert_eq!(self.reached.load(Ordering::Relaxed), 0, "the canary was reached");
    }
}

fn count(listener: TcpListener, reached: Arc<AtomicUsize>) {
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            reached.fetch_add(1, Ordering::Relaxed);
        }
    });
}

/// The refused rows of the table, and the ways to the canary.
fn hostile(canary: &Canary) -> Vec<String> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let refused = rows.filter_map(|line| match line.split('\t').collect::<Vec<_>>()[..] {
        [_, "-", _] => None,
        [url, _, _] => Some(url.to_owned()),
        _ => panic!("not three columns: {line}"),
    });
    refused.chain(canary.spellings()).collect()
}

/// A server whose names lead where `lookup` says, with this allow-list.
async fn server(database: &TestDatabase, allowed: &str, lookup: Lookup) -> TestApp {
    TestApp::start_with(database, |settings, parts| {
        settings.allow_private = allowed.parse().expect("an allow-list");
        parts.dial = Dial { lookup, ..Dial::default() };
    })
    .await
}

/// Every name leads to the canary.
fn all_lead_to(port: u16) -> Lookup {
    Arc::new(move |_| Box::pin(async move { Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))]) }))
}

/// Runs `test` with an SQLite database: what is refused has nothing to do with the database.
async fn on_sqlite(test: impl AsyncFnOnce(&TestDatabase)) {
    database::with(Some(TestDatabase::sqlite()), test).await;
}

/// A webhook at a good address; its id.
async fn webhook(site: &TestSite<'_>, url: &str) -> Value {
    let new = json!({ "url": url, "events": ["conversation.created"] });
    site.owner().post("/api/v1/webhooks", &new).await.ok()["webhook"]["id"].take()
}

async fn ask(site: &TestSite<'_>) {
    site.visitor().post("/api/v1/chat", &json!({ "question": "Why?" })).await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_door_takes_a_hostile_address() {
    on_sqlite(async |database: &TestDatabase| {
        let canary = Canary::start().await;
        let app = server(database, "", all_lead_to(canary.port)).await;
        let site = app.site().create().await;
        let owner = site.owner();
        let id = webhook(&site, "https://example.com/").await;
        let update = "mutation ($id: ID!, $url: String!) {
            updateWebhook(input: { id: $id, url: $url }) { webhook { url } userErrors { code field } }
        }";
        let add = "mutation ($url: String!) {
            addSource(input: { url: $url }) { source { id } userErrors { code field } }
        }";

        let urls = hostile(&canary);
        for url in &urls {
            let hook = owner.post("/api/v1/webhooks", &json!({ "url": url, "events": ["conversation.created"] })).await;
            assert_eq!(hook.status, 400, "{url}: {}", hook.text());
            let source = owner.post("/api/v1/sources", &json!({ "url": url })).await;
            assert_eq!(source.status, 400, "{url}: {}", source.text());
            let changed = owner.graphql(update, json!({ "id": id, "url": url })).await.ok();
            assert_eq!(changed["updateWebhook"]["userErrors"][0]["code"], "BAD_USER_INPUT", "{url}: {changed}");
            let added = owner.graphql(add, json!({ "url": url })).await.ok();
            assert_eq!(added["addSource"]["userErrors"][0]["code"], "BAD_USER_INPUT", "{url}: {added}");
        }

        assert!(urls.len() >= 150, "{}", urls.len());
        canary.assert_alone();
        app.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_to_a_hostile_address_in_a_row_fails_before_it_connects() {
    on_sqlite(async |database: &TestDatabase| {
        let canary = Canary::start().await;
        let app = server(database, "", all_lead_to(canary.port)).await;
        let db = Db::open_migrated(database.url()).await.expect("a second look at the database");

        for some in hostile(&canary).chunks(AT_ONCE) {
            let site = app.site().create().await;
            for (number, url) in some.iter().enumerate() {
                let made = webhook(&site, &format!("https://example.com/{number}")).await;
                let id: WebhookId = made.as_str().expect("an id").parse().expect("an id");
                let (site, url) = (site.id, url.clone());
                let written = db.write(move |c| {
                    Box::pin(async move {
                        let mut row = webhooks::by_id(c, site, id).await?.expect("the row");
                        row.url = url;
                        webhooks::update(c, &row).await
                    })
                });
                written.await.expect("written");
            }
            ask(&site).await;

            let log = wait_for("an attempt at each", async || {
                let mut told = site.owner().graphql(LOG, json!({})).await.ok();
                let webhooks = told["site"]["webhooks"].take();
                let tried = |it: &Value| it["deliveries"]["nodes"][0]["attempts"]["nodes"][0].is_object();
                webhooks.as_array().expect("a list").iter().all(tried).then_some(webhooks)
            });
            for webhook in log.await.as_array().expect("a list") {
                let attempt = &webhook["deliveries"]["nodes"][0]["attempts"]["nodes"][0];
                assert_eq!(attempt["statusCode"], Value::Null, "{webhook}");
                assert!(attempt["errorCode"].as_str().is_some_and(|code| code.starts_with("URL_")), "{webhook}");
            }
        }

        canary.assert_alone();
        app.stop().await;
    })
    .await;
}

/// The source, once its reading has come to an end.
async fn read(site: &TestSite<'_>, id: &Value) -> Value {
    wait_for("the end of the sync", async || {
        let mut told = site.owner().graphql(SOURCE, json!({ "id": id })).await.ok();
        matches!(told["node"]["status"].as_str(), Some("INDEXED" | "FAILED")).then(|| told["node"].take())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crawl_of_a_hostile_address_in_a_row_fails_before_it_connects() {
    on_sqlite(async |database: &TestDatabase| {
        let canary = Canary::start().await;
        let app = server(database, "", all_lead_to(canary.port)).await;
        let db = Db::open_migrated(database.url()).await.expect("a second look at the database");
        let site = app.site().create().await;
        let added = site.owner().post("/api/v1/sources", &json!({ "url": "https://example.com/" })).await.ok();
        let id = &added["source"]["id"];
        // Its name leads to loopback: refused when it is dialled.
        let first = read(&site, id).await;
        assert_eq!(first["status"], "FAILED", "{first}");

        for url in hostile(&canary) {
            let (of, row): (_, SourceId) = (site.id, id.as_str().expect("an id").parse().expect("an id"));
            let put = url.clone();
            let written = db.write(move |c| {
                Box::pin(async move {
                    let mut source = sources::by_id(c, of, row).await?.expect("the row");
                    source.url = put;
                    sources::update(c, &source).await
                })
            });
            written.await.expect("written");
            let again = site.owner().graphql(RESCRAPE, json!({ "id": id })).await.ok();
            assert_eq!(again["syncSource"]["userErrors"], json!([]), "{url}");
            let ended = read(&site, id).await;
            assert_eq!((&ended["status"], &ended["lastSync"]["fetched"]), (&json!("FAILED"), &json!(0)), "{url}");
        }

        canary.assert_alone();
        app.stop().await;
    })
    .await;
}

/// A site that answers `/N` with a redirect to the N-th target, anything else with a page. Its first
/// one links to all, each beside a good one: ten bad pages in a row end a crawl.
async fn redirecting(targets: Vec<String>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let targets = Arc::new(targets);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let targets = Arc::clone(&targets);
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                let text = String::from_utf8_lossy(&request).into_owned();
                let path = text.split(' ').nth(1).unwrap_or("/").trim_start_matches('/').to_owned();
                let answer = match (path.as_str(), path.parse::<usize>()) {
                    (_, Ok(number)) => format!(
                        "HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                        targets[number]
                    ),
                    (path, _) if !path.contains('.') => {
                        let link = |n| format!("<a href=\"/{n}\">{n}</a> <a href=\"/good{n}\">{n}</a> ");
                        let links: String =
                            if path.is_empty() { (0..targets.len()).map(link).collect() } else { String::new() };
                        let body =
                            format!("<title>Help</title><h2>What is {path}?</h2><p>A list of links. {links}</p>");
                        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length";
                        format!("{head}: {}\r\n\r\n{body}", body.len())
                    }
                    _ => "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned(),
                };
                // A client that has closed the connection needs no response.
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_redirect_of_a_crawl_leads_to_a_hostile_address() {
    on_sqlite(async |database: &TestDatabase| {
        let canary = Canary::start().await;
        // A location header is ASCII; what is not a URL at all leads nowhere.
        let targets: Vec<String> = hostile(&canary)
            .iter()
            .filter_map(|url| Url::parse(url).ok())
            .map(|url| url.to_string())
            .chain([format!("//127.0.0.1:{}/", canary.port), format!("//[::1]:{}/x", canary.port)])
            .collect();
        let count = targets.len();
        let address = redirecting(targets).await;
        let lookup: Lookup = Arc::new(move |_| Box::pin(async move { Ok(vec![address]) }));
        let app = server(database, LISTED, lookup).await;
        let site = app.site().create().await;
        let add = "mutation ($url: String!) {
            addSource(input: { url: $url, scope: SITE }) { source { id } userErrors { message } }
        }";
        let added = site.owner().graphql(add, json!({ "url": format!("http://{LISTED}/") })).await.ok();

        let ended = read(&site, &added["addSource"]["source"]["id"]).await;

        assert_eq!(ended["status"], "INDEXED", "{ended}");
        assert_eq!(ended["lastSync"], json!({ "fetched": 1 + count, "failed": count }));
        for page in ended["pages"]["nodes"].as_array().expect("a list") {
            let is_good = page["outcome"] == "FETCHED";
            assert!(is_good || page["reason"].as_str().is_some_and(|reason| reason.contains("redirect")), "{page}");
        }
        canary.assert_alone();
        app.stop().await;
    })
    .await;
}

/// A resolver that gives another answer each time: outside, inside, both in either order.
fn rebinding(outside: u16, inside: u16) -> (Lookup, Arc<AtomicUsize>) {
    let asked = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&asked);
    let outside = SocketAddr::from((OUTSIDE, outside));
    let inside_v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, inside));
    let inside_v6 = SocketAddr::from((IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), inside));
    let answers = [
        vec![outside],
        vec![inside_v4],
        vec![outside, inside_v4],
        vec![inside_v4, outside],
        vec![inside_v6],
        vec![outside, inside_v6],
        vec![],
    ];
    let lookup: Lookup = Arc::new(move |_| {
        let answer = answers[count.fetch_add(1, Ordering::Relaxed) % answers.len()].clone();
        Box::pin(async move { Ok(answer) })
    });
    (lookup, asked)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_leads_elsewhere_each_time_does_not_lead_inside() {
    const TRIES: usize = 21;
    on_sqlite(async |database: &TestDatabase| {
        let canary = Canary::start().await;
        let outside = TcpListener::bind((OUTSIDE, 0)).await.expect("a second address of loopback");
        let port = outside.local_addr().expect("bound").port();
        let reached = Arc::<AtomicUsize>::default();
        // Says nothing and hangs up, so that each try has to dial and to ask for the name again.
        count(outside, Arc::clone(&reached));
        let (lookup, asked) = rebinding(port, canary.port);
        let app = server(database, &OUTSIDE.to_string(), lookup).await;
        let site = app.site().create().await;
        webhook(&site, &format!("https://{REBINDING}/")).await;
        let source = site.owner().post("/api/v1/sources", &json!({ "url": format!("http://{REBINDING}/") })).await.ok();

        for _ in 0..TRIES {
            ask(&site).await;
        }
        let tried =
            "query { site { webhooks { deliveries(first: 50) { nodes { attempts { nodes { errorCode } } } } } } }";
        let errors: Vec<String> = wait_for("an attempt at each", async || {
            let told = site.owner().graphql(tried, json!({})).await.ok();
            let nodes = told["site"]["webhooks"][0]["deliveries"]["nodes"].as_array().cloned().expect("a list");
            let errors =
                nodes.iter().filter_map(|it| it["attempts"]["nodes"][0]["errorCode"].as_str().map(str::to_owned));
            let errors: Vec<String> = errors.collect();
            (errors.len() == TRIES).then_some(errors)
        })
        .await;
        for _ in 0..TRIES {
            let id = &source["source"]["id"];
            assert_eq!(read(&site, id).await["status"], "FAILED");
            site.owner().graphql(RESCRAPE, json!({ "id": id })).await.ok();
        }
        read(&site, &source["source"]["id"]).await;

        let refused = errors.iter().filter(|code| *code == "ADDRESS_NOT_ALLOWED").count();
        assert!(refused >= TRIES / 2, "{errors:?}");
        assert!(asked.load(Ordering::Relaxed) >= TRIES, "no answer is believed for longer than a try");
        assert!(reached.load(Ordering::Relaxed) > TRIES / 7, "and what may be reached is");
        canary.assert_alone();
        app.stop().await;
    })
    .await;
}
