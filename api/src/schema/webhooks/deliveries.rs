//! The log of a webhook: deliveries and their attempts.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Enum, ID, InputObject, Object, Result, SimpleObject};
use helpbot_domain::event::EventType;
use helpbot_domain::ids::SiteId;
use helpbot_domain::webhook;
use helpbot_services::webhooks::deliveries;
use helpbot_services::{self as services, DeliveryFilter, DeliveryPage};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::WebhookEventType;
use crate::error::{Nullable, nullable};
use crate::schema::access::Access;
use crate::schema::ids::id;
use crate::schema::page::{self, PageArgs, connection};
use crate::schema::scalars::DateTime;
use crate::schema::sites::int;

/// How far a delivery has come.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "webhook::DeliveryStatus")]
pub enum WebhookDeliveryStatus {
    /// Waiting for its next attempt, or in one.
    Pending,
    /// Answered with a status from 200 to 299.
    Delivered,
    /// Its last attempt has failed; it can be replayed.
    Failed,
    /// The webhook was disabled before it came to an end; it can be replayed.
    Cancelled,
}

/// Which deliveries a list shows; all conditions hold.
#[derive(InputObject)]
pub struct WebhookDeliveryFilter {
    /// Only those that have come so far.
    status: Option<WebhookDeliveryStatus>,
    /// Only of this event.
    event: Option<WebhookEventType>,
    /// Only of events from this moment on.
    since: Option<DateTime>,
}

connection! {
    /// Deliveries of a webhook, newest first.
    WebhookDeliveryConnection,
    /// A delivery in a list.
    WebhookDeliveryEdge, WebhookDelivery
}

/// The attempts of all deliveries of one page, read at once when the first of them is asked for.
pub struct PageAttempts {
    site: SiteId,
    ids: Vec<Uuid>,
    read: OnceCell<HashMap<Uuid, Vec<services::Attempt>>>,
}

impl PageAttempts {
    /// Those of some deliveries of a site; nothing is read yet.
    pub(super) fn of(site: SiteId, ids: Vec<Uuid>) -> Arc<Self> {
        Arc::new(Self { site, ids, read: OnceCell::new() })
    }

    async fn read(&self, access: &Access) -> services::Result<&HashMap<Uuid, Vec<services::Attempt>>> {
        let all = async || {
            let found = deliveries::attempts(&access.services, &access.viewer, Some(self.site), &self.ids).await?;
            let mut attempts: HashMap<Uuid, Vec<services::Attempt>> = HashMap::new();
            for attempt in found {
                attempts.entry(attempt.delivery_id).or_default().push(attempt);
            }
            Ok(attempts)
        };
        self.read.get_or_try_init(all).await
    }
}

/// One event on its way to one webhook.
#[derive(Clone)]
pub struct WebhookDelivery {
    pub(super) row: services::Delivery,
    pub(super) attempts: Arc<PageAttempts>,
    pub(super) access: Access,
}

impl WebhookDelivery {
    /// One that is read outside a list.
    pub(crate) fn alone(row: services::Delivery, access: &Access) -> Self {
        Self { attempts: PageAttempts::of(row.site_id, vec![row.id]), row, access: access.clone() }
    }
}

/// One event on its way to one webhook.
#[Object]
impl WebhookDelivery {
    /// Its id, a UUID: what `X-HelpBot-Delivery` carries on each attempt.
    pub async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// The id of the webhook.
    async fn webhook_id(&self) -> ID {
        id(self.row.webhook_id)
    }

    /// The id of the event: what `webhook-id` carries.
    async fn event_id(&self) -> ID {
        id(self.row.event_id)
    }

    /// Which event; null for a test event.
    async fn event(&self) -> Option<WebhookEventType> {
        self.row.event_type.parse::<EventType>().ok().and_then(WebhookEventType::of)
    }

    /// Whether it is a test event, a `ping`.
    async fn is_test(&self) -> bool {
        self.row.event_type == helpbot_domain::envelope::PING
    }

    /// The place of the event in the log of the site, from 1: what `X-HelpBot-Sequence` carries.
    /// Null for a test event.
    async fn sequence(&self) -> Option<i32> {
        self.row.event_seq.map(int)
    }

    /// The bytes that are sent, the same on each attempt.
    async fn body(&self) -> &str {
        &self.row.body
    }

    /// How far it has come.
    async fn status(&self) -> WebhookDeliveryStatus {
        self.row.status.into()
    }

    /// Attempts so far, those before a replay included.
    async fn attempt_count(&self) -> i32 {
        self.row.attempts
    }

    /// When it is attempted next; null when it has come to an end.
    async fn next_attempt_at(&self) -> Option<DateTime> {
        let is_pending = self.row.status == webhook::DeliveryStatus::Pending;
        is_pending.then(|| self.row.due_at.into())
    }

    /// When the event happened.
    async fn created_at(&self) -> DateTime {
        self.row.event_at.into()
    }

    /// When it came to an end.
    async fn finished_at(&self) -> Option<DateTime> {
        self.row.finished_at.map(DateTime)
    }

    /// Its attempts, the first one first: mostly one, ten in one run of the schedule.
    #[graphql(complexity = "1 + 3 * child_complexity")]
    async fn attempts(&self) -> Nullable<Vec<DeliveryAttempt>> {
        nullable(async {
            let all = self.attempts.read(&self.access).await?;
            let own = all.get(&self.row.id).map(Vec::as_slice).unwrap_or_default();
            Ok(own.iter().cloned().map(DeliveryAttempt::from).collect())
        })
        .await
    }
}

/// One attempt of a delivery: what was sent and what came back.
#[derive(SimpleObject)]
pub struct DeliveryAttempt {
    /// Its number, from 1.
    number: i32,
    /// Where it was sent.
    url: String,
    /// When it began.
    started_at: DateTime,
    /// The status of the response; null when there was none.
    status_code: Option<i32>,
    /// Why there was no response: a stable name, for example `FIRST_BYTE_TIMEOUT`.
    error_code: Option<String>,
    /// The same in words.
    error: Option<String>,
    /// Milliseconds for the host name; null for an open connection or an address.
    dns_ms: Option<i32>,
    /// Milliseconds for TCP and TLS; null for an open connection.
    connect_ms: Option<i32>,
    /// Milliseconds to the head of the response.
    first_byte_ms: Option<i32>,
    /// Milliseconds in all.
    total_ms: i32,
    /// The headers that were sent, in order; the signatures are whole.
    request_headers: Vec<HttpHeader>,
    /// The head of the response, without cookies; names in lower case.
    response_headers: Vec<HttpHeader>,
    /// The beginning of the body of the response, at most 16 KiB; text of a stranger, never to be
    /// rendered.
    response_body: String,
}

/// A header of a request or of its response.
#[derive(SimpleObject)]
pub struct HttpHeader {
    /// In lower case.
    name: String,
    /// As sent.
    value: String,
}

impl HttpHeader {
    /// From their stored form, a list of pairs.
    fn read(stored: &str) -> Vec<Self> {
        let pairs: Vec<(String, String)> = serde_json::from_str(stored).unwrap_or_default();
        pairs.into_iter().map(|(name, value)| Self { name, value }).collect()
    }
}

impl From<services::Attempt> for DeliveryAttempt {
    fn from(row: services::Attempt) -> Self {
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
    webhook: &services::Webhook,
    filter: Option<WebhookDeliveryFilter>,
    args: &PageArgs,
) -> Result<WebhookDeliveryConnection> {
    let filter = filter.map_or_else(DeliveryFilter::default, |filter| DeliveryFilter {
        status: filter.status.map(Into::into),
        event_type: filter.event.map(|event| EventType::from(event).as_str().to_owned()),
        since: filter.since.map(|moment| moment.0),
    });
    let walk = args.walk()?;
    let field = if walk.is_backward { "before" } else { "after" };
    let from = walk.from.as_deref().map(|place| place.parse().map_err(|_| page::bad_cursor(field))).transpose()?;
    let (after, before) = if walk.is_backward { (None, from) } else { (from, None) };
    let wanted = DeliveryPage { after, before, is_backward: walk.is_backward, limit: page::one_more(&walk) };
    let found = deliveries::list(&access.services, &access.viewer, webhook, &filter, wanted).await?;
    let (rows, has_previous, has_next) = page::trim(&walk, found);
    let attempts = PageAttempts::of(webhook.site_id, rows.iter().map(|row| row.id).collect());
    let nodes = rows.into_iter().map(|row| (row.id.to_string(), row));
    let nodes = nodes
        .map(|(place, row)| (WebhookDelivery { row, attempts: Arc::clone(&attempts), access: access.clone() }, place));
    let (access, webhook) = (access.clone(), webhook.clone());
    let nodes = nodes.collect();
    let total = page::total(move || {
        let (access, webhook, filter) = (access.clone(), webhook.clone(), filter.clone());
        async move { deliveries::total(&access.services, &access.viewer, &webhook, &filter).await.map(int) }
    });
    Ok(WebhookDeliveryConnection::new(nodes, has_previous, has_next, total))
}
