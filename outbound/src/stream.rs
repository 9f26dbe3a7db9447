//! A JSON request whose response is read as it arrives, for model servers that stream tokens.
//!
//! The model clients of the engine call it with a client of [`crate::Policy::operator`]. The caller
//! interprets the bytes (server-sent events, JSON lines).

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

/// Chunks of a body, in order. The stream ends after the first error.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, FetchError>> + Send>>;

/// A response whose body is still arriving. Dropping it ends the exchange.
pub struct Streamed {
    pub status: u16,
    pub content_type: Option<String>,
    pub retry_after: Option<String>,
    pub body: ByteStream,
}

struct BodyStream {
    response: Response,
    limits: StreamLimits,
    deadline: Instant,
    wire_bytes: u64,
}

impl Client {
    /// Posts JSON and returns the response as soon as its headers arrive, whatever its status.
    ///
    /// Redirects are not followed. `headers` contain the credentials, if any.
    ///
    /// # Errors
    /// Errors before the headers arrive are returned here; errors of the body are part of the
    /// stream.
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
            body: Box::pin(try_unfold(BodyStream { response, limits: *limits, deadline, wire_bytes: 0 }, next_chunk)),
        })
    }
}

async fn next_chunk(mut stream: BodyStream) -> Result<Option<(Bytes, BodyStream)>, FetchError> {
    let limits = stream.limits;
    let idle = Instant::now() + limits.idle;
    let Ok(chunk) = timeout_at(idle.min(stream.deadline), stream.response.chunk()).await else {
        let is_total = stream.deadline <= idle;
        return Err(if is_total {
            FetchError::TotalTimeout(limits.total)
        } else {
            FetchError::IdleTimeout(limits.idle)
        });
    };
    let Some(chunk) = chunk.map_err(|_| FetchError::Broken)? else {
        return Ok(None);
    };
    stream.wire_bytes += chunk.len() as u64;
    if stream.wire_bytes > limits.wire_bytes {
        return Err(FetchError::TooLarge(limits.wire_bytes));
    }
    Ok(Some((chunk, stream)))
}
