//! Deliveries of a webhook, and their attempts.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Description, Enum, ID, InputObject, Object, Result};
use helpbot_api_macros::{OutputObject, paged};
use helpbot_domain as domain;
use helpbot_domain::event::EventType;
use helpbot_domain::ids::SiteId;
use helpbot_domain::webhook;
use helpbot_domain::webhook::DeliveryFilter;
use helpbot_services as services;
use helpbot_services::webhooks::deliveries;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::Webhook;
use super::event_type::WebhookEventType;
use crate::error::{Nullable, nullable};
use crate::schema::access::Access;
use crate::schema::ids::id;
use crate::schema::loaders;
use crate::schema::page::{self, KeyOrder, PageArgs, connection};
use crate::schema::scalars::{DateTime, int};

/// Status that a webhook delivery has.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "webhook::DeliveryStatus")]
pub enum WebhookDeliveryStatus {
    /// The delivery waits for its next attempt, or an attempt is running.
    Pending,
    /// The endpoint responded with a status from 200 to 299.
    Delivered,
    /// The last attempt failed and no more will follow. The delivery can be replayed.
    Failed,
    /// The webhook was disabled before the delivery ended. The delivery can be replayed.
    #[graphql(name = "CANCELED")]
    Cancelled,
}

/// Conditions that select webhook deliveries. A delivery must meet all of them.
#[derive(InputObject)]
pub struct WebhookDeliveryFilter {
    /// Selects only deliveries with this status. Defaults to all statuses.
    status: Option<WebhookDeliveryStatus>,
    /// Selects only deliveries of events of this type. Defaults to all types, including test events.
    event: Option<WebhookEventType>,
    /// Selects only deliveries of events that happened at this time or later. Defaults to all times.
    since: Option<DateTime>,
}

connection! {
    /// A list of webhook deliveries, which is sorted by the time of the event, newest first.
    WebhookDeliveryConnection,
    /// An edge that connects the list to a webhook delivery.
    WebhookDeliveryEdge, WebhookDelivery
}

/// The attempts of all deliveries of one page. They are read with one query, when the first of them
/// is selected.
pub struct PageAttempts {
    site: SiteId,
    ids: Vec<Uuid>,
    read: OnceCell<HashMap<Uuid, Vec<domain::webhook::Attempt>>>,
}

impl PageAttempts {
    /// The attempts of some deliveries of a site. Nothing is read yet.
    fn of(site: SiteId, ids: Vec<Uuid>) -> Arc<Self> {
        Arc::new(Self { site, ids, read: OnceCell::new() })
    }

    async fn read(&self, access: &Access) -> services::Result<&HashMap<Uuid, Vec<domain::webhook::Attempt>>> {
        let all = async || {
            let found = deliveries::attempts(&access.services, &access.viewer, Some(self.site), &self.ids).await?;
            let mut attempts: HashMap<Uuid, Vec<domain::webhook::Attempt>> = HashMap::new();
            for attempt in found {
                attempts.entry(attempt.delivery_id).or_default().push(attempt);
            }
            Ok(attempts)
        };
        self.read.get_or_try_init(all).await
    }
}

/// The delivery of one event to one webhook, which may take several attempts.
#[derive(Clone, Description)]
pub struct WebhookDelivery {
    row: domain::webhook::Delivery,
    attempts: Arc<PageAttempts>,
    access: Access,
}

impl WebhookDelivery {
    /// A delivery that is read outside a list.
    pub(crate) fn alone(row: domain::webhook::Delivery, access: &Access) -> Self {
        Self { attempts: PageAttempts::of(row.site_id, vec![row.id]), row, access: access.clone() }
    }
}

connection! {
    /// A list of the attempts of a delivery, which is sorted by their number, oldest first.
    DeliveryAttemptConnection,
    /// An edge that connects the list to an attempt.
    DeliveryAttemptEdge, DeliveryAttempt
}

#[paged]
#[Object(use_type_description)]
impl WebhookDelivery {
    /// Global ID of the delivery, which `node` accepts. It is a UUID. Each attempt sends it in the header
    /// `X-HelpBot-Delivery`.
    pub async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// Webhook that receives the delivery. Requires the `WEBHOOKS` scope.
    async fn webhook(&self) -> Nullable<Webhook> {
        let (site, id) = (self.row.site_id, self.row.webhook_id);
        let found = self.access.loaders.webhook(site, id).await.map_err(loaders::failed);
        found.transpose().map(|found| found.map(|row| Webhook { row, access: self.access.clone() }))
    }

    /// ID of the event that is delivered. Each attempt sends it in the header `webhook-id`.
    async fn event_id(&self) -> ID {
        id(self.row.event_id)
    }

    /// Type of the event that is delivered. It is null for a test event.
    async fn event(&self) -> Option<WebhookEventType> {
        self.row.event_type.parse::<EventType>().ok().and_then(WebhookEventType::of)
    }

    /// Whether the delivery contains a test event (`ping`).
    async fn is_test(&self) -> bool {
        self.row.event_type == helpbot_domain::envelope::PING
    }

    /// Sequence number of the event in the event log of the site, starting at 1. Each attempt sends it in
    /// the header `X-HelpBot-Sequence`. It is null for a test event.
    async fn sequence(&self) -> Option<i32> {
        self.row.event_seq.map(int)
    }

    /// Body of the request, which is the same for all attempts.
    async fn body(&self) -> &str {
        &self.row.body
    }

    /// Status of the delivery, for example whether it was successful.
    async fn status(&self) -> WebhookDeliveryStatus {
        self.row.status.into()
    }

    /// Number of attempts that were made, including those before a replay.
    async fn attempt_count(&self) -> i32 {
        self.row.attempts
    }

    /// Time at which the next attempt is due. It is null when no more attempts will follow.
    async fn next_attempt_at(&self) -> Option<DateTime> {
        let is_pending = self.row.status == webhook::DeliveryStatus::Pending;
        is_pending.then(|| self.row.due_at.into())
    }

    /// Time at which the event happened.
    async fn created_at(&self) -> DateTime {
        self.row.event_at.into()
    }

    /// Time at which the delivery succeeded, failed or was canceled. It is null while it is pending.
    async fn finished_at(&self) -> Option<DateTime> {
        self.row.finished_at.map(DateTime)
    }

    /// Attempts of the delivery, oldest first. A delivery has at most ten attempts before it fails; each
    /// replay allows ten more. Requires the `WEBHOOKS` scope.
    async fn attempts(&self, args: PageArgs) -> Nullable<DeliveryAttemptConnection> {
        nullable(async {
            let all = self.attempts.read(&self.access).await?;
            let of_this = all.get(&self.row.id).cloned().unwrap_or_default();
            let (page, total) = page::of_all(&args, of_this, KeyOrder::Ascending, |attempt| attempt.number)?;
            let position = |_, attempt: &DeliveryAttempt| attempt.number.to_string();
            Ok(DeliveryAttemptConnection::with_positions(page.map(DeliveryAttempt::from), total, Box::new(position)))
        })
        .await
    }
}

/// One attempt of a webhook delivery: the request that was sent and the response to it.
#[derive(Clone, OutputObject)]
pub struct DeliveryAttempt {
    /// Number of the attempt within its delivery. The first attempt has the number 1.
    number: i32,
    /// Address that the request was sent to.
    url: String,
    /// Time at which the attempt started.
    started_at: DateTime,
    /// HTTP status of the response. It is null when there was no response.
    status_code: Option<i32>,
    /// Reason why there was no response, given as a stable code such as `FIRST_BYTE_TIMEOUT`. It is null
    /// when there was a response.
    error_code: Option<String>,
    /// Reason why there was no response, given as a message for people. It is null when there was a
    /// response.
    error: Option<String>,
    /// Time that the lookup of the host name took, in milliseconds. It is null when no lookup was needed.
    dns_ms: Option<i32>,
    /// Time that the TCP and TLS handshakes took, in milliseconds. It is null when the attempt reused an
    /// open connection.
    connect_ms: Option<i32>,
    /// Time until the first byte of the response arrived, in milliseconds. It is null when there was no
    /// response.
    first_byte_ms: Option<i32>,
    /// Time that the whole attempt took, in milliseconds.
    total_ms: i32,
    /// Headers of the request in the order in which they were sent, including complete signatures.
    request_headers: Vec<HttpHeader>,
    /// Headers of the response except cookies. The list is empty when there was no response.
    response_headers: Vec<HttpHeader>,
    /// Start of the response body, at most 16 KiB. It comes from a third party and must not be rendered as
    /// HTML.
    response_body: String,
}

/// A header that an HTTP request or its response contained.
#[derive(Clone, OutputObject)]
pub struct HttpHeader {
    /// Name of the header, which is in lower case.
    name: String,
    /// Value of the header, exactly as it was sent.
    value: String,
}

impl HttpHeader {
    /// Reads headers in their stored form, a JSON list of pairs.
    fn read(stored: &str) -> Vec<Self> {
        let pairs: Vec<(String, String)> = serde_json::from_str(stored).unwrap_or_default();
        pairs.into_iter().map(|(name, value)| Self { name, value }).collect()
    }
}

impl From<domain::webhook::Attempt> for DeliveryAttempt {
    fn from(row: domain::webhook::Attempt) -> Self {
        Self {
            number: row.number,
            url: row.url,
            started_at: row.started_at.into(),
            status_code: row.status,
            error_code: row.error,
            error: row.error_text,
            dns_ms: row.dns_ms.map(int),
            connect_ms: row.connect_ms.map(int),
            first_byte_ms: row.first_byte_ms.map(int),
            total_ms: int(row.total_ms),
            request_headers: HttpHeader::read(&row.request_headers),
            response_headers: HttpHeader::read(&row.response_headers),
            response_body: row.response,
        }
    }
}

/// A page of the deliveries of a webhook.
pub(super) async fn list(
    access: &Access,
    webhook: &domain::webhook::Webhook,
    filter: Option<WebhookDeliveryFilter>,
    args: &PageArgs,
) -> Result<WebhookDeliveryConnection> {
    let filter = filter.map_or_else(DeliveryFilter::default, |filter| DeliveryFilter {
        status: filter.status.map(Into::into),
        event_type: filter.event.map(|event| EventType::from(event).as_str().to_owned()),
        since: filter.since.map(|moment| moment.0),
    });
    let (counted, of, conditions) = (access.clone(), webhook.clone(), filter.clone());
    let count = async move { deliveries::total(&counted.services, &counted.viewer, &of, &conditions).await };
    let rows = |part| deliveries::list(&access.services, &access.viewer, webhook, &filter, part);
    let (page, total) = page::read(args, rows, count).await?;
    let attempts = PageAttempts::of(webhook.site_id, page.rows.iter().map(|row| row.id).collect());
    Ok(WebhookDeliveryConnection::new(page, total, |row| {
        let position = row.id.to_string();
        (WebhookDelivery { row, attempts: Arc::clone(&attempts), access: access.clone() }, position)
    }))
}
