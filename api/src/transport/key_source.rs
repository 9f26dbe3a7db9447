//! Where the API key of a GraphQL request may come from. [`Transport::caller`](super::state::Transport::caller)
//! asks here. REST keeps the rules of its contract, which accepts a key in the URL and from any page.

use axum::extract::Query;
use axum::http::{HeaderMap, Uri, header};
use helpbot_domain::key;

use crate::error::{ApiError, ErrorCode};

/// The parameter with the API key in URLs of the REST contract.
const PARAMETER: &str = "apiKey";

/// Refuses a key in the URL of a GraphQL request.
///
/// # Errors
/// `UNAUTHENTICATED` for a secret key, and for any key when the request contains none elsewhere.
pub(super) fn check_url(uri: &Uri, is_key_elsewhere: bool) -> Result<(), ApiError> {
    let Ok(Query(parameters)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else { return Ok(()) };
    let Some((_, key)) = parameters.iter().find(|(name, _)| name == PARAMETER) else { return Ok(()) };
    let message = if key::is_like_secret(key) {
        "Secret keys must not be part of a URL, because proxies and browsers store URLs. Revoke this key, and send \
         keys in the header \"Authorization: Bearer KEY\"."
    } else if is_key_elsewhere {
        return Ok(());
    } else {
        "GraphQL does not read the API key from the URL. Send it in the header \"Authorization: Bearer KEY\"."
    };
    Err(ApiError::new(ErrorCode::Unauthenticated, message))
}

/// Whether a page of another web site sent the request: browsers name the page's origin. `own_origin` is that
/// of the installation, for proxies that change the `Host` header.
pub(super) fn is_from_other_site(headers: &HeaderMap, uri: &Uri, own_origin: Option<&str>) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let origin = origin.to_str().unwrap_or_default();
    if own_origin.is_some_and(|own| own.eq_ignore_ascii_case(origin)) {
        return false;
    }
    // HTTP/2 has the host in the URL.
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let Some(host) = host.or_else(|| uri.authority().map(|authority| authority.as_str())) else { return false };
    // An origin that is not a URL, such as `null`, is that of another site.
    let Some((_, of_origin)) = origin.split_once("://") else { return true };
    !host.eq_ignore_ascii_case(of_origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_the_url_is_refused_with_the_reason() {
        let refusal = |uri: &'static str, has_key| {
            check_url(&Uri::from_static(uri), has_key).err().map(|error| error.message[..12].to_owned())
        };

        for (uri, has_key, expected) in [
            ("/graphql", false, None),
            ("/graphql?query=x", false, None),
            ("/graphql?apiKey=sk_live_x", false, Some("Secret keys ")),
            ("/graphql?apiKey=sk_live_x", true, Some("Secret keys ")),
            ("/graphql?a=1&apiKey=pat_x", true, Some("Secret keys ")),
            ("/graphql?apiKey=adm_x", false, Some("Secret keys ")),
            ("/graphql?apiKey=wk_live_x", false, Some("GraphQL does")),
            ("/graphql?apiKey=wk_live_x", true, None),
        ] {
            assert_eq!(refusal(uri, has_key).as_deref(), expected, "{uri} {has_key}");
        }
    }

    #[test]
    fn only_pages_of_other_hosts_are_other_sites() {
        let is_other = |origin: Option<&'static str>, host: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            origin.map(|origin| headers.insert(header::ORIGIN, origin.parse().expect("a header")));
            host.map(|host| headers.insert(header::HOST, host.parse().expect("a header")));
            is_from_other_site(&headers, &Uri::from_static("/graphql"), Some("https://help.example"))
        };

        for (origin, host, expected) in [
            (None, Some("help.example"), false),
            (Some("https://help.example"), Some("127.0.0.1:8080"), false),
            (Some("http://127.0.0.1:8080"), Some("127.0.0.1:8080"), false),
            (Some("https://desk.example"), Some("DESK.example"), false),
            (Some("https://shop.example"), Some("127.0.0.1:8080"), true),
            (Some("http://127.0.0.1:9090"), Some("127.0.0.1:8080"), true),
            (Some("null"), Some("127.0.0.1:8080"), true),
            (Some("https://help.example.evil.example"), Some("help.example"), true),
        ] {
            assert_eq!(is_other(origin, host), expected, "{origin:?} {host:?}");
        }
    }
}
