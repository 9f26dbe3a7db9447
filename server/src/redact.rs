//! Addresses as a log may show them.

use axum::http::Uri;

/// Query parameters whose values name nobody and open nothing. All others are hidden: a key is
/// what must never be logged, and what a client may misspell cannot be listed.
const PLAIN: [&str; 6] = ["range", "limit", "page", "filter", "sort", "id"];

/// The path and query of a request, with the values of all but a few parameters hidden.
pub(crate) fn target(uri: &Uri) -> String {
    let Some(query) = uri.query() else { return uri.path().to_owned() };
    let shown: Vec<String> = query.split('&').map(parameter).collect();
    format!("{}?{}", uri.path(), shown.join("&"))
}

fn parameter(text: &str) -> String {
    match text.split_once('=') {
        Some((name, _)) if PLAIN.contains(&name) => text.to_owned(),
        Some((name, _)) if is_name(name) => format!("{name}=***"),
        _ => "***".to_owned(),
    }
}

/// Whether it looks like a name and not like a key that was put in its place.
fn is_name(text: &str) -> bool {
    text.len() <= 24 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(uri: &'static str) -> String {
        target(&Uri::from_static(uri))
    }

    #[test]
    fn a_key_in_the_query_is_hidden_however_it_is_spelled() {
        assert_eq!(shown("/api/v1/config?apiKey=wk_live_abc"), "/api/v1/config?apiKey=***");
        assert_eq!(shown("/api/v1/config?apikey=wk_live_abc&range=7d"), "/api/v1/config?apikey=***&range=7d");
        assert_eq!(shown("/api/v1/config?wk_live_abc"), "/api/v1/config?***");
        assert_eq!(shown("/api/v1/config?wk_live_abc=1"), "/api/v1/config?***");
        assert_eq!(shown("/api/v1/conversations?search=ann@example.com"), "/api/v1/conversations?search=***");
    }

    #[test]
    fn a_path_without_a_query_is_shown_as_it_is() {
        assert_eq!(shown("/healthz"), "/healthz");
    }
}
