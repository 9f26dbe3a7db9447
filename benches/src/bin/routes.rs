//! `cargo run --release -p helpbot-benches --bin routes` compares a REST route with a direct call of the same use case,
//! alternately in one process and on one thread.
//!
//! The route includes everything behind the socket: the middleware with request ID, metrics and log line, parsing the
//! request, authentication, the stored GraphQL operation and the response. The direct call includes the authentication, the use
//! case and the same JSON. The fastest round counts, because noise only adds time.

#![allow(clippy::print_stdout, reason = "it prints its results")]

#[path = "../application.rs"]
mod application;

use std::time::{Duration, Instant};

use application::Application;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use helpbot_domain::conversation::Vote;
use helpbot_domain::range::Range;
use helpbot_services::accounts::access;
use helpbot_services::accounts::access::Credentials;
use helpbot_services::accounts::{sites, usage};
use helpbot_services::conversations::NewQuestion;
use helpbot_services::conversations::{self, analytics};
use serde_json::json;
use tower::ServiceExt;

type AnyError = Box<dyn std::error::Error>;

const ROUNDS: usize = 9;
const REQUESTS: u32 = 2_000;
const ANSWER_MAX_BYTES: usize = 1024 * 1024;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), AnyError> {
    let application = Application::open().await?;
    let question = "How do I install HelpBot?".into();
    let new = NewQuestion { site: Some(application.site), question, ..NewQuestion::default() };
    let asked = conversations::ask(&application.services, &application.operator, new, None).await?.conversation;
    let vote = json!({"conversationId": asked.id, "helpful": "yes"}).to_string();
    println!("{:<28} {:>10} {:>10} {:>12}", "µs per request, fastest round", "REST", "direct", "difference");
    for (name, request) in [
        ("GET /config", Request::get("/api/v1/config").body(String::new())?),
        ("GET /analytics/overview", Request::get("/api/v1/analytics/overview").body(String::new())?),
        ("POST /feedback, repeated", Request::post("/api/v1/feedback").body(vote.clone())?),
    ] {
        let (mut rest, mut direct) = (Duration::MAX, Duration::MAX);
        for _ in 0..ROUNDS {
            rest = rest.min(timed(async || over_rest(&application, &request).await).await?);
            direct = direct.min(timed(async || called(&application, name, &asked).await).await?);
        }
        let us = |time: Duration| time.as_secs_f64() * 1e6;
        println!("{name:<29} {:>10.1} {:>10.1} {:>12.1}", us(rest), us(direct), us(rest) - us(direct));
    }
    Ok(())
}

/// The mean time of one round.
async fn timed(work: impl AsyncFn() -> Result<(), AnyError>) -> Result<Duration, AnyError> {
    let began = Instant::now();
    for _ in 0..REQUESTS {
        work().await?;
    }
    Ok(began.elapsed() / REQUESTS)
}

async fn over_rest(application: &Application, request: &Request<String>) -> Result<(), AnyError> {
    let mut sent = request.clone().map(Body::from);
    sent.headers_mut().insert("authorization", format!("Bearer {}", application.key).parse()?);
    let router: Router = application.router.clone();
    let response = router.oneshot(sent).await?;
    let status = response.status();
    let bytes = to_bytes(response.into_body(), ANSWER_MAX_BYTES).await?;
    if status == StatusCode::OK { Ok(()) } else { Err(format!("{status}: {bytes:?}").into()) }
}

async fn called(
    application: &Application,
    name: &str,
    asked: &helpbot_domain::conversation::Conversation,
) -> Result<(), AnyError> {
    let services = &application.services;
    let credentials = Credentials { key: Some(application.key.clone()), ..Credentials::default() };
    let viewer = access::authenticate(services, &credentials).await?;
    let bytes = match name {
        "GET /config" => {
            let site = sites::get(services, &viewer, None).await?;
            serde_json::to_vec(&sites::widget(&viewer, &site, None)?)?
        }
        "GET /analytics/overview" => {
            let site = sites::get(services, &viewer, None).await?;
            let overview = analytics::overview(services, &viewer, &site, Range::Last30Days).await?;
            let credits = usage::credits(services, &site).await?;
            serde_json::to_vec(&json!({"totalQuestions": overview.total_questions, "used": credits.used}))?
        }
        _ => {
            conversations::vote(services, &viewer, None, asked.id, Vote::Yes, conversations::VoteDetails::default())
                .await?;
            serde_json::to_vec(&json!({"success": true}))?
        }
    };
    std::hint::black_box(bytes);
    Ok(())
}
