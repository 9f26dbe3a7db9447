//! Making, changing and deleting webhooks, rotating their secrets, sending again.

use std::time::Duration;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use helpbot_domain::Invalid;
use helpbot_services as services;
use helpbot_services::webhooks::{self, NewWebhook, OVERLAP_DEFAULT, RotationStep, WebhookPatch};
use helpbot_services::webhooks::{deliveries, replays};

use super::deliveries::{PageAttempts, WebhookDelivery};
use super::{Webhook, WebhookEventType, WebhookReplay};
use crate::error::{UserError, expected};
use crate::schema::access::Access;
use crate::schema::ids;
use crate::schema::scalars::DateTime;

/// Changing webhooks.
#[derive(Default)]
pub struct WebhookMutation;

/// A new webhook.
#[derive(InputObject)]
pub struct CreateWebhookInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Its https address, on a public host, at most 2048 characters.
    url: String,
    /// Which events it gets; at least one, repeats are folded.
    events: Vec<WebhookEventType>,
    /// A note, at most 200 characters.
    description: Option<String>,
}

/// The new webhook, or why there is none.
#[derive(Default, SimpleObject)]
pub struct CreateWebhookPayload {
    /// The webhook.
    webhook: Option<Webhook>,
    /// The secret that its deliveries are signed with. It is shown this once.
    secret: Option<String>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// A change of a webhook; what is absent stays as it is.
#[derive(InputObject)]
pub struct UpdateWebhookInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Which one.
    id: ID,
    /// Its https address. What waits is sent there.
    url: Option<String>,
    /// Which events it gets; at least one.
    events: Option<Vec<WebhookEventType>>,
    /// A note, at most 200 characters; an empty one removes it.
    description: Option<String>,
    /// Whether events are sent. Disabling ends what waits; enabling sends nothing by itself:
    /// `replayFailedDeliveries` does.
    is_enabled: Option<bool>,
}

/// The changed webhook, or why it was not changed.
#[derive(Default, SimpleObject)]
pub struct UpdateWebhookPayload {
    /// The webhook as it is now.
    webhook: Option<Webhook>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// The webhook to delete.
#[derive(InputObject)]
pub struct DeleteWebhookInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Which one.
    id: ID,
}

/// The id of the deleted webhook, or why it was not deleted.
#[derive(Default, SimpleObject)]
pub struct DeleteWebhookPayload {
    /// The id that is gone.
    deleted_id: Option<ID>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// A step of the rotation of a secret.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookRotationStep {
    /// Make the next secret and show it. `webhook-signature` carries signatures of both from now
    /// on, `X-HelpBot-Signature` that of the present one.
    Stage,
    /// Make the staged secret the present one. The last one stays in `webhook-signature` for the
    /// overlap.
    Promote,
}

/// A step of the rotation of a secret.
#[derive(InputObject)]
pub struct RotateWebhookSecretInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Which webhook.
    id: ID,
    /// Which step: `STAGE` first, `PROMOTE` once the receiver knows the next secret.
    #[graphql(default_with = "WebhookRotationStep::Stage")]
    step: WebhookRotationStep,
    /// For `PROMOTE`: for how many hours the last secret still signs, 0 to 168; 24 if not said.
    overlap_hours: Option<i32>,
}

/// The webhook in rotation, or why the step was not taken.
#[derive(Default, SimpleObject)]
pub struct RotateWebhookSecretPayload {
    /// The webhook as it is now.
    webhook: Option<Webhook>,
    /// The staged secret. It is shown this once; null for `PROMOTE`.
    secret: Option<String>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// Where to send a test event.
#[derive(InputObject)]
pub struct SendTestEventInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Which webhook.
    webhook_id: ID,
}

/// The test event on its way, or why it was not sent.
#[derive(Default, SimpleObject)]
pub struct SendTestEventPayload {
    /// The delivery; its attempts tell what came of it.
    delivery: Option<WebhookDelivery>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// The delivery to send again.
#[derive(InputObject)]
pub struct ReplayDeliveryInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Which one.
    id: ID,
}

/// The delivery on its way again, or why not.
#[derive(Default, SimpleObject)]
pub struct ReplayDeliveryPayload {
    /// The delivery, with the same id and the same bytes.
    delivery: Option<WebhookDelivery>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// What to send again.
#[derive(InputObject)]
pub struct ReplayFailedDeliveriesInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// To which webhook.
    webhook_id: ID,
    /// Events from this moment on.
    since: DateTime,
    /// Only of this kind; of all that the webhook gets if not said.
    event: Option<WebhookEventType>,
}

/// The request to send again, or why it was not taken.
#[derive(Default, SimpleObject)]
pub struct ReplayFailedDeliveriesPayload {
    /// How far it has come; `Webhook.lastReplay` tells later.
    replay: Option<WebhookReplay>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

#[Object]
impl WebhookMutation {
    /// Makes a webhook; a site has five at most. Its secret is shown this once.
    async fn create_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to make.")] input: CreateWebhookInput,
    ) -> Result<CreateWebhookPayload> {
        let access = Access::of(ctx);
        let site = ids::site(input.site_id.as_ref());
        let events = input.events.into_iter().map(Into::into).collect();
        let new = NewWebhook { url: input.url, events, description: input.description };
        Ok(match webhooks::create(&access.services, &access.viewer, site, new).await {
            Ok((row, secret)) => CreateWebhookPayload {
                webhook: Some(Webhook { row, access: access.clone() }),
                secret: Some(secret),
                ..Default::default()
            },
            Err(error) => CreateWebhookPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Changes, enables or disables a webhook.
    async fn update_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateWebhookInput,
    ) -> Result<UpdateWebhookPayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.id));
        let patch = WebhookPatch {
            url: input.url,
            events: input.events.map(|events| events.into_iter().map(Into::into).collect()),
            description: input.description,
            is_enabled: input.is_enabled,
        };
        Ok(match webhooks::update(&access.services, &access.viewer, site, id, patch).await {
            Ok(row) => {
                UpdateWebhookPayload { webhook: Some(Webhook { row, access: access.clone() }), ..Default::default() }
            }
            Err(error) => UpdateWebhookPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Deletes a webhook with the record of its deliveries; nothing more is sent to it.
    async fn delete_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteWebhookInput,
    ) -> Result<DeleteWebhookPayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.id));
        Ok(match webhooks::delete(&access.services, &access.viewer, site, id).await {
            Ok(()) => DeleteWebhookPayload { deleted_id: Some(input.id), ..Default::default() },
            Err(error) => DeleteWebhookPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Takes a step of the rotation of a secret.
    async fn rotate_webhook_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RotateWebhookSecretInput,
    ) -> Result<RotateWebhookSecretPayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.id));
        let rotated = match rotation_step(input.step, input.overlap_hours) {
            Ok(step) => webhooks::rotate(&access.services, &access.viewer, site, id, step).await,
            Err(error) => Err(error),
        };
        Ok(match rotated {
            Ok((row, secret)) => RotateWebhookSecretPayload {
                webhook: Some(Webhook { row, access: access.clone() }),
                secret,
                ..Default::default()
            },
            Err(error) => RotateWebhookSecretPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Sends a `ping` to a webhook, through the same queue as everything else.
    async fn send_test_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to send, and where.")] input: SendTestEventInput,
    ) -> Result<SendTestEventPayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.webhook_id));
        Ok(match deliveries::send_test(&access.services, &access.viewer, site, id).await {
            Ok(row) => SendTestEventPayload { delivery: Some(one(access, row)), ..Default::default() },
            Err(error) => SendTestEventPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Sends a delivery again, whatever came of it; one that waits is attempted now.
    async fn replay_delivery(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to send again.")] input: ReplayDeliveryInput,
    ) -> Result<ReplayDeliveryPayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.id));
        Ok(match deliveries::replay(&access.services, &access.viewer, site, id).await {
            Ok(row) => ReplayDeliveryPayload { delivery: Some(one(access, row)), ..Default::default() },
            Err(error) => ReplayDeliveryPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Sends again, in the background, what a webhook has not got since a moment: what failed, what
    /// was cancelled, and what happened while it was disabled.
    async fn replay_failed_deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to send again.")] input: ReplayFailedDeliveriesInput,
    ) -> Result<ReplayFailedDeliveriesPayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.webhook_id));
        let (since, event) = (input.since.0, input.event.map(Into::into));
        Ok(match replays::request(&access.services, &access.viewer, site, id, since, event).await {
            Ok(replay) => ReplayFailedDeliveriesPayload { replay: Some(replay.into()), ..Default::default() },
            Err(error) => ReplayFailedDeliveriesPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }
}

fn rotation_step(step: WebhookRotationStep, overlap_hours: Option<i32>) -> services::Result<RotationStep> {
    const HOUR_S: u64 = 3600;
    match (step, overlap_hours) {
        (WebhookRotationStep::Stage, _) => Ok(RotationStep::Stage),
        (WebhookRotationStep::Promote, None) => Ok(RotationStep::Promote(OVERLAP_DEFAULT)),
        (WebhookRotationStep::Promote, Some(hours)) => {
            let refused = || Invalid::new("overlapHours", "overlapHours must be between 0 and 168");
            let hours = u64::try_from(hours).map_err(|_| refused())?;
            Ok(RotationStep::Promote(Duration::from_secs(hours * HOUR_S)))
        }
    }
}

fn one(access: &Access, row: services::Delivery) -> WebhookDelivery {
    let attempts = PageAttempts::of(row.site_id, vec![row.id]);
    WebhookDelivery { row, attempts, access: access.clone() }
}
