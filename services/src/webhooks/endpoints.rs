//! The endpoints of webhooks: created, listed, changed and deleted by a site's team, who also
//! rotate their signing secrets.

use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::event::EventType;
use helpbot_domain::ids::{SiteId, WebhookId};
use helpbot_domain::key::Scope;
use helpbot_domain::plan::Feature;
use helpbot_domain::source::normal_url;
use helpbot_domain::webhook::{self as rules, DisabledReason, Overlap, WEBHOOKS_MAX, Webhook};
use helpbot_domain::{Invalid, Timestamp, Together as _};
use url::Url;

use crate::accounts::{audit_log, sites};
use crate::runtime::randomness;
use crate::webhooks::sealing;
use crate::{Error, Result, Services, Viewer, boxed};
use helpbot_domain::site::Site;

/// Default time for which the previous secret still signs after a rotation.
pub const OVERLAP_DEFAULT: Duration = Duration::from_secs(24 * 3600);
/// Longest time for which the previous secret may sign.
pub const OVERLAP_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// Input for an endpoint.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// Address that receives events.
    pub url: String,
    /// Types of events to send.
    pub events: Vec<EventType>,
    /// Note for the team.
    pub description: Option<String>,
}

/// Changes to an endpoint. `None` leaves a value unchanged.
#[derive(Debug, Clone, Default)]
pub struct WebhookPatch {
    /// Address that receives events.
    pub url: Option<String>,
    /// Types of events to send.
    pub events: Option<Vec<EventType>>,
    /// Note for the team. An empty text removes it.
    pub description: Option<String>,
    /// Whether events are sent.
    pub is_enabled: Option<bool>,
}

/// A step of a rotation of the signing secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotationStep {
    /// Generates the next secret. Deliveries then carry signatures of both; the documented header
    /// carries only that of the current secret.
    Stage,
    /// Makes the staged secret the current one. The previous secret also signs for this long.
    Promote(Duration),
}

/// Creates an endpoint and returns it with its secret, which is not shown again.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `Invalid` names the field; `LimitReached` for the sixth endpoint.
#[boxed]
pub async fn create(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    new: NewWebhook,
) -> Result<(Webhook, String)> {
    let site = managed(services, viewer, named).await?.id;
    let now = services.now();
    let id = WebhookId::from_uuid(randomness::uuid(now));
    let secret = sealing::generate();
    let checked =
        (checked_url(services, &new.url), rules::events(&new.events), rules::description(new.description.as_deref()));
    let (url, events, description) = checked.together()?;
    let webhook = Webhook {
        site_id: site,
        id,
        url,
        events,
        description,
        secret: sealing::seal(&services.settings.secret_key, site, id, &secret),
        overlap: None,
        disabled: None,
        failing: None,
        paused_until: None,
        created_at: now,
        updated_at: now,
    };
    let stored = webhook.clone();
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                // Lock the site until the commit, so that of two concurrent creations the second
                // one counts the first.
                db::sites::by_id_locked(c, site).await?.ok_or(Error::NotFound("Site"))?;
                let count = i64::try_from(db::webhooks::list(c, site).await?.len()).unwrap_or(i64::MAX);
                if count >= WEBHOOKS_MAX {
                    return Err(Error::LimitReached(format!(
                        "A site can have at most {WEBHOOKS_MAX} webhooks. Delete one first."
                    )));
                }
                audit_log::created(&stored.id);
                Ok(db::webhooks::insert(c, &stored).await?)
            })
        })
        .await?;
    Ok((webhook, secret))
}

/// Returns the endpoints of the site, oldest first. Their secrets stay sealed.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn list(services: &Services, viewer: &Viewer, site: &Site) -> Result<Vec<Webhook>> {
    require(viewer, site)?;
    Ok(db::webhooks::list(&mut services.db.reader().await?, site.id).await?)
}

/// Returns the endpoints of the site with these IDs. Unknown IDs are left out.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn by_ids(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    ids: &[WebhookId],
) -> Result<Vec<Webhook>> {
    let site = managed(services, viewer, named).await?;
    let found = list(services, viewer, &site).await?;
    Ok(found.into_iter().filter(|webhook| ids.contains(&webhook.id)).collect())
}

/// Returns one endpoint of the site.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `NotFound`.
#[boxed]
pub async fn get(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: WebhookId) -> Result<Webhook> {
    let site = managed(services, viewer, named).await?.id;
    let found = db::webhooks::by_id(&mut services.db.reader().await?, site, id).await?;
    found.ok_or(Error::NotFound("Webhook"))
}

/// Changes an endpoint. Disabling it cancels its pending deliveries. Enabling it or changing its
/// address clears its record of failures.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `NotFound`; `Invalid` names the field.
#[boxed]
pub async fn update(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: WebhookId,
    patch: WebhookPatch,
) -> Result<Webhook> {
    let site = managed(services, viewer, named).await?.id;
    let checked = (
        patch.url.as_deref().map(|url| checked_url(services, url)).transpose(),
        patch.events.as_deref().map(rules::events).transpose(),
        patch.description.as_deref().map(|note| rules::description(Some(note))).transpose(),
    );
    let (url, events, description) = checked.together()?;
    change(services, site, id, move |webhook| {
        let is_moved = url.as_ref().is_some_and(|url| *url != webhook.url);
        let is_revived = patch.is_enabled == Some(true) && webhook.disabled.is_some();
        webhook.url = url.unwrap_or_else(|| webhook.url.clone());
        webhook.events = events.unwrap_or_else(|| webhook.events.clone());
        webhook.description = description.unwrap_or_else(|| webhook.description.clone());
        webhook.disabled = match patch.is_enabled {
            Some(true) => None,
            Some(false) => webhook.disabled.or(Some(DisabledReason::Owner)),
            None => webhook.disabled,
        };
        if is_moved || is_revived {
            webhook.failing = None;
            webhook.paused_until = None;
        }
        Ok(())
    })
    .await
    .map(|(webhook, ())| webhook)
}

/// Deletes an endpoint with its delivery log. Nothing more is sent to it.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `NotFound`.
#[boxed]
pub async fn delete(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: WebhookId) -> Result<()> {
    let site = managed(services, viewer, named).await?.id;
    let is_deleted: bool = services
        .db
        .write(move |c| Box::pin(async move { Ok::<_, Error>(db::webhooks::delete(c, site, id).await?) }))
        .await?;
    if is_deleted { Ok(()) } else { Err(Error::NotFound("Webhook")) }
}

/// Does a step of a rotation. Staging returns the next secret, which is not shown again, and ends
/// an overlap that is still active.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `NotFound`; `Conflict` when no secret is staged; `Invalid` for an
/// overlap longer than [`OVERLAP_MAX`].
#[boxed]
pub async fn rotate(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: WebhookId,
    step: RotationStep,
) -> Result<(Webhook, Option<String>)> {
    let site = managed(services, viewer, named).await?.id;
    let (key, now) = (services.settings.secret_key, services.now());
    if matches!(step, RotationStep::Promote(overlap) if overlap > OVERLAP_MAX) {
        return Err(Invalid::new("overlapHours", "overlapHours must be between 0 and 168.").into());
    }
    change(services, site, id, move |webhook| match step {
        RotationStep::Stage => {
            let secret = sealing::generate();
            let sealed = sealing::seal(&key, site, id, &secret);
            webhook.overlap = Some(Overlap { secret: sealed, until: None });
            Ok(Some(secret))
        }
        RotationStep::Promote(overlap) => {
            let staged = webhook.overlap.take().filter(|overlap| overlap.until.is_none());
            let staged =
                staged.ok_or_else(|| Error::Conflict("No secret is staged. Stage the next secret first.".into()))?;
            let last = std::mem::replace(&mut webhook.secret, staged.secret);
            webhook.overlap = (!overlap.is_zero()).then(|| Overlap { secret: last, until: Some(now.plus(overlap)) });
            Ok(None)
        }
    })
    .await
}

/// Returns the other secret that also signs at `now`, if there is one.
pub fn overlap_at(webhook: &Webhook, now: Timestamp) -> Option<&Overlap> {
    webhook.overlap.as_ref().filter(|overlap| overlap.until.is_none_or(|until| now < until))
}

/// Loads an endpoint for writing, applies the change and stores it. If the endpoint is disabled,
/// its pending deliveries are canceled.
async fn change<T: Send + 'static>(
    services: &Services,
    site: SiteId,
    id: WebhookId,
    apply: impl FnOnce(&mut Webhook) -> Result<T> + Send + 'static,
) -> Result<(Webhook, T)> {
    let now = services.now();
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                let mut webhook = db::webhooks::by_id_locked(c, site, id).await?.ok_or(Error::NotFound("Webhook"))?;
                let value = apply(&mut webhook)?;
                webhook.updated_at = now;
                db::webhooks::update(c, &webhook).await?;
                if webhook.disabled.is_some() {
                    db::deliveries::cancel(c, site, id, now).await?;
                }
                Ok((webhook, value))
            })
        })
        .await
}

/// Checks that the viewer may manage the webhooks of the site.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `NotFound` when the viewer has no such site.
#[boxed]
pub async fn may_manage(services: &Services, viewer: &Viewer, named: Option<SiteId>) -> Result<()> {
    managed(services, viewer, named).await.map(drop)
}

/// Returns the viewer's site if the viewer may manage its webhooks.
pub(crate) async fn managed(services: &Services, viewer: &Viewer, named: Option<SiteId>) -> Result<Site> {
    viewer.require(Scope::Webhooks)?;
    let site = sites::get(services, viewer, named).await?;
    require(viewer, &site)?;
    Ok(site)
}

/// The plan limits the keys of a site. An operator may always manage webhooks.
pub(crate) fn require(viewer: &Viewer, site: &Site) -> Result<()> {
    viewer.require(Scope::Webhooks)?;
    viewer.site(Some(site.id))?;
    if viewer.is_operator() { Ok(()) } else { sites::require_feature(site, Feature::Webhooks) }
}

/// Checks an address and returns it as its owner wrote it, so that a program finds its own address
/// in the list.
fn checked_url(services: &Services, text: &str) -> Result<String, Invalid> {
    normal_url(text)?;
    let url = Url::parse(text.trim()).map_err(|_| Invalid::new("url", "url is not a valid URL"))?;
    (services.webhook_policy)(&url).map_err(|reason| Invalid::new("url", reason))?;
    Ok(text.trim().to_owned())
}
