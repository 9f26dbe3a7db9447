//! Reads one source: fetches its page, crawls its site or loads its file, and extracts the content.
//!
//! Called by the worker. A single page is fetched because its owner named it, as a browser would fetch
//! it. robots.txt and `noindex` apply to crawls, which find pages by themselves.

use std::sync::Arc;
use std::time::Duration;

use helpbot_domain::source::{Document, PageOutcome, Source, SourceKind};
use helpbot_outbound::{Conditional, FetchedPage};
use helpbot_services::sources::SourceOptions;
use helpbot_services::sources::options::SourceScope;
use helpbot_services::sources::{
    page_sync::{EarlierChunks, SyncedPage},
    sync::{self, ActiveSync},
};
use helpbot_services::{Error, Result};
use url::Url;

use crate::crawl::Crawled;
use crate::crawl::plan::is_same_site;
use crate::extract::{ExtractError, Page};
use crate::reader::{ReadOutcome, Reader};
use crate::{content, crawl, drafts, files, reasons};

/// Reason for pages that were part of the source when it had a wider scope.
const NOT_THE_PAGE: &str = "Left out: the source covers only its own page";

/// What was read of a source.
pub(super) enum SourceContent {
    /// The only page, or the reason why there is none.
    Page(ReadOutcome),
    /// The pages of a crawl, whose texts are stored already.
    Crawled(Crawled),
}

/// Reads a source. A problem with its content is an outcome, not an error.
///
/// # Errors
/// Problems on our side, which may not occur at the next attempt. `NotFound` when the source was deleted
/// in the meantime.
pub(super) async fn source(reader: &Arc<Reader>, active: &ActiveSync) -> Result<SourceContent> {
    let source = &active.source;
    let options = SourceOptions::of(source);
    let outcome = match (source.kind, options.scope) {
        (SourceKind::Url, SourceScope::Page) => page(reader, source).await?,
        (SourceKind::Url, SourceScope::Section | SourceScope::Site) => {
            match crawl::site(reader, active, &options).await? {
                Ok(crawled) => return Ok(SourceContent::Crawled(crawled)),
                Err(reason) => ReadOutcome::Failed(reason),
            }
        }
        (SourceKind::File | SourceKind::Text, _) => file(reader, source).await?,
    };
    Ok(SourceContent::Page(outcome))
}

async fn page(reader: &Reader, source: &Source) -> Result<ReadOutcome> {
    let url = Url::parse(&source.url).map_err(Error::internal)?;
    let mut known = sync::known_pages(&reader.services, source).await?;
    let conditional = known.remove(url.as_str()).as_ref().and_then(conditional);
    let fetched = match reader.get_page(&url, conditional.as_ref(), Duration::ZERO).await {
        Ok(fetched) => fetched,
        Err(error) => return Ok(ReadOutcome::Failed(reasons::of_fetch(&error))),
    };
    let outcome = match fetched.status {
        304 => {
            let page = SyncedPage::of(source.url.clone(), PageOutcome::Unchanged);
            ReadOutcome::Read { title: None, pages: vec![page] }
        }
        200..300 => fetched_page(reader, source, fetched).await?,
        status => ReadOutcome::Failed(reasons::of_status(status)),
    };
    Ok(alone(outcome, known.into_keys()))
}

/// Adds to the outcome that the pages at `others` are not part of the source.
fn alone(outcome: ReadOutcome, others: impl Iterator<Item = String>) -> ReadOutcome {
    let ReadOutcome::Read { title, mut pages } = outcome else { return outcome };
    pages.extend(others.map(|url| SyncedPage {
        reason: Some(NOT_THE_PAGE.to_owned()),
        earlier: EarlierChunks::Leaves,
        ..SyncedPage::of(url, PageOutcome::Skipped)
    }));
    ReadOutcome::Read { title, pages }
}

/// Returns what lets the server answer "not modified". `None` while no chunk of the page is indexed.
fn conditional(known: &Document) -> Option<Conditional> {
    let has_validator = known.etag.is_some() || known.last_modified.is_some();
    (known.chunk_count > 0 && has_validator)
        .then(|| Conditional { etag: known.etag.clone(), last_modified: known.last_modified.clone() })
}

async fn fetched_page(reader: &Reader, source: &Source, fetched: FetchedPage) -> Result<ReadOutcome> {
    let kind = match content::kind(fetched.content_type.as_deref(), &fetched.body) {
        Ok(kind) => kind,
        Err(reason) => return Ok(ReadOutcome::Failed(reason)),
    };
    let validators = (fetched.etag.clone(), fetched.last_modified.clone());
    let address = fetched.final_url.clone();
    let page = match reader.extract(move |child| content::read(&fetched, kind, child)).await? {
        Ok(page) => page,
        Err(ExtractError::Empty | ExtractError::NeedsScripts) => {
            return Ok(ReadOutcome::Failed(reasons::NOTHING_ON_PAGE.to_owned()));
        }
        Err(error) => return Ok(ReadOutcome::Failed(format!("The page was fetched, but {error}"))),
    };
    let page = with_frames(reader, page, &address).await?;
    Ok(read(source, page, Some(&address), validators, reasons::NOTHING_ON_PAGE))
}

/// Maximum number of frames that are read together with their page.
const FRAMES_MAX: usize = 5;

/// Adds the content of the frames on the same site: visitors see it as part of the page.
async fn with_frames(reader: &Reader, mut page: Page, address: &Url) -> Result<Page> {
    let frames: Vec<Url> = page.frames.iter().filter(|frame| is_same_site(address, frame)).cloned().collect();
    for frame in frames.into_iter().take(FRAMES_MAX) {
        // A frame that cannot be read leaves the page as it is.
        let Ok(fetched) = reader.get_page(&frame, None, Duration::ZERO).await else { continue };
        let kind = content::kind(fetched.content_type.as_deref(), &fetched.body);
        if (200..300).contains(&fetched.status)
            && let Ok(kind) = kind
            && let Ok(framed) = reader.extract(move |child| content::read(&fetched, kind, child)).await?
        {
            page.items.extend(framed.items);
        }
    }
    Ok(page)
}

async fn file(reader: &Reader, source: &Source) -> Result<ReadOutcome> {
    let (name, bytes) = match sync::file(&reader.services, source).await {
        Ok(file) => file,
        Err(Error::NotFound(_)) => {
            return Ok(ReadOutcome::Failed("The file is no longer stored. Upload it again".into()));
        }
        Err(error) => return Err(error),
    };
    match reader.extract(move |child| files::extract_with(&name, &bytes, child)).await? {
        Ok(mut page) => {
            if source.kind == SourceKind::Text {
                // The owner of a text chose its title.
                page.title.clone_from(&source.url);
            }
            Ok(read(source, page, None, (None, None), reasons::NOTHING_IN_FILE))
        }
        Err(error) => Ok(ReadOutcome::Failed(format!("The file could not be read: {error}"))),
    }
}

fn read(
    source: &Source,
    page: Page,
    address: Option<&Url>,
    (etag, last_modified): (Option<String>, Option<String>),
    nothing: &str,
) -> ReadOutcome {
    let mut chunks = drafts::of_page(&page, address);
    chunks.extend(drafts::facts_of_page(&page, address));
    if chunks.is_empty() {
        return ReadOutcome::Failed(nothing.to_owned());
    }
    let title = Some(page.title).filter(|title| !title.is_empty());
    let page = SyncedPage {
        title: title.clone(),
        language: page.language,
        etag,
        last_modified,
        chunks,
        omitted: page.omitted,
        ..SyncedPage::of(source.url.clone(), PageOutcome::Fetched)
    };
    ReadOutcome::Read { title, pages: vec![page] }
}
