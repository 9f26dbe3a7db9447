//! `helpbot eval`: runs the test questions of a site, from the database or from a file. With `--corpus` it
//! measures answering on a labeled data set instead, without a database.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use helpbot_domain::ids::SiteId;
use helpbot_engine::evaluate::{self, CorpusEntry, CorpusQuery};
use helpbot_engine::{AnswerPolicy, Channels};
use helpbot_services::knowledge::evaluation::{self, TestResult};
use serde_json::json;

use super::context::{self, CommandContext};
use super::failure::CommandFailure;
use super::output;
use crate::installation;

#[derive(Debug, Args)]
pub(super) struct EvalArgs {
    /// File with test questions as JSON lines: {"question", "source"?, "url"?, "entry"?}. Defaults to the
    /// test questions that are saved for the site.
    #[arg(value_name = "FILE", conflicts_with_all = ["corpus", "run"])]
    file: Option<PathBuf>,
    /// ID of the site to test. May be left out when there is only one site.
    #[arg(long, conflicts_with_all = ["corpus", "run"])]
    site: Option<SiteId>,
    /// Directory of a labeled data set (corpus.jsonl and queries.jsonl) to measure instead.
    #[arg(long, value_name = "DIR", requires = "run")]
    corpus: Option<PathBuf>,
    /// File to write the results to, one JSON line for each query.
    #[arg(long, value_name = "FILE", requires = "corpus")]
    run: Option<PathBuf>,
}

impl EvalArgs {
    /// The data set to measure and the file for its results. `None` when a site is tested.
    pub(super) fn labeled_set(&self) -> Option<(&Path, &Path)> {
        self.corpus.as_deref().zip(self.run.as_deref())
    }
}

/// Runs the test questions of a site. Fails when a test question fails.
pub(super) async fn test(context: &CommandContext, args: &EvalArgs) -> Result<(), CommandFailure> {
    let installation = context.open().await?;
    let site = context::site(&installation, args.site).await?;
    let (services, operator) = (&installation.services, installation.operator());
    let tested = match &args.file {
        Some(file) => {
            let lines = std::fs::read_to_string(file)
                .map_err(|error| CommandFailure::failed(format!("cannot read {}: {error}", file.display())))?;
            evaluation::run_lines(services, &operator, Some(site.id), &lines).await?
        }
        None => evaluation::run(services, &operator, Some(site.id)).await?,
    };
    let failed = tested.iter().filter(|test| !test.is_passed).count();
    match context.is_json {
        true => {
            output::json(&json!({ "passed": tested.len() - failed, "failed": failed, "questions": lines(&tested) }))?
        }
        false => {
            output::table(&["", "OUTCOME", "RANK", "CONFIDENCE", "QUESTION", "FOUND"], &rows(&tested))?;
            output::text(&format!("{} passed, {failed} failed\n", tested.len() - failed))?;
        }
    }
    if failed == 0 { Ok(()) } else { Err(CommandFailure::silent()) }
}

fn lines(tested: &[TestResult]) -> Vec<serde_json::Value> {
    let line = |test: &TestResult| {
        json!({
            "question": test.question,
            "passed": test.is_passed,
            "outcome": test.outcome,
            "rank": test.rank,
            "confidence": test.confidence,
            "foundTitle": test.found_title,
            "foundUrl": test.found_url,
        })
    };
    tested.iter().map(line).collect()
}

fn rows(tested: &[TestResult]) -> Vec<Vec<String>> {
    let row = |test: &TestResult| {
        vec![
            if test.is_passed { "pass" } else { "FAIL" }.to_owned(),
            format!("{:?}", test.outcome),
            test.rank.map_or_else(|| "-".to_owned(), |rank| rank.to_string()),
            format!("{:.2}", test.confidence),
            test.question.clone(),
            test.found_url.clone().or_else(|| test.found_title.clone()).unwrap_or_default(),
        ]
    };
    tested.iter().map(row).collect()
}

/// Runs every query of a labeled data set against its corpus and writes the results.
pub(super) async fn measure(context: &CommandContext, corpus: &Path, run: &Path) -> Result<(), CommandFailure> {
    let entries: Vec<CorpusEntry> = read(&corpus.join("corpus.jsonl"))?;
    let queries: Vec<CorpusQuery> = read(&corpus.join("queries.jsonl"))?;
    let settings = AnswerPolicy::default();
    let trials = match installation::embedder(context.settings()?, Arc::default()).await? {
        Some(model) => evaluate::trials_by(&*model, &entries, &queries, &settings)
            .await
            .map_err(|error| CommandFailure::failed(error.to_string()))?,
        None => evaluate::trials(&entries, &queries, &settings, Channels::default()),
    };
    let lines = evaluate::run(&trials);
    let mut text = String::new();
    for line in &lines {
        let line = serde_json::to_string(line).map_err(|error| CommandFailure::failed(error.to_string()))?;
        let _ = writeln!(text, "{line}");
    }
    std::fs::write(run, text)
        .map_err(|error| CommandFailure::failed(format!("cannot write {}: {error}", run.display())))?;
    let answered = lines.iter().filter(|line| line.answered).count();
    let is_right = |trial: &&evaluate::Trial<'_>| {
        trial.ranked.first().is_some_and(|first| trial.query.relevant.iter().any(|id| id == first))
    };
    let right = trials.iter().filter(is_right).count();
    match context.is_json {
        true => output::json(&json!({ "queries": lines.len(), "answered": answered, "firstIsRelevant": right })),
        false => output::text(&format!(
            "{} queries, {answered} answered, {right} with a relevant entry ranked first\n",
            lines.len()
        )),
    }
}

fn read<T: for<'de> serde::Deserialize<'de>>(path: &Path) -> Result<Vec<T>, CommandFailure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| CommandFailure::failed(format!("cannot read {}: {error}", path.display())))?;
    evaluate::read(&text).map_err(|error| CommandFailure::failed(format!("{}: {error}", path.display())))
}
