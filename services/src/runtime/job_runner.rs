//! The runner of background jobs: claims them, keeps their leases, and ends or retries them.
//!
//! `ingest` and `delivery` each run one [`JobRunner`] with their own [`JobHandler`]. The handler does
//! the work of one job and decides how it ends; the runner does everything else. When the process
//! stops, running jobs return to the queue at once. When a job panics or the process dies, the lease
//! ends and another worker repeats the job, so a handler must tolerate repetition.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::runtime::jobs::{self, LEASE, POLL};
use crate::{Result, Services};
use helpbot_domain::job::Job;

/// Interval between renewals: a third of the lease, so that two of them may fail.
const RENEW_EVERY: Duration = Duration::from_secs(LEASE.as_secs() / 3);
/// Pause after a claim that failed, so that an overloaded database can recover.
const CLAIM_PAUSE: Duration = Duration::from_secs(1);

/// How the work on a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd {
    /// The job is done or abandoned, and is removed.
    Done,
    /// The job is repeated.
    Retry {
        /// Time until the next attempt.
        after: Duration,
        /// Why the job is repeated, for the site's members.
        reason: String,
    },
}

/// The work of one crate.
pub trait JobHandler: Send + Sync + 'static {
    /// Kinds of jobs that the handler can do.
    fn kinds(&self) -> &'static [&'static str];

    /// Does one job. After an error, the runner repeats the job with its backoff.
    fn work<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<JobEnd>>;

    /// Runs before each claim, for example to queue the jobs that are due by schedule.
    fn before_claim(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// Runs when a job failed with an error and will be repeated.
    fn on_failure(&self) {}
}

/// Waiting times after failures: `first` after the first one, doubled for each further one.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// Time until the second attempt.
    pub first: Duration,
    /// Longest time between two attempts.
    pub longest: Duration,
}

impl Backoff {
    /// Returns the time until the next attempt of a job that was started `attempts` times.
    pub fn after(self, attempts: i32) -> Duration {
        let doublings = u32::try_from(attempts - 1).unwrap_or(0);
        self.first.saturating_mul(2_u32.saturating_pow(doublings)).min(self.longest)
    }
}

/// Runs the jobs of one handler.
pub struct JobRunner {
    services: Services,
    handler: Arc<dyn JobHandler>,
    owner: String,
    concurrency: usize,
    backoff: Backoff,
}

impl JobRunner {
    /// Creates a runner that works on at most `concurrency` jobs at once. `owner` is the name on its
    /// leases and must differ from that of every other runner.
    pub fn new(
        services: Services,
        handler: Arc<dyn JobHandler>,
        owner: String,
        concurrency: usize,
        backoff: Backoff,
    ) -> Arc<Self> {
        Arc::new(Self { services, handler, owner, concurrency, backoff })
    }

    /// Works until `stop` is canceled. `woken` changes when this process may have queued a job; jobs
    /// of other processes are found every [`POLL`].
    pub async fn run(self: Arc<Self>, mut woken: watch::Receiver<()>, stop: CancellationToken) {
        let mut running = JoinSet::new();
        while !stop.is_cancelled() {
            self.start_due(&mut running, &stop).await;
            let has_room = running.len() < self.concurrency;
            tokio::select! {
                () = stop.cancelled() => {}
                Some(ended) = running.join_next(), if !running.is_empty() => report(ended),
                Ok(()) = woken.changed(), if has_room => {}
                () = tokio::time::sleep(POLL), if has_room => {}
            }
        }
        while let Some(ended) = running.join_next().await {
            report(ended);
        }
    }

    /// Works until no job is due, then returns.
    pub async fn run_until_idle(self: Arc<Self>) {
        let (stop, mut running) = (CancellationToken::new(), JoinSet::new());
        while self.start_due(&mut running, &stop).await > 0 {
            while let Some(ended) = running.join_next().await {
                report(ended);
            }
        }
    }

    /// Claims as many due jobs as there is room for and starts them. Returns their number.
    async fn start_due(self: &Arc<Self>, running: &mut JoinSet<()>, stop: &CancellationToken) -> usize {
        let room = self.concurrency.saturating_sub(running.len());
        if room == 0 {
            return 0;
        }
        self.handler.before_claim().await;
        let limit = i64::try_from(room).unwrap_or(i64::MAX);
        let claimed = match jobs::claim(&self.services, self.handler.kinds(), &self.owner, limit).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(error = error.detail(), "due jobs could not be claimed");
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(CLAIM_PAUSE) => {}
                }
                return 0;
            }
        };
        let count = claimed.len();
        for job in claimed {
            let (runner, stop) = (Arc::clone(self), stop.clone());
            running.spawn(async move { runner.work(job, stop).await });
        }
        count
    }

    async fn work(&self, job: Job, stop: CancellationToken) {
        let ended = tokio::select! {
            ended = self.handler.work(&job) => ended,
            () = self.keep_lease(&job) => {
                tracing::warn!(job = %job.id, kind = job.kind, "the job was canceled or claimed by another worker");
                return;
            }
            () = stop.cancelled() => Ok(JobEnd::Retry { after: Duration::ZERO, reason: "The server was stopped.".into() }),
        };
        let recorded = match ended {
            Ok(JobEnd::Done) => jobs::finish(&self.services, job.id, &self.owner).await,
            Ok(JobEnd::Retry { after, reason }) => {
                jobs::retry(&self.services, job.id, &self.owner, after, &reason).await
            }
            Err(error) => {
                self.handler.on_failure();
                let after = self.backoff.after(job.attempts);
                tracing::warn!(error = error.detail(), job = %job.id, kind = job.kind, "the job failed and will be repeated");
                jobs::retry(&self.services, job.id, &self.owner, after, &error.to_string()).await
            }
        };
        if let Err(error) = recorded {
            tracing::warn!(error = error.detail(), job = %job.id, "the end of the job was not recorded; it will run again");
        }
    }

    /// Renews the lease for as long as the job runs. Returns only when the lease is lost.
    async fn keep_lease(&self, job: &Job) {
        loop {
            tokio::time::sleep(RENEW_EVERY).await;
            match jobs::renew(&self.services, job.id, &self.owner).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::warn!(error = error.detail(), job = %job.id, "the lease was not renewed"),
            }
        }
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a job panicked; it will be repeated when its lease ends");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backoff_doubles_up_to_its_limit() {
        let backoff = Backoff { first: Duration::from_secs(30), longest: Duration::from_secs(6 * 3600) };

        let waits = [1, 2, 3, 10, 11, 100].map(|attempts| backoff.after(attempts).as_secs());

        assert_eq!(waits, [30, 60, 120, 15_360, 21_600, 21_600]);
    }
}
