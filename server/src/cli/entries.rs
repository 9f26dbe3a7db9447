//! `helpbot entries …`: all questions with their answers, into a file and from one.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use helpbot_domain::ids::SiteId;
use helpbot_services::knowledge::entries::table::Format;
use helpbot_services::knowledge::entries::transfer::{self, Imported};
use serde_json::json;

use super::context::{self, Context};
use super::failure::Failure;
use super::output;

#[derive(Debug, Subcommand)]
pub(super) enum EntryCommand {
    /// Take the entries of a file in: all of them or, when a row is refused, none
    Import {
        /// CSV with a head, or JSON lines: id, question, answer, url, phrasings, categories
        file: PathBuf,
        /// The site [default: the only one]
        #[arg(long)]
        site: Option<SiteId>,
        /// How the file is written [default: as its name tells]
        #[arg(long)]
        format: Option<FileFormat>,
    },
    /// Write all entries of a site into a file
    Export {
        /// The file; stdout without one
        file: Option<PathBuf>,
        /// The site [default: the only one]
        #[arg(long)]
        site: Option<SiteId>,
        /// How to write it [default: as its name tells, else csv]
        #[arg(long)]
        format: Option<FileFormat>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum FileFormat {
    Csv,
    Jsonl,
}

impl From<FileFormat> for Format {
    fn from(format: FileFormat) -> Self {
        match format {
            FileFormat::Csv => Format::Csv,
            FileFormat::Jsonl => Format::JsonLines,
        }
    }
}

pub(super) async fn run(context: &Context, command: EntryCommand) -> Result<(), Failure> {
    match command {
        EntryCommand::Import { file, site, format } => import(context, &file, site, format).await,
        EntryCommand::Export { file, site, format } => export(context, file.as_deref(), site, format).await,
    }
}

fn told(path: &Path) -> Option<Format> {
    Format::of_name(&path.file_name()?.to_string_lossy())
}

async fn import(
    context: &Context,
    path: &Path,
    site: Option<SiteId>,
    format: Option<FileFormat>,
) -> Result<(), Failure> {
    let format = format.map(Format::from).or_else(|| told(path));
    let format = format.ok_or_else(|| Failure::usage(format!("{}: say --format csv or jsonl", path.display())))?;
    let content = std::fs::read(path);
    let content = content.map_err(|error| Failure::failed(format!("cannot read {}: {error}", path.display())))?;
    let installation = context.open().await?;
    let (services, operator) = (&installation.services, installation.operator());
    let site = context::site(&installation, site).await?.id;
    let imported = transfer::import(services, &operator, Some(site), format, content).await;
    let Imported { added, updated, unchanged } = imported.map_err(|error| match error {
        helpbot_services::Error::Invalid(invalid) => Failure::failed(format!("{}: {invalid}", path.display())),
        error => error.into(),
    })?;
    match context.is_json {
        true => output::json(&json!({ "added": added, "updated": updated, "unchanged": unchanged })),
        false => output::text(&format!("{added} added, {updated} updated, {unchanged} unchanged\n")),
    }
}

async fn export(
    context: &Context,
    path: Option<&Path>,
    site: Option<SiteId>,
    format: Option<FileFormat>,
) -> Result<(), Failure> {
    let format = format.map(Format::from).or_else(|| path.and_then(told)).unwrap_or(Format::Csv);
    let installation = context.open().await?;
    let site = context::site(&installation, site).await?.id;
    let mut export = transfer::export(&installation.services, &installation.operator(), Some(site), format).await?;
    let Some(path) = path else {
        while let Some(piece) = export.next().await? {
            output::text(&piece)?;
        }
        return Ok(());
    };
    let failed = |error: std::io::Error| Failure::failed(format!("cannot write {}: {error}", path.display()));
    let mut file = std::fs::File::create(path).map_err(failed)?;
    while let Some(piece) = export.next().await? {
        file.write_all(piece.as_bytes()).map_err(failed)?;
    }
    file.sync_all().map_err(failed)
}
