//! The worker that syncs sources: it does the jobs of kind [`SYNC`] and [`EMBED`].
//!
//! The server runs one [`Worker`] for as long as it lives, and the command line runs one while it
//! waits. Several sources are synced at once; each host gets one request at a time and one crawl at a
//! time. A worker that takes over a job continues with the visits that the previous one stored. A
//! sync that was canceled, or whose source was deleted, ends when its lease is renewed or its visits
//! are stored. A sync that fails because of the source's content or server ends as `failed`, with a
//! reason for the owner. A sync that fails because of us is repeated, and ends as `failed` after
//! [`ATTEMPTS_MAX`].
//!
//! [`read`] reads one source. `services` decides when a sync is due and runs the jobs
//! ([`JobRunner`]).

mod read;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use helpbot_domain::job::Job;
use helpbot_domain::source::{Source, SourceKind};
use helpbot_outbound::Client;
use helpbot_services::knowledge::vectors;
use helpbot_services::runtime::job_kinds::{EMBED, SYNC};
use helpbot_services::runtime::job_runner::{Backoff, JobEnd, JobHandler, JobRunner};
use helpbot_services::runtime::jobs;
use helpbot_services::sources::options::SourceScope;
use helpbot_services::sources::sync::{self, ActiveSync};
use helpbot_services::sources::{self, SourceOptions};
use helpbot_services::{Error, Result, Services};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::politeness::{HostKey, Manners};
use crate::reader::{ReadOutcome, Reader};
use crate::worker::read::SourceContent;

/// Maximum number of jobs at once. Most of them wait for a server's answer or for their host, and
/// must not keep the sources of other hosts waiting.
const CONCURRENCY: usize = 64;
/// Maximum number of crawls at once. A crawl of 10,000 pages takes an hour and some 30 MB.
const CRAWLS_AT_ONCE: usize = 16;
/// Maximum number of attempts at one sync without any progress, so that a source that crashes the process
/// does not do so forever.
const ATTEMPTS_MAX: u32 = 5;
/// Waiting times after a failure of ours. [`ATTEMPTS_MAX`] keeps them far below the longest one.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(2), longest: Duration::from_secs(3600) };

/// How the syncs of a worker ended since it was created.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Syncs whose content answers now.
    pub indexed: u64,
    /// Syncs that failed with a reason for the owner.
    pub failed: u64,
    /// Attempts that failed because of us and are repeated.
    pub retried: u64,
}

#[derive(Debug, Default)]
struct Tally {
    indexed: AtomicU64,
    failed: AtomicU64,
    retried: AtomicU64,
}

/// Does the jobs of this crate.
pub struct Worker {
    services: Services,
    reader: Arc<Reader>,
    /// Name on the leases, different for each worker.
    owner: String,
    crawls: Semaphore,
    tally: Tally,
}

impl Worker {
    /// Creates a worker that fetches through `client`. `owner` must differ from that of every other
    /// worker. `pdf_program` is the program that reads PDF files in a child process.
    pub fn new(services: Services, client: Client, owner: String, pdf_program: PathBuf) -> Arc<Self> {
        Self::with_manners(services, client, owner, pdf_program, Manners::default())
    }

    /// Creates a worker with other limits for the requests to web sites.
    pub fn with_manners(
        services: Services,
        client: Client,
        owner: String,
        pdf_program: PathBuf,
        manners: Manners,
    ) -> Arc<Self> {
        let reader = Arc::new(Reader::new(services.clone(), client, owner.clone(), pdf_program, manners));
        let crawls = Semaphore::new(CRAWLS_AT_ONCE);
        Arc::new(Self { services, reader, owner, crawls, tally: Tally::default() })
    }

    /// Returns how syncs ended so far.
    pub fn counts(&self) -> Counts {
        Counts {
            indexed: self.tally.indexed.load(Ordering::Relaxed),
            failed: self.tally.failed.load(Ordering::Relaxed),
            retried: self.tally.retried.load(Ordering::Relaxed),
        }
    }

    /// Works until `stop` is canceled. Running syncs then return to the queue, and another worker
    /// continues them at once.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let woken = jobs::changes(&self.services);
        self.runner().run(woken, stop).await;
    }

    /// Works until no job is due, then returns.
    pub async fn work_off(self: Arc<Self>) {
        self.runner().run_until_idle().await;
    }

    fn runner(self: Arc<Self>) -> Arc<JobRunner> {
        let (services, owner) = (self.services.clone(), self.owner.clone());
        JobRunner::new(services, self, owner, CONCURRENCY, BACKOFF)
    }

    async fn sync(&self, job: &Job) -> Result<()> {
        let Some(active) = sync::begin(&self.services, job, &self.owner).await? else { return Ok(()) };
        let done = if active.attempts > ATTEMPTS_MAX {
            self.fail(
                &active,
                "The sync was interrupted several times. Check the server log, then sync the source again.",
            )
            .await
        } else {
            self.read(&active).await
        };
        match done {
            // The source was deleted or replaced, or another worker has the job: nothing is left to do.
            Err(Error::NotFound(_)) => Ok(()),
            ended => ended,
        }
    }

    async fn read(&self, active: &ActiveSync) -> Result<()> {
        let source = &active.source;
        let host = self.crawled_host(source);
        let _turn = match &host {
            Some(host) => Some((host.crawl().await, self.crawls.acquire().await.map_err(Error::internal)?)),
            None => None,
        };
        let completed = match read::source(&self.reader, active).await? {
            SourceContent::Crawled(crawled) => crawled.store(&self.services, active).await?,
            SourceContent::Page(ReadOutcome::Read { title, pages }) => {
                sync::complete(&self.services, active, title, pages).await?
            }
            SourceContent::Page(ReadOutcome::Failed(reason)) => return self.fail(active, &reason).await,
        };
        let tally = if completed.is_held_back { &self.tally.failed } else { &self.tally.indexed };
        tally.fetch_add(1, Ordering::Relaxed);
        let sync::CompletedSync { documents, chunks, changed, is_held_back } = completed;
        tracing::info!(source = %source.id, documents, chunks, changed, is_held_back, "a sync is complete");
        Ok(())
    }

    /// Returns the host that a crawl must wait for. A single page waits for none.
    fn crawled_host(&self, source: &Source) -> Option<Arc<HostKey>> {
        let is_crawl = source.kind == SourceKind::Url && SourceOptions::of(source).scope != SourceScope::Page;
        let url = is_crawl.then(|| Url::parse(&source.url).ok()).flatten()?;
        Some(self.reader.hosts.of(&url))
    }

    async fn fail(&self, active: &ActiveSync, reason: &str) -> Result<()> {
        sync::fail(&self.services, active, reason).await?;
        self.tally.failed.fetch_add(1, Ordering::Relaxed);
        tracing::info!(source = %active.source.id, reason, "a sync failed");
        Ok(())
    }
}

impl JobHandler for Worker {
    fn kinds(&self) -> &'static [&'static str] {
        &[SYNC, EMBED]
    }

    fn work<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<JobEnd>> {
        Box::pin(async move {
            match job.kind.as_str() {
                EMBED => vectors::embed(&self.services, job).await?,
                _ => self.sync(job).await?,
            }
            Ok(JobEnd::Done)
        })
    }

    fn before_claim(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Err(error) = sources::enqueue_due(&self.services).await {
                tracing::warn!(error = error.detail(), "syncs that are due by schedule could not be queued");
            }
        })
    }

    fn on_failure(&self) {
        self.tally.retried.fetch_add(1, Ordering::Relaxed);
    }
}
