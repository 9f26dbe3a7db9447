//! `cargo run --release -p helpbot-benches --bin routes`: what a REST route costs beside the same
//! use case called directly, in one process and on one thread, in turns.
//!
//! The route goes through everything that a request does behind the socket: the envelope with its
//! request id, figures and log line, the reading of request and key, the stored GraphQL operation,
//! and the shaping of the answer. Beside it stand the key's look-up, the use case and the same JSON.
//! The smallest of the rounds counts: noise only ever adds.

#![allow(clippy::print_stdout, reason = "printing is what it is for")]

#[path = "../house.rs"]
mod house;

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use helpbot_domain::conversation::Vote;
use helpbot_domain::range::Range;
use helpbot_services::accounts::access::Credentials;
use helpbot_services::accounts::{sites, usage};
use helpbot_services::conversations::NewQuestion;
use helpbot_services::conversations::{self, analytics};
use house::House;
use serde_json::json;
use tower::ServiceExt;

type AnyError = Box<dyn std::error::Error>;

const ROUNDS: usize = 9;
const REQUESTS: u32 = 2_000;
const ANSWER_MAX_BYTES: usize = 1024 * 1024;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), AnyError> {
    let house = House::open().await?;
    let question = "How do I install HelpBot?".into();
    let new = NewQuestion { site: Some(house.site), question, ..NewQuestion::default() };
    let asked = conversations::ask(&house.services, &house.operator, new, None).await?.conversation;
    let vote = json!({"conversationId": asked.id, "helpful": "yes"}).to_string();
    println!("{:<28} {:>10} {:>10} {:>12}", "µs a request, least of rounds", "REST", "direct", "difference");
    for (name, request) in [
        ("GET /config", Request::get("/api/v1/config").body(String::new())?),
        ("GET /analytics/overview", Request::get("/api/v1/analytics/overview").body(String::new())?),
        ("POST /feedback, repeated", Request::post("/api/v1/feedback").body(vote.clone())?),
    ] {
        let (mut rest, mut direct) = (Duration::MAX, Duration::MAX);
        for _ in 0..ROUNDS {
            rest = rest.min(timed(async || over_rest(&house, &request).await).await?);
            direct = direct.min(timed(async || called(&house, name, &asked).await).await?);
        }
        let us = |time: Duration| time.as_secs_f64() * 1e6;
        println!("{name:<29} {:>10.1} {:>10.1} {:>12.1}", us(rest), us(direct), us(rest) - us(direct));
    }
    Ok(())
}

/// The mean of one round.
async fn timed(work: impl AsyncFn() -> Result<(), AnyError>) -> Result<Duration, AnyError> {
    let began = Instant::now();
    for _ in 0..REQUESTS {
        work().await?;
    }
    Ok(began.elapsed() / REQUESTS)
}

async fn over_rest(house: &House, request: &Request<String>) -> Result<(), AnyError> {
    let mut sent = request.clone().map(Body::from);
    sent.headers_mut().insert("authorization", format!("Bearer {}", house.key).parse()?);
    let router: Router = house.router.clone();
    let response = router.oneshot(sent).await?;
    let status = response.status();
    let bytes = to_bytes(response.into_body(), ANSWER_MAX_BYTES).await?;
    if status == StatusCode::OK { Ok(()) } else { Err(format!("{status}: {bytes:?}").into()) }
}

async fn called(house: &House, name: &str, asked: &helpbot_services::Conversation) -> Result<(), AnyError> {
    let services = &house.services;
    let credentials = Credentials { key: Some(house.key.clone()), ..Credentials::default() };
    let viewer = services.viewer(&credentials).await?;
    let bytes = match name {
        "GET /config" => {
            let site = sites::get(services, &viewer, None).await?;
            serde_json::to_vec(&sites::widget(&viewer, &site)?)?
        }
        "GET /analytics/overview" => {
            let site = sites::get(services, &viewer, None).await?;
            let overview = analytics::overview(services, &viewer, &site, Range::Last30Days).await?;
            let credits = usage::credits(services, &site).await?;
            serde_json::to_vec(&json!({"totalQuestions": overview.total_questions, "used": credits.used}))?
        }
        _ => {
            conversations::vote(services, &viewer, None, asked.id, Vote::Yes).await?;
            serde_json::to_vec(&json!({"success": true}))?
        }
    };
    std::hint::black_box(bytes);
    Ok(())
}
