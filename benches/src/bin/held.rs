//! Measures what a normal client notices while one address holds thousands of connections: request bodies that arrive
//! one byte at a time, and HTTP/2 connections that only answer pings.
//!
//! The normal client asks questions at a fixed rate from 127.0.0.2, and `/healthz` is requested on new connections from
//! there. Rounds alone and beside the held connections alternate, so that both see the same machine. By default the
//! server closes the connections above the limit of the address, and they are opened again. With `--uncapped`, the
//! limits are raised so that all of them are open at the same time.
//!
//! Run `cargo run --release -p helpbot-benches --bin held -- --help`.

#![allow(clippy::print_stdout, reason = "it prints its results")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use helpbot_benches::load::{self, Connection};
use helpbot_benches::process;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Options of the benchmark.
#[derive(Parser, Clone)]
struct Options {
    /// Number of request bodies that arrive slowly.
    #[arg(long, default_value_t = 4_000)]
    slow_bodies: usize,
    /// Number of idle HTTP/2 connections.
    #[arg(long, default_value_t = 2_000)]
    idle_http2: usize,
    /// Questions per second of the normal client.
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// Length of a round in seconds.
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// Number of rounds.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Raise the limits so that all connections are open at the same time.
    #[arg(long)]
    uncapped: bool,
    /// The program to measure. Defaults to `helpbot` beside this program.
    #[arg(long)]
    program: Option<PathBuf>,
}

/// Address of the normal client. The held connections come from 127.0.0.1.
const HONEST: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// Number of connections of the normal client.
const CONNECTIONS: u32 = 4;
/// Interval between two bytes of a slow body.
const BYTE_EVERY: Duration = Duration::from_secs(2);
/// Pause before a closed connection is opened again.
const REOPEN_AFTER: Duration = Duration::from_secs(5);
/// Time within which all connections are opened.
const OPEN_WITHIN: Duration = Duration::from_secs(5);
/// Interval between two requests to `/healthz`.
const HEALTH_EVERY: Duration = Duration::from_millis(250);
/// Client preface of HTTP/2 with an empty SETTINGS frame (RFC 9113, section 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
const SETTINGS_ACK: &[u8] = b"\x00\x00\x00\x04\x01\x00\x00\x00\x00";
const FRAME_HEAD: usize = 9;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const ACK: u8 = 1;

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let options = Options::parse();
    rlimit::increase_nofile_limit(20_000)?;
    let home = TempDir::new()?;
    let mut settings = vec![("HELPBOT_TRUSTED_PROXIES", "none")];
    if options.uncapped {
        settings.extend([("HELPBOT_MAX_CONNECTIONS", "8192"), ("HELPBOT_MAX_CONNECTIONS_PER_ADDRESS", "8192")]);
    }
    let server = match &options.program {
        Some(program) => process::product_of(program, home.path(), &settings)?,
        None => process::product(home.path(), &settings)?,
    };
    let key = server.word("wk_live_")?;
    let ask = load::post("/api/v1/chat", &key, r#"{"question":"How do I install HelpBot on my own server?"}"#);
    println!(
        "a client from {HONEST}, {} questions/s, alone and beside {} slow bodies and {} idle HTTP/2 connections",
        options.rate, options.slow_bodies, options.idle_http2
    );
    // The first round only warms up the server.
    round(server.addr, &ask, &options).await?;
    let (mut ratios, mut slowest) = (Vec::new(), Duration::ZERO);
    for number in 1..=options.rounds {
        let alone = round(server.addr, &ask, &options).await?;
        let held = Held::open(server.addr, &options);
        tokio::time::sleep(OPEN_WITHIN * 2).await;
        let beside = round(server.addr, &ask, &options).await?;
        println!(
            "  {number}  alone p99 {:>6.2} ms   beside p99 {:>6.2} ms   /healthz at most {:>6.2} ms   {} connections are \
             open, {} were closed by the server; {:.0} MiB",
            ms(alone.p99),
            ms(beside.p99),
            ms(beside.health),
            held.open.load(Ordering::Relaxed),
            held.closed.load(Ordering::Relaxed),
            server.resident_mib()?
        );
        ratios.push(ms(beside.p99) / ms(alone.p99));
        slowest = slowest.max(beside.health);
        drop(held);
        // The server notices the end of the connections.
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "p99 beside them: {:.2} of that alone (median); /healthz: at most {:.2} ms",
        ratios[ratios.len() / 2],
        ms(slowest)
    );
    Ok(())
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// The result of a round.
struct Round {
    p99: Duration,
    /// Slowest response of `/healthz`.
    health: Duration,
}

/// Asks at the fixed rate for the length of a round.
async fn round(addr: SocketAddr, ask: &[u8], options: &Options) -> Result<Round, AnyError> {
    let (length, pause) = (Duration::from_secs(options.seconds), Duration::from_secs(1) * CONNECTIONS / options.rate);
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    for number in 0..CONNECTIONS {
        let ask = ask.to_vec();
        tasks.spawn(async move {
            let mut connection = Connection::open_from(HONEST, addr).await?;
            let (mut times, mut due) = (Vec::new(), begin + pause * number / CONNECTIONS);
            while begin.elapsed() < length {
                tokio::time::sleep_until(due.into()).await;
                // Measured from the planned time, so that waiting for the server counts too.
                let answer = connection.send(&ask).await?;
                times.push(due.elapsed());
                if answer.status != 200 {
                    return Err(format!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body)).into());
                }
                due += pause;
            }
            Ok::<_, AnyError>(times)
        });
    }
    let mut health = Duration::ZERO;
    while begin.elapsed() < length {
        let asked = Instant::now();
        let answer = Connection::open_from(HONEST, addr).await?.send(&load::get("/healthz", "")).await?;
        health = health.max(asked.elapsed());
        if answer.status != 200 {
            return Err(format!("/healthz answered {}", answer.status).into());
        }
        tokio::time::sleep(HEALTH_EVERY).await;
    }
    let mut times = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        times.extend(ended??);
    }
    times.sort_unstable();
    Ok(Round { p99: times[(times.len() - 1) * 99 / 100], health })
}

/// Connections that are held until this is dropped.
struct Held {
    open: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Held {
    fn open(addr: SocketAddr, options: &Options) -> Self {
        let (open, closed, mut tasks) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default(), JoinSet::new());
        let all = options.slow_bodies + options.idle_http2;
        for number in 0..all {
            let (open, closed, is_slow) = (open.clone(), closed.clone(), number < options.slow_bodies);
            let wait = OPEN_WITHIN * u32::try_from(number).unwrap_or(0) / u32::try_from(all).unwrap_or(1);
            tasks.spawn(async move {
                tokio::time::sleep(wait).await;
                loop {
                    // Every error means that the server has closed the connection.
                    if let Ok(stream) = TcpStream::connect(addr).await {
                        open.fetch_add(1, Ordering::Relaxed);
                        let _ended = if is_slow { slow_body(stream).await } else { idle_http2(stream).await };
                        open.fetch_sub(1, Ordering::Relaxed);
                    }
                    closed.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(REOPEN_AFTER).await;
                }
            });
        }
        Self { open, closed, _tasks: tasks }
    }
}

/// Sends the head of a request and then one byte at a time. Ends when the server closes the connection.
async fn slow_body(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(b"POST /api/v1/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{").await?;
    let mut answer = [0; 512];
    loop {
        tokio::select! {
            read = stream.read(&mut answer) => if read? == 0 { return Ok(()) },
            () = tokio::time::sleep(BYTE_EVERY) => stream.write_all(b" ").await?,
        }
    }
}

/// Opens an HTTP/2 connection that never sends a request and answers the pings of the server.
async fn idle_http2(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(HTTP2_PREFACE).await?;
    loop {
        let mut head = [0; FRAME_HEAD];
        stream.read_exact(&mut head).await?;
        let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
        stream.read_exact(&mut payload).await?;
        match (head[3], head[4] & ACK) {
            (SETTINGS, 0) => stream.write_all(SETTINGS_ACK).await?,
            (PING, 0) => {
                head[4] = ACK;
                stream.write_all(&[&head[..], &payload].concat()).await?;
            }
            _ => {}
        }
    }
}
