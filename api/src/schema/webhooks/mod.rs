//! Webhooks: the endpoint as its owner sees it, never with a secret.

pub mod deliveries;
pub mod mutation;

use async_graphql::{Enum, ID, Object, Result, SimpleObject};
use helpbot_domain::event::EventType;
use helpbot_domain::webhook;
use helpbot_services::webhooks::{self, replays};
use helpbot_services::{self as services, Replay};

use crate::error::{Nullable, nullable, perhaps};
use crate::schema::access::Access;
use crate::schema::ids::id;
use crate::schema::page::{self, PageArgs};
use crate::schema::scalars::DateTime;
use crate::schema::sites::int;
use deliveries::{WebhookDeliveryConnection, WebhookDeliveryFilter};

/// What may be sent to webhooks.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookEventType {
    /// A visitor asked and was answered: `conversation.created`.
    ConversationCreated,
    /// There was no answer: `conversation.unanswered`, beside the first.
    ConversationUnanswered,
    /// A visitor voted, or changed the vote: `conversation.feedback`.
    ConversationFeedback,
    /// A visitor asked for a human: `conversation.handoff`.
    ConversationHandoff,
}

impl WebhookEventType {
    /// The same in the words of the domain; none for what webhooks do not get.
    fn of(event: EventType) -> Option<Self> {
        match event {
            EventType::ConversationCreated => Some(Self::ConversationCreated),
            EventType::ConversationUnanswered => Some(Self::ConversationUnanswered),
            EventType::ConversationFeedback => Some(Self::ConversationFeedback),
            EventType::ConversationHandoff => Some(Self::ConversationHandoff),
            EventType::MessageCreated
            | EventType::ConversationAssigned
            | EventType::ConversationResolved
            | EventType::ConversationReopened => None,
        }
    }
}

impl From<WebhookEventType> for EventType {
    fn from(event: WebhookEventType) -> Self {
        match event {
            WebhookEventType::ConversationCreated => EventType::ConversationCreated,
            WebhookEventType::ConversationUnanswered => EventType::ConversationUnanswered,
            WebhookEventType::ConversationFeedback => EventType::ConversationFeedback,
            WebhookEventType::ConversationHandoff => EventType::ConversationHandoff,
        }
    }
}

/// Why nothing is sent to a webhook.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "webhook::DisabledReason")]
pub enum WebhookDisabledReason {
    /// Its owner said so.
    Owner,
    /// It answered 410.
    Gone,
    /// Nothing but failures for five days.
    Failing,
}

/// Where events of a site are sent.
#[derive(Clone)]
pub struct Webhook {
    pub(crate) row: services::Webhook,
    pub(crate) access: Access,
}

/// Where events of a site are sent.
#[Object]
impl Webhook {
    /// Its id.
    pub async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// Its address, as its owner wrote it.
    async fn url(&self) -> &str {
        &self.row.url
    }

    /// Which events it gets.
    async fn events(&self) -> Vec<WebhookEventType> {
        self.row.events.iter().filter_map(|event| WebhookEventType::of(*event)).collect()
    }

    /// A note of its owner.
    async fn description(&self) -> Option<&str> {
        self.row.description.as_deref()
    }

    /// `****` and the last four characters of the signing secret; the whole is shown once, when
    /// it is made.
    async fn redacted_secret(&self) -> String {
        redacted(&self.row.secret.last4)
    }

    /// The other secret while a rotation goes on.
    async fn rotation(&self) -> Option<WebhookSecretRotation> {
        let overlap = webhooks::overlap_at(&self.row, self.access.services.now())?;
        Some(WebhookSecretRotation {
            is_staged: overlap.until.is_none(),
            redacted_secret: redacted(&overlap.secret.last4),
            ends_at: overlap.until.map(DateTime),
        })
    }

    /// Whether events are sent to it.
    async fn is_enabled(&self) -> bool {
        self.row.disabled.is_none()
    }

    /// Why not.
    async fn disabled_reason(&self) -> Option<WebhookDisabledReason> {
        self.row.disabled.map(Into::into)
    }

    /// Since when each attempt has failed; null while the last one succeeded.
    async fn failing_since(&self) -> Option<DateTime> {
        self.row.failing.map(|run| run.since.into())
    }

    /// Until when nothing is sent to it because it was overrun or asked for a pause.
    async fn paused_until(&self) -> Option<DateTime> {
        let now = self.access.services.now();
        self.row.paused_until.filter(|until| now < *until).map(DateTime)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// When its owner last changed it.
    async fn updated_at(&self) -> DateTime {
        self.row.updated_at.into()
    }

    /// What was and is to be sent to it, newest first.
    #[graphql(complexity = "page::cost(first, last, child_complexity)")]
    async fn deliveries(
        &self,
        #[graphql(desc = "Which of them.")] filter: Option<WebhookDeliveryFilter>,
        #[graphql(desc = "At most so many from the start: 20 if not said, never over 100.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Nullable<WebhookDeliveryConnection> {
        let args = PageArgs { first, after, last, before };
        nullable(deliveries::list(&self.access, &self.row, filter, &args)).await
    }

    /// The last request to send again what it has not got, and how far that has come.
    async fn last_replay(&self) -> Nullable<WebhookReplay> {
        perhaps(async {
            let found = replays::last(&self.access.services, &self.access.viewer, &self.row).await?;
            Ok(found.map(WebhookReplay::from))
        })
        .await
    }
}

/// The second secret of a rotation: deliveries carry signatures of both.
#[derive(SimpleObject)]
pub struct WebhookSecretRotation {
    /// Whether it is the next one, waiting to be promoted; else it is the last one, running out.
    is_staged: bool,
    /// `****` and its last four characters.
    redacted_secret: String,
    /// When the last one ends; null while the next one is staged.
    ends_at: Option<DateTime>,
}

/// A request to send again what a webhook has not got, done in the background.
#[derive(SimpleObject)]
pub struct WebhookReplay {
    /// Its id.
    id: ID,
    /// Only of this kind; null means of all that the webhook gets.
    event: Option<WebhookEventType>,
    /// Only events from this moment on.
    since: DateTime,
    /// Events to look at.
    total: i32,
    /// Events looked at so far.
    checked: i32,
    /// Of these, put to be sent: those that had failed, were cancelled or never written.
    replayed: i32,
    /// When it was asked for.
    created_at: DateTime,
    /// When it was done; null while it goes on.
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
pub(crate) async fn list(access: &Access, site: &services::Site) -> Result<Vec<Webhook>> {
    let found = webhooks::list(&access.services, &access.viewer, site).await?;
    Ok(found.into_iter().map(|row| Webhook { row, access: access.clone() }).collect())
}

fn redacted(last4: &str) -> String {
    format!("****{last4}")
}
