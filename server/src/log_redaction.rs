//! Hides the values of query parameters before a request's address is logged. `http` calls it.

use axum::http::Uri;

/// Query parameters whose values are neither secret nor personal. All others are hidden, because an API key
/// may appear under any misspelled name.
const HARMLESS: [&str; 6] = ["range", "limit", "page", "filter", "sort", "id"];

/// The path and query of a request, with the values of all other parameters hidden.
pub(crate) fn target(uri: &Uri) -> String {
    let Some(query) = uri.query() else { return uri.path().to_owned() };
    let shown: Vec<String> = query.split('&').map(parameter).collect();
    format!("{}?{}", uri.path(), shown.join("&"))
}

fn parameter(text: &str) -> String {
    match text.split_once('=') {
        Some((name, _)) if HARMLESS.contains(&name) => text.to_owned(),
        Some((name, _)) if is_name(name) => format!("{name}=***"),
        _ => "***".to_owned(),
    }
}

/// Whether the text looks like the name of a parameter and not like a key in the place of a name.
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
    fn a_key_in_the_query_is_hidden_under_any_name() {
        assert_eq!(shown("/api/v1/config?apiKey=wk_live_abc"), "/api/v1/config?apiKey=***");
        assert_eq!(shown("/api/v1/config?apikey=wk_live_abc&range=7d"), "/api/v1/config?apikey=***&range=7d");
        assert_eq!(shown("/api/v1/config?wk_live_abc"), "/api/v1/config?***");
        assert_eq!(shown("/api/v1/config?wk_live_abc=1"), "/api/v1/config?***");
        assert_eq!(shown("/api/v1/conversations?search=ann@example.com"), "/api/v1/conversations?search=***");
    }

    #[test]
    fn a_path_without_a_query_is_unchanged() {
        assert_eq!(shown("/healthz"), "/healthz");
    }
}
