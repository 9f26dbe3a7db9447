//! The gate before a sync goes live: a sync that would lose too many of the site's passing test
//! questions is held back, and the previous content keeps answering.

use helpbot_db as db;
use helpbot_engine::Index;

use crate::accounts::sites;
use crate::knowledge::evaluation::{self, TestQuestion};
use crate::knowledge::indexes;
use crate::sources::page_sync::SyncedPage;
use crate::sources::preview;
use crate::{Error, Result, Services, blocking};
use helpbot_domain::source::Source;

/// Maximum number of questions that a reason names.
const NAMED_MAX: usize = 3;

/// Returns why a sync must be held back: it would lose more of the passing test questions than the
/// owner allows. `None` when it may go live, or the owner has set no limit.
///
/// # Errors
/// Only errors of the database.
pub(crate) async fn held_back(services: &Services, source: &Source, pages: &[SyncedPage]) -> Result<Option<String>> {
    let site = db::sites::by_id(&mut services.db.reader().await?, source.site_id).await?;
    let site = site.ok_or(Error::NotFound("Site"))?;
    let settings = sites::parsed_settings(&site);
    let Some(allowed) = settings.allowed_losses else { return Ok(None) };
    let tests = evaluation::saved(services, site.id).await?;
    if tests.is_empty() {
        return Ok(None);
    }
    let now = indexes::current(services, &site).await?;
    let chunks = preview::chunks(services, source, pages).await?;
    let lost = blocking(move || {
        let then = Index::build(chunks, now.given_language());
        let is_lost =
            |test: &&TestQuestion| test.ask(&now, &settings).is_passed && !test.ask(&then, &settings).is_passed;
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
        "The sync was held back, because {} passing test questions would fail and at most {allowed} may: {}{more}. The previous content still answers.",
        lost.len(),
        named.join(", "),
    )
}
