//! A minimal hostile web server, and clients that can reach it.
//!
//! It sends raw bytes over TCP, because it must send what no server library would.

#![allow(dead_code, reason = "each test program uses its own part")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use helpbot_outbound::{AllowList, Client, Dial, FetchLimits, Lookup, Overflow, Policy, UserAgent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// One action of the server on a connection. The connection is closed after the last action.
#[derive(Clone)]
pub enum Step {
    Send(Vec<u8>),
    /// Send the same bytes several times, each after a pause.
    Repeat {
        bytes: Vec<u8>,
        times: usize,
        pause: Duration,
    },
    /// Keep the connection open without sending anything.
    Hang,
    /// Serve another request on this connection.
    Again,
}

/// A running server with the requests that it received, head and body of each as one text.
pub struct Site {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Site {
    /// Starts a server on loopback. `answer` receives the number of the request, from 0, and its
    /// text.
    pub async fn start(answer: impl Fn(usize, &str) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0", answer).await
    }

    pub async fn start_at(listen: &str, answer: impl Fn(usize, &str) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(listen).await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                tokio::spawn(async move { serve(stream, &seen, &*answer).await });
            }
        });
        Self { address, requests }
    }

    /// Starts a server that always responds in the same way.
    pub async fn always(steps: Vec<Step>) -> Self {
        Self::start(move |_, _| steps.clone()).await
    }

    pub fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).expect("a URL")
    }

    /// Returns a URL of the server under a host name.
    pub fn named(&self, name: &str, path: &str) -> Url {
        Url::parse(&format!("http://{name}:{}{path}", self.address.port())).expect("a URL")
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic while held").clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<String>>,
    answer: &(impl Fn(usize, &str) -> Vec<Step> + Send + Sync),
) {
    while let Some(request) = read_request(&mut stream).await {
        let number = {
            let mut seen = seen.lock().expect("no panic while held");
            seen.push(request.clone());
            seen.len() - 1
        };
        let mut goes_on = false;
        for step in answer(number, &request) {
            match step {
                Step::Send(bytes) => {
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Step::Repeat { bytes, times, pause } => {
                    for _ in 0..times {
                        // Even a sleep of zero takes a millisecond.
                        if !pause.is_zero() {
                            tokio::time::sleep(pause).await;
                        }
                        if stream.write_all(&bytes).await.is_err() {
                            return;
                        }
                    }
                }
                Step::Hang => {
                    // Waits until the client disconnects.
                    let _ = stream.read(&mut [0; 16]).await;
                    return;
                }
                Step::Again => goes_on = true,
            }
        }
        if !goes_on {
            return;
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await.ok()?;
        if read == 0 {
            return None;
        }
        text.extend_from_slice(&buffer[..read]);
        let so_far = String::from_utf8_lossy(&text).into_owned();
        // A TLS handshake is answered at once, as scripted.
        if text.first() == Some(&0x16) {
            return Some(so_far);
        }
        if let Some((head, body)) = so_far.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(str::to_owned))
                .find_map(|value| value.trim().parse::<usize>().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return Some(so_far);
            }
        }
    }
}

/// Returns a complete response with its length.
pub fn reply(status: &str, headers: &[&str], body: &[u8]) -> Step {
    let mut bytes = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len()).into_bytes();
    for header in headers {
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    Step::Send(bytes)
}

pub fn redirect(to: &str) -> Vec<Step> {
    vec![reply("302 Found", &[&format!("location: {to}")], b"")]
}

pub fn text(bytes: &str) -> Step {
    Step::Send(bytes.as_bytes().to_vec())
}

pub fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Limits that are short enough for a test.
pub const QUICK: FetchLimits = FetchLimits {
    redirects: 3,
    first_byte: Duration::from_millis(300),
    total: Duration::from_millis(900),
    wire_bytes: 64 * 1024,
    decoded_bytes: 256 * 1024,
    ratio: 100,
    ratio_from_bytes: 16 * 1024,
    min_bytes_per_second: 1024,
    slow_grace: Duration::from_millis(200),
    overflow: Overflow::Fail,
};

pub fn allow(list: &str) -> AllowList {
    list.parse().expect("an allow-list")
}

pub fn user_agent() -> UserAgent {
    UserAgent::new("1.2.3", "https://helpbot.example/bot").expect("plain characters")
}

/// Returns a client for web pages that may also reach the hosts in `list`.
pub fn client(list: &str) -> Client {
    client_with(Policy::web(allow(list)), Arc::new(|_| Box::pin(async { Err(std::io::Error::other("no such name")) })))
}

/// Returns a client that resolves names with `lookup`.
pub fn client_with(policy: Policy, lookup: Lookup) -> Client {
    let dial = Dial { dns: ms(200), connect: ms(300), lookup, authorities: Vec::new() };
    Client::with_dial(policy, &user_agent(), dial).expect("a client")
}

/// Returns `answers` one after another, and then always the last one.
pub fn changing_dns(answers: Vec<Vec<SocketAddr>>) -> Lookup {
    let asked = Arc::new(Mutex::new(0));
    Arc::new(move |_| {
        let mut asked = asked.lock().expect("no panic while held");
        let answer = answers[(*asked).min(answers.len() - 1)].clone();
        *asked += 1;
        Box::pin(async move { Ok(answer) })
    })
}

/// Resolves every name to this address.
pub fn fixed_dns(address: SocketAddr) -> Lookup {
    changing_dns(vec![vec![address]])
}
