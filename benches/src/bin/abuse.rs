//! `cargo run --release -p helpbot-benches --bin abuse` measures how long the guard takes to refuse expensive documents,
//! and whether a normal client is affected by a client that sends them.
//!
//! First it measures the guard alone with each document a few hundred times. The 99th percentile must be below five
//! milliseconds. Then it starts the product in a separate process and sends normal queries at a steady rate, alternately
//! alone and beside a client that sends the expensive documents. The product's binary must have been built.

#![allow(clippy::print_stdout, reason = "it prints its results")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use clap::Parser;
use helpbot_api::gateway::guard;
use helpbot_api::gateway::guard::limits::DocumentSize;
use helpbot_benches::load::{self, Connection};
use helpbot_benches::process;
use serde_json::json;
use tempfile::TempDir;

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Measures the effect of expensive documents.
#[derive(Parser)]
struct Options {
    /// Number of rounds without and with the abusive client, each.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Duration of a round in seconds.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Normal requests per second.
    #[arg(long, default_value_t = 400)]
    honest: u32,
    /// Abusive requests per second. The rate limit of a key is ten requests per second.
    #[arg(long, default_value_t = 60)]
    abusive: u32,
}

const READS: usize = 300;
/// Target for the guard's time for one document.
const CEILING: Duration = Duration::from_millis(5);
/// Number of connections of each client.
const CONNECTIONS: u32 = 4;
/// The normal document: the dashboard's list of conversations.
const HONEST: &str = "query Page($after: String) { site { conversations(first: 50, after: $after) {
    nodes { id question answer handoff { status assignee { name } } citations { title url source { title } } }
    pageInfo { hasNextPage endCursor } } } }";
/// Number of conversations in the list.
const CONVERSATIONS: usize = 50;

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let options = Options::parse();
    let documents = documents();
    alone(&documents)?;
    beside(&options, &documents).await
}

fn documents() -> Vec<(&'static str, String)> {
    vec![
        ("fragments, 22 levels of 2", fan_out(22, 2)),
        ("fragments, 8 levels of 8", fan_out(8, 8)),
        ("fragments, 32 levels of 2", fan_out(32, 2)),
        ("50,000 aliases", format!("{{ {} }}", numbered(50_000, "__typename"))),
        ("20,000 directives", format!("{{ __typename {} }}", "@a ".repeat(20_000))),
        ("nesting of 10,000", format!("{}{}", "{a".repeat(10_000), "}".repeat(10_000))),
    ]
}

/// Measures the guard on this thread.
fn alone(documents: &[(&'static str, String)]) -> Result<(), AnyError> {
    println!("{:<28} {:>8} {:>11} {:>11}  refused for", "document", "bytes", "guard p50", "p99");
    let mut worst = Duration::ZERO;
    let honest = ("an honest document", HONEST.to_owned());
    for (name, text) in documents.iter().chain([&honest]) {
        let limits = DocumentSize::MAX;
        let (p50, p99) = times(READS, || drop(black_box(guard::read(black_box(text), &limits))));
        let verdict = guard::read(text, &limits).map_or_else(|refusal| refusal.to_string(), |_| "-".into());
        println!("{name:<28} {:>8} {:>8.1} µs {:>8.1} µs  {verdict}", text.len(), us(p50), us(p99));
        worst = worst.max(p99);
    }
    println!("the worst p99 is {:.2} % of the ceiling of {CEILING:?}", us(worst) / us(CEILING) * 100.0);
    if worst > CEILING { Err("the guard is busier than it may be".into()) } else { Ok(()) }
}

/// Measures the normal client alternately alone and beside the abusive one.
async fn beside(options: &Options, documents: &[(&'static str, String)]) -> Result<(), AnyError> {
    let home = TempDir::new()?;
    let product = process::product(home.path(), &[])?;
    let (secret, widget) = (product.word("sk_live_")?, product.word("wk_live_")?);
    let mut connection = Connection::open(product.addr).await?;
    let ask = load::post("/api/v1/chat", &widget, r#"{"question":"How do I install HelpBot on my own server?"}"#);
    for _ in 0..CONVERSATIONS {
        connection.send(&ask).await?;
    }
    let post = |query: &str| load::post("/graphql", &secret, &json!({ "query": query }).to_string());
    let honest = vec![post(HONEST)];
    let abuse: Vec<Vec<u8>> = documents.iter().map(|(_, text)| post(text)).collect();
    println!(
        "\nan honest client, {}/s, alone and beside {} abusive documents a second; rounds of {} s",
        options.honest, options.abusive, options.seconds
    );
    let length = Duration::from_secs(options.seconds);
    let mut ratios = Vec::new();
    for round in 1..=options.rounds {
        let quiet = paced(product.addr, &honest, options.honest, length, false).await?;
        let (busy, other) = tokio::join!(
            paced(product.addr, &honest, options.honest, length, false),
            paced(product.addr, &abuse, options.abusive, length, true)
        );
        let (busy, other) = (busy?, other?);
        let at = |times: &[Duration], share: f64| us(times[((times.len() - 1) as f64 * share) as usize]) / 1e3;
        println!(
            "  {round}  alone p50 {:>6.2} ms  p99 {:>6.2} ms   beside p50 {:>6.2} ms  p99 {:>6.2} ms   refusals p50 {:>6.2} ms  p99 {:>6.2} ms",
            at(&quiet, 0.5),
            at(&quiet, 0.99),
            at(&busy, 0.5),
            at(&busy, 0.99),
            at(&other, 0.5),
            at(&other, 0.99)
        );
        ratios.push(at(&busy, 0.99) / at(&quiet, 0.99));
    }
    ratios.sort_by(f64::total_cmp);
    println!("  the honest client's p99 beside the abuse: {:.2} of that alone (median)", ratios[ratios.len() / 2]);
    Ok(())
}

/// Sends the requests in turn at `rate` per second over all connections, and returns the sorted response times. A response
/// with the wrong status is an error.
async fn paced(
    addr: SocketAddr,
    requests: &[Vec<u8>],
    rate: u32,
    length: Duration,
    is_abuse: bool,
) -> Result<Vec<Duration>, AnyError> {
    let pause = Duration::from_secs(1) * CONNECTIONS / rate;
    let begin = Instant::now();
    let connections: Vec<_> = (0..CONNECTIONS)
        .map(|number| {
            let requests = requests.to_vec();
            tokio::spawn(async move {
                let mut connection = Connection::open(addr).await?;
                let mut times = Vec::new();
                let mut due = begin + pause * number / CONNECTIONS;
                for request in requests.iter().cycle().skip(number as usize) {
                    tokio::time::sleep_until(due.into()).await;
                    if begin.elapsed() > length {
                        break;
                    }
                    // Measured from the planned time, so that waiting for the server counts too.
                    let answer = connection.send(request).await?;
                    times.push(due.elapsed());
                    let body = String::from_utf8_lossy(&answer.body);
                    if (answer.status != 200 || body.starts_with(r#"{"errors""#)) != is_abuse {
                        return Err(format!("{}: {}", answer.status, &body[..body.len().min(300)]).into());
                    }
                    // The server may close the connection after refusing a request without reading its body.
                    if answer.status == 413 {
                        connection = Connection::open(addr).await?;
                    }
                    due += pause;
                }
                Ok::<_, AnyError>(times)
            })
        })
        .collect();
    let mut times = Vec::new();
    for connection in connections {
        times.extend(connection.await??);
    }
    times.sort_unstable();
    Ok(times)
}

/// The median and the 99th percentile of sorted times.
fn times(rounds: usize, mut work: impl FnMut()) -> (Duration, Duration) {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let began = Instant::now();
            work();
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    (times[rounds / 2], times[rounds * 99 / 100])
}

fn us(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn numbered(count: usize, field: &str) -> String {
    (0..count).fold(String::new(), |mut text, n| {
        let _ = write!(text, "a{n}:{field} ");
        text
    })
}

/// A document with `depth` fragments, each of which spreads the next one `width` times.
fn fan_out(depth: usize, width: usize) -> String {
    let mut text = "{ ...F0 }".to_owned();
    for n in 0..depth {
        let spread = format!("...F{} ", n + 1).repeat(width);
        let _ = write!(text, " fragment F{n} on Query {{ {spread} }}");
    }
    let _ = write!(text, " fragment F{depth} on Query {{ __typename }}");
    text
}
