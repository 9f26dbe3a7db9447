//! Sources: the web addresses, files and texts that answers come from, and their pages.

pub mod mutation;
pub mod options;
pub mod pages;
pub mod subscription;

use async_graphql::{Description, ID, InputObject, Object, Result};
use helpbot_api_macros::paged;
use helpbot_domain as domain;
use helpbot_domain::page::PageRequest;
use helpbot_domain::source as rules;
use helpbot_services as services;
use helpbot_services::sources::{self, SourceOptions};

use self::options::{SourceSync, SyncSchedule, SyncScope};
use self::pages::{Page, PageConnection};
use crate::error::{Nullable, nullable};
use crate::schema::access::Access;
use crate::schema::enums::{PageOutcome, SourceKind, SourceStatus};
use crate::schema::ids::id;
use crate::schema::page::{self, PageArgs, connection};
use crate::schema::scalars::{DateTime, int};

/// A web address, an uploaded file or a text that answers come from.
#[derive(Clone, Description)]
pub struct Source {
    pub(crate) row: domain::source::Source,
    pub(crate) access: Access,
}

/// Conditions that select sources. A source must meet all of them.
#[derive(InputObject)]
pub struct SourceFilter {
    /// Selects only sources with one of these statuses. An empty list selects none. Defaults to all statuses.
    statuses: Option<Vec<SourceStatus>>,
    /// Selects only sources of these kinds. An empty list selects none. Defaults to all kinds.
    kinds: Option<Vec<SourceKind>>,
}

impl From<SourceFilter> for domain::source::SourceFilter {
    fn from(filter: SourceFilter) -> Self {
        Self {
            statuses: filter.statuses.map(|statuses| statuses.into_iter().map(Into::into).collect()),
            kinds: filter.kinds.map(|kinds| kinds.into_iter().map(Into::into).collect()),
        }
    }
}

connection! {
    /// A list of sources, which is sorted by the time of creation, oldest first.
    SourceConnection,
    /// An edge that connects the list to a source.
    SourceEdge, Source
}

#[paged]
#[Object(use_type_description)]
impl Source {
    /// Global ID of the source, which `node` accepts.
    pub async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// Kind of the source, which says where its content comes from.
    async fn kind(&self) -> SourceKind {
        self.row.kind.into()
    }

    /// Normalized address of the source. A file or text has its stored name instead.
    async fn url(&self) -> &str {
        &self.row.url
    }

    /// Title of the source, which is extracted from its first page. It is null before the first successful
    /// sync.
    async fn title(&self) -> Option<&str> {
        self.row.title.as_deref()
    }

    /// Status of the source, for example whether a sync is running.
    async fn status(&self) -> SourceStatus {
        self.row.status.into()
    }

    /// Reason why the last sync failed. It is null when the last sync did not fail.
    async fn error(&self) -> Option<&str> {
        self.row.error.as_deref()
    }

    /// Number of pages that are used for answers.
    async fn page_count(&self) -> i32 {
        int(self.row.document_count)
    }

    /// Number of pages that are used for answers.
    #[graphql(deprecation = "Use `pageCount`, which has the same value.")]
    async fn document_count(&self) -> i32 {
        int(self.row.document_count)
    }

    /// Number of chunks in the search index: FAQ entries and passages that were extracted from the pages.
    async fn chunk_count(&self) -> i32 {
        int(self.row.chunk_count)
    }

    /// Scope of the syncs, which says how far they follow links. The scope of a file or text is `PAGE`.
    async fn scope(&self) -> SyncScope {
        self.options().scope.into()
    }

    /// Highest number of pages that a sync fetches, 1 to 10,000.
    async fn max_pages(&self) -> i32 {
        int(self.options().max_pages.into())
    }

    /// Highest number of links that a sync follows from the address to a page, 0 to 50.
    async fn max_depth(&self) -> i32 {
        int(self.options().max_depth.into())
    }

    /// Interval between scheduled syncs of the source.
    async fn schedule(&self) -> SyncSchedule {
        self.options().schedule.into()
    }

    /// Time at which the next scheduled sync starts. It is null when no sync is scheduled.
    async fn next_sync_at(&self) -> Option<DateTime> {
        self.row.next_scrape_at.map(DateTime)
    }

    /// Report about the running sync or, when none is running, about the last one. It is null before the
    /// first sync.
    async fn last_sync(&self) -> Option<SourceSync> {
        sources::SyncReport::of(&self.row).map(SourceSync::from)
    }

    /// Report about the running sync or, when none is running, about the last one. It is null before the
    /// first sync.
    #[graphql(deprecation = "Use `lastSync`, which has the same value.")]
    async fn crawl_report(&self) -> Option<SourceSync> {
        sources::SyncReport::of(&self.row).map(SourceSync::from)
    }

    /// Time at which the last successful sync ended. It is null before the first successful sync.
    async fn last_synced_at(&self) -> Option<DateTime> {
        self.row.last_scraped_at.map(DateTime)
    }

    /// Time at which the source was added.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// Time at which the source last changed.
    async fn updated_at(&self) -> DateTime {
        self.row.updated_at.into()
    }

    /// Pages of the source with the result of the last visit to each, sorted by address. Requires the
    /// `READ_SOURCES` scope.
    async fn pages(
        &self,
        #[graphql(desc = "Address of a page. Only the page with this address is returned. Defaults to all pages.")]
        url: Option<String>,
        #[graphql(
            desc = "Outcomes of the last visit. Only pages with one of them are returned. An empty list selects none. \
                    Defaults to all outcomes."
        )]
        outcomes: Option<Vec<PageOutcome>>,
        args: PageArgs,
    ) -> Nullable<PageConnection> {
        let outcomes = outcomes.map(|outcomes| outcomes.into_iter().map(Into::into).collect());
        nullable(pages(&self.access, &self.row, PageConditions { url, outcomes }, &args)).await
    }
}

/// Which pages of a source a list contains.
#[derive(Clone)]
struct PageConditions {
    url: Option<String>,
    outcomes: Option<Vec<rules::PageOutcome>>,
}

impl PageConditions {
    /// The only page that can be in the list, if the conditions name one.
    async fn only(&self, access: &Access, source: &rules::Source) -> Option<services::Result<Option<rules::Document>>> {
        let found = sources::page_by_url(&access.services, &access.viewer, source, self.url.as_deref()?).await;
        let is_listed = |page: &rules::Document| self.outcomes.as_ref().is_none_or(|all| all.contains(&page.outcome));
        Some(found.map(|page| page.filter(is_listed)))
    }
}

/// A page of the list of a source's pages that meet the conditions.
async fn pages(
    access: &Access,
    source: &rules::Source,
    conditions: PageConditions,
    args: &PageArgs,
) -> Result<PageConnection> {
    let (counted, of, counting) = (access.clone(), source.clone(), conditions.clone());
    let count = async move {
        match counting.only(&counted, &of).await {
            Some(found) => found.map(|found| i64::from(found.is_some())),
            None => {
                let outcomes = counting.outcomes.as_deref();
                sources::page_total(&counted.services, &counted.viewer, &of, outcomes).await
            }
        }
    };
    let rows = async |part: PageRequest<String>| {
        if let Some(found) = conditions.only(access, source).await {
            return Ok(found?.into_iter().filter(|_| part.from.is_none()).collect());
        }
        let request = PageRequest { from: part.from.as_deref(), is_backward: part.is_backward, limit: part.limit };
        sources::pages(&access.services, &access.viewer, source, conditions.outcomes.as_deref(), request).await
    };
    let (page, total) = page::read(args, rows, count).await?;
    Ok(PageConnection::new(page, total, |row| {
        let position = row.url.clone();
        (Page { row, access: access.clone() }, position)
    }))
}

impl Source {
    fn options(&self) -> SourceOptions {
        SourceOptions::of(&self.row)
    }
}

/// A page of the sources of a site.
pub(crate) async fn list(
    access: &Access,
    site: &domain::site::Site,
    filter: Option<SourceFilter>,
    args: &PageArgs,
) -> Result<SourceConnection> {
    let filter = filter.map(domain::source::SourceFilter::from).unwrap_or_default();
    let (counted, of, conditions) = (access.clone(), site.clone(), filter.clone());
    let count = async move { sources::total(&counted.services, &counted.viewer, &of, &conditions).await };
    let rows = |part| sources::list(&access.services, &access.viewer, site, &filter, part);
    let (page, total) = page::read(args, rows, count).await?;
    Ok(SourceConnection::new(page, total, |row| {
        let position = row.id.to_string();
        (Source { row, access: access.clone() }, position)
    }))
}
