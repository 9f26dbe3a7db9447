//! `helpbot source …`

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use helpbot_domain::ids::{SiteId, SourceId};
use helpbot_domain::source::{SourceKind, SourceStatus};
use helpbot_services::sources::options::{SourceSchedule, SourceScope};
use helpbot_services::sources::{Change, Crawl};
use helpbot_services::{Source, Viewer, sources};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::context::{self, Context};
use super::failure::Failure;
use super::output;
use super::progress::Progress;
use crate::Installation;

/// Sources read at a time.
const PAGE: i64 = 500;
/// How often the state of awaited sources is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

#[derive(Debug, Subcommand)]
pub(super) enum SourceCommand {
    /// Add addresses and files
    Add {
        /// Addresses that begin with http:// or https://, and paths of files
        #[arg(required = true, value_name = "URL|FILE")]
        what: Vec<String>,
        /// The site [default: the only one]
        #[arg(long)]
        site: Option<SiteId>,
        #[command(flatten)]
        wishes: Wishes,
        /// Wait until each is read, and fail when one fails
        #[arg(long)]
        wait: bool,
    },
    /// List the sources of a site
    List {
        /// The site [default: the only one]
        #[arg(long)]
        site: Option<SiteId>,
    },
    /// Read an address or a stored file again
    Rescrape {
        /// The source
        source: SourceId,
        /// The site [default: the only one]
        #[arg(long)]
        site: Option<SiteId>,
        /// Wait until it is read, and fail when that fails
        #[arg(long)]
        wait: bool,
    },
    /// Cancel the reading that a source waits for or is in; what was indexed before answers on
    Cancel {
        /// The source
        source: SourceId,
        /// The site [default: the only one]
        #[arg(long)]
        site: Option<SiteId>,
    },
    /// Delete a source; no answer comes from it any more
    Delete {
        /// The source
        source: SourceId,
        /// The site [default: the only one]
        #[arg(long)]
        site: Option<SiteId>,
    },
}

/// How addresses are read; what is not said is as it is, or the default.
#[derive(Debug, Args)]
pub(super) struct Wishes {
    /// How far to read: that page alone, its folder, or its whole host [default: page]
    #[arg(long)]
    scope: Option<Scope>,
    /// At most so many links from the address to a page [default: 10]
    #[arg(long, value_name = "LINKS")]
    depth: Option<i32>,
    /// At most so many pages [default: 500]
    #[arg(long, value_name = "N")]
    max_pages: Option<i32>,
    /// How often to read it again [default: none]
    #[arg(long)]
    schedule: Option<Schedule>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Scope {
    Page,
    Section,
    Site,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Schedule {
    None,
    Hourly,
    Daily,
    Weekly,
    Monthly,
}

impl From<Wishes> for Change {
    fn from(wishes: Wishes) -> Self {
        Self {
            scope: wishes.scope.map(|scope| match scope {
                Scope::Page => SourceScope::Page,
                Scope::Section => SourceScope::Section,
                Scope::Site => SourceScope::Site,
            }),
            max_pages: wishes.max_pages,
            max_depth: wishes.depth,
            schedule: wishes.schedule.map(|schedule| match schedule {
                Schedule::None => SourceSchedule::None,
                Schedule::Hourly => SourceSchedule::Hourly,
                Schedule::Daily => SourceSchedule::Daily,
                Schedule::Weekly => SourceSchedule::Weekly,
                Schedule::Monthly => SourceSchedule::Monthly,
            }),
        }
    }
}

pub(super) async fn run(context: &Context, command: SourceCommand) -> Result<(), Failure> {
    match command {
        SourceCommand::Add { what, site, wishes, wait } => add(context, &what, site, wishes.into(), wait).await,
        SourceCommand::List { site } => list(context, site).await,
        SourceCommand::Rescrape { source, site, wait } => {
            let work = Work::begin(context, site).await?;
            let source = work.read_again(source).await?;
            work.finish(context, vec![source], wait).await
        }
        SourceCommand::Cancel { source, site } => {
            let work = Work::begin(context, site).await?;
            let (services, site) = (&work.installation.services, Some(work.site));
            print(context, &[sources::cancel(services, &work.operator, site, source).await?])
        }
        SourceCommand::Delete { source, site } => {
            let work = Work::begin(context, site).await?;
            sources::delete(&work.installation.services, &work.operator, Some(work.site), source).await?;
            match context.is_json {
                true => output::json(&json!({ "deleted": source })),
                false => output::text(&format!("Deleted {source}\n")),
            }
        }
    }
}

/// One thing to add: a file is read before anything is stored.
enum New {
    Address(String),
    File(String, Vec<u8>),
}

impl New {
    fn of(text: &str) -> Result<Self, Failure> {
        let lower = text.to_ascii_lowercase();
        if lower.starts_with("http://") || lower.starts_with("https://") {
            return Ok(New::Address(text.to_owned()));
        }
        if lower.contains("://") {
            return Err(Failure::usage(format!("{text}: only http and https addresses can be read")));
        }
        let path = Path::new(text);
        let content = std::fs::read(path).map_err(|error| {
            let hint = if path.exists() { "" } else { "; an address begins with https://" };
            Failure::failed(format!("cannot read {text}: {error}{hint}"))
        })?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(New::File(name, content))
    }
}

async fn add(
    context: &Context,
    what: &[String],
    site: Option<SiteId>,
    wishes: Change,
    wait: bool,
) -> Result<(), Failure> {
    let new: Vec<New> = what.iter().map(|text| New::of(text)).collect::<Result<_, _>>()?;
    if wishes != Change::default() && new.iter().any(|new| matches!(new, New::File(..))) {
        return Err(Failure::usage("--scope, --depth, --max-pages and --schedule are for addresses, not for files"));
    }
    let work = Work::begin(context, site).await?;
    let services = &work.installation.services;
    let mut added = Vec::with_capacity(new.len());
    for (new, text) in new.into_iter().zip(what) {
        let result = match new {
            New::Address(address) => work.add_address(&address, wishes).await,
            New::File(name, content) => {
                let added = sources::add_file(services, &work.operator, Some(work.site), &name, content).await;
                added.map(|(source, _)| source)
            }
        };
        match result {
            Ok(source) => added.push(source),
            Err(helpbot_services::Error::Invalid(invalid)) => {
                return Err(Failure::failed(format!("{text} was not added: {invalid}")));
            }
            Err(error) => return Err(error.into()),
        }
    }
    work.finish(context, added, wait).await
}

async fn list(context: &Context, site: Option<SiteId>) -> Result<(), Failure> {
    let installation = context.open().await?;
    let site = context::site(&installation, site).await?;
    let mut all: Vec<Source> = Vec::new();
    loop {
        let after = all.last().map(|source| source.id);
        let page = sources::Page { after, before: None, is_backward: false, limit: PAGE };
        let page = sources::list(&installation.services, &installation.operator(), &site, page).await?;
        let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        all.extend(page);
        if is_last {
            break;
        }
    }
    print(context, &all)
}

/// The installation and site that a command works on.
struct Work {
    installation: Installation,
    operator: Viewer,
    site: SiteId,
}

impl Work {
    async fn begin(context: &Context, site: Option<SiteId>) -> Result<Self, Failure> {
        let installation = context.open().await?;
        let site = context::site(&installation, site).await?.id;
        let operator = installation.operator();
        Ok(Self { installation, operator, site })
    }

    /// Adds an address; one that is there already is given other options if some are wished for.
    async fn add_address(&self, address: &str, wishes: Change) -> helpbot_services::Result<Source> {
        let (services, site) = (&self.installation.services, Some(self.site));
        let (source, is_new) = sources::add_crawl(services, &self.operator, site, address, wishes).await?;
        if is_new || wishes == Change::default() {
            return Ok(source);
        }
        sources::update(services, &self.operator, site, source.id, wishes).await
    }

    async fn read_again(&self, id: SourceId) -> Result<Source, Failure> {
        let (services, site) = (&self.installation.services, Some(self.site));
        let found = sources::by_ids(services, &self.operator, site, &[id]).await?.pop();
        Ok(match found.map(|source| source.kind) {
            Some(SourceKind::File) => sources::reread(services, &self.operator, site, id).await?,
            _ => sources::rescrape(services, &self.operator, site, id).await?,
        })
    }

    /// Prints the sources, if asked once each is read.
    async fn finish(&self, context: &Context, mut all: Vec<Source>, wait: bool) -> Result<(), Failure> {
        if wait {
            let stop = CancellationToken::new();
            // Where a server runs, either of the two takes the job; the lease keeps them apart.
            let worker = tokio::spawn(self.installation.worker().run(stop.clone()));
            let awaited = self.read(&all).await;
            stop.cancel();
            // What it was reading for others is put back.
            let _ = worker.await;
            all = awaited?;
        }
        print(context, &all)?;
        let failed = all.iter().filter(|source| source.status == SourceStatus::Failed).count();
        if wait && failed > 0 { Err(Failure::silent()) } else { Ok(()) }
    }

    /// The sources once none of them waits or is read, telling how each goes on.
    async fn read(&self, all: &[Source]) -> Result<Vec<Source>, Failure> {
        let ids: Vec<SourceId> = all.iter().map(|source| source.id).collect();
        let mut progress = Progress::new();
        loop {
            let now = sources::by_ids(&self.installation.services, &self.operator, Some(self.site), &ids).await?;
            now.iter().for_each(|source| progress.tell(source));
            if !now.iter().any(|source| source.status.is_busy()) {
                let mut now: HashMap<SourceId, Source> = now.into_iter().map(|source| (source.id, source)).collect();
                return Ok(ids.iter().filter_map(|id| now.remove(id)).collect());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

fn print(context: &Context, all: &[Source]) -> Result<(), Failure> {
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
        "crawl": Crawl::of(source),
        "lastScrapedAt": source.last_scraped_at,
        "createdAt": source.created_at,
        "updatedAt": source.updated_at,
    })
}
