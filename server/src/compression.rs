//! Compresses responses with gzip for clients that accept it. `http` calls this for every response.
//!
//! A response is compressed when it is text, has at least [`COMPRESSED_BYTES_MIN`] bytes that are all in
//! memory, and contains no secrets: it answers a GET request, or the API marked it as
//! [`Compressible`]. Streams (server-sent events, multipart responses, exports) have no known length and
//! are sent as they are written. Files of `web/` were compressed when the program was built.
//!
//! The length of a compressed response tells how much of it repeats. Each one therefore carries a file name
//! whose length depends on the content and on a secret of this process, which makes guesses by length need
//! many more requests ("Heal the BREACH"). The same content always has the same length.
//!
//! Why it is our own and not that of `tower-http`: docs/decisions/0035-compression.md.

use std::cell::RefCell;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use helpbot_api::transport::compressible::Compressible;

/// Smaller responses are sent as they are: with their headers they fit into one packet or two anyway.
const COMPRESSED_BYTES_MIN: u64 = 1024;
/// Larger responses are compressed on a thread that may block. Compressing this much takes about a
/// millisecond in an optimized build.
const BLOCKING_BYTES_MIN: usize = 256 * 1024;
/// Level of compression. A list of 28 KB shrinks to 26 % in 117 µs; level 1 gives 34 % in 65 µs, and level 6 gives 23 % in
/// 450 µs.
const LEVEL: Compression = Compression::new(2);
/// The header of a gzip file with a name and no time, RFC 1952 §2.3: deflate, unknown system.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0x08, 0, 0, 0, 0, 0, 255];
/// Maximum length of the file name. Django's middleware uses the same.
const PADDING_BYTES_MAX: u64 = 100;

/// Media types of responses that shrink. Images, fonts and archives are compressed already.
const TYPES: [&str; 6] = [
    "application/json",
    "application/graphql-response+json",
    "application/javascript",
    "application/manifest+json",
    "application/xml",
    "image/svg+xml",
];
/// A stream, although its media type is text.
const EVENT_STREAM: &str = "text/event-stream";

const GZIP: &str = "gzip";

/// What the compression of a response depends on in its request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Acceptance {
    is_read: bool,
    accepts_gzip: bool,
}

impl Acceptance {
    /// Reads the method and `Accept-Encoding`.
    pub fn read(method: &Method, headers: &HeaderMap) -> Self {
        Self { is_read: matches!(*method, Method::GET | Method::HEAD), accepts_gzip: accepts(headers, GZIP) }
    }
}

/// Compresses `response` if that pays and is safe. The response to HEAD still has the body of GET here; axum
/// keeps its length and removes it.
pub(crate) async fn compressed(mut response: Response, request: Acceptance) -> Response {
    let has_no_secrets = request.is_read || response.extensions().get::<Compressible>().is_some();
    if !has_no_secrets || !depends_on_encoding(&response) {
        return response;
    }
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if !request.accepts_gzip {
        return response;
    }
    weaken_tag(response.headers_mut());
    if response.status() == StatusCode::NOT_MODIFIED {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let plain = match to_bytes(body, usize::MAX).await {
        Ok(plain) => plain,
        Err(error) => {
            tracing::error!(%error, "a response could not be read for compression");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let Some(gz) = smaller(plain.clone()).await else { return Response::from_parts(head, Body::from(plain)) };
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(GZIP));
    Response::from_parts(head, Body::from(gz))
}

/// Whether clients that accept gzip get another response than clients that do not.
fn depends_on_encoding(response: &Response) -> bool {
    let headers = response.headers();
    let has_vary = headers.get_all(header::VARY).iter().any(|vary| contains(vary, "accept-encoding"));
    if has_vary || headers.contains_key(header::CONTENT_ENCODING) || headers.contains_key(header::CONTENT_RANGE) {
        return false;
    }
    if headers.get_all(header::CACHE_CONTROL).iter().any(|caching| contains(caching, "no-transform")) {
        return false;
    }
    if response.status() == StatusCode::NOT_MODIFIED {
        return headers.contains_key(header::ETAG);
    }
    // The length of a stream is not known.
    is_text(headers) && response.body().size_hint().exact().is_some_and(|length| length >= COMPRESSED_BYTES_MIN)
}

fn contains(list: &HeaderValue, name: &str) -> bool {
    list.to_str().is_ok_and(|list| list.split(',').any(|entry| entry.trim().eq_ignore_ascii_case(name)))
}

fn is_text(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    (media.starts_with("text/") && media != EVENT_STREAM) || TYPES.contains(&media.as_str())
}

/// Makes the entity tag weak: the same tag names the compressed and the uncompressed response, which differ
/// in their bytes (RFC 9110 §8.8.3.3). `If-None-Match` compares weakly, so clients need not ask again.
fn weaken_tag(headers: &mut HeaderMap) {
    let strong = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).filter(|tag| tag.starts_with('"'));
    if let Some(weak) = strong.and_then(|tag| HeaderValue::try_from(format!("W/{tag}")).ok()) {
        headers.insert(header::ETAG, weak);
    }
}

/// The compressed bytes, or `None` when they are not fewer.
async fn smaller(plain: Bytes) -> Option<Vec<u8>> {
    let gz = match plain.len() {
        0..BLOCKING_BYTES_MIN => gzip(&plain),
        // A panic of the task means that nothing was compressed.
        _ => {
            let plain = plain.clone();
            tokio::task::spawn_blocking(move || gzip(&plain)).await.ok()?
        }
    };
    gz.filter(|gz| gz.len() < plain.len())
}

thread_local! {
    /// Allocating and clearing the state of a compressor takes 26 µs, a quarter of the time of a page of results.
    static COMPRESSOR: RefCell<Compress> = RefCell::new(Compress::new(LEVEL, false));
}

/// `plain` as a gzip file. `None` when it cannot be compressed to its own length.
fn gzip(plain: &[u8]) -> Option<Vec<u8>> {
    let mut checksum = Crc::new();
    checksum.update(plain);
    let padding = padding(&checksum);
    let mut gz = Vec::with_capacity(GZIP_HEADER.len() + padding + 1 + plain.len());
    gz.extend(GZIP_HEADER);
    gz.extend(std::iter::repeat_n(b'-', padding));
    gz.push(0);
    let status = COMPRESSOR.with_borrow_mut(|compressor| {
        compressor.reset();
        compressor.compress_vec(plain, &mut gz, FlushCompress::Finish)
    });
    // Without `StreamEnd` there was no room: the response would not become smaller.
    if !matches!(status, Ok(Status::StreamEnd)) {
        return None;
    }
    gz.extend(checksum.sum().to_le_bytes());
    gz.extend(checksum.amount().to_le_bytes());
    gz.shrink_to_fit();
    Some(gz)
}

/// Length of the file name for content with this checksum.
fn padding(checksum: &Crc) -> usize {
    static SECRET: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    let hash = SECRET.hash_one((checksum.sum(), checksum.amount()));
    usize::try_from(hash % (PADDING_BYTES_MAX + 1)).unwrap_or(0)
}

/// Whether `Accept-Encoding` accepts `encoding`: it names it, or `*`, with a weight above zero.
pub(crate) fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let entries: Vec<(&str, bool)> = lists.flat_map(|list| list.split(',')).map(weighed).collect();
    let named = |name: &str| entries.iter().find(|(entry, _)| entry.eq_ignore_ascii_case(name));
    named(encoding).or_else(|| named("*")).is_some_and(|(_, is_accepted)| *is_accepted)
}

/// The name of an entry, and whether its weight is above zero.
fn weighed(entry: &str) -> (&str, bool) {
    let mut parts = entry.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let weight = |part: &str| part.strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
    (name, !parts.filter_map(weight).any(|weight| weight <= 0.0))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn plain(gz: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(gz).read_to_end(&mut plain).expect("a gzip file");
        plain
    }

    #[test]
    fn compressed_bytes_are_gzip_files_that_do_not_depend_on_earlier_ones() {
        let first = "a,b;".repeat(1000).into_bytes();
        let second = br#"{"data":{"site":{"name":"Shop"}}}"#.repeat(50);

        let alone = gzip(&second).expect("it is smaller");
        let (one, after) = (gzip(&first).expect("it is smaller"), gzip(&second).expect("it is smaller"));

        assert_eq!((plain(&one), plain(&after)), (first, second));
        assert_eq!(alone, after);
    }

    #[test]
    fn bytes_that_do_not_shrink_are_not_compressed() {
        let mut state = 1_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
        .take(4096)
        .collect();

        assert!(gzip(&noise).is_none_or(|gz| gz.len() >= noise.len()));
    }

    #[test]
    fn accept_encoding_is_read_with_weights_and_wildcards() {
        let accepted = |value: &'static str| {
            accepts(&[(header::ACCEPT_ENCODING, HeaderValue::from_static(value))].into_iter().collect(), GZIP)
        };

        for value in ["gzip", "br, GZIP;q=0.5", "*", "identity, *;q=0.1", "deflate,gzip ; q=1"] {
            assert!(accepted(value), "{value}");
        }
        for value in ["", "br", "gzip;q=0", "*;q=0", "*, gzip;q=0", "identity"] {
            assert!(!accepted(value), "{value}");
        }
        assert!(!accepts(&HeaderMap::new(), GZIP));
    }
}
