//! Serves the pages and scripts of `web/`, which the build script compiles into the binary.
//!
//! Files with a hash in their name are served as immutable, all others with an entity tag. Every file is sent
//! in the best encoding that the client accepts; files are compressed at build time. When the program was
//! built without npm, the pages explain what is missing.

use std::borrow::Cow;
use std::io::Read;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;

use crate::compression::accepts;

/// A built file.
#[derive(Debug)]
pub struct File {
    /// Path below the root, for example `assets/panel-BEuOYSgu.js`.
    pub path: &'static str,
    /// Value of the `Content-Type` header.
    pub content_type: &'static str,
    /// Whether its name changes with its content.
    pub is_immutable: bool,
    /// Whether the file contains placeholders for values of the installation.
    pub is_template: bool,
    /// Entity tag: the first bytes of the content's SHA-256 hash, in quotes. It is weak, because all encodings of
    /// the file have the same tag.
    pub etag: &'static str,
    /// The uncompressed content. `None` when `gz` contains the same in a third of the space.
    pub plain: Option<&'static [u8]>,
    /// The content compressed with Brotli. `None` when that is not smaller.
    pub br: Option<&'static [u8]>,
    /// The content compressed with gzip. `None` when that is not smaller.
    pub gz: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Content security policy that allows only files of this server, and images from anywhere for logos.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; \
     font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// The same policy for the page that is made to be embedded in a frame.
const CSP_FRAMED: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; \
     font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors *";
const A_YEAR: &str = "public, max-age=31536000, immutable";
/// Five minutes. The loader is in every page of a customer and names the version of the panel.
const SHORT: &str = "public, max-age=300";
const NO_CACHE: &str = "no-cache";
/// Placeholder for the widget key in the demo page.
const WIDGET_KEY: &str = "%HELPBOT_WIDGET_KEY%";
const LANDING: &str = include_str!("landing.html");
const MISSING: &str = include_str!("missing.html");

/// Values that replace the placeholders of pages.
#[derive(Clone, Default)]
pub struct PageValues {
    /// Widget key of the demo page. It is public, like every widget key.
    pub widget_key: Option<String>,
    /// Whether the demo page is served.
    pub has_demo: bool,
}

/// The routes of all pages and files.
pub fn router(values: PageValues) -> Router {
    let page = |name: &'static str| get(async move |State(values), headers| page(name, &headers, &values));
    let mut router = Router::new();
    let mut landing = LANDING.replace("%VERSION%", env!("CARGO_PKG_VERSION"));
    if values.has_demo {
        router = router.route("/demo", page("demo.html"));
    } else {
        landing = landing.lines().filter(|line| !line.contains("href=\"/demo\"")).collect::<Vec<_>>().join("\n");
    }
    router
        .route("/", get(async move || html(landing)))
        .route("/widget.js", get(async |headers: HeaderMap| file("widget.js", &headers)))
        .route(
            "/assets/{name}",
            get(async |Path(name): Path<String>, headers: HeaderMap| file(&format!("assets/{name}"), &headers)),
        )
        .route("/embed", page("embed.html"))
        .route("/dashboard", page("dashboard.html"))
        .route("/dashboard/{*view}", page("dashboard.html"))
        .route("/graphiql", page("graphiql.html"))
        .route("/favicon.ico", get(async || Redirect::permanent("/favicon.svg")))
        .route("/favicon.svg", get(icon))
        .with_state(values)
}

fn find(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

/// Serves the icon under a name that does not change.
async fn icon(headers: HeaderMap) -> Response {
    match FILES.iter().find(|file| file.content_type == "image/svg+xml" && file.path.contains("icon")) {
        Some(icon) => file(icon.path, &headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn file(path: &str, headers: &HeaderMap) -> Response {
    match find(path) {
        Some(file) => serve(file, headers),
        None => (StatusCode::NOT_FOUND, "Not found").into_response(),
    }
}

fn page(name: &str, headers: &HeaderMap, values: &PageValues) -> Response {
    let mut response = match find(name) {
        Some(file) if file.is_template => filled(file, values),
        Some(file) => serve(file, headers),
        None if FILES.is_empty() => missing(),
        None => (StatusCode::NOT_FOUND, "This page is not part of this build").into_response(),
    };
    let policy = if name == "embed.html" { CSP_FRAMED } else { CSP };
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

fn missing() -> Response {
    (StatusCode::NOT_IMPLEMENTED, html(MISSING.replace("%REASON%", MISSING_REASON))).into_response()
}

fn html(text: String) -> Response {
    let headers = [(header::CONTENT_SECURITY_POLICY, STATIC_CSP), (header::CACHE_CONTROL, NO_CACHE)];
    (headers, Html(text)).into_response()
}

/// Content security policy of pages with inline styles and no scripts.
const STATIC_CSP: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";

fn filled(file: &File, values: &PageValues) -> Response {
    let plain = plain(file);
    let text = String::from_utf8_lossy(&plain);
    // Keys consist of letters, digits and underscores, so nothing needs to be escaped.
    let text = text.replace(WIDGET_KEY, values.widget_key.as_deref().unwrap_or_default());
    ([(header::CONTENT_TYPE, file.content_type), (header::CACHE_CONTROL, NO_CACHE)], text).into_response()
}

fn serve(file: &'static File, headers: &HeaderMap) -> Response {
    let caching = match (file.is_immutable, file.content_type.starts_with("text/html")) {
        (true, _) => A_YEAR,
        (false, true) => NO_CACHE,
        (false, false) => SHORT,
    };
    let common = [
        (header::ETAG, file.etag),
        (header::CACHE_CONTROL, caching),
        (header::VARY, "Accept-Encoding"),
        // Scripts and images of the widget are loaded by pages of other origins.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    if is_known(headers, file.etag) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let (encoding, bytes) = variant(file, headers);
    let bytes = match bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let mut response = (common, Body::from(bytes)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.content_type));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    known.split(',').any(|tag| tag.trim() == "*" || opaque(tag) == opaque(etag))
}

fn variant(file: &'static File, headers: &HeaderMap) -> (Option<&'static str>, Cow<'static, [u8]>) {
    match (file.br, file.gz) {
        (Some(br), _) if accepts(headers, "br") => (Some("br"), br.into()),
        (_, Some(gz)) if accepts(headers, "gzip") => (Some("gzip"), gz.into()),
        _ => (None, plain(file)),
    }
}

/// The uncompressed content, inflated for the rare client that accepts no compression.
fn plain(file: &File) -> Cow<'static, [u8]> {
    let Some(gz) = file.gz.filter(|_| file.plain.is_none()) else { return file.plain.unwrap_or_default().into() };
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(gz).read_to_end(&mut plain).expect("compressed by our own build");
    plain.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    static SCRIPT: File = File {
        path: "assets/a-1.js",
        content_type: "text/javascript; charset=utf-8",
        is_immutable: true,
        is_template: false,
        etag: "W/\"abc\"",
        plain: Some(b"plain"),
        br: Some(b"br"),
        gz: Some(b"gz"),
    };

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        [(name, HeaderValue::from_static(value))].into_iter().collect()
    }

    fn encoding(accepted: &'static str) -> Option<&'static str> {
        variant(&SCRIPT, &headers(header::ACCEPT_ENCODING, accepted)).0
    }

    #[test]
    fn the_best_accepted_encoding_is_sent() {
        assert_eq!(encoding("gzip, deflate, br, zstd"), Some("br"));
        assert_eq!(encoding("gzip, br;q=0"), Some("gzip"));
        assert_eq!(encoding("GZIP;q=0.5"), Some("gzip"));
        assert_eq!(encoding("identity"), None);
    }

    #[test]
    fn a_client_that_accepts_no_compression_gets_the_inflated_file() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, b"plain").expect("into memory");
        let gz = encoder.finish().expect("into memory").leak();
        let file: &'static File = Box::leak(Box::new(File { plain: None, br: None, gz: Some(gz), ..SCRIPT }));

        let (encoding, bytes) = variant(file, &headers(header::ACCEPT_ENCODING, "identity"));

        assert_eq!((encoding, &*bytes), (None, &b"plain"[..]));
    }

    #[test]
    fn a_file_that_the_client_already_has_is_not_sent_again() {
        let known = serve(&SCRIPT, &headers(header::IF_NONE_MATCH, "W/\"x\", \"abc\""));
        let unknown = serve(&SCRIPT, &headers(header::IF_NONE_MATCH, "\"x\""));

        assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(unknown.status(), StatusCode::OK);
        assert_eq!(unknown.headers()[header::CACHE_CONTROL], A_YEAR);
    }
}
