//! The delivery worker: claims what is due, attempts it and records the result, for as long as the
//! server runs.
//!
//! Two loops run side by side. [`pool`] attempts webhook deliveries; [`chores`] runs the jobs that
//! belong here: mails, replays and the deletion of old records. Both claim their work by lease, so
//! any number of processes can run them, and another process takes over the work of a crashed one
//! within a minute.
//!
//! After a crash, an attempt whose result was not recorded is made again with the same
//! `X-HelpBot-Delivery`. Nothing is lost: a row leaves the outbox only in the transaction that
//! records its attempt.

mod chores;
mod context;
mod pool;
mod record;
mod send;
mod slot;

use std::sync::Arc;

use helpbot_outbound::{Client, Mailer};
use helpbot_services::Services;
use tokio_util::sync::CancellationToken;

use context::DeliveryContext;

pub use context::Settings;

/// Delivers webhooks and mails until `stop` is canceled.
///
/// `client` must enforce the policy for webhooks. Returns when running attempts have ended, which
/// takes a few seconds at most. Deliveries that were claimed but not started are returned.
pub async fn run(
    services: Services,
    client: Client,
    mailer: Arc<dyn Mailer>,
    settings: Settings,
    stop: CancellationToken,
) {
    let context = Arc::new(DeliveryContext { services, client, mailer, settings });
    tokio::join!(pool::run(Arc::clone(&context), stop.clone()), chores::run(context, stop));
}
