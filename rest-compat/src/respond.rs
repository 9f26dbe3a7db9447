//! Answers of status 200: JSON, not to be stored, or reusable for a minute with an entity tag.

use std::hash::{DefaultHasher, Hasher as _};

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use helpbot_api::limits::Standing;
use serde::Serialize;

use crate::endpoint::CreditsLeft;
use crate::error::Refusal;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// A widget reads its settings on each page of a visit; a minute spares most of these reads.
const FOR_A_MINUTE: HeaderValue = HeaderValue::from_static("private, max-age=60");
/// One address, but an answer per key and, for keys bound to pages, per page.
const VARIES: HeaderValue = HeaderValue::from_static("Authorization, Origin");

/// Requests a minute, how many of them may come at once now, and seconds until all may.
pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
pub(crate) const RATE_REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
pub(crate) const RATE_RESET: HeaderName = HeaderName::from_static("ratelimit-reset");
/// Questions a month, and how many of them are left.
pub(crate) const CREDITS_LIMIT: HeaderName = HeaderName::from_static("x-credits-limit");
pub(crate) const CREDITS_REMAINING: HeaderName = HeaderName::from_static("x-credits-remaining");

/// Tells a caller that has a limit what is left of it.
pub(crate) fn tell_standing(headers: &mut HeaderMap, standing: Option<Standing>) {
    let Some(Standing { limit, remaining, reset_seconds }) = standing else { return };
    headers.insert(RATE_LIMIT, limit.into());
    headers.insert(RATE_REMAINING, remaining.into());
    headers.insert(RATE_RESET, reset_seconds.into());
}

/// Tells what is left of the month's questions.
pub(crate) fn tell_credits(headers: &mut HeaderMap, credits: Option<CreditsLeft>) {
    let Some(CreditsLeft { limit, remaining }) = credits else { return };
    headers.insert(CREDITS_LIMIT, limit.into());
    headers.insert(CREDITS_REMAINING, remaining.into());
}

/// `answer` as JSON, not to be stored.
///
/// # Errors
/// 500 when it cannot be written as JSON, which the types rule out.
pub(crate) fn json(answer: &impl Serialize) -> Result<Response, Refusal> {
    Ok(([(header::CONTENT_TYPE, JSON)], written(answer)?).into_response())
}

/// An answer that may be reused for a minute, as bytes and their entity tag.
#[derive(Debug, Clone)]
pub(crate) struct Reusable {
    body: Bytes,
    tag: HeaderValue,
}

impl Reusable {
    /// `answer` as JSON.
    ///
    /// # Errors
    /// As [`json`].
    pub fn new(answer: &impl Serialize) -> Result<Self, Refusal> {
        let body = written(answer)?;
        let tag = HeaderValue::try_from(entity_tag(&body)).map_err(|_| Refusal::internal())?;
        Ok(Self { body: body.into(), tag })
    }

    /// 200, or 304 when the caller has it.
    pub fn response(self, if_none_match: Option<&HeaderValue>) -> Response {
        let known = if_none_match.and_then(|tags| tags.to_str().ok());
        let is_known = known.is_some_and(|tags| self.tag.to_str().is_ok_and(|tag| is_among(tag, tags)));
        let mut response = match is_known {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => ([(header::CONTENT_TYPE, JSON)], self.body).into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, FOR_A_MINUTE);
        headers.insert(header::VARY, VARIES);
        headers.insert(header::ETAG, self.tag);
        response
    }
}

fn written(answer: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(answer).map_err(|error| {
        tracing::error!(%error, "an answer could not be written as JSON");
        Refusal::internal()
    })
}

/// A strong tag from the bytes. The hash is the same on all nodes of one build; another build
/// costs each client one more download.
fn entity_tag(body: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(body);
    format!("\"{:016x}\"", hasher.finish())
}

/// Whether `If-None-Match` names `tag`, by the weak comparison that RFC 9110 §13.1.2 asks for.
fn is_among(tag: &str, if_none_match: &str) -> bool {
    if_none_match.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_tag_follows_the_bytes() {
        assert_eq!(entity_tag(b"{}"), entity_tag(b"{}"));
        assert_ne!(entity_tag(b"{}"), entity_tag(b"{ }"));
        assert_eq!(entity_tag(b"{}").len(), "\"0123456789abcdef\"".len());
    }

    #[test]
    fn if_none_match_is_a_list_compared_weakly() {
        let tag = "\"abc\"";

        for known in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*", "\"x\",W/\"abc\" "] {
            assert!(is_among(tag, known), "{known}");
        }
        for other in ["", "abc", "\"ab\"", "w/\"abc\"", "\"abc"] {
            assert!(!is_among(tag, other), "{other}");
        }
    }

    #[test]
    fn a_known_answer_is_304_without_body_and_another_is_200() {
        let tag = HeaderValue::try_from(entity_tag(b"{\"a\":1}")).unwrap();
        let answer = serde_json::json!({"a": 1});

        let reusable = Reusable::new(&answer).unwrap();
        let known = reusable.clone().response(Some(&tag));
        let changed = reusable.response(Some(&HeaderValue::from_static("\"old\"")));
        let unstored = json(&answer).unwrap();

        assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
        assert!(known.headers().get(header::CONTENT_TYPE).is_none());
        assert_eq!((changed.status(), &changed.headers()[header::ETAG]), (StatusCode::OK, &tag));
        assert_eq!(unstored.status(), StatusCode::OK);
        assert!(unstored.headers().get(header::ETAG).is_none());
    }
}
