//! The mutations that manage webhooks, rotate their secrets and replay their deliveries.

use std::time::Duration;

use async_graphql::{Context, Enum, ID, Object, Result};
use helpbot_domain as domain;
use helpbot_domain::Invalid;
use helpbot_services as services;
use helpbot_services::webhooks::{self, NewWebhook, OVERLAP_DEFAULT, RotationStep, WebhookPatch};
use helpbot_services::webhooks::{deliveries, replays};

use super::deliveries::WebhookDelivery;
use super::event_type::WebhookEventType;
use super::{Webhook, WebhookReplay};
use crate::schema::access::Access;
use crate::schema::ids;
use crate::schema::mutation::{finish, input, payload};
use crate::schema::scalars::DateTime;

/// The mutations that manage webhooks.
#[derive(Default)]
pub struct WebhookMutation;

input! {
    /// Arguments that `createWebhook` accepts.
    CreateWebhookInput {
        /// Address that receives the events. It must use https, port 80 or 443 and a public host, unless the
        /// operator allows the host. It can have at most 2,048 characters.
        url: String,
        /// Types of the events that the webhook receives. At least one is required, and duplicates are
        /// ignored.
        events: Vec<WebhookEventType>,
        /// Note that describes the webhook, which can have at most 200 characters. By default there is none.
        description: Option<String>,
    }
}

payload! {
    /// Result that `createWebhook` returns.
    CreateWebhookPayload {
        /// The webhook that was created. It is null when the mutation failed.
        webhook: Option<Webhook>,
        /// Secret that signs the requests. It is returned only once and cannot be read again later. It is
        /// null when the mutation failed.
        secret: Option<String>,
    }
}

input! {
    /// Arguments that `updateWebhook` accepts. Fields that are absent stay unchanged.
    UpdateWebhookInput {
        /// ID of the webhook that is changed.
        id: ID,
        /// New address that receives the events. Pending deliveries are sent to the new address. It stays
        /// unchanged when it is absent or null.
        url: Option<String>,
        /// Types of the events that the webhook receives. At least one is needed when the field is present. It
        /// stays unchanged when it is absent or null.
        events: Option<Vec<WebhookEventType>>,
        /// Note that describes the webhook, which can have at most 200 characters. An empty text removes it. It
        /// stays unchanged when it is absent or null.
        description: Option<String>,
        /// Whether events are sent to the webhook. False cancels all pending deliveries. True does not send
        /// them again; `replayFailedDeliveries` does. It stays unchanged when it is absent or null.
        is_enabled: Option<bool>,
    }
}

payload! {
    /// Result that `updateWebhook` returns.
    UpdateWebhookPayload {
        /// The webhook after the change. It is null when the mutation failed.
        webhook: Option<Webhook>,
    }
}

input! {
    /// Arguments that `deleteWebhook` accepts.
    DeleteWebhookInput {
        /// ID of the webhook that is deleted.
        id: ID,
    }
}

payload! {
    /// Result that `deleteWebhook` returns.
    DeleteWebhookPayload {
        /// ID of the webhook that was deleted. It is null when the mutation failed.
        deleted_id: Option<ID>,
    }
}

/// Step that `rotateWebhookSecret` takes.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookRotationStep {
    /// Creates the next secret and returns it. From now on, the header `webhook-signature` contains
    /// signatures of both secrets. `X-HelpBot-Signature` uses the current secret.
    Stage,
    /// Makes the staged secret the current one. The previous secret stays in `webhook-signature` during the
    /// overlap.
    Promote,
}

input! {
    /// Arguments that `rotateWebhookSecret` accepts.
    RotateWebhookSecretInput {
        /// ID of the webhook whose secret is rotated.
        id: ID,
        /// Step to take. `STAGE`, the default, comes first. `PROMOTE` follows when the receiver knows the
        /// next secret.
        #[graphql(default_with = "WebhookRotationStep::Stage")]
        step: WebhookRotationStep,
        /// Number of hours for which the previous secret still signs, 0 to 168. Defaults to 24. It applies
        /// only to the step `PROMOTE`.
        overlap_hours: Option<i32>,
    }
}

payload! {
    /// Result that `rotateWebhookSecret` returns.
    RotateWebhookSecretPayload {
        /// The webhook after the step. It is null when the mutation failed.
        webhook: Option<Webhook>,
        /// The staged secret. It is returned only once and cannot be read again later. It is null for the
        /// step `PROMOTE` and when the mutation failed.
        secret: Option<String>,
    }
}

input! {
    /// Arguments that `sendTestEvent` accepts.
    SendTestEventInput {
        /// ID of the webhook that receives the test event.
        webhook_id: ID,
    }
}

payload! {
    /// Result that `sendTestEvent` returns.
    SendTestEventPayload {
        /// The delivery of the test event, whose `attempts` contain the responses of the endpoint. The delivery is null when
        /// the mutation failed.
        delivery: Option<WebhookDelivery>,
    }
}

input! {
    /// Arguments that `replayDelivery` accepts.
    ReplayDeliveryInput {
        /// ID of the delivery that is sent again.
        id: ID,
    }
}

payload! {
    /// Result that `replayDelivery` returns.
    ReplayDeliveryPayload {
        /// The delivery, which keeps its ID and its body. It is null when the mutation failed.
        delivery: Option<WebhookDelivery>,
    }
}

input! {
    /// Arguments that `replayFailedDeliveries` accepts.
    ReplayFailedDeliveriesInput {
        /// ID of the webhook whose deliveries are sent again.
        webhook_id: ID,
        /// Time from which on events are replayed. It must not be in the future.
        since: DateTime,
        /// Type of the events that are replayed. By default events of all types that the webhook receives
        /// are replayed.
        event: Option<WebhookEventType>,
    }
}

payload! {
    /// Result that `replayFailedDeliveries` returns.
    ReplayFailedDeliveriesPayload {
        /// The replay, which runs in the background. `Webhook.lastReplay` reports its progress. It is null
        /// when the mutation failed.
        replay: Option<WebhookReplay>,
    }
}

#[Object]
impl WebhookMutation {
    /// Creates a webhook and returns its signing secret, which cannot be read again later. Requires the
    /// `WEBHOOKS` scope and the Growth plan.
    ///
    /// Fails with `BAD_USER_INPUT` for an invalid field and with `LIMIT_REACHED` when the site has five
    /// webhooks.
    async fn create_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: CreateWebhookInput,
    ) -> Result<CreateWebhookPayload> {
        let access = Access::of(ctx);
        let site = input.site();
        let events = input.events.into_iter().map(Into::into).collect();
        let new = NewWebhook { url: input.url, events, description: input.description };
        let created = webhooks::create(&access.services, &access.viewer, site, new).await;
        finish(created, |(row, secret)| CreateWebhookPayload {
            webhook: node(access, row),
            secret: Some(secret),
            ..Default::default()
        })
    }

    /// Changes, enables or disables a webhook. Requires the `WEBHOOKS` scope and the Growth plan. Fails with
    /// `NOT_FOUND` when the webhook does not exist and with `BAD_USER_INPUT` for an invalid field.
    async fn update_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: UpdateWebhookInput,
    ) -> Result<UpdateWebhookPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.id));
        let patch = WebhookPatch {
            url: input.url,
            events: input.events.map(|events| events.into_iter().map(Into::into).collect()),
            description: input.description,
            is_enabled: input.is_enabled,
        };
        let changed = webhooks::update(&access.services, &access.viewer, site, id, patch).await;
        finish(changed, |row| UpdateWebhookPayload { webhook: node(access, row), ..Default::default() })
    }

    /// Deletes a webhook with its deliveries. Nothing more is sent to it. Requires the `WEBHOOKS` scope and
    /// the Growth plan. Fails with `NOT_FOUND` when the webhook does not exist.
    async fn delete_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: DeleteWebhookInput,
    ) -> Result<DeleteWebhookPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let deleted = webhooks::delete(services, viewer, input.site(), ids::read(&input.id)).await;
        finish(deleted, |()| DeleteWebhookPayload { deleted_id: Some(input.id), ..Default::default() })
    }

    /// Takes one step in the rotation of a webhook's signing secret. Requires the `WEBHOOKS` scope and the
    /// Growth plan.
    ///
    /// Fails with `NOT_FOUND` when the webhook does not exist, with `CONFLICT` for the step `PROMOTE` when no
    /// secret is staged, and with `BAD_USER_INPUT` when `overlapHours` is out of range.
    async fn rotate_webhook_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: RotateWebhookSecretInput,
    ) -> Result<RotateWebhookSecretPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.id));
        let rotated = match rotation_step(input.step, input.overlap_hours) {
            Ok(step) => webhooks::rotate(&access.services, &access.viewer, site, id, step).await,
            Err(error) => Err(error),
        };
        finish(rotated, |(row, secret)| RotateWebhookSecretPayload {
            webhook: node(access, row),
            secret,
            ..Default::default()
        })
    }

    /// Sends a test event (`ping`) to a webhook through the same queue as all other events. Requires the
    /// `WEBHOOKS` scope and the Growth plan.
    ///
    /// Fails with `NOT_FOUND` when the webhook does not exist, with `CONFLICT` when it is disabled, and with
    /// `LIMIT_REACHED` while 20 test events are pending.
    async fn send_test_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: SendTestEventInput,
    ) -> Result<SendTestEventPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.webhook_id));
        finish(deliveries::send_test(&access.services, &access.viewer, site, id).await, |row| SendTestEventPayload {
            delivery: Some(WebhookDelivery::alone(row, access)),
            ..Default::default()
        })
    }

    /// Sends a delivery again, whether it succeeded or failed. A pending delivery is attempted at once.
    /// Requires the `WEBHOOKS` scope and the Growth plan. Fails with `NOT_FOUND` when the delivery does not
    /// exist and with `CONFLICT` when its webhook is disabled.
    async fn replay_delivery(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: ReplayDeliveryInput,
    ) -> Result<ReplayDeliveryPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.id));
        finish(deliveries::replay(&access.services, &access.viewer, site, id).await, |row| ReplayDeliveryPayload {
            delivery: Some(WebhookDelivery::alone(row, access)),
            ..Default::default()
        })
    }

    /// Sends in the background all deliveries since a given time that failed or were canceled, and the
    /// events that happened while the webhook was disabled. Requires the `WEBHOOKS` scope and the Growth
    /// plan.
    ///
    /// Fails with `NOT_FOUND` when the webhook does not exist, with `CONFLICT` when it is disabled or another
    /// replay is running, and with `BAD_USER_INPUT` for an invalid field.
    async fn replay_failed_deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: ReplayFailedDeliveriesInput,
    ) -> Result<ReplayFailedDeliveriesPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.webhook_id));
        let (since, event) = (input.since.0, input.event.map(Into::into));
        let requested = replays::request(services, viewer, site, id, since, event).await;
        finish(requested, |replay| ReplayFailedDeliveriesPayload { replay: Some(replay.into()), ..Default::default() })
    }
}

fn rotation_step(step: WebhookRotationStep, overlap_hours: Option<i32>) -> services::Result<RotationStep> {
    const HOUR_S: u64 = 3600;
    match (step, overlap_hours) {
        (WebhookRotationStep::Stage, _) => Ok(RotationStep::Stage),
        (WebhookRotationStep::Promote, None) => Ok(RotationStep::Promote(OVERLAP_DEFAULT)),
        (WebhookRotationStep::Promote, Some(hours)) => {
            let refused = || Invalid::new("overlapHours", "overlapHours must be between 0 and 168.");
            let hours = u64::try_from(hours).map_err(|_| refused())?;
            Ok(RotationStep::Promote(Duration::from_secs(hours * HOUR_S)))
        }
    }
}

fn node(access: &Access, row: domain::webhook::Webhook) -> Option<Webhook> {
    Some(Webhook { row, access: access.clone() })
}
