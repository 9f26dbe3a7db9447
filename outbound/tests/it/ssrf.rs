//! The table of hostile URLs against every kind of request: check, fetch, redirect, webhook,
//! stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::site::{QUICK, Site, client, client_with, ms, redirect};
use bytes::Bytes;
use helpbot_outbound::{AllowList, HeaderMap, Lookup, Policy, StreamLimits, WebhookLimits, parse_url};
use url::Url;

/// One row: the URL as typed, and the code of its rejection.
struct Row {
    url: &'static str,
    refused: Option<&'static str>,
}

fn table() -> Vec<Row> {
    let rows = include_str!("ssrf.tsv").lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    rows.map(|line| match line.split('\t').collect::<Vec<_>>()[..] {
        [url, refused, _what] => Row { url, refused: (refused != "-").then_some(refused) },
        _ => panic!("not three columns: {line}"),
    })
    .collect()
}

/// Returns rows that parse but are rejected. Such a URL could reach a client from a stored row.
fn refused_urls() -> Vec<(Url, &'static str)> {
    let rows = table().into_iter().filter_map(|row| Some((Url::parse(row.url).ok()?, row.refused?)));
    rows.collect()
}

/// Counts lookups and answers none: a rejected URL must not even be resolved.
fn counting_dns() -> (Lookup, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let lookup: Lookup = Arc::new(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(Vec::new()) })
    });
    (lookup, asked)
}

#[test]
fn every_url_of_the_table_is_accepted_or_rejected_as_listed() {
    let web = Policy::web(AllowList::default());
    let wrong: Vec<String> = table()
        .iter()
        .filter_map(|row| {
            let got = parse_url(row.url, &web).err().map(|error| error.code());
            (got != row.refused).then(|| format!("{} is {got:?}, not {:?}", row.url, row.refused))
        })
        .collect();

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(table().iter().filter(|row| row.refused.is_some()).count() >= 100);
}

#[test]
fn webhooks_reject_at_least_what_pages_reject() {
    let webhooks = Policy::webhooks(AllowList::default());

    for row in table().iter().filter(|row| row.refused.is_some()) {
        assert!(parse_url(row.url, &webhooks).is_err(), "{}", row.url);
    }
}

#[tokio::test]
async fn no_kind_of_request_accepts_a_rejected_url() {
    let (lookup, asked) = counting_dns();
    let pages = client_with(Policy::web(AllowList::default()), lookup);
    let stream_limits = StreamLimits { first_byte: ms(300), idle: ms(300), total: ms(600), wire_bytes: 1024 };

    for (url, code) in refused_urls() {
        let page = pages.get(&url, None, &QUICK).await.map(|page| page.status);
        let hook = pages.post_webhook(&url, HeaderMap::new(), Bytes::new(), &WebhookLimits::DEFAULT).await;
        let stream = pages.post_json_stream(&url, HeaderMap::new(), Bytes::new(), &stream_limits).await;

        assert_eq!(page.expect_err("refused").code(), code, "{url}");
        assert_eq!(hook.response.expect_err("refused").code(), code, "{url}");
        assert_eq!(stream.err().expect("refused").code(), code, "{url}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn no_redirect_leads_to_a_rejected_url() {
    let rows = refused_urls();
    let targets: Vec<String> = rows.iter().map(|(url, _)| url.to_string()).collect();
    let site = Site::start(move |_, request| {
        let number = request.split([' ', '/']).nth(2).and_then(|text| text.parse::<usize>().ok());
        redirect(&targets[number.expect("a number in the path")])
    })
    .await;
    // Loopback is not listed for the targets. The server itself is reached by its name.
    let lookup: Lookup = Arc::new(|_| Box::pin(async { Ok(vec!["127.0.0.1:0".parse().expect("an address")]) }));
    let pages = client_with(Policy::web("site.example".parse().expect("an allow-list")), lookup);

    for (number, (target, _)) in rows.iter().enumerate() {
        let url = site.named("site.example", &format!("/{number}"));
        let error = pages.get(&url, None, &QUICK).await.expect_err("refused");
        assert_eq!(error.code(), "REDIRECT_REFUSED", "{target}");
    }
    assert_eq!(site.requests().len(), rows.len());
}

#[tokio::test]
async fn a_private_literal_is_reached_only_when_listed() {
    let canary = Site::always(vec![crate::site::reply("200 OK", &[], b"inside")]).await;

    let refused = client("").get(&canary.url("/"), None, &QUICK).await;
    assert!(canary.requests().is_empty());
    let listed = client("127.0.0.0/8").get(&canary.url("/"), None, &QUICK).await;

    assert_eq!(refused.expect_err("loopback").code(), "URL_ADDRESS");
    assert_eq!(&listed.expect("listed").body[..], b"inside");
}
