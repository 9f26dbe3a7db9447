//! `cargo run --release -p helpbot-benches --bin lists` measures the list of conversations over REST, with its first page
//! and a search, for a small and a large site.
//!
//! It runs the whole application in process on SQLite. Both sites have the same number of conversations with the searched
//! words.

#![allow(clippy::print_stdout, reason = "it prints its results")]

#[path = "../application.rs"]
mod application;

use std::time::{Duration, Instant};

use application::Application;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use clap::Parser;
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::Vote;
use helpbot_services::conversations::history::{self, PastConversation};
use tower::ServiceExt;

type AnyError = Box<dyn std::error::Error>;

/// Measures the list of conversations of a small and a large site.
#[derive(Parser)]
struct Options {
    /// Number of conversations of the small site.
    #[arg(long, default_value_t = 10_000)]
    few: u64,
    /// Number of conversations of the large site.
    #[arg(long, default_value_t = 1_000_000)]
    many: u64,
}

const REQUESTS: usize = 51;
/// Number of conversations that are stored in one transaction.
const BATCH: u64 = 2_000;
/// Number of conversations of each site that contain the searched words.
const WITH_WORDS: u64 = 20;
const ANSWER_MAX_BYTES: usize = 1024 * 1024;
/// 2025-01-01T00:00:00Z.
const BEGIN_MS: i64 = 1_735_689_600_000;
const YEAR_MS: u64 = 365 * 86_400_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), AnyError> {
    let options = Options::parse();
    let lists = [
        ("page 1", "/api/v1/conversations"),
        ("page 1, unanswered", "/api/v1/conversations?filter=unanswered&range=365d"),
        ("search", "/api/v1/conversations?search=zeppelin+mooring"),
    ];
    let few = measured(options.few, &lists).await?;
    let many = measured(options.many, &lists).await?;
    println!("{:<20} {:>14} {:>14} {:>8}", "median, ms", options.few, options.many, "ratio");
    for ((name, _), (few, many)) in lists.iter().zip(few.iter().zip(&many)) {
        let ms = |time: &Duration| time.as_secs_f64() * 1e3;
        println!("{name:<20} {:>14.3} {:>14.3} {:>8.2}", ms(few), ms(many), ms(many) / ms(few));
    }
    Ok(())
}

async fn measured(rows: u64, lists: &[(&str, &str)]) -> Result<Vec<Duration>, AnyError> {
    let application = Application::open().await?;
    for first in (0..rows).step_by(usize::try_from(BATCH)?) {
        let past = (first..rows.min(first + BATCH)).map(|number| conversation(number, rows)).collect();
        history::import(&application.services, &application.operator, Some(application.site), past).await?;
    }
    let mut medians = Vec::new();
    for (name, path) in lists {
        let mut times = Vec::with_capacity(REQUESTS);
        for _ in 0..REQUESTS {
            let request = Request::get(*path).header("authorization", format!("Bearer {}", application.key));
            let began = Instant::now();
            let response = application.router.clone().oneshot(request.body(Body::empty())?).await?;
            let status = response.status();
            let bytes = to_bytes(response.into_body(), ANSWER_MAX_BYTES).await?;
            times.push(began.elapsed());
            let found: serde_json::Value = serde_json::from_slice(&bytes)?;
            if status != StatusCode::OK || found["conversations"].as_array().is_none_or(Vec::is_empty) {
                return Err(format!("{name}: {status} {found}").into());
            }
        }
        times.sort();
        medians.push(times[REQUESTS / 2]);
    }
    Ok(medians)
}

fn conversation(number: u64, of: u64) -> PastConversation {
    let at = Timestamp::from_ms(BEGIN_MS + i64::try_from(YEAR_MS / of * number).unwrap_or(0));
    let has_words = number.is_multiple_of((of / WITH_WORDS).max(1));
    let words = if has_words { "Where may I moor a zeppelin? The zeppelin mooring mast." } else { "When is it open?" };
    PastConversation {
        id: format!("row-{number}"),
        session_id: Some(format!("visit-{}", number / 3)),
        question: format!("{words} I ask for the order {number} of last week."),
        answer: "It is open from eight to eleven on Sundays, and from seven to six on all other days; deliveries \
                 leave at noon, returns are taken until the evening, and the shop answers the telephone then."
            .into(),
        sources: vec!["https://example.com/opening-hours".into()],
        vote: number.is_multiple_of(5).then_some(Vote::Yes),
        is_unanswered: number.is_multiple_of(4),
        is_handed_off: number.is_multiple_of(50),
        customer_email: None,
        language: Some("en".into()),
        created_at: at,
        updated_at: at,
    }
}
