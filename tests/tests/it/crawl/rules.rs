//! Tests of what a crawl may read: robots.txt, scope, limits and canonical URLs.

use std::time::Duration;

use helpbot_domain::source::{PageOutcome, SourceStatus};
use helpbot_services::sources::options::SourceScope;
use helpbot_services::sources::{self, SourceOptionsPatch};

use crate::crawl::fixture::CrawlFixture;
use crate::crawl::web::{Served, Web};
use crate::crawl::{on_both_databases, page};

on_both_databases!(
    a_site_that_forbids_its_start_is_not_read,
    a_site_whose_rules_cannot_be_read_is_left_alone,
    a_page_that_its_owner_names_is_read_on_its_own,
    a_section_ends_at_its_folder,
    the_pause_that_a_site_asks_for_is_kept,
    what_a_site_forbids_is_forbidden_when_its_rules_have_not_changed,
    a_sitemap_that_is_read_in_part_is_reported,
    caps_leave_pages_out_with_the_reason,
    nofollow_and_copies_of_each_other_are_understood,
    a_start_that_has_moved_to_another_host_is_followed,
);

async fn site_with_robots(robots: Served) -> Web {
    let web = Web::start().await;
    web.put("/robots.txt", robots);
    web.put("/help/", Served::html(page("start", &["/help/a.html", "/about.html"], "")));
    web.put("/help/a.html", Served::html(page("a", &["/help/b.html"], "")));
    web.put("/help/b.html", Served::html(page("b", &[], "")));
    web.put("/about.html", Served::html(page("about", &[], "")));
    web
}

async fn a_site_that_forbids_its_start_is_not_read(fixture: &CrawlFixture) {
    let web = site_with_robots(Served::of_type("text/plain", b"User-agent: helpbot\nDisallow: /".to_vec())).await;
    let source = fixture.add_site(&web.url("/help/")).await;

    fixture.work().await;

    let read = fixture.source(&source).await;
    assert_eq!(read.status, SourceStatus::Failed);
    assert_eq!(read.error.as_deref(), Some("The site's robots.txt does not allow access to this page"));
    assert_eq!(web.take_hits().len(), 1);
}

async fn a_site_whose_rules_cannot_be_read_is_left_alone(fixture: &CrawlFixture) {
    let web = site_with_robots(Served::status(500)).await;
    let source = fixture.add_site(&web.url("/help/")).await;

    fixture.work().await;

    let error = fixture.source(&source).await.error.expect("a reason");
    assert_eq!(error, "The site's robots.txt could not be read (HTTP 500). No page may be read until it can");
    assert_eq!(web.take_hits().len(), 1);
}

async fn a_page_that_its_owner_names_is_read_on_its_own(fixture: &CrawlFixture) {
    let web = site_with_robots(Served::of_type("text/plain", b"User-agent: *\nDisallow: /".to_vec())).await;
    let source = fixture.add(&web.url("/help/"), SourceOptionsPatch::default()).await;

    fixture.work().await;

    assert_eq!(fixture.source(&source).await.status, SourceStatus::Indexed);
    assert_eq!(fixture.pages(&source).await.len(), 1);
    let asked: Vec<_> = web.take_hits().into_iter().map(|hit| hit.path).collect();
    assert_eq!(asked, ["/help/"]);
}

async fn a_section_ends_at_its_folder(fixture: &CrawlFixture) {
    let web = site_with_robots(Served::status(404)).await;
    let section = SourceOptionsPatch { scope: Some(SourceScope::Section), ..SourceOptionsPatch::default() };
    let source = fixture.add(&web.url("/help/"), section).await;

    fixture.work().await;

    let report = fixture.report(&source).await;
    assert_eq!(report.len(), 1);
    assert_eq!(report["fetched"], ["/help/", "/help/a.html", "/help/b.html"].map(str::to_owned).into());
    narrowing_the_scope_takes_the_others_out_at_once(fixture, &source).await;
}

async fn narrowing_the_scope_takes_the_others_out_at_once(
    fixture: &CrawlFixture,
    source: &helpbot_domain::source::Source,
) {
    let page = SourceOptionsPatch { scope: Some(SourceScope::Page), ..SourceOptionsPatch::default() };

    let updated = sources::update(&fixture.services, &fixture.operator, Some(fixture.site), source.id, page).await;
    assert_eq!(updated.expect("the source is changed").status, SourceStatus::Pending);
    fixture.work().await;

    let read = fixture.source(source).await;
    assert_eq!((read.document_count, read.chunk_count), (1, 3));
    assert_eq!(fixture.chunks().await.len(), 3);
}

async fn caps_leave_pages_out_with_the_reason(fixture: &CrawlFixture) {
    let web = Web::start().await;
    web.put("/", Served::html(page("0", &["/1.html", "/2.html", "/3.html"], "")));
    web.put("/1.html", Served::html(page("1", &["/deep.html"], "")));
    web.put("/2.html", Served::html(page("2", &[], "")));
    let caps = SourceOptionsPatch {
        scope: Some(SourceScope::Site),
        max_pages: Some(3),
        max_depth: Some(1),
        ..SourceOptionsPatch::default()
    };
    let source = fixture.add(&web.url("/"), caps).await;

    fixture.work().await;

    assert_eq!(fixture.report(&source).await["fetched"].len(), 3);
    let reason = |row: (PageOutcome, Option<String>, i64)| row.1.unwrap_or_default();
    let too_many = "Left out: the source already has its maximum number of pages (maxPages)";
    assert_eq!(reason(fixture.row(&source, "/3.html").await), too_many);
    let too_deep = "Left out: more links away from the start page than the source allows";
    assert_eq!(reason(fixture.row(&source, "/deep.html").await), too_deep);
}

async fn nofollow_and_copies_of_each_other_are_understood(fixture: &CrawlFixture) {
    let web = Web::start().await;
    let canonical = |to: &str| format!("<link rel=\"canonical\" href=\"{to}\">");
    web.put("/", Served::html(page("0", &["/one.html", "/two.html", "/wall.html", "/of-missing.html"], "")));
    web.put("/one.html", Served::html(page("one", &[], &canonical("/two.html"))));
    web.put("/two.html", Served::html(page("two", &[], &canonical("/one.html"))));
    let wall = "<meta name=\"robots\" content=\"nofollow\">";
    web.put("/wall.html", Served::html(page("wall", &["/behind.html"], wall)));
    web.put("/behind.html", Served::html(page("behind", &[], "")));
    let source = fixture.add_site(&web.url("/")).await;

    fixture.work().await;

    let report = fixture.report(&source).await;
    assert_eq!(report["fetched"], ["/", "/two.html", "/wall.html"].map(str::to_owned).into());
    assert_eq!(report["skipped"], ["/one.html".to_owned()].into());
    assert_eq!(report["failed"], ["/of-missing.html".to_owned()].into());
}

async fn a_start_that_has_moved_to_another_host_is_followed(fixture: &CrawlFixture) {
    let (old, new) = (Web::start().await, site_with_robots(Served::status(404)).await);
    old.put("/", Served::redirect(301, new.url("/help/").as_str()));
    let source = fixture.add_site(&old.url("/")).await;

    fixture.work().await;

    let report = fixture.report(&source).await;
    assert_eq!(report["skipped"], ["/".to_owned()].into());
    assert_eq!(report["fetched"].len(), 4);
}

async fn the_pause_that_a_site_asks_for_is_kept(fixture: &CrawlFixture) {
    const PAUSE: Duration = Duration::from_secs(1);
    let web = site_with_robots(Served::of_type("text/plain", b"User-agent: *\nCrawl-delay: 1\n".to_vec())).await;
    let source = fixture.add_site(&web.url("/help/")).await;

    fixture.work().await;

    assert_eq!(fixture.report(&source).await["fetched"].len(), 4);
    let hits = web.take_hits();
    // The first is robots.txt itself, which says so.
    let times: Vec<_> = hits.iter().skip(1).map(|hit| hit.at).collect();
    assert!(times.len() >= 4 && times.windows(2).all(|pair| pair[1] - pair[0] >= PAUSE), "{hits:?}");
}

async fn what_a_site_forbids_is_forbidden_when_its_rules_have_not_changed(fixture: &CrawlFixture) {
    let rules = |path: &str| Served::of_type("text/plain", format!("User-agent: *\nDisallow: {path}\n").into_bytes());
    let web = site_with_robots(rules("/about.html")).await;
    let source = fixture.add_site(&web.url("/help/")).await;
    let again = async || {
        fixture.rescrape(&source).await;
        fixture.work().await;
        let hits = web.take_hits();
        let asked = hits.iter().find(|hit| hit.path == "/robots.txt").expect("it is asked for").status;
        (asked, hits.iter().any(|hit| hit.path == "/about.html"), hits.iter().any(|hit| hit.path == "/help/b.html"))
    };
    fixture.work().await;
    web.take_hits();

    assert_eq!(again().await, (304, false, true));
    web.put("/robots.txt", rules("/help/b.html"));
    assert_eq!(again().await, (200, true, false));
    assert_eq!(again().await, (304, true, false));
    web.remove("/robots.txt");
    assert_eq!(again().await, (404, true, true));
}

async fn a_sitemap_that_is_read_in_part_is_reported(fixture: &CrawlFixture) {
    let web = site_with_robots(Served::status(404)).await;
    let broken = "<urlset><url><loc>/help/b.html</loc></url><url><loc>/he</lo";
    web.put("/sitemap.xml", Served::of_type("application/xml", broken.as_bytes().to_vec()));
    let source = fixture.add_site(&web.url("/help/")).await;

    for _ in 0..2 {
        fixture.work().await;

        let reason = "Read in part: the sitemap lists more than 50,000 URLs or is truncated".to_owned();
        assert_eq!(fixture.row(&source, "/sitemap.xml").await, (PageOutcome::Skipped, Some(reason), 0));
        fixture.rescrape(&source).await;
    }
}
