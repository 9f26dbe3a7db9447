//! Fetching pages from hostile and from ordinary servers.

use std::io::Write;

use crate::site::{QUICK, Site, Step, allow, changing_dns, client, client_with, fixed_dns, ms, redirect, reply, text};
use flate2::Compression;
use flate2::write::GzEncoder;
use helpbot_outbound::{Conditional, FetchError, FetchLimits, FetchedPage, Overflow, Policy};

/// 64 MiB of zeros, compressed by `zlib.brotliCompressSync` of Node.js with the largest window.
const BROTLI_BOMB: &str = "cfffff7ff82700e2b14020f7fe9ffffffff04f00c4610180eefd3fffffffe19f00\
                           88c32200ddfbfffcffffc73f0110870500baf7ff";
/// `<h1>Hello, hello, hello</h1>`, compressed in the same way.
const BROTLI_PAGE: &str = "8b0d803c68313e48656c6c6f2c2068656c6c6f2c2068656c6c6f3c2f68313e03";

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal")).collect()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("memory")
}

async fn get(site: &Site, limits: &FetchLimits) -> Result<FetchedPage, FetchError> {
    client("127.0.0.1").get(&site.url("/"), None, limits).await
}

async fn failure(steps: Vec<Step>) -> &'static str {
    let site = Site::always(steps).await;
    get(&site, &QUICK).await.expect_err("the server is hostile").code()
}

async fn encoded(encoding: &str, body: &[u8], limits: &FetchLimits) -> Result<FetchedPage, FetchError> {
    let site = Site::always(vec![reply("200 OK", &[&format!("content-encoding: {encoding}")], body)]).await;
    get(&site, limits).await
}

#[tokio::test]
async fn a_fetched_page_has_the_headers_that_a_crawler_needs() {
    let headers = [
        "content-type: text/html; charset=iso-8859-1",
        "etag: W/\"7\"",
        "last-modified: Mon, 01 Jan 2024 00:00:00 GMT",
        "x-robots-tag: noindex",
        "x-robots-tag: googlebot: nofollow",
        "set-cookie: a=b",
    ];
    let site = Site::always(vec![reply("200 OK", &headers, b"<h1>Hi</h1>")]).await;

    let page = get(&site, &FetchLimits::PAGE).await.expect("a page");

    assert_eq!(page.status, 200);
    assert_eq!(page.final_url, site.url("/"));
    assert_eq!(page.content_type.as_deref(), Some("text/html; charset=iso-8859-1"));
    assert_eq!(page.etag.as_deref(), Some("W/\"7\""));
    assert_eq!(page.last_modified.as_deref(), Some("Mon, 01 Jan 2024 00:00:00 GMT"));
    assert_eq!(page.x_robots_tag.as_deref(), Some("noindex, googlebot: nofollow"));
    assert_eq!(&page.body[..], b"<h1>Hi</h1>");
    assert!(!page.is_truncated && page.redirects.is_empty());
}

#[tokio::test]
async fn the_user_agent_contains_the_product_and_a_contact_only() {
    let site = Site::always(vec![reply("200 OK", &[], b"")]).await;

    get(&site, &QUICK).await.expect("a page");

    let expected = format!(
        "GET / HTTP/1.1\r\naccept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n\
         accept-encoding: gzip, br\r\nuser-agent: HelpBot/1.2.3 (+https://helpbot.example/bot)\r\n\
         host: {}\r\n\r\n",
        site.address
    );
    assert_eq!(site.requests(), [expected]);
}

#[tokio::test]
async fn an_unchanged_page_is_not_transferred() {
    let site = Site::start(|_, request| {
        let is_known = request.contains("if-none-match: \"7\"\r\n")
            && request.contains("if-modified-since: Mon, 01 Jan 2024 00:00:00 GMT\r\n");
        let status = if is_known { "304 Not Modified" } else { "200 OK" };
        vec![text(&format!("HTTP/1.1 {status}\r\netag: \"7\"\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n"))]
    })
    .await;
    let known =
        Conditional { etag: Some("\"7\"".to_owned()), last_modified: Some("Mon, 01 Jan 2024 00:00:00 GMT".to_owned()) };

    let page = client("127.0.0.1").get(&site.url("/"), Some(&known), &QUICK).await.expect("an answer");

    assert_eq!((page.status, page.body.len()), (304, 0));
    assert_eq!(page.etag.as_deref(), Some("\"7\""));
}

#[tokio::test]
async fn an_error_page_is_a_result() {
    let site = Site::always(vec![reply("503 Busy", &["retry-after: 120"], b"later")]).await;

    let page = get(&site, &QUICK).await.expect("an answer");

    assert_eq!((page.status, page.retry_after.as_deref()), (503, Some("120")));
    assert_eq!(&page.body[..], b"later");
}

#[tokio::test]
async fn slow_servers_fail_at_their_timeouts() {
    let head = text("HTTP/1.1 200 OK\r\ncontent-length: 50000\r\n\r\n");
    let drip = |bytes: &[u8], pause| Step::Repeat { bytes: bytes.to_vec(), times: 10_000, pause };

    let silent = failure(vec![Step::Hang]).await;
    let dripping_head = failure(vec![text("HTTP/1.1 200 OK\r\nx: "), drip(b"x", ms(20))]).await;
    let silent_body = failure(vec![head.clone(), Step::Hang]).await;
    let dripping_body = failure(vec![head.clone(), drip(b"x", ms(20))]).await;
    let slow_body = failure(vec![head, drip(&[b'x'; 100], ms(50))]).await;

    assert_eq!(silent, "FIRST_BYTE_TIMEOUT");
    assert_eq!(dripping_head, "FIRST_BYTE_TIMEOUT");
    assert_eq!(silent_body, "TOO_SLOW");
    assert_eq!(dripping_body, "TOO_SLOW");
    // 2,000 bytes per second satisfy the minimum rate and exceed the total time.
    assert_eq!(slow_body, "TOTAL_TIMEOUT");
}

#[tokio::test]
async fn large_bodies_are_rejected_before_or_while_they_arrive() {
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(4096)).into_bytes();
    let endless = Step::Repeat { bytes: chunk, times: 1_000_000, pause: ms(0) };

    let announced = failure(vec![text("HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n"), Step::Hang]).await;
    let chunked = failure(vec![text("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"), endless.clone()]).await;
    let unframed = failure(vec![text("HTTP/1.1 200 OK\r\n\r\n"), endless]).await;

    assert_eq!([announced, chunked, unframed], ["TOO_LARGE"; 3]);
}

#[tokio::test]
async fn large_response_headers_are_rejected() {
    let many = Step::Repeat { bytes: b"x: y\r\n".to_vec(), times: 10_000, pause: ms(0) };
    let long = Step::Repeat { bytes: vec![b'x'; 4096], times: 1_000, pause: ms(0) };

    assert_eq!(failure(vec![text("HTTP/1.1 200 OK\r\n"), many]).await, "RESPONSE_BROKEN");
    assert_eq!(failure(vec![text("HTTP/1.1 200 OK\r\nx: "), long]).await, "RESPONSE_BROKEN");
}

#[tokio::test]
async fn a_response_that_is_not_http_or_ends_early_is_an_error() {
    let cut = failure(vec![text("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")]).await;

    assert_eq!(failure(vec![text("SSH-2.0-OpenSSH_9.6\r\n")]).await, "RESPONSE_BROKEN");
    assert_eq!(failure(vec![]).await, "RESPONSE_BROKEN");
    assert_eq!(cut, "RESPONSE_BROKEN");
}

#[tokio::test]
async fn gzip_and_brotli_pages_are_decoded() {
    let page = "<p>an ordinary page</p>".repeat(100);
    let members = [gzip(b"one "), gzip(b"two")].concat();

    let zipped = encoded("GZIP", &gzip(page.as_bytes()), &QUICK).await.expect("a page");
    let two_members = encoded("x-gzip", &members, &QUICK).await.expect("a page");
    let brotli = encoded("br", &bytes_of(BROTLI_PAGE), &QUICK).await.expect("a page");
    let plain = encoded("identity", b"plain", &QUICK).await.expect("a page");

    assert_eq!(zipped.body, page.as_bytes());
    assert_eq!(&two_members.body[..], b"one two");
    assert_eq!(&brotli.body[..], b"<h1>Hello, hello, hello</h1>");
    assert_eq!(&plain.body[..], b"plain");
}

#[tokio::test]
async fn decompression_bombs_end_at_a_limit() {
    let zeros = gzip(&vec![0; 8 << 20]);
    let roomy = FetchLimits { decoded_bytes: 4 << 20, ..QUICK };
    let lenient = FetchLimits { ratio: 1_000_000, ..QUICK };
    let code = |outcome: Result<FetchedPage, FetchError>| outcome.expect_err("a bomb").code();

    assert_eq!(code(encoded("gzip", &zeros, &roomy).await), "DECOMPRESSION_BOMB");
    assert_eq!(code(encoded("br", &bytes_of(BROTLI_BOMB), &QUICK).await), "DECOMPRESSION_BOMB");
    assert_eq!(code(encoded("gzip", &zeros, &lenient).await), "TOO_LARGE_DECODED");
    assert_eq!(code(encoded("br", &bytes_of(BROTLI_BOMB), &lenient).await), "TOO_LARGE_DECODED");
    assert_eq!(code(encoded("gzip, gzip", &gzip(&zeros), &QUICK).await), "ENCODING_UNKNOWN");
    assert_eq!(code(encoded("zstd", b"x", &QUICK).await), "ENCODING_UNKNOWN");
}

#[tokio::test]
async fn damaged_content_is_distinguished_from_a_broken_connection() {
    let whole = gzip(b"a page that is cut in the middle of its compressed form");
    let code = |outcome: Result<FetchedPage, FetchError>| outcome.expect_err("damage").code();

    assert_eq!(code(encoded("gzip", &whole[..whole.len() / 2], &QUICK).await), "ENCODING_DAMAGED");
    assert_eq!(code(encoded("gzip", b"<p>not gzip at all</p>", &QUICK).await), "ENCODING_DAMAGED");
    assert_eq!(code(encoded("br", &bytes_of(BROTLI_PAGE)[..20], &QUICK).await), "ENCODING_DAMAGED");
}

#[tokio::test]
async fn a_large_robots_txt_is_truncated_and_not_rejected() {
    let limits =
        FetchLimits { wire_bytes: 1000, decoded_bytes: 5000, ratio: 1000, overflow: Overflow::Truncate, ..QUICK };
    let lines = "Disallow: /private\n".repeat(5000);
    let site = Site::always(vec![reply("200 OK", &[], lines.as_bytes())]).await;

    let plain = get(&site, &limits).await.expect("the beginning");
    let zipped = encoded("gzip", &gzip(lines.as_bytes()), &limits).await.expect("the beginning");

    assert_eq!((plain.body.len(), plain.is_truncated), (1000, true));
    assert_eq!((zipped.body.len(), zipped.is_truncated), (5000, true));
    assert!(lines.as_bytes().starts_with(&plain.body) && lines.as_bytes().starts_with(&zipped.body));
}

#[tokio::test]
async fn redirects_are_followed_and_listed() {
    let site = Site::start(|_, request| match request.split(' ').nth(1) {
        Some("/a") => redirect("/b?x#y"),
        Some("/b?x") => redirect("c"),
        _ => vec![reply("200 OK", &[], b"here")],
    })
    .await;

    let page = client("127.0.0.1").get(&site.url("/a#top"), None, &QUICK).await.expect("a page");

    assert_eq!(page.final_url, site.url("/c"));
    assert_eq!(page.redirects, [site.url("/a"), site.url("/b?x")]);
    assert_eq!(&page.body[..], b"here");
}

#[tokio::test]
async fn a_redirect_loop_ends() {
    let site = Site::always(redirect("/")).await;

    let error = get(&site, &QUICK).await.expect_err("a loop");

    assert_eq!(error, FetchError::TooManyRedirects(3));
    assert_eq!(site.requests().len(), 4);
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_not_followed() {
    let canary = Site::start_at("127.0.0.2:0", |_, _| vec![reply("200 OK", &[], b"secret")]).await;
    let literal = Site::always(redirect(canary.url("/").as_str())).await;
    let metadata = Site::always(redirect("http://169.254.169.254/latest/meta-data/")).await;
    let named = Site::always(redirect("https://inside.example/")).await;
    let inside = client_with(Policy::web(allow("127.0.0.1")), fixed_dns(canary.address));

    assert_eq!(get(&literal, &QUICK).await.expect_err("refused").code(), "REDIRECT_REFUSED");
    assert_eq!(get(&metadata, &QUICK).await.expect_err("refused").code(), "REDIRECT_REFUSED");
    let error = inside.get(&named.url("/"), None, &QUICK).await.expect_err("refused");
    assert_eq!(error, FetchError::AddressNotAllowed);
    assert!(canary.requests().is_empty());
}

/// 127.0.0.2 stands for the public internet, and 127.0.0.1 for the internal network.
#[tokio::test]
async fn a_name_that_changes_its_address_is_rejected_when_connecting() {
    let outside = Site::start_at("127.0.0.2:0", |_, _| vec![reply("200 OK", &["connection: close"], b"hello")]).await;
    let canary = Site::always(vec![reply("200 OK", &[], b"secret")]).await;
    let (good, bad) = (outside.address, canary.address);
    let dns = changing_dns(vec![vec![good], vec![bad], vec![good, bad], vec![bad, good]]);
    let rebound = client_with(Policy::web(allow("127.0.0.2")), dns);
    let url = url::Url::parse("http://rebind.example/").expect("a URL");

    let first = rebound.get(&url, None, &QUICK).await.expect("the public address");
    let mut later = Vec::new();
    for _ in 0..3 {
        later.push(rebound.get(&url, None, &QUICK).await);
    }

    assert_eq!(&first.body[..], b"hello");
    assert_eq!(later, vec![Err(FetchError::AddressNotAllowed); 3]);
    assert_eq!((outside.requests().len(), canary.requests().len()), (1, 0));
}

#[tokio::test]
async fn failures_of_name_resolution_are_distinguished() {
    let url = url::Url::parse("https://nowhere.example/").expect("a URL");
    let silent = client_with(Policy::web(allow("")), std::sync::Arc::new(|_| Box::pin(std::future::pending())));

    let missing = client("").get(&url, None, &QUICK).await;
    let slow = silent.get(&url, None, &QUICK).await;

    assert_eq!(missing, Err(FetchError::DnsFailed));
    assert_eq!(slow, Err(FetchError::DnsTimeout(ms(200))));
}

#[tokio::test]
async fn failures_of_connecting_are_distinguished() {
    let plain = Site::always(vec![text("HTTP/1.1 400 Bad Request\r\n\r\n")]).await;
    let silent = Site::always(vec![Step::Hang]).await;
    let https = |site: &Site| url::Url::parse(&format!("https://{}/", site.address)).expect("a URL");
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("a bound listener")
    };
    let closed = url::Url::parse(&format!("http://{closed}/")).expect("a URL");
    let patient = FetchLimits { first_byte: ms(900), ..QUICK };

    let here = client("127.0.0.1");
    let no_tls = here.get(&https(&plain), None, &QUICK).await.expect_err("no TLS there");
    let stalled = here.get(&https(&silent), None, &patient).await.expect_err("no handshake");
    let refused = here.get(&closed, None, &QUICK).await.expect_err("nobody there");

    assert_eq!(no_tls, FetchError::Tls("the server does not speak TLS on this port"));
    assert_eq!(stalled, FetchError::ConnectTimeout(ms(500)));
    assert_eq!(refused, FetchError::ConnectFailed);
}

/// Runs the first test of this program again, in an environment with many proxies.
#[tokio::test]
async fn no_proxy_is_read_from_the_environment() {
    let proxy = Site::always(vec![reply("200 OK", &[], b"from the proxy")]).await;
    let mut again = tokio::process::Command::new(std::env::current_exe().expect("this program"));
    again.args(["--exact", "fetch::a_fetched_page_has_the_headers_that_a_crawler_needs"]);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        again.env(name, proxy.url("/").as_str());
    }

    let output = again.output().await.expect("the program runs");

    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    assert!(proxy.requests().is_empty());
}
