//! A site of 500 pages with everything that sites have: indexed with exactly the right set, then
//! only asked whether it changed, then read anew where it has.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use helpbot_domain::source::SourceStatus;
use helpbot_services::jobs;
use helpbot_services::sources::Crawl;

use crate::house::House;
use crate::web::{Hit, Served, Web, gzip};
use crate::{on_both_databases, page};

on_both_databases!(
    a_large_site_is_indexed_then_only_asked_whether_it_changed,
    a_crawl_goes_on_where_a_killed_worker_was,
    a_crawl_goes_on_where_a_killed_process_was,
);

const A_CENTURY: Duration = Duration::from_secs(100 * 366 * 86_400);
/// Plain pages; with the special ones the site has the most that a source may have.
const PLAIN: usize = 485;
/// Pages that the start links to; the others stand in sitemaps.
const LINKED: usize = 20;
/// Reported as skipped.
const SKIPPED: [&str; 7] = ["/old", "/moved", "/copy.html", "/draft.html", "/draft-header", "/private/x.html", "/logo"];
/// Reported as failed.
const FAILED: [&str; 2] = ["/missing.html", "/broken.html"];
/// Read beside the plain ones.
const SPECIAL: [&str; 4] = ["/", "/moved-here.html", "/slow.html", "/latin.html"];
/// Asked for as a whole at each visit.
const ALWAYS_WHOLE: [&str; 6] =
    ["/robots.txt", "/sitemap-index.xml", "/sitemap-a.xml", "/sitemap-b.xml.gz", "/missing.html", "/broken.html"];

fn plain(n: usize) -> String {
    format!("/help/{n}.html")
}

fn sitemap(paths: impl Iterator<Item = String>, web: &Web) -> String {
    let urls: String = paths.map(|path| format!("<url><loc>{}</loc></url>", web.url(&path))).collect();
    format!("<?xml version=\"1.0\"?><urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">{urls}</urlset>")
}

async fn large_site() -> Web {
    let web = Web::start().await;
    web.put("/robots.txt", Served::of_type("text/plain", robots(&web).into_bytes()));
    let index = format!(
        "<sitemapindex><sitemap><loc>{}</loc></sitemap><sitemap><loc>{}</loc></sitemap></sitemapindex>",
        web.url("/sitemap-a.xml"),
        web.url("/sitemap-b.xml.gz")
    );
    web.put("/sitemap-index.xml", Served::of_type("application/xml", index.into_bytes()));
    let a = sitemap((0..250).map(plain), &web);
    web.put("/sitemap-a.xml", Served::of_type("application/xml", a.into_bytes()));
    let b = gzip(sitemap((250..PLAIN).map(plain), &web).as_bytes());
    web.put("/sitemap-b.xml.gz", Served::of_type("application/gzip", b));
    let names: Vec<String> = (0..LINKED).map(plain).collect();
    let mut links: Vec<&str> = names.iter().map(String::as_str).collect();
    links.extend(SKIPPED);
    links.extend(FAILED);
    links.extend(["/slow.html", "/latin.html", "/style.css", "https://elsewhere.example/", "mailto:a@example.com"]);
    web.put("/", Served::html(page("start", &links, "")));
    for n in 0..PLAIN {
        let served = Served::html(page(&n.to_string(), &["/", &plain((n + 1) % PLAIN)], ""));
        web.put(&plain(n), if n % 7 == 0 { served.gzipped() } else { served });
    }
    special_pages(&web);
    web
}

fn robots(web: &Web) -> String {
    format!("User-agent: *\nDisallow: /private/\nCrawl-delay: 0\nSitemap: {}\n", web.url("/sitemap-index.xml"))
}

fn special_pages(web: &Web) {
    web.put("/old", Served::redirect(301, &plain(1)));
    web.put("/moved", Served::redirect(302, "/moved-here.html"));
    web.put("/moved-here.html", Served::html(page("moved", &[], "")));
    let canonical = format!("<link rel=\"canonical\" href=\"{}\">", plain(2));
    web.put("/copy.html", Served::html(page("2", &[], &canonical)));
    web.put("/draft.html", Served::html(page("draft", &[], "<meta name=\"robots\" content=\"noindex\">")));
    web.put("/draft-header", Served::html(page("header", &[], "")).with("x-robots-tag", "noindex"));
    web.put("/private/x.html", Served::html(page("private", &[], "")));
    web.put("/logo", Served::of_type("image/png", b"\x89PNG and so on".to_vec()));
    web.put("/broken.html", Served::status(500));
    web.put("/slow.html", Served::html(page("slow", &[], "")));
    let latin = page("Müllerei", &[], "").into_bytes();
    let latin = String::from_utf8(latin).expect("text").chars().map(|c| c as u8).collect();
    web.put("/latin.html", Served::of_type("text/html; charset=iso-8859-1", latin));
}

fn expected(read: &'static str) -> BTreeMap<&'static str, BTreeSet<String>> {
    let of = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<BTreeSet<_>>();
    let mut pages = of(&SPECIAL);
    pages.extend((0..PLAIN).map(plain));
    BTreeMap::from([(read, pages), ("skipped", of(&SKIPPED)), ("failed", of(&FAILED))])
}

fn paths(hits: &[Hit]) -> BTreeSet<&str> {
    hits.iter().map(|hit| hit.path.as_str()).collect()
}

async fn a_large_site_is_indexed_then_only_asked_whether_it_changed(house: &House) {
    let web = large_site().await;
    let slow = web.gate("/slow.html");
    let source = house.add_site(&web.url("/")).await;

    tokio::join!(house.work(), async {
        slow.reached().await;
        slow.open();
    });

    let read = house.source(&source).await;
    assert_eq!((read.status, read.error.as_deref()), (SourceStatus::Indexed, None));
    assert_eq!(read.title.as_deref(), Some("Article start"));
    assert_eq!(house.report(&source).await, expected("fetched"));
    assert_eq!(read.document_count, i64::try_from(PLAIN + SPECIAL.len()).expect("a small number"));
    let first = house.chunks().await;
    assert_eq!(read.chunk_count, i64::try_from(first.len()).expect("a small number"));
    assert!(first.values().any(|chunk| chunk.question.as_deref() == Some("How do I return article Müllerei?")));
    let hits = web.take_hits();
    assert!(!paths(&hits).contains("/private/x.html"));
    let once = hits.iter().filter(|hit| hit.path == plain(1)).count();
    // Its own visit, and the redirect that leads to it.
    assert_eq!((once, web.most_at_once()), (2, 1));
    let counts = Crawl::of(&read).expect("a record").pages;
    assert_eq!((counts.fetched, counts.unchanged, counts.skipped, counts.failed), (489, 0, 7, 2));

    the_second_visit_only_asks(house, &web, &source).await;
    assert_eq!(house.chunks().await, first);
    changes_touch_their_own_chunks_alone(house, &web, &source).await;
}

async fn the_second_visit_only_asks(house: &House, web: &Web, source: &helpbot_services::Source) {
    let version = house.index_version().await;

    house.rescrape(source).await;
    house.work().await;

    // No index is built anew for it, and so nothing embedded.
    assert_eq!(house.index_version().await, version);
    assert_eq!(house.report(source).await, expected("unchanged"));
    let whole: Vec<Hit> = web.take_hits().into_iter().filter(|hit| !hit.is_conditional || hit.status == 200).collect();
    assert_eq!(paths(&whole), ALWAYS_WHOLE.into_iter().collect::<BTreeSet<_>>(), "{whole:?}");
}

async fn changes_touch_their_own_chunks_alone(house: &House, web: &Web, source: &helpbot_services::Source) {
    let before = house.chunks().await;
    let changed = [3, 7, 99, 300, 484];
    for n in changed {
        let html = page(&n.to_string(), &["/", &plain((n + 1) % PLAIN)], "");
        let edited = html.replacen("write to the people", "telephone the people", 1);
        assert_ne!(html, edited);
        web.put(&plain(n), Served::html(edited));
    }

    house.rescrape(source).await;
    house.work().await;

    let after = house.chunks().await;
    let new: BTreeSet<_> = after.keys().filter(|id| !before.contains_key(*id)).collect();
    let gone: BTreeSet<_> = before.keys().filter(|id| !after.contains_key(*id)).collect();
    assert_eq!((new.len(), gone.len()), (changed.len(), changed.len()));
    assert!(new.iter().all(|id| after[*id].text.contains("telephone")));
    let kept = after.iter().filter(|(id, _)| !new.contains(id));
    assert!(kept.into_iter().all(|(id, chunk)| before.get(id) == Some(chunk)));
    assert_eq!(house.report(source).await["fetched"], changed.map(plain).into_iter().collect());
}

async fn a_crawl_goes_on_where_a_killed_worker_was(house: &House) {
    let web = large_site().await;
    let gate = web.gate(&plain(200));
    let source = house.add_site(&web.url("/")).await;

    let killed = tokio::spawn(house.worker().work_off());
    gate.reached().await;
    killed.abort();
    assert!(killed.await.expect_err("it was killed").is_cancelled());
    let progress = Crawl::of(&house.source(&source).await).expect("a record");
    assert!(progress.pages.fetched > 100 && progress.finished_at.is_none(), "{progress:?}");
    assert!(house.chunks().await.is_empty());
    gate.open();
    let first = web.take_hits();
    house.work().await;
    assert_eq!(web.take_hits().iter().filter(|hit| hit.path != plain(200)).count(), 0, "its lease still runs");
    house.pass(jobs::LEASE + Duration::from_secs(1));

    it_is_finished_from_there(house, &web, &source, first).await;
}

/// As above, with the product's own program and SIGKILL.
async fn a_crawl_goes_on_where_a_killed_process_was(house: &House) {
    let web = large_site().await;
    let gate = web.gate(&plain(200));
    let source = house.add_site(&web.url("/")).await;

    let mut program = house.program(&["source", "rescrape", &source.id.to_string(), "--wait"]);
    gate.reached().await;
    program.kill().await.expect("it is killed");
    let progress = Crawl::of(&house.source(&source).await).expect("a record");
    assert!(progress.pages.fetched > 100 && progress.finished_at.is_none(), "{progress:?}");
    assert!(house.chunks().await.is_empty());
    gate.open();
    let first = web.take_hits();
    // The program's lease is of the system's time, which is later than that of the test.
    house.pass(A_CENTURY);

    it_is_finished_from_there(house, &web, &source, first).await;
}

async fn it_is_finished_from_there(house: &House, web: &Web, source: &helpbot_services::Source, first: Vec<Hit>) {
    house.work().await;

    let read = house.source(source).await;
    assert_eq!(read.status, SourceStatus::Indexed);
    assert_eq!(house.report(source).await, expected("fetched"));
    let second = web.take_hits();
    let again: Vec<_> = paths(&first).intersection(&paths(&second)).map(|path| (*path).to_owned()).collect();
    let pages_again = again.iter().filter(|path| path.starts_with("/help/")).count();
    assert!(pages_again < 40, "{pages_again} pages were fetched by both: {again:?}");
}
