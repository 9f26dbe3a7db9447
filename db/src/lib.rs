//! Persistence: the only crate that knows SQL.
//!
//! [`Db`] is one database, SQLite or PostgreSQL. [`Db::reader`] returns a connection for reading;
//! [`Db::write`] runs a closure in a transaction that is durable when the call returns. Query
//! functions are grouped by noun, take a [`Conn`] and the site that they are scoped to, and are
//! written once for both databases. They convert rows to the entities of `helpbot_domain` and
//! decide nothing: rules live in `services`.

mod accounts;
pub mod columns;
mod connection;
pub mod conversations;
pub mod copying;
mod error;
mod knowledge;
mod paging;
mod runtime;
pub mod schema;
pub mod sources;
pub mod webhooks;

pub use accounts::{
    audit_log, blocked_visitors, business_hours, identity_secrets, judged_answers, keys, limit_notices, members,
    sign_in_links, site_deletion, sites, trusted_documents, usage,
};
pub use connection::{
    BatchEnd, Batched, CHANNEL_TEXT_MAX, Channel, Conn, DatabaseLoad, DatabaseUrl, Db, PoolLoad, Pooler,
    PostgresOptions, PostgresUrl, Snapshot, SnapshotKind,
};
pub use conversations::{
    breakdowns, canned_replies, contacts, conversation_mails, conversation_notes, conversation_tags, handoff_notices,
    handoffs, messages, read_marks, reply_times, search, sessions, stats, transcript_codes, transcripts,
    visitor_sessions, visits,
};
pub use error::{Error, Result};
pub use knowledge::{answer_rules, change_previews, chunks, evaluation, topics, vectors};
pub use runtime::{backlog, events, global_ids, idempotency, installation, jobs};
pub use sources::{crawl_files, crawl_turns, crawl_visits, documents, page_extractions, source_files, staging};
pub use webhooks::{attempts, deliveries, outbox, replays};
