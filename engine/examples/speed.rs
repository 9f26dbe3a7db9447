//! Prints how fast the engine answers and indexes, and how much memory it uses, at several sizes.
//!
//! `cargo run --release -p helpbot-engine --example speed [-- CHUNKS...]` runs on one thread.

#![allow(clippy::print_stdout, reason = "a program that prints")]

use std::time::{Duration, Instant};

use helpbot_engine::{AnswerPolicy, Index, speed};

const QUESTIONS: usize = 400;

fn main() -> Result<(), std::num::ParseIntError> {
    let mut sizes: Vec<usize> = std::env::args().skip(1).map(|size| size.parse()).collect::<Result<_, _>>()?;
    if sizes.is_empty() {
        sizes = vec![100, 1_000, 10_000, 100_000];
    }
    let questions = speed::questions(QUESTIONS);
    questions.iter().map(|question| speed::embed(question)).for_each(drop);
    let embedding = timed(&questions, speed::embed);
    println!("embedding a question: p50 {:.1} us", embedding.0.as_secs_f64() * 1e6);
    println!("| chunks | answer p50 ms | p95 ms | indexed /s | index s | bytes/chunk beyond text |");
    println!("|---|---|---|---|---|---|");
    for size in sizes {
        measure(size, &questions);
    }
    Ok(())
}

fn measure(size: usize, questions: &[String]) {
    let settings = AnswerPolicy::default();
    let chunks = speed::site(size);
    let start = Instant::now();
    let index = Index::build(chunks, Some("en"));
    let building = start.elapsed().as_secs_f64();
    let (p50, p95) = timed(questions, |question| speed::answer(&index, question, &settings));
    println!(
        "| {size} | {:.3} | {:.3} | {:.0} | {building:.2} | {} |",
        p50.as_secs_f64() * 1e3,
        p95.as_secs_f64() * 1e3,
        size as f64 / building,
        index.overhead_bytes() / size,
    );
}

fn timed(questions: &[String], mut run: impl FnMut(&str) -> usize) -> (Duration, Duration) {
    let mut durations = Vec::with_capacity(questions.len());
    for question in questions {
        let start = Instant::now();
        std::hint::black_box(run(question));
        durations.push(start.elapsed());
    }
    durations.sort_unstable();
    (speed::median(durations.clone()), durations[durations.len() * 95 / 100])
}
