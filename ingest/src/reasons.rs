//! Why a page was not read, in words that a site owner understands; the report shows them as
//! they stand.

use helpbot_outbound::FetchError;

/// Of a page whose markup holds no text of its own.
pub(crate) const NOTHING_ON_PAGE: &str =
    "The page has no text to answer from. If its text is added by JavaScript, it cannot be read";
/// Of a page that only asks visitors to sign in.
pub(crate) const SIGN_IN: &str = "The page asks visitors to sign in and has no other content";
/// Of a page that says that it does not exist, although its status says that it does.
pub(crate) const SOFT_NOT_FOUND: &str = "The page says that there is no page at this address";
/// Of a file without text.
pub(crate) const NOTHING_IN_FILE: &str = "The file has no text to answer from";

/// Of a response that carries no page.
pub(crate) fn of_status(status: u16) -> String {
    let words = match status {
        401 | 403 => "The server does not let us read this page",
        404 | 410 => "There is no page at this address",
        429 => "The server says that we ask too often; try again later",
        400..500 => "The server refuses to give this page",
        500.. => "The server has a problem of its own; try again later",
        _ => "The server gave no page",
    };
    format!("{words} (HTTP {status})")
}

/// Of a fetch that gave no response.
pub(crate) fn of_fetch(error: &FetchError) -> String {
    let words = match error {
        FetchError::Url(_) => return capitalised(&error.to_string()),
        error if error.is_refusal() => "The page must not be fetched",
        error if error.is_timeout() => "The page could not be fetched in time",
        _ => "The page could not be fetched",
    };
    format!("{words}: {error}")
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_read_as_sentences_to_a_site_owner() {
        assert_eq!(of_status(404), "There is no page at this address (HTTP 404)");
        assert_eq!(of_status(503), "The server has a problem of its own; try again later (HTTP 503)");
        assert_eq!(
            of_fetch(&FetchError::AddressNotAllowed),
            "The page must not be fetched: the host name resolves to a private or reserved address"
        );
        assert_eq!(
            of_fetch(&FetchError::DnsFailed),
            "The page could not be fetched: the host name could not be resolved"
        );
    }
}
