//! `graphql-transport-ws` in frames over real sockets: every close code, and what must not close.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use helpbot_api::gateway::{GatewaySettings, TrustedDocuments};
use helpbot_api::transport::TransportSettings;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::app::{App, TRUSTED, soon};

/// A client that says exactly what it is told to.
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

    /// Open, and through `connection_init` with the secret key.
    async fn ready(app: &App) -> Self {
        let mut client = Self::open(app).await;
        client.say(json!({"type": "connection_init", "payload": {"apiKey": app.secret_key}})).await;
        assert_eq!(client.hear().await, json!({"type": "connection_ack"}));
        client
    }

    async fn say(&mut self, message: Value) {
        self.say_text(&message.to_string()).await;
    }

    async fn say_text(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(json!({"type": "subscribe", "id": id, "payload": {"query": query}})).await;
    }

    async fn hear(&mut self) -> Value {
        loop {
            match soon(self.0.next()).await.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The code with which the server closes, whatever it says before.
    async fn closed(&mut self) -> u16 {
        loop {
            match soon(self.0.next()).await {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(_)) => {}
                other => panic!("not closed but {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_trusted_document_is_asked_for_by_its_id() {
    let mut client = Client::ready(&App::start().await).await;

    let payload = json!({"documentId": TrustedDocuments::id(TRUSTED)});
    client.say(json!({"type": "subscribe", "id": "1", "payload": payload})).await;

    assert_eq!(client.hear().await["payload"]["data"]["hello"], "world");
}

#[tokio::test]
async fn each_breach_of_the_protocol_has_its_close_code() {
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
            client.say_text(message).await;
        }
        assert_eq!(client.closed().await, code, "{messages:?}");
    }
}

#[tokio::test]
async fn binary_and_oversized_messages_are_malformed() {
    let app = App::start().await;
    let mut binary = Client::open(&app).await;
    let mut large = Client::open(&app).await;

    binary.0.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    large.say_text(&"x".repeat(70 * 1024)).await;

    assert_eq!(binary.closed().await, 4400);
    assert_eq!(large.closed().await, 4400);
}

#[tokio::test]
async fn no_init_in_time_is_4408() {
    let transport = TransportSettings { init_timeout: Duration::from_millis(30), ..TransportSettings::default() };
    let app = App::with(GatewaySettings::default(), transport).await;

    assert_eq!(Client::open(&app).await.closed().await, 4408);
}

#[tokio::test]
async fn another_subprotocol_is_4406() {
    let app = App::start().await;

    assert_eq!(Client::connect(&app, &[]).await.closed().await, 4406);
}

#[tokio::test]
async fn a_fault_while_logging_in_is_4500() {
    let app = App::start().await;
    app.ruin_database().await;
    let mut client = Client::open(&app).await;

    client.say(json!({"type": "connection_init", "payload": {"apiKey": app.secret_key}})).await;

    assert_eq!(client.closed().await, 4500);
}

#[tokio::test]
async fn a_revoked_key_is_4403_within_a_second() {
    let app = App::start().await;
    let mut client = Client::ready(&app).await;
    client.subscribe("1", "subscription { silence }").await;

    let since = Instant::now();
    app.revoke_secret_key().await;

    assert_eq!(client.closed().await, 4403);
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
    soon(app.traces.dropped.notified()).await;
}

#[tokio::test]
async fn a_shutdown_is_1012() {
    let app = App::start().await;
    let mut ready = Client::ready(&app).await;
    let mut waiting = Client::open(&app).await;

    app.shutdown.cancel();

    assert_eq!((ready.closed().await, waiting.closed().await), (1012, 1012));
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_1013_and_holds_no_stream() {
    let transport = TransportSettings { stall: Duration::from_millis(200), ..TransportSettings::default() };
    let app = App::with(GatewaySettings::default(), transport).await;
    let mut client = Client::ready(&app).await;

    client.subscribe("1", "subscription { flood { text } }").await;
    soon(app.traces.dropped.notified()).await;

    assert_eq!(client.closed().await, 1013);
}

#[tokio::test]
async fn a_reader_that_was_too_slow_goes_on_after_its_last_cursor() {
    let transport = TransportSettings { stall: Duration::from_millis(50), ..TransportSettings::default() };
    let app = App::with(GatewaySettings::default(), transport).await;
    let number = |message: &Value| message["payload"]["data"]["flood"]["n"].as_u64().unwrap();
    let mut slow = Client::ready(&app).await;

    slow.subscribe("1", "subscription { flood { cursor n text } }").await;
    // It reads nothing until the server has given it up.
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
    again.say(json!({"type": "subscribe", "id": "1", "payload": payload})).await;
    for _ in 0..10 {
        seen.push(number(&again.hear().await));
    }

    assert_eq!(code, 1013);
    assert!(seen.len() > 10, "it heard something before it was closed");
    let sequence: Vec<u64> = (1..).take(seen.len()).collect();
    assert_eq!(seen, sequence, "no gap and no repeat");
}

#[tokio::test]
async fn the_server_can_wait_until_its_last_socket_has_heard_why_it_ends() {
    let app = App::start().await;
    let mut client = Client::ready(&app).await;
    let mut stream = Client::ready(&app).await;
    stream.subscribe("1", "subscription { silence }").await;

    app.shutdown.cancel();
    let closed = async { (client.closed().await, stream.closed().await) };
    let (closed, ()) = soon(async { tokio::join!(closed, app.connections.ended()) }).await;

    assert_eq!(closed, (1012, 1012));
}

#[tokio::test]
async fn a_key_with_too_many_sockets_is_1013() {
    let transport = TransportSettings { connections_per_key: 1, ..TransportSettings::default() };
    let app = App::with(GatewaySettings::default(), transport).await;
    let _first = Client::ready(&app).await;
    let mut second = Client::open(&app).await;

    second.say(json!({"type": "connection_init", "payload": {"apiKey": app.secret_key}})).await;

    assert_eq!(second.closed().await, 1013);
}

#[tokio::test]
async fn an_address_with_too_many_sockets_gets_no_other() {
    let transport = TransportSettings { connections_per_address: 1, ..TransportSettings::default() };
    let app = App::with(GatewaySettings::default(), transport).await;
    let _first = Client::open(&app).await;

    let refused = connect_async(format!("ws://{}/graphql", app.listen().await)).await.unwrap_err();

    assert!(refused.to_string().contains("429"), "{refused}");
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_dropped() {
    let transport = TransportSettings { keep_alive: Duration::from_millis(40), ..TransportSettings::default() };
    let app = App::with(GatewaySettings::default(), transport).await;
    let mut client = Client::ready(&app).await;

    let MaybeTlsStream::Plain(raw) = client.0.get_mut() else { panic!("loopback is plain") };
    let mut read = Vec::new();
    soon(raw.read_to_end(&mut read)).await.unwrap();

    assert_eq!(read, [0x89, 0], "one ping, then the end");
}

#[tokio::test]
async fn a_client_that_answers_pings_stays() {
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
async fn credentials_are_taken_from_the_payload_or_the_upgrade() {
    let app = App::start().await;
    let bearer = format!("Bearer {}", app.secret_key);
    let protocol = ("sec-websocket-protocol", "graphql-transport-ws");

    for (headers, payload) in [
        (vec![protocol], json!({"authorization": bearer})),
        (vec![protocol], json!({"Authorization": bearer})),
        (vec![protocol, ("authorization", bearer.as_str())], Value::Null),
    ] {
        let mut client = Client::connect(&app, &headers).await;
        client.say(json!({"type": "connection_init", "payload": payload})).await;
        assert_eq!(client.hear().await["type"], "connection_ack", "{headers:?} {payload}");
    }
}

#[tokio::test]
async fn a_ping_is_answered_with_its_payload_even_before_init() {
    let app = App::start().await;
    let mut client = Client::open(&app).await;

    client.say(json!({"type": "ping", "payload": {"at": 7}})).await;
    assert_eq!(client.hear().await, json!({"type": "pong", "payload": {"at": 7}}));

    client.say(json!({"type": "ping"})).await;
    assert_eq!(client.hear().await, json!({"type": "pong"}));
}

#[tokio::test]
async fn operations_give_next_and_complete_and_free_their_id() {
    let app = App::start().await;
    let mut client = Client::ready(&app).await;

    for n in 1..=2 {
        client.subscribe("same", &format!("{{ echo(n: {n}) }}")).await;
        let next = client.hear().await;
        assert_eq!((&next["type"], &next["payload"]["data"]["echo"]), (&json!("next"), &json!(n)));
        assert_eq!(client.hear().await, json!({"id": "same", "type": "complete"}));
    }
    client.subscribe("same", "subscription { count(to: 3) { n } }").await;
    for n in 1..=3 {
        assert_eq!(client.hear().await["payload"]["data"]["count"]["n"], n);
    }
    assert_eq!(client.hear().await["type"], "complete");
}

#[tokio::test]
async fn a_refused_operation_is_an_error_message_and_nothing_more() {
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
        let error = client.hear().await;
        assert_eq!((&error["type"], &error["id"]), (&json!("error"), &json!("1")), "{query}: {error}");
        assert_eq!(error["payload"][0]["extensions"]["code"], code, "{query}: {error}");
    }
    client.subscribe("1", "{ fails }").await;
    let next = client.hear().await;
    assert_eq!((&next["type"], &next["payload"]["data"]), (&json!("next"), &Value::Null));
    assert_eq!(client.hear().await["type"], "complete");
}

#[tokio::test]
async fn an_operation_that_panics_takes_nobody_along() {
    let app = App::start().await;
    let mut client = Client::ready(&app).await;
    client.subscribe("stays", "subscription { silence }").await;

    client.subscribe("breaks", "subscription { breaks }").await;

    assert_eq!(client.hear().await["payload"]["data"]["breaks"], 0);
    let error = client.hear().await;
    assert_eq!((&error["type"], &error["payload"][0]["extensions"]["code"]), (&json!("error"), &json!("INTERNAL")));
    client.say(json!({"type": "ping"})).await;
    assert_eq!(client.hear().await["type"], "pong");
}

#[tokio::test]
async fn complete_stops_an_operation_and_nothing_of_it_follows() {
    let app = App::start().await;
    let mut client = Client::ready(&app).await;

    client.subscribe("1", "subscription { silence }").await;
    client.say(json!({"type": "complete", "id": "unknown"})).await;
    client.say(json!({"type": "complete", "id": "1"})).await;
    soon(app.traces.dropped.notified()).await;
    client.subscribe("1", "subscription { flood { text } }").await;
    assert_eq!(client.hear().await["type"], "next");
    client.say(json!({"type": "complete", "id": "1"})).await;
    client.subscribe("1", "{ hello }").await;

    // What was on its way before the server heard `complete` may still come; then only the new one.
    let first_new = loop {
        let message = client.hear().await;
        if message["payload"]["data"].get("flood").is_none() {
            break message;
        }
    };
    assert_eq!(first_new["payload"]["data"]["hello"], "world");
    assert_eq!(client.hear().await, json!({"id": "1", "type": "complete"}));
}

#[tokio::test]
async fn a_socket_runs_fifty_operations_and_refuses_the_next() {
    let app = App::start().await;
    let mut client = Client::ready(&app).await;

    for id in 0..50 {
        client.subscribe(&id.to_string(), "subscription { silence }").await;
    }
    client.subscribe("50", "subscription { silence }").await;

    let refused = client.hear().await;
    assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("50")));
    assert_eq!(refused["payload"][0]["extensions"]["code"], "LIMIT_REACHED");
}
