//! `cargo run --release -p helpbot-benches --bin webhooks` measures the rate of deliveries, the time from a vote to its
//! receiver, and the disk writes per delivery.
//!
//! The product runs in a separate process and its receivers in this one. First a backlog is sent as fast as possible:
//! a replay of events from before the webhooks were created. Then votes are sent as fast as they are accepted, to
//! measure how many deliveries per second they can cause. Finally votes are sent at a steady rate of half of the lower of
//! the two rates. The product's binary must have been built (`cargo build --release`). With `HELPBOT_TEST_POSTGRES` the
//! program measures PostgreSQL too. With `--hostile` it measures how a misbehaving fifth endpoint affects four healthy ones.

#![allow(clippy::print_stdout, reason = "it prints its results")]

mod hostile;
mod product;
mod votes;

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use clap::Parser;
use helpbot_benches::receiver::{Manner, Receiver};
use serde_json::json;
use tempfile::TempDir;

use product::{Product, Schema, until};
use votes::{Load, Votes, cast};

type AnyError = Box<dyn Error + Send + Sync>;

/// Measures webhooks with one and five endpoints, or with four beside a misbehaving one.
#[derive(Parser, Clone)]
pub(crate) struct Options {
    /// Number of deliveries in the backlog of all endpoints together.
    #[arg(long, default_value_t = 20_000)]
    backlog: usize,
    /// Duration of the steady load in seconds, or of each round with --hostile.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Measure four healthy endpoints beside a fifth one that never responds, sends one byte per second, or sends an endless
    /// body.
    #[arg(long)]
    hostile: bool,
    /// Number of pairs of rounds for each kind of misbehaving endpoint.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// With --hostile, measure only this kind of endpoint, given by a word of its line such as `endless`.
    #[arg(long)]
    beside: Option<String>,
    /// With --hostile, the share of the maximum rate that is sent, so that no backlog grows.
    #[arg(long, default_value_t = 0.25)]
    share: f64,
    /// Measure only this database: sqlite or postgres.
    #[arg(long)]
    only: Option<String>,
}

/// Target in deliveries per second on SQLite with durable commits, on two cores.
const DELIVERIES_A_SECOND_MIN: f64 = 2000.0;
/// Target for the p99 from vote to receiver at half of the maximum rate.
const P99_MS_MAX: f64 = 250.0;
/// Duration in which the number of votes at the maximum rate equals that of the measured chats.
const WHOLE_SECONDS: f64 = 4.0;
const REPLAY: &str = "mutation ($id: ID!, $since: DateTime!) {
    replayFailedDeliveries(input: { webhookId: $id, since: $since }) { replay { total } userErrors { message } }
}";

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let options = Options::parse();
    let server = std::env::var("HELPBOT_TEST_POSTGRES").ok();
    let wanted = |name| options.only.as_deref().is_none_or(|only| only == name);
    let counts = if options.hostile { &[5][..] } else { &[1, 5] };
    for endpoints in counts {
        if wanted("sqlite") {
            measure("SQLite", None, *endpoints, &options).await?;
        }
        if let Some(server) = server.as_deref().filter(|_| wanted("postgres")) {
            let schema = Schema::make(server, *endpoints).await?;
            let measured = measure("PostgreSQL", Some(&schema.url), *endpoints, &options).await;
            schema.remove().await?;
            measured?;
        }
    }
    Ok(())
}

async fn measure(name: &str, database: Option<&str>, endpoints: usize, options: &Options) -> Result<(), AnyError> {
    if options.hostile {
        return hostile::measure(name, database, options).await;
    }
    let home = TempDir::new()?;
    let product = Arc::new(Product::start(&home, database)?);
    let asked = Instant::now();
    let conversations = product.ask(options.backlog / endpoints).await?;
    let rate = conversations.len() as f64 / asked.elapsed().as_secs_f64();
    println!("\n{name}, {endpoints} endpoint(s): {} chats before, {rate:.0}/s", conversations.len());
    let mut receivers = Vec::new();
    for _ in 0..endpoints {
        receivers.push(Receiver::start(Manner::Prompt).await?);
    }
    let fastest = backlog(&product, &receivers, conversations.len()).await?;
    let mut votes = Votes::new(conversations);
    let whole = cast(&product, &receivers, &mut votes, Load::at_once((rate * WHOLE_SECONDS) as usize)).await?;
    println!(
        "  with votes {:>7.0} deliveries/s   p50 {:.1} ms   p99 {:.1} ms",
        whole.rate(),
        whole.ms(0.5),
        whole.ms(0.99)
    );
    steady(&product, &receivers, votes, whole.rate().min(fastest) / 2.0, options.seconds).await
}

/// Sends all events to all receivers. Returns the number of arrived and recorded deliveries per second.
pub(crate) async fn backlog(product: &Arc<Product>, receivers: &[Receiver], events: usize) -> Result<f64, AnyError> {
    let mut webhooks = Vec::new();
    for receiver in receivers {
        webhooks.push(product.webhook(receiver.addr, &["conversation.created", "conversation.feedback"]).await?);
    }
    let before = product.costs().await?;
    let began = Instant::now();
    for webhook in &webhooks {
        let told = product.execute(REPLAY, json!({ "id": webhook, "since": "2020-01-01T00:00:00Z" })).await?;
        if !told["replayFailedDeliveries"]["replay"].is_object() {
            return Err(told.to_string().into());
        }
    }
    let all = events * receivers.len();
    until("the backlog", async || Ok(receivers.iter().map(Receiver::count).sum::<usize>() >= all)).await?;
    until("the record of the backlog", async || Ok(product.delivered().await? >= all)).await?;
    let took = began.elapsed().as_secs_f64();
    let after = product.costs().await?;
    let rate = all as f64 / took;
    println!(
        "  backlog    {rate:>7.0} deliveries/s (target on SQLite {DELIVERIES_A_SECOND_MIN:.0} or more: {})   \
         {:.3} commits and {:.0} bytes written a delivery",
        verdict(rate >= DELIVERIES_A_SECOND_MIN),
        (after.commits - before.commits) / all as f64,
        (after.bytes - before.bytes) / all as f64
    );
    Ok(rate)
}

/// Sends votes that cause `rate` deliveries per second, and prints the times from vote to receiver.
async fn steady(
    product: &Arc<Product>,
    receivers: &[Receiver],
    mut votes: Votes,
    rate: f64,
    seconds: u64,
) -> Result<(), AnyError> {
    let before = product.costs().await?;
    let times = cast(product, receivers, &mut votes, Load::steady(rate, receivers.len(), seconds)).await?;
    let after = product.costs().await?;
    let all = times.count() as f64;
    println!(
        "  half of it {rate:>7.0} deliveries/s   p50 {:.1} ms   p99 {:.1} ms (target {P99_MS_MAX:.0} or less: {})   max {:.1} ms \
         from vote to receiver   {:.3} commits and {:.0} bytes written a delivery",
        times.ms(0.5),
        times.ms(0.99),
        verdict(times.ms(0.99) <= P99_MS_MAX),
        times.ms(1.0),
        (after.commits - before.commits) / all,
        (after.bytes - before.bytes) / all
    );
    Ok(())
}

/// Whether a target is met, as a word.
pub(crate) fn verdict(is_met: bool) -> &'static str {
    if is_met { "met" } else { "MISSED" }
}
