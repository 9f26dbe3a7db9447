//! Test questions: what a site must be able to answer. They run on demand, from a file, and before
//! a sync goes live.
//!
//! A question passes when the site would answer it and the best result is the expected one. A
//! question that expects nothing passes when the site would not answer. Only the site's own index
//! decides and no model server is asked, so a run costs nothing and is repeatable.

use helpbot_db as db;
use helpbot_domain::conversation::{Outcome, question};
use helpbot_domain::ids::{CaseId, ChunkId, SiteId, SourceId};
use helpbot_domain::key::Scope;
use helpbot_domain::promise::Judged;
use helpbot_domain::source::normal_url;
use helpbot_domain::{Invalid, text};
use helpbot_engine::topics::same_question_key;
use helpbot_engine::{AnswerPolicy, Chunk, Index, decide, evaluate};
use serde::Deserialize;

use crate::accounts::{audit_log, sites};
use crate::knowledge::{indexes, promises};
use crate::runtime::lookups::find_by_ids;
use crate::runtime::randomness;
use crate::{Error, Result, Services, Viewer, blocking, boxed};
use helpbot_domain::page::PageRequest;
use helpbot_domain::site::Site;

pub use helpbot_domain::evaluation::Case;

/// Maximum number of test questions of a site: more than anybody maintains, and few enough to run
/// before every sync.
const CASES_MAX: i64 = 1_000;
const ADDRESS_MAX_CHARS: usize = 2_000;

/// What the best result must match. All given values must match. Without values, there must be no
/// answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Source of the result.
    pub source_id: Option<SourceId>,
    /// Page of the result. With a fragment, the place on the page.
    pub url: Option<String>,
    /// Question of the result.
    pub question: Option<String>,
}

/// Input for a test question.
#[derive(Debug, Clone, Default)]
pub struct NewCase {
    /// The question, as a visitor would ask it.
    pub question: String,
    /// Source that the answer must come from.
    pub source_id: Option<SourceId>,
    /// Page that the answer must come from.
    pub url: Option<String>,
    /// Entry that the answer must come from. Its question is stored, because an entry of a page
    /// gets a new ID when its text changes.
    pub entry_id: Option<ChunkId>,
}

/// Result of one test question.
#[derive(Debug, Clone, PartialEq)]
pub struct TestResult {
    /// The stored test question. `None` for a question from a file.
    pub case_id: Option<CaseId>,
    /// The question.
    pub question: String,
    /// Whether the question passed.
    pub is_passed: bool,
    /// What a visitor would get: an answer, suggestions, or neither.
    pub outcome: Outcome,
    /// Rank of the expected result, from 1. `None` when it is not among the first ten, or nothing
    /// is expected.
    pub rank: Option<usize>,
    /// Probability that the best result answers the question, from 0 to 1.
    pub confidence: f64,
    /// Title of the best result.
    pub found_title: Option<String>,
    /// Address of the best result.
    pub found_url: Option<String>,
}

/// Stores a test question.
///
/// # Errors
/// `Forbidden`; `LimitReached`; `Invalid` names the field; `NotFound` for an entry or a source that
/// the site does not have.
#[boxed]
pub async fn add(services: &Services, viewer: &Viewer, named: Option<SiteId>, new: NewCase) -> Result<Case> {
    viewer.require(Scope::WriteSources)?;
    let (site, now) = (sites::get(services, viewer, named).await?.id, services.now());
    let mut case = Case {
        site_id: site,
        id: CaseId::from_uuid(randomness::uuid(now)),
        question: question(&new.question)?,
        expected_source_id: new.source_id,
        expected_url: new.url.as_deref().map(address).transpose()?,
        expected_question: None,
        created_at: now,
    };
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                if db::evaluation::count(c, site).await? >= CASES_MAX {
                    return Err(Error::LimitReached(format!(
                        "A site can have at most {CASES_MAX} test questions. Delete one first."
                    )));
                }
                if let Some(source) = case.expected_source_id {
                    let found = db::sources::by_id(c, site, source).await?;
                    found.ok_or(Error::NoSuch { noun: "Source", field: "sourceId" })?;
                }
                if let Some(entry) = new.entry_id {
                    let entry = db::chunks::by_ids(c, site, &[entry]).await?.pop();
                    let question = entry.and_then(|found| found.chunk.question);
                    case.expected_question = Some(question.ok_or(Error::NoSuch { noun: "Entry", field: "entryId" })?);
                }
                audit_log::created(&case.id);
                db::evaluation::insert(c, &case).await?;
                Ok(case)
            })
        })
        .await
}

/// Deletes a test question.
///
/// # Errors
/// `Forbidden`; `NotFound`.
#[boxed]
pub async fn delete(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: CaseId) -> Result<()> {
    viewer.require(Scope::WriteSources)?;
    let site = viewer.site(named)?;
    let is_deleted: bool = services
        .db
        .write(move |c| Box::pin(async move { Ok::<_, Error>(db::evaluation::delete(c, site, id).await?) }))
        .await?;
    if is_deleted { Ok(()) } else { Err(Error::NotFound("Test question")) }
}

/// Returns one page of the site's test questions, ordered by ID and therefore oldest first.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn list(services: &Services, viewer: &Viewer, site: &Site, page: PageRequest<CaseId>) -> Result<Vec<Case>> {
    viewer.require(Scope::ReadSources)?;
    let site = viewer.site(Some(site.id))?;
    Ok(db::evaluation::list(&mut services.db.reader().await?, site, page).await?)
}

find_by_ids! {
    /// Returns the test questions of the site with these IDs. Unknown IDs are left out.
    by_ids, ReadSources, CaseId => Case, db::evaluation::by_ids
}

/// Returns the number of the site's test questions.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn total(services: &Services, viewer: &Viewer, site: &Site) -> Result<i64> {
    viewer.require(Scope::ReadSources)?;
    let site = viewer.site(Some(site.id))?;
    Ok(db::evaluation::count(&mut services.db.reader().await?, site).await?)
}

/// Returns how many passing test questions a sync may break before it is held back. `None` means
/// any number.
///
/// # Errors
/// `Forbidden`.
pub fn allowed_losses(viewer: &Viewer, site: &Site) -> Result<Option<u32>> {
    Ok(sites::answer_settings(viewer, site)?.allowed_losses)
}

/// Sets how many passing test questions a sync may break before it is held back. `Some(None)` means any
/// number, and `None` leaves the setting as it is.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` for a negative number.
#[boxed]
pub async fn set_allowed_losses(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    allowed_losses: Option<Option<i64>>,
) -> Result<Site> {
    viewer.require(Scope::WriteConfig)?;
    let site = viewer.site(named)?;
    let refused = |_| Invalid::new("allowedLosses", "allowedLosses must be 0 or more.");
    let checked = |losses: Option<i64>| losses.map(u32::try_from).transpose().map_err(refused);
    let allowed_losses = allowed_losses.map(checked).transpose()?;
    let changed = sites::change(services, site, move |site| {
        let settings = sites::parsed_settings(site);
        let allowed_losses = allowed_losses.unwrap_or(settings.allowed_losses);
        site.answer_settings = db::columns::to_json(&AnswerPolicy { allowed_losses, ..settings });
        Ok(())
    });
    changed.await.map(|(site, ())| site)
}

/// Runs the stored test questions against the site's current index, in the order in which they were
/// added.
///
/// # Errors
/// `Forbidden`; `NotFound`.
#[boxed]
pub async fn run(services: &Services, viewer: &Viewer, named: Option<SiteId>) -> Result<Vec<TestResult>> {
    viewer.require(Scope::ReadSources)?;
    let site = sites::get(services, viewer, named).await?;
    let tests = saved(services, site.id).await?;
    let results = run_tests(services, &site, tests).await?;
    let judged = judged(&results);
    let id = site.id;
    let write = services.db.write_of(id, move |c| {
        Box::pin(async move { Ok::<_, Error>(db::judged_answers::set_by_cases(c, id, judged).await?) })
    });
    write.await?;
    Ok(results)
}

/// The answers to test questions. One from another origin than expected is wrong.
fn judged(results: &[TestResult]) -> Judged {
    let answered = results.iter().filter(|result| result.outcome == Outcome::Answered);
    answered.map(|result| Judged::one(result.is_passed)).fold(Judged::default(), Judged::and)
}

/// Runs test questions from JSON lines against the site's current index, in their order. Each line
/// is `{"question", "source"?, "url"?, "entry"?}` with the ID of the source, the address of the
/// page and the question of the entry. For `helpbot eval`.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` names the first malformed line.
#[boxed]
pub async fn run_lines(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    lines: &str,
) -> Result<Vec<TestResult>> {
    viewer.require(Scope::ReadSources)?;
    let site = sites::get(services, viewer, named).await?;
    let lines: Vec<TestLine> = evaluate::read(lines).map_err(|error| Invalid::new("file", error.to_string()))?;
    let tests = lines.into_iter().map(TestQuestion::try_from).collect::<Result<_>>()?;
    run_tests(services, &site, tests).await
}

/// Returns the stored test questions of a site.
pub(crate) async fn saved(services: &Services, site: SiteId) -> Result<Vec<TestQuestion>> {
    let cases = db::evaluation::list(&mut services.db.reader().await?, site, PageRequest::first(CASES_MAX)).await?;
    Ok(cases.into_iter().map(TestQuestion::from).collect())
}

async fn run_tests(services: &Services, site: &Site, tests: Vec<TestQuestion>) -> Result<Vec<TestResult>> {
    let (index, settings) = (indexes::current(services, site).await?, promises::policy(services, site).await?);
    blocking(move || tests.iter().map(|test| test.ask(&index, &settings)).collect()).await
}

/// A question with its expected result.
pub(crate) struct TestQuestion {
    case_id: Option<CaseId>,
    pub(crate) question: String,
    expected: Expected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TestLine {
    question: String,
    source: Option<SourceId>,
    url: Option<String>,
    entry: Option<String>,
}

impl From<Case> for TestQuestion {
    fn from(case: Case) -> Self {
        let expected =
            Expected { source_id: case.expected_source_id, url: case.expected_url, question: case.expected_question };
        Self { case_id: Some(case.id), question: case.question, expected }
    }
}

impl TryFrom<TestLine> for TestQuestion {
    type Error = Error;

    fn try_from(line: TestLine) -> Result<Self> {
        let url = line.url.as_deref().map(address).transpose()?;
        let expected = Expected { source_id: line.source, url, question: line.entry };
        Ok(Self { case_id: None, question: question(&line.question)?, expected })
    }
}

impl TestQuestion {
    /// Runs the question against an index.
    pub(crate) fn ask(&self, index: &Index, settings: &AnswerPolicy) -> TestResult {
        let retrieval = index.retrieve(&self.question, None);
        let decision = decide(&retrieval, settings);
        let is_answered = decision.outcome == Outcome::Answered;
        let place = retrieval.candidates.iter().position(|found| self.expected.is_met_by(&found.chunk));
        let expects_answer = self.expected != Expected::default();
        let rank = place.filter(|_| expects_answer).map(|place| place + 1);
        let best = retrieval.candidates.first().map(|best| &best.chunk);
        TestResult {
            case_id: self.case_id,
            question: self.question.clone(),
            is_passed: if expects_answer { is_answered && rank == Some(1) } else { !is_answered },
            outcome: decision.outcome,
            rank,
            confidence: decision.confidence,
            found_title: best.map(|chunk| chunk.title().to_owned()),
            found_url: best.and_then(|chunk| chunk.url.clone()),
        }
    }
}

impl Expected {
    fn is_met_by(&self, chunk: &Chunk) -> bool {
        let is_source = self.source_id.is_none_or(|source| source == chunk.source_id);
        let is_page = self.url.as_deref().is_none_or(|url| chunk.url.as_deref().is_some_and(|at| is_at(at, url)));
        let is_entry = self.question.as_deref().is_none_or(|question| {
            let key = |text: &str| same_question_key(text);
            chunk.question.as_deref().is_some_and(|own| key(own) == key(question))
        });
        is_source && is_page && is_entry
    }
}

/// Returns whether an address is the expected one or a place on the expected page.
fn is_at(address: &str, wanted: &str) -> bool {
    address == wanted || (!wanted.contains('#') && address.split('#').next() == Some(wanted))
}

/// Normalizes an address in the same way as those of pages, and keeps its fragment.
fn address(url: &str) -> Result<String> {
    let url = text::required("url", url, ADDRESS_MAX_CHARS)?;
    let (page, fragment) = url.split_once('#').unwrap_or((&url, ""));
    let page = normal_url(page)?;
    Ok(if fragment.is_empty() { page.into() } else { format!("{page}#{fragment}") })
}
