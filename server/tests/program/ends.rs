//! How the server treats those who keep it waiting, and how it ends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::Home;

/// Above the server's ten seconds, below any patience.
const CUT_WITHIN: Duration = Duration::from_secs(20);

#[test]
fn who_connects_and_does_not_finish_a_request_is_cut_off() {
    let home = Home::new();
    let server = home.serve();
    let began = Instant::now();
    let mut waiting: Vec<TcpStream> = ["", "PRI * HT", "GET / HTTP/1.1\r\nHo"]
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
        // Closed or reset, but not left open: a timeout of ours would be `WouldBlock`.
        if let Err(error) = stream.read_to_end(&mut rest) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        }
    }

    assert!(began.elapsed() < CUT_WITHIN);
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn an_open_connection_does_not_hold_up_the_end() {
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
