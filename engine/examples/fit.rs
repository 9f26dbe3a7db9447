//! Fits the weights with which `decide.rs` turns signals into probabilities, and prints them.
//!
//! `cargo run -p helpbot-engine --example fit -- [--dump FILE] SET_DIR...`. Each folder has
//! `corpus.jsonl` and `queries.jsonl`. Sets weigh the same, whatever their size. The measurements
//! that are printed come from weights that were fitted without the set they are measured on, so
//! that they show how the weights transfer to a new site. Newton's method from zero gives the same
//! weights for the same sets.

#![allow(clippy::print_stdout, reason = "a program that prints")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::iter::repeat_n;
use std::path::Path;

use helpbot_engine::decide::{FEATURES, features, kind};
use helpbot_engine::evaluate::{self, CorpusEntry, CorpusQuery};
use helpbot_engine::{AnswerPolicy, Channels};

const COUNT: usize = FEATURES.len();
const STEPS: usize = 30;
/// Pull towards zero, which keeps weights of correlated features small.
const RIDGE: f64 = 1e-4;
/// Numbers of entries of small sites.
const SMALL_SITES: [usize; 5] = [1, 2, 3, 5, 8];
/// Distance between the sites on which one query after the other is asked without an answer.
const STRIDE: usize = 37;
/// Number of answers in the longest passage.
const MOST_JOINED: usize = 3;
/// Thresholds of the printed table.
const THRESHOLDS: [f64; 10] = [0.05, 0.15, 0.25, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/// One query with its features.
struct Example {
    set: String,
    /// How the set was changed.
    variant: &'static str,
    /// The site within the set.
    tenant: Option<String>,
    /// By weights that were fitted without the set.
    confidence: f64,
    features: [f64; COUNT],
    /// Whether the best entry answers the query.
    is_right: bool,
    /// Whether any entry answers it.
    is_answerable: bool,
    /// Whether the entry conflicts with the question, so that it is never the answer.
    conflicts: bool,
    weight: f64,
}

fn main() -> Result<(), String> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let dump = arguments.iter().position(|argument| argument == "--dump").map(|at| {
        let file = arguments.remove(at + 1);
        arguments.remove(at);
        file
    });
    let mut kinds: BTreeMap<&str, Vec<Example>> = BTreeMap::new();
    for folder in &arguments {
        let folder = Path::new(folder);
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let set = Set::read(folder)?;
        let small = set.in_small_sites();
        let variants =
            [("small passages", small.as_passages()), ("small", small), ("passages", set.as_passages()), ("", set)];
        for (variant, set) in &variants {
            for channels in [Channels::Both, Channels::LexicalOnly] {
                add_examples(&name, variant, set, channels, &mut kinds);
            }
        }
    }
    for (kind, examples) in &mut kinds {
        let weights = fit(examples.iter());
        println!("const {kind}: Weights = {weights:.3?};");
        transfer(examples);
    }
    if let Some(file) = dump {
        std::fs::write(file, dumped(&kinds)).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Entries and queries. Besides the set as it is, it is also asked as other sites would have it.
#[derive(Clone)]
struct Set {
    corpus: Vec<CorpusEntry>,
    queries: Vec<CorpusQuery>,
}

impl Set {
    fn read(folder: &Path) -> Result<Self, String> {
        let text = |name: &str| std::fs::read_to_string(folder.join(name)).map_err(|error| error.to_string());
        let corpus = evaluate::read(&text("corpus.jsonl")?).map_err(|error| error.to_string())?;
        let queries = evaluate::read(&text("queries.jsonl")?).map_err(|error| error.to_string())?;
        Ok(Self { corpus, queries })
    }

    /// The same entries in sites of a few entries each. A query is asked on the site with its first
    /// answer, and on one that is chosen without a look at the query and therefore seldom has an answer.
    fn in_small_sites(&self) -> Self {
        let mut corpus = self.corpus.clone();
        // Stable: the entries of a tenant stay together.
        corpus.sort_by(|a, b| a.tenant.cmp(&b.tenant));
        let sizes = SMALL_SITES.iter().cycle().enumerate();
        let sites: Vec<String> =
            sizes.flat_map(|(site, size)| repeat_n(site.to_string(), *size)).take(corpus.len()).collect();
        for (entry, site) in corpus.iter_mut().zip(&sites) {
            entry.tenant = Some(site.clone());
        }
        let site_of: BTreeMap<&str, &str> =
            corpus.iter().zip(&sites).map(|(entry, site)| (entry.id.as_str(), site.as_str())).collect();
        let mut queries = Vec::new();
        for (number, query) in self.queries.iter().enumerate() {
            let own = query.relevant.first().map(|id| site_of[id.as_str()].to_owned());
            let other = sites[number * STRIDE % sites.len()].clone();
            for site in own.into_iter().chain([other]) {
                let relevant = query.relevant.iter().filter(|id| site_of[id.as_str()] == site).cloned().collect();
                queries.push(CorpusQuery { relevant, tenant: Some(site), ..query.clone() });
            }
        }
        Self { corpus, queries }
    }

    /// Pages of prose: the answers without their questions, one to three of them in each passage.
    fn as_passages(&self) -> Self {
        let mut corpus: Vec<CorpusEntry> = Vec::new();
        let mut joined: BTreeMap<String, String> = BTreeMap::new();
        let mut left = 0;
        for entry in &self.corpus {
            let text = if entry.is_repeat() {
                entry.phrasings.first().cloned().unwrap_or_default()
            } else {
                entry.text.clone()
            };
            match corpus.last_mut().filter(|last| left > 0 && last.tenant == entry.tenant) {
                Some(last) => {
                    last.text = format!("{}\n\n{text}", last.text);
                    left -= 1;
                }
                None => {
                    left = corpus.len() % MOST_JOINED;
                    corpus.push(CorpusEntry { text, question: None, phrasings: Vec::new(), ..entry.clone() });
                }
            }
            joined.insert(entry.id.clone(), corpus[corpus.len() - 1].id.clone());
        }
        let mut queries = self.queries.clone();
        queries.iter_mut().flat_map(|query| &mut query.relevant).for_each(|id| id.clone_from(&joined[id.as_str()]));
        Self { corpus, queries }
    }
}

fn add_examples(
    name: &str,
    variant: &'static str,
    set: &Set,
    channels: Channels,
    kinds: &mut BTreeMap<&str, Vec<Example>>,
) {
    let weight = 1.0 / set.queries.len() as f64;
    for trial in evaluate::trials(&set.corpus, &set.queries, &AnswerPolicy::default(), channels) {
        let (Some(best), Some(features)) = (trial.ranked.first(), features(&trial.retrieval)) else { continue };
        let example = Example {
            set: name.to_owned(),
            variant,
            tenant: trial.query.tenant.clone(),
            confidence: 0.0,
            features,
            is_right: trial.query.relevant.iter().any(|id| id == best),
            is_answerable: !trial.query.relevant.is_empty(),
            conflicts: trial.retrieval.candidates[0].conflict.is_some(),
            weight,
        };
        kinds.entry(kind(&trial.retrieval)).or_default().push(example);
    }
}

fn probability(features: &[f64; COUNT], weights: &[f64; COUNT]) -> f64 {
    let sum: f64 = features.iter().zip(weights).map(|(feature, weight)| feature * weight).sum();
    1.0 / (1.0 + (-sum).exp())
}

/// A higher score must never lower the probability, so that a negative weight of the score is left out.
fn fit<'a>(examples: impl Iterator<Item = &'a Example> + Clone) -> [f64; COUNT] {
    let weights = newton(examples.clone(), &[true; COUNT]);
    if weights[0] >= 0.0 {
        return weights;
    }
    let mut is_used = [true; COUNT];
    is_used[0] = false;
    newton(examples, &is_used)
}

fn newton<'a>(examples: impl Iterator<Item = &'a Example> + Clone, is_used: &[bool; COUNT]) -> [f64; COUNT] {
    let total: f64 = examples.clone().map(|example| example.weight).sum();
    let mut weights = [0.0; COUNT];
    for _ in 0..STEPS {
        let mut slope = [0.0; COUNT];
        let mut curve = [[0.0; COUNT]; COUNT];
        for example in examples.clone() {
            let p = probability(&example.features, &weights);
            let error = f64::from(u8::from(example.is_right)) - p;
            for (row, own) in example.features.iter().enumerate() {
                slope[row] += example.weight * error * own / total;
                for (column, other) in example.features.iter().enumerate() {
                    curve[row][column] += example.weight * p * (1.0 - p) * own * other / total;
                }
            }
        }
        for at in 0..COUNT {
            slope[at] -= RIDGE * weights[at];
            curve[at][at] += RIDGE;
            if !is_used[at] {
                slope[at] = 0.0;
                curve[at] = [0.0; COUNT];
                curve.iter_mut().for_each(|row| row[at] = 0.0);
                curve[at][at] = 1.0;
            }
        }
        let step = solved(curve, slope);
        weights.iter_mut().zip(step).for_each(|(weight, step)| *weight += step);
    }
    weights
}

/// Solves a linear system with a positive definite matrix by elimination.
fn solved(mut matrix: [[f64; COUNT]; COUNT], mut right: [f64; COUNT]) -> [f64; COUNT] {
    for pivot in 0..COUNT {
        for row in pivot + 1..COUNT {
            let (above, upper) = (matrix[pivot], right[pivot]);
            let factor = matrix[row][pivot] / above[pivot];
            matrix[row].iter_mut().zip(above).skip(pivot).for_each(|(cell, above)| *cell -= factor * above);
            right[row] -= factor * upper;
        }
    }
    for row in (0..COUNT).rev() {
        for column in row + 1..COUNT {
            right[row] -= matrix[row][column] * right[column];
        }
        right[row] /= matrix[row][row];
    }
    right
}

/// Scores each set by weights that were fitted on the others.
fn transfer(examples: &mut [Example]) {
    let mut sets: Vec<String> = examples.iter().map(|example| example.set.clone()).collect();
    sets.sort_unstable();
    sets.dedup();
    for set in &sets {
        let weights = fit(examples.iter().filter(|example| example.set != *set));
        let own = examples.iter_mut().filter(|example| example.set == *set);
        own.for_each(|example| example.confidence = probability(&example.features, &weights));
    }
    let scored: Vec<(f64, &Example)> = examples.iter().map(|example| (example.confidence, example)).collect();
    for set in &sets {
        let own: Vec<(f64, &Example)> = scored.iter().filter(|(_, example)| example.set == *set).copied().collect();
        println!(
            "//   {set:20} AUROC of right {:.3}, of answerable {:.3}",
            auroc(&own, |e| e.is_right),
            auroc(&own, |e| e.is_answerable)
        );
    }
    println!("//   threshold, precision, right of answerable, answers of unanswerable");
    for threshold in THRESHOLDS {
        let share = |counts: &dyn Fn(f64, &Example) -> bool, of: &dyn Fn(&Example) -> bool| {
            let all: f64 = scored.iter().filter(|(_, e)| of(e)).map(|(_, e)| e.weight).sum();
            scored.iter().filter(|(p, e)| of(e) && counts(*p, e)).map(|(_, e)| e.weight).sum::<f64>() / all
        };
        let answers = |p: f64, example: &Example| p >= threshold && !example.conflicts;
        let given: f64 = scored.iter().filter(|(p, e)| answers(*p, e)).map(|(_, e)| e.weight).sum();
        let right: f64 = scored.iter().filter(|(p, e)| answers(*p, e) && e.is_right).map(|(_, e)| e.weight).sum();
        let found = share(&|p, e| answers(p, e) && e.is_right, &|e| e.is_answerable);
        let wrong = share(&answers, &|e| !e.is_answerable);
        println!("//   {threshold:.2} {:.3} {found:.3} {wrong:.3}", right / given);
    }
}

fn auroc(scored: &[(f64, &Example)], is_positive: impl Fn(&Example) -> bool) -> f64 {
    let (mut above, mut pairs) = (0.0, 0.0);
    for (high, _) in scored.iter().filter(|(_, example)| is_positive(example)) {
        for (low, _) in scored.iter().filter(|(_, example)| !is_positive(example)) {
            pairs += 1.0;
            above += if high > low {
                1.0
            } else if high == low {
                0.5
            } else {
                0.0
            };
        }
    }
    above / pairs
}

fn dumped(kinds: &BTreeMap<&str, Vec<Example>>) -> String {
    let mut text = String::new();
    for (kind, examples) in kinds {
        for e in examples {
            let line = serde_json::json!({ "kind": kind, "set": e.set, "variant": e.variant, "tenant": e.tenant, "features": e.features, "confidence": e.confidence, "right": e.is_right,
                "answerable": e.is_answerable, "conflicts": e.conflicts });
            let _ = writeln!(text, "{line}");
        }
    }
    text
}
