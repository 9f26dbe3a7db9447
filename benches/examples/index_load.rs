//! Measures the time to load a site's index from an SQLite database: `cargo run --release -p helpbot-benches --example
//! index_load [-- CHUNKS]`. CHUNKS defaults to 10,000.
//!
//! The first question after a start loads the index, and the same question again does not. The program prints the
//! difference for each round, the minimum and the median.

#![allow(clippy::print_stdout, reason = "it prints its results")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use helpbot_db::{DatabaseUrl, Db};
use helpbot_domain::ids::{KeyId, SiteId};
use helpbot_domain::source::PageOutcome;
use helpbot_engine::{Chunk, ChunkDraft, Engine, EngineSettings, speed};
use helpbot_services::accounts::sites;
use helpbot_services::conversations::{self, NewQuestion};
use helpbot_services::runtime::job_kinds;
use helpbot_services::runtime::jobs;
use helpbot_services::runtime::randomness;
use helpbot_services::sources::{page_sync::SyncedPage, sync};
use helpbot_services::{Services, Settings, SystemClock, Viewer, sources};

type AnyError = Box<dyn std::error::Error>;

const CHUNKS: usize = 10_000;
/// Number of chunks of one long page.
const OF_A_PAGE: usize = 50;
const ROUNDS: usize = 7;

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let count = std::env::args().nth(1).map_or(Ok(CHUNKS), |text| text.parse())?;
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("helpbot.db");
    let (services, viewer) = open(&path).await?;
    let site = filled(&services, &viewer, count).await?;
    let mut loads = Vec::new();
    for _ in 0..ROUNDS {
        let (services, viewer) = open(&path).await?;
        let first = asked(&services, &viewer, site).await?;
        let again = asked(&services, &viewer, site).await?;
        loads.push(first.saturating_sub(again));
        println!("first answer {:.0} ms, then {:.1} ms", ms(first), ms(again));
    }
    let least = loads.iter().min().copied().unwrap_or_default();
    println!("loading {count} chunks: least {:.0} ms, median {:.0} ms", ms(least), ms(speed::median(loads)));
    Ok(())
}

async fn open(path: &Path) -> Result<(Services, Viewer), AnyError> {
    let db = Db::open(&DatabaseUrl::Sqlite(path.to_owned())).await?;
    let engine = Engine::new(EngineSettings::default());
    let services = Services::new(db, engine, Arc::new(SystemClock), Arc::new(|_| Ok(())), Settings::new([7; 32]));
    let viewer = Viewer::operator(KeyId::from_uuid(randomness::uuid(services.now())));
    Ok((services, viewer))
}

async fn filled(services: &Services, viewer: &Viewer, count: usize) -> Result<SiteId, AnyError> {
    let new =
        sites::NewSite { name: "Shop".into(), owner_email: "owner@example.com".into(), plan: None, credit_limit: None };
    let site = sites::create(services, viewer, new).await?;
    let url = "https://shop.example/help/";
    sources::add_url(services, viewer, Some(site.id), url).await?;
    let job = jobs::claim(services, &[job_kinds::SYNC], "the bench", 1).await?.pop().ok_or("no job")?;
    let begun = sync::begin(services, &job, "the bench").await?.ok_or("no source")?;
    let chunks = speed::site(count);
    let pages = chunks.chunks(OF_A_PAGE).enumerate().map(|(number, chunks)| SyncedPage {
        chunks: chunks.iter().cloned().map(draft).collect(),
        ..SyncedPage::of(format!("{url}{number}"), PageOutcome::Fetched)
    });
    sync::complete(services, &begun, None, pages.collect()).await?;
    Ok(site.id)
}

fn draft(chunk: Chunk) -> ChunkDraft {
    ChunkDraft {
        kind: chunk.kind,
        question: chunk.question,
        heading: chunk.heading,
        text: chunk.text,
        url: chunk.url,
        page_title: chunk.page_title,
        language: chunk.language,
        phrasings: chunk.phrasings,
    }
}

async fn asked(services: &Services, viewer: &Viewer, site: SiteId) -> Result<Duration, AnyError> {
    let question = "How do I track my package?".to_owned();
    let start = Instant::now();
    conversations::ask(services, viewer, NewQuestion { site: Some(site), question, ..NewQuestion::default() }, None)
        .await?;
    Ok(start.elapsed())
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
