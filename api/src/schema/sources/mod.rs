//! Sources: the object, its pages, and its lists.

pub mod mutation;
pub mod options;
pub mod subscription;

use async_graphql::{ID, Object, Result, SimpleObject};
use helpbot_services::sources::{Crawl, Options};
use helpbot_services::{self as services, Document, Part, sources};

use self::options::{CrawlReport, SourceSchedule, SourceScope};
use crate::error::{Nullable, nullable};
use crate::schema::access::Access;
use crate::schema::enums::{PageOutcome, SourceKind, SourceStatus};
use crate::schema::ids::id;
use crate::schema::page::{self, PageArgs, connection};
use crate::schema::scalars::DateTime;
use crate::schema::sites::int;

/// Where answers come from: a page, a file, a text.
#[derive(Clone)]
pub struct Source {
    pub(crate) row: services::Source,
    pub(crate) access: Access,
}

connection! {
    /// Sources of a site, oldest first.
    SourceConnection,
    /// A source in a list.
    SourceEdge, Source
}

connection! {
    /// Pages of a source, by address: its crawl report.
    PageConnection,
    /// A page in a list.
    PageEdge, Page
}

/// Where answers come from: a page, a file, a text.
#[Object]
impl Source {
    /// Its id.
    pub async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// Page, file or text.
    async fn kind(&self) -> SourceKind {
        self.row.kind.into()
    }

    /// Its address in normal form, or the stored name of the file.
    async fn url(&self) -> &str {
        &self.row.url
    }

    /// The title of what was found there.
    async fn title(&self) -> Option<&str> {
        self.row.title.as_deref()
    }

    /// How far it has come.
    async fn status(&self) -> SourceStatus {
        self.row.status.into()
    }

    /// Why the last reading failed.
    async fn error(&self) -> Option<&str> {
        self.row.error.as_deref()
    }

    /// Pages that answers come from.
    async fn document_count(&self) -> i32 {
        int(self.row.document_count)
    }

    /// Questions and passages found in them.
    async fn chunk_count(&self) -> i32 {
        int(self.row.chunk_count)
    }

    /// How far its reading goes from its address; a file is one page.
    async fn scope(&self) -> SourceScope {
        self.options().scope.into()
    }

    /// At most so many pages.
    async fn max_pages(&self) -> i32 {
        int(self.options().max_pages.into())
    }

    /// At most so many links from its address to a page.
    async fn max_depth(&self) -> i32 {
        int(self.options().max_depth.into())
    }

    /// How often it is read again by itself.
    async fn schedule(&self) -> SourceSchedule {
        self.options().schedule.into()
    }

    /// When it is read again by itself.
    async fn next_scrape_at(&self) -> Option<DateTime> {
        self.row.next_scrape_at.map(DateTime)
    }

    /// How its running reading goes, or its last one went; null before the first.
    async fn crawl_report(&self) -> Option<CrawlReport> {
        Crawl::of(&self.row).map(CrawlReport::from)
    }

    /// When it was last read through.
    async fn last_scraped_at(&self) -> Option<DateTime> {
        self.row.last_scraped_at.map(DateTime)
    }

    /// When it was added.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        self.row.updated_at.into()
    }

    /// What became of each of its pages at the last visit.
    #[graphql(complexity = "page::cost(first, last, child_complexity)")]
    async fn pages(
        &self,
        #[graphql(desc = "At most so many from the start: 20 if not said, never over 100.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Nullable<PageConnection> {
        nullable(pages(&self.access, &self.row, PageArgs { first, after, last, before })).await
    }
}

/// A page of the pages of a source.
async fn pages(access: &Access, source: &services::Source, args: PageArgs) -> Result<PageConnection> {
    let walk = args.walk()?;
    let part: Part<String> = walk.part()?;
    let part = Part { from: part.from.as_deref(), is_backward: part.is_backward, limit: part.limit };
    let found = sources::pages(&access.services, &access.viewer, source, part).await?;
    let (rows, has_previous, has_next) = page::trim(&walk, found);
    let nodes = rows.into_iter().map(|row| (row.url.clone(), row)).map(|(place, row)| (row.into(), place)).collect();
    let (access, source) = (access.clone(), source.clone());
    let total = page::total(move || {
        let (access, source) = (access.clone(), source.clone());
        async move { sources::page_total(&access.services, &access.viewer, &source).await.map(int) }
    });
    Ok(PageConnection::new(nodes, has_previous, has_next, total))
}

impl Source {
    fn options(&self) -> Options {
        Options::of(&self.row)
    }
}

/// One page or file of a source.
#[derive(Clone, SimpleObject)]
pub struct Page {
    /// Its id.
    id: ID,
    /// Its address, or the name of the file.
    url: String,
    /// Its title.
    title: Option<String>,
    /// What came of the last visit.
    outcome: PageOutcome,
    /// Why it was skipped or failed.
    reason: Option<String>,
    /// Questions and passages found on it.
    chunk_count: i32,
    /// When it was last visited.
    fetched_at: DateTime,
}

impl From<Document> for Page {
    fn from(row: Document) -> Self {
        Self {
            id: id(row.id),
            url: row.url,
            title: row.title,
            outcome: row.outcome.into(),
            reason: row.reason,
            chunk_count: int(row.chunk_count),
            fetched_at: row.fetched_at.into(),
        }
    }
}

/// A page of the sources of a site.
pub(crate) async fn list(access: &Access, site: &services::Site, args: &PageArgs) -> Result<SourceConnection> {
    let walk = args.walk()?;
    let field = if walk.is_backward { "before" } else { "after" };
    let from = walk.from.as_deref().map(|place| place.parse().map_err(|_| page::bad_cursor(field))).transpose()?;
    let (after, before) = if walk.is_backward { (None, from) } else { (from, None) };
    let wanted = sources::Page { after, before, is_backward: walk.is_backward, limit: page::one_more(&walk) };
    let found = sources::list(&access.services, &access.viewer, site, wanted).await?;
    let (rows, has_previous, has_next) = page::trim(&walk, found);
    let nodes = rows.into_iter().map(|row| (row.id.to_string(), row));
    let nodes = nodes.map(|(place, row)| (Source { row, access: access.clone() }, place)).collect();
    let (access, site) = (access.clone(), site.clone());
    let total = page::total(move || {
        let (access, site) = (access.clone(), site.clone());
        async move { sources::total(&access.services, &access.viewer, &site).await.map(int) }
    });
    Ok(SourceConnection::new(nodes, has_previous, has_next, total))
}
