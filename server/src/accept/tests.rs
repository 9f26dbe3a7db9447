//! Connections over real sockets.

use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

async fn served(limits: ConnectionLimits) -> (SocketAddr, CancellationToken, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let (address, stop) = (listener.local_addr().expect("bound"), CancellationToken::new());
    let app = Router::new().route("/", get(async || "here")).route("/healthz", get(async || "alive"));
    (address, stop.clone(), tokio::spawn(run(listener, app, limits, stop)))
}

fn limits(total: usize, per_address: usize) -> ConnectionLimits {
    ConnectionLimits { total, per_address, unlimited: Vec::new(), open: Arc::default() }
}

/// The answer to `request` on a new connection, and the connection.
async fn ask(address: SocketAddr, request: &[u8]) -> (String, TcpStream) {
    let mut client = TcpStream::connect(address).await.expect("connected");
    // The server may have closed the connection already.
    client.write_all(request).await.ok();
    let mut answer = vec![0; 1024];
    let length = client.read(&mut answer).await.unwrap_or_default();
    answer.truncate(length);
    (String::from_utf8(answer).expect("text"), client)
}

#[tokio::test]
async fn a_request_is_answered_and_a_stop_closes_idle_connections() {
    let (address, stop, server) = served(limits(8, 8)).await;
    let (answer, mut client) = ask(address, REQUEST).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("here"), "{answer}");

    stop.cancel();

    server.await.expect("the server ended");
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.expect("closed in order");
    assert!(rest.is_empty());
}

#[tokio::test]
async fn an_address_above_its_limit_is_disconnected() {
    let (address, stop, server) = served(limits(8, 2)).await;

    let (first, held) = ask(address, REQUEST).await;
    let (second, _held) = ask(address, REQUEST).await;
    let (third, _) = ask(address, REQUEST).await;
    drop(held);

    assert!(first.contains("200 OK") && second.contains("200 OK"));
    assert_eq!(third, "", "the third connection is closed");
    stop.cancel();
    server.await.expect("the server ended");
}

#[tokio::test]
async fn health_checks_are_answered_when_all_slots_are_taken() {
    let (address, stop, server) = served(limits(1, 8)).await;
    let (_, _held) = ask(address, REQUEST).await;

    let (health, _) = ask(address, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (other, _) = ask(address, REQUEST).await;

    assert!(health.starts_with("HTTP/1.1 200 OK") && health.ends_with("alive"), "{health}");
    assert!(other.starts_with("HTTP/1.1 503") && other.contains("UNAVAILABLE"), "{other}");
    stop.cancel();
    server.await.expect("the server ended");
}
