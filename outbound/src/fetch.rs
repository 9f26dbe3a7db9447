//! Fetching a page: conditional requests, and redirects that are checked one by one.
//!
//! The crawler calls it. A 4xx or 5xx status is a result and not an error: the caller decides what
//! it means.

use bytes::Bytes;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, COOKIE, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED, LOCATION, RETRY_AFTER, SET_COOKIE,
};
use reqwest::{RequestBuilder, Response};
use tokio::time::timeout;
use url::Url;

use crate::body;
use crate::client::Client;
use crate::error::FetchError;
use crate::limits::FetchLimits;
use crate::policy::{Policy, check_url};

/// Encodings that `decode` supports. Deflate is missing because of its two incompatible variants.
const ENCODINGS: &str = "gzip, br";
/// Prefers pages, and accepts whatever else a site links to.
const ACCEPTS: &str = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";
/// Maximum length of a stored header. Longer ones are dropped.
pub(crate) const MAX_KEPT_HEADER_BYTES: usize = 1024;

/// Validators of an earlier fetch, for a conditional request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditional {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

/// A response. Its body is decompressed, but not converted to text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedPage {
    /// URL of the response after redirects, without a fragment.
    pub final_url: Url,
    /// HTTP status, never a redirect. 304 is possible only after a conditional request.
    pub status: u16,
    pub content_type: Option<String>,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    pub retry_after: Option<String>,
    /// All `X-Robots-Tag` headers, joined with commas.
    pub x_robots_tag: Option<String>,
    /// The `Refresh` header: seconds and, after a semicolon, the URL to go on to.
    pub refresh: Option<String>,
    pub body: Bytes,
    /// Whether the body was truncated at its limit. Never true with `Overflow::Fail`.
    pub is_truncated: bool,
    /// URLs that led to `final_url`, starting with the requested one. Empty without redirects.
    pub redirects: Vec<Url>,
}

impl Client {
    /// Fetches a page.
    ///
    /// # Errors
    /// Any [`FetchError`]; `Url` when the URL itself is rejected.
    pub async fn get(
        &self,
        url: &Url,
        conditional: Option<&Conditional>,
        limits: &FetchLimits,
    ) -> Result<FetchedPage, FetchError> {
        timeout(limits.total, self.follow(url, conditional, limits))
            .await
            .map_err(|_| FetchError::TotalTimeout(limits.total))?
    }

    /// Sends one request to an API, with `headers` that contain the credentials. Redirects are not
    /// followed, because that would send the credentials elsewhere.
    ///
    /// # Errors
    /// Same as [`Client::get`].
    pub async fn get_once(
        &self,
        url: &Url,
        headers: HeaderMap,
        limits: &FetchLimits,
    ) -> Result<FetchedPage, FetchError> {
        check_url(url, &self.policy)?;
        let request = self.http.get(url.clone()).header(ACCEPT_ENCODING, ENCODINGS).headers(headers);
        let exchange = async {
            let response = self.send(request, limits.first_byte).await?;
            read_page(response, url.clone(), Vec::new(), limits).await
        };
        timeout(limits.total, exchange).await.map_err(|_| FetchError::TotalTimeout(limits.total))?
    }

    async fn follow(
        &self,
        url: &Url,
        conditional: Option<&Conditional>,
        limits: &FetchLimits,
    ) -> Result<FetchedPage, FetchError> {
        check_url(url, &self.policy)?;
        let mut url = url.clone();
        url.set_fragment(None);
        let mut redirects = Vec::new();
        let (mut cookies, mut hops) = (Cookies::default(), 0);
        loop {
            let request = cookies.add_to(self.page_request(&url, conditional), &url);
            let response = self.send(request, limits.first_byte).await?;
            if !is_redirect(response.status().as_u16()) {
                return read_page(response, url, redirects, limits).await;
            }
            if hops == limits.redirects {
                return Err(FetchError::TooManyRedirects(limits.redirects));
            }
            hops += 1;
            cookies.take(&response, &url);
            let location = response.headers().get(LOCATION).map(|value| value.as_bytes());
            let next = next_hop(&url, location, &self.policy)?;
            // A redirect to the same URL only asks for its cookie to be sent.
            if next != url {
                redirects.push(std::mem::replace(&mut url, next));
            }
        }
    }

    fn page_request(&self, url: &Url, conditional: Option<&Conditional>) -> RequestBuilder {
        let mut request = self.http.get(url.clone()).header(ACCEPT, ACCEPTS).header(ACCEPT_ENCODING, ENCODINGS);
        if let Some(Conditional { etag, last_modified }) = conditional {
            if let Some(etag) = etag {
                request = request.header(IF_NONE_MATCH, etag);
            }
            if let Some(date) = last_modified {
                request = request.header(IF_MODIFIED_SINCE, date);
            }
        }
        request
    }
}

async fn read_page(
    response: Response,
    final_url: Url,
    redirects: Vec<Url>,
    limits: &FetchLimits,
) -> Result<FetchedPage, FetchError> {
    let status = response.status().as_u16();
    let headers = response.headers();
    let content_type = kept(headers, &CONTENT_TYPE);
    let etag = kept(headers, &ETAG);
    let last_modified = kept(headers, &LAST_MODIFIED);
    let retry_after = kept(headers, &RETRY_AFTER);
    let x_robots_tag = kept(headers, &HeaderName::from_static("x-robots-tag"));
    let refresh = kept(headers, &HeaderName::from_static("refresh"));
    let (body, is_truncated) = body::read(response, limits).await?;
    Ok(FetchedPage {
        final_url,
        status,
        content_type,
        etag,
        last_modified,
        retry_after,
        x_robots_tag,
        refresh,
        body,
        is_truncated,
        redirects,
    })
}

/// Cookies that redirects of one fetch set, sent back to the same origin only and then forgotten. Some
/// sites redirect until the visitor shows that it keeps cookies.
#[derive(Debug, Default)]
struct Cookies(Vec<(String, String, String)>);

/// The most cookies kept during one fetch.
const MAX_COOKIES: usize = 16;

impl Cookies {
    fn take(&mut self, response: &Response, url: &Url) {
        let origin = url.origin().ascii_serialization();
        for cookie in response.headers().get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let pair = cookie.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else { continue };
            let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
            self.0.retain(|(known_origin, known, _)| *known_origin != origin || *known != name);
            if self.0.len() < MAX_COOKIES && name.len() + value.len() <= MAX_KEPT_HEADER_BYTES {
                self.0.push((origin.clone(), name, value));
            }
        }
    }

    fn add_to(&self, request: RequestBuilder, url: &Url) -> RequestBuilder {
        let origin = url.origin().ascii_serialization();
        let pairs = self.0.iter().filter(|(known, ..)| *known == origin);
        let cookie = pairs.map(|(_, name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        if cookie.is_empty() { request } else { request.header(COOKIE, cookie) }
    }
}

/// Returns whether the status points to another URL. 300 offers a choice, and 304 is a result.
fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Returns the target of a redirect if it may be followed.
fn next_hop(from: &Url, location: Option<&[u8]>, policy: &Policy) -> Result<Url, FetchError> {
    // Servers send raw UTF-8 here. The specification does not allow it, but every browser accepts
    // it.
    let location = location.and_then(|bytes| std::str::from_utf8(bytes).ok()).filter(|text| !text.trim().is_empty());
    let mut next = location.and_then(|text| from.join(text.trim()).ok()).ok_or(FetchError::RedirectInvalid)?;
    next.set_fragment(None);
    check_url(&next, policy).map_err(FetchError::RedirectRefused)?;
    if from.scheme() == "https" && next.scheme() == "http" {
        return Err(FetchError::RedirectDowngrade);
    }
    Ok(next)
}

/// Returns all values of a header as one text. `None` when it is absent, too long or not text.
pub(crate) fn kept(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let lines: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    let text = lines.join(", ");
    (!lines.is_empty() && text.len() <= MAX_KEPT_HEADER_BYTES).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allow::AllowList;

    fn hop(from: &str, location: &str) -> Result<String, &'static str> {
        let from = Url::parse(from).expect("a URL");
        let policy = Policy::web(AllowList::default());
        next_hop(&from, Some(location.as_bytes()), &policy).map(String::from).map_err(|error| error.code())
    }

    #[test]
    fn a_redirect_is_resolved_against_the_page_it_came_from() {
        let from = "https://shop.example/a/b?c";

        assert_eq!(hop(from, "d#e").as_deref(), Ok("https://shop.example/a/d"));
        assert_eq!(hop(from, "/f").as_deref(), Ok("https://shop.example/f"));
        assert_eq!(hop(from, "//help.example/").as_deref(), Ok("https://help.example/"));
        assert_eq!(hop(from, " /caf\u{e9} ").as_deref(), Ok("https://shop.example/caf%C3%A9"));
    }

    #[test]
    fn a_redirect_is_checked_like_any_url() {
        let from = "https://shop.example/";

        assert_eq!(hop(from, "https://169.254.169.254/"), Err("REDIRECT_REFUSED"));
        assert_eq!(hop(from, "https://0x7f.1/"), Err("REDIRECT_REFUSED"));
        assert_eq!(hop(from, "file:///etc/passwd"), Err("REDIRECT_REFUSED"));
        assert_eq!(hop(from, "https://u:p@shop.example/"), Err("REDIRECT_REFUSED"));
        assert_eq!(hop(from, "http://shop.example/"), Err("REDIRECT_DOWNGRADE"));
        assert_eq!(hop("http://shop.example/", "https://shop.example/").as_deref(), Ok("https://shop.example/"));
    }

    #[test]
    fn a_redirect_without_a_valid_target_is_an_error() {
        let from = Url::parse("https://shop.example/").expect("a URL");
        let policy = Policy::web(AllowList::default());

        for location in [None, Some(&b""[..]), Some(b"  "), Some(b"\xff\xfe"), Some(b"https://[")] {
            assert_eq!(next_hop(&from, location, &policy), Err(FetchError::RedirectInvalid));
        }
    }
}
