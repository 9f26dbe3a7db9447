//! Tests through the public doors of the product, in one binary: linking one program is faster
//! than linking twenty-five. One module for each subject.

mod answering;
mod answers;
mod authorisation;
mod authorised_fields;
mod boundaries;
mod crawl;
mod credits;
mod cursors;
mod erasure;
mod files;
mod found_by_id;
mod harness;
mod idempotency;
mod limits;
mod live;
mod many_servers;
mod model_server;
mod mutations;
mod outage;
mod rest;
mod schema;
mod ssrf;
mod statements;
mod webhooks;
