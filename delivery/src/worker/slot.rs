//! The slot of one attempt, and the events that attempts and claims send to the pool.
//!
//! The pool owns all queues. Attempts and claims run as tasks beside it and report with a
//! [`PoolEvent`]; an [`AttemptSlot`] reports by itself when it is dropped, so a task that panics
//! cannot block its endpoint.

use helpbot_domain::Timestamp;
use helpbot_domain::ids::WebhookId;
use helpbot_services::Result;
use helpbot_services::webhooks::outbox::{Backlog, ClaimedDelivery};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::schedule::AttemptOutcome;

/// Messages to the pool from its tasks.
pub(super) enum PoolEvent {
    /// A claim has ended.
    Claimed(Result<(Vec<ClaimedDelivery>, Backlog)>),
    /// An exchange with an endpoint has ended. Its record is not written yet.
    ExchangeEnded { webhook: WebhookId, end: ExchangeEnd },
    /// A delivery is no longer held: it was recorded or returned.
    Released { webhook: WebhookId, id: Uuid },
}

/// How an exchange ended.
pub(super) struct ExchangeEnd {
    pub(super) outcome: AttemptOutcome,
    /// Whether the response exceeded its limits. The connection is lost then, and what the
    /// endpoint still sends is discarded.
    pub(super) is_truncated: bool,
    pub(super) pause_until: Option<Timestamp>,
}

/// The place that one attempt takes in the queue of its endpoint. Dropping it frees the place.
pub(super) struct AttemptSlot {
    webhook: WebhookId,
    id: Uuid,
    events: mpsc::UnboundedSender<PoolEvent>,
    has_ended: bool,
}

impl AttemptSlot {
    pub(super) fn new(webhook: WebhookId, id: Uuid, events: mpsc::UnboundedSender<PoolEvent>) -> Self {
        Self { webhook, id, events, has_ended: false }
    }

    /// Reports that the exchange has ended, so that the next one may start.
    pub(super) fn exchange_ended(&mut self, end: ExchangeEnd) {
        self.has_ended = true;
        // The receiver is gone only when the process shuts down.
        let _ = self.events.send(PoolEvent::ExchangeEnded { webhook: self.webhook, end });
    }
}

impl Drop for AttemptSlot {
    fn drop(&mut self) {
        if !self.has_ended {
            let outcome = AttemptOutcome::Failed;
            self.exchange_ended(ExchangeEnd { outcome, is_truncated: false, pause_until: None });
        }
        let _ = self.events.send(PoolEvent::Released { webhook: self.webhook, id: self.id });
    }
}
