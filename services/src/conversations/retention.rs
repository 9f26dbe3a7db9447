//! Deleting what is older than the owner of a site wants to keep: conversations, events and webhook deliveries.
//!
//! The server queues a batch job for each site with such settings every hour ([`queue_due`]). It deletes conversations that have
//! not changed for the set time, then the sessions that have none left, then events and deliveries, each in batches. The statistics of
//! the days stay. A change of the settings counts after [`GRACE`], so that a mistake can be corrected. What the owner made from
//! questions, such as entries and test questions, stays too.

use std::time::Duration;

use futures_util::future::BoxFuture;
use helpbot_db as db;
use helpbot_domain::ids::SiteId;
use helpbot_domain::key::Scope;
use helpbot_domain::retention::{DataRetention, RETENTION_DAYS_MAX};
use helpbot_domain::site::Site;
use helpbot_domain::{Invalid, Timestamp, Together as _};
use serde::{Deserialize, Serialize};

use crate::accounts::sites;
use crate::conversations::deletion::{self, DeletionReason};
use crate::knowledge::previews;
use crate::runtime::batches::{self, Batch, BatchWork};
use crate::runtime::job_kinds::APPLY_RETENTION;
use crate::runtime::jobs::{self, NewJob};
use crate::{Error, Result, Services, Viewer, boxed};

/// Time after which a change of the settings takes effect.
pub const GRACE: Duration = Duration::from_secs(3_600);
/// Number of sites that are read at a time.
const SITES: i64 = 500;
/// Number of sessions that a batch looks at. Most of them are still in use.
const SESSIONS: i64 = batches::ROWS * 2;
/// Number of deliveries of each endpoint per batch. A delivery has ten attempts or more.
const DELIVERIES: i64 = batches::ROWS / 10;
/// A site has one such job at a time.
const DEDUPE: &str = "retention";
const DAY: Duration = Duration::from_secs(86_400);

/// A change of the settings. The outer `None` leaves a value unchanged, the inner one removes the limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct RetentionPatch {
    /// Days since the last change of a conversation.
    pub conversation_days: Option<Option<i64>>,
    /// Days since an event.
    pub event_days: Option<Option<i64>>,
    /// Days since a delivery was created.
    pub delivery_days: Option<Option<i64>>,
}

/// Payload of an [`APPLY_RETENTION`] job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RetentionRun {
    /// Time from which ages are counted.
    now_ms: i64,
    /// Days after which the installation deletes events and deliveries.
    installation_days: i64,
    /// Number of conversations that were deleted so far.
    conversations: usize,
    next: RetentionStep,
}

/// The next step of a run, with the place where it continues.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum RetentionStep {
    Conversations,
    Sessions { after: String },
    Events,
    Deliveries,
}

/// Returns the days after which the installation deletes events and deliveries, whatever the owner of a site wants.
pub fn installation_days(services: &Services) -> i64 {
    i64::try_from(services.settings.event_retention.as_secs() / DAY.as_secs()).unwrap_or(i64::MAX)
}

/// Changes after how many days the data of a site is deleted.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` names the field.
#[boxed]
pub async fn update(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    patch: RetentionPatch,
) -> Result<Site> {
    viewer.require(Scope::Admin)?;
    let (site, now) = (viewer.site(named)?, services.now());
    let checked = (
        patch.conversation_days.map(|days| checked("conversationDays", days)).transpose(),
        patch.event_days.map(|days| checked("eventDays", days)).transpose(),
        patch.delivery_days.map(|days| checked("deliveryDays", days)).transpose(),
    );
    let (conversations, events, deliveries) = checked.together()?;
    let changed = sites::change(services, site, move |site| {
        let old = site.retention;
        site.retention = DataRetention {
            conversation_days: conversations.unwrap_or(old.conversation_days),
            event_days: events.unwrap_or(old.event_days),
            delivery_days: deliveries.unwrap_or(old.delivery_days),
            changed_at: Some(now),
        };
        Ok(())
    });
    changed.await.map(|(site, ())| site)
}

fn checked(field: &'static str, days: Option<i64>) -> Result<Option<i64>, Invalid> {
    match days {
        Some(days) if !(1..=RETENTION_DAYS_MAX).contains(&days) => {
            Err(Invalid::new(field, format!("{field} must be between 1 and {RETENTION_DAYS_MAX}.")))
        }
        days => Ok(days),
    }
}

/// Queues a batch job for each site whose owner has limited how long data is kept, unless one is queued or running. Returns the
/// number of new jobs.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn queue_due(services: &Services) -> Result<usize> {
    let now = services.now();
    let (installation_days, mut after, mut queued) = (installation_days(services), None, 0);
    loop {
        let found = db::sites::with_retention(&mut services.db.reader().await?, after, now.minus(GRACE), SITES).await?;
        let Some(last) = found.last().copied() else { break };
        after = Some(last);
        let run = RetentionRun {
            now_ms: now.as_ms(),
            installation_days,
            conversations: 0,
            next: RetentionStep::Conversations,
        };
        queued += services
            .db
            .write(move |c| {
                Box::pin(async move {
                    let mut queued = 0;
                    for site in found {
                        let job = NewJob::new(site, APPLY_RETENTION, Some(DEDUPE.to_owned()), &run);
                        queued += usize::from(job.enqueue(c, now).await?);
                    }
                    Ok::<_, Error>(queued)
                })
            })
            .await?;
    }
    if queued > 0 {
        jobs::wake(services);
    }
    Ok(queued)
}

/// Removes what this process remembers of conversations and sessions that are gone.
pub(crate) fn ended(services: &Services, site: SiteId, run: &RetentionRun) {
    if run.conversations > 0 {
        services.access_changed(site);
        services.topics.forget(site);
        tracing::info!(%site, conversations = run.conversations, "old conversations were deleted");
    }
}

impl BatchWork for RetentionRun {
    fn batch<'c>(&'c mut self, c: &'c mut db::Conn, site: SiteId) -> BoxFuture<'c, Result<Batch>> {
        Box::pin(async move {
            // The settings may have changed since the last batch. Then the next job follows them.
            let now = Timestamp::from_ms(self.now_ms);
            let found = db::sites::by_id(c, site).await?.map(|site| site.retention);
            let is_valid = |set: &DataRetention| set.changed_at.is_some_and(|at| at <= now.minus(GRACE));
            match found.filter(is_valid) {
                Some(set) => self.step(c, site, now, set).await,
                None => Ok(Batch { rows: 0, is_last: true }),
            }
        })
    }
}

impl RetentionRun {
    /// Deletes the next rows. A step without rows is done.
    async fn step(&mut self, c: &mut db::Conn, site: SiteId, now: Timestamp, set: DataRetention) -> Result<Batch> {
        let rows = match &self.next {
            RetentionStep::Conversations => match set.conversation_days {
                Some(days) => old_conversations(c, site, before(now, days)).await?,
                None => 0,
            },
            RetentionStep::Sessions { after } => {
                let days = set.conversation_days.unwrap_or(RETENTION_DAYS_MAX);
                let (_, last) = db::sessions::delete_unused(c, site, after, before(now, days), SESSIONS).await?;
                self.next = match last {
                    Some(after) => RetentionStep::Sessions { after },
                    None => RetentionStep::Events,
                };
                return Ok(Batch { rows: 0, is_last: false });
            }
            RetentionStep::Events => {
                let days = set.event_days_in_effect(self.installation_days);
                db::events::delete_of_site_before(c, site, before(now, days), batches::ROWS).await?
            }
            RetentionStep::Deliveries => {
                let days = set.delivery_days_in_effect(self.installation_days);
                db::deliveries::delete_of_site_before(c, site, before(now, days), DELIVERIES).await?
            }
        };
        let is_done = rows == 0;
        match self.next {
            RetentionStep::Conversations if !is_done => self.conversations += rows,
            RetentionStep::Conversations if self.conversations > 0 => {
                previews::forget_old(c, site, now).await?;
                self.next = RetentionStep::Sessions { after: String::new() };
            }
            RetentionStep::Conversations => self.next = RetentionStep::Events,
            RetentionStep::Events if is_done => self.next = RetentionStep::Deliveries,
            RetentionStep::Deliveries if is_done => return Ok(Batch { rows: 0, is_last: true }),
            _ => {}
        }
        Ok(Batch { rows, is_last: false })
    }
}

async fn old_conversations(c: &mut db::Conn, site: SiteId, before: Timestamp) -> Result<usize> {
    let group = db::conversations::unchanged_locked(c, site, before, deletion::GROUP).await?;
    if group.is_empty() {
        return Ok(0);
    }
    deletion::delete_group(c, site, &group, DeletionReason::Age).await
}

/// The time that was `days` days ago.
fn before(now: Timestamp, days: i64) -> Timestamp {
    now.minus(DAY * u32::try_from(days).unwrap_or(u32::MAX))
}
