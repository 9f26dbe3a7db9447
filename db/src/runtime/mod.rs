//! What use cases share: the event log, background jobs, idempotent requests, global IDs.

pub mod backlog;
pub mod events;
pub mod global_ids;
pub mod idempotency;
pub mod installation;
pub mod jobs;
