//! Sites that are too large for one transaction: their sync is killed at any moment and ends with exactly the right set, its
//! memory does not grow with the site, and a second sync transfers no body.
//!
//! The long form has 10,000 pages and is part of `scripts/nightly`; the short form has some hundred.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use helpbot_domain::source::{Source, SourceStatus};
use helpbot_services::Error;
use helpbot_services::knowledge::evaluation::{self, NewCase};
use helpbot_services::sources::{self, SourceOptionsPatch, Staging, SyncReport, options::SourceScope};
use helpbot_tests::database::TestDatabase;
use helpbot_tests::prose::Prose;
use tokio::process::Child;
use tokio::time::{Instant, interval};

use crate::crawl::fixture::CrawlFixture;
use crate::crawl::upkeep::{begin, found};
use crate::crawl::web::{Served, Web};
use crate::crawl::{on_both_databases, page, run};

on_both_databases!(
    a_large_sync_that_is_killed_ends_with_exactly_its_pages,
    a_large_sync_that_fails_or_is_held_back_keeps_the_old_pages,
    a_large_sync_that_is_canceled_before_it_answers_leaves_nothing,
    a_sync_counts_what_it_finds_reads_and_leaves_out,
);

/// Pages of the short form: more than one transaction stores, and several groups of a stage.
const PAGES: usize = 520;
/// Pages of the long form, which a source may have at most; two more are the start and the last page.
const MOST_PAGES: usize = 9_998;
/// Sections of the documents on each page.
const SECTIONS: usize = 1;
/// URLs of one sitemap.
const SITEMAP_URLS: usize = 5_000;
/// What a sync may take over the memory of the idle program, in KiB.
const OVER_IDLE_KIB: u64 = 150 * 1024;
/// The longest that one run of the program takes.
const RUN_MAX: Duration = Duration::from_secs(1_800);
/// Between two looks at a running program.
const PACE: Duration = Duration::from_millis(2);

/// Asked of the page that comes last, so that its answer shows whether the whole sync is in use.
const QUESTION: &str = "How do I return article Quitterie?";
const LAST: &str = "/zz/last.html";

/// When a running sync is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// After this many requests.
    Requests(usize),
    /// While the pages are staged, before any of them answers.
    Staged,
    /// While the pages that answer already are moved to their place.
    Published,
}

fn path(n: usize) -> String {
    format!("/help/{n}.html")
}

async fn site(pages: usize) -> Web {
    let (web, prose) = (Web::start().await, Prose::of_documents());
    let all: Vec<String> = (0..pages).map(path).chain([LAST.to_owned()]).collect();
    let mut robots = "User-agent: *\nAllow: /\n".to_owned();
    for (n, paths) in all.chunks(SITEMAP_URLS).enumerate() {
        let urls: String = paths.iter().map(|path| format!("<url><loc>{}</loc></url>", web.url(path))).collect();
        let sitemap = format!("<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">{urls}</urlset>");
        let name = format!("/sitemap-{n}.xml");
        web.put(&name, Served::of_type("application/xml", sitemap.into_bytes()));
        robots.push_str(&format!("Sitemap: {}\n", web.url(&name)));
    }
    web.put("/robots.txt", Served::of_type("text/plain", robots.into_bytes()));
    web.put("/", Served::html(page("start", &[&path(0)], "")));
    web.put(LAST, Served::html(page("Quitterie", &[], "")));
    for n in 0..pages {
        web.put(&path(n), article(n, &prose.html(n, SECTIONS)));
    }
    web
}

fn article(n: usize, sections: &str) -> Served {
    Served::html(format!(
        "<!doctype html><html lang=\"en\"><head><title>Article {n}</title></head><body><nav><a href=\"/\">All</a></nav>\
         <main><h1>Article {n}</h1>{sections}</main></body></html>"
    ))
}

async fn answers(fixture: &CrawlFixture) -> bool {
    let results =
        evaluation::run(&fixture.services, &fixture.operator, Some(fixture.site)).await.expect("an evaluation");
    results[0].is_passed
}

async fn ask_about_the_last_page(fixture: &CrawlFixture, web: &Web) {
    let url = Some(web.url(LAST).into());
    let new = NewCase { question: QUESTION.into(), url, ..NewCase::default() };
    evaluation::add(&fixture.services, &fixture.operator, Some(fixture.site), new).await.expect("a test question");
}

/// Waits for the moment. Returns `false` when the program ended before it.
async fn reached(fixture: &CrawlFixture, web: &Web, source: &Source, program: &mut Child, moment: Moment) -> bool {
    let (mut pace, end, mut requests) = (interval(PACE), Instant::now() + RUN_MAX, 0);
    loop {
        pace.tick().await;
        assert!(Instant::now() < end, "{moment:?} did not come within {RUN_MAX:?}");
        requests += web.take_hits().len();
        let is_reached = match moment {
            Moment::Requests(wanted) => requests >= wanted,
            Moment::Staged => fixture.staged(source).await.is_some(),
            Moment::Published => fixture.staged(source).await.is_some_and(|staged| staged.is_published),
        };
        if is_reached {
            return true;
        }
        if program.try_wait().expect("its state").is_some() {
            return false;
        }
    }
}

/// Waits until the program has ended. Returns its memory at the first request and at its peak, in KiB.
async fn memory(web: &Web, program: &mut Child) -> (u64, u64) {
    let file = format!("/proc/{}/status", program.id().expect("it runs"));
    let resident = || {
        let status = std::fs::read_to_string(&file).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?.trim().parse().ok())
    };
    let (mut pace, end) = (interval(PACE), Instant::now() + RUN_MAX);
    let (mut idle, mut peak): (u64, u64) = (0, 0);
    loop {
        pace.tick().await;
        assert!(Instant::now() < end, "the program did not end within {RUN_MAX:?}");
        let now = resident().unwrap_or_default();
        if web.hit_count() == 0 {
            idle = now;
        }
        peak = peak.max(now);
        if let Some(status) = program.try_wait().expect("its state") {
            assert!(status.success());
            return (idle, peak);
        }
    }
}

/// Writes to the database ten times a second, as another process that uses it, and notes the longest time in milliseconds.
async fn write_meanwhile(fixture: &CrawlFixture, longest: &AtomicU64) {
    let mut pace = interval(Duration::from_millis(100));
    loop {
        pace.tick().await;
        let begun = Instant::now();
        let written =
            evaluation::set_allowed_losses(&fixture.services, &fixture.operator, Some(fixture.site), Some(None)).await;
        written.expect("a setting");
        let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        longest.fetch_max(took, Ordering::Relaxed);
    }
}

async fn killed_at(fixture: &CrawlFixture, pages: usize, moments: &[Moment]) {
    let web = site(pages).await;
    let source = fixture.add_site(&web.url("/")).await;
    ask_about_the_last_page(fixture, &web).await;
    let command = ["source", "rescrape", &source.id.to_string(), "--wait"];

    for &moment in moments {
        let mut program = fixture.program(&command);
        let is_reached = reached(fixture, &web, &source, &mut program, moment).await;
        assert!(is_reached, "the program ended before {moment:?}");
        program.kill().await.expect("it is killed");
        let is_published = fixture.staged(&source).await.is_some_and(|staged| staged.is_published);
        assert_eq!(answers(fixture).await, is_published, "all pages answer at once, after {moment:?}");
        if is_published {
            assert!(fixture.cancel(&source).await.status.is_busy(), "what answers already cannot be canceled");
        }
        fixture.end_lease().await;
    }
    web.take_hits();
    let mut program = fixture.program(&command);
    memory(&web, &mut program).await;

    assert!(answers(fixture).await);
    it_has_exactly_its_pages(fixture, &web, &source, pages).await;
    a_second_sync_transfers_no_body(fixture, &web, &source, pages).await;
}

async fn it_has_exactly_its_pages(fixture: &CrawlFixture, web: &Web, source: &Source, pages: usize) {
    let read = fixture.source(source).await;
    assert_eq!((read.status, read.error.as_deref()), (SourceStatus::Indexed, None));
    assert!(fixture.staged(source).await.is_none(), "nothing is left of the stage");
    let expected: BTreeSet<String> = (0..pages).map(path).chain(["/".to_owned(), LAST.to_owned()]).collect();
    let report = fixture.report(source).await;
    assert_eq!(report.keys().copied().collect::<Vec<_>>(), ["fetched"]);
    assert!(report["fetched"] == expected, "{} of {} pages", report["fetched"].len(), expected.len());
    assert_eq!(read.document_count, i64::try_from(expected.len()).expect("a small number"));

    let undisturbed = fixture.other_site().await;
    let options = SourceOptionsPatch { scope: Some(SourceScope::Site), ..SourceOptionsPatch::default() };
    let url = web.url("/");
    sources::add_crawl(&fixture.services, &fixture.operator, Some(undisturbed), url.as_str(), options)
        .await
        .expect("added");
    fixture.work().await;
    let (ours, theirs) = (fixture.texts(fixture.site).await, fixture.texts(undisturbed).await);
    assert_eq!(read.chunk_count, i64::try_from(ours.len()).expect("a small number"));
    assert!(ours == theirs, "{} chunks, {} without a kill", ours.len(), theirs.len());
}

async fn a_second_sync_transfers_no_body(fixture: &CrawlFixture, web: &Web, source: &Source, pages: usize) {
    let (before, version) = (fixture.texts(fixture.site).await, fixture.index_version().await);
    web.take_hits();
    fixture.rescrape(source).await;

    fixture.work().await;

    let hits = web.take_hits();
    let whole: Vec<_> = hits.iter().filter(|hit| hit.status != 304).collect();
    assert!(whole.is_empty(), "{whole:?}");
    assert!(hits.len() >= pages + 2, "{} requests", hits.len());
    assert!(fixture.texts(fixture.site).await == before);
    assert_eq!(fixture.index_version().await, version);
    let counts = SyncReport::of(&fixture.source(source).await).expect("a report").pages;
    assert_eq!((counts.fetched, counts.unchanged, counts.remaining), (0, counts.planned, 0), "{counts:?}");
}

async fn a_large_sync_that_is_killed_ends_with_exactly_its_pages(fixture: &CrawlFixture) {
    let during = fastrand::usize(10..PAGES);
    killed_at(fixture, PAGES, &[Moment::Requests(during), Moment::Staged, Moment::Published]).await;
}

async fn a_large_sync_that_fails_or_is_held_back_keeps_the_old_pages(fixture: &CrawlFixture) {
    let (web, prose) = (site(PAGES).await, Prose::of_documents());
    let source = fixture.add_site(&web.url("/")).await;
    ask_about_the_last_page(fixture, &web).await;
    fixture.work().await;
    let (before, version) = (fixture.texts(fixture.site).await, fixture.index_version().await);
    let state = async |source| {
        let Source { status, error, .. } = fixture.source(source).await;
        let is_same = fixture.texts(fixture.site).await == before && fixture.index_version().await == version;
        (status, error.unwrap_or_default(), is_same && fixture.staged(source).await.is_none())
    };
    for n in 0..PAGES {
        web.put(&path(n), article(n, &prose.html(n + PAGES, SECTIONS)));
    }
    web.put(LAST, Served::html(page("Wilhelmine", &[], "")));

    web.remove("/");
    fixture.rescrape(&source).await;
    fixture.work().await;
    let (failed, _, is_same) = state(&source).await;
    assert_eq!((failed, is_same), (SourceStatus::Failed, true));

    web.put("/", Served::html(page("start", &[&path(0)], "")));
    let allow = async |losses| {
        evaluation::set_allowed_losses(&fixture.services, &fixture.operator, Some(fixture.site), Some(losses))
            .await
            .expect("a setting");
    };
    allow(Some(0)).await;
    fixture.rescrape(&source).await;
    fixture.work().await;
    let (held_back, reason, is_same) = state(&source).await;
    assert_eq!((held_back, is_same), (SourceStatus::Failed, true));
    assert!(reason.contains(QUESTION), "{reason}");
    assert!(answers(fixture).await);

    allow(None).await;
    fixture.rescrape(&source).await;
    fixture.work().await;
    let read = fixture.source(&source).await;
    assert_eq!((read.status, read.error), (SourceStatus::Indexed, None));
    let after = fixture.texts(fixture.site).await;
    assert!(
        after.iter().any(|text| text.contains("Wilhelmine")) && !after.iter().any(|text| text.contains("Quitterie"))
    );
    assert!(fixture.index_version().await > version && !answers(fixture).await);
}

async fn a_large_sync_that_is_canceled_before_it_answers_leaves_nothing(fixture: &CrawlFixture) {
    let web = site(PAGES).await;
    let source = fixture.add_site(&web.url("/")).await;
    let active = begin(fixture, "slow").await;
    let mut staging = Staging::begin(&fixture.services, &active).await.expect("a stage");
    for n in 0..PAGES {
        staging.add(found(web.url(&path(n)).as_str(), "A text that must not answer.")).await.expect("a page");
    }
    let staged = fixture.staged(&source).await.expect("more pages than one transaction stores");
    assert!(!staged.is_published);

    let canceled = fixture.cancel(&source).await;

    assert_eq!(canceled.status, SourceStatus::Failed);
    assert!(fixture.staged(&source).await.is_none());
    let ended = staging.end(None, Vec::new()).await;
    assert!(matches!(ended, Err(Error::NotFound(_))), "{ended:?}");
    assert!(fixture.texts(fixture.site).await.is_empty());
    fixture.rescrape(&source).await;
    fixture.work().await;
    it_has_exactly_its_pages(fixture, &web, &source, PAGES).await;
}

async fn a_sync_counts_what_it_finds_reads_and_leaves_out(fixture: &CrawlFixture) {
    const READ: usize = 60;
    let web = site(100).await;
    // The report is written with the first 25 visits, before the crawl comes to this page.
    let gate = web.gate(&path(50));
    let limit = i32::try_from(READ).ok();
    let options =
        SourceOptionsPatch { scope: Some(SourceScope::Site), max_pages: limit, ..SourceOptionsPatch::default() };
    let source = fixture.add(&web.url("/"), options).await;

    let worker = tokio::spawn(fixture.worker().work_off());
    gate.reached().await;
    let running = helpbot_tests::wait_for("a report", async || {
        let report = SyncReport::of(&fixture.source(&source).await)?;
        (report.pages.fetched > 0).then_some(report)
    })
    .await;
    gate.open();
    worker.await.expect("the worker ends");

    assert_eq!((running.pages.planned, running.finished_at), (READ as i64, None));
    let done = running.pages.fetched + running.pages.remaining;
    assert!((1..=READ as i64).contains(&done), "{running:?}");
    let rows = fixture.report(&source).await;
    assert_eq!(rows["fetched"].len(), READ, "{rows:?}");
    let report = SyncReport::of(&fixture.source(&source).await).expect("a report");
    assert_eq!((report.pages.fetched, report.pages.remaining), (READ as i64, 0));
    let left_out: Vec<_> = report.left_out.iter().map(|left_out| (left_out.reason.as_str(), left_out.count)).collect();
    // The start and the last page belong to the site as well.
    let too_many = "Left out: the source already has its maximum number of pages (maxPages)";
    assert_eq!(left_out, [(too_many, (100 + 2 - READ) as i64)]);
}

/// The long form: 10,000 pages, five kills at random moments, then the memory of an undisturbed program.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes many minutes; scripts/nightly runs it"]
async fn ten_thousand_pages_survive_five_kills() {
    run(Some(TestDatabase::sqlite()), async |fixture: &CrawlFixture| {
        let during = || fastrand::usize(100..MOST_PAGES / 3);
        let (first, second, third) = (during(), during(), during());
        let moments = [
            Moment::Requests(first),
            Moment::Requests(second),
            Moment::Requests(third),
            Moment::Staged,
            Moment::Published,
        ];
        killed_at(fixture, MOST_PAGES, &moments).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes many minutes; scripts/nightly runs it"]
async fn ten_thousand_pages_need_little_memory() {
    run(Some(TestDatabase::sqlite()), async |fixture: &CrawlFixture| {
        let web = site(MOST_PAGES).await;
        let source = fixture.add_site(&web.url("/")).await;
        let mut program = fixture.program(&["source", "rescrape", &source.id.to_string(), "--wait"]);

        let (begun, longest) = (Instant::now(), AtomicU64::new(0));
        let (idle, peak) = tokio::select! {
            measured = memory(&web, &mut program) => measured,
            () = write_meanwhile(fixture, &longest) => unreachable!("it writes until the program has ended"),
        };

        let (took, longest) = (begun.elapsed(), Duration::from_millis(longest.into_inner()));
        let (idle_mib, peak_mib) = (idle / 1024, peak / 1024);
        println!(
            "{took:?}; memory: idle {idle_mib} MiB, peak {peak_mib} MiB; longest write of another process: {longest:?}"
        );
        assert!(peak - idle <= OVER_IDLE_KIB, "{peak} KiB, of which {idle} KiB were used before");
    })
    .await;
}
