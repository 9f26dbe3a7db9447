//! A site of 500 pages of real prose with everything that sites contain. The first sync indexes exactly the expected pages,
//! the second one only asks whether they changed, and the third one reads the changed pages again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use helpbot_domain::source::{PageOutcome, SourceStatus};
use helpbot_ingest::Manners;
use helpbot_outbound::FetchLimits;
use helpbot_services::runtime::jobs;
use helpbot_services::sources::SyncReport;
use helpbot_tests::prose::Prose;

use crate::crawl::fixture::CrawlFixture;
use crate::crawl::web::{Hit, Served, Web, gzip};
use crate::crawl::{on_both_databases, page};

on_both_databases!(
    a_large_site_is_indexed_then_only_asked_whether_it_changed,
    a_crawl_goes_on_where_a_killed_worker_was,
    a_crawl_goes_on_where_a_killed_process_was,
);

/// Plain pages; with the special ones the site has 500.
const PLAIN: usize = 485;
/// Pages that the start links to; the others stand in sitemaps.
const LINKED: usize = 20;
/// Reported as skipped.
const SKIPPED: [&str; 7] = ["/old", "/moved", "/copy.html", "/draft.html", "/draft-header", "/private/x.html", "/logo"];
/// Reported as failed, and asked for as a whole at each visit.
const FAILED: [&str; 2] = ["/missing.html", "/broken.html"];
/// Read beside the plain ones.
const SPECIAL: [&str; 4] = ["/", "/moved-here.html", SLOW, "/latin.html"];
/// Never answered where a page must come in time.
const SLOW: &str = "/slow.html";
/// What a page has to begin in, in place of 15 s; the other pages take some milliseconds.
const PATIENCE: Duration = Duration::from_secs(3);
/// The longest that the program takes to read the site.
const PROGRAM: Duration = Duration::from_secs(180);
/// What a page has of the documents.
const SECTIONS: usize = 2;

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
    links.extend([SLOW, "/latin.html", "/style.css", "https://elsewhere.example/", "mailto:a@example.com"]);
    web.put("/", Served::html(page("start", &links, "")));
    let prose = Prose::of_documents();
    for n in 0..PLAIN {
        let served = Served::html(article(&prose, n));
        web.put(&plain(n), if n % 7 == 0 { served.gzipped() } else { served });
    }
    special_pages(&web);
    web
}

fn article(prose: &Prose, n: usize) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><title>Article {n}</title></head><body>\
         <nav><a href=\"/\">All articles</a></nav><main><h1>Article {n}</h1>{}</main>\
         <footer><a href=\"{}\">Next article</a></footer></body></html>",
        prose.html(n, SECTIONS),
        plain((n + 1) % PLAIN)
    )
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
    web.put(SLOW, Served::html(page("slow", &[], "")));
    let latin = page("Müllerei", &[], "").into_bytes();
    let latin = String::from_utf8(latin).expect("text").chars().map(|c| c as u8).collect();
    web.put("/latin.html", Served::of_type("text/html; charset=iso-8859-1", latin));
}

/// The whole report where the pages were `read` so; `late` did not come in time.
fn expected(read: &'static str, late: &[&str]) -> BTreeMap<&'static str, BTreeSet<String>> {
    let of = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<BTreeSet<_>>();
    let mut pages = of(&SPECIAL);
    pages.extend((0..PLAIN).map(plain));
    pages.retain(|page| !late.contains(&page.as_str()));
    BTreeMap::from([(read, pages), ("skipped", of(&SKIPPED)), ("failed", of(&[&FAILED, late].concat()))])
}

fn impatient() -> Manners {
    let page = FetchLimits { first_byte: PATIENCE, ..FetchLimits::PAGE };
    Manners { delay: Duration::ZERO, page, ..Manners::default() }
}

fn paths(hits: &[Hit]) -> BTreeSet<&str> {
    hits.iter().map(|hit| hit.path.as_str()).collect()
}

async fn a_large_site_is_indexed_then_only_asked_whether_it_changed(fixture: &CrawlFixture) {
    let web = large_site().await;
    // Never opened: slower than a page may be.
    let _slow = web.gate(SLOW);
    let source = fixture.add_site(&web.url("/")).await;

    fixture.work_with(impatient()).await;

    let read = fixture.source(&source).await;
    assert_eq!((read.status, read.error.as_deref()), (SourceStatus::Indexed, None));
    assert_eq!(read.title.as_deref(), Some("Article start"));
    assert_eq!(fixture.report(&source).await, expected("fetched", &[SLOW]));
    let late = "Fetching the page took too long: the server did not answer within 3 s".to_owned();
    assert_eq!(fixture.row(&source, SLOW).await, (PageOutcome::Failed, Some(late), 0));
    assert_eq!(read.document_count, i64::try_from(PLAIN + SPECIAL.len() - 1).expect("a small number"));
    let first = fixture.chunks().await;
    assert_eq!(read.chunk_count, i64::try_from(first.len()).expect("a small number"));
    assert!(first.len() > PLAIN * SECTIONS, "{} chunks", first.len());
    assert!(first.values().any(|chunk| chunk.question.as_deref() == Some("How do I return article Müllerei?")));
    assert!(fixture.embedded.take().len() >= first.len());
    let hits = web.take_hits();
    assert!(!paths(&hits).contains("/private/x.html"));
    let once = hits.iter().filter(|hit| hit.path == plain(1)).count();
    // Its own visit, and the redirect that leads to it.
    assert_eq!((once, web.most_at_once()), (2, 1));
    let counts = SyncReport::of(&read).expect("a record").pages;
    assert_eq!((counts.fetched, counts.unchanged, counts.skipped, counts.failed), (488, 0, 7, 3));

    the_second_visit_only_asks(fixture, &web, &source).await;
    assert_eq!(fixture.chunks().await, first);
    changes_touch_their_own_chunks_alone(fixture, &web, &source).await;
}

async fn the_second_visit_only_asks(fixture: &CrawlFixture, web: &Web, source: &helpbot_domain::source::Source) {
    let version = fixture.index_version().await;

    fixture.rescrape(source).await;
    fixture.work_with(impatient()).await;

    assert_eq!(fixture.index_version().await, version);
    assert_eq!(fixture.embedded.take(), [""; 0]);
    assert_eq!(fixture.report(source).await, expected("unchanged", &[SLOW]));
    let hits = web.take_hits();
    let whole = hits.iter().filter(|hit| !hit.is_conditional || hit.status == 200).cloned().collect::<Vec<_>>();
    assert_eq!(paths(&whole), FAILED.into(), "{whole:?}");
    let told = |path: &str| hits.iter().any(|hit| hit.path == path && hit.status == 304);
    let files = ["/robots.txt", "/sitemap-index.xml", "/sitemap-a.xml", "/sitemap-b.xml.gz"];
    assert!(files.into_iter().all(told), "{hits:?}");
}

async fn changes_touch_their_own_chunks_alone(
    fixture: &CrawlFixture,
    web: &Web,
    source: &helpbot_domain::source::Source,
) {
    let (before, prose) = (fixture.chunks().await, Prose::of_documents());
    let changed = [3, 7, 99, 300, 484];
    for n in changed {
        web.put(&plain(n), Served::html(edited(&article(&prose, n))));
    }

    fixture.rescrape(source).await;
    fixture.work_with(impatient()).await;

    let after = fixture.chunks().await;
    let new: BTreeSet<_> = after.keys().filter(|id| !before.contains_key(*id)).collect();
    let gone: BTreeSet<_> = before.keys().filter(|id| !after.contains_key(*id)).collect();
    assert_eq!((new.len(), gone.len()), (changed.len(), changed.len()));
    assert!(new.iter().all(|id| after[*id].text.contains(EDITED.1)));
    let kept = after.iter().filter(|(id, _)| !new.contains(id));
    assert!(kept.into_iter().all(|(id, chunk)| before.get(id) == Some(chunk)));
    assert_eq!(fixture.report(source).await["fetched"], changed.map(plain).into_iter().collect());
    // Of each new chunk its text, and its question if it has one; of nothing else anything.
    let embedded = fixture.embedded.take();
    let texts = new.iter().map(|id| 1 + usize::from(after[*id].question.is_some())).sum::<usize>();
    assert_eq!(embedded.len(), texts, "{embedded:?}");
    let is_new =
        |text: &&String| text.contains(EDITED.1) || new.iter().any(|id| after[*id].question.as_ref() == Some(*text));
    assert!(embedded.iter().all(|text| is_new(&text)), "{embedded:?}");
}

/// What an edit replaces, and by what: of the same length, so that the cuts between chunks stay.
const EDITED: (&str, &str) = (" the ", " THE ");

/// The page with one word changed in its longest paragraph.
fn edited(html: &str) -> String {
    let longest = html.split("<p>").max_by_key(|paragraph| paragraph.len()).expect("a paragraph");
    let edited = html.replacen(longest, &longest.replacen(EDITED.0, EDITED.1, 1), 1);
    assert_ne!(html, edited);
    edited
}

async fn a_crawl_goes_on_where_a_killed_worker_was(fixture: &CrawlFixture) {
    let web = large_site().await;
    let gate = web.gate(&plain(200));
    let source = fixture.add_site(&web.url("/")).await;

    let killed = tokio::spawn(fixture.worker().work_off());
    gate.reached().await;
    killed.abort();
    assert!(killed.await.expect_err("it was killed").is_cancelled());
    let progress = SyncReport::of(&fixture.source(&source).await).expect("a record");
    assert!(progress.pages.fetched > 100 && progress.finished_at.is_none(), "{progress:?}");
    assert!(fixture.chunks().await.is_empty());
    gate.open();
    let first = web.take_hits();
    fixture.work().await;
    assert_eq!(web.take_hits().iter().filter(|hit| hit.path != plain(200)).count(), 0, "its lease still runs");
    fixture.pass(jobs::LEASE + Duration::from_secs(1));

    fixture.work().await;

    it_was_gone_on_with(fixture, &web, &source, first).await;
}

/// As above, with the product's own program and SIGKILL; the program, started again, ends it.
async fn a_crawl_goes_on_where_a_killed_process_was(fixture: &CrawlFixture) {
    let web = large_site().await;
    let gate = web.gate(&plain(200));
    let source = fixture.add_site(&web.url("/")).await;
    let command = ["source", "rescrape", &source.id.to_string(), "--wait"];

    let mut program = fixture.program(&command);
    gate.reached().await;
    program.kill().await.expect("it is killed");
    let progress = SyncReport::of(&fixture.source(&source).await).expect("a record");
    assert!(progress.pages.fetched > 100 && progress.finished_at.is_none(), "{progress:?}");
    assert!(fixture.chunks().await.is_empty());
    gate.open();
    let first = web.take_hits();
    fixture.end_lease().await;

    let ended = tokio::time::timeout(PROGRAM, fixture.program(&command).wait()).await.expect("it ends in time");

    assert!(ended.expect("it has ended").success());
    it_was_gone_on_with(fixture, &web, &source, first).await;
}

async fn it_was_gone_on_with(
    fixture: &CrawlFixture,
    web: &Web,
    source: &helpbot_domain::source::Source,
    first: Vec<Hit>,
) {
    let read = fixture.source(source).await;
    assert_eq!(read.status, SourceStatus::Indexed);
    assert_eq!(fixture.report(source).await, expected("fetched", &[]));
    let second = web.take_hits();
    let again: Vec<_> = paths(&first).intersection(&paths(&second)).map(|path| (*path).to_owned()).collect();
    let pages_again = again.iter().filter(|path| path.starts_with("/help/")).count();
    assert!(pages_again < 40, "{pages_again} pages were fetched by both: {again:?}");
}
