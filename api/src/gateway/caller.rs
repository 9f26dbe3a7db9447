//! Who calls, as the head of a request tells it.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap, header};
use helpbot_domain::Timestamp;
use helpbot_services::accounts::access::Credentials;

use super::{Gateway, IdempotencyKey};
use crate::limits;

/// One request's caller, before anybody knows who that is.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// What it brings to say who it is.
    pub credentials: Credentials,
    /// Where it calls from, when that is known: for rate limits.
    pub peer: Option<IpAddr>,
    /// The name of the request in logs and answers.
    pub request_id: String,
    /// What it named the request, so that a mutation is run at most once.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// The header that carries a visitor's session token.
const SESSION_HEADER: &str = "x-helpbot-session";
const REQUEST_ID_HEADER: &str = "x-request-id";
const IDEMPOTENCY_HEADER: &str = "idempotency-key";

impl Gateway {
    /// The caller of a GraphQL request: the key from `Authorization: Bearer`, the session token
    /// from `X-HelpBot-Session`, the name of the request from `Idempotency-Key`.
    pub fn caller(&self, headers: &HeaderMap, extensions: &Extensions) -> Caller {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let credentials = Credentials {
            key: bearer(headers).map(str::to_owned),
            session_token: text(SESSION_HEADER),
            origin: text(header::ORIGIN.as_str()),
        };
        // What is no text is no name either, and is refused as such where a name is asked for.
        let named = headers.get(IDEMPOTENCY_HEADER).map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned());
        Caller {
            credentials,
            peer: self.peer(headers, extensions),
            request_id: self.request_id(headers),
            idempotency_key: named.map(IdempotencyKey),
        }
    }

    /// The caller's address: an `IpAddr` among the extensions, set by a server that knows better;
    /// else that of the connection, or the one that trusted proxies report.
    pub fn peer(&self, headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr> {
        if let Some(known) = extensions.get::<IpAddr>() {
            return Some(*known);
        }
        let ConnectInfo(connection) = extensions.get::<ConnectInfo<SocketAddr>>()?;
        let forwarded: Vec<&str> =
            headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
        Some(limits::peer(connection.ip(), forwarded.into_iter(), &self.settings().trusted_proxies))
    }

    /// The request id that the server or a proxy gave, if it is a modest one; else a new one.
    pub fn request_id(&self, headers: &HeaderMap) -> String {
        const MAX_CHARS: usize = 64;
        headers
            .get(REQUEST_ID_HEADER)
            .and_then(|value| value.to_str().ok())
            .filter(|id| (1..=MAX_CHARS).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()))
            .map_or_else(|| self.0.request_ids.next(), str::to_owned)
    }
}

/// The credential of `Authorization: Bearer`; the scheme in any case, other schemes are ignored.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    bearer_of(headers.get(header::AUTHORIZATION)?.to_str().ok()?)
}

/// The same, of the header's value.
pub(crate) fn bearer_of(value: &str) -> Option<&str> {
    let (scheme, key) = value.trim().split_once(' ')?;
    let key = key.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !key.is_empty()).then_some(key)
}

/// Names for requests that came without one: the moment of start and a number. They tell
/// requests apart in a log and need not be unguessable.
pub(super) struct RequestIds {
    start: i64,
    next: AtomicU64,
}

impl RequestIds {
    pub(super) fn starting_at(now: Timestamp) -> Self {
        Self { start: now.as_ms(), next: AtomicU64::new(1) }
    }

    fn next(&self) -> String {
        format!("{:x}-{:x}", self.start, self.next.fetch_add(1, Ordering::Relaxed))
    }
}
