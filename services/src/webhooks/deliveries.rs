//! Deliveries as the team of a site sees them: the log with its attempts, test events, and
//! repeating a delivery.

use helpbot_db as db;
use helpbot_domain::envelope;
use helpbot_domain::ids::{EventId, SiteId, WebhookId};
use helpbot_domain::key::Scope;
use helpbot_domain::page::PageRequest;
use helpbot_domain::webhook::{Attempt, Delivery, DeliveryFilter, DeliveryStatus, Webhook};
use uuid::Uuid;

use crate::runtime::lookups::find_by_ids;
use crate::runtime::randomness;
use crate::webhooks::endpoints;
use crate::webhooks::outbox::{self, DeliveredEvent};
use crate::{Error, Result, Services, Viewer, boxed};

/// Maximum number of pending test deliveries of an endpoint. It bounds a runaway script.
const WAITING_TESTS_MAX: i64 = 20;

/// Returns one page of an endpoint's deliveries, newest first. A backward page is in reverse order.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn list(
    services: &Services,
    viewer: &Viewer,
    webhook: &Webhook,
    filter: &DeliveryFilter,
    page: PageRequest<Uuid>,
) -> Result<Vec<Delivery>> {
    let site = readable(viewer, webhook)?;
    Ok(db::deliveries::list(&mut services.db.reader().await?, site, webhook.id, filter, page).await?)
}

/// Returns the number of deliveries in the list.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn total(services: &Services, viewer: &Viewer, webhook: &Webhook, filter: &DeliveryFilter) -> Result<i64> {
    let site = readable(viewer, webhook)?;
    Ok(db::deliveries::count(&mut services.db.reader().await?, site, webhook.id, filter).await?)
}

/// Returns one delivery of the site.
///
/// # Errors
/// `Forbidden`; `NotFound`.
#[boxed]
pub async fn get(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: Uuid) -> Result<Delivery> {
    viewer.require(Scope::Webhooks)?;
    let found = db::deliveries::by_id(&mut services.db.reader().await?, viewer.site(named)?, id).await?;
    found.ok_or(Error::NotFound("Delivery"))
}

find_by_ids! {
    /// Returns the deliveries of the site with these IDs. Unknown IDs are left out.
    by_ids, Webhooks, Uuid => Delivery, db::deliveries::by_ids
}

/// Returns the attempts of these deliveries, ordered by delivery and number.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn attempts(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    ids: &[Uuid],
) -> Result<Vec<Attempt>> {
    viewer.require(Scope::Webhooks)?;
    Ok(db::attempts::of(&mut services.db.reader().await?, viewer.site(named)?, ids).await?)
}

/// Sends a `ping` event to an endpoint, through the same queue as all other events.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `NotFound`; `Conflict` while the endpoint is disabled;
/// `LimitReached` while too many tests are pending.
#[boxed]
pub async fn send_test(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: WebhookId) -> Result<Delivery> {
    let site = endpoints::managed(services, viewer, named).await?.id;
    let now = services.now();
    let event_id = EventId::from_uuid(randomness::uuid(now));
    let event = DeliveredEvent { id: event_id, name: envelope::PING, seq: None, created_at: now };
    let delivery = outbox::delivery(site, id, event, envelope::ping(id, now), now);
    let stored = delivery.clone();
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                enabled(c, site, id).await?;
                let waiting = DeliveryFilter {
                    status: Some(DeliveryStatus::Pending),
                    event_type: Some(envelope::PING.to_owned()),
                    since: None,
                };
                if db::deliveries::count(c, site, id, &waiting).await? >= WAITING_TESTS_MAX {
                    return Err(Error::LimitReached(format!(
                        "At most {WAITING_TESTS_MAX} test events can be pending. Wait until some of them are delivered."
                    )));
                }
                Ok(db::deliveries::insert(c, &stored).await?)
            })
        })
        .await?;
    outbox::wake(services);
    Ok(delivery)
}

/// Repeats a delivery from the start of its schedule, with the same ID and the same bytes. A
/// pending delivery is attempted immediately.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `NotFound`; `Conflict` while the endpoint is disabled.
#[boxed]
pub async fn replay(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: Uuid) -> Result<Delivery> {
    let site = endpoints::managed(services, viewer, named).await?.id;
    let now = services.now();
    let replayed = services
        .db
        .write(move |c| {
            Box::pin(async move {
                let found = db::deliveries::by_id(c, site, id).await?.ok_or(Error::NotFound("Delivery"))?;
                enabled(c, site, found.webhook_id).await?;
                if !db::deliveries::hurry(c, site, id, now).await? {
                    db::deliveries::restart(c, site, &[id], now).await?;
                }
                db::deliveries::by_id(c, site, id).await?.ok_or(Error::NotFound("Delivery"))
            })
        })
        .await?;
    outbox::wake(services);
    Ok(replayed)
}

/// Returns the endpoint if it is enabled.
pub(crate) async fn enabled(c: &mut db::Conn, site: SiteId, id: WebhookId) -> Result<Webhook> {
    let webhook = db::webhooks::by_id_locked(c, site, id).await?.ok_or(Error::NotFound("Webhook"))?;
    match webhook.disabled {
        None => Ok(webhook),
        Some(_) => Err(Error::Conflict("The webhook is disabled. Enable it first.".into())),
    }
}

fn readable(viewer: &Viewer, webhook: &Webhook) -> Result<SiteId> {
    viewer.require(Scope::Webhooks)?;
    viewer.site(Some(webhook.site_id))
}
