//! The work: what is due is claimed, attempted and written down, for as long as the server lives.
//!
//! Two loops run side by side. [`pool`] attempts deliveries; [`chores`] does the jobs that belong
//! here: mails, replays, forgetting old records. Both take their work by lease, so any number of
//! processes may run them, and what a dying one held is another's within a minute.
//!
//! What a crash can cost: an attempt whose answer was not yet written down is made again, with
//! the same `X-HelpBot-Delivery`. Nothing is lost, since a row leaves the outbox only by the
//! transaction that records its attempt.

mod chores;
mod pool;
mod record;
mod send;

use std::sync::Arc;

use helpbot_outbound::{Client, Mailer, WebhookLimits};
use helpbot_services::Services;
use helpbot_services::runtime::randomness;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::schedule::Schedule;

/// How a worker works.
#[derive(Clone)]
pub struct Settings {
    /// The name on its leases; different for each process.
    pub owner: String,
    /// Where the installation is reached, for the links of mails.
    pub public_url: Url,
    /// When failed deliveries are tried again.
    pub schedule: Schedule,
    /// Bounds of one attempt.
    pub limits: WebhookLimits,
    /// Draws evenly from -1.0..=1.0, to spread retries.
    pub jitter: Arc<dyn Fn() -> f64 + Send + Sync>,
}

impl Settings {
    /// The documented schedule and limits.
    #[must_use]
    pub fn new(owner: String, public_url: Url) -> Self {
        Self {
            owner,
            public_url,
            schedule: Schedule::default(),
            limits: WebhookLimits::DEFAULT,
            jitter: Arc::new(jitter),
        }
    }
}

/// What both loops work with.
struct Worker {
    services: Services,
    client: Client,
    mailer: Arc<dyn Mailer>,
    settings: Settings,
}

/// Delivers webhooks and mails until `stop` is cancelled. `client` must keep to the policy for
/// webhooks. Returns when what is being sent has ended, some seconds later at most; what was not
/// begun is given back.
pub async fn run(
    services: Services,
    client: Client,
    mailer: Arc<dyn Mailer>,
    settings: Settings,
    stop: CancellationToken,
) {
    let worker = Arc::new(Worker { services, client, mailer, settings });
    tokio::join!(pool::run(Arc::clone(&worker), stop.clone()), chores::run(worker, stop));
}

fn jitter() -> f64 {
    let [a, b, c, d, ..] = randomness::bytes();
    f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX) * 2.0 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_lies_within_its_bounds_and_differs() {
        let drawn: Vec<f64> = (0..100).map(|_| jitter()).collect();

        assert!(drawn.iter().all(|value| (-1.0..=1.0).contains(value)));
        assert!(drawn.iter().any(|value| *value < 0.0) && drawn.iter().any(|value| *value > 0.0));
    }
}
