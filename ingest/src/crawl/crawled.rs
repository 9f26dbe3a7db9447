//! The result of a crawl. Called by the worker, which hands the pages to `services` one after the other: the texts of
//! each are read from its stored visit, so that no more than one page is in memory.

use helpbot_domain::extraction::{Omission, OmissionReason, SAMPLE_MAX_CHARS};
use helpbot_domain::source::{PageOutcome, Source};
use helpbot_domain::text;
use helpbot_engine::ChunkDraft;
use helpbot_services::sources::Staging;
use helpbot_services::sources::page_sync::SyncedPage;
use helpbot_services::sources::sync::{self, ActiveSync, CompletedSync};
use helpbot_services::sources::sync_report::LeftOut;
use helpbot_services::{Error, Result, Services};

use super::report::{PageContent, Row};
use super::visit::{ReadPage, UrlContent, Visit};

/// The pages of a crawl.
pub(crate) struct Crawled {
    pub(super) title: Option<String>,
    pub(super) rows: Vec<Row>,
    pub(super) left_out: Vec<LeftOut>,
}

impl Crawled {
    /// Stores the pages and lets them answer.
    ///
    /// # Errors
    /// Problems on our side. `NotFound` when the source was deleted or the job was lost in the meantime.
    pub(crate) async fn store(self, services: &Services, active: &ActiveSync) -> Result<CompletedSync> {
        let mut staging = Staging::begin(services, active).await?;
        for Row { page, content } in self.rows {
            let page = match content {
                Some(content) => with_content(services, &active.source, page, content).await?,
                None => page,
            };
            staging.add(page).await?;
        }
        staging.end(self.title, self.left_out).await
    }
}

async fn with_content(
    services: &Services,
    source: &Source,
    mut page: SyncedPage,
    content: PageContent,
) -> Result<SyncedPage> {
    let stored = sync::visit(services, source, &content.visit).await?;
    let stored = stored.ok_or_else(|| Error::internal("the visit to a page that was read is not stored"))?;
    let visit: Visit = serde_json::from_str(&stored).map_err(Error::internal)?;
    let UrlContent::Page(read) = visit.found else {
        return Err(Error::internal("the stored visit to a page that was read has no page"));
    };
    let ReadPage { title, language, canonical, links, mut chunks, facts, mut omitted, .. } = *read;
    let canonical = canonical.filter(|_| content.has_canonical);
    page.links = Some(canonical.into_iter().chain(links).map(String::from).collect());
    if page.outcome == PageOutcome::Fetched {
        for (at, fact) in facts.into_iter().enumerate() {
            if content.facts.contains(&at) { chunks.push(fact) } else { omitted.push(repeated(&fact)) }
        }
        (page.title, page.language, page.chunks, page.omitted) = (title, language, chunks, omitted);
    }
    Ok(page)
}

/// Returns the omission of a fact that another page has already.
fn repeated(fact: &ChunkDraft) -> Omission {
    let sample = text::cut(&fact.text, SAMPLE_MAX_CHARS).to_owned();
    Omission { reason: OmissionReason::OnAnotherPage, sample }
}
