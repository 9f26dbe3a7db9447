//! The jobs of this crate: mails, replays and the deletion of old delivery records.
//!
//! A mail is retried until the mail server accepts it. Without a mail server it stays queued, so
//! that nothing is lost when an operator configures one later.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use helpbot_domain::Timestamp;
use helpbot_domain::job::Job;
use helpbot_outbound::{MailError, SendOutcome};
use helpbot_services::runtime::job_kinds::{DELIVERIES, REPLAY};
use helpbot_services::runtime::job_runner::{Backoff, JobEnd, JobHandler, JobRunner};
use helpbot_services::runtime::mail;
use helpbot_services::runtime::metrics::Metrics;
use helpbot_services::webhooks::outbox;
use helpbot_services::webhooks::replays;
use helpbot_services::{Error, Result};
use tokio_util::sync::CancellationToken;

use super::context::DeliveryContext;
use crate::composing::compose;

/// Maximum number of jobs at once. Mail servers commonly accept about ten connections of a client.
const CONCURRENCY: usize = 8;
/// Time limit for one mail. The job's lease is longer, so that a mail is not sent twice at once.
const MAIL_TIMEOUT: Duration = Duration::from_secs(45);
/// Waiting times after a failure.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(30), longest: Duration::from_secs(6 * 3600) };
/// Maximum number of attempts at a mail, which takes about three days.
const ATTEMPTS_MAX: i32 = 22;
/// Time until the next attempt when no mail server is configured.
const NO_SERVER_RETRY: Duration = Duration::from_secs(15 * 60);
/// Interval at which old delivery records are deleted.
const DELETE_EXPIRED_EVERY: Duration = Duration::from_secs(3600);
/// A clock that is set back by less than this is ignored, because it hardly delays anything.
const CLOCK_SLACK: Duration = Duration::from_secs(10);

/// Runs the jobs of this crate until `stop` is canceled.
pub(super) async fn run(context: Arc<DeliveryContext>, stop: CancellationToken) {
    let (services, owner) = (context.services.clone(), context.settings.owner.clone());
    let woken = outbox::changes(&services);
    let latest = AtomicI64::new(services.now().as_ms());
    let chores = Arc::new(Chores { context: Arc::clone(&context), latest });
    let runner = JobRunner::new(services, chores, owner, CONCURRENCY, BACKOFF);
    tokio::join!(runner.run(woken, stop.clone()), delete_expired(&context, stop));
}

/// The handler of this crate's jobs.
struct Chores {
    context: Arc<DeliveryContext>,
    /// Latest time seen, in milliseconds: a clock before it was set back.
    latest: AtomicI64,
}

impl JobHandler for Chores {
    fn kinds(&self) -> &'static [&'static str] {
        &DELIVERIES
    }

    fn work<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<JobEnd>> {
        Box::pin(async move {
            match job.kind.as_str() {
                REPLAY => replay(&self.context, job).await,
                _ => send_mail(&self.context, job).await,
            }
        })
    }

    fn before_claim(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.check_clock())
    }
}

impl Chores {
    /// Detects that the clock was set back since the last call, and moves forward what the previous
    /// clock had postponed. If the clock is set back while no server runs, waits stay longer.
    async fn check_clock(&self) {
        let now = self.context.services.now();
        let latest = Timestamp::from_ms(self.latest.load(Ordering::SeqCst));
        if now.plus(CLOCK_SLACK) < latest {
            let waits = self.context.settings.schedule.longest_waits();
            match outbox::clock_went_back(&self.context.services, waits, &DELIVERIES, BACKOFF.longest).await {
                Ok(moved) => tracing::warn!(moved, "the clock was set back; postponed attempts were moved forward"),
                Err(error) => {
                    let error = error.detail();
                    return tracing::warn!(error, "the clock was set back; postponed attempts could not be moved yet");
                }
            }
        }
        self.latest.store(now.as_ms(), Ordering::SeqCst);
    }
}

async fn replay(context: &DeliveryContext, job: &Job) -> Result<JobEnd> {
    while !replays::step(&context.services, job).await? {}
    Ok(JobEnd::Done)
}

async fn send_mail(context: &DeliveryContext, job: &Job) -> Result<JobEnd> {
    let Some(content) = mail::content(&context.services, job).await? else { return Ok(JobEnd::Done) };
    let mail = compose(job, &content, &context.settings.public_url).map_err(Error::internal)?;
    let metrics = context.services.metrics();
    match tokio::time::timeout(MAIL_TIMEOUT, context.mailer.send(&mail)).await {
        Ok(Ok(SendOutcome::Accepted)) => {
            metrics.mails_sent.add_one();
            Ok(JobEnd::Done)
        }
        Ok(Ok(SendOutcome::OnlyLogged)) => {
            Ok(JobEnd::Retry { after: NO_SERVER_RETRY, reason: "no mail server is configured".into() })
        }
        Ok(Err(error)) => Ok(after_refusal(metrics, job, &error)),
        Err(_) => {
            metrics.mails_retried.add_one();
            Ok(JobEnd::Retry { after: BACKOFF.after(job.attempts), reason: "the mail server took too long".into() })
        }
    }
}

fn after_refusal(metrics: &Metrics, job: &Job, error: &MailError) -> JobEnd {
    if error.is_retryable() && job.attempts < ATTEMPTS_MAX {
        metrics.mails_retried.add_one();
        return JobEnd::Retry { after: BACKOFF.after(job.attempts), reason: error.to_string() };
    }
    metrics.mails_given_up.add_one();
    tracing::error!(code = error.code(), job = %job.id, kind = job.kind, "a mail was given up");
    JobEnd::Done
}

/// Deletes old delivery records once an hour until `stop` is canceled.
async fn delete_expired(context: &DeliveryContext, stop: CancellationToken) {
    let mut interval = tokio::time::interval(DELETE_EXPIRED_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = interval.tick() => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            deleted = outbox::delete_expired(&context.services) => match deleted {
                Ok(0) => {}
                Ok(count) => tracing::debug!(count, "old delivery records were deleted"),
                Err(error) => tracing::warn!(error = error.detail(), "old delivery records were not deleted"),
            }
        }
    }
}
