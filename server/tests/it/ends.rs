//! Tests of slow clients and of the server's shutdown.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Home, Serving, request};

/// Longer than the server's deadline of ten seconds.
const CUT_WITHIN: Duration = Duration::from_secs(20);

#[test]
fn a_client_that_does_not_finish_a_request_is_disconnected() {
    let home = Home::new();
    let server = home.serve();
    let began = Instant::now();
    let body = "POST /api/v1/chat HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n{";
    let chunks = "POST /api/v1/chat HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n";
    let mut waiting: Vec<TcpStream> = ["", "PRI * HT", "GET / HTTP/1.1\r\nHo", body, chunks]
        .into_iter()
        .map(|start| {
            let mut stream = TcpStream::connect(server.address).expect("connected");
            stream.write_all(start.as_bytes()).expect("sent");
            stream.set_read_timeout(Some(CUT_WITHIN)).expect("set");
            stream
        })
        .collect();

    for stream in &mut waiting {
        let mut rest = Vec::new();
        // The connection must be closed or reset. If it stays open, the read times out with `WouldBlock`.
        if let Err(error) = stream.read_to_end(&mut rest) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        }
    }

    assert!(began.elapsed() < CUT_WITHIN);
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn an_open_connection_does_not_delay_the_shutdown() {
    let home = Home::new();
    let server = home.serve();
    let mut idle = TcpStream::connect(server.address).expect("connected");
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").expect("sent");
    let mut first = [0; 12];
    idle.read_exact(&mut first).expect("an answer");
    assert_eq!(&first, b"HTTP/1.1 200");

    let (code, log) = server.terminate();

    assert_eq!(code, Some(0), "{log}");
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).expect("closed in order");
}

#[test]
fn a_server_that_is_asked_to_stop_is_not_ready_and_still_serves_for_the_set_time() {
    const DRAIN: Duration = Duration::from_secs(4);
    let home = Home::new();
    let mut command = home.command(&["--listen", "127.0.0.1:0"]);
    command.env("HELPBOT_DRAIN_S", DRAIN.as_secs().to_string());
    let server = Serving::begin(command);
    let key = server.word("wk_live_");
    let listening = {
        let socket = Socket::open(server.address, &server.word("sk_live_"));
        thread::spawn(|| socket.closed())
    };
    assert_eq!(server.get("/readyz").status, 200);

    let began = Instant::now();
    server.ask_to_stop();
    while server.get("/readyz").status == 200 {
        assert!(began.elapsed() < DRAIN, "it is still ready");
        thread::sleep(Duration::from_millis(10));
    }
    // The request asks to keep the connection, and the response closes it.
    let health = request(server.address, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    let readiness = server.get("/readyz");
    let (asked, _) = server.ask(&key, "How do I revoke an API key?");
    let served_at = began.elapsed();
    let (code, log) = server.ended();
    let took = began.elapsed();

    assert!(served_at < DRAIN, "the checks took too long to show anything: {served_at:?}");
    assert_eq!((health.status, asked), (200, 200));
    assert!(health.head.contains("connection: close"), "{}", health.head);
    assert!(readiness.body.contains("stopping"), "{}", readiness.body);
    assert_eq!(code, Some(0), "{log}");
    assert!(took >= DRAIN, "{took:?}");
    assert_eq!(listening.join().expect("the thread ends"), Some(1012));
}

#[test]
fn every_websocket_receives_close_code_1012_at_shutdown() {
    const SOCKETS: usize = 8;
    const RESTART: u16 = 1012;
    // Shorter than the five seconds after which the server closes sockets that do not answer.
    const ENDS_WITHIN: Duration = Duration::from_secs(5);
    let home = Home::new();
    let server = home.serve();
    let key = server.word("sk_live_");
    let mut sockets: Vec<Socket> = (0..SOCKETS).map(|_| Socket::open(server.address, &key)).collect();
    // A socket that has sent nothing yet is closed with the same code.
    sockets.push(Socket::connect(server.address));
    let listening: Vec<_> = sockets.into_iter().map(|socket| thread::spawn(|| socket.closed())).collect();

    let began = Instant::now();
    let (code, log) = server.terminate();

    assert_eq!(code, Some(0), "{log}");
    assert!(began.elapsed() < ENDS_WITHIN, "{:?}: {log}", began.elapsed());
    for heard in listening {
        assert_eq!(heard.join().expect("the thread ends"), Some(RESTART));
    }
}

/// A minimal WebSocket client: it sends short frames with a mask of zeros.
pub(crate) struct Socket(TcpStream);

impl Socket {
    const TEXT: u8 = 0x81;
    const CLOSE: u8 = 0x88;
    const PING: u8 = 0x89;
    const PONG: u8 = 0x8a;
    const MASKED: u8 = 0x80;

    fn connect(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).expect("connected");
        stream.set_read_timeout(Some(CUT_WITHIN)).expect("set");
        let head = "GET /graphql HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                    Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n";
        stream.write_all(head.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("an answer");
            answer.push(byte[0]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
        Self(stream)
    }

    /// Opens a connection with one subscription that receives no events.
    pub(crate) fn open(address: SocketAddr, key: &str) -> Self {
        let mut socket = Self::connect(address);
        socket.send(Self::TEXT, format!(r#"{{"type":"connection_init","payload":{{"apiKey":"{key}"}}}}"#).as_bytes());
        let (_, ack) = socket.receive().expect("an acknowledgement");
        assert_eq!(String::from_utf8_lossy(&ack), r#"{"type":"connection_ack"}"#);
        let query = r#"{"id":"1","type":"subscribe","payload":{"query":"subscription{conversationEvents{id}}"}}"#;
        socket.send(Self::TEXT, query.as_bytes());
        socket
    }

    fn send(&mut self, kind: u8, payload: &[u8]) {
        let length = u8::try_from(payload.len()).expect("a short frame");
        assert!(length < 126, "a short frame");
        let frame = [&[kind, Self::MASKED | length, 0, 0, 0, 0], payload].concat();
        self.0.write_all(&frame).expect("sent");
    }

    fn receive(&mut self) -> std::io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        self.0.read_exact(&mut head)?;
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                self.0.read_exact(&mut length)?;
                usize::from(u16::from_be_bytes(length))
            }
            length => usize::from(length),
        };
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload)?;
        Ok((head[0], payload))
    }

    /// Answers pings until the close frame arrives, answers it and returns its code. `None` when none arrived.
    pub(crate) fn closed(mut self) -> Option<u16> {
        loop {
            let (kind, payload) = self.receive().ok()?;
            if kind == Self::PING {
                self.send(Self::PONG, &payload);
            }
            if kind == Self::CLOSE {
                self.send(Self::CLOSE, &payload);
                return payload.first_chunk().map(|code| u16::from_be_bytes(*code));
            }
        }
    }
}
