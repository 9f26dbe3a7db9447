//! Saved test questions: what a site must be able to answer, run on demand, from a file, and
//! before a new reading of a source goes live.
//!
//! A case passes when the site would answer, and the best of what it found is what was expected;
//! a case that expects nothing passes when the site would not answer. The site's own words
//! decide; a model server is not asked, so that a run costs nothing and gives the same each time.

use helpbot_db as db;
use helpbot_domain::conversation::{Outcome, question};
use helpbot_domain::ids::{CaseId, ChunkId, SiteId, SourceId};
use helpbot_domain::key::Scope;
use helpbot_domain::source::normal_url;
use helpbot_domain::{Invalid, text};
use helpbot_engine::topics::same_question_key;
use helpbot_engine::{AnswerPolicy, Chunk, Index, decide, evaluate};
use serde::Deserialize;

use crate::accounts::sites;
use crate::runtime::randomness;
use crate::sources::preview;
use crate::sources::reading::PageReading;
use crate::{Error, Part, Result, Services, Site, Source, Viewer, blocking, boxed};

pub use helpbot_db::evaluation::Case;

/// Cases of a site: far more than anybody keeps up, few enough to run before every reading.
const CASES_MAX: i64 = 1_000;
const ADDRESS_MAX_CHARS: usize = 2_000;
/// Questions named in the reason of a reading that is held back.
const NAMED_MAX: usize = 3;

/// What an answer must come from; all of it together. Nothing: there must be no answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// The source.
    pub source_id: Option<SourceId>,
    /// The page; with a fragment, the place on it.
    pub url: Option<String>,
    /// The question of the entry.
    pub question: Option<String>,
}

/// A case to be saved.
#[derive(Debug, Clone, Default)]
pub struct NewCase {
    /// As a visitor would ask it.
    pub question: String,
    /// The source that the answer must come from.
    pub source_id: Option<SourceId>,
    /// The page that it must come from.
    pub url: Option<String>,
    /// The entry that it must come from; kept as its question, since a page's entry gets a new
    /// id with each change of its text.
    pub entry_id: Option<ChunkId>,
}

/// How one question did.
#[derive(Debug, Clone, PartialEq)]
pub struct Tested {
    /// The saved case; none for a line of a file.
    pub case_id: Option<CaseId>,
    /// The question.
    pub question: String,
    /// Whether it did as expected.
    pub is_passed: bool,
    /// What a visitor would get: answered, suggested or declined.
    pub outcome: Outcome,
    /// The place of what was expected among what was found, from 1; none when it was not found
    /// among the first ten, or nothing was expected.
    pub rank: Option<usize>,
    /// The probability that the best entry found answers the question, 0 to 1.
    pub confidence: f64,
    /// The title of the best entry found.
    pub found_title: Option<String>,
    /// Its address.
    pub found_url: Option<String>,
}

/// Saves a test question.
///
/// # Errors
/// `Forbidden`; `LimitReached`; `Invalid` names the field; `NotFound` for an entry or a source
/// that the site does not have.
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
                    return Err(Error::LimitReached(format!("A site may have {CASES_MAX} test questions")));
                }
                if let Some(source) = case.expected_source_id {
                    db::sources::by_id(c, site, source).await?.ok_or(Error::NotFound("Source"))?;
                }
                if let Some(entry) = new.entry_id {
                    let entry = db::chunks::by_ids(c, site, &[entry]).await?.pop();
                    case.expected_question = Some(entry.and_then(|e| e.question).ok_or(Error::NotFound("Entry"))?);
                }
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

/// A part of the site's test questions, which go by id: oldest first.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn list(services: &Services, viewer: &Viewer, site: &Site, part: Part<CaseId>) -> Result<Vec<Case>> {
    viewer.require(Scope::ReadSources)?;
    let site = viewer.site(Some(site.id))?;
    Ok(db::evaluation::list(&mut services.db.reader().await?, site, part).await?)
}

/// How many test questions the site has.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn total(services: &Services, viewer: &Viewer, site: &Site) -> Result<i64> {
    viewer.require(Scope::ReadSources)?;
    let site = viewer.site(Some(site.id))?;
    Ok(db::evaluation::count(&mut services.db.reader().await?, site).await?)
}

/// How many passing test questions a new reading of a source may lose; none: as many as it will.
///
/// # Errors
/// `Forbidden`.
pub fn allowed_losses(viewer: &Viewer, site: &Site) -> Result<Option<u32>> {
    Ok(sites::answer_settings(viewer, site)?.allowed_losses)
}

/// Sets how many passing test questions a new reading of a source may lose.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` for less than none.
#[boxed]
pub async fn set_allowed_losses(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    allowed_losses: Option<i64>,
) -> Result<Site> {
    viewer.require(Scope::WriteConfig)?;
    let site = viewer.site(named)?;
    let refused = |_| Invalid::new("allowedLosses", "allowedLosses must be a count");
    let allowed_losses = allowed_losses.map(|count| u32::try_from(count).map_err(refused)).transpose()?;
    let changed = sites::change(services, site, move |site| {
        let settings = AnswerPolicy { allowed_losses, ..sites::parsed_settings(site) };
        site.answer_settings = db::columns::to_json(&settings);
        Ok(())
    });
    changed.await.map(|(site, ())| site)
}

/// Runs the saved test questions against what the site knows now, in the order of saving.
///
/// # Errors
/// `Forbidden`; `NotFound`.
#[boxed]
pub async fn run(services: &Services, viewer: &Viewer, named: Option<SiteId>) -> Result<Vec<Tested>> {
    viewer.require(Scope::ReadSources)?;
    let site = sites::get(services, viewer, named).await?;
    let tests = saved(services, site.id).await?;
    run_tests(services, &site, tests).await
}

/// Runs test questions from a text of JSON lines against what the site knows now, in their
/// order: `{"question", "source"?, "url"?, "entry"?}` with the source's id, the page's address
/// and the entry's question. For `helpbot eval`.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` names the first line that is none.
#[boxed]
pub async fn run_lines(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    lines: &str,
) -> Result<Vec<Tested>> {
    viewer.require(Scope::ReadSources)?;
    let site = sites::get(services, viewer, named).await?;
    let lines: Vec<Line> = evaluate::read(lines).map_err(|error| Invalid::new("file", error.to_string()))?;
    let tests = lines.into_iter().map(Test::try_from).collect::<Result<_>>()?;
    run_tests(services, &site, tests).await
}

/// Why a reading must not go live: it loses more of the test questions that pass now than the
/// owner allows. None when it may, or the owner has set no bound.
///
/// # Errors
/// Only the database's own.
pub(crate) async fn held_back(services: &Services, source: &Source, pages: &[PageReading]) -> Result<Option<String>> {
    let site = db::sites::by_id(&mut services.db.reader().await?, source.site_id).await?;
    let site = site.ok_or(Error::NotFound("Site"))?;
    let settings = sites::parsed_settings(&site);
    let Some(allowed) = settings.allowed_losses else { return Ok(None) };
    let tests = saved(services, site.id).await?;
    if tests.is_empty() {
        return Ok(None);
    }
    let now = services.current_index(&site).await?;
    let chunks = preview::chunks(services, source, pages).await?;
    let lost = blocking(move || {
        let then = Index::build(chunks, now.given_language());
        let is_lost = |test: &&Test| test.ask(&now, &settings).is_passed && !test.ask(&then, &settings).is_passed;
        tests.iter().filter(is_lost).map(|test| test.question.clone()).collect::<Vec<String>>()
    })
    .await?;
    let is_too_many = lost.len() > usize::try_from(allowed).unwrap_or(usize::MAX);
    Ok(is_too_many.then(|| reason(&lost, allowed)))
}

fn reason(lost: &[String], allowed: u32) -> String {
    let named: Vec<String> =
        lost.iter().take(NAMED_MAX).map(|question| format!("\u{201c}{question}\u{201d}")).collect();
    let more = if lost.len() > NAMED_MAX { ", …" } else { "" };
    format!(
        "Held back: {} test questions that pass would fail and {allowed} may: {}{more}. What was read before still answers",
        lost.len(),
        named.join(", "),
    )
}

async fn saved(services: &Services, site: SiteId) -> Result<Vec<Test>> {
    let cases = db::evaluation::list(&mut services.db.reader().await?, site, Part::first(CASES_MAX)).await?;
    Ok(cases.into_iter().map(Test::from).collect())
}

async fn run_tests(services: &Services, site: &Site, tests: Vec<Test>) -> Result<Vec<Tested>> {
    let (index, settings) = (services.current_index(site).await?, sites::parsed_settings(site));
    blocking(move || tests.iter().map(|test| test.ask(&index, &settings)).collect()).await
}

/// A question with what is expected of its answer, wherever it comes from.
struct Test {
    case_id: Option<CaseId>,
    question: String,
    expected: Expected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    question: String,
    source: Option<SourceId>,
    url: Option<String>,
    entry: Option<String>,
}

impl From<Case> for Test {
    fn from(case: Case) -> Self {
        let expected =
            Expected { source_id: case.expected_source_id, url: case.expected_url, question: case.expected_question };
        Self { case_id: Some(case.id), question: case.question, expected }
    }
}

impl TryFrom<Line> for Test {
    type Error = Error;

    fn try_from(line: Line) -> Result<Self> {
        let url = line.url.as_deref().map(address).transpose()?;
        let expected = Expected { source_id: line.source, url, question: line.entry };
        Ok(Self { case_id: None, question: question(&line.question)?, expected })
    }
}

impl Test {
    fn ask(&self, index: &Index, settings: &AnswerPolicy) -> Tested {
        let retrieval = index.retrieve(&self.question, None);
        let decision = decide(&retrieval, settings);
        let is_answered = decision.outcome == Outcome::Answered;
        let place = retrieval.candidates.iter().position(|found| self.expected.is_met_by(&found.chunk));
        let expects_answer = self.expected != Expected::default();
        let rank = place.filter(|_| expects_answer).map(|place| place + 1);
        let best = retrieval.candidates.first().map(|best| &best.chunk);
        Tested {
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

/// Whether an address is the wanted one, or a place on the wanted page.
fn is_at(address: &str, wanted: &str) -> bool {
    address == wanted || (!wanted.contains('#') && address.split('#').next() == Some(wanted))
}

/// An address in the form in which those of pages are stored, its fragment kept.
fn address(url: &str) -> Result<String> {
    let url = text::required("url", url, ADDRESS_MAX_CHARS)?;
    let (page, fragment) = url.split_once('#').unwrap_or((&url, ""));
    let page = normal_url(page)?;
    Ok(if fragment.is_empty() { page.into() } else { format!("{page}#{fragment}") })
}
