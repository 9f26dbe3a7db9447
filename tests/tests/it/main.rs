//! Tests through the public interfaces of the product, in one binary, because linking one program is faster than linking
//! twenty-five. Each module covers one subject.

mod answering;
mod answers;
mod authorization;
mod authorized_fields;
mod boundaries;
mod blocked_visitors;
mod crawl;
mod credits;
mod credit_caps;
mod cursors;
mod erasure;
mod files;
mod found_by_id;
mod harness;
mod idempotency;
mod handoff_mails;
mod inbox;
mod limits;
mod live;
mod key_exposure;
mod long_conversations;
mod many_servers;
mod model_server;
mod mutations;
mod mail_server;
mod outage;
mod plain_fields;
mod rest;
mod schema;
mod sessions;
mod ssrf;
mod statements;
mod webhooks;
mod transcripts;
