//! `cargo run --release -p helpbot-benches --bin postgres` measures questions on PostgreSQL beside the raw rate of
//! transactions with one inserted row, which `pgbench` measures in the same run. Then it measures the questions of a site
//! alone and beside a hot site.
//!
//! `HELPBOT_TEST_POSTGRES` names the server: `eval "$(scripts/postgres start --durable)"`. The product's binary must have
//! been built (`cargo build --release`), or `--binary` names another one, for example an earlier build.

#![allow(clippy::print_stdout, reason = "it prints its results")]

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use clap::Parser;
use helpbot_benches::load::{self, Connection, Load, Measured};
use helpbot_benches::process;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_postgres::NoTls;

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Measures questions on PostgreSQL.
#[derive(Parser)]
struct Options {
    /// Duration of each load in seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Number of concurrent callers.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Number of concurrent callers of the hot site.
    #[arg(long, default_value_t = 200)]
    hot: usize,
    /// Number of rounds. The results are medians.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Number of sites that share the load of the second measurement.
    #[arg(long, default_value_t = 20)]
    sites: usize,
    /// Binary of the product.
    #[arg(long)]
    binary: Option<PathBuf>,
}

const QUESTION: &str = "How do I install HelpBot on my own server?";
const SCHEMA: &str = "bench_postgres";
/// Connections of pgbench, as many as the product has.
const RAW_CLIENTS: &str = "16";
/// Pause between two questions of the neighbor.
const NEIGHBOR_PAUSE: Duration = Duration::from_millis(20);
const CREATE: &str = "mutation ($name: String!) {
    createSite(input: { name: $name, ownerEmail: \"o@example.com\", creditLimit: null }) { site { id } }
}";
const ENTRY: &str = "mutation ($site: ID!, $question: String!) {
    addFaqEntry(input: { siteId: $site, question: $question, answer: \"Start the program, and it prints its keys.\" }) {
        userErrors { message }
    }
}";
const KEY: &str = "mutation ($site: ID!) { createApiKey(input: { siteId: $site, kind: WIDGET }) { secret } }";

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let options = Options::parse();
    let server = std::env::var("HELPBOT_TEST_POSTGRES").map_err(|_| "HELPBOT_TEST_POSTGRES is not set")?;
    let home = TempDir::new()?;
    run(&server, &format!("DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}")).await?;
    run(&server, &format!("CREATE TABLE {SCHEMA}.raw (id BIGSERIAL PRIMARY KEY, text TEXT NOT NULL)")).await?;
    let url = format!("{server}?options=-c%20search_path%3D{SCHEMA}");
    let settings = [("HELPBOT_DATABASE", url.as_str()), ("HELPBOT_MAX_CONNECTIONS_PER_ADDRESS", "4096")];
    let product = match &options.binary {
        Some(binary) => process::product_of(binary, home.path(), &settings)?,
        None => process::product(home.path(), &settings)?,
    };
    let operator = product.word("adm_")?;
    let mut keys = vec![product.word("wk_live_")?];
    for number in 1..options.sites.max(2) {
        keys.push(site(product.addr, &operator, number).await?);
    }
    // Builds the indexes and opens the connections.
    for key in &keys {
        asked(product.addr, std::slice::from_ref(key), 4, Duration::from_millis(200)).await?;
    }
    let seconds = Duration::from_secs(options.seconds);
    let (mut of_one, mut of_many) = (Vec::new(), Vec::new());
    for round in 1..=options.rounds {
        let raw = raw(&server, home.path(), options.seconds)?;
        let one = asked(product.addr, &keys[..1], options.connections, seconds).await?;
        let many = asked(product.addr, &keys, options.connections, seconds).await?;
        println!(
            "round {round}: raw {raw:.0}/s   1 site {:.0}/s (p99 {:.1} ms)   {} sites {:.0}/s (p99 {:.1} ms)",
            one.per_second,
            ms(one.p99),
            keys.len(),
            many.per_second,
            ms(many.p99)
        );
        of_one.push(one.per_second / raw);
        of_many.push(many.per_second / raw);
    }
    println!("ratio to raw, median: 1 site {:.3}, {} sites {:.3}", median(of_one), keys.len(), median(of_many));
    let mut ratios = Vec::new();
    for round in 1..=options.rounds {
        let alone = neighbor(product.addr, &keys[1], seconds).await?;
        let mut hot = JoinSet::new();
        let (addr, key, count) = (product.addr, keys[0].clone(), options.hot);
        hot.spawn(async move { asked(addr, &[key], count, seconds + Duration::from_secs(1)).await });
        tokio::time::sleep(Duration::from_millis(500)).await;
        let beside = neighbor(product.addr, &keys[1], seconds).await?;
        let hot = hot.join_next().await.ok_or("the load has ended")???;
        println!(
            "round {round}: neighbor alone p50 {:.1} p99 {:.1} ms   beside {} callers of a hot site ({:.0}/s) p50 {:.1} p99 {:.1} ms",
            ms(alone.p50),
            ms(alone.p99),
            options.hot,
            hot.per_second,
            ms(beside.p50),
            ms(beside.p99)
        );
        ratios.push(beside.p99.as_secs_f64() / alone.p99.as_secs_f64());
    }
    println!("p99 of the neighbor, ratio, median: {:.2}", median(ratios));
    drop(product);
    run(&server, &format!("DROP SCHEMA {SCHEMA} CASCADE")).await
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

async fn run(server: &str, sql: &str) -> Result<(), AnyError> {
    let (client, connection) = tokio_postgres::connect(server, NoTls).await?;
    tokio::spawn(connection);
    Ok(client.batch_execute(sql).await?)
}

/// Creates a site that can answer the question. Returns its widget key.
async fn site(addr: SocketAddr, operator: &str, number: usize) -> Result<String, AnyError> {
    let created = graphql(addr, operator, CREATE, json!({ "name": format!("Site {number}") })).await?;
    let id = &created["data"]["createSite"]["site"]["id"];
    graphql(addr, operator, ENTRY, json!({ "site": id, "question": QUESTION })).await?;
    let made = graphql(addr, operator, KEY, json!({ "site": id })).await?;
    let key = made["data"]["createApiKey"]["secret"].as_str().ok_or_else(|| format!("no key: {created} {made}"))?;
    Ok(key.to_owned())
}

async fn graphql(addr: SocketAddr, key: &str, query: &str, variables: Value) -> Result<Value, AnyError> {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let answer = Connection::open(addr).await?.send(&load::post("/graphql", key, &body)).await?;
    Ok(serde_json::from_slice(&answer.body)?)
}

/// Asks as fast as possible. The connections are divided among the sites.
async fn asked(
    addr: SocketAddr,
    keys: &[String],
    connections: usize,
    duration: Duration,
) -> Result<Measured, AnyError> {
    let mut loads = JoinSet::new();
    for (place, key) in keys.iter().enumerate() {
        let connections = connections / keys.len() + usize::from(place < connections % keys.len());
        let request = load::post("/api/v1/chat", key, &json!({ "question": QUESTION }).to_string());
        loads.spawn(async move { load::run(&Load { addr, request, connections, duration }).await });
    }
    let mut all = Measured { per_second: 0.0, p50: Duration::ZERO, p99: Duration::ZERO, refused: 0 };
    while let Some(measured) = loads.join_next().await {
        let measured = measured??;
        all.per_second += measured.per_second;
        all.p50 = all.p50.max(measured.p50);
        all.p99 = all.p99.max(measured.p99);
        all.refused += measured.refused;
    }
    if all.refused > 0 {
        println!("  {} questions were refused", all.refused);
    }
    Ok(all)
}

/// Asks one question after another with pauses, measured from the planned time.
async fn neighbor(addr: SocketAddr, key: &str, duration: Duration) -> Result<Measured, AnyError> {
    let request = load::post("/api/v1/chat", key, &json!({ "question": QUESTION }).to_string());
    let mut connection = Connection::open(addr).await?;
    let (begin, mut times) = (Instant::now(), Vec::new());
    let mut due = begin;
    while begin.elapsed() < duration {
        tokio::time::sleep_until(due.into()).await;
        let answer = connection.send(&request).await?;
        if answer.status != 200 {
            return Err(format!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body)).into());
        }
        times.push(due.elapsed());
        due += NEIGHBOR_PAUSE;
    }
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    Ok(Measured {
        per_second: times.len() as f64 / begin.elapsed().as_secs_f64(),
        p50: at(50),
        p99: at(99),
        refused: 0,
    })
}

/// Transactions per second that insert one row each.
fn raw(server: &str, home: &std::path::Path, seconds: u64) -> Result<f64, AnyError> {
    let script = home.join("insert.sql");
    fs::write(&script, format!("INSERT INTO {SCHEMA}.raw (text) VALUES ('{QUESTION}');\n"))?;
    let output = Command::new("pgbench")
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=2", "--client", RAW_CLIENTS])
        .args(["--time", &seconds.to_string(), "--file"])
        .arg(&script)
        .arg(server)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")).and_then(|rest| rest.split(' ').next());
    rate.and_then(|rate| rate.parse().ok())
        .ok_or_else(|| format!("pgbench: {text}{}", String::from_utf8_lossy(&output.stderr)).into())
}
