//! Reading a response body within limits on wire bytes, decoded bytes, compression ratio and rate.

use bytes::Bytes;
use reqwest::Response;
use reqwest::header::CONTENT_ENCODING;
use tokio::time::{Instant, timeout_at};

use crate::decode::Decoder;
use crate::error::FetchError;
use crate::limits::{FetchLimits, Overflow};

/// Reads the decoded body, and returns whether it was truncated at a limit.
///
/// # Errors
/// The limit that was exceeded; `Broken` when the server ends the connection early; `Damaged` or
/// `Encoding` when the content cannot be decoded.
pub(crate) async fn read(mut response: Response, limits: &FetchLimits) -> Result<(Bytes, bool), FetchError> {
    let is_bounded = limits.overflow == Overflow::Fail;
    if is_bounded && response.content_length().is_some_and(|length| length > limits.wire_bytes) {
        return Err(FetchError::TooLarge(limits.wire_bytes));
    }
    let mut decoder = Decoder::new(content_encoding(&response)?, limits)?;
    let started = Instant::now();
    let mut wire_bytes: u64 = 0;
    while !decoder.is_full() {
        let deadline = started + limits.slow_grace + earned(wire_bytes, limits);
        let Some(chunk) = timeout_at(deadline, response.chunk())
            .await
            .map_err(|_| FetchError::TooSlow(limits.min_bytes_per_second))?
            .map_err(|_| FetchError::Broken)?
        else {
            return decoder.finish();
        };
        wire_bytes += chunk.len() as u64;
        if wire_bytes > limits.wire_bytes {
            if is_bounded {
                return Err(FetchError::TooLarge(limits.wire_bytes));
            }
            return cut(decoder, &chunk, wire_bytes, limits);
        }
        decoder.push(&chunk, wire_bytes)?;
    }
    decoder.finish()
}

/// Decodes the part of the last chunk that is within the limit, and stops. A compressed stream
/// stays incomplete.
fn cut(mut decoder: Decoder, chunk: &[u8], wire_bytes: u64, limits: &FetchLimits) -> Result<(Bytes, bool), FetchError> {
    let excess = usize::try_from(wire_bytes - limits.wire_bytes).unwrap_or(usize::MAX);
    decoder.push(&chunk[..chunk.len().saturating_sub(excess)], limits.wire_bytes)?;
    decoder.cut();
    decoder.finish()
}

/// Returns the time that the bytes received so far may take at the minimum rate.
fn earned(wire_bytes: u64, limits: &FetchLimits) -> std::time::Duration {
    let millis = wire_bytes.saturating_mul(1000) / limits.min_bytes_per_second.max(1);
    std::time::Duration::from_millis(millis).min(limits.total)
}

/// Returns the only value of `Content-Encoding`. A second header, or a value that is not text,
/// counts as an encoding that was not requested.
fn content_encoding(response: &Response) -> Result<Option<&str>, FetchError> {
    let mut values = response.headers().get_all(CONTENT_ENCODING).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(FetchError::Encoding);
    }
    first.map(|value| value.to_str().map_err(|_| FetchError::Encoding)).transpose()
}
