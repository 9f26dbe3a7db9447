//! `graphql-transport-ws` in frames over real sockets: every close code, and events that must not close
//! a socket.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use helpbot_api::gateway::settings::GatewaySettings;
use helpbot_api::gateway::trusted::TrustedDocuments;
use helpbot_api::transport::settings::TransportSettings;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::app::{App, TRUSTED, soon};

/// A client that sends exactly the messages of the test.
struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    async fn connect(app: &App, headers: &[(&'static str, &str)]) -> Self {
        let address = app.listen().await;
        let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        Self(soon(connect_async(request)).await.unwrap().0)
    }

    async fn open(app: &App) -> Self {
        Self::connect(app, &[("sec-websocket-protocol", "graphql-transport-ws")]).await
    }

    /// Opens a socket and sends `connection_init` with the secret key.
    async fn ready(app: &App) -> Self {
        let mut client = Self::open(app).await;
        client.send(json!({"type": "connection_init", "payload": {"apiKey": app.secret_key}})).await;
        assert_eq!(client.receive().await, json!({"type": "connection_ack"}));
        client
    }

    async fn send(&mut self, message: Value) {
        self.send_text(&message.to_string()).await;
    }

    async fn send_text(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    async fn subscribe(&mut self, id: &str, query: &str) {
        self.send(json!({"type": "subscribe", "id": id, "payload": {"query": query}})).await;
    }

    async fn receive(&mut self) -> Value {
        loop {
            match soon(self.0.next()).await.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The code with which the server closes the socket, whatever it sends before.
    async fn close_code(&mut self) -> u16 {
        loop {
            match soon(self.0.next()).await {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(_)) => {}
                other => panic!("the socket was not closed: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_trusted_document_can_be_requested_by_its_id() {
    let mut client = Client::ready(&App::start().await).await;

    let payload = json!({"documentId": TrustedDocuments::id(TRUSTED)});
    client.send(json!({"type": "subscribe", "id": "1", "payload": payload})).await;

    assert_eq!(client.receive().await["payload"]["data"]["hello"], "world");
}

#[tokio::test]
async fn each_violation_of_the_protocol_has_its_close_code() {
    let app = App::start().await;
    let init = json!({"type": "connection_init", "payload": {"apiKey": app.secret_key}}).to_string();
    let subscribe = r#"{"type":"subscribe","id":"1","payload":{"query":"subscription { silence }"}}"#;

    for (messages, code) in [
        (vec![subscribe], 4401),
        (vec![&init, &init], 4429),
        (vec![&init, subscribe, subscribe], 4409),
        (vec!["{"], 4400),
        (vec![&init, "[]"], 4400),
        (vec![&init, r#"{"type":"start","id":"1"}"#], 4400),
        (vec![&init, r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#], 4400),
        (vec![r#"{"type":"connection_init"}"#], 4403),
        (vec![r#"{"type":"connection_init","payload":{"apiKey":"sk_live_wrong123"}}"#], 4403),
        (vec![r#"{"type":"connection_init","payload":"key"}"#], 4400),
    ] {
        let mut client = Client::open(&app).await;
        for message in &messages {
            client.send_text(message).await;
        }
        assert_eq!(client.close_code().await, code, "{messages:?}");
    }
}

#[tokio::test]
async fn binary_and_oversized_messages_are_malformed() {
    let app = App::start().await;
    let mut binary = Client::open(&app).await;
    let mut large = Client::open(&app).await;

    binary.0.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    large.send_text(&"x".repeat(70 * 1024)).await;

    assert_eq!(binary.close_code().await, 4400);
    assert_eq!(large.close_code().await, 4400);
}

#[tokio::test]
async fn a_missing_connection_init_closes_the_socket_with_4408() {
    let transport = TransportSettings { init_timeout: Duration::from_millis(30), ..TransportSettings::default() };
    let app = App::with(GatewaySettings::default(), transport).await;

    assert_eq!(Client::open(&app).await.close_code().await, 4408);
}

#[tokio::test]
async fn another_subprotocol_closes_the_socket_with_4406() {
    let app = App::start().await;

    assert_eq!(Client::connect(&app, &[]).await.close_code().await, 4406);
}

#[tokio::test]
async fn an_internal_error_during_connection_init_closes_the_socket_with_4500() {
    let app = App::start().await;
    app.drop_all_tables().await;
    let mut client = Client::open(&app).await;

    client.send(json!({"type": "connection_init", "payload": {"apiKey": app.secret_key}})).await;

    assert_eq!(client.close_code().await, 4500);
}

#[tokio::test]
async fn a_revoked_key_closes_the_socket_with_4403_within_a_second() {
    let app = App::start().await;
    let mut client = Client::ready(&app).await;
    client.subscribe("1", "subscription { silence }").await;

    let since = Instant::now();
    app.revoke_secret_key().await;

    assert_eq!(client.close_code().await, 4403);
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
    soon(app.traces.dropped.notified()).await;
}

#[tokio::test]
async fn a_shutdown_closes_sockets_with_1012() {
    let app = App::start().await;
    let mut ready = Client::ready(&app).await;
    let mut waiting = Client::open(&app).await;

    app.shutdown.cancel();

    assert_eq!((ready.close_code().await, waiting.close_code().await), (1012, 1012));
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_closed_with_1013_and_its_subscription_ends() {
    let transport = TransportSettings { stall: Duration::from_millis(200), ..TransportSettings::default() };
    let app = App::with(GatewaySettings::default(), transport).await;
    let mut client = Client::ready(&app).await;

    client.subscribe("1", "subscription { flood { text } }").await;
    soon(app.traces.dropped.notified()).await;

    assert_eq!(client.close_code().await, 1013);
}

#[tokio::test]
async fn a_client_that_was_too_slow_continues_after_its_last_cursor() {
    let transport = TransportSettings { stall: Duration::from_millis(50), ..TransportSettings::default() };
    let app = App::with(GatewaySettings::default(), transport).await;
    let number = |message: &Value| message["payload"]["data"]["flood"]["n"].as_u64().unwrap();
    let mut slow = Client::ready(&app).await;

    slow.subscribe("1", "subscription { flood { cursor n text } }").await;
    // It reads nothing until the server has dropped the subscription.
    soon(app.traces.dropped.notified()).await;
    let (mut seen, mut cursor) = (Vec::new(), Value::Null);
    let code = loop {
        match soon(slow.0.next()).await.unwrap().unwrap() {
            Message::Text(text) => {
                let message: Value = serde_json::from_str(&text).unwrap();
                seen.push(number(&message));
                cursor = message["payload"]["data"]["flood"]["cursor"].clone();
            }
            Message::Close(close) => break u16::from(close.unwrap().code),
            _ => {}
        }
    };
    let mut again = Client::ready(&app).await;
    let query = "subscription ($after: String) { flood(after: $after) { cursor n } }";
    let payload = json!({"query": query, "variables": {"after": cursor}});
    again.send(json!({"type": "subscribe", "id": "1", "payload": payload})).await;
    for _ in 0..10 {
        seen.push(number(&again.receive().await));
    }

    assert_eq!(code, 1013);
    assert!(seen.len() > 10, "it received events before the socket was closed");
    let sequence: Vec<u64> = (1..).take(seen.len()).collect();
    assert_eq!(seen, sequence, "no gap and no duplicate");
}

#[tokio::test]
async fn the_server_can_wait_until_every_socket_has_received_the_close_code() {
    let app = App::start().await;
    let mut client = Client::ready(&app).await;
    let mut stream = Client::ready(&app).await;
    stream.subscribe("1", "subscription { silence }").await;

    app.shutdown.cancel();
    let closed = async { (client.close_code().await, stream.close_code().await) };
    let (closed, ()) = soon(async { tokio::join!(closed, app.connections.ended()) }).await;

    assert_eq!(closed, (1012, 1012));
}

#[tokio::test]
async fn a_key_with_too_many_sockets_is_closed_with_1013() {
    let transport = TransportSettings { connections_per_key: 1, ..TransportSettings::default() };
    let app = App::with(GatewaySettings::default(), transport).await;
    let _first = Client::ready(&app).await;
    let mut second = Client::open(&app).await;

    second.send(json!({"type": "connection_init", "payload": {"apiKey": app.secret_key}})).await;

    assert_eq!(second.close_code().await, 1013);
}

#[tokio::test]
async fn an_address_with_too_many_sockets_cannot_open_another() {
    let transport = TransportSettings { connections_per_address: 1, ..TransportSettings::default() };
    let app = App::with(GatewaySettings::default(), transport).await;
    let _first = Client::open(&app).await;

    let rejected = connect_async(format!("ws://{}/graphql", app.listen().await)).await.unwrap_err();

    assert!(rejected.to_string().contains("429"), "{rejected}");
}

#[tokio::test]
async fn a_client_that_does_not_answer_pings_is_disconnected() {
    let transport = TransportSettings { keep_alive: Duration::from_millis(40), ..TransportSettings::default() };
    let app = App::with(GatewaySettings::default(), transport).await;
    let mut client = Client::ready(&app).await;

    let MaybeTlsStream::Plain(raw) = client.0.get_mut() else { panic!("loopback is plain") };
    let mut read = Vec::new();
    soon(raw.read_to_end(&mut read)).await.unwrap();

    assert_eq!(read, [0x89, 0], "one ping, then the end");
}

#[tokio::test]
async fn a_client_that_answers_pings_stays_connected() {
    let transport = TransportSettings { keep_alive: Duration::from_millis(150), ..TransportSettings::default() };
    let app = App::with(GatewaySettings::default(), transport).await;
    let mut client = Client::ready(&app).await;

    for _ in 0..4 {
        let message = soon(client.0.next()).await.unwrap().unwrap();
        assert!(matches!(message, Message::Ping(_)), "{message:?}");
        client.0.flush().await.unwrap();
    }
}

#[tokio::test]
async fn credentials_are_read_from_the_payload_or_from_the_headers() {
    let app = App::start().await;
    let bearer = format!("Bearer {}", app.secret_key);
    let protocol = ("sec-websocket-protocol", "graphql-transport-ws");

    for (headers, payload) in [
        (vec![protocol], json!({"authorization": bearer})),
        (vec![protocol], json!({"Authorization": bearer})),
        (vec![protocol, ("authorization", bearer.as_str())], Value::Null),
    ] {
        let mut client = Client::connect(&app, &headers).await;
        client.send(json!({"type": "connection_init", "payload": payload})).await;
        assert_eq!(client.receive().await["type"], "connection_ack", "{headers:?} {payload}");
    }
}

#[tokio::test]
async fn a_ping_is_answered_with_its_payload_even_before_connection_init() {
    let app = App::start().await;
    let mut client = Client::open(&app).await;

    client.send(json!({"type": "ping", "payload": {"at": 7}})).await;
    assert_eq!(client.receive().await, json!({"type": "pong", "payload": {"at": 7}}));

    client.send(json!({"type": "ping"})).await;
    assert_eq!(client.receive().await, json!({"type": "pong"}));
}

#[tokio::test]
async fn an_operation_sends_next_and_complete_and_its_id_can_be_used_again() {
    let app = App::start().await;
    let mut client = Client::ready(&app).await;

    for n in 1..=2 {
        client.subscribe("same", &format!("{{ echo(n: {n}) }}")).await;
        let next = client.receive().await;
        assert_eq!((&next["type"], &next["payload"]["data"]["echo"]), (&json!("next"), &json!(n)));
        assert_eq!(client.receive().await, json!({"id": "same", "type": "complete"}));
    }
    client.subscribe("same", "subscription { count(to: 3) { n } }").await;
    for n in 1..=3 {
        assert_eq!(client.receive().await["payload"]["data"]["count"]["n"], n);
    }
    assert_eq!(client.receive().await["type"], "complete");
}

#[tokio::test]
async fn a_rejected_operation_sends_one_error_message_and_nothing_else() {
    let app = App::start().await;
    let mut client = Client::ready(&app).await;

    for (query, code) in [
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { refused }", "FORBIDDEN"),
        ("subscription { count(to: 1, after: \"old\") { n } }", "CURSOR_EXPIRED"),
        ("{ a ...F } fragment F on Query { ...F }", "GRAPHQL_VALIDATION_FAILED"),
    ] {
        client.subscribe("1", query).await;
        let error = client.receive().await;
        assert_eq!((&error["type"], &error["id"]), (&json!("error"), &json!("1")), "{query}: {error}");
        assert_eq!(error["payload"][0]["extensions"]["code"], code, "{query}: {error}");
    }
    client.subscribe("1", "{ fails }").await;
    let next = client.receive().await;
    assert_eq!((&next["type"], &next["payload"]["data"]), (&json!("next"), &Value::Null));
    assert_eq!(client.receive().await["type"], "complete");
}

#[tokio::test]
async fn a_panic_in_one_operation_affects_no_other() {
    let app = App::start().await;
    let mut client = Client::ready(&app).await;
    client.subscribe("stays", "subscription { silence }").await;

    client.subscribe("breaks", "subscription { breaks }").await;

    assert_eq!(client.receive().await["payload"]["data"]["breaks"], 0);
    let error = client.receive().await;
    assert_eq!((&error["type"], &error["payload"][0]["extensions"]["code"]), (&json!("error"), &json!("INTERNAL")));
    client.send(json!({"type": "ping"})).await;
    assert_eq!(client.receive().await["type"], "pong");
}

#[tokio::test]
async fn complete_stops_an_operation_and_no_message_of_it_follows() {
    let app = App::start().await;
    let mut client = Client::ready(&app).await;

    client.subscribe("1", "subscription { silence }").await;
    client.send(json!({"type": "complete", "id": "unknown"})).await;
    client.send(json!({"type": "complete", "id": "1"})).await;
    soon(app.traces.dropped.notified()).await;
    client.subscribe("1", "subscription { flood { text } }").await;
    assert_eq!(client.receive().await["type"], "next");
    client.send(json!({"type": "complete", "id": "1"})).await;
    client.subscribe("1", "{ hello }").await;

    // Messages that were sent before the server received `complete` may still arrive; after them, only
    // those of the new operation.
    let first_new = loop {
        let message = client.receive().await;
        if message["payload"]["data"].get("flood").is_none() {
            break message;
        }
    };
    assert_eq!(first_new["payload"]["data"]["hello"], "world");
    assert_eq!(client.receive().await, json!({"id": "1", "type": "complete"}));
}

#[tokio::test]
async fn a_socket_runs_fifty_operations_and_rejects_the_next() {
    let app = App::start().await;
    let mut client = Client::ready(&app).await;

    for id in 0..50 {
        client.subscribe(&id.to_string(), "subscription { silence }").await;
    }
    client.subscribe("50", "subscription { silence }").await;

    let rejected = client.receive().await;
    assert_eq!((&rejected["type"], &rejected["id"]), (&json!("error"), &json!("50")));
    assert_eq!(rejected["payload"][0]["extensions"]["code"], "LIMIT_REACHED");
}
