//! Measures the model of a local folder: loading it, embedding a question, embedding the texts of a
//! site, and embedding a question at the same time.
//!
//! `cargo run --release -p helpbot-engine --features local-model --example embed -- MODEL_DIR`

#![allow(clippy::print_stdout, reason = "a program that prints")]

use std::path::Path;
use std::time::{Duration, Instant};

use helpbot_engine::local::LocalModel;
use helpbot_engine::model::{Embedder, ModelError};
use helpbot_engine::{external_embeddings, speed};

const QUESTIONS: usize = 200;
const CHUNKS: usize = 300;
/// Number of texts in one request, as in the job that embeds a site.
const TEXTS_AT_ONCE: usize = 64;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: embed MODEL_DIR")?;
    let start = Instant::now();
    let model = LocalModel::load(Path::new(&folder))?;
    println!("{}, {} dimensions: loaded in {:.0} ms", model.model(), model.dims(), ms(start.elapsed()));
    let questions = speed::questions(QUESTIONS);
    println!("a question alone: {}", asked(&model, &questions).await?);
    let texts: Vec<String> = speed::site(CHUNKS).iter().flat_map(external_embeddings::texts).collect();
    let (count, characters) = (texts.len(), texts.iter().map(String::len).sum::<usize>());
    let start = Instant::now();
    embed(&model, &texts).await?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{count} texts of {} characters: {:.0} a second", characters / count, count as f64 / seconds);
    let working = model.clone();
    let job = tokio::spawn(async move { while embed(&working, &texts).await.is_ok() {} });
    println!("a question at the same time: {}", asked(&model, &questions).await?);
    job.abort();
    Ok(())
}

async fn embed(model: &LocalModel, texts: &[String]) -> Result<(), ModelError> {
    for some in texts.chunks(TEXTS_AT_ONCE) {
        model.embed(model.model(), some.to_vec()).await?;
    }
    Ok(())
}

async fn asked(model: &LocalModel, questions: &[String]) -> Result<String, ModelError> {
    let mut times = Vec::with_capacity(questions.len());
    for question in questions {
        let start = Instant::now();
        model.embed(model.model(), vec![question.clone()]).await?;
        times.push(start.elapsed());
    }
    times.sort();
    let (p50, p95) = (times[times.len() / 2], times[times.len() * 95 / 100]);
    Ok(format!("p50 {:.1} ms, p95 {:.1} ms", ms(p50), ms(p95)))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
