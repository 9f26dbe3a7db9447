//! A JSON request whose answer is read as it comes: for model servers that stream tokens.
//!
//! Called by the engine's model clients with a client of [`crate::Policy::operator`]. What the
//! bytes mean (server-sent events, JSON lines) is the caller's business.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::try_unfold;
use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::client::Client;
use crate::error::FetchError;
use crate::fetch::kept;
use crate::limits::StreamLimits;
use crate::policy::check_url;

/// Chunks of a body in order; ends after the first error.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, FetchError>> + Send>>;

/// A response whose body is still coming. Dropping it ends the exchange.
pub struct Streamed {
    pub status: u16,
    pub content_type: Option<String>,
    pub retry_after: Option<String>,
    pub body: ByteStream,
}

struct Reading {
    response: Response,
    limits: StreamLimits,
    deadline: Instant,
    wire_bytes: u64,
}

impl Client {
    /// Posts JSON and gives the response as soon as its head is there, whatever its status.
    ///
    /// Redirects are not followed. `headers` carry the credentials, if any.
    ///
    /// # Errors
    /// Those before the head here; those of the body in the stream.
    pub async fn post_json_stream(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: Bytes,
        limits: &StreamLimits,
    ) -> Result<Streamed, FetchError> {
        check_url(url, &self.policy)?;
        let deadline = Instant::now() + limits.total;
        let json = HeaderValue::from_static("application/json");
        let request = self.http.post(url.clone()).header(CONTENT_TYPE, json).headers(headers).body(body);
        let response = self.send(request, limits.first_byte.min(limits.total)).await?;
        Ok(Streamed {
            status: response.status().as_u16(),
            content_type: kept(response.headers(), &CONTENT_TYPE),
            retry_after: kept(response.headers(), &RETRY_AFTER),
            body: Box::pin(try_unfold(Reading { response, limits: *limits, deadline, wire_bytes: 0 }, next_chunk)),
        })
    }
}

async fn next_chunk(mut reading: Reading) -> Result<Option<(Bytes, Reading)>, FetchError> {
    let limits = reading.limits;
    let idle = Instant::now() + limits.idle;
    let Ok(chunk) = timeout_at(idle.min(reading.deadline), reading.response.chunk()).await else {
        let is_total = reading.deadline <= idle;
        return Err(if is_total {
            FetchError::TotalTimeout(limits.total)
        } else {
            FetchError::IdleTimeout(limits.idle)
        });
    };
    let Some(chunk) = chunk.map_err(|_| FetchError::Broken)? else {
        return Ok(None);
    };
    reading.wire_bytes += chunk.len() as u64;
    if reading.wire_bytes > limits.wire_bytes {
        return Err(FetchError::TooLarge(limits.wire_bytes));
    }
    Ok(Some((chunk, reading)))
}
