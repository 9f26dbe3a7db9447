//! What the owner of a site checks about a page: its entries and passages, what was left out and why,
//! and its last change.

use helpbot_db as db;
use helpbot_domain::chunk::{ChunkKind, StoredChunk};
use helpbot_domain::extraction::{Omission, PageChange};
use helpbot_domain::ids::{DocumentId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::page::PageRequest;
use helpbot_domain::source::{Document, Source};

use crate::{Result, Services, Viewer, boxed};

/// The last extraction of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageExtraction {
    /// Page that was read.
    pub page: DocumentId,
    /// Texts that were left out, in the order of the page.
    pub omitted: Vec<Omission>,
    /// Last change of the page's content. `None` when it has not changed since it was first read.
    pub last_change: Option<PageChange>,
}

/// Returns the page of a source with this address. `None` when the source has no such page.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn page_by_url(services: &Services, viewer: &Viewer, source: &Source, url: &str) -> Result<Option<Document>> {
    viewer.require(Scope::ReadSources)?;
    let site = viewer.site(Some(source.site_id))?;
    Ok(db::documents::by_url(&mut services.db.reader().await?, site, source.id, url).await?)
}

/// Returns the extractions of pages. Pages that were never read are left out.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn extractions(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    pages: &[DocumentId],
) -> Result<Vec<PageExtraction>> {
    viewer.require(Scope::ReadSources)?;
    let site = viewer.site(named)?;
    let rows = db::page_extractions::of_pages(&mut services.db.reader().await?, site, pages).await?;
    let parsed = rows.into_iter().map(|row| {
        Ok(PageExtraction {
            page: row.document_id,
            omitted: db::columns::json(&row.omitted)?,
            last_change: row.last_change.as_deref().map(db::columns::json).transpose()?,
        })
    });
    parsed.collect()
}

/// Returns a part of the list of a page's entries or passages, in their order on the page. A
/// backward part is in reverse order.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn page_chunks(
    services: &Services,
    viewer: &Viewer,
    page: &Document,
    kind: ChunkKind,
    part: PageRequest<i32>,
) -> Result<Vec<StoredChunk>> {
    viewer.require(Scope::ReadSources)?;
    let site = viewer.site(Some(page.site_id))?;
    Ok(db::chunks::of_document_part(&mut services.db.reader().await?, site, page.id, kind, part).await?)
}

/// Returns the number of a page's entries or passages.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn page_chunk_total(services: &Services, viewer: &Viewer, page: &Document, kind: ChunkKind) -> Result<i64> {
    viewer.require(Scope::ReadSources)?;
    let site = viewer.site(Some(page.site_id))?;
    Ok(db::chunks::count_of_document(&mut services.db.reader().await?, site, page.id, kind).await?)
}
