//! Fits what `decide.rs` turns scores into probabilities with, and prints its constants.
//!
//! `cargo run --release -p helpbot-engine --example fit -- SET_DIR...`, each a folder with
//! `corpus.jsonl` and `queries.jsonl` that has unanswerable queries. Sets weigh alike, whatever
//! their size. Twice: with both channels, and with words alone, as for a language that the
//! vectors don't know. Plain gradient descent from zero: the same sets give the same constants.

#![allow(clippy::print_stdout, reason = "a program that prints")]

use std::path::Path;

use helpbot_engine::decide::{FEATURES, features};
use helpbot_engine::evaluate::{self, CorpusEntry, CorpusQuery};
use helpbot_engine::{AnswerPolicy, Channels};

const STEPS: usize = 60_000;
const RATE: f64 = 1.0;
/// Pull towards zero: keeps weights of features that say the same thing from running apart.
const RIDGE: f64 = 1e-4;

/// One query: its features, whether the best entry answers it, and what it weighs.
struct Example {
    features: [f64; FEATURES.len()],
    is_right: bool,
    weight: f64,
}

fn main() -> Result<(), String> {
    let sets: Vec<String> = std::env::args().skip(1).collect();
    for (name, channels) in [("BOTH", Channels::Both), ("LEXICAL_ONLY", Channels::LexicalOnly)] {
        let mut examples = Vec::new();
        for set in &sets {
            examples.extend(read_set(Path::new(set), channels)?);
        }
        let weights = fit(&examples);
        println!("const {name}: Weights = {weights:.3?};");
        println!("// log loss {:.4}", loss(&examples, &weights));
        print_precision(name, &examples, &weights);
    }
    Ok(())
}

fn read_set(folder: &Path, channels: Channels) -> Result<Vec<Example>, String> {
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).map_err(|error| error.to_string());
    let corpus: Vec<CorpusEntry> = evaluate::read(&text("corpus.jsonl")?).map_err(|error| error.to_string())?;
    let queries: Vec<CorpusQuery> = evaluate::read(&text("queries.jsonl")?).map_err(|error| error.to_string())?;
    let weight = 1.0 / queries.len() as f64;
    let trials = evaluate::trials(&corpus, &queries, &AnswerPolicy::default(), channels);
    let example = |trial: &evaluate::Trial<'_>| {
        let best = trial.ranked.first()?;
        let is_right = trial.query.relevant.iter().any(|id| id == best);
        Some(Example { features: features(&trial.retrieval)?, is_right, weight })
    };
    Ok(trials.iter().filter_map(example).collect())
}

fn probability(features: &[f64], weights: &[f64]) -> f64 {
    let sum: f64 = features.iter().zip(weights).map(|(feature, weight)| feature * weight).sum();
    1.0 / (1.0 + (-sum).exp())
}

fn loss(examples: &[Example], weights: &[f64]) -> f64 {
    let total: f64 = examples.iter().map(|example| example.weight).sum();
    let one = |example: &Example| {
        let probability = probability(&example.features, weights);
        -example.weight * if example.is_right { probability } else { 1.0 - probability }.ln()
    };
    examples.iter().map(one).sum::<f64>() / total
}

fn fit(examples: &[Example]) -> [f64; FEATURES.len()] {
    let total: f64 = examples.iter().map(|example| example.weight).sum();
    let mut weights = [0.0; FEATURES.len()];
    for _ in 0..STEPS {
        let mut gradient = [0.0; FEATURES.len()];
        for example in examples {
            let error = f64::from(u8::from(example.is_right)) - probability(&example.features, &weights);
            for (slope, feature) in gradient.iter_mut().zip(example.features) {
                *slope += example.weight * error * feature / total;
            }
        }
        for (weight, slope) in weights.iter_mut().zip(gradient) {
            *weight += RATE * (slope - RIDGE * *weight);
        }
    }
    weights
}

/// For a ladder of precisions the probability from which on the answers given reach it.
fn print_precision(name: &str, examples: &[Example], weights: &[f64]) {
    let mut ranked: Vec<(f64, &Example)> =
        examples.iter().map(|example| (probability(&example.features, weights), example)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!("// {name}: threshold, precision of answers, share answered");
    for step in 0..20 {
        let threshold = f64::from(step) / 20.0;
        let given = ranked.iter().take_while(|(probability, _)| *probability >= threshold);
        let (right, all) = given.fold((0.0, 0.0), |(right, all), (_, example)| {
            (right + if example.is_right { example.weight } else { 0.0 }, all + example.weight)
        });
        let total: f64 = examples.iter().map(|example| example.weight).sum();
        println!("//   {threshold:.2} {:.3} {:.3}", right / all, all / total);
    }
}
