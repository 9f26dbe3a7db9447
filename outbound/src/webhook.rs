//! One webhook request: post the body, wait, store the beginning of the response, and measure.
//!
//! Delivery calls it. Only the status of the endpoint decides about success; a body that stalls or
//! is too long is truncated and changes nothing. Redirects are not followed: their status is the
//! result. The response is neither decompressed nor interpreted, only stored.

use std::sync::OnceLock;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::Response;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, RETRY_AFTER, SET_COOKIE};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::client::Client;
use crate::error::FetchError;
use crate::fetch::{MAX_KEPT_HEADER_BYTES, kept};
use crate::limits::WebhookLimits;
use crate::policy::check_url;
use crate::timing::{Timing, measured};

/// Maximum number of stored response headers, about as many as a receiver behind several proxies
/// sends.
const MAX_KEPT_HEADERS: usize = 40;

/// The result of one webhook request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookExchange {
    /// The response, or why there was none.
    pub response: Result<ResponseHead, FetchError>,
    pub timing: Timing,
}

/// The stored part of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    pub status: u16,
    /// `Retry-After` as it was sent, neither parsed nor limited.
    pub retry_after: Option<String>,
    /// Response headers as they were sent, in order, for the owner to read. Cookies are omitted
    /// because they are secrets, and so are headers that are too long or not text. Names are in
    /// lower case.
    pub headers: Vec<(String, String)>,
    /// The first bytes of the body, at most `WebhookLimits::head_bytes`.
    pub body: Bytes,
    /// Whether the body ended within its limits.
    pub is_complete: bool,
}

impl Client {
    /// Posts `body` once and reports the result. It ends within `limits.total`.
    ///
    /// `headers` are sent as given, in addition to those that HTTP itself requires.
    pub async fn post_webhook(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: Bytes,
        limits: &WebhookLimits,
    ) -> WebhookExchange {
        let started = Instant::now();
        // Shared with the exchange. It is a lock instead of a `Cell`, so that attempts can run as
        // tasks.
        let first_byte = OnceLock::new();
        let exchange = self.exchange(url, headers, body, limits, &first_byte);
        let (response, connecting) = measured(exchange).await;
        let timing = Timing {
            dns: connecting.dns,
            connect: connecting.connect,
            first_byte: first_byte.get().copied(),
            total: started.elapsed(),
        };
        WebhookExchange { response, timing }
    }

    async fn exchange(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: Bytes,
        limits: &WebhookLimits,
        first_byte: &OnceLock<Duration>,
    ) -> Result<ResponseHead, FetchError> {
        check_url(url, &self.policy)?;
        let started = Instant::now();
        let request = self.http.post(url.clone()).header(ACCEPT_ENCODING, "identity").headers(headers).body(body);
        let response = self.send(request, limits.first_byte.min(limits.total)).await?;
        let _ = first_byte.set(started.elapsed());
        let status = response.status().as_u16();
        let retry_after = kept(response.headers(), &RETRY_AFTER);
        let headers = shown(response.headers());
        let (body, is_complete) = read_head(response, limits.head_bytes, started + limits.total).await;
        Ok(ResponseHead { status, retry_after, headers, body, is_complete })
    }
}

/// Returns the headers that are stored.
fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
    let pairs = headers.iter().filter(|(name, _)| **name != SET_COOKIE);
    let texts = pairs.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let short = texts.filter(|(name, value)| name.len() + value.len() <= MAX_KEPT_HEADER_BYTES);
    short.take(MAX_KEPT_HEADERS).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Reads the first `head_bytes` of the body that arrive before `deadline`, and returns whether that
/// was the whole body.
async fn read_head(mut response: Response, head_bytes: usize, deadline: Instant) -> (Bytes, bool) {
    let mut head = BytesMut::new();
    loop {
        match timeout_at(deadline, response.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                let room = head_bytes - head.len();
                head.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if chunk.len() > room {
                    return (head.freeze(), false);
                }
            }
            Ok(Ok(None)) => return (head.freeze(), true),
            Ok(Err(_)) | Err(_) => return (head.freeze(), false),
        }
    }
}
