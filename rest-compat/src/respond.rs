//! Answers with status 200: JSON that clients may not store, or may use for a minute with an entity
//! tag. Also the headers with the credits of the month.

use std::hash::{DefaultHasher, Hasher as _};

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;

use crate::endpoint::CreditBalance;
use crate::error::{CREDITS_REMAINING, RestError};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// A widget reads its configuration on each page of a visit; a minute saves most of these requests.
const FOR_A_MINUTE: HeaderValue = HeaderValue::from_static("private, max-age=60");
/// The answer depends on the key and, for keys that are bound to pages, on the page.
const VARY: HeaderValue = HeaderValue::from_static("Authorization, Origin");

/// Number of questions that the site may ask in this month.
const CREDITS_LIMIT: HeaderName = HeaderName::from_static("x-credits-limit");

/// Writes the headers with the credits of the month, if the route reports them.
pub(crate) fn write_credits(headers: &mut HeaderMap, credits: Option<CreditBalance>) {
    let Some(credits) = credits else { return };
    headers.insert(CREDITS_LIMIT, credits.limit().into());
    headers.insert(CREDITS_REMAINING, credits.remaining().into());
}

/// `answer` as JSON that clients may not store.
///
/// # Errors
/// 500 when it cannot be written as JSON, which the types rule out.
pub(crate) fn json(answer: &impl Serialize) -> Result<Response, RestError> {
    Ok(([(header::CONTENT_TYPE, JSON)], to_json(answer)?).into_response())
}

/// An answer that clients may use for a minute: its bytes and their entity tag.
#[derive(Debug, Clone)]
pub(crate) struct CacheableAnswer {
    body: Bytes,
    tag: HeaderValue,
}

impl CacheableAnswer {
    /// Writes `answer` as JSON.
    ///
    /// # Errors
    /// As [`json`].
    pub fn new(answer: &impl Serialize) -> Result<Self, RestError> {
        let body = to_json(answer)?;
        let tag = HeaderValue::try_from(entity_tag(&body)).map_err(|_| RestError::internal())?;
        Ok(Self { body: body.into(), tag })
    }

    /// 200, or 304 when the client has this answer already.
    pub fn into_response(self, if_none_match: Option<&HeaderValue>) -> Response {
        let known = if_none_match.and_then(|tags| tags.to_str().ok());
        let is_known = known.is_some_and(|tags| self.tag.to_str().is_ok_and(|tag| contains_tag(tags, tag)));
        let mut response = match is_known {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => ([(header::CONTENT_TYPE, JSON)], self.body).into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, FOR_A_MINUTE);
        headers.insert(header::VARY, VARY);
        headers.insert(header::ETAG, self.tag);
        response
    }
}

fn to_json(answer: &impl Serialize) -> Result<Vec<u8>, RestError> {
    serde_json::to_vec(answer).map_err(|error| {
        tracing::error!(%error, "an answer could not be written as JSON");
        RestError::internal()
    })
}

/// A strong entity tag for the bytes. The hash is the same on all nodes that run the same build; a new
/// build costs each client one more download.
fn entity_tag(body: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(body);
    format!("\"{:016x}\"", hasher.finish())
}

/// Whether `If-None-Match` contains `tag`, by the weak comparison that RFC 9110 §13.1.2 requires.
fn contains_tag(if_none_match: &str, tag: &str) -> bool {
    if_none_match.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_tag_depends_on_the_bytes() {
        assert_eq!(entity_tag(b"{}"), entity_tag(b"{}"));
        assert_ne!(entity_tag(b"{}"), entity_tag(b"{ }"));
        assert_eq!(entity_tag(b"{}").len(), "\"0123456789abcdef\"".len());
    }

    #[test]
    fn if_none_match_is_a_list_that_is_compared_weakly() {
        let tag = "\"abc\"";

        for known in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*", "\"x\",W/\"abc\" "] {
            assert!(contains_tag(known, tag), "{known}");
        }
        for other in ["", "abc", "\"ab\"", "w/\"abc\"", "\"abc"] {
            assert!(!contains_tag(other, tag), "{other}");
        }
    }

    #[test]
    fn a_known_answer_is_304_without_a_body_and_a_changed_one_is_200() {
        let tag = HeaderValue::try_from(entity_tag(b"{\"a\":1}")).unwrap();
        let answer = serde_json::json!({"a": 1});

        let cacheable = CacheableAnswer::new(&answer).unwrap();
        let known = cacheable.clone().into_response(Some(&tag));
        let changed = cacheable.into_response(Some(&HeaderValue::from_static("\"old\"")));
        let plain = json(&answer).unwrap();

        assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
        assert!(known.headers().get(header::CONTENT_TYPE).is_none());
        assert_eq!((changed.status(), &changed.headers()[header::ETAG]), (StatusCode::OK, &tag));
        assert_eq!(plain.status(), StatusCode::OK);
        assert!(plain.headers().get(header::ETAG).is_none());
    }
}
