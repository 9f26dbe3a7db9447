//! Limits the load on web sites: one request to a host at a time, with a pause between two requests, and
//! one crawl of a host at a time, however many sources the host has.
//!
//! Used by [`Reader`](crate::reader::Reader). The limits hold within one process; the reader takes turns with other nodes
//! ([`crawl_turns`](helpbot_services::sources::crawl_turns)). Redirects count as part of the request that they answer.

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
    /// Pause between the end of a request to a host and the next request. Longer when robots.txt asks for it.
    pub delay: Duration,
    /// Maximum duration of one crawl. What was read by then is indexed.
    pub crawl_time: Duration,
    /// Limits of a request for one page.
    pub page: FetchLimits,
}

impl Default for Manners {
    /// At most five requests a second, which no site notices, and two hours for a crawl: 10,000 pages whose server
    /// takes half a second for each.
    fn default() -> Self {
        const CRAWL_TIME: Duration = Duration::from_secs(2 * 60 * 60);
        Self { delay: Duration::from_millis(200), crawl_time: CRAWL_TIME, page: FetchLimits::PAGE }
    }
}

/// The hosts that were used recently.
#[derive(Debug, Default)]
pub(crate) struct Hosts(Mutex<HashMap<String, Arc<HostKey>>>);

/// One host with its port.
#[derive(Debug)]
pub(crate) struct HostKey {
    /// Host and port.
    pub(crate) name: String,
    /// Locked by the crawl of the host.
    crawl: AsyncMutex<()>,
    /// Locked by the current request. The value is the earliest start of the next request.
    request: AsyncMutex<Instant>,
}

impl Hosts {
    /// Returns the host of a URL. Removes hosts that are not in use and whose pause has ended.
    pub(crate) fn of(&self, url: &Url) -> Arc<HostKey> {
        let now = Instant::now();
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.retain(|_, host| {
            Arc::strong_count(host) > 1 || host.request.try_lock().is_ok_and(|free_at| *free_at > now)
        });
        let name = format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0));
        let new =
            || Arc::new(HostKey { name: name.clone(), crawl: AsyncMutex::default(), request: AsyncMutex::new(now) });
        hosts.entry(name.clone()).or_insert_with(new).clone()
    }
}

impl HostKey {
    /// Waits until no other crawl of the host is running.
    pub(crate) async fn crawl(&self) -> MutexGuard<'_, ()> {
        self.crawl.lock().await
    }

    /// Runs a request in its turn, in the order of the calls. The next request starts at least `delay` after
    /// the end of this one.
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
    async fn requests_to_one_host_are_apart_and_other_hosts_do_not_wait() {
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
    async fn a_host_is_removed_after_its_pause() {
        let hosts = Hosts::default();
        hosts.of(&url("https://a.example/")).request(DELAY, async {}).await;

        hosts.of(&url("https://b.example/"));
        assert_eq!(hosts.0.lock().map(|known| known.len()).ok(), Some(2));
        tokio::time::advance(DELAY).await;
        hosts.of(&url("https://b.example/"));

        assert_eq!(hosts.0.lock().map(|known| known.len()).ok(), Some(1));
    }
}
