//! Replays: sending a webhook the events since a point in time that it has not received. A job goes
//! through the event log in small transactions, so that it continues where it stopped after a
//! crash.
//!
//! For each event that the webhook subscribes to: a failed or canceled delivery is repeated; an
//! event without a delivery, because the webhook was disabled at the time, gets one; all other
//! deliveries are left alone.

use std::collections::HashMap;

use helpbot_db as db;
use helpbot_db::replays::LogWindow;
use helpbot_domain::event::EventType;
use helpbot_domain::ids::{ReplayId, SiteId, WebhookId};
use helpbot_domain::key::Scope;
use helpbot_domain::webhook::{self as rules, DeliveryStatus, Replay, Webhook};
use helpbot_domain::{Invalid, Timestamp};

use crate::runtime::job_kinds::{REPLAY, ReplayJob};
use crate::runtime::jobs::{self, NewJob};
use crate::runtime::randomness;
use crate::webhooks::{deliveries, endpoints, outbox};
use crate::{Error, Result, Services, Viewer, boxed};
use helpbot_domain::job::Job;

/// Number of events per transaction.
const STEP: i64 = 200;

/// Requests a replay of the events since `since`, of one type or of all types that the webhook
/// subscribes to.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `NotFound`; `Conflict` while the webhook is disabled or another
/// replay of it runs; `Invalid` for a time in the future or an event type that is not sent to
/// webhooks.
#[boxed]
pub async fn request(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    webhook: WebhookId,
    since: Timestamp,
    event_type: Option<EventType>,
) -> Result<Replay> {
    let site = endpoints::managed(services, viewer, named).await?.id;
    let now = services.now();
    if since > now {
        return Err(Invalid::new("since", "since must not be in the future.").into());
    }
    if let Some(kind) = event_type {
        rules::events(&[kind])?;
    }
    let replay = services
        .db
        .write(move |c| {
            Box::pin(async move {
                let endpoint = deliveries::enabled(c, site, webhook).await?;
                let last_seq = db::events::last_seq(c, site).await?.ok_or(Error::NotFound("Site"))?;
                let mut replay = Replay {
                    site_id: site,
                    id: ReplayId::from_uuid(randomness::uuid(now)),
                    webhook_id: webhook,
                    event_type,
                    since,
                    last_seq,
                    walked_seq: 0,
                    total: 0,
                    checked: 0,
                    replayed: 0,
                    created_at: now,
                    finished_at: None,
                };
                replay.total = db::replays::count_events(c, site, &window(&replay, &endpoint)).await?;
                db::replays::put(c, &replay).await?;
                let payload = ReplayJob { replay_id: replay.id };
                let job = NewJob::new(site, REPLAY, Some(webhook.to_string()), &payload);
                match job.enqueue(c, now).await? {
                    true => Ok(replay),
                    false => Err(Error::Conflict(
                        "A replay of this webhook is already running. Wait until it has finished.".into(),
                    )),
                }
            })
        })
        .await?;
    outbox::wake(services);
    Ok(replay)
}

/// Returns the last replay of a webhook.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn last(services: &Services, viewer: &Viewer, webhook: &Webhook) -> Result<Option<Replay>> {
    viewer.require(Scope::Webhooks)?;
    let site = viewer.site(Some(webhook.site_id))?;
    Ok(db::replays::last(&mut services.db.reader().await?, site, webhook.id).await?)
}

/// Does the next part of a replay. Returns `true` when the replay is finished, which also happens
/// when the webhook is deleted or disabled.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn step(services: &Services, job: &Job) -> Result<bool> {
    let ReplayJob { replay_id } = jobs::payload(job)?;
    let (site, now) = (job.site_id, services.now());
    let is_over = services
        .db
        .write(move |c| {
            Box::pin(async move {
                let Some(replay) = db::replays::by_id(c, site, replay_id).await? else { return Ok(true) };
                let Some(webhook) = db::webhooks::by_id_locked(c, site, replay.webhook_id).await? else {
                    return Ok(true);
                };
                let replay = walk(c, replay, &webhook, now).await?;
                db::replays::put(c, &replay).await?;
                Ok::<_, Error>(replay.finished_at.is_some())
            })
        })
        .await?;
    outbox::wake(services);
    Ok(is_over)
}

async fn walk(c: &mut db::Conn, mut replay: Replay, webhook: &Webhook, now: Timestamp) -> Result<Replay> {
    let site = replay.site_id;
    let events = db::replays::events(c, site, &window(&replay, webhook), STEP).await?;
    if events.is_empty() || webhook.disabled.is_some() {
        replay.finished_at = Some(now);
        return Ok(replay);
    }
    let known = db::deliveries::of_events(c, site, webhook.id, &events).await?;
    let known: HashMap<_, _> = known.into_iter().map(|(event, id, status)| (event, (id, status))).collect();
    let mut again = Vec::new();
    for event in &events {
        match known.get(&event.id) {
            // An erased event has no content to deliver.
            None if event.is_erased() => {}
            None => {
                let new = outbox::delivery(event.site_id, webhook.id, event.into(), outbox::body_of(event), now);
                db::deliveries::insert(c, &new).await?;
                replay.replayed += 1;
            }
            Some((id, DeliveryStatus::Failed | DeliveryStatus::Cancelled)) => again.push(*id),
            Some((_, DeliveryStatus::Pending | DeliveryStatus::Delivered)) => {}
        }
        replay.checked += 1;
        replay.walked_seq = event.seq;
    }
    replay.replayed += i64::try_from(db::deliveries::restart(c, site, &again, now).await?).unwrap_or(0);
    Ok(replay)
}

/// Returns the part of the log that a replay has not gone through yet.
fn window(replay: &Replay, webhook: &Webhook) -> LogWindow {
    let wanted = webhook.events.iter().filter(|kind| replay.event_type.is_none_or(|only| only == **kind));
    LogWindow { after: replay.walked_seq, last: replay.last_seq, since: replay.since, types: wanted.copied().collect() }
}
