//! Servers that mean harm: their source ends failed with a reason, and others are read.

use helpbot_domain::source::SourceStatus;

use crate::house::House;
use crate::web::{Served, Web};
use crate::{on_both_databases, page};

on_both_databases!(hostile_servers_fail_with_a_reason_and_others_go_on, a_site_of_traps_is_bounded);

async fn hostile_servers_fail_with_a_reason_and_others_go_on(house: &House) {
    let good = Web::start().await;
    good.put("/", Served::html(page("good", &[], "")));
    let mut bad = Vec::new();
    for (served, reason) in [
        (Served::html("a".repeat(19_000_000)).gzipped(), "decompresses to more than 100 times its size"),
        (Served::html("<p>on and on</p>".repeat(4_000)).endless(), "larger than 10 MiB"),
        (Served::redirect(302, "/"), "redirects more than 5 times"),
        (Served::html("<div>".repeat(1_000_000)), "The page was fetched, but its elements are nested"),
        (Served::html(""), "no text to answer from"),
        (Served::of_type("application/zip", vec![0; 100]), "This is not a page of text"),
    ] {
        let web = Web::start().await;
        web.put("/", served);
        bad.push((house.add_site(&web.url("/")).await, reason, web));
    }
    let source = house.add_site(&good.url("/")).await;

    house.work().await;

    assert_eq!(house.source(&source).await.status, SourceStatus::Indexed);
    for (source, reason, _web) in bad {
        let read = house.source(&source).await;
        assert_eq!(read.status, SourceStatus::Failed, "{reason}");
        assert!(read.error.as_deref().is_some_and(|error| error.contains(reason)), "{reason}: {:?}", read.error);
    }
}

/// Links that grow for ever, a sitemap bomb, and a redirect loop among good pages.
async fn a_site_of_traps_is_bounded(house: &House) {
    let web = Web::start().await;
    let bomb = crate::web::gzip(&vec![b' '; 60 * 1024 * 1024]);
    web.put("/robots.txt", Served::of_type("text/plain", format!("Sitemap: {}", web.url("/bomb.xml.gz")).into()));
    web.put("/bomb.xml.gz", Served::of_type("application/gzip", bomb));
    web.put("/", Served::html(page("start", &["/loop", "/a/a/a/a/x.html", "/good.html"], "")));
    web.put("/loop", Served::redirect(302, "/loop"));
    web.put("/good.html", Served::html(page("good", &["/good.html?utm_source=x#y"], "")));
    let source = house.add_site(&web.url("/")).await;

    house.work().await;

    assert_eq!(house.source(&source).await.status, SourceStatus::Indexed);
    let report = house.report(&source).await;
    assert_eq!(report["fetched"], ["/", "/good.html"].map(str::to_owned).into());
    assert_eq!(report["failed"], ["/bomb.xml.gz", "/loop"].map(str::to_owned).into());
    assert_eq!(report["skipped"], ["/a/a/a/a/x.html".to_owned()].into());
}
