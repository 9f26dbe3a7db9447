//! `helpbot eval`: answering measured on a labelled set, without a database.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use helpbot_engine::evaluate::{self, Entry, Query};
use helpbot_engine::{AnswerSettings, Channels};
use serde_json::json;

use super::failure::Failure;
use super::output;

#[derive(Debug, Args)]
pub(super) struct EvalArgs {
    /// Directory with corpus.jsonl and queries.jsonl
    #[arg(long, value_name = "DIR")]
    corpus: PathBuf,
    /// Where to write one line for each query
    #[arg(long, value_name = "FILE")]
    run: PathBuf,
}

pub(super) fn run(is_json: bool, args: &EvalArgs) -> Result<(), Failure> {
    let corpus: Vec<Entry> = read(&args.corpus.join("corpus.jsonl"))?;
    let queries: Vec<Query> = read(&args.corpus.join("queries.jsonl"))?;
    let settings = AnswerSettings::default();
    let trials = evaluate::trials(&corpus, &queries, &settings, Channels::default());
    let lines = evaluate::run(&trials);
    let mut text = String::new();
    for line in &lines {
        let line = serde_json::to_string(line).map_err(|error| Failure::failed(error.to_string()))?;
        let _ = writeln!(text, "{line}");
    }
    std::fs::write(&args.run, text)
        .map_err(|error| Failure::failed(format!("cannot write {}: {error}", args.run.display())))?;
    let answered = lines.iter().filter(|line| line.answered).count();
    let is_right = |trial: &&evaluate::Trial<'_>| {
        trial.ranked.first().is_some_and(|first| trial.query.relevant.iter().any(|id| id == first))
    };
    let right = trials.iter().filter(is_right).count();
    match is_json {
        true => output::json(&json!({ "queries": lines.len(), "answered": answered, "firstIsRelevant": right })),
        false => output::text(&format!(
            "{} queries, {answered} answered, {right} with a relevant entry first\n",
            lines.len()
        )),
    }
}

fn read<T: for<'de> serde::Deserialize<'de>>(path: &Path) -> Result<Vec<T>, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::failed(format!("cannot read {}: {error}", path.display())))?;
    evaluate::read(&text).map_err(|error| Failure::failed(format!("{}: {error}", path.display())))
}
