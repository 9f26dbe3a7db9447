//! Reasons why a page was not read, as complete phrases for the owner of the site. The sync report shows them
//! unchanged.

use helpbot_outbound::FetchError;

/// For a page whose markup contains no text.
pub(crate) const NOTHING_ON_PAGE: &str =
    "The page has no text to answer from. If its text is added by JavaScript, it cannot be read";
/// For a page that only asks visitors to sign in.
pub(crate) const SIGN_IN: &str = "The page asks visitors to sign in and has no other content";
/// For a page that says that it does not exist, with a status of success.
pub(crate) const SOFT_NOT_FOUND: &str = "The page says that there is no page at this address";
/// For a file without text.
pub(crate) const NOTHING_IN_FILE: &str = "The file has no text to answer from";

/// Returns the reason for a response that contains no page.
pub(crate) fn of_status(status: u16) -> String {
    let words = match status {
        401 | 403 => "The server does not allow access to this page",
        404 | 410 => "There is no page at this address",
        429 => "The server received too many requests. Try again later",
        400..500 => "The server rejected the request for this page",
        500.. => "The server reported an error. Try again later",
        _ => "The server did not return a page",
    };
    format!("{words} (HTTP {status})")
}

/// Returns the reason for a request without a response.
pub(crate) fn of_fetch(error: &FetchError) -> String {
    let words = match error {
        FetchError::Url(_) => return capitalized(&error.to_string()),
        error if error.is_refusal() => "Fetching the page is not allowed",
        error if error.is_timeout() => "Fetching the page took too long",
        _ => "The page could not be fetched",
    };
    format!("{words}: {error}")
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_readable_for_a_site_owner() {
        assert_eq!(of_status(404), "There is no page at this address (HTTP 404)");
        assert_eq!(of_status(503), "The server reported an error. Try again later (HTTP 503)");
        assert_eq!(
            of_fetch(&FetchError::AddressNotAllowed),
            "Fetching the page is not allowed: the host name resolves to a private or reserved address"
        );
        assert_eq!(
            of_fetch(&FetchError::DnsFailed),
            "The page could not be fetched: the host name could not be resolved"
        );
    }
}
