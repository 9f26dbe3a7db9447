//! Resolving a host name into addresses that may be connected to.
//!
//! The HTTP client calls this resolver and connects to the addresses that it returns. The address
//! that is checked is therefore the address that is used, and a name that changes between two
//! lookups (DNS rebinding) gains nothing. IP literals are not resolved; `policy::check_url` checks
//! them before every request.

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

/// Concurrent lookups. Each one blocks a thread of the system resolver for as long as its DNS
/// servers do not answer.
const LOOKUPS_AT_ONCE: usize = 64;

/// Addresses of a host name. A port other than 0 is used when the URL contains no port.
pub type LookupFuture = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Resolves a host name. Tests provide their own to act as a hostile DNS server.
pub type Lookup = Arc<dyn Fn(String) -> LookupFuture + Send + Sync>;

/// How connections are made: timeouts, resolver and trusted certificate authorities.
#[derive(Clone)]
pub struct Dial {
    /// Timeout of the DNS lookup.
    pub dns: Duration,
    /// Timeout of the TCP and TLS handshakes. Connecting may take `dns + connect` in total.
    pub connect: Duration,
    pub lookup: Lookup,
    /// Certificate authorities of the operator, which are trusted in addition to Mozilla's.
    pub authorities: Vec<CertificateDer<'static>>,
}

impl Default for Dial {
    /// Returns timeouts of 5 s for DNS and 5 s for connecting, and the resolver of the system.
    fn default() -> Self {
        Self {
            dns: Duration::from_secs(5),
            connect: Duration::from_secs(5),
            lookup: system_lookup(),
            authorities: Vec::new(),
        }
    }
}

/// Returns the resolver of the system, which also reads the hosts file, with a limit on blocked
/// threads.
#[must_use]
pub fn system_lookup() -> Lookup {
    let permits = Arc::new(Semaphore::new(LOOKUPS_AT_ONCE));
    Arc::new(move |name| {
        let permits = Arc::clone(&permits);
        Box::pin(async move {
            let permit = permits.acquire_owned().await.map_err(io::Error::other)?;
            let lookup = tokio::task::spawn_blocking(move || {
                // The thread holds the permit, because the caller may give up long before the
                // lookup ends.
                let _permit = permit;
                (name.as_str(), 0).to_socket_addrs().map(Iterator::collect)
            });
            lookup.await.map_err(io::Error::other)?
        })
    })
}

/// Why a host name has no address that may be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DialError {
    #[error("the name has an address that is not allowed")]
    NotAllowed,
    #[error("the name was not resolved in time")]
    Timeout,
    #[error("the name has no address")]
    NotFound,
}

/// The resolver of the HTTP client.
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

/// Returns all addresses of `name`, at least one, if every one of them may be connected to.
///
/// A single forbidden address rejects the name. Otherwise a client that falls back from an
/// unreachable public address could connect to a private one.
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
        tracing::info!(host = name, "a host name with a private or reserved address was rejected");
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
    async fn one_private_address_among_public_ones_rejects_the_name() {
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
    async fn a_dns_server_that_does_not_answer_costs_only_the_timeout() {
        let lookup: Lookup = Arc::new(|_| Box::pin(std::future::pending()));
        let silent = Dial { lookup, ..dial(&[]) };

        assert_eq!(verdict(&silent, "").await, Err(DialError::Timeout));
    }
}
