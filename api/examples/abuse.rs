//! What the guard spends on documents that are made to be expensive, and on honest ones:
//! `cargo run --release -p helpbot-api --example abuse`.
//!
//! Each document is read a few hundred times; the least time counts, since everything above it is
//! the machine's other work. Beside the time of each stands that of the parser alone, which is
//! what a server without a guard would spend before it could refuse anything.

#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use async_graphql::parser::parse_query;
use helpbot_api::guard::{self, Limits};

const ROUNDS: usize = 300;
/// A document may not keep the guard busier than this.
const CEILING: Duration = Duration::from_millis(5);
/// Of one document of the honest kind: the dashboard's list of conversations.
const HONEST: &str = "query Page($after: String) { site { conversations(first: 50, after: $after) {
    nodes { id question answer handoff { status assignee { name } } citations { title url source { title } } }
    pageInfo { hasNextPage endCursor } } } }";

fn main() {
    let documents = [
        ("fragments, 22 levels of 2", fan_out(22, 2)),
        ("fragments, 8 levels of 8", fan_out(8, 8)),
        ("fragments, 32 levels of 2", fan_out(32, 2)),
        ("50,000 aliases", format!("{{ {} }}", numbered(50_000, "__typename"))),
        ("20,000 directives", format!("{{ __typename {} }}", "@a ".repeat(20_000))),
        ("nesting of 10,000", format!("{}{}", "{a".repeat(10_000), "}".repeat(10_000))),
        ("an honest document", HONEST.to_owned()),
    ];
    println!("{:<28} {:>8} {:>11} {:>13}  refused for", "document", "bytes", "guard", "parser alone");
    let mut worst = Duration::ZERO;
    for (name, text) in &documents {
        let limits = Limits::default();
        let guard = least(ROUNDS, || drop(black_box(guard::read(black_box(text), &limits))));
        // The parser gives up on what nests too deep, and needs long for the rest.
        let parser = least(ROUNDS / 30, || drop(black_box(parse_query(black_box(text)))));
        let verdict = guard::read(text, &limits).map_or_else(|refusal| refusal.to_string(), |_| "-".into());
        println!("{name:<28} {:>8} {:>8.1} µs {:>10.1} µs  {verdict}", text.len(), us(guard), us(parser));
        worst = worst.max(guard);
    }
    println!("the worst is {:.2} % of the ceiling of {CEILING:?}", worst.as_secs_f64() / CEILING.as_secs_f64() * 100.0);
}

fn least(rounds: usize, mut work: impl FnMut()) -> Duration {
    let round = |_| {
        let began = Instant::now();
        work();
        began.elapsed()
    };
    (0..rounds).map(round).min().unwrap_or_default()
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

/// `depth` fragments, each of which spreads the next `width` times.
fn fan_out(depth: usize, width: usize) -> String {
    let mut text = "{ ...F0 }".to_owned();
    for n in 0..depth {
        let spread = format!("...F{} ", n + 1).repeat(width);
        let _ = write!(text, " fragment F{n} on Query {{ {spread} }}");
    }
    let _ = write!(text, " fragment F{depth} on Query {{ __typename }}");
    text
}
