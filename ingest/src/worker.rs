//! The job of reading sources: taken by lease, done, and ended one way or another.
//!
//! The server runs one [`Worker`] for as long as it lives, the command line one while it waits.
//! Several sources are read at once; each host gets one request at a time and one crawl at a
//! time. A lease is renewed while the work goes on; a worker that dies loses it, and another
//! goes on with the visits that it kept. A reading that is cancelled, or whose source is deleted,
//! is noticed when its lease is renewed, or its visits are kept. What a source's content or server
//! is at fault for ends as `failed` with a reason for its owner; what we are at fault for is tried
//! again, and given up in words after [`ATTEMPTS_MAX`]. The vectors of what was read are made here
//! too, where an embedding model is set.
//!
//! How one source is read stands in [`read`]; that its time has come again, in `services`.

mod read;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use helpbot_domain::source::SourceKind;
use helpbot_outbound::Client;
use helpbot_services::knowledge::vectors::{self, EMBED};
use helpbot_services::runtime::jobs;
use helpbot_services::sources::options::SourceScope;
use helpbot_services::sources::reading::{self, Reading};
use helpbot_services::sources::{Options, SCRAPE};
use helpbot_services::{Error, Job, Result, Services, Source};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::politeness::{Host, Manners};
use crate::reader::{Outcome, Reader};

/// Sources in hand at once. Most wait, for a server's answer or for their host's turn, which
/// must not keep those of other hosts from being read.
const AT_ONCE: usize = 64;
/// Crawls under way at once: each holds what it has found in memory until its end.
const CRAWLS_AT_ONCE: usize = 8;
/// Starts of one job before it is given up: a source that takes the process down with it must
/// not do so for ever.
const ATTEMPTS_MAX: i32 = 5;
/// The pause before the second attempt; doubled for each further one.
const FIRST_RETRY: Duration = Duration::from_secs(2);
/// A third of the lease: two renewals may fail before it is lost.
const RENEW_EVERY: Duration = Duration::from_secs(jobs::LEASE.as_secs() / 3);
/// How long to leave a database alone that could not be asked for jobs.
const CLAIM_PAUSE: Duration = Duration::from_secs(1);

/// How readings ended since the worker began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Read and indexed.
    pub indexed: u64,
    /// Failed with a reason for the owner.
    pub failed: u64,
    /// Put back after a fault of ours.
    pub retried: u64,
}

#[derive(Debug, Default)]
struct Tally {
    indexed: AtomicU64,
    failed: AtomicU64,
    retried: AtomicU64,
}

/// Reads sources as jobs ask for it.
pub struct Worker {
    services: Services,
    reader: Arc<Reader>,
    /// The name on the leases, different for each worker.
    owner: String,
    crawls: Semaphore,
    tally: Tally,
}

/// How the work on one job ended.
enum End {
    /// Done or given up; the job goes.
    Finished,
    /// Another worker has the job now, or nobody any more.
    Lost,
}

impl Worker {
    /// A worker that fetches through `client`. `owner` must differ from every other worker's;
    /// `pdf_program` is the program that reads PDF as a child.
    pub fn new(services: Services, client: Client, owner: String, pdf_program: PathBuf) -> Arc<Self> {
        Self::with_manners(services, client, owner, pdf_program, Manners::default())
    }

    /// The same with other manners towards the sites that it reads.
    pub fn with_manners(
        services: Services,
        client: Client,
        owner: String,
        pdf_program: PathBuf,
        manners: Manners,
    ) -> Arc<Self> {
        let reader = Arc::new(Reader::new(services.clone(), client, pdf_program, manners));
        let crawls = Semaphore::new(CRAWLS_AT_ONCE);
        Arc::new(Self { services, reader, owner, crawls, tally: Tally::default() })
    }

    /// How readings ended so far.
    pub fn counts(&self) -> Counts {
        Counts {
            indexed: self.tally.indexed.load(Ordering::Relaxed),
            failed: self.tally.failed.load(Ordering::Relaxed),
            retried: self.tally.retried.load(Ordering::Relaxed),
        }
    }

    /// Works until `stop` is cancelled; then what is being read is put back for another worker,
    /// which goes on with it at once.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut running = JoinSet::new();
        while !stop.is_cancelled() {
            let room = AT_ONCE - running.len();
            if room > 0 {
                self.begin(room, &mut running, &stop).await;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.services.work_may_wait(), if running.len() < AT_ONCE => {}
                Some(ended) = running.join_next(), if !running.is_empty() => report(ended),
            }
        }
        while let Some(ended) = running.join_next().await {
            report(ended);
        }
    }

    /// Works until no job is due, then returns; for the first start, which waits for its own.
    pub async fn work_off(self: Arc<Self>) {
        let (stop, mut running) = (CancellationToken::new(), JoinSet::new());
        while self.begin(AT_ONCE, &mut running, &stop).await > 0 {
            while let Some(ended) = running.join_next().await {
                report(ended);
            }
        }
    }

    /// Takes up to `room` jobs and starts on them; gives how many.
    async fn begin(self: &Arc<Self>, room: usize, running: &mut JoinSet<()>, stop: &CancellationToken) -> usize {
        let limit = i64::try_from(room).unwrap_or(1);
        if let Err(error) = self.services.enqueue_due_sources().await {
            tracing::warn!(%error, "could not look for sources that are due");
        }
        let claimed = match self.services.claim_jobs(&[SCRAPE, EMBED], &self.owner, limit).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(%error, "could not look for sources to read");
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(CLAIM_PAUSE) => {}
                }
                return 0;
            }
        };
        let count = claimed.len();
        for job in claimed {
            let (worker, stop) = (self.clone(), stop.clone());
            running.spawn(async move { worker.work(job, stop).await });
        }
        count
    }

    async fn work(&self, job: Job, stop: CancellationToken) {
        let ended = tokio::select! {
            ended = self.do_job(&job) => ended,
            ended = self.keep_lease(&job) => ended,
            () = stop.cancelled() => {
                self.put_back(&job, Duration::ZERO, "the program was stopped").await;
                return;
            }
        };
        match ended {
            Ok(End::Finished) => {
                if let Err(error) = self.services.finish_job(job.id, &self.owner).await {
                    tracing::warn!(%error, job = %job.id, "a finished job could not be removed; it will run again");
                }
            }
            Ok(End::Lost) => tracing::warn!(job = %job.id, "a job was cancelled, or another worker has taken it over"),
            Err(error) => {
                self.tally.retried.fetch_add(1, Ordering::Relaxed);
                let wait = FIRST_RETRY * 2_u32.saturating_pow(u32::try_from(job.attempts - 1).unwrap_or(0));
                tracing::warn!(error = %cause(&error), job = %job.id, "a job failed; it is tried again");
                self.put_back(&job, wait, &cause(&error)).await;
            }
        }
    }

    async fn put_back(&self, job: &Job, wait: Duration, why: &str) {
        if let Err(error) = self.services.retry_job(job.id, &self.owner, wait, why).await {
            tracing::warn!(%error, job = %job.id, "a job could not be put back; its lease will run out");
        }
    }

    /// Renews the lease for ever; returns only when it is lost.
    async fn keep_lease(&self, job: &Job) -> Result<End> {
        loop {
            tokio::time::sleep(RENEW_EVERY).await;
            match self.services.renew_job(job.id, &self.owner).await {
                Ok(true) => {}
                Ok(false) => return Ok(End::Lost),
                Err(error) => tracing::warn!(%error, job = %job.id, "a lease could not be renewed"),
            }
        }
    }

    async fn do_job(&self, job: &Job) -> Result<End> {
        if job.kind != EMBED {
            return self.read_job(job).await;
        }
        vectors::embed(&self.services, job).await?;
        Ok(End::Finished)
    }

    async fn read_job(&self, job: &Job) -> Result<End> {
        let Some(reading) = reading::begin(&self.services, job, &self.owner).await? else { return Ok(End::Finished) };
        let done = if job.attempts > ATTEMPTS_MAX {
            self.fail(&reading, "Reading it broke off several times; add it again once the log says why").await
        } else {
            self.read_in_turn(&reading).await
        };
        match done {
            // Deleted, replaced or taken over while it was read: there is nothing left to do.
            Err(Error::NotFound(_)) => Ok(End::Finished),
            ended => ended.map(|()| End::Finished),
        }
    }

    async fn read_in_turn(&self, reading: &Reading) -> Result<()> {
        let source = &reading.source;
        let host = self.crawled_host(source);
        let _turn = match &host {
            Some(host) => Some((host.crawl().await, self.crawls.acquire().await.map_err(Error::internal)?)),
            None => None,
        };
        match read::source(&self.reader, reading).await? {
            Outcome::Read { title, pages } => {
                let completed = reading::complete(&self.services, reading, title, pages).await?;
                let tally = if completed.is_held_back { &self.tally.failed } else { &self.tally.indexed };
                tally.fetch_add(1, Ordering::Relaxed);
                let reading::Completed { documents, chunks, changed, is_held_back } = completed;
                tracing::info!(source = %source.id, documents, chunks, changed, is_held_back, "a source was read");
            }
            Outcome::Failed(reason) => self.fail(reading, &reason).await?,
        }
        Ok(())
    }

    /// The host whose turn a source must wait for: that of a crawl.
    fn crawled_host(&self, source: &Source) -> Option<Arc<Host>> {
        let is_crawl = source.kind == SourceKind::Url && Options::of(source).scope != SourceScope::Page;
        let url = is_crawl.then(|| Url::parse(&source.url).ok()).flatten()?;
        Some(self.reader.hosts.of(&url))
    }

    async fn fail(&self, reading: &Reading, reason: &str) -> Result<()> {
        reading::fail(&self.services, reading, reason).await?;
        self.tally.failed.fetch_add(1, Ordering::Relaxed);
        tracing::info!(source = %reading.source.id, reason, "a source failed");
        Ok(())
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        // The lease runs out and the job is tried again, at most ATTEMPTS_MAX times.
        tracing::error!(%error, "reading a source panicked");
    }
}

/// What went wrong, for the log: the words of a service error hide it.
fn cause(error: &Error) -> String {
    match error {
        Error::Internal(cause) => cause.to_string(),
        Error::Unavailable { cause, .. } => cause.clone(),
        other => other.to_string(),
    }
}
