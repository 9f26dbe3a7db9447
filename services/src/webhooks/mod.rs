//! Webhooks: a site's events, delivered to the HTTPS endpoints that its owner names.
//!
//! Members manage the *endpoints* ([`create`], [`update`], [`rotate`]). Each event that a use case
//! appends goes through the [`outbox`]: in the same transaction it writes one *delivery* per
//! subscribed endpoint. The delivery worker claims deliveries that are due, attempts them, and
//! records each *attempt* and its outcome through the outbox. [`deliveries`] shows an owner that
//! log, and [`replays`] sends a past range of events again.
//!
//! Tables: `webhooks`, `deliveries`, `attempts`, `replays`. Secrets are sealed at rest
//! ([`sealing`]).

pub mod deliveries;
mod endpoints;
pub mod outbox;
pub mod replays;
pub(crate) mod sealing;

pub use endpoints::{
    NewWebhook, OVERLAP_DEFAULT, OVERLAP_MAX, RotationStep, WebhookPatch, by_ids, create, delete, get, list,
    may_manage, overlap_at, rotate, update,
};
