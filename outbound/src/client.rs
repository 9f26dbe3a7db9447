//! The HTTP client, and the only place where one is built.
//!
//! A `Client` enforces one [`Policy`]. Its connections are pooled, and their addresses were checked
//! when they were opened. Its methods are in the files of their subjects: `fetch`, `webhook`,
//! `stream`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderValue, USER_AGENT};
use reqwest::redirect;

use crate::dial::{Dial, GuardedResolver};
use crate::error::{FetchError, SetupError, classify};
use crate::policy::Policy;
use crate::timing::TimedConnect;
use crate::tls;

/// Maximum number of response headers. More of them are an attack or a mistake. This is also the
/// default of hyper.
const MAX_HEADERS: usize = 100;
/// Maximum size of the response headers over HTTP/2.
const MAX_HEADER_BYTES: u32 = 64 * 1024;
/// Time after which an idle connection is closed. It is longer than the pause between two pages of
/// a polite crawl, and shorter than the timeout of most servers.
const IDLE_CONNECTION: Duration = Duration::from_secs(30);
/// Idle connections per host. It equals the number of concurrent deliveries to one endpoint.
const IDLE_PER_HOST: usize = 4;

/// Value of the `User-Agent` header: product, version and a contact.
#[derive(Clone, Debug)]
pub struct UserAgent(HeaderValue);

impl UserAgent {
    /// Creates `HelpBot/<version> (+<contact>)`, where `contact` is a URL or an e-mail address.
    ///
    /// # Errors
    /// Fails when either part contains characters that are not allowed in a header.
    pub fn new(version: &str, contact: &str) -> Result<Self, SetupError> {
        let text = format!("HelpBot/{version} (+{contact})");
        HeaderValue::from_str(&text).map(Self).map_err(|_| SetupError::UserAgent)
    }

    /// Returns the value of the header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or("HelpBot")
    }
}

/// An HTTP client that enforces a policy. Clones share the connection pool and are cheap.
#[derive(Clone)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) policy: Arc<Policy>,
    pub(crate) dial: Dial,
}

impl Client {
    /// Creates a client with the default timeouts and the resolver of the system.
    ///
    /// # Errors
    /// Fails when TLS or the client cannot be set up. No user input causes this.
    pub fn new(policy: Policy, user_agent: &UserAgent) -> Result<Self, SetupError> {
        Self::with_dial(policy, user_agent, Dial::default())
    }

    /// Creates a client with the given timeouts and resolver.
    ///
    /// # Errors
    /// Same as [`Client::new`].
    #[expect(clippy::disallowed_methods, reason = "the one place where a client is built")]
    pub fn with_dial(policy: Policy, user_agent: &UserAgent, dial: Dial) -> Result<Self, SetupError> {
        let policy = Arc::new(policy);
        let resolver = GuardedResolver::new(Arc::clone(&policy), dial.clone());
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(&dial.authorities)?)
            // A proxy from the environment would connect to addresses that were not checked.
            .no_proxy()
            .dns_resolver(Arc::new(resolver))
            .connector_layer(TimedConnect)
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(dial.dns + dial.connect)
            .pool_idle_timeout(IDLE_CONNECTION)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .http1_max_headers(MAX_HEADERS)
            .http2_max_header_list_size(MAX_HEADER_BYTES)
            .default_headers([(USER_AGENT, user_agent.0.clone())].into_iter().collect())
            .build()
            .map_err(SetupError::Http)?;
        Ok(Self { http, policy, dial })
    }

    /// Returns the policy that this client enforces.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Sends the request and waits for the response headers.
    pub(crate) async fn send(
        &self,
        request: reqwest::RequestBuilder,
        first_byte: Duration,
    ) -> Result<reqwest::Response, FetchError> {
        match tokio::time::timeout(first_byte, request.send()).await {
            Ok(sent) => sent.map_err(|error| classify(&error, &self.dial)),
            Err(_) => Err(FetchError::FirstByteTimeout(first_byte)),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Client").field("policy", &self.policy).finish_non_exhaustive()
    }
}
