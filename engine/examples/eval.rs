//! Runs the engine over a labeled set and writes a run file for a scorer.
//!
//! `cargo run --release -p helpbot-engine --example eval -- --corpus DIR --run OUT.jsonl
//! [--corpus-file NAME] [--lexical-only] [--typos SEED]`. With `--features local-model`,
//! `--model-dir DIR` names the folder of an embedding model.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use helpbot_engine::evaluate::{self, CorpusEntry, CorpusQuery, Trial};
use helpbot_engine::{AnswerPolicy, Channels};

#[derive(Default)]
struct Arguments {
    corpus: PathBuf,
    corpus_file: Option<String>,
    run: PathBuf,
    channels: Channels,
    model_dir: Option<PathBuf>,
    typos: Option<u64>,
}

fn main() -> ExitCode {
    match arguments().and_then(|arguments| evaluate_set(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn evaluate_set(arguments: &Arguments) -> Result<(), String> {
    let corpus_file = arguments.corpus_file.as_deref().unwrap_or("corpus.jsonl");
    let corpus: Vec<CorpusEntry> = read(&arguments.corpus.join(corpus_file))?;
    let mut queries: Vec<CorpusQuery> = read(&arguments.corpus.join("queries.jsonl"))?;
    if let Some(seed) = arguments.typos {
        for (query, number) in queries.iter_mut().zip(0..) {
            query.text = mistype(&query.text, seed.wrapping_add(number));
        }
    }
    let settings = AnswerPolicy::default();
    let trials = match &arguments.model_dir {
        Some(folder) => by_model(folder, &corpus, &queries, &settings)?,
        None => evaluate::trials(&corpus, &queries, &settings, arguments.channels),
    };
    let mut text = String::new();
    for line in evaluate::run(&trials) {
        let line = serde_json::to_string(&line).map_err(|error| error.to_string())?;
        writeln!(text, "{line}").map_err(|error| error.to_string())?;
    }
    std::fs::write(&arguments.run, text).map_err(|error| error.to_string())
}

#[cfg(feature = "local-model")]
fn by_model<'a>(
    folder: &Path,
    corpus: &'a [CorpusEntry],
    queries: &'a [CorpusQuery],
    settings: &AnswerPolicy,
) -> Result<Vec<Trial<'a>>, String> {
    let model = helpbot_engine::local::LocalModel::load(folder).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let trials = runtime.block_on(evaluate::trials_by(&model, corpus, queries, settings));
    trials.map_err(|error| error.to_string())
}

#[cfg(not(feature = "local-model"))]
fn by_model<'a>(
    _: &Path,
    _: &'a [CorpusEntry],
    _: &'a [CorpusQuery],
    _: &AnswerPolicy,
) -> Result<Vec<Trial<'a>>, String> {
    Err("--model-dir requires --features local-model".to_owned())
}

fn read<T: for<'de> serde::Deserialize<'de>>(path: &PathBuf) -> Result<Vec<T>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    evaluate::read(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn arguments() -> Result<Arguments, String> {
    let mut arguments = Arguments::default();
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        if name == "--lexical-only" {
            arguments.channels = Channels::LexicalOnly;
            continue;
        }
        let value = given.next().ok_or_else(|| format!("{name} requires a value"))?;
        match name.as_str() {
            "--corpus" => arguments.corpus = value.into(),
            "--corpus-file" => arguments.corpus_file = Some(value),
            "--model-dir" => arguments.model_dir = Some(value.into()),
            "--run" => arguments.run = value.into(),
            "--typos" => arguments.typos = Some(value.parse().map_err(|_| "--typos requires a number")?),
            _ => return Err(format!("unknown option {name}")),
        }
    }
    Ok(arguments)
}

/// Makes one typing error in one word of at least four letters: drops, doubles or replaces a
/// letter, or swaps it with the next one.
fn mistype(text: &str, seed: u64) -> String {
    let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut draw = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    let long = |word: &String| word.chars().count() >= 4 && word.chars().all(char::is_alphabetic);
    let places: Vec<usize> = (0..words.len()).filter(|&at| long(&words[at])).collect();
    if places.is_empty() {
        return text.to_owned();
    }
    let place = places[draw(places.len())];
    let mut letters: Vec<char> = words[place].chars().collect();
    let at = draw(letters.len() - 1);
    match draw(4) {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, letters[at]),
        2 => letters[at] = char::from(b'a' + draw(26) as u8),
        _ => letters.swap(at, at + 1),
    }
    words[place] = letters.into_iter().collect();
    words.join(" ")
}
