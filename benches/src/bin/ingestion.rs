//! `cargo run --release -p helpbot-benches --bin ingestion` measures the extraction of pages, the sync of a site and the
//! import of entries, each beside its minimum cost and its target.
//!
//! The product's binary must have been built (`cargo build --release`).

#![allow(clippy::print_stdout, reason = "it prints its results")]

use std::net::SocketAddr;
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

/// Time after which imported entries count as missing.
const INDEXING_MAX: Duration = Duration::from_secs(60);

/// The targets of docs/performance.md.
mod target {
    /// Extraction and chunking on one core, in MB of HTML per second.
    pub const MB_PER_SECOND: f64 = 20.0;
    /// Pages per second of a sync without pauses.
    pub const PAGES_PER_SECOND: f64 = 150.0;
    /// Additional memory of a sync in MiB.
    pub const PEAK_MIB: f64 = 150.0;
    /// Time of an import of 10,000 entries until they are used in answers.
    pub const ENTRIES_SECONDS: f64 = 10.0;
    /// Time for which the transaction that stores a sync may delay another write.
    pub const WAIT_MS: f64 = 250.0;
}

/// Measures ingestion.
#[derive(Parser)]
struct Options {
    /// Number of rounds. The best one counts, because other processes use the machine too.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Number of pages of the site.
    #[arg(long, default_value_t = site::PAGES)]
    pages: usize,
    /// Number of imported entries.
    #[arg(long, default_value_t = 10_000)]
    entries: usize,
}

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let options = Options::parse();
    let pages = site::pages(options.pages);
    extraction(&options, &pages);
    let home = TempDir::new()?;
    let settings = [("HELPBOT_ALLOW_PRIVATE", "127.0.0.1"), ("HELPBOT_CRAWL_DELAY_MS", "0")];
    let product = process::product(home.path(), &settings)?;
    let key = product.word("sk_live_")?;
    crawl(&product, &key, pages.clone()).await?;
    crawl_while_asked(&product, &key, pages).await?;
    entries(&options, &product, &key).await
}

/// Measures extraction and chunking on this thread, beside the tokenizer of the parser alone.
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
    println!("  HelpBot             {ours:>8.1} MB/s   target >= {}   {chunks} chunks", target::MB_PER_SECOND);
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

/// Measures the sync of the whole site, beside fetching its pages one after another.
async fn crawl(product: &Server, key: &str, pages: Vec<String>) -> Result<(), AnyError> {
    let count = pages.len();
    let addr = site::serve(pages).await?;
    let bare = fetch_all(addr, count).await?;
    // The first start syncs a source too.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let idle = product.resident_mib()?;
    product.reset_peak()?;
    let (read, took) = read_site(product, key, addr, count).await?;
    let over = product.peak_mib()? - idle;
    println!("\ncrawl of {count} pages, no pause between requests");
    println!(
        "  HelpBot             {:>8.0} pages/s   target >= {}   {} documents, {} chunks, {:.2} s",
        rate(count, took),
        target::PAGES_PER_SECOND,
        read["pageCount"],
        read["chunkCount"],
        took.as_secs_f64()
    );
    println!(
        "  fetching alone      {:>8.0} pages/s   ratio {:.2}",
        rate(count, bare),
        bare.as_secs_f64() / took.as_secs_f64()
    );
    println!("  peak memory over idle {over:>6.0} MiB   target <= {}   (idle {idle:.0} MiB)", target::PEAK_MIB);
    Ok(())
}

/// Syncs the same pages as another site while a visitor asks questions. Each question is written, and waits for the
/// transaction that stores the sync.
async fn crawl_while_asked(product: &Server, key: &str, pages: Vec<String>) -> Result<(), AnyError> {
    let count = pages.len();
    let addr = site::serve(pages).await?;
    let ask = question(key);
    let quiet = latencies(product.addr, &ask, tokio::time::sleep(Duration::from_secs(3))).await?;
    let mut read = Err("it was not begun".into());
    let busy = latencies(product.addr, &ask, async { read = read_site(product, key, addr, count).await }).await?;
    read?;
    println!("\nthe same while one visitor asks");
    print_latencies("before", &quiet);
    print_latencies("meanwhile", &busy);
    println!("  target: the slowest <= {} ms over before", target::WAIT_MS);
    Ok(())
}

/// Adds a site and waits until it is synced. Returns the result and the duration.
async fn read_site(product: &Server, key: &str, addr: SocketAddr, count: usize) -> Result<(Value, Duration), AnyError> {
    let input = json!({ "url": format!("http://{addr}/0"), "scope": "SITE" });
    let add = json!({
        "query": "mutation ($input: AddSourceInput!) { addSource(input: $input) { source { id } userErrors { message } } }",
        "variables": { "input": input },
    });
    let began = Instant::now();
    let added = graphql(product.addr, key, &add).await?;
    let id = added["data"]["addSource"]["source"]["id"].clone();
    if !id.is_string() {
        return Err(format!("the site was not added: {added}").into());
    }
    let look = "query ($id: ID!) { node(id: $id) { ... on Source { status pageCount chunkCount error } } }";
    let look = json!({ "query": look, "variables": { "id": id } });
    let read = loop {
        let source = graphql(product.addr, key, &look).await?["data"]["node"].take();
        match source["status"].as_str() {
            Some("INDEXED") => break source,
            Some("PENDING" | "SYNCING") => tokio::time::sleep(Duration::from_millis(10)).await,
            _ => return Err(format!("the crawl failed: {source}").into()),
        }
    };
    let took = began.elapsed();
    if read["pageCount"] != count {
        return Err(format!("{count} pages were to be read: {read}").into());
    }
    Ok((read, took))
}

fn question(key: &str) -> Vec<u8> {
    load::post("/api/v1/chat", key, r#"{"question":"How do I install HelpBot on my own server?"}"#)
}

fn print_latencies(name: &str, times: &[Duration]) {
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "  a question {name:<9} p50 {:>6.1} ms   p99 {:>6.1} ms   slowest {:>6.1} ms   of {}",
        at(0.5),
        at(0.99),
        at(1.0),
        times.len()
    );
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

/// Measures the import of entries by upload until they are used in answers, while a visitor asks questions.
async fn entries(options: &Options, product: &Server, key: &str) -> Result<(), AnyError> {
    let ask = question(key);
    let quiet = latencies(product.addr, &ask, tokio::time::sleep(Duration::from_secs(3))).await?;
    let file = table(options.entries);
    let upload = async {
        let began = Instant::now();
        let imported = import(product.addr, key, &file).await;
        (imported, began.elapsed())
    };
    let mut taken = (Ok(Value::Null), Duration::ZERO);
    let busy = latencies(product.addr, &ask, async { taken = upload.await }).await?;
    let (imported, written) = (taken.0?, taken.1);
    if imported["data"]["importFaqEntries"]["added"] != options.entries {
        return Err(format!("the entries were not all added: {imported}").into());
    }
    let item = options.entries / 2;
    let began = Instant::now();
    let answer = until_answered(product.addr, key, item).await?;
    let answered = began.elapsed();
    println!("\ntaking in {} entries, while one visitor asks", options.entries);
    println!("  written             {:>8.2} s", written.as_secs_f64());
    println!("  until one answers   {:>8.2} s   {}", answered.as_secs_f64(), answer.trim_end());
    println!(
        "  together            {:>8.2} s   target <= {} for 10,000",
        (written + answered).as_secs_f64(),
        target::ENTRIES_SECONDS
    );
    print_latencies("before", &quiet);
    print_latencies("meanwhile", &busy);
    println!("  resident            {:>8.0} MiB", product.resident_mib()?);
    Ok(())
}

/// Asks about an item until the answer comes from its entry. While the new index is being built, the old one answers.
async fn until_answered(addr: SocketAddr, key: &str, item: usize) -> Result<String, AnyError> {
    let body = json!({ "question": format!("Where is item {item} kept?") }).to_string();
    let (ask, shelf) = (load::post("/api/v1/chat", key, &body), format!("shelf {} of hall {}", item % 97, item % 13));
    let mut connection = load::Connection::open(addr).await?;
    let began = Instant::now();
    loop {
        let answer = connection.send(&ask).await?;
        let answer = String::from_utf8_lossy(&answer.body).into_owned();
        if answer.contains(&shelf) {
            return Ok(answer);
        }
        if began.elapsed() > INDEXING_MAX {
            return Err(format!("the entry of item {item} does not answer: {answer}").into());
        }
    }
}

fn table(count: usize) -> String {
    let rows: String = (0..count)
        .map(|n| {
            let answer = format!(
                "Item {n} is kept on shelf {} of hall {}, behind the red door. Ask for it at the counter.",
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

/// The sorted response times of one visitor's questions until `end`.
async fn latencies(addr: SocketAddr, ask: &[u8], end: impl Future<Output = ()>) -> Result<Vec<Duration>, AnyError> {
    let mut connection = load::Connection::open(addr).await?;
    let mut times = Vec::new();
    let asking = async {
        loop {
            let sent = Instant::now();
            let answer = connection.send(ask).await?;
            if answer.status != 200 {
                let body = String::from_utf8_lossy(&answer.body).into_owned();
                return Err(std::io::Error::other(format!("a question was refused: {} {body}", answer.status)));
            }
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
