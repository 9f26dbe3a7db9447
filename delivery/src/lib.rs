//! Delivery: from a row in the outbox to a recorded attempt. Webhooks, signatures, mails, retries. [`inbound`] parses the
//! mails that visitors answer with.
//!
//! A use case in `services` writes an event and, in the same transaction, one delivery row per
//! endpoint that subscribed to it. The worker claims due rows by lease, makes an attempt with
//! [`attempt`], and records what [`RetrySchedule::next_step`] and [`EndpointHealth::after`] return:
//! delivered, retried, given up, or endpoint disabled. Mails go the same way with the texts of
//! [`mails`].
//!
//! Guarantees: every committed event is delivered at least once, whatever crashes in between. An
//! attempt ends within 20 s and holds no transaction. The bytes of a body are the same in all
//! attempts. A failing endpoint pauses only itself.
//!
//! [`worker`] is the only part that reads and writes rows, and only through `services`. Everything
//! else is a function of its arguments, except [`attempt`], which talks to the endpoint.

/// Runs the example programs of the page for developers of endpoints.
#[cfg(doctest)]
#[doc = include_str!("../../docs/webhooks.md")]
struct WebhookPage;

mod attempt;
mod composing;
mod health;
pub mod inbound;
pub mod mails;
mod schedule;
mod signature;
pub mod worker;

pub use attempt::{AttemptResult, PendingDelivery, attempt};
pub use health::{EndpointDecision, EndpointHealth};
pub use schedule::{AttemptOutcome, NextStep, RetrySchedule};
pub use signature::{SigningKey, SigningKeyError, SigningKeys};
