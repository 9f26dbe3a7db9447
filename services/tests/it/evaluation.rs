//! Test questions, and the syncs that they hold back.

use helpbot_domain::chunk::EntryFilter;
use helpbot_domain::conversation::Outcome;
use helpbot_domain::source::{PageOutcome, Source, SourceStatus};
use helpbot_engine::{ChunkDraft, ChunkKind};
use helpbot_services::knowledge::entries;
use helpbot_services::knowledge::evaluation::{self, NewCase, TestResult};
use helpbot_services::runtime::job_kinds;
use helpbot_services::runtime::jobs;
use helpbot_services::sources::{page_sync::SyncedPage, sync};
use helpbot_services::{Error, sources};

use crate::Fixture;

const PAGE: &str = "https://example.com/help";

fn page(entries: &[(&str, &str)]) -> SyncedPage {
    let draft = |(question, text): &(&str, &str)| ChunkDraft {
        kind: ChunkKind::Faq,
        question: Some((*question).to_owned()),
        heading: Vec::new(),
        text: (*text).to_owned(),
        url: Some(format!("{PAGE}#{}", question.len())),
        page_title: Some("Help".into()),
        language: None,
        phrasings: Vec::new(),
    };
    SyncedPage { chunks: entries.iter().map(draft).collect(), ..SyncedPage::of(PAGE, PageOutcome::Fetched) }
}

const DELIVERY: (&str, &str) = ("Do you deliver to Canada?", "Yes, within ten days.");
const REFUND: (&str, &str) = ("How do I get a refund?", "Send it back within a month.");
const HOURS: (&str, &str) = ("When are you open?", "From six to noon, on every day but Sunday.");

impl Fixture {
    async fn read_source(&self, pages: Vec<SyncedPage>) -> Source {
        let added = sources::add_url(&self.services, &self.viewer, Some(self.site.id), PAGE).await.unwrap().0;
        self.read(pages).await;
        self.source(&added).await
    }

    pub(crate) async fn read_again(&self, source: &Source, pages: Vec<SyncedPage>) {
        sources::request_sync(&self.services, &self.viewer, Some(self.site.id), source.id, None).await.unwrap();
        self.read(pages).await;
    }

    /// Does the queued sync, as a worker would.
    pub(crate) async fn read(&self, pages: Vec<SyncedPage>) {
        let job = jobs::claim(&self.services, &[job_kinds::SYNC], "a worker", 1).await.unwrap().pop().unwrap();
        let begun = sync::begin(&self.services, &job, "a worker").await.unwrap().unwrap();
        sync::complete(&self.services, &begun, None, pages).await.unwrap();
    }

    async fn source(&self, source: &Source) -> Source {
        let found = sources::by_ids(&self.services, &self.viewer, Some(self.site.id), &[source.id]).await.unwrap();
        found.into_iter().next().unwrap()
    }

    async fn case(&self, question: &str, url: Option<&str>) {
        self.tick();
        let new = NewCase { question: question.into(), url: url.map(str::to_owned), ..NewCase::default() };
        evaluation::add(&self.services, &self.viewer, Some(self.site.id), new).await.unwrap();
    }

    async fn run(&self) -> Vec<TestResult> {
        evaluation::run(&self.services, &self.viewer, Some(self.site.id)).await.unwrap()
    }
}

fn passed(tested: &[TestResult]) -> Vec<bool> {
    tested.iter().map(|tested| tested.is_passed).collect()
}

#[tokio::test]
async fn a_test_question_passes_when_the_answer_has_the_expected_source() {
    let on = Fixture::new().await;
    on.read_source(vec![page(&[DELIVERY, REFUND])]).await;
    let entry = on.entry(HOURS.0, HOURS.1).await;
    on.case("deliver to Canada?", Some(PAGE)).await;
    on.case("deliver to Canada?", Some("https://example.com/other")).await;
    on.case("Do you sell bicycles?", None).await;
    on.case("How do I get a refund?", None).await;
    on.tick();
    let opening = NewCase { question: "When are you open".into(), entry_id: Some(entry.id), ..NewCase::default() };
    evaluation::add(&on.services, &on.viewer, Some(on.site.id), opening).await.unwrap();

    let tested = on.run().await;

    assert_eq!(passed(&tested), [true, false, true, false, true], "{tested:#?}");
    assert_eq!(tested.iter().map(|tested| tested.rank).collect::<Vec<_>>(), [Some(1), None, None, None, Some(1)]);
    assert_eq!(tested[0].found_title.as_deref(), Some(DELIVERY.0));
    assert_eq!(tested[1].outcome, Outcome::Answered);
}

#[tokio::test]
async fn questions_from_a_file_run_like_stored_ones() {
    let on = Fixture::new().await;
    let source = on.read_source(vec![page(&[DELIVERY])]).await;
    let lines = format!(
        "{{\"question\": \"deliver to Canada?\", \"source\": \"{}\", \"entry\": \"do you deliver to canada\"}}\n\n\
         {{\"question\": \"Do you sell bicycles?\"}}\n",
        source.id
    );

    let run = |lines: String| {
        let (services, viewer, site) = (on.services.clone(), on.viewer.clone(), Some(on.site.id));
        async move { evaluation::run_lines(&services, &viewer, site, &lines).await }
    };

    assert_eq!(passed(&run(lines).await.unwrap()), [true, true]);
    let refused = run("{\"question\": \"a\"}\n{\"query\": \"b\"}".into()).await.unwrap_err();
    assert!(matches!(&refused, Error::Invalid(_)) && refused.to_string().contains("line 2"), "{refused}");
}

#[tokio::test]
async fn a_sync_that_breaks_too_many_test_questions_is_held_back_and_the_previous_content_answers() {
    let on = Fixture::new().await;
    let source = on.read_source(vec![page(&[DELIVERY, REFUND, HOURS])]).await;
    on.case(DELIVERY.0, Some(PAGE)).await;
    on.case(REFUND.0, Some(PAGE)).await;
    evaluation::set_allowed_losses(&on.services, &on.viewer, Some(on.site.id), Some(Some(1))).await.unwrap();

    on.read_again(&source, vec![page(&[HOURS])]).await;

    let failed = on.source(&source).await;
    assert_eq!(failed.status, SourceStatus::Failed);
    let reason = failed.error.unwrap_or_default();
    assert!(
        reason.starts_with("The sync was held back, because 2 passing test questions") && reason.contains(REFUND.0),
        "{reason}"
    );
    assert_eq!(failed.chunk_count, 3);
    assert_eq!(passed(&on.run().await), [true, true]);
}

#[tokio::test]
async fn a_sync_within_the_limit_goes_live() {
    let on = Fixture::new().await;
    let source = on.read_source(vec![page(&[DELIVERY, REFUND, HOURS])]).await;
    on.case(DELIVERY.0, Some(PAGE)).await;
    on.case(REFUND.0, Some(PAGE)).await;
    on.case("Do you sell bicycles?", Some(PAGE)).await;
    evaluation::set_allowed_losses(&on.services, &on.viewer, Some(on.site.id), Some(Some(1))).await.unwrap();

    let reworded = (DELIVERY.0, "Yes, within five days.");
    on.read_again(&source, vec![page(&[reworded, HOURS])]).await;

    let read = on.source(&source).await;
    assert_eq!((read.status, read.chunk_count), (SourceStatus::Indexed, 2));
    assert_eq!(passed(&on.run().await), [true, false, false]);
}

#[tokio::test]
async fn a_sync_that_only_moves_an_entry_on_its_page_keeps_its_phrasings_and_is_not_held_back() {
    let on = Fixture::new().await;
    let source = on.read_source(vec![page(&[DELIVERY, REFUND, HOURS])]).await;
    let (services, viewer, site) = (&on.services, &on.viewer, Some(on.site.id));
    let all = helpbot_domain::page::PageRequest::first(10);
    let canada = EntryFilter { words: Some("Canada".into()), ..EntryFilter::default() };
    let found = entries::list(services, viewer, &on.site, &canada, all).await.unwrap();
    entries::add_phrasing(services, viewer, site, found[0].id, "my gizmo went north").await.unwrap();
    on.case("my gizmo went north", Some(PAGE)).await;
    assert_eq!(passed(&on.run().await), [true]);
    evaluation::set_allowed_losses(services, viewer, site, Some(Some(0))).await.unwrap();

    let mut moved = page(&[HOURS, DELIVERY, REFUND]);
    moved.chunks[1].url = Some(format!("{PAGE}#delivery-to-canada"));
    on.read_again(&source, vec![moved]).await;

    let read = on.source(&source).await;
    assert_eq!((read.status, read.error), (SourceStatus::Indexed, None));
    assert_eq!(passed(&on.run().await), [true]);
}

#[tokio::test]
async fn without_a_limit_no_sync_is_held_back() {
    let on = Fixture::new().await;
    let source = on.read_source(vec![page(&[DELIVERY])]).await;
    on.case(DELIVERY.0, Some(PAGE)).await;

    on.read_again(&source, vec![page(&[HOURS])]).await;

    assert_eq!(on.source(&source).await.status, SourceStatus::Indexed);
    assert_eq!(passed(&on.run().await), [false]);
}

#[tokio::test]
async fn a_test_question_cannot_expect_objects_that_the_site_does_not_have() {
    let on = Fixture::new().await;
    let (site, gone) = (Some(on.site.id), on.entry(HOURS.0, HOURS.1).await);
    entries::delete(&on.services, &on.viewer, site, gone.id).await.unwrap();

    let new = |url: Option<&str>, entry_id| NewCase {
        question: "When?".into(),
        url: url.map(str::to_owned),
        entry_id,
        ..NewCase::default()
    };

    let no_entry = evaluation::add(&on.services, &on.viewer, site, new(None, Some(gone.id))).await;
    let no_address = evaluation::add(&on.services, &on.viewer, site, new(Some("nowhere"), None)).await;

    assert!(matches!(no_entry, Err(Error::NoSuch { noun: "Entry", .. })), "{no_entry:?}");
    assert!(matches!(no_address, Err(Error::Invalid(_))), "{no_address:?}");
    let below_none = evaluation::set_allowed_losses(&on.services, &on.viewer, site, Some(Some(-1))).await;
    assert!(matches!(below_none, Err(Error::Invalid(_))), "{below_none:?}");
}
