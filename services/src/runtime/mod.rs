//! Runtime: what every use case relies on and no noun owns.
//!
//! Time and randomness enter the process here alone ([`clock`], [`randomness`]). [`events`] reads
//! a site's event log, [`content_events`] appends what happens to entries and sources, [`bus`] tells waiting readers of this process that it grew, and [`hints`] tells the other nodes. Background
//! work is stored as rows in `jobs` ([`jobs`]), large work in batches ([`batches`]); [`mail`] prepares the messages that such jobs send.
//! [`idempotency`] stores responses for retried requests, [`cache`] keeps rows that are read on
//! every request, [`metrics`] counts what the process has done, and [`backlog`] counts the work that waits.

pub mod backlog;
pub(crate) mod batches;
pub mod bus;
pub(crate) mod cache;
pub mod clock;
pub(crate) mod content_events;
pub(crate) mod error;
pub(crate) mod event_cursor;
pub mod events;
pub mod global_ids;
pub mod hint_exchange;
pub(crate) mod hints;
pub mod idempotency;
pub mod installation;
pub mod job_kinds;
pub mod job_runner;
pub mod jobs;
pub mod key_rotation;
pub(crate) mod lookups;
pub mod mail;
pub mod metrics;
pub mod randomness;
pub(crate) mod sealer;
