//! The one place where an HTTP client is built.
//!
//! A `Client` is bound to one [`Policy`]; its connections are pooled and were judged when they
//! were dialled. The methods live with their subject: `fetch`, `webhook`, `stream`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderValue, USER_AGENT};
use reqwest::redirect;

use crate::dial::{Dial, GuardedResolver};
use crate::error::{FetchError, classify};
use crate::policy::Policy;
use crate::timing::TimedConnect;
use crate::tls;

/// Response headers beyond this are an attack or a mistake; hyper's own default, made explicit.
const MAX_HEADERS: usize = 100;
/// The same bound in bytes for HTTP/2.
const MAX_HEADER_BYTES: u32 = 64 * 1024;
/// An idle connection is kept this long: longer than the pause between two pages of a polite
/// crawl, shorter than most servers keep theirs.
const IDLE_CONNECTION: Duration = Duration::from_secs(30);
/// Idle connections per host: the number of deliveries that may run at once to one endpoint.
const IDLE_PER_HOST: usize = 4;

/// The name we go by: product, version and a page that says who we are.
#[derive(Clone, Debug)]
pub struct UserAgent(HeaderValue);

impl UserAgent {
    /// `HelpBot/<version> (+<contact>)`, where `contact` is a URL or an e-mail address.
    ///
    /// # Errors
    /// When either part has characters that a header cannot carry.
    pub fn new(version: &str, contact: &str) -> Result<Self, SetupError> {
        let text = format!("HelpBot/{version} (+{contact})");
        HeaderValue::from_str(&text).map(Self).map_err(|_| SetupError::UserAgent)
    }

    /// The header's value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or("HelpBot")
    }
}

/// Why a client or mailer could not be built; each is a mistake in the settings or the build.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("the user agent has characters that a header cannot carry")]
    UserAgent,
    #[error("it holds no certificate of an authority, or a damaged one")]
    Authority,
    #[error("TLS could not be set up")]
    Tls(#[source] rustls::Error),
    #[error("the HTTP client could not be built")]
    Http(#[source] reqwest::Error),
    #[error("the SMTP URL is not valid: {0}")]
    Smtp(&'static str),
    #[error("`{0}` is not an e-mail address")]
    From(String),
}

/// A guarded HTTP client. Cheap to clone; clones share the connection pool.
#[derive(Clone)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) policy: Arc<Policy>,
    pub(crate) dial: Dial,
}

impl Client {
    /// A client with the ordinary deadlines and the system's resolver.
    ///
    /// # Errors
    /// When TLS or the client cannot be set up, which no input of a user causes.
    pub fn new(policy: Policy, user_agent: &UserAgent) -> Result<Self, SetupError> {
        Self::with_dial(policy, user_agent, Dial::default())
    }

    /// A client with its own deadlines and its own source of addresses.
    ///
    /// # Errors
    /// As [`Client::new`].
    #[expect(clippy::disallowed_methods, reason = "the one place where a client is built")]
    pub fn with_dial(policy: Policy, user_agent: &UserAgent, dial: Dial) -> Result<Self, SetupError> {
        let policy = Arc::new(policy);
        let resolver = GuardedResolver::new(Arc::clone(&policy), dial.clone());
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(&dial.authorities)?)
            // A proxy from the environment would do the dialling, unguarded.
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

    /// The policy that this client keeps to.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Sends and waits for the response head.
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
