//! `helpbot extract`: prints the questions and answers that a sync would extract from a file. It stores
//! nothing and needs no database.

use std::path::PathBuf;

use clap::Args;
use helpbot_ingest::extract::{self, Item};
use helpbot_ingest::files;
use serde_json::json;

use super::failure::CommandFailure;
use super::output;

#[derive(Debug, Args)]
pub(super) struct ExtractArgs {
    /// Files in the formats PDF, DOCX, XLSX, PPTX, ODT, ODS, ODP, HTML, Markdown, plain text or CSV.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Also print the texts that are left out, each with the reason. With `--json`, each is one line with `page`,
    /// `omitted` and `reason`.
    #[arg(long)]
    omitted: bool,
}

/// Prints the question-answer pairs of each file. With `--json`, each pair is one line with `page`, `q` and `a`.
pub(super) fn run(is_json: bool, args: &ExtractArgs) -> Result<(), CommandFailure> {
    let mut failed = 0;
    for path in &args.files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let read = std::fs::read(path).map_err(|error| error.to_string());
        let page = read.and_then(|bytes| files::extract(&name, &bytes).map_err(|error| error.to_string()));
        match page {
            Ok(page) => {
                print(is_json, &name, &page)?;
                if args.omitted {
                    print_omitted(is_json, &name, &page)?;
                }
            }
            Err(reason) => {
                failed += 1;
                output::progress(&format!("{}: {reason}", path.display()));
            }
        }
    }
    if failed == 0 { Ok(()) } else { Err(CommandFailure::silent()) }
}

fn print(is_json: bool, name: &str, page: &extract::Page) -> Result<(), CommandFailure> {
    for item in page.pairs() {
        let Item::Pair { question, answer, .. } = item else { continue };
        match is_json {
            true => output::text(&format!("{}\n", json!({ "page": name, "q": question, "a": item.answer_text() })))?,
            false => output::text(&format!("{question}\n{answer}\n\n"))?,
        }
    }
    Ok(())
}

fn print_omitted(is_json: bool, name: &str, page: &extract::Page) -> Result<(), CommandFailure> {
    for omission in &page.omitted {
        let (sample, reason) = (&omission.sample, omission.reason);
        match is_json {
            true => output::text(&format!("{}\n", json!({ "page": name, "omitted": sample, "reason": reason })))?,
            false => output::text(&format!("Left out ({}): {sample}\n", reason.words()))?,
        }
    }
    Ok(())
}
