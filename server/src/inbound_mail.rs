//! The route that receives the mails of visitors: `POST /inbound/mail` with one raw message (RFC 5322).
//!
//! The pipe of a mail server or an inbound mail provider sends each message that arrives at `inbound_mail_domain`. It
//! proves itself with `inbound_mail_secret`, as a bearer token or as the password of basic authentication. The
//! route exists only when both settings are set. A message that cannot become one of a conversation is answered with
//! 200 and the reason, because sending it again would not help.

use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use helpbot_delivery::inbound;
use helpbot_services::conversations::mail_answers::{self, MailReceipt};
use helpbot_services::{Error, Services};
use serde_json::json;
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

use crate::installation::Installation;

/// Path of the route.
const PATH: &str = "/inbound/mail";
/// Maximum size of a message. Most mail servers accept less than 30 MB; attachments are not kept.
const MAX_BYTES: usize = 10 * 1024 * 1024;
/// Maximum number of messages that are received at once, each of which is in memory.
const AT_ONCE: usize = 2;
/// Seconds after which a mail server that was refused for a moment tries again.
const RETRY_AFTER_S: u64 = 30;

#[derive(Clone)]
struct Inbound {
    services: Services,
    secret: Arc<str>,
    slots: Arc<Semaphore>,
}

/// The route, or no route when the installation receives no mail.
pub(crate) fn router(installation: &Installation) -> Router {
    let settings = &installation.settings;
    let (Some(_), Some(secret)) = (&settings.inbound_mail_domain, &settings.inbound_mail_secret) else {
        return Router::new();
    };
    let inbound = Inbound {
        services: installation.services.clone(),
        secret: secret.as_str().into(),
        slots: Arc::new(Semaphore::new(AT_ONCE)),
    };
    Router::new().route(PATH, post(receive)).with_state(inbound)
}

async fn receive(State(inbound): State<Inbound>, request: Request) -> Response {
    if !is_authorized(request.headers(), &inbound.secret) {
        let challenge = (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer, Basic"));
        return (StatusCode::UNAUTHORIZED, [challenge], body("error", "The secret is missing or wrong."))
            .into_response();
    }
    let Ok(_slot) = inbound.slots.try_acquire() else {
        return later(StatusCode::SERVICE_UNAVAILABLE, RETRY_AFTER_S, "Other messages are being received.");
    };
    let Ok(raw) = to_bytes(request.into_body(), MAX_BYTES).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, body("error", "The message is larger than 10 MiB.")).into_response();
    };
    let Ok(parsed) = tokio::task::spawn_blocking(move || inbound::parse(&raw)).await else {
        return (StatusCode::BAD_REQUEST, body("error", "The message could not be read.")).into_response();
    };
    let Some(mail) = parsed else {
        return (StatusCode::BAD_REQUEST, body("error", "The body is not a message with headers.")).into_response();
    };
    match mail_answers::receive(&inbound.services, mail).await {
        Ok(receipt) => (StatusCode::OK, body("result", result(receipt))).into_response(),
        Err(Error::RateLimited { retry_after }) => {
            later(StatusCode::TOO_MANY_REQUESTS, retry_after.as_secs().max(1), "The visitor writes too fast.")
        }
        Err(error) => {
            tracing::error!(error = error.detail(), "a mail of a visitor could not be stored");
            later(StatusCode::SERVICE_UNAVAILABLE, RETRY_AFTER_S, "The message could not be stored.")
        }
    }
}

/// Returns whether a request contains the secret, as a bearer token or as the password of basic authentication.
fn is_authorized(headers: &HeaderMap, secret: &str) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match given.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => is_same(token.trim(), secret),
        Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("basic") => {
            let decoded = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            decoded.as_deref().and_then(|pair| pair.split_once(':')).is_some_and(|(_, word)| is_same(word, secret))
        }
        _ => false,
    }
}

/// Compares in a time that depends only on the lengths.
fn is_same(given: &str, secret: &str) -> bool {
    given.as_bytes().ct_eq(secret.as_bytes()).into()
}

fn result(receipt: MailReceipt) -> &'static str {
    match receipt {
        MailReceipt::Accepted => "accepted",
        MailReceipt::Automatic => "ignored: an automatic message",
        MailReceipt::Repeated => "ignored: received before",
        MailReceipt::Empty => "ignored: no text",
        MailReceipt::Unknown => "ignored: no conversation",
        MailReceipt::Refused => "ignored: the visitor is blocked or the conversation is full",
    }
}

fn later(status: StatusCode, seconds: u64, why: &str) -> Response {
    let wait: (HeaderName, HeaderValue) = (header::RETRY_AFTER, seconds.into());
    (status, [wait], body("error", why)).into_response()
}

fn body(name: &str, text: &str) -> axum::Json<serde_json::Value> {
    axum::Json(json!({ name: text }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_a_bearer_token_or_the_password_of_basic_authentication() {
        let is_authorized = |value: &str| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().expect("a value"))]);
            super::is_authorized(&headers, "a-long-enough-secret")
        };

        for right in
            ["Bearer a-long-enough-secret", "bearer a-long-enough-secret", "Basic cGlwZTphLWxvbmctZW5vdWdoLXNlY3JldA=="]
        {
            assert!(is_authorized(right), "{right}");
        }
        for wrong in [
            "a-long-enough-secret",
            "Bearer a-long-enough-secreu",
            "Bearer a-long-enough-secret2",
            "Bearer ",
            "Basic a-long-enough-secret",
            "Basic !",
        ] {
            assert!(!is_authorized(wrong), "{wrong}");
        }
        assert!(!super::is_authorized(&HeaderMap::new(), "a-long-enough-secret"));
    }
}
