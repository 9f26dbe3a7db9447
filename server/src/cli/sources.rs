//! `helpbot source`: adds, lists, syncs, cancels and deletes sources, and waits for syncs on request.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use helpbot_domain::ids::{SiteId, SourceId};
use helpbot_domain::page::PageRequest;
use helpbot_domain::source::{Source, SourceFilter, SourceStatus};
use helpbot_services::sources::options::{SourceSchedule, SourceScope};
use helpbot_services::sources::{SourceOptionsPatch, SyncReport};
use helpbot_services::{Viewer, sources};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::context::{self, CommandContext};
use super::failure::CommandFailure;
use super::output;
use super::progress::SyncProgress;
use crate::Installation;

/// Number of sources that are read from the database at a time.
const PAGE: i64 = 500;
/// Interval at which the status of awaited sources is read.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

#[derive(Debug, Subcommand)]
pub(super) enum SourceCommand {
    /// Add web addresses and files as sources.
    Add {
        /// Web addresses that begin with http:// or https://, and paths of files.
        #[arg(required = true, value_name = "URL|FILE")]
        what: Vec<String>,
        /// ID of the site. May be left out when there is only one site.
        #[arg(long)]
        site: Option<SiteId>,
        #[command(flatten)]
        crawl: CrawlArgs,
        /// Wait until every source is synced. The command fails when a sync fails.
        #[arg(long)]
        wait: bool,
    },
    /// List the sources of a site.
    List {
        /// ID of the site. May be left out when there is only one site.
        #[arg(long)]
        site: Option<SiteId>,
    },
    /// Sync a web address or a stored file again.
    #[command(alias = "rescrape")]
    Sync {
        /// ID of the source.
        source: SourceId,
        /// ID of the site. May be left out when there is only one site.
        #[arg(long)]
        site: Option<SiteId>,
        /// Wait until the source is synced. The command fails when the sync fails.
        #[arg(long)]
        wait: bool,
    },
    /// Cancel the pending or running sync of a source. Its previous entries remain in use.
    Cancel {
        /// ID of the source.
        source: SourceId,
        /// ID of the site. May be left out when there is only one site.
        #[arg(long)]
        site: Option<SiteId>,
    },
    /// Delete a source with its pages and entries.
    Delete {
        /// ID of the source.
        source: SourceId,
        /// ID of the site. May be left out when there is only one site.
        #[arg(long)]
        site: Option<SiteId>,
    },
}

/// How a web address is synced. For an existing source, an argument that is left out changes nothing.
#[derive(Debug, Args)]
pub(super) struct CrawlArgs {
    /// Pages to read: the page itself, all pages of its folder, or all pages of its host. Defaults to page.
    #[arg(long)]
    scope: Option<ScopeArg>,
    /// Maximum number of links from the address to a page. Defaults to 10.
    #[arg(long, value_name = "LINKS")]
    depth: Option<i32>,
    /// Maximum number of pages that a sync fetches, 1 to 10,000. Defaults to 10,000.
    #[arg(long, value_name = "N")]
    max_pages: Option<i32>,
    /// How often the source is synced again. Defaults to none.
    #[arg(long)]
    schedule: Option<ScheduleArg>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ScopeArg {
    Page,
    Section,
    Site,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ScheduleArg {
    None,
    Hourly,
    Daily,
    Weekly,
    Monthly,
}

impl From<CrawlArgs> for SourceOptionsPatch {
    fn from(crawl: CrawlArgs) -> Self {
        Self {
            scope: crawl.scope.map(|scope| match scope {
                ScopeArg::Page => SourceScope::Page,
                ScopeArg::Section => SourceScope::Section,
                ScopeArg::Site => SourceScope::Site,
            }),
            max_pages: crawl.max_pages,
            max_depth: crawl.depth,
            schedule: crawl.schedule.map(|schedule| match schedule {
                ScheduleArg::None => SourceSchedule::None,
                ScheduleArg::Hourly => SourceSchedule::Hourly,
                ScheduleArg::Daily => SourceSchedule::Daily,
                ScheduleArg::Weekly => SourceSchedule::Weekly,
                ScheduleArg::Monthly => SourceSchedule::Monthly,
            }),
        }
    }
}

pub(super) async fn run(context: &CommandContext, command: SourceCommand) -> Result<(), CommandFailure> {
    match command {
        SourceCommand::Add { what, site, crawl, wait } => add(context, &what, site, crawl.into(), wait).await,
        SourceCommand::List { site } => list(context, site).await,
        SourceCommand::Sync { source, site, wait } => {
            let work = OpenSite::begin(context, site).await?;
            let source = work.sync_again(source).await?;
            work.finish(context, vec![source], wait).await
        }
        SourceCommand::Cancel { source, site } => {
            let work = OpenSite::begin(context, site).await?;
            let (services, site) = (&work.installation.services, Some(work.site));
            print(context, &[sources::cancel(services, &work.operator, site, source).await?])
        }
        SourceCommand::Delete { source, site } => {
            let work = OpenSite::begin(context, site).await?;
            sources::delete(&work.installation.services, &work.operator, Some(work.site), source).await?;
            match context.is_json {
                true => output::json(&json!({ "deleted": source })),
                false => output::text(&format!("Deleted {source}\n")),
            }
        }
    }
}

/// A source to add. Files are read before anything is stored.
enum NewSource {
    Address(String),
    File(String, Vec<u8>),
}

impl NewSource {
    fn of(text: &str) -> Result<Self, CommandFailure> {
        let lower = text.to_ascii_lowercase();
        if lower.starts_with("http://") || lower.starts_with("https://") {
            return Ok(NewSource::Address(text.to_owned()));
        }
        if lower.contains("://") {
            return Err(CommandFailure::usage(format!("{text}: only http and https addresses can be added")));
        }
        let path = Path::new(text);
        let content = std::fs::read(path).map_err(|error| {
            let hint = if path.exists() { "" } else { "; a web address begins with http:// or https://" };
            CommandFailure::failed(format!("cannot read {text}: {error}{hint}"))
        })?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(NewSource::File(name, content))
    }
}

async fn add(
    context: &CommandContext,
    what: &[String],
    site: Option<SiteId>,
    crawl: SourceOptionsPatch,
    wait: bool,
) -> Result<(), CommandFailure> {
    let new: Vec<NewSource> = what.iter().map(|text| NewSource::of(text)).collect::<Result<_, _>>()?;
    if crawl != SourceOptionsPatch::default() && new.iter().any(|new| matches!(new, NewSource::File(..))) {
        return Err(CommandFailure::usage(
            "--scope, --depth, --max-pages and --schedule apply to web addresses, not to files",
        ));
    }
    let work = OpenSite::begin(context, site).await?;
    let services = &work.installation.services;
    let mut added = Vec::with_capacity(new.len());
    for (new, text) in new.into_iter().zip(what) {
        let result = match new {
            NewSource::Address(address) => work.add_address(&address, crawl).await,
            NewSource::File(name, content) => {
                let added = sources::add_file(services, &work.operator, Some(work.site), &name, content).await;
                added.map(|(source, _)| source)
            }
        };
        match result {
            Ok(source) => added.push(source),
            Err(helpbot_services::Error::Invalid(invalid)) => {
                return Err(CommandFailure::failed(format!("{text} was not added: {invalid}")));
            }
            Err(error) => return Err(error.into()),
        }
    }
    work.finish(context, added, wait).await
}

async fn list(context: &CommandContext, site: Option<SiteId>) -> Result<(), CommandFailure> {
    let installation = context.open().await?;
    let site = context::site(&installation, site).await?;
    let mut all: Vec<Source> = Vec::new();
    loop {
        let after = all.last().map(|source| source.id);
        let page = PageRequest::after(after, PAGE);
        let (operator, filter) = (installation.operator(), SourceFilter::default());
        let page = sources::list(&installation.services, &operator, &site, &filter, page).await?;
        let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        all.extend(page);
        if is_last {
            break;
        }
    }
    print(context, &all)
}

/// The installation and the site that a command works on.
struct OpenSite {
    installation: Installation,
    operator: Viewer,
    site: SiteId,
}

impl OpenSite {
    async fn begin(context: &CommandContext, site: Option<SiteId>) -> Result<Self, CommandFailure> {
        let installation = context.open().await?;
        let site = context::site(&installation, site).await?.id;
        let operator = installation.operator();
        Ok(Self { installation, operator, site })
    }

    /// Adds a web address. For an address that is already a source, changes the options that are given.
    async fn add_address(&self, address: &str, crawl: SourceOptionsPatch) -> helpbot_services::Result<Source> {
        let (services, site) = (&self.installation.services, Some(self.site));
        let (source, is_new) = sources::add_crawl(services, &self.operator, site, address, crawl).await?;
        if is_new || crawl == SourceOptionsPatch::default() {
            return Ok(source);
        }
        sources::update(services, &self.operator, site, source.id, crawl).await
    }

    async fn sync_again(&self, id: SourceId) -> Result<Source, CommandFailure> {
        let services = &self.installation.services;
        Ok(sources::request_sync(services, &self.operator, Some(self.site), id, None).await?)
    }

    /// Prints the sources. With `wait`, waits until all of them are synced.
    async fn finish(&self, context: &CommandContext, mut all: Vec<Source>, wait: bool) -> Result<(), CommandFailure> {
        if wait {
            let stop = CancellationToken::new();
            // When a server is running too, either of the two claims the job; the lease keeps them apart.
            let worker = tokio::spawn(self.installation.worker().run(stop.clone()));
            let awaited = self.wait_for(&all).await;
            stop.cancel();
            // The worker returns jobs of other sources that it has claimed.
            let _ = worker.await;
            all = awaited?;
        }
        print(context, &all)?;
        let failed = all.iter().filter(|source| source.status == SourceStatus::Failed).count();
        if wait && failed > 0 { Err(CommandFailure::silent()) } else { Ok(()) }
    }

    /// Waits until no source has a pending or running sync, and shows the progress of each.
    async fn wait_for(&self, all: &[Source]) -> Result<Vec<Source>, CommandFailure> {
        let ids: Vec<SourceId> = all.iter().map(|source| source.id).collect();
        let mut progress = SyncProgress::new();
        loop {
            let now = sources::by_ids(&self.installation.services, &self.operator, Some(self.site), &ids).await?;
            now.iter().for_each(|source| progress.update(source));
            if !now.iter().any(|source| source.status.is_busy()) {
                let mut now: HashMap<SourceId, Source> = now.into_iter().map(|source| (source.id, source)).collect();
                return Ok(ids.iter().filter_map(|id| now.remove(id)).collect());
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

fn print(context: &CommandContext, all: &[Source]) -> Result<(), CommandFailure> {
    if context.is_json {
        return output::json(&json!({ "sources": all.iter().map(shown).collect::<Vec<_>>() }));
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|source| {
            let note = source.error.clone().or_else(|| source.title.clone()).unwrap_or_default();
            vec![
                source.id.to_string(),
                source.status.as_str().to_owned(),
                source.chunk_count.to_string(),
                source.url.clone(),
                note,
            ]
        })
        .collect();
    output::table(&["SOURCE", "STATUS", "ENTRIES", "ADDRESS", "NOTE"], &rows)
}

fn shown(source: &Source) -> Value {
    json!({
        "id": source.id,
        "type": source.kind,
        "url": source.url,
        "title": source.title,
        "status": source.status,
        "error": source.error,
        "documentCount": source.document_count,
        "chunkCount": source.chunk_count,
        "crawl": SyncReport::of(source),
        "lastScrapedAt": source.last_scraped_at,
        "createdAt": source.created_at,
        "updatedAt": source.updated_at,
    })
}
