//! What the delivery loops work with: services, HTTP client, mailer and settings.

use std::sync::Arc;

use helpbot_outbound::{Client, Mailer, WebhookLimits};
use helpbot_services::Services;
use helpbot_services::runtime::randomness;
use url::Url;

use crate::schedule::RetrySchedule;

/// Settings of the delivery worker.
#[derive(Clone)]
pub struct Settings {
    /// Name on the leases of this worker. It must differ between processes.
    pub owner: String,
    /// URL of the installation, for links in mails.
    pub public_url: Url,
    /// When failed deliveries are retried.
    pub schedule: RetrySchedule,
    /// Limits of one attempt.
    pub limits: WebhookLimits,
    /// Returns a random number from -1.0 to 1.0, which spreads retries.
    pub jitter: Arc<dyn Fn() -> f64 + Send + Sync>,
}

impl Settings {
    /// Returns the documented schedule and limits.
    #[must_use]
    pub fn new(owner: String, public_url: Url) -> Self {
        Self {
            owner,
            public_url,
            schedule: RetrySchedule::default(),
            limits: WebhookLimits::DEFAULT,
            jitter: Arc::new(jitter),
        }
    }
}

/// What both loops work with.
pub(super) struct DeliveryContext {
    pub(super) services: Services,
    pub(super) client: Client,
    pub(super) mailer: Arc<dyn Mailer>,
    pub(super) settings: Settings,
}

fn jitter() -> f64 {
    let [a, b, c, d, ..] = randomness::bytes();
    f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX) * 2.0 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_its_bounds_and_varies() {
        let drawn: Vec<f64> = (0..100).map(|_| jitter()).collect();

        assert!(drawn.iter().all(|value| (-1.0..=1.0).contains(value)));
        assert!(drawn.iter().any(|value| *value < 0.0) && drawn.iter().any(|value| *value > 0.0));
    }
}
