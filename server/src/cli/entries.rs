//! `helpbot entries`: exports all entries of a site to a file and imports entries from one.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use helpbot_domain::ids::SiteId;
use helpbot_services::knowledge::entries::table::Format;
use helpbot_services::knowledge::entries::transfer::{self, Imported};
use serde_json::json;

use super::context::{self, CommandContext};
use super::failure::CommandFailure;
use super::output;

#[derive(Debug, Subcommand)]
pub(super) enum EntryCommand {
    /// Import the entries of a file. Nothing is imported when a row is not valid.
    Import {
        /// CSV file with a header line, or JSON lines. Fields: id, question, answer, url, phrasings, categories.
        file: PathBuf,
        /// ID of the site. May be left out when there is only one site.
        #[arg(long)]
        site: Option<SiteId>,
        /// Format of the file. Defaults to the format that the file name ends with.
        #[arg(long)]
        format: Option<FileFormat>,
    },
    /// Export all entries of a site.
    Export {
        /// File to write. Defaults to stdout.
        file: Option<PathBuf>,
        /// ID of the site. May be left out when there is only one site.
        #[arg(long)]
        site: Option<SiteId>,
        /// Format to write. Defaults to the format that the file name ends with, or to csv.
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

pub(super) async fn run(context: &CommandContext, command: EntryCommand) -> Result<(), CommandFailure> {
    match command {
        EntryCommand::Import { file, site, format } => import(context, &file, site, format).await,
        EntryCommand::Export { file, site, format } => export(context, file.as_deref(), site, format).await,
    }
}

/// The format that the name of a file ends with.
fn format_of_name(path: &Path) -> Option<Format> {
    Format::of_name(&path.file_name()?.to_string_lossy())
}

async fn import(
    context: &CommandContext,
    path: &Path,
    site: Option<SiteId>,
    format: Option<FileFormat>,
) -> Result<(), CommandFailure> {
    let format = format.map(Format::from).or_else(|| format_of_name(path));
    let format = format.ok_or_else(|| {
        CommandFailure::usage(format!(
            "the name of {} shows no format; add --format csv or --format jsonl",
            path.display()
        ))
    })?;
    let content = std::fs::read(path);
    let content =
        content.map_err(|error| CommandFailure::failed(format!("cannot read {}: {error}", path.display())))?;
    let installation = context.open().await?;
    let (services, operator) = (&installation.services, installation.operator());
    let site = context::site(&installation, site).await?.id;
    let imported = transfer::import(services, &operator, Some(site), format, content).await;
    let Imported { added, updated, unchanged } = imported.map_err(|error| match error {
        helpbot_services::Error::Invalid(invalid) => CommandFailure::failed(format!("{}: {invalid}", path.display())),
        error => error.into(),
    })?;
    match context.is_json {
        true => output::json(&json!({ "added": added, "updated": updated, "unchanged": unchanged })),
        false => output::text(&format!("{added} added, {updated} updated, {unchanged} unchanged\n")),
    }
}

async fn export(
    context: &CommandContext,
    path: Option<&Path>,
    site: Option<SiteId>,
    format: Option<FileFormat>,
) -> Result<(), CommandFailure> {
    let format = format.map(Format::from).or_else(|| path.and_then(format_of_name)).unwrap_or(Format::Csv);
    let installation = context.open().await?;
    let site = context::site(&installation, site).await?.id;
    let mut export = transfer::export(&installation.services, &installation.operator(), Some(site), format).await?;
    let Some(path) = path else {
        while let Some(piece) = export.next().await? {
            output::text(&piece)?;
        }
        return Ok(());
    };
    let failed = |error: std::io::Error| CommandFailure::failed(format!("cannot write {}: {error}", path.display()));
    let mut file = std::fs::File::create(path).map_err(failed)?;
    while let Some(piece) = export.next().await? {
        file.write_all(piece.as_bytes()).map_err(failed)?;
    }
    file.sync_all().map_err(failed)
}
