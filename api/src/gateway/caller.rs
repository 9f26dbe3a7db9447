//! The caller of a request: as its headers describe it, and after it was authenticated.
//!
//! Every transport and `rest-compat` read the headers through [`Caller::read`], so that all of them
//! look for keys, session tokens and addresses in the same places.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap, header};
use helpbot_domain::audit::USER_AGENT_MAX_CHARS;
use helpbot_domain::text;
use helpbot_services::Viewer;
use helpbot_services::accounts::access::Credentials;
use ipnet::IpNet;

use crate::limits::allowance::RateAllowance;
use crate::limits::peer;

/// The header that carries a visitor's session token.
const SESSION_HEADER: &str = "x-helpbot-session";
const IDEMPOTENCY_HEADER: &str = "idempotency-key";
/// The header that carries the ID of a request. The envelope of the server sets it on every request.
pub(crate) const REQUEST_ID_HEADER: &str = "x-request-id";

/// The caller of one request, before it is authenticated.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// The API key, the session token and the origin that the request carries.
    pub credentials: Credentials,
    /// The address of the caller, when it is known. Rate limits count by it.
    pub peer: Option<IpAddr>,
    /// ID of the request in logs and in `X-Request-Id`.
    pub request_id: String,
    /// The idempotency key, so that a mutation is executed at most once.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// A caller with a valid API key whose operation was counted against its rate limit.
#[derive(Debug, Clone)]
pub struct AdmittedCaller {
    /// The identity that the operation acts as.
    pub viewer: Viewer,
    /// The address of the caller, when it is known. Rate limits count by it.
    pub peer: Option<IpAddr>,
    /// ID of the request in logs and in `X-Request-Id`.
    pub request_id: String,
    /// The idempotency key of a mutation or of the subscription `answer`. Other operations ignore it.
    pub idempotency_key: Option<IdempotencyKey>,
    /// What remains of the rate limit, or `None` when the caller has no limit.
    pub allowance: Option<RateAllowance>,
}

/// A name that the caller gave to a request: the header `Idempotency-Key`, or `idempotencyKey` among
/// the `extensions` of a GraphQL request, which every transport carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub String);

impl Caller {
    /// Reads the caller from the headers of a request.
    ///
    /// The API key comes from `Authorization: Bearer`, the session token from `X-HelpBot-Session`.
    pub fn read(headers: &HeaderMap, extensions: &Extensions, trusted_proxies: &[IpNet]) -> Self {
        let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let credentials = Credentials {
            key: bearer(headers).map(str::to_owned),
            session_token: value(SESSION_HEADER),
            origin: value(header::ORIGIN.as_str()),
            address: address(headers, extensions, trusted_proxies),
            user_agent: value(header::USER_AGENT.as_str())
                .map(|agent| text::cut(&text::one_line(&agent), USER_AGENT_MAX_CHARS).into()),
            is_from_other_site: false,
        };
        // A header that is not UTF-8 is passed on, so that the use case rejects it as an invalid key.
        let idempotency_key =
            headers.get(IDEMPOTENCY_HEADER).map(|key| String::from_utf8_lossy(key.as_bytes()).into_owned());
        Self {
            peer: credentials.address,
            credentials,
            request_id: value(REQUEST_ID_HEADER).unwrap_or_default(),
            idempotency_key: idempotency_key.map(IdempotencyKey),
        }
    }

    /// The same caller once its key is known to be valid.
    pub fn admitted(&self, viewer: Viewer, allowance: Option<RateAllowance>) -> AdmittedCaller {
        let (request_id, idempotency_key) = (self.request_id.clone(), self.idempotency_key.clone());
        AdmittedCaller { viewer, peer: self.peer, request_id, idempotency_key, allowance }
    }
}

impl AdmittedCaller {
    /// Replaces the idempotency key of the header by `key`, if there is one.
    #[must_use]
    pub fn with_idempotency_key(self, key: Option<IdempotencyKey>) -> Self {
        Self { idempotency_key: key.or(self.idempotency_key), ..self }
    }
}

/// The address of the caller. An `IpAddr` among the extensions takes precedence: a server that knows
/// the address better sets it.
fn address(headers: &HeaderMap, extensions: &Extensions, trusted_proxies: &[IpNet]) -> Option<IpAddr> {
    if let Some(known) = extensions.get::<IpAddr>() {
        return Some(*known);
    }
    let ConnectInfo(connection) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    let forwarded: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    Some(peer::peer(connection.ip(), forwarded.into_iter(), trusted_proxies))
}

/// The API key in `Authorization: Bearer`. The scheme is case-insensitive; other schemes are ignored.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    bearer_key(headers.get(header::AUTHORIZATION)?.to_str().ok()?)
}

/// The API key in the value of an `Authorization` header.
pub(crate) fn bearer_key(value: &str) -> Option<&str> {
    let (scheme, key) = value.trim().split_once(' ')?;
    let key = key.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !key.is_empty()).then_some(key)
}
