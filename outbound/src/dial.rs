//! Turning a host name into addresses that may be connected to.
//!
//! The HTTP client asks here, and connects to what it is given: the address judged is the
//! address dialled, so a name that changes between two look-ups (DNS rebinding) gains nothing.
//! Address literals never come here; `policy::check_url` judges those before every request.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::pki_types::CertificateDer;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::policy::Policy;
use crate::timing;

/// The system resolver blocks a thread for as long as its servers stay silent; this many may.
const LOOKUPS_AT_ONCE: usize = 64;

/// Addresses of a host name, or why there are none. A port other than 0 is dialled when the URL
/// names none.
pub type LookupFuture = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Looks a host name up. Tests bring their own to play a hostile DNS server.
pub type Lookup = Arc<dyn Fn(String) -> LookupFuture + Send + Sync>;

/// How connections are made: deadlines, the source of addresses, and whom to trust.
#[derive(Clone)]
pub struct Dial {
    /// For the DNS answer.
    pub dns: Duration,
    /// For TCP and TLS. Dialling as a whole may take `dns + connect`.
    pub connect: Duration,
    pub lookup: Lookup,
    /// Trusted beside Mozilla's roots: the operator's own authorities.
    pub authorities: Vec<CertificateDer<'static>>,
}

impl Default for Dial {
    /// 5 s for DNS and 5 s to connect, through the system's resolver.
    fn default() -> Self {
        Self {
            dns: Duration::from_secs(5),
            connect: Duration::from_secs(5),
            lookup: system_lookup(),
            authorities: Vec::new(),
        }
    }
}

/// The system's resolver, hosts file included, with a bound on the threads it may block.
#[must_use]
pub fn system_lookup() -> Lookup {
    let permits = Arc::new(Semaphore::new(LOOKUPS_AT_ONCE));
    Arc::new(move |name| {
        let permits = Arc::clone(&permits);
        Box::pin(async move {
            let permit = permits.acquire_owned().await.map_err(io::Error::other)?;
            let lookup = tokio::task::spawn_blocking(move || {
                // Held by the thread and not by the caller, who may give up long before.
                let _permit = permit;
                (name.as_str(), 0).to_socket_addrs().map(Iterator::collect)
            });
            lookup.await.map_err(io::Error::other)?
        })
    })
}

/// Why a name gave no address to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DialError {
    #[error("the name has an address that is not allowed")]
    NotAllowed,
    #[error("the name was not resolved in time")]
    Timeout,
    #[error("the name has no address")]
    NotFound,
}

/// The resolver inside the HTTP client.
pub(crate) struct GuardedResolver {
    policy: Arc<Policy>,
    dial: Dial,
}

impl GuardedResolver {
    pub(crate) fn new(policy: Arc<Policy>, dial: Dial) -> Self {
        Self { policy, dial }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.policy);
        let dial = self.dial.clone();
        Box::pin(async move {
            let started = Instant::now();
            let answer = guarded_lookup(name.as_str(), &policy, &dial).await;
            timing::note_dns(started.elapsed());
            let addresses = answer?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// All addresses of `name`, at least one, when every one of them may be connected to.
///
/// One forbidden answer among good ones refuses the name: a client that falls back from a
/// dead public address to a private one must not find it in the list.
async fn guarded_lookup(name: &str, policy: &Policy, dial: &Dial) -> Result<Vec<SocketAddr>, DialError> {
    let answer = timeout(dial.dns, (dial.lookup)(name.to_owned()))
        .await
        .map_err(|_| DialError::Timeout)?
        .map_err(|_| DialError::NotFound)?;
    if answer.is_empty() {
        return Err(DialError::NotFound);
    }
    if answer.iter().all(|address| policy.permits_address(name, address.ip())) {
        Ok(answer)
    } else {
        tracing::info!(host = name, "Refused a host name with a private or reserved address");
        Err(DialError::NotAllowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allow::AllowList;

    fn dial(answer: &'static [&'static str]) -> Dial {
        let lookup: Lookup = Arc::new(move |_| {
            let addresses = answer.iter().map(|text| text.parse().expect("an address")).collect();
            Box::pin(async move { Ok(addresses) })
        });
        Dial { dns: Duration::from_millis(20), connect: Duration::from_millis(20), lookup, authorities: Vec::new() }
    }

    async fn verdict(dial: &Dial, allow: &str) -> Result<usize, DialError> {
        let allow: AllowList = allow.parse().expect("an allow-list");
        guarded_lookup("shop.example", &Policy::web(allow), dial).await.map(|found| found.len())
    }

    #[tokio::test]
    async fn one_private_answer_among_public_ones_refuses_the_name() {
        let mixed = dial(&["93.184.216.34:0", "10.0.0.1:0"]);
        let mixed_v6 = dial(&["93.184.216.34:0", "[fd00::1]:0"]);

        assert_eq!(verdict(&mixed, "").await, Err(DialError::NotAllowed));
        assert_eq!(verdict(&mixed_v6, "").await, Err(DialError::NotAllowed));
        assert_eq!(verdict(&mixed, "10.0.0.0/8").await, Ok(2));
        assert_eq!(verdict(&mixed, "shop.example").await, Ok(2));
    }

    #[tokio::test]
    async fn a_name_without_addresses_is_not_found() {
        assert_eq!(verdict(&dial(&[]), "").await, Err(DialError::NotFound));
    }

    #[tokio::test]
    async fn a_silent_dns_server_costs_the_deadline_and_no_more() {
        let lookup: Lookup = Arc::new(|_| Box::pin(std::future::pending()));
        let silent = Dial { lookup, ..dial(&[]) };

        assert_eq!(verdict(&silent, "").await, Err(DialError::Timeout));
    }
}
