//! `cargo run --release -p helpbot-benches` measures the product beside its ceilings and prints ratios.
//!
//! The product's binary must have been built (`cargo build --release`). Compare the ratios of two runs, not their
//! absolute values.

#![allow(clippy::print_stdout, reason = "it prints its results")]

mod ceiling;

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use clap::Parser;
use helpbot_benches::load::{self, Load, Measured};
use helpbot_benches::{fanout, process};
use tempfile::TempDir;

/// The product's allocator, so that the ceilings use the same one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type AnyError = Box<dyn std::error::Error>;

/// Compares HelpBot with bare servers on the same libraries.
#[derive(Parser)]
struct Options {
    /// Duration of each load in seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Number of connections for each load.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Number of rounds. Each round measures every server once; the result is the median of the ratios.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Number of idle subscriptions. When it is given, the program measures them and one event to all of them instead. The
    /// documented result uses 10000. `npm ci --prefix benches/fanout` installs the peer.
    #[arg(long)]
    fanout: Option<usize>,
    /// Serve the ceilings with a database in this directory instead of measuring. The program calls itself with it.
    #[arg(long, hide = true)]
    serve_ceiling: Option<PathBuf>,
    /// Answer text that the ceiling stores.
    #[arg(long, hide = true, default_value = "")]
    answer: String,
}

/// Sockets of `--fanout 10000` and of the load.
const MANY_CONNECTIONS: [(&str, &str); 1] = [("HELPBOT_MAX_CONNECTIONS", "20000")];

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let options = Options::parse();
    match (&options.serve_ceiling, options.fanout) {
        (Some(dir), _) => ceiling::serve(dir, options.answer).await,
        (None, Some(count)) => measure_fanout(&options, count).await,
        (None, None) => measure(&options).await,
    }
}

const QUESTION: &str = r#"{"question":"How do I install HelpBot on my own server?"}"#;

async fn measure(options: &Options) -> Result<(), AnyError> {
    let home = TempDir::new()?;
    let product = process::product(home.path(), &MANY_CONNECTIONS)?;
    let key = product.word("wk_live_")?;
    let (first_answer, text) = first_answer(&product, &key).await?;
    println!("start, empty store, to first answer   {:>8.0} ms", ms(first_answer));
    println!("resident after the first answer       {:>8.1} MiB", product.resident_mib()?);

    let ceiling_home = TempDir::new()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--serve-ceiling").arg(ceiling_home.path()).arg("--answer").arg(text);
    let bare = process::start(&mut command, process::MARK)?;
    let config = (load::get("/api/v1/config", &key), load::get("/config", ""));
    let chat = (load::post("/api/v1/chat", &key, QUESTION), load::post("/insert", "", QUESTION));
    for (name, (ours, theirs)) in
        [("GET /config beside a bare axum route", config), ("POST /chat beside a bare durable insert", chat)]
    {
        println!("\n{name}: {} connections, {} s each", options.connections, options.seconds);
        let mut ratios = Vec::new();
        for round in 1..=options.rounds {
            let ours = run(options, &product, &ours).await?;
            let theirs = run(options, &bare, &theirs).await?;
            print_row(round, "HelpBot", ours);
            print_row(round, "bare", theirs);
            ratios.push(ours.per_second / theirs.per_second);
        }
        ratios.sort_by(f64::total_cmp);
        println!("  ratio (median of {}): {:.2}", options.rounds, ratios[ratios.len() / 2]);
    }
    println!("\nresident after the load               {:>8.1} MiB", product.resident_mib()?);
    Ok(())
}

/// Time for a server to become idle before its memory is read, and to start all subscriptions.
const SETTLE: Duration = Duration::from_secs(5);
const EVENTS: &str = "subscription { conversationEvents { cursor type conversation { id question } } }";

/// Measures idle subscriptions and one event to all of them, for HelpBot and for its peer.
async fn measure_fanout(options: &Options, count: usize) -> Result<(), AnyError> {
    rlimit::increase_nofile_limit(u64::MAX)?;
    let home = TempDir::new()?;
    let product = process::product(home.path(), &MANY_CONNECTIONS)?;
    let owner = product.word("sk_live_")?;
    let ask = load::post("/api/v1/chat", &product.word("wk_live_")?, QUESTION);
    let mut peer = Command::new("node");
    let peer = process::start(peer.arg("benches/fanout/server.mjs"), process::MARK)?;
    let publish = load::post("/publish", "", "");
    println!("{count} subscriptions, each on a socket of its own; then one event to all of them");
    for (name, server, init, publish) in [
        ("HelpBot", &product, serde_json::json!({ "apiKey": owner }), ask),
        ("Node", &peer, serde_json::json!({}), publish),
    ] {
        // The first request initializes what all later ones share.
        send(server.addr, &publish).await?;
        let before = server.resident_mib()?;
        let what = fanout::Subscription { addr: server.addr, path: "/graphql", init, query: EVENTS };
        let mut crowd = fanout::Crowd::gather(&what, count).await.map_err(|error| format!("{name}: {error}"))?;
        tokio::time::sleep(SETTLE).await;
        print_each(name, "idle", server, before, count)?;
        for round in 1..=options.rounds {
            let publish = async { send(server.addr, &publish).await.map_err(|error| error.to_string().into()) };
            let took = crowd.tell(publish).await.map_err(|error| format!("{name}: {error}"))?;
            println!("  {name:<8} {:>6.0} ms until the last subscription has received it, round {round}", ms(took));
        }
        print_each(name, "after the events", server, before, count)?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "some thousands")]
fn print_each(name: &str, when: &str, server: &process::Server, before: f64, count: usize) -> Result<(), AnyError> {
    let each = (server.resident_mib()? - before) * 1024.0 / count as f64;
    println!("  {name:<8} {each:>6.1} KiB resident each, {when}");
    Ok(())
}

/// Sends one request and waits for its complete response, which must be successful.
async fn send(addr: std::net::SocketAddr, request: &[u8]) -> Result<(), AnyError> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(addr).await?;
    let head = String::from_utf8_lossy(request).replacen("\r\n", "\r\nconnection: close\r\n", 1);
    stream.write_all(head.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(answer.into()) }
}

async fn run(options: &Options, server: &process::Server, request: &[u8]) -> Result<Measured, AnyError> {
    let load = Load {
        addr: server.addr,
        request: request.to_vec(),
        connections: options.connections,
        duration: Duration::from_secs(options.seconds),
    };
    let measured = load::run(&load).await?;
    if measured.refused > 0 {
        return Err(format!("{} responses were errors", measured.refused).into());
    }
    Ok(measured)
}

fn print_row(round: usize, name: &str, measured: Measured) {
    let (p50, p99) = (ms(measured.p50), ms(measured.p99));
    println!("  {round}  {name:<8} {:>9.0}/s   p50 {p50:>7.2} ms   p99 {p99:>7.2} ms", measured.per_second);
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

async fn first_answer(product: &process::Server, key: &str) -> Result<(Duration, String), AnyError> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let began = Instant::now();
    let mut stream = tokio::net::TcpStream::connect(product.addr).await?;
    let request = load::post("/api/v1/chat", key, QUESTION);
    let head = String::from_utf8_lossy(&request).replacen("\r\n", "\r\nconnection: close\r\n", 1);
    stream.write_all(head.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
    let json: serde_json::Value = serde_json::from_str(body).map_err(|_| format!("no answer: {answer}"))?;
    let text = json["answer"].as_str().ok_or_else(|| format!("no answer: {answer}"))?;
    Ok((product.started_in + began.elapsed(), text.to_owned()))
}
