//! Prints how long a preview takes: 10,000 questions against two indexes of 1,000 entries, which differ in one
//! entry, and building the second one.
//!
//! `cargo run --release -p helpbot-engine --example replay [-- CHUNKS QUESTIONS THREADS]`

#![allow(clippy::print_stdout, reason = "a program that prints")]

use std::thread;
use std::time::Instant;

use helpbot_engine::replay::replay;
use helpbot_engine::{AnswerPolicy, Ask, Index, speed};

fn main() -> Result<(), std::num::ParseIntError> {
    let mut numbers = std::env::args().skip(1).map(|number| number.parse::<usize>());
    let chunks = numbers.next().transpose()?.unwrap_or(1_000);
    let count = numbers.next().transpose()?.unwrap_or(10_000);
    let threads = numbers.next().transpose()?.unwrap_or(1).max(1);
    let mut site = speed::site(chunks);
    let now = Index::build(site.clone(), Some("en"));
    let asks: Vec<Ask> = speed::questions(count).into_iter().map(ask).collect();

    let started = Instant::now();
    site[0].text.push_str(" It is closed on Sundays.");
    let then = Index::build(site, Some("en"));
    let built = started.elapsed();
    let changed: usize = thread::scope(|scope| {
        let of_share = |asks: &[Ask]| {
            let is_changed = |ask: &&Ask| !replay(&now, ask).is_same_answer(&replay(&then, ask));
            asks.iter().filter(is_changed).count()
        };
        let shares = asks.chunks(asks.len().div_ceil(threads).max(1));
        let running: Vec<_> = shares.map(|share| scope.spawn(move || of_share(share))).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or_default()).sum()
    });

    println!(
        "{count} questions, {chunks} chunks, {threads} threads: {:.2} s, of which {:.2} s build the index; {changed} changed",
        started.elapsed().as_secs_f64(),
        built.as_secs_f64(),
    );
    Ok(())
}

fn ask(question: String) -> Ask {
    let (site_language, settings) = ("auto".to_owned(), AnswerPolicy::default());
    Ask { question, language: None, site_language, history: Vec::new(), settings }
}
