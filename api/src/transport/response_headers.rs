//! Headers that responses of several transports carry.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::limits::allowance::RateAllowance;

/// Maximum number of requests per minute.
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
/// Number of requests that the caller may send immediately.
pub const RATE_REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
/// Seconds until the caller may send the maximum number of requests again.
pub const RATE_RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// Writes the rate limit headers. Does nothing for a caller without a limit.
pub fn write_allowance(headers: &mut HeaderMap, allowance: Option<RateAllowance>) {
    let Some(RateAllowance { limit, remaining, reset_seconds }) = allowance else { return };
    headers.insert(RATE_LIMIT, limit.into());
    headers.insert(RATE_REMAINING, remaining.into());
    headers.insert(RATE_RESET, reset_seconds.into());
}

/// Writes the headers that every GraphQL response carries.
pub(super) fn finish(headers: &mut HeaderMap, allowance: Option<RateAllowance>) {
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.append(header::VARY, HeaderValue::from_static("Accept"));
    write_allowance(headers, allowance);
}
