//! The gate before a sync goes live: a sync that would lose too many of the site's passing test
//! questions is held back, and the previous content keeps answering.

use helpbot_db as db;
use helpbot_engine::{AnswerPolicy, Chunk, Index};

use crate::knowledge::answer_rules;
use crate::knowledge::chunks;
use crate::knowledge::evaluation::{self, TestQuestion};
use crate::knowledge::{indexes, promises};
use crate::{Error, Result, Services, blocking};
use helpbot_domain::site::Site;
use helpbot_domain::source::Source;

/// Maximum number of questions that a reason names.
const NAMED_MAX: usize = 3;

/// The gate of a site whose owner limits the losses.
pub(super) struct TestGate {
    site: Site,
    settings: AnswerPolicy,
    allowed: u32,
    tests: Vec<TestQuestion>,
}

/// Returns the gate for the syncs of a source. `None` when its site has no test questions or no
/// limit.
///
/// # Errors
/// Only errors of the database.
pub(super) async fn of(services: &Services, source: &Source) -> Result<Option<TestGate>> {
    let site = db::sites::by_id(&mut services.db.reader().await?, source.site_id).await?;
    let site = site.ok_or(Error::NotFound("Site"))?;
    let settings = promises::policy(services, &site).await?;
    let Some(allowed) = settings.allowed_losses else { return Ok(None) };
    let tests = evaluation::saved(services, site.id).await?;
    Ok((!tests.is_empty()).then_some(TestGate { site, settings, allowed, tests }))
}

impl TestGate {
    /// Returns why the staged sync of a source must be held back: it would lose more of the passing
    /// test questions than the owner allows. `None` when it may go live.
    ///
    /// # Errors
    /// Only errors of the database.
    pub(super) async fn held_back(self, services: &Services, source: &Source) -> Result<Option<String>> {
        let Self { site, settings, allowed, tests } = self;
        let now = indexes::current(services, &site).await?;
        let chunks = chunks::as_if_published(services, site.id, source.id).await?;
        let chunks: Vec<Chunk> = chunks.into_iter().map(|stored| stored.chunk).collect();
        let rules = answer_rules::all(services, site.id).await?;
        let lost = blocking(move || {
            let then = Index::build(chunks, now.given_language()).with_rules(rules);
            let is_lost =
                |test: &&TestQuestion| test.ask(&now, &settings).is_passed && !test.ask(&then, &settings).is_passed;
            tests.iter().filter(is_lost).map(|test| test.question.clone()).collect::<Vec<String>>()
        })
        .await?;
        let is_too_many = lost.len() > usize::try_from(allowed).unwrap_or(usize::MAX);
        Ok(is_too_many.then(|| reason(&lost, allowed)))
    }
}

fn reason(lost: &[String], allowed: u32) -> String {
    let named: Vec<String> =
        lost.iter().take(NAMED_MAX).map(|question| format!("\u{201c}{question}\u{201d}")).collect();
    let more = if lost.len() > NAMED_MAX { ", …" } else { "" };
    format!(
        "The sync was held back, because {} passing test questions would fail and at most {allowed} may: {}{more}. The previous content still answers.",
        lost.len(),
        named.join(", "),
    )
}
