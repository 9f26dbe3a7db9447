//! How hosts are treated: one request at a time, with a pause between two, whatever the number
//! of sources there; and one crawl at a time.
//!
//! It holds within one process. Redirects belong to the request that they answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use helpbot_outbound::FetchLimits;
use tokio::sync::{Mutex as AsyncMutex, MutexGuard};
use tokio::time::Instant;
use url::Url;

/// How a worker behaves towards the sites that it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manners {
    /// Between the end of a request to a host and the next one; more where its robots.txt asks
    /// for more.
    pub delay: Duration,
    /// The longest that one crawl may take; what it has by then is indexed.
    pub crawl_time: Duration,
    /// What one page may cost.
    pub page: FetchLimits,
}

impl Default for Manners {
    /// Five requests a second at most, which no site notices; half an hour.
    fn default() -> Self {
        Self { delay: Duration::from_millis(200), crawl_time: Duration::from_secs(30 * 60), page: FetchLimits::PAGE }
    }
}

/// The hosts that are or were just talked to.
#[derive(Debug, Default)]
pub(crate) struct Hosts(Mutex<HashMap<String, Arc<Host>>>);

/// One host with its port.
#[derive(Debug)]
pub(crate) struct Host {
    /// Whoever has it may crawl the host.
    crawl: AsyncMutex<()>,
    /// Whoever has it may send one request, at the moment it holds or later.
    request: AsyncMutex<Instant>,
}

impl Hosts {
    /// The host of an address. Hosts that nobody talks to are forgotten once their pause is over.
    pub(crate) fn of(&self, url: &Url) -> Arc<Host> {
        let now = Instant::now();
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.retain(|_, host| {
            Arc::strong_count(host) > 1 || host.request.try_lock().is_ok_and(|free_at| *free_at > now)
        });
        let name = format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0));
        let new = || Arc::new(Host { crawl: AsyncMutex::default(), request: AsyncMutex::new(now) });
        hosts.entry(name).or_insert_with(new).clone()
    }
}

impl Host {
    /// The right to crawl the host, once nobody else does.
    pub(crate) async fn crawl(&self) -> MutexGuard<'_, ()> {
        self.crawl.lock().await
    }

    /// Runs one request when it is its turn, in the order of asking; the next one waits `delay`
    /// from its end.
    pub(crate) async fn request<T>(&self, delay: Duration, request: impl Future<Output = T>) -> T {
        let mut free_at = self.request.lock().await;
        if *free_at > Instant::now() {
            tokio::time::sleep_until(*free_at).await;
        }
        let answer = request.await;
        *free_at = Instant::now() + delay;
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_millis(200);

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    #[tokio::test(start_paused = true)]
    async fn requests_to_one_host_keep_their_distance_and_others_do_not_wait() {
        let (hosts, begin) = (Hosts::default(), Instant::now());
        let ask = async |address: &str| {
            hosts.of(&url(address)).request(DELAY, async {}).await;
            begin.elapsed()
        };

        assert_eq!(ask("https://a.example/1").await, Duration::ZERO);
        assert_eq!(ask("https://b.example/1").await, Duration::ZERO);
        assert_eq!(ask("https://a.example/2").await, DELAY);
        assert_eq!(ask("https://a.example:8443/").await, DELAY);
        assert_eq!(ask("https://a.example/3").await, DELAY * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_is_forgotten_when_its_pause_is_over() {
        let hosts = Hosts::default();
        hosts.of(&url("https://a.example/")).request(DELAY, async {}).await;

        hosts.of(&url("https://b.example/"));
        assert_eq!(hosts.0.lock().map(|known| known.len()).ok(), Some(2));
        tokio::time::advance(DELAY).await;
        hosts.of(&url("https://b.example/"));

        assert_eq!(hosts.0.lock().map(|known| known.len()).ok(), Some(1));
    }
}
