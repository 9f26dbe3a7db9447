//! `cargo run --release -p helpbot-benches --bin ingestion`: reading of pages, crawling of a site
//! and taking in of entries, each beside the least that it could cost.
//!
//! The product's own binary must have been built (`cargo build --release`).

#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use clap::Parser;
use helpbot_benches::load;
use helpbot_benches::process::{self, Server};
use helpbot_benches::site;
use helpbot_engine::chunk::{ChunkDraft, ChunkKind, split};
use helpbot_ingest::extract::{self, Item};
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{BufferQueue, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use serde_json::{Value, json};
use tempfile::TempDir;

type AnyError = Box<dyn std::error::Error>;

/// What the last line holds that a first start prints.
const LAST_OF_FIRST_START: &str = "async></script>";

/// Measures ingestion.
#[derive(Parser)]
struct Options {
    /// Rounds of each measurement; the best counts, since others work on the machine too.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Entries that are taken in.
    #[arg(long, default_value_t = 10_000)]
    entries: usize,
}

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let options = Options::parse();
    let pages = site::pages();
    extraction(&options, &pages);
    let home = TempDir::new()?;
    let product = start(&home)?;
    let key = key(&product.printed, "sk_live_")?;
    crawl(&product, &key, pages).await?;
    entries(&options, &product, &key).await
}

/// Extraction and chunking on this one thread, beside the tokenizer of the parser alone.
fn extraction(options: &Options, pages: &[String]) {
    let bytes: usize = pages.iter().map(String::len).sum();
    let best = |work: &dyn Fn() -> usize| {
        let mut found = 0;
        let seconds = (0..options.rounds).map(|_| {
            let began = Instant::now();
            found = work();
            began.elapsed().as_secs_f64()
        });
        let best = seconds.fold(f64::INFINITY, f64::min);
        (bytes as f64 / 1e6 / best, found)
    };
    let (ours, chunks) = best(&|| pages.iter().map(|page| chunks(page)).sum());
    let (bare, tokens) = best(&|| pages.iter().map(|page| tokens(page)).sum());
    println!("extraction and chunking of {:.1} MB in {} pages, one thread", bytes as f64 / 1e6, pages.len());
    println!("  HelpBot             {ours:>8.1} MB/s   {chunks} chunks");
    println!("  html5ever tokenizer {bare:>8.1} MB/s   {tokens} tokens   ratio {:.2}", ours / bare);
}

fn chunks(page: &str) -> usize {
    let Ok(page) = extract::html(page.as_bytes(), Some("text/html; charset=utf-8"), None) else { return 0 };
    let draft = |item: &Item| {
        let (kind, question, heading, text) = match item {
            Item::Pair { question, answer, context, .. } => (ChunkKind::Faq, Some(question.clone()), context, answer),
            Item::Passage { heading, text, .. } => (ChunkKind::Passage, None, heading, text),
        };
        let (heading, text) = (heading.clone(), text.clone());
        ChunkDraft { kind, question, heading, text, url: None, page_title: None, language: None, phrasings: Vec::new() }
    };
    page.items.iter().map(|item| split(draft(item)).len()).sum()
}

struct Count(std::cell::Cell<usize>);

impl TokenSink for Count {
    type Handle = ();

    fn process_token(&self, _token: Token, _line: u64) -> TokenSinkResult<()> {
        self.0.set(self.0.get() + 1);
        TokenSinkResult::Continue
    }
}

fn tokens(page: &str) -> usize {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(page));
    let tokenizer = Tokenizer::new(Count(std::cell::Cell::new(0)), TokenizerOpts::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.get()
}

/// The product as a user starts it, without pauses between requests and without rate limits.
fn start(home: &TempDir) -> Result<Server, AnyError> {
    let binary = std::env::current_exe()?.with_file_name("helpbot");
    let mut command = Command::new(&binary);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(home.path().join("data"));
    command.env("HELPBOT_RATE_LIMITS", "off").env("HELPBOT_LOG", "warn");
    command.env("HELPBOT_ALLOW_PRIVATE", "127.0.0.1").env("HELPBOT_CRAWL_DELAY_MS", "0");
    process::start(&mut command, LAST_OF_FIRST_START).map_err(|error| format!("{}: {error}", binary.display()).into())
}

fn key(printed: &str, prefix: &str) -> Result<String, AnyError> {
    let key = printed.split_whitespace().find(|word| word.starts_with(prefix));
    let key = key.ok_or_else(|| format!("no {prefix} in what the server printed:\n{printed}"))?;
    Ok(key.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_').to_owned())
}

/// The crawl of the whole site end to end, beside fetching its pages one after the other.
async fn crawl(product: &Server, key: &str, pages: Vec<String>) -> Result<(), AnyError> {
    let count = pages.len();
    let addr = site::serve(pages).await?;
    let bare = fetch_all(addr, count).await?;
    let idle = product.resident_mib()?;
    let input = json!({ "url": format!("http://{addr}/0"), "scope": "SITE" });
    let add = json!({
        "query": "mutation ($input: AddSourceInput!) { addSource(input: $input) { source { id } } }",
        "variables": { "input": input },
    });
    let began = Instant::now();
    let added = graphql(product.addr, key, &add).await?;
    let id = added["data"]["addSource"]["source"]["id"].clone();
    let look = "query ($id: ID!) { node(id: $id) { ... on Source { status documentCount chunkCount error } } }";
    let look = json!({ "query": look, "variables": { "id": id } });
    let read = loop {
        let source = graphql(product.addr, key, &look).await?["data"]["node"].take();
        match source["status"].as_str() {
            Some("INDEXED") => break source,
            Some("PENDING" | "SCRAPING") => tokio::time::sleep(Duration::from_millis(10)).await,
            _ => return Err(format!("the crawl failed: {source}").into()),
        }
    };
    let took = began.elapsed();
    println!("\ncrawl of {count} pages, no pause between requests");
    println!(
        "  HelpBot             {:>8.0} pages/s   {} documents, {} chunks",
        rate(count, took),
        read["documentCount"],
        read["chunkCount"]
    );
    println!(
        "  fetching alone      {:>8.0} pages/s   ratio {:.2}",
        rate(count, bare),
        bare.as_secs_f64() / took.as_secs_f64()
    );
    println!("  peak memory over idle {:>6.0} MiB   (idle {idle:.0})", product.peak_mib()? - idle);
    Ok(())
}

fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

async fn fetch_all(addr: SocketAddr, count: usize) -> Result<Duration, AnyError> {
    let began = Instant::now();
    let mut connection = load::Connection::open(addr).await?;
    for number in 0..count {
        connection.send(&load::get(&format!("/{number}"), "")).await?;
    }
    Ok(began.elapsed())
}

/// Taking in of entries by upload until they answer, while a visitor asks one question after
/// another.
async fn entries(options: &Options, product: &Server, key: &str) -> Result<(), AnyError> {
    let ask = load::post("/api/v1/chat", key, r#"{"question":"How do I install HelpBot on my own server?"}"#);
    let quiet = latencies(product.addr, &ask, tokio::time::sleep(Duration::from_secs(3))).await?;
    println!("\ntaking in {} entries, while one visitor asks", options.entries);
    let file = table(options.entries);
    let upload = async {
        let began = Instant::now();
        let imported = import(product.addr, key, &file).await;
        (imported, began.elapsed())
    };
    let mut taken = (Ok(Value::Null), Duration::ZERO);
    let busy = latencies(product.addr, &ask, async { taken = upload.await }).await?;
    println!("  written             {:>8.2} s   {}", taken.1.as_secs_f64(), taken.0?);
    let began = Instant::now();
    let body = json!({ "question": format!("Where is item {} kept?", options.entries / 2) }).to_string();
    let mut connection = load::Connection::open(product.addr).await?;
    let answer = connection.send(&load::post("/api/v1/chat", key, &body)).await?;
    println!(
        "  then one answer     {:>8.2} s   {}",
        began.elapsed().as_secs_f64(),
        String::from_utf8_lossy(&answer.body)
    );
    for (name, times) in [("before", quiet), ("meanwhile", busy)] {
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        println!(
            "  a question {name:<9} p50 {:>6.1} ms   p99 {:>6.1} ms   slowest {:>6.1} ms   of {}",
            at(0.5),
            at(0.99),
            at(1.0),
            times.len()
        );
    }
    println!("  resident            {:>8.0} MiB", product.resident_mib()?);
    Ok(())
}

fn table(count: usize) -> String {
    let rows: String = (0..count)
        .map(|n| {
            let answer = format!(
                "Item {n} is kept on shelf {} of hall {}, behind the red door. Ask for it at the desk.",
                n % 97,
                n % 13
            );
            format!("Where is item {n} kept?,\"{answer}\",https://shop.example/items/{n},Find item {n}\n")
        })
        .collect();
    format!("question,answer,url,phrasings\n{rows}")
}

async fn import(addr: SocketAddr, key: &str, file: &str) -> Result<Value, AnyError> {
    let query = "mutation ($file: Upload!) { importFaqEntries(input: { file: $file, format: CSV }) \
                 { added updated unchanged userErrors { message } } }";
    let operations = json!({ "query": query, "variables": { "file": null } });
    let head = "--b\r\nContent-Disposition: form-data; name=";
    let body = format!(
        "{head}\"operations\"\r\n\r\n{operations}\r\n{head}\"map\"\r\n\r\n{{\"0\":[\"variables.file\"]}}\r\n\
         {head}\"0\"; filename=\"entries.csv\"\r\n\r\n{file}\r\n--b--\r\n"
    );
    let request = format!(
        "POST /graphql/upload HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\ngraphql-require-preflight: 1\r\n\
         content-type: multipart/form-data; boundary=b\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = load::Connection::open(addr).await?.send(request.as_bytes()).await?;
    Ok(serde_json::from_slice(&answer.body)?)
}

/// How long each of one visitor's questions took until `end`, sorted.
async fn latencies(addr: SocketAddr, ask: &[u8], end: impl Future<Output = ()>) -> Result<Vec<Duration>, AnyError> {
    let mut connection = load::Connection::open(addr).await?;
    let mut times = Vec::new();
    let asking = async {
        loop {
            let sent = Instant::now();
            connection.send(ask).await?;
            times.push(sent.elapsed());
        }
    };
    let ended: Result<(), std::io::Error> = tokio::select! {
        ended = asking => ended,
        () = end => Ok(()),
    };
    ended?;
    times.sort_unstable();
    if times.is_empty() { Err("no question was answered".into()) } else { Ok(times) }
}

async fn graphql(addr: SocketAddr, key: &str, body: &Value) -> Result<Value, AnyError> {
    let answer = load::Connection::open(addr).await?.send(&load::post("/graphql", key, &body.to_string())).await?;
    Ok(serde_json::from_slice(&answer.body)?)
}
