//! The jobs of this room: mails, replays, forgetting old records.
//!
//! A mail is sent again until the mail server has taken it. Without a mail server it stays
//! queued, so that an operator who configures one later loses none.

use std::sync::Arc;
use std::time::Duration;

use helpbot_domain::Timestamp;
use helpbot_domain::conversation::Author;
use helpbot_domain::webhook::DisabledReason;
use helpbot_outbound::{Mail, MailError, Sent};
use helpbot_services::conversations::HANDOFF_MAIL;
use helpbot_services::conversations::transcripts::TRANSCRIPT_MAIL;
use helpbot_services::runtime::jobs;
use helpbot_services::runtime::mail::{self, Letter, SOURCE_FAILING_MAIL, WEBHOOK_DISABLED_MAIL};
use helpbot_services::runtime::metrics::Figures;
use helpbot_services::webhooks::replays;
use helpbot_services::{Error, Job, Result};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::Worker;
use crate::mails;

const KINDS: [&str; 5] = [HANDOFF_MAIL, WEBHOOK_DISABLED_MAIL, SOURCE_FAILING_MAIL, TRANSCRIPT_MAIL, replays::REPLAY];
/// Jobs at once: mail servers commonly take some ten connections of one client.
const AT_ONCE: usize = 8;
/// A mail is given up for now before its lease ends.
const MAIL_TIMEOUT: Duration = Duration::from_secs(45);
/// Before the second attempt; doubled for each further one.
const FIRST_RETRY: Duration = Duration::from_secs(30);
const LONGEST_RETRY: Duration = Duration::from_secs(6 * 3600);
/// Some three days of attempts.
const ATTEMPTS_MAX: i32 = 22;
/// When to look again for a mail server.
const NO_SERVER_RETRY: Duration = Duration::from_secs(15 * 60);
/// How often old records are looked for.
const FORGET_EVERY: Duration = Duration::from_secs(3600);

/// A clock that is set back by less does no harm: waits are no longer than they may be anyhow.
const CLOCK_SLACK: Duration = Duration::from_secs(10);

/// How a job ended.
enum End {
    Done,
    Again(Duration, String),
}

/// Does jobs until `stop` is cancelled; one that is broken off is another's when its lease ends.
pub(super) async fn run(worker: Arc<Worker>, stop: CancellationToken) {
    let mut changes = worker.services.outbox_changes();
    let mut forget = tokio::time::interval(FORGET_EVERY);
    let mut running = JoinSet::new();
    let mut latest = worker.services.now();
    while !stop.is_cancelled() {
        mind_clock(&worker, &mut latest).await;
        begin(&worker, &mut running).await;
        tokio::select! {
            () = stop.cancelled() => {}
            Some(_) = running.join_next() => {}
            Ok(()) = changes.changed(), if running.len() < AT_ONCE => {}
            () = tokio::time::sleep(jobs::POLL), if running.len() < AT_ONCE => {}
            _ = forget.tick() => forget_old(&worker).await,
        }
    }
    running.shutdown().await;
}

/// Notices that the clock was set back since the last look, and puts right what was put off by the
/// one before. (One that is set back while no server runs leaves waits that are longer by as much.)
async fn mind_clock(worker: &Worker, latest: &mut Timestamp) {
    let now = worker.services.now();
    if now.plus(CLOCK_SLACK) < *latest {
        let waits = worker.settings.schedule.longest_waits();
        match worker.services.clock_went_back(waits, &KINDS, LONGEST_RETRY).await {
            Ok(moved) => tracing::warn!(moved, "the clock was set back; what it had put off was pulled in"),
            Err(error) => return tracing::warn!(%error, "the clock was set back, and nothing could be pulled in yet"),
        }
    }
    *latest = now;
}

async fn begin(worker: &Arc<Worker>, running: &mut JoinSet<()>) {
    let room = i64::try_from(AT_ONCE.saturating_sub(running.len())).unwrap_or(0);
    if room == 0 {
        return;
    }
    match worker.services.claim_jobs(&KINDS, &worker.settings.owner, room).await {
        Ok(claimed) => {
            for job in claimed {
                let worker = Arc::clone(worker);
                running.spawn(async move { work(&worker, job).await });
            }
        }
        Err(error) => tracing::warn!(%error, "could not look for mails to send"),
    }
}

async fn work(worker: &Worker, job: Job) {
    let ended = match job.kind.as_str() {
        replays::REPLAY => replay(worker, &job).await,
        _ => post(worker, &job).await,
    };
    let (id, owner) = (job.id, &worker.settings.owner);
    let written = match ended {
        Ok(End::Done) => worker.services.finish_job(id, owner).await,
        Ok(End::Again(wait, why)) => worker.services.retry_job(id, owner, wait, &why).await,
        Err(error) => {
            tracing::warn!(%error, job = %id, kind = job.kind, "a job failed; it is tried again");
            worker.services.retry_job(id, owner, backoff(job.attempts), &error.to_string()).await
        }
    };
    if let Err(error) = written {
        tracing::warn!(%error, job = %id, "the end of a job could not be recorded; it will run again");
    }
}

/// Walks on while the job is ours.
async fn replay(worker: &Worker, job: &Job) -> Result<End> {
    while !replays::step(&worker.services, job).await? {
        if !worker.services.renew_job(job.id, &worker.settings.owner).await? {
            break;
        }
    }
    Ok(End::Done)
}

async fn post(worker: &Worker, job: &Job) -> Result<End> {
    let Some(letter) = mail::letter(&worker.services, job).await? else { return Ok(End::Done) };
    let mail = written(job, &letter, &worker.settings.public_url).map_err(Error::internal)?;
    let figures = worker.services.figures();
    match tokio::time::timeout(MAIL_TIMEOUT, worker.mailer.send(&mail)).await {
        Ok(Ok(Sent::Accepted)) => {
            figures.mails_sent.add_one();
            Ok(End::Done)
        }
        Ok(Ok(Sent::OnlyLogged)) => Ok(End::Again(NO_SERVER_RETRY, "no mail server is configured".into())),
        Ok(Err(error)) => Ok(refused(figures, job, &error)),
        Err(_) => {
            figures.mails_retried.add_one();
            Ok(End::Again(backoff(job.attempts), "the mail server took too long".into()))
        }
    }
}

fn refused(figures: &Figures, job: &Job, error: &MailError) -> End {
    if error.is_retryable() && job.attempts < ATTEMPTS_MAX {
        figures.mails_retried.add_one();
        return End::Again(backoff(job.attempts), error.to_string());
    }
    figures.mails_given_up.add_one();
    tracing::error!(code = error.code(), job = %job.id, kind = job.kind, "a mail was given up");
    End::Done
}

/// The mail of a job. Its id is the job's, so that a mail program can drop a repeated one.
fn written(job: &Job, letter: &Letter, public_url: &Url) -> Result<Mail, url::ParseError> {
    let id = job.id.to_string();
    Ok(match letter {
        Letter::Handoff { site, conversation } => {
            let inbox_url = public_url.join(&format!("dashboard/inbox/{}", conversation.id))?;
            let handoff = mails::Handoff {
                site_name: &site.name,
                question: &conversation.question,
                answer: &conversation.answer,
                customer_email: conversation.customer_email.as_deref(),
                inbox_url: &inbox_url,
            };
            mails::handoff(id, site.owner_email.clone(), &handoff)
        }
        Letter::WebhookDisabled { site, webhook, reason, failing_since } => {
            let reason = match reason {
                DisabledReason::Gone => mails::DisabledReason::Gone,
                DisabledReason::Failing | DisabledReason::Owner => mails::DisabledReason::FailingSince(*failing_since),
            };
            let disabled = mails::EndpointDisabled {
                site_name: &site.name,
                endpoint_url: &Url::parse(&webhook.url)?,
                reason,
                webhooks_url: &public_url.join(&format!("dashboard/webhooks/{}", webhook.id))?,
            };
            mails::endpoint_disabled(id, site.owner_email.clone(), &disabled)
        }
        Letter::SourceFailing { site, source } => {
            let failing = mails::SourceFailing {
                site_name: &site.name,
                source: &source.url,
                reason: source.error.as_deref().unwrap_or_default(),
                source_url: &public_url.join(&format!("dashboard/sources/{}", source.id))?,
            };
            mails::source_failing(id, site.owner_email.clone(), &failing)
        }
        Letter::Transcript { site, to, messages } => {
            let author = |message: &helpbot_services::Message| match message.author {
                Author::Visitor => "You".to_owned(),
                Author::Bot => site.widget.bot_name.clone(),
                Author::Agent => message.agent_name.clone().unwrap_or_else(|| site.name.clone()),
            };
            let authors: Vec<String> = messages.iter().map(author).collect();
            let messages: Vec<(&str, &str)> =
                authors.iter().map(String::as_str).zip(messages.iter().map(|it| it.text.as_str())).collect();
            let transcript = mails::Transcript { site_name: &site.name, messages: &messages };
            mails::transcript(id, to.clone(), &transcript)
        }
    })
}

fn backoff(attempts: i32) -> Duration {
    let doubled = u32::try_from(attempts - 1).unwrap_or(0).min(16);
    (FIRST_RETRY * 2_u32.pow(doubled)).min(LONGEST_RETRY)
}

async fn forget_old(worker: &Worker) {
    loop {
        match worker.services.forget_old_deliveries().await {
            Ok(0) => return,
            Ok(count) => tracing::debug!(count, "forgot old deliveries"),
            Err(error) => return tracing::warn!(%error, "old deliveries could not be forgotten"),
        }
    }
}
