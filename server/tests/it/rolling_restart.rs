//! A rolling restart of three nodes behind HAProxy, which repeats no failed request: every request of every visitor is
//! answered, and every WebSocket is closed with code 1012.
//!
//! The test needs the program HAProxy, whose path is in `HELPBOT_TEST_HAPROXY`. `scripts/test deploy` unpacks it and sets the
//! variable. Otherwise the test is skipped.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use helpbot_test_support::database::TestDatabase;

use crate::ends::Socket;
use crate::support::{Home, Serving, free_address, on_database};

const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const NODES: usize = 3;
/// Visitors with a new connection for each request, and as many that keep theirs.
const VISITORS: usize = 4;
const SOCKETS: usize = 6;
/// Time that HAProxy gets to notice. It checks twice in [`CHECK_MS`].
const DRAIN_S: &str = "3";
const CHECK_MS: u32 = 500;
const DEADLINE: Duration = Duration::from_secs(60);

#[test]
fn a_rolling_restart_behind_haproxy_fails_no_request() {
    let Some(haproxy) = std::env::var_os("HELPBOT_TEST_HAPROXY") else {
        eprintln!("HELPBOT_TEST_HAPROXY names no program: the rolling restart was not tried");
        return;
    };
    on_database(
        TestDatabase::postgres,
        async |_, _| (),
        move |url, ()| {
            let homes: Vec<Home> = (0..NODES).map(|_| Home::new()).collect();
            let addresses: Vec<SocketAddr> = (0..NODES).map(|_| free_address()).collect();
            let start = |node: usize| Serving::begin(command(&homes[node], addresses[node], &url));
            let mut nodes: Vec<Option<Serving>> = (0..NODES).map(|node| Some(start(node))).collect();
            let first = nodes[0].as_ref().expect("the first node runs");
            let (widget, secret) = (first.word("wk_live_"), first.word("sk_live_"));
            let proxy = Proxy::start(Path::new(&haproxy), &homes[0], &addresses);
            let (load, sockets) = (Load::default(), Sockets::default());

            thread::scope(|scope| {
                for visitor in 0..VISITORS {
                    let (load, key, proxy) = (&load, &widget, proxy.address);
                    scope.spawn(move || load.with_new_connections(proxy, key, visitor));
                    scope.spawn(move || load.with_one_connection(proxy, key));
                }
                for _ in 0..SOCKETS {
                    let (load, sockets, key, proxy) = (&load, &sockets, &secret, proxy.address);
                    scope.spawn(move || sockets.reconnect(proxy, key, load));
                }
                for (index, node) in nodes.iter_mut().enumerate() {
                    load.wait_for_more();
                    let (code, log) = node.take().expect("the node runs").terminate();
                    assert_eq!(code, Some(0), "{log}");
                    *node = Some(start(index));
                    proxy.wait_until_all_are_up(index);
                }
                load.wait_for_more();
                load.is_over.store(true, Ordering::SeqCst);
                // The sockets wait for their server, so the servers end before the threads do.
                nodes.clear();
            });

            let failures = load.failures.into_inner().unwrap_or_else(PoisonError::into_inner);
            let answered = load.answered.into_inner();
            println!("{answered} requests were answered, and {} failed", failures.len());
            assert!(failures.is_empty(), "{} of {answered} failed: {:?}", failures.len(), &failures[..1]);
            let codes = sockets.codes.into_inner().unwrap_or_else(PoisonError::into_inner);
            assert!(codes.len() >= SOCKETS, "every socket was closed: {codes:?}");
            assert!(codes.iter().all(|code| *code == Some(1012)), "{codes:?}");
        },
    );
}

fn command(home: &Home, address: SocketAddr, database: &str) -> Command {
    let mut command = home.command(&["serve"]);
    command.env("HELPBOT_LISTEN", address.to_string()).env("HELPBOT_METRICS_LISTEN", "off");
    command.env("HELPBOT_DATABASE", database).env("HELPBOT_SECRET_KEY", KEY).env("HELPBOT_DRAIN_S", DRAIN_S);
    command.env("HELPBOT_RATE_LIMITS", "off").env("HELPBOT_LOG", "off").env("HELPBOT_DATABASE_CONNECTIONS", "8");
    command
}

/// HAProxy in front of the nodes. Dropping it kills the process.
struct Proxy {
    process: Child,
    address: SocketAddr,
    statistics: SocketAddr,
}

impl Proxy {
    fn start(program: &Path, home: &Home, nodes: &[SocketAddr]) -> Self {
        let (address, statistics) = (free_address(), free_address());
        let mut text = format!(
            "global\n maxconn 2000\ndefaults\n mode http\n retries 0\n timeout connect 2s\n timeout client 60s\n \
             timeout server 60s\n timeout tunnel 1h\nfrontend http\n bind {address}\n default_backend helpbot\n\
             listen statistics\n bind {statistics}\n stats enable\n stats uri /\nbackend helpbot\n balance roundrobin\n \
             option httpchk GET /readyz\n http-check expect status 200\n default-server check inter {CHECK_MS}ms fall 2 rise 2\n"
        );
        for (node, address) in nodes.iter().enumerate() {
            writeln!(text, " server node{node} {address}").expect("a text");
        }
        let file = home.file("haproxy.cfg", &text);
        let process = Command::new(program)
            .args(["-db", "-f", &file])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("HAProxy starts");
        let proxy = Self { process, address, statistics };
        proxy.wait_until_all_are_up(0);
        proxy
    }

    /// Waits until the proxy sends requests to all nodes again, the first of which is `node`.
    fn wait_until_all_are_up(&self, node: usize) {
        let began = Instant::now();
        let is_up = |state: &str| state.starts_with("UP");
        while !self.states().is_some_and(|states| states.len() == NODES && states.iter().all(|state| is_up(state))) {
            assert!(began.elapsed() < DEADLINE, "node {node} did not come back: {:?}", self.states());
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// The state of each node in the statistics, whose column 18 it is.
    fn states(&self) -> Option<Vec<String>> {
        let mut stream = TcpStream::connect(self.statistics).ok()?;
        stream.write_all(b"GET /;csv HTTP/1.0\r\n\r\n").ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let rows = text.lines().filter(|line| line.starts_with("helpbot,node"));
        Some(rows.filter_map(|row| row.split(',').nth(17).map(str::to_owned)).collect())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Visitors who ask and read all the time.
#[derive(Default)]
struct Load {
    is_over: AtomicBool,
    answered: AtomicUsize,
    failures: Mutex<Vec<String>>,
}

impl Load {
    /// Asks questions, each on a connection of its own.
    fn with_new_connections(&self, proxy: SocketAddr, key: &str, visitor: usize) {
        let body = r#"{"question":"How do I revoke an API key?"}"#;
        let text = format!(
            "POST /api/v1/chat HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nX-Forwarded-For: 192.0.2.{visitor}\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        while !self.is_over.load(Ordering::SeqCst) {
            let exchange = || {
                let mut stream = TcpStream::connect(proxy)?;
                stream.set_read_timeout(Some(DEADLINE))?;
                stream.write_all(text.as_bytes())?;
                response(&mut BufReader::new(stream))
            };
            self.record(exchange());
        }
    }

    /// Reads the settings of the widget again and again, on one connection to the proxy.
    fn with_one_connection(&self, proxy: SocketAddr, key: &str) {
        let text = format!("GET /api/v1/config HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n\r\n");
        let stream = TcpStream::connect(proxy).expect("the proxy listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("set");
        let mut lines = BufReader::new(stream);
        while !self.is_over.load(Ordering::SeqCst) {
            let sent = lines.get_mut().write_all(text.as_bytes());
            self.record(sent.and_then(|()| response(&mut lines)));
        }
    }

    fn record(&self, exchange: std::io::Result<String>) {
        match exchange {
            Ok(status) if status.contains(" 200 ") => drop(self.answered.fetch_add(1, Ordering::SeqCst)),
            other => self.failures.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{other:?}")),
        }
    }

    /// Waits until many more requests were answered.
    fn wait_for_more(&self) {
        let (began, before) = (Instant::now(), self.answered.load(Ordering::SeqCst));
        while self.answered.load(Ordering::SeqCst) < before + 100 {
            assert!(began.elapsed() < DEADLINE, "nothing is answered");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Reads one response with a length, and returns its status line.
fn response(lines: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let (mut status, mut length) = (String::new(), 0);
    lines.read_line(&mut status)?;
    loop {
        let mut line = String::new();
        lines.read_line(&mut line)?;
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(std::io::Error::other)?;
        }
        if line.is_empty() {
            break;
        }
    }
    std::io::copy(&mut lines.take(length), &mut std::io::sink())?;
    Ok(status)
}

/// WebSockets that are opened again after each close.
#[derive(Default)]
struct Sockets {
    codes: Mutex<Vec<Option<u16>>>,
}

impl Sockets {
    fn reconnect(&self, proxy: SocketAddr, key: &str, load: &Load) {
        while !load.is_over.load(Ordering::SeqCst) {
            let code = Socket::open(proxy, key).closed();
            if !load.is_over.load(Ordering::SeqCst) {
                self.codes.lock().unwrap_or_else(PoisonError::into_inner).push(code);
            }
        }
    }
}
