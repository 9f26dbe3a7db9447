//! Tests of hostile web servers: their source fails with a reason, and other sources are synced.

use helpbot_domain::source::SourceStatus;

use crate::crawl::fixture::CrawlFixture;
use crate::crawl::web::{Served, Web};
use crate::crawl::{on_both_databases, page};

on_both_databases!(
    hostile_servers_fail_with_a_reason_and_others_go_on,
    a_site_of_traps_is_bounded,
    what_postgresql_cannot_store_is_left_out,
);

async fn hostile_servers_fail_with_a_reason_and_others_go_on(fixture: &CrawlFixture) {
    let good = Web::start().await;
    good.put("/", Served::html(page("good", &[], "")));
    let mut bad = Vec::new();
    for (served, reason) in [
        (Served::html("a".repeat(19_000_000)).gzipped(), "decompresses to more than 100 times its size"),
        (Served::html("<p>on and on</p>".repeat(4_000)).endless(), "larger than 10 MiB"),
        (Served::redirect(302, "/"), "redirects more than 5 times"),
        (Served::html("<div>".repeat(1_000_000)), "The page was fetched, but its elements are nested"),
        (Served::html(""), "no text to answer from"),
        (Served::of_type("application/zip", vec![0; 100]), "which is not a supported format"),
    ] {
        let web = Web::start().await;
        web.put("/", served);
        bad.push((fixture.add_site(&web.url("/")).await, reason, web));
    }
    let source = fixture.add_site(&good.url("/")).await;

    fixture.work().await;

    assert_eq!(fixture.source(&source).await.status, SourceStatus::Indexed);
    for (source, reason, _web) in bad {
        let read = fixture.source(&source).await;
        assert_eq!(read.status, SourceStatus::Failed, "{reason}");
        assert!(read.error.as_deref().is_some_and(|error| error.contains(reason)), "{reason}: {:?}", read.error);
    }
}

/// Links that grow forever, a sitemap bomb, and a redirect loop among healthy pages.
async fn a_site_of_traps_is_bounded(fixture: &CrawlFixture) {
    let web = Web::start().await;
    let bomb = crate::crawl::web::gzip(&vec![b' '; 60 * 1024 * 1024]);
    web.put("/robots.txt", Served::of_type("text/plain", format!("Sitemap: {}", web.url("/bomb.xml.gz")).into()));
    web.put("/bomb.xml.gz", Served::of_type("application/gzip", bomb));
    web.put("/", Served::html(page("start", &["/loop", "/a/a/a/a/x.html", "/good.html"], "")));
    web.put("/loop", Served::redirect(302, "/loop"));
    web.put("/good.html", Served::html(page("good", &["/good.html?utm_source=x#y"], "")));
    let source = fixture.add_site(&web.url("/")).await;

    fixture.work().await;

    assert_eq!(fixture.source(&source).await.status, SourceStatus::Indexed);
    let report = fixture.report(&source).await;
    assert_eq!(report["fetched"], ["/", "/good.html"].map(str::to_owned).into());
    assert_eq!(report["failed"], ["/bomb.xml.gz", "/loop"].map(str::to_owned).into());
    assert_eq!(report["skipped"], ["/a/a/a/a/x.html".to_owned()].into());
}

/// U+0000 written in JSON, as a reference, and raw; in a page, a table and a text.
async fn what_postgresql_cannot_store_is_left_out(fixture: &CrawlFixture) {
    let web = Web::start().await;
    let declared = "{\"@type\":\"FAQPage\",\"mainEntity\":[{\"@type\":\"Question\",\"name\":\"Why\\u0000 so?\",\
        \"acceptedAnswer\":{\"text\":\"Because\\u0000 it is.\"}}]}";
    let html = format!(
        "<html lang=\"e&#0;n\"><title>He&#0;lp\0</title><script type=application/ld+json>{declared}</script>\
         <h2 id=\"a&#0;b\">How is\0 it done?</h2><p>Well\0, as a rule, with {}about it.</p>\
         <a href=\"/b%00c?d=\0\">More</a>",
        "some words ".repeat(40)
    );
    web.put("/", Served::html(html));
    web.put(
        "/table.csv",
        Served::of_type(
            "text/csv",
            format!("question,answer\nWhen\0?,\"Now,\0 {}\"\n", "or never again. ".repeat(20)).into(),
        ),
    );
    web.put(
        "/text.txt",
        Served::of_type("text/plain", format!("{}\0 and more.\n", "Some words of a text. ".repeat(20)).into()),
    );
    let site = fixture.add_site(&web.url("/")).await;
    let others = [
        fixture.add(&web.url("/table.csv"), Default::default()).await,
        fixture.add(&web.url("/text.txt"), Default::default()).await,
    ];

    fixture.work().await;

    for source in others.iter().chain([&site]) {
        let read = fixture.source(source).await;
        assert_eq!((read.status, read.error.as_deref()), (SourceStatus::Indexed, None), "{}", source.url);
    }
    let chunks = fixture.chunks().await;
    let questions: Vec<_> = chunks.values().filter_map(|chunk| chunk.question.as_deref()).collect();
    assert!(questions.contains(&"Why so?") && questions.contains(&"When?"), "{questions:?}");
    assert!(!format!("{chunks:?}").contains("\\0"), "{chunks:?}");
}
