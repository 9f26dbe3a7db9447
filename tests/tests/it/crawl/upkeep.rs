//! Tests of sources over time: pages that disappear or fail, schedules, and deletion during a sync.

use std::time::Duration;

use helpbot_domain::source::{PageOutcome, SourceStatus};
use helpbot_engine::{ChunkDraft, ChunkKind};
use helpbot_ingest::Manners;
use helpbot_services::Error;
use helpbot_services::runtime::job_kinds::SYNC;
use helpbot_services::runtime::jobs;
use helpbot_services::sources::options::{SourceSchedule, SourceScope};
use helpbot_services::sources::sync_report::PageCounts;
use helpbot_services::sources::{self, SourceOptionsPatch, SyncReport};
use helpbot_services::sources::{
    page_sync::SyncedPage,
    sync::{self, ActiveSync},
};

use crate::crawl::fixture::CrawlFixture;
use crate::crawl::web::{Served, Web};
use crate::crawl::{on_both_databases, page};

on_both_databases!(
    a_page_that_vanished_leaves_the_index_after_two_misses,
    a_page_that_fails_for_now_keeps_what_it_had,
    a_site_that_fails_keeps_its_index_and_says_so,
    a_page_that_forbids_indexing_leaves_at_once,
    a_source_deleted_in_the_middle_ends_its_crawl,
    a_cancelled_reading_leaves_all_as_it_was,
    a_crawl_that_is_cancelled_ends,
    a_worker_that_lost_its_job_stores_nothing,
    a_file_replaced_during_a_sync_is_synced_again,
    a_crawl_that_takes_too_long_is_indexed_as_far_as_it_came,
    a_scheduled_source_is_read_again_when_its_time_has_come,
    progress_is_reported_until_the_end,
);

async fn small_site() -> Web {
    let web = Web::start().await;
    web.put("/", Served::html(page("0", &["/1.html", "/2.html"], "")));
    web.put("/1.html", Served::html(page("1", &[], "")));
    web.put("/2.html", Served::html(page("2", &[], "")));
    web
}

async fn again(fixture: &CrawlFixture, source: &helpbot_domain::source::Source) {
    fixture.rescrape(source).await;
    fixture.work().await;
}

async fn a_page_that_vanished_leaves_the_index_after_two_misses(fixture: &CrawlFixture) {
    let web = small_site().await;
    let source = fixture.add_site(&web.url("/")).await;
    fixture.work().await;
    // One page is linked but missing, and no link leads to the other one anymore.
    web.remove("/1.html");
    web.put("/", Served::html(page("0", &["/1.html"], "")));

    again(fixture, &source).await;
    assert_eq!(fixture.source(&source).await.chunk_count, 9);
    assert_eq!(fixture.row(&source, "/1.html").await.0, PageOutcome::Failed);
    assert_eq!(fixture.row(&source, "/2.html").await.0, PageOutcome::Skipped);

    again(fixture, &source).await;
    assert_eq!(fixture.source(&source).await.chunk_count, 3);
    assert_eq!(fixture.row(&source, "/1.html").await.2, 0);
    assert_eq!(fixture.pages(&source).await.len(), 2);

    web.put("/1.html", Served::html(page("1", &[], "")));
    again(fixture, &source).await;
    assert_eq!(fixture.row(&source, "/1.html").await, (PageOutcome::Fetched, None, 3));
}

async fn a_page_that_fails_for_now_keeps_what_it_had(fixture: &CrawlFixture) {
    let web = small_site().await;
    let source = fixture.add_site(&web.url("/")).await;
    fixture.work().await;
    web.put("/1.html", Served::status(503).with("retry-after", "0"));
    web.take_hits();

    for _ in 0..3 {
        again(fixture, &source).await;
    }

    let reason = Some("The server reported an error. Try again later (HTTP 503)".to_owned());
    assert_eq!(fixture.row(&source, "/1.html").await, (PageOutcome::Failed, reason, 3));
    assert_eq!(fixture.chunks().await.len(), 9);
    // Each time one more try, as the server asks.
    assert_eq!(web.take_hits().iter().filter(|hit| hit.path == "/1.html").count(), 6);
}

async fn a_site_that_fails_keeps_its_index_and_says_so(fixture: &CrawlFixture) {
    let web = small_site().await;
    let source = fixture.add_site(&web.url("/")).await;
    fixture.work().await;
    let before = fixture.chunks().await;
    web.put("/", Served::status(500));

    again(fixture, &source).await;

    let read = fixture.source(&source).await;
    assert_eq!(read.status, SourceStatus::Failed);
    assert_eq!(read.error.as_deref(), Some("The server reported an error. Try again later (HTTP 500)"));
    assert_eq!(fixture.chunks().await, before);
}

async fn a_page_that_forbids_indexing_leaves_at_once(fixture: &CrawlFixture) {
    let web = small_site().await;
    let source = fixture.add_site(&web.url("/")).await;
    fixture.work().await;
    web.put("/1.html", Served::html(page("1", &[], "<meta name=\"robots\" content=\"noindex\">")));

    for _ in 0..2 {
        again(fixture, &source).await;
        let reason = Some("The page asks not to be indexed".to_owned());
        assert_eq!(fixture.row(&source, "/1.html").await, (PageOutcome::Skipped, reason, 0));
    }

    assert_eq!(fixture.chunks().await.len(), 6);
    let last = web.take_hits().into_iter().rfind(|hit| hit.path == "/1.html").expect("it was asked for");
    assert_eq!((last.is_conditional, last.status), (true, 304));
}

async fn site_of_200_pages() -> Web {
    let web = Web::start().await;
    let names: Vec<String> = (0..200).map(|n| format!("/{n}.html")).collect();
    let links: Vec<&str> = names.iter().map(String::as_str).collect();
    web.put("/", Served::html(page("start", &links, "")));
    for name in &names {
        web.put(name, Served::html(page(name.trim_matches('/'), &[], "")));
    }
    web
}

async fn a_source_deleted_in_the_middle_ends_its_crawl(fixture: &CrawlFixture) {
    let web = site_of_200_pages().await;
    let gate = web.gate("/30.html");
    let source = fixture.add_site(&web.url("/")).await;

    tokio::join!(fixture.work(), async {
        gate.reached().await;
        let gone = sources::delete(&fixture.services, &fixture.operator, Some(fixture.site), source.id).await;
        gone.expect("the source is deleted");
        gate.open();
    });

    assert!(fixture.chunks().await.is_empty());
    let asked = web.take_hits().len();
    assert!(asked < 100, "{asked} requests for a source that is gone");
}

async fn a_crawl_that_is_cancelled_ends(fixture: &CrawlFixture) {
    let web = site_of_200_pages().await;
    let gate = web.gate("/30.html");
    let source = fixture.add_site(&web.url("/")).await;

    tokio::join!(fixture.work(), async {
        gate.reached().await;
        fixture.cancel(&source).await;
        gate.open();
    });

    let read = fixture.source(&source).await;
    let reason = "The sync was canceled before it finished. Sync the source to use its content.";
    assert_eq!((read.status, read.error.as_deref()), (SourceStatus::Failed, Some(reason)));
    assert!(fixture.chunks().await.is_empty() && fixture.pages(&source).await.is_empty());
    let asked = web.take_hits().len();
    assert!(asked < 100, "{asked} requests after the end");
    // The canceled sync is not continued.
    again(fixture, &source).await;
    assert_eq!(fixture.source(&source).await.status, SourceStatus::Indexed);
    assert_eq!(web.take_hits().iter().filter(|hit| hit.path == "/0.html").count(), 1);
}

async fn a_cancelled_reading_leaves_all_as_it_was(fixture: &CrawlFixture) {
    let web = small_site().await;
    let source = fixture.add_site(&web.url("/")).await;
    fixture.work().await;
    let (before, version) = (fixture.chunks().await, fixture.index_version().await);
    let pages = fixture.pages(&source).await;
    web.put("/1.html", Served::html(page("another", &[], "")));
    let gate = web.gate("/2.html");

    fixture.rescrape(&source).await;
    tokio::join!(fixture.work(), async {
        gate.reached().await;
        let cancelled = fixture.cancel(&source).await;
        assert_eq!((cancelled.status, cancelled.error), (SourceStatus::Indexed, None));
        gate.open();
    });

    assert_eq!(fixture.source(&source).await.status, SourceStatus::Indexed);
    assert_eq!((fixture.chunks().await, fixture.index_version().await), (before, version));
    assert_eq!(fixture.pages(&source).await, pages);
    let crawl = SyncReport::of(&fixture.source(&source).await).expect("a record");
    assert!(crawl.finished_at.is_some());

    // One that failed has failed, for the same reason; one that only waits asks for nothing.
    web.put("/", Served::status(500));
    again(fixture, &source).await;
    let failed = fixture.source(&source).await;
    web.take_hits();
    fixture.rescrape(&source).await;
    let cancelled = fixture.cancel(&source).await;
    fixture.work().await;
    assert_eq!((cancelled.status, &cancelled.error), (SourceStatus::Failed, &failed.error));
    assert_eq!(fixture.cancel(&source).await, cancelled, "there is nothing to cancel any more");
    assert!(web.take_hits().is_empty());
}

/// The sync that a worker of this name starts.
pub(super) async fn begin(fixture: &CrawlFixture, worker: &str) -> ActiveSync {
    let job = jobs::claim(&fixture.services, &[SYNC], worker, 1).await.expect("jobs").pop().expect("a job");
    let begun = sync::begin(&fixture.services, &job, worker).await.expect("a reading");
    begun.expect("the source is there")
}

/// A page with one passage.
pub(super) fn found(url: &str, text: &str) -> SyncedPage {
    let draft = ChunkDraft {
        kind: ChunkKind::Passage,
        question: None,
        heading: Vec::new(),
        text: text.to_owned(),
        url: None,
        page_title: None,
        language: None,
        phrasings: Vec::new(),
    };
    SyncedPage { chunks: vec![draft], ..SyncedPage::of(url, PageOutcome::Fetched) }
}

async fn texts(fixture: &CrawlFixture) -> Vec<String> {
    fixture.chunks().await.into_values().map(|stored| stored.chunk.text).collect()
}

async fn a_worker_that_lost_its_job_stores_nothing(fixture: &CrawlFixture) {
    let web = small_site().await;
    let source = fixture.add(&web.url("/"), SourceOptionsPatch::default()).await;
    let slow = begin(fixture, "slow").await;
    fixture.pass(jobs::LEASE + Duration::from_secs(1));
    let quick = begin(fixture, "quick").await;

    let late = sync::complete(&fixture.services, &slow, None, vec![found(&source.url, "late")]).await;
    assert!(matches!(late, Err(Error::NotFound(_))), "{late:?}");
    let visits = vec![("x".into(), "{}".into())];
    let kept = sync::keep(&fixture.services, &slow, visits, PageCounts::default(), Vec::new()).await;
    assert!(matches!(kept, Err(Error::NotFound(_))), "{kept:?}");
    let failed = sync::fail(&fixture.services, &slow, "late").await;
    assert!(matches!(failed, Err(Error::NotFound(_))), "{failed:?}");
    assert_eq!(fixture.source(&source).await.status, SourceStatus::Scraping);
    sync::complete(&fixture.services, &quick, None, vec![found(&source.url, "in time")]).await.expect("stored");

    assert_eq!(texts(fixture).await, ["in time"]);
    // The job ended with what it stored: no worker finds it, and another may be asked for.
    fixture.work().await;
    assert_eq!(web.take_hits().len(), 0);
    fixture.rescrape(&source).await;
    fixture.work().await;
    assert_eq!(web.take_hits().len(), 1);
}

async fn a_file_replaced_during_a_sync_is_synced_again(fixture: &CrawlFixture) {
    let add = async |content: &[u8]| {
        let (services, site) = (&fixture.services, Some(fixture.site));
        sources::add_file(services, &fixture.operator, site, "help.txt", content.to_vec()).await.expect("a file").0
    };
    let source = add(b"The first version of this text is long enough to be kept.").await;
    let first = begin(fixture, "a worker").await;
    let (_, bytes) = sync::file(&fixture.services, &source).await.expect("the file");
    add(b"The second version of this text is long enough to be kept.").await;

    let text = String::from_utf8(bytes).expect("text");
    let stored = sync::complete(&fixture.services, &first, None, vec![found("help.txt", &text)]).await;
    fixture.work().await;

    assert!(matches!(stored, Err(Error::NotFound(_))), "{stored:?}");
    assert_eq!(texts(fixture).await, ["The second version of this text is long enough to be kept."]);
}

async fn a_crawl_that_takes_too_long_is_indexed_as_far_as_it_came(fixture: &CrawlFixture) {
    let web = small_site().await;
    let source = fixture.add_site(&web.url("/")).await;
    fixture.work().await;
    let before = fixture.chunks().await;

    fixture.rescrape(&source).await;
    fixture.work_with(Manners { delay: Duration::ZERO, crawl_time: Duration::ZERO, ..Manners::default() }).await;

    assert_eq!(fixture.source(&source).await.status, SourceStatus::Indexed);
    let (outcome, reason, chunks) = fixture.row(&source, "/2.html").await;
    assert_eq!((outcome, chunks), (PageOutcome::Skipped, 3));
    assert_eq!(reason.as_deref(), Some("Not reached: the sync took the maximum time"));
    assert_eq!(fixture.chunks().await, before);
}

async fn a_scheduled_source_is_read_again_when_its_time_has_come(fixture: &CrawlFixture) {
    let web = small_site().await;
    let hourly = SourceOptionsPatch { schedule: Some(SourceSchedule::Hourly), ..SourceOptionsPatch::default() };
    let source = fixture.add(&web.url("/"), hourly).await;
    fixture.work().await;
    assert_eq!(web.take_hits().len(), 1);

    fixture.pass(Duration::from_secs(53 * 60));
    fixture.work().await;
    assert_eq!(web.take_hits().len(), 0);
    fixture.pass(Duration::from_secs(14 * 60));
    fixture.work().await;
    assert_eq!(web.take_hits().len(), 1);

    let never = SourceOptionsPatch {
        schedule: Some(SourceSchedule::None),
        scope: Some(SourceScope::Page),
        ..SourceOptionsPatch::default()
    };
    let updated = sources::update(&fixture.services, &fixture.operator, Some(fixture.site), source.id, never).await;
    assert_eq!(updated.expect("the source is changed").next_scrape_at, None);
    fixture.pass(Duration::from_secs(24 * 3_600));
    fixture.work().await;
    assert_eq!(web.take_hits().len(), 0);
}

async fn progress_is_reported_until_the_end(fixture: &CrawlFixture) {
    use futures_util::StreamExt as _;

    let web = small_site().await;
    let gate = web.gate("/2.html");
    let source = fixture.add_site(&web.url("/")).await;
    let watch = sources::progress::watch(&fixture.services, &fixture.operator, Some(fixture.site), source.id).await;
    let states = watch.expect("the owner may watch").map(|source| source.expect("a state").status);

    let (states, ()) =
        tokio::join!(helpbot_tests::in_time("the end of the watch", states.collect::<Vec<_>>()), async {
            let work = fixture.work();
            let open = async {
                gate.reached().await;
                gate.open();
            };
            tokio::join!(work, open);
        });

    assert_eq!(states.first(), Some(&SourceStatus::Pending));
    assert_eq!(states.last(), Some(&SourceStatus::Indexed));
    assert!(states.iter().rev().skip(1).all(|status| status.is_busy()), "{states:?}");
}
