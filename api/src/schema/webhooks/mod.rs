//! Webhooks: addresses that receive the events of a site. Secrets are never returned again after
//! the mutation that creates them.

pub mod deliveries;
pub mod event_type;
pub mod mutation;

use async_graphql::{Description, Enum, ID, Object, Result};
use helpbot_api_macros::{OutputObject, paged};
use helpbot_domain as domain;
use helpbot_domain::webhook;
use helpbot_domain::webhook::Replay;
use helpbot_services::webhooks::{self, replays};

use crate::error::{Nullable, nullable, perhaps};
use crate::schema::access::Access;
use crate::schema::ids::id;
use crate::schema::page::PageArgs;
use crate::schema::scalars::{DateTime, int};
use deliveries::{WebhookDeliveryConnection, WebhookDeliveryFilter};
use event_type::WebhookEventType;

/// Reason why a webhook is disabled.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "webhook::DisabledReason")]
pub enum WebhookDisabledReason {
    /// The webhook was disabled with `updateWebhook`.
    Owner,
    /// The endpoint responded with the status 410 (Gone).
    Gone,
    /// All attempts failed for five days.
    Failing,
}

/// An HTTPS address that receives the events of a site.
#[derive(Clone, Description)]
pub struct Webhook {
    pub(crate) row: domain::webhook::Webhook,
    pub(crate) access: Access,
}

#[paged]
#[Object(use_type_description)]
impl Webhook {
    /// Global ID of the webhook, which `node` accepts.
    pub async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// Address that receives the events.
    async fn url(&self) -> &str {
        &self.row.url
    }

    /// Types of the events that the webhook receives.
    async fn events(&self) -> Vec<WebhookEventType> {
        self.row.events.iter().filter_map(|event| WebhookEventType::of(*event)).collect()
    }

    /// Note that describes the webhook. It is null when none was given.
    async fn description(&self) -> Option<&str> {
        self.row.description.as_deref()
    }

    /// The characters `****` and the last four characters of the signing secret. The whole secret is
    /// returned only by the mutation that creates it.
    async fn redacted_secret(&self) -> String {
        redacted(&self.row.secret.last4)
    }

    /// Rotation of the signing secret. It is null when no rotation is in progress.
    async fn rotation(&self) -> Option<WebhookSecretRotation> {
        let overlap = webhooks::overlap_at(&self.row, self.access.services.now())?;
        Some(WebhookSecretRotation {
            is_staged: overlap.until.is_none(),
            redacted_secret: redacted(&overlap.secret.last4),
            ends_at: overlap.until.map(DateTime),
        })
    }

    /// Whether events are sent to the webhook.
    async fn is_enabled(&self) -> bool {
        self.row.disabled.is_none()
    }

    /// Reason why the webhook is disabled. It is null while the webhook is enabled.
    async fn disabled_reason(&self) -> Option<WebhookDisabledReason> {
        self.row.disabled.map(Into::into)
    }

    /// Time since which all attempts have failed. It is null when the last attempt succeeded.
    async fn failing_since(&self) -> Option<DateTime> {
        self.row.failing.map(|run| run.since.into())
    }

    /// Time until which nothing is sent, because the endpoint was overloaded or asked for a pause. It is
    /// null when the webhook is not paused.
    async fn paused_until(&self) -> Option<DateTime> {
        let now = self.access.services.now();
        self.row.paused_until.filter(|until| now < *until).map(DateTime)
    }

    /// Time at which the webhook was created.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// Time at which the webhook was last changed by a mutation.
    async fn updated_at(&self) -> DateTime {
        self.row.updated_at.into()
    }

    /// Deliveries of the webhook, newest first. Requires the `WEBHOOKS` scope.
    async fn deliveries(
        &self,
        #[graphql(desc = "Conditions that select deliveries. By default all deliveries are listed.")] filter: Option<
            WebhookDeliveryFilter,
        >,
        args: PageArgs,
    ) -> Nullable<WebhookDeliveryConnection> {
        nullable(deliveries::list(&self.access, &self.row, filter, &args)).await
    }

    /// Last request to replay failed deliveries, with its progress. It is null when there was none.
    async fn last_replay(&self) -> Nullable<WebhookReplay> {
        perhaps(async {
            let found = replays::last(&self.access.services, &self.access.viewer, &self.row).await?;
            Ok(found.map(WebhookReplay::from))
        })
        .await
    }
}

/// The second secret of a webhook during a rotation. Requests carry signatures of both secrets.
#[derive(OutputObject)]
pub struct WebhookSecretRotation {
    /// Whether the second secret is the next one, which waits to be promoted. Otherwise it is the previous
    /// one, which expires at `endsAt`.
    is_staged: bool,
    /// The characters `****` and the last four characters of the second secret, which help to identify it.
    redacted_secret: String,
    /// Time at which the previous secret expires. It is null while the next secret is staged.
    ends_at: Option<DateTime>,
}

/// A request to replay the failed deliveries of a webhook, which is carried out in the background.
#[derive(OutputObject)]
pub struct WebhookReplay {
    /// ID that identifies the replay within its site.
    id: ID,
    /// Type of the events that are replayed. It is null when events of all types are replayed.
    event: Option<WebhookEventType>,
    /// Time from which on events are replayed.
    since: DateTime,
    /// Number of events that the replay must check.
    total: i32,
    /// Number of events that the replay has checked.
    checked: i32,
    /// Number of deliveries that were scheduled again, because they had failed, had been canceled or did
    /// not exist.
    replayed: i32,
    /// Time at which the replay was requested.
    created_at: DateTime,
    /// Time at which the replay ended. It is null while the replay is running.
    finished_at: Option<DateTime>,
}

impl From<Replay> for WebhookReplay {
    fn from(row: Replay) -> Self {
        Self {
            id: id(row.id),
            event: row.event_type.and_then(WebhookEventType::of),
            since: row.since.into(),
            total: int(row.total),
            checked: int(row.checked),
            replayed: int(row.replayed),
            created_at: row.created_at.into(),
            finished_at: row.finished_at.map(DateTime),
        }
    }
}

/// The webhooks of a site, oldest first.
pub(crate) async fn list(access: &Access, site: &domain::site::Site) -> Result<Vec<Webhook>> {
    let found = webhooks::list(&access.services, &access.viewer, site).await?;
    Ok(found.into_iter().map(|row| Webhook { row, access: access.clone() }).collect())
}

fn redacted(last4: &str) -> String {
    format!("****{last4}")
}
