//! Tests through the public interfaces of the product, in one binary, because linking one program is faster than linking
//! twenty-five. Each module covers one subject.

mod answering;
mod answers;
mod authorization;
mod authorized_fields;
mod blocked_visitors;
mod boundaries;
mod crawl;
mod credit_caps;
mod credits;
mod cursors;
mod direct_execution;
mod erasure;
mod files;
mod found_by_id;
mod handoff_mails;
mod harness;
mod idempotency;
mod inbox;
mod key_exposure;
mod limits;
mod live;
mod long_conversations;
mod mail_server;
mod many_servers;
mod model_server;
mod mutations;
mod outage;
mod plain_fields;
mod rest;
mod schema;
mod sessions;
mod ssrf;
mod statements;
mod transcripts;
mod webhooks;
