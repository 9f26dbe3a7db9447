//! Tests of a database outage under a running server, with PostgreSQL behind a proxy that can be closed. An SQLite file cannot
//! become unreachable; kills and full disks are tested in `server/tests/it/` and with the writer.

use std::net::SocketAddr;

use helpbot_db::DatabaseUrl;
use helpbot_tests::database::{self, TestDatabase};
use helpbot_tests::{Client, TestApp, wait_for};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use url::Url;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_away_costs_an_error_and_nothing_that_was_acknowledged() {
    database::with(TestDatabase::postgres().await, async |database| {
        let gate = Gate::before(database).await;
        let app = TestApp::start_with(database, |settings, _| settings.database = gate.url.clone()).await;
        let site = app.site().credits(10).create().await;
        let visitor = site.visitor();
        let before = ask(&visitor).await.ok()["conversationId"].clone();
        assert_eq!(app.anonymous().get("/readyz").await.status, 200);

        gate.shut();
        let refused = ask(&visitor).await;
        // A check of the database answers all callers for a second.
        let ready = wait_for("the end of readiness", async || {
            let ready = app.anonymous().get("/readyz").await;
            (ready.status != 200).then_some(ready)
        })
        .await;
        let alive = app.anonymous().get("/healthz").await;
        let queried = site.owner().graphql("{ site { conversations { totalCount } } }", json!({})).await;

        assert_eq!(refused.status, 503, "{}", refused.text());
        assert!(refused.header("retry-after").is_some(), "{:?}", refused.headers);
        assert!(refused.json()["error"].is_string() && !refused.text().contains("127.0.0.1"), "{}", refused.text());
        assert_eq!((ready.status.as_u16(), alive.status.as_u16()), (503, 200));
        assert_eq!(queried.codes(), ["UNAVAILABLE"]);

        gate.open();
        // Connections that died are found out one by one, so the first questions may still meet one.
        let after = wait_for("an answer after the outage", async || {
            let reply = ask(&visitor).await;
            (reply.status == 200).then(|| reply.json()["conversationId"].clone())
        })
        .await;

        let found =
            site.owner().graphql("{ site { conversations { nodes { id } } credits { used } } }", json!({})).await.ok();
        let nodes = found["site"]["conversations"]["nodes"].as_array().expect("a list");
        let ids: Vec<_> = nodes.iter().map(|node| &node["id"]).collect();
        assert!(ids.contains(&&before) && ids.contains(&&after), "{before} and {after} in {ids:?}");
        assert_eq!(found["site"]["credits"]["used"], nodes.len(), "credits are of what was answered");
        app.stop().await;
    })
    .await;
}

async fn ask(visitor: &Client) -> helpbot_tests::Reply {
    visitor.post("/api/v1/chat", &json!({ "question": "Are you there?" })).await
}

/// A way to the test server that can be shut: connections through it break, new ones are cut.
struct Gate {
    url: DatabaseUrl,
    is_open: watch::Sender<bool>,
}

impl Gate {
    async fn before(database: &TestDatabase) -> Self {
        let DatabaseUrl::Postgres(url) = database.url() else { panic!("a proxy needs a server") };
        let mut url: Url = url.as_str().parse().expect("an address");
        let server: SocketAddr = tokio::net::lookup_host((url.host_str().expect("a host"), url.port().unwrap_or(5432)))
            .await
            .expect("the host is known")
            .next()
            .expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let here = listener.local_addr().expect("bound");
        url.set_ip_host(here.ip()).expect("a host can be set");
        url.set_port(Some(here.port())).expect("a port can be set");
        let (is_open, state) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server, state.clone()));
            }
        });
        Self { url: DatabaseUrl::Postgres(String::from(url).into()), is_open }
    }

    fn shut(&self) {
        self.is_open.send_replace(false);
    }

    fn open(&self) {
        self.is_open.send_replace(true);
    }
}

/// Carries bytes both ways until an end closes or the gate is shut.
async fn pass(mut client: TcpStream, server: SocketAddr, mut state: watch::Receiver<bool>) {
    if !*state.borrow_and_update() {
        return;
    }
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
        _ = state.wait_for(|is_open| !is_open) => {}
    }
}
