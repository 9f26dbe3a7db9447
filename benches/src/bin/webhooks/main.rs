//! `cargo run --release -p helpbot-benches --bin webhooks`: how fast webhooks leave, how long one
//! takes from the vote that causes it to its receiver, and what each costs the disk.
//!
//! The product runs in a process of its own, its receivers in this one. First a backlog is sent
//! as fast as it can be: events from before the webhooks were made, replayed. Then votes come at
//! a steady rate that gives half of that many deliveries a second. The product's own binary must
//! have been built (`cargo build --release`). With `HELPBOT_TEST_POSTGRES` on PostgreSQL too.

#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::collections::HashMap;
use std::error::Error;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use helpbot_benches::receiver::Receiver;
use helpbot_benches::{load, process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

type AnyError = Box<dyn Error + Send + Sync>;

/// Measures webhooks with one and with five endpoints.
#[derive(Parser, Clone)]
struct Options {
    /// Deliveries in the backlog, over all endpoints.
    #[arg(long, default_value_t = 20_000)]
    backlog: usize,
    /// Seconds of the steady load.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Measure this database alone: sqlite or postgres.
    #[arg(long)]
    only: Option<String>,
}

/// In the last line of what the product prints at its first start.
const READY: &str = "async></script>";
/// Callers that vote and ask at once.
const CALLERS: usize = 32;
const QUESTION: &str = "How do I install HelpBot on my own server?";
const REPLAY: &str = "mutation ($id: ID!, $since: DateTime!) {
    replayFailedDeliveries(input: { webhookId: $id, since: $since }) { replay { total } userErrors { message } }
}";
const DELIVERED: &str = "{ site { webhooks { deliveries(first: 1, filter: { status: DELIVERED }) { totalCount } } } }";
/// Past this the product is stuck.
const DEADLINE: Duration = Duration::from_secs(300);

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let options = Options::parse();
    let server = std::env::var("HELPBOT_TEST_POSTGRES").ok();
    let wanted = |name| options.only.as_deref().is_none_or(|only| only == name);
    for endpoints in [1, 5] {
        if wanted("sqlite") {
            measure("SQLite", None, endpoints, &options).await?;
        }
        if let Some(server) = server.as_deref().filter(|_| wanted("postgres")) {
            let schema = Schema::make(server, endpoints).await?;
            let measured = measure("PostgreSQL", Some(&schema.url), endpoints, &options).await;
            schema.remove().await?;
            measured?;
        }
    }
    Ok(())
}

async fn measure(name: &str, database: Option<&str>, endpoints: usize, options: &Options) -> Result<(), AnyError> {
    let home = TempDir::new()?;
    let product = Arc::new(Product::start(&home, database)?);
    let asked = Instant::now();
    let conversations = product.ask(options.backlog / endpoints).await?;
    let rate = conversations.len() as f64 / asked.elapsed().as_secs_f64();
    println!("\n{name}, {endpoints} endpoint(s): {} chats before, {rate:.0}/s", conversations.len());
    let mut receivers = Vec::new();
    for _ in 0..endpoints {
        receivers.push(Receiver::start().await?);
    }
    let fastest = backlog(&product, &receivers, conversations.len()).await?;
    steady(&product, &receivers, &conversations, fastest / 2.0, options).await
}

/// Sends all events to all receivers; gives how many arrived and were recorded a second.
async fn backlog(product: &Arc<Product>, receivers: &[Receiver], events: usize) -> Result<f64, AnyError> {
    let mut webhooks = Vec::new();
    for receiver in receivers {
        let new = json!({ "url": format!("http://{}/hook", receiver.addr), "events": ["conversation.created", "conversation.feedback"] });
        webhooks.push(product.post("/api/v1/webhooks", &product.secret_key, &new).await?["webhook"]["id"].take());
    }
    let before = product.costs().await?;
    let began = Instant::now();
    for webhook in &webhooks {
        let replay = json!({ "query": REPLAY, "variables": { "id": webhook, "since": "2020-01-01T00:00:00Z" } });
        let told = product.post("/graphql", &product.secret_key, &replay).await?;
        if !told["data"]["replayFailedDeliveries"]["replay"].is_object() {
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
        "  backlog   {rate:>7.0} deliveries/s   {:>6.3} commits and {:>6.0} bytes written a delivery",
        (after.commits - before.commits) / all as f64,
        (after.bytes - before.bytes) / all as f64
    );
    Ok(rate)
}

/// Votes so often that `rate` deliveries a second follow; prints the times from vote to receiver.
async fn steady(
    product: &Arc<Product>,
    receivers: &[Receiver],
    conversations: &[String],
    rate: f64,
    options: &Options,
) -> Result<(), AnyError> {
    receivers.iter().for_each(|receiver| drop(receiver.take()));
    let votes_per_second = rate / receivers.len() as f64;
    // At most twice on each conversation, so that each vote is a change and known by its value.
    let votes = ((votes_per_second * options.seconds as f64) as usize).min(conversations.len() * 2);
    let begin = Instant::now() + Duration::from_millis(100);
    let due = |number: usize| begin + Duration::from_secs_f64(number as f64 / votes_per_second);
    let before = product.costs().await?;
    let callers = (0..CALLERS).map(|caller| {
        let own: Vec<(Instant, String, &str)> = (caller..votes)
            .step_by(CALLERS)
            .map(|number| {
                let vote = if number < conversations.len() { "yes" } else { "no" };
                (due(number), conversations[number % conversations.len()].clone(), vote)
            })
            .collect();
        let product = Arc::clone(product);
        tokio::spawn(async move { vote(&product, own).await })
    });
    let mut sent = HashMap::new();
    for caller in callers.collect::<Vec<_>>() {
        for (at, conversation, vote) in caller.await?? {
            sent.insert((conversation, vote.to_owned()), at);
        }
    }
    let all = votes * receivers.len();
    until("the last delivery", async || Ok(receivers.iter().map(Receiver::count).sum::<usize>() >= all)).await?;
    let after = product.costs().await?;
    let mut times: Vec<Duration> = Vec::new();
    for (at, body) in receivers.iter().flat_map(Receiver::take) {
        let told: Value = serde_json::from_slice(&body)?;
        let text = |name: &str| told["data"][name].as_str().unwrap_or_default().to_owned();
        let sent =
            sent.get(&(text("conversationId"), text("helpful"))).ok_or_else(|| format!("nobody asked for {told}"))?;
        times.push(at.duration_since(*sent));
    }
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    println!(
        "  half of it {rate:>6.0} deliveries/s   p50 {:>6.1} ms   p99 {:>6.1} ms   max {:>6.1} ms from vote to receiver   \
         {:.3} commits and {:.0} bytes a delivery",
        at(0.5),
        at(0.99),
        at(1.0),
        (after.commits - before.commits) / all as f64,
        (after.bytes - before.bytes) / all as f64
    );
    Ok(())
}

/// Votes at the moments given; gives the moments at which each was to be sent.
async fn vote(
    product: &Product,
    votes: Vec<(Instant, String, &'static str)>,
) -> Result<Vec<(Instant, String, &'static str)>, AnyError> {
    for (at, conversation, vote) in &votes {
        tokio::time::sleep_until((*at).into()).await;
        let body = json!({ "conversationId": conversation, "helpful": vote });
        product.post("/api/v1/feedback", &product.widget_key, &body).await?;
    }
    Ok(votes)
}

/// What the disk was asked for so far.
struct Costs {
    commits: f64,
    bytes: f64,
}

/// The product as a user starts it, and connections to it.
struct Product {
    server: process::Server,
    widget_key: String,
    secret_key: String,
    idle: Mutex<Vec<TcpStream>>,
    postgres: Option<String>,
}

impl Product {
    fn start(home: &TempDir, database: Option<&str>) -> Result<Self, AnyError> {
        let binary = std::env::current_exe()?.with_file_name("helpbot");
        let mut command = Command::new(&binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(home.path().join("data"));
        command.env("HELPBOT_RATE_LIMITS", "off").env("HELPBOT_LOG", "warn");
        command.env("HELPBOT_ALLOW_PRIVATE", "127.0.0.1").envs(database.map(|url| ("HELPBOT_DATABASE", url)));
        let server = process::start(&mut command, READY);
        let server = server.map_err(|error| format!("{}: {error}", binary.display()))?;
        let word = |prefix| {
            let found = server.printed.split_whitespace().find(|word: &&str| word.starts_with(prefix));
            found.map(str::to_owned).ok_or_else(|| format!("no {prefix} key was printed"))
        };
        let (widget_key, secret_key) = (word("wk_live_")?, word("sk_live_")?);
        Ok(Self { server, widget_key, secret_key, idle: Mutex::default(), postgres: database.map(str::to_owned) })
    }

    /// Posts JSON over a connection that is kept; a status other than 200 is an error.
    async fn post(&self, path: &str, key: &str, body: &Value) -> Result<Value, AnyError> {
        let kept = self.idle.lock().await.pop();
        let mut stream = match kept {
            Some(stream) => stream,
            None => TcpStream::connect(self.server.addr).await?,
        };
        stream.set_nodelay(true)?;
        let mut answer = Vec::new();
        tokio::io::AsyncWriteExt::write_all(&mut stream, &load::post(path, key, &body.to_string())).await?;
        let status = load::answer(&mut stream, &mut answer).await?;
        let body = answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(&[][..], |at| &answer[at + 4..]);
        if status != 200 {
            return Err(format!("{path}: {status} {}", String::from_utf8_lossy(body)).into());
        }
        let value = serde_json::from_slice(body)?;
        self.idle.lock().await.push(stream);
        Ok(value)
    }

    /// Asks so many questions; gives the conversations.
    async fn ask(self: &Arc<Self>, count: usize) -> Result<Vec<String>, AnyError> {
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let product = Arc::clone(self);
                tokio::spawn(async move {
                    let mut asked = Vec::new();
                    for _ in (caller..count).step_by(CALLERS) {
                        let told =
                            product.post("/api/v1/chat", &product.widget_key, &json!({ "question": QUESTION })).await?;
                        asked.push(told["conversationId"].as_str().unwrap_or_default().to_owned());
                    }
                    Ok::<_, AnyError>(asked)
                })
            })
            .collect();
        let mut conversations = Vec::new();
        for caller in callers {
            conversations.extend(caller.await??);
        }
        Ok(conversations)
    }

    /// Deliveries that are recorded as done.
    async fn delivered(&self) -> Result<usize, AnyError> {
        let told = self.post("/graphql", &self.secret_key, &json!({ "query": DELIVERED })).await?;
        let webhooks = told["data"]["site"]["webhooks"].as_array().ok_or_else(|| told.to_string())?;
        let count = |webhook: &Value| webhook["deliveries"]["totalCount"].as_u64().unwrap_or(0);
        Ok(usize::try_from(webhooks.iter().map(count).sum::<u64>())?)
    }

    async fn costs(&self) -> Result<Costs, AnyError> {
        let mut stream = TcpStream::connect(self.server.addr).await?;
        let mut answer = Vec::new();
        tokio::io::AsyncWriteExt::write_all(&mut stream, &load::get("/metrics", "")).await?;
        load::answer(&mut stream, &mut answer).await?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        let commits = text.lines().find_map(|line| line.strip_prefix("helpbot_database_commits_total "));
        let commits = commits.ok_or("no commits in /metrics")?.trim().parse()?;
        let bytes = match &self.postgres {
            None => self.server.written_bytes()? as f64,
            Some(url) => wal_bytes(url).await?,
        };
        Ok(Costs { commits, bytes })
    }
}

/// A schema of the test server that is gone afterwards.
struct Schema {
    server: String,
    name: String,
    url: String,
}

impl Schema {
    async fn make(server: &str, endpoints: usize) -> Result<Self, AnyError> {
        let name = format!("bench_{}_{endpoints}", std::process::id());
        connected(server).await?.batch_execute(&format!("CREATE SCHEMA {name}")).await?;
        let and = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{and}options=-c%20search_path%3D{name}");
        Ok(Self { server: server.to_owned(), name, url })
    }

    async fn remove(self) -> Result<(), AnyError> {
        Ok(connected(&self.server).await?.batch_execute(&format!("DROP SCHEMA {} CASCADE", self.name)).await?)
    }
}

/// What the server wrote to its log of changes so far.
async fn wal_bytes(url: &str) -> Result<f64, AnyError> {
    let row =
        connected(url).await?.query_one("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8", &[]).await?;
    Ok(row.get(0))
}

async fn connected(url: &str) -> Result<tokio_postgres::Client, AnyError> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Looks until it is so.
async fn until(what: &str, mut look: impl AsyncFnMut() -> Result<bool, AnyError>) -> Result<(), AnyError> {
    let end = Instant::now() + DEADLINE;
    while !look().await? {
        if Instant::now() > end {
            return Err(format!("{what} did not come").into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
