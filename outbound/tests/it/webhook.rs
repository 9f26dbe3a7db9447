//! Webhook requests to endpoints of every kind.

use std::time::Duration;

use crate::site::{Site, Step, allow, client_with, fixed_dns, ms, reply, text};
use bytes::Bytes;
use helpbot_outbound::{FetchError, HeaderMap, HeaderName, HeaderValue, Policy, WebhookExchange, WebhookLimits};

const QUICK: WebhookLimits =
    WebhookLimits { first_byte: Duration::from_millis(300), total: Duration::from_millis(500), head_bytes: 1024 };

fn headers() -> HeaderMap {
    let header = (HeaderName::from_static("x-helpbot-event"), HeaderValue::from_static("ping"));
    let json = (HeaderName::from_static("content-type"), HeaderValue::from_static("application/json"));
    [json, header].into_iter().collect()
}

async fn post(site: &Site) -> WebhookExchange {
    let client = client_with(Policy::webhooks(allow("127.0.0.1")), fixed_dns(site.address));
    client.post_webhook(&site.url("/hook"), headers(), Bytes::from_static(b"{\"a\":1}"), &QUICK).await
}

async fn post_to(steps: Vec<Step>) -> WebhookExchange {
    post(&Site::always(steps).await).await
}

#[tokio::test]
async fn the_body_and_headers_arrive_as_given() {
    let hostile = format!("x-long: {}", "a".repeat(2000));
    let lines =
        ["Content-Type: text/plain", "set-cookie: session=secret", "x-odd: \u{fc}", "x-b: 2", "x-b: 3", &hostile];
    let site = Site::always(vec![reply("202 Accepted", &lines, b"thanks")]).await;

    let attempt = post(&site).await;

    let head = attempt.response.expect("an answer");
    assert_eq!((head.status, &head.body[..], head.is_complete), (202, &b"thanks"[..], true));
    let kept: Vec<_> = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let shown: Vec<_> = kept.iter().filter(|(name, _)| *name != "content-length" && *name != "connection").collect();
    assert_eq!(shown, [&("content-type", "text/plain"), &("x-b", "2"), &("x-b", "3")]);
    let expected = format!(
        "POST /hook HTTP/1.1\r\naccept-encoding: identity\r\ncontent-type: application/json\r\n\
         x-helpbot-event: ping\r\naccept: */*\r\nuser-agent: HelpBot/1.2.3 (+https://helpbot.example/bot)\r\n\
         host: {}\r\ncontent-length: 7\r\n\r\n{{\"a\":1}}",
        site.address
    );
    assert_eq!(site.requests(), [expected]);
}

#[tokio::test]
async fn a_redirect_is_a_result_and_is_not_followed() {
    let canary = Site::always(vec![reply("200 OK", &[], b"")]).await;
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let attempt = post_to(vec![reply(status, &[&format!("location: {}", canary.url("/"))], b"")]).await;

        let head = attempt.response.expect("an answer");
        assert_eq!(head.status.to_string(), status[..3]);
    }
    assert!(canary.requests().is_empty());
}

#[tokio::test]
async fn a_receiver_that_never_answers_costs_only_the_timeout() {
    let silent = post_to(vec![Step::Hang]).await;
    let drip = Step::Repeat { bytes: b"x".to_vec(), times: 1000, pause: ms(20) };
    let dripping = post_to(vec![text("HTTP/1.1 200 OK\r\nx: "), drip]).await;

    for attempt in [silent, dripping] {
        assert_eq!(attempt.response, Err(FetchError::FirstByteTimeout(ms(300))));
        assert!(attempt.timing.total < ms(600) && attempt.timing.first_byte.is_none());
    }
}

#[tokio::test]
async fn the_status_counts_even_when_the_body_stalls_or_ends_early() {
    let head = text("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");

    let stalled = post_to(vec![head.clone(), Step::Hang]).await;
    let broken = post_to(vec![head]).await;

    assert!(stalled.timing.total >= ms(490) && stalled.timing.total < ms(800));
    for attempt in [stalled, broken] {
        let head = attempt.response.expect("an answer");
        assert_eq!((head.status, &head.body[..], head.is_complete), (200, &b"half"[..], false));
    }
}

#[tokio::test]
async fn only_the_beginning_of_a_huge_body_is_read() {
    let endless = Step::Repeat { bytes: vec![b'x'; 4096], times: 1_000_000, pause: ms(0) };
    let attempt = post_to(vec![text("HTTP/1.1 500 Oops\r\ncontent-length: 10000000000\r\n\r\n"), endless]).await;

    let head = attempt.response.expect("an answer");
    assert_eq!((head.status, head.body.len(), head.is_complete), (500, 1024, false));
    assert!(attempt.timing.total < ms(400));
}

#[tokio::test]
async fn a_compressed_response_is_stored_unchanged() {
    let attempt = post_to(vec![reply("200 OK", &["content-encoding: gzip"], b"\x1f\x8b\x08junk")]).await;

    assert_eq!(&attempt.response.expect("an answer").body[..], b"\x1f\x8b\x08junk");
}

#[tokio::test]
async fn retry_after_is_returned_as_sent() {
    let attempt = post_to(vec![reply("429 Slow", &["retry-after: 1e99"], b"")]).await;
    let huge = format!("retry-after: {}", "9".repeat(5000));
    let long = post_to(vec![reply("429 Slow", &[&huge], b"")]).await;

    assert_eq!(attempt.response.expect("an answer").retry_after.as_deref(), Some("1e99"));
    assert_eq!(long.response.expect("an answer").retry_after, None);
}

#[tokio::test]
async fn durations_are_measured_by_phase_and_a_reused_connection_has_none_for_connecting() {
    let site = Site::always(vec![reply("200 OK", &[], b"ok"), Step::Again]).await;
    let client = client_with(Policy::webhooks(allow("hooks.internal")), fixed_dns(site.address));
    let url = site.named("hooks.internal", "/");

    let first = client.post_webhook(&url, headers(), Bytes::new(), &QUICK).await.timing;
    let second = client.post_webhook(&url, headers(), Bytes::new(), &QUICK).await.timing;

    let (dns, connect, head) = (first.dns, first.connect, first.first_byte.expect("an answer"));
    assert!(dns.expect("a name") + connect.expect("a dial") <= head && head <= first.total);
    assert_eq!((second.dns, second.connect), (None, None));
    assert!(second.first_byte.is_some());
}

#[tokio::test]
async fn plain_http_is_used_only_for_listed_hosts() {
    let site = Site::always(vec![reply("200 OK", &[], b"")]).await;
    let client = client_with(Policy::webhooks(allow("127.0.0.0/8")), fixed_dns(site.address));

    let by_name = client.post_webhook(&site.named("hooks.example", "/"), headers(), Bytes::new(), &QUICK).await;
    let by_address = client.post_webhook(&site.url("/"), headers(), Bytes::new(), &QUICK).await;

    assert_eq!(by_name.response.expect_err("http").code(), "URL_HTTPS_REQUIRED");
    assert_eq!(by_address.response.expect("listed").status, 200);
}
