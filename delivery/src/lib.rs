//! An outbox row to a recorded attempt: webhook, signature, e-mail, retries.
//!
//! Actors: a business transaction in `services` writes an event and, beside it, one delivery
//! row per endpoint that asked for it. A worker claims due rows by lease, makes an [`Attempt`]
//! of each with [`attempt`], and writes down what [`Schedule::next_step`] and
//! [`Health::after`] say: done, again later, given up, endpoint disabled. Mails go the same way
//! with the texts of [`mails`].
//!
//! Guarantees: what was acknowledged is delivered at least once, whatever dies in between; an
//! attempt ends within 20 s and holds no transaction; the bytes of a body are the same over all
//! attempts; one endpoint's trouble pauses that endpoint alone.
//!
//! [`worker`] does the work; it reads and writes rows through `services` alone. Everything else
//! is a function of its arguments, except [`attempt`], which talks to the receiver.

/// The programs of the page that receivers are written from, run as they stand.
#[cfg(doctest)]
#[doc = include_str!("../../docs/webhooks.md")]
struct WebhookPage;

mod attempt;
mod health;
pub mod mails;
mod schedule;
mod signature;
pub mod worker;

pub use attempt::{Attempt, Claimed, attempt};
pub use health::{Health, Verdict};
pub use schedule::{Outcome, Schedule, Step, judge};
pub use signature::{Secret, SecretError, Secrets};
