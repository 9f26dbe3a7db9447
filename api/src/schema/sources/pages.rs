//! The pages of a source: the result of the last visit, what was read, what was left out, and the last
//! change.

use std::sync::Arc;

use async_graphql::{ComplexObject, Description, ID, Object, Result};
use helpbot_api_macros::{OutputObject, paged};
use helpbot_domain::chunk::ChunkKind;
use helpbot_domain::extraction;
use helpbot_domain::page::PageRequest;
use helpbot_domain::source::Document;
use helpbot_services::knowledge::entries::Entry;
use helpbot_services::sources::{self, PageExtraction};

use crate::error::{Nullable, nullable, perhaps};
use crate::schema::access::Access;
use crate::schema::entries::{FaqEntry, FaqEntryConnection};
use crate::schema::enums::{ChunkChangeKind, OmissionReason, PageOutcome};
use crate::schema::ids::id;
use crate::schema::loaders;
use crate::schema::page::{self, PageArgs, PageRows, Total, connection};
use crate::schema::scalars::{DateTime, int};

/// A web page that belongs to a source, or the content of its file.
#[derive(Clone, Description)]
pub struct Page {
    pub(crate) row: Document,
    pub(crate) access: Access,
}

connection! {
    /// A list of the pages of a source, which is sorted by address.
    PageConnection,
    /// An edge that connects the list to a page.
    PageEdge, Page
}

#[paged]
#[Object(use_type_description)]
impl Page {
    /// Global ID of the page, which `node` accepts.
    pub async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// Address of the page. A file has its name instead.
    async fn url(&self) -> &str {
        &self.row.url
    }

    /// Title of the page. It is null when the page has none or was never fetched.
    async fn title(&self) -> Option<&str> {
        self.row.title.as_deref()
    }

    /// Result that the last visit to the page had.
    async fn outcome(&self) -> PageOutcome {
        self.row.outcome.into()
    }

    /// Reason why the page was skipped or failed. It is null for other outcomes.
    async fn reason(&self) -> Option<&str> {
        self.row.reason.as_deref()
    }

    /// Number of chunks in the search index: FAQ entries and passages that were extracted from the page.
    async fn chunk_count(&self) -> i32 {
        int(self.row.chunk_count)
    }

    /// Time at which the page was last visited.
    async fn fetched_at(&self) -> DateTime {
        self.row.fetched_at.into()
    }

    /// FAQ entries that were extracted from the page, in their order on the page.
    async fn entries(&self, args: PageArgs) -> Nullable<FaqEntryConnection> {
        nullable(async {
            let (rows, total) = self.chunks(ChunkKind::Faq, &args).await?;
            Ok(FaqEntryConnection::new(rows, total, |row| {
                let position = row.position.to_string();
                (FaqEntry { row, access: self.access.clone() }, position)
            }))
        })
        .await
    }

    /// Passages that were extracted from the page, in their order on the page.
    async fn passages(&self, args: PageArgs) -> Nullable<PassageConnection> {
        nullable(async {
            let (rows, total) = self.chunks(ChunkKind::Passage, &args).await?;
            Ok(PassageConnection::new(rows, total, |row| {
                let position = row.position.to_string();
                (row.into(), position)
            }))
        })
        .await
    }

    /// Texts that the page shows and that are not used for answers, in their order on the page, at most 30.
    /// The list is empty when everything is used. It is null when the page was never fetched.
    async fn omitted(&self) -> Nullable<Vec<Omission>> {
        let omitted = |extraction: PageExtraction| extraction.omitted.into_iter().map(Omission::from).collect();
        perhaps(async { Ok(self.extraction().await?.map(omitted)) }).await
    }

    /// The last change of the page's content, which a sync found. It is null when the content has not changed
    /// since the page was first fetched.
    async fn last_change(&self) -> Nullable<PageChange> {
        let change = |extraction: PageExtraction| extraction.last_change.map(PageChange::from);
        perhaps(async { Ok(self.extraction().await?.and_then(change)) }).await
    }
}

impl Page {
    async fn extraction(&self) -> Result<Option<PageExtraction>> {
        self.access.loaders.extraction(self.row.site_id, self.row.id).await.map_err(loaders::failed)
    }

    async fn chunks(&self, kind: ChunkKind, args: &PageArgs) -> Result<(PageRows<Entry>, Total)> {
        let Access { services, viewer, .. } = &self.access;
        let (counted, page) = (self.access.clone(), Arc::new(self.row.clone()));
        let count = async move { sources::page_chunk_total(&counted.services, &counted.viewer, &page, kind).await };
        let rows = |part: PageRequest<i32>| sources::page_chunks(services, viewer, &self.row, kind, part);
        Ok(page::read(args, rows, count).await?)
    }
}

/// A part of a page that has no question of its own.
#[derive(Clone, OutputObject)]
#[graphql(complex)]
pub struct Passage {
    /// Headings above the passage, outermost first. The list is empty when there are none.
    headings: Vec<String>,
    /// Text of the passage. It uses restricted Markdown: paragraphs, lists, emphasis, code and links.
    text: String,
    /// Address at which a visitor can read the passage. It is null when there is no such address.
    url: Option<String>,
    #[graphql(skip)]
    id: ID,
}

#[ComplexObject]
impl Passage {
    /// Global ID of the passage, which `node` accepts. A sync keeps the ID of a passage whose content did not
    /// change.
    pub async fn id(&self) -> ID {
        self.id.clone()
    }
}

impl From<Entry> for Passage {
    fn from(row: Entry) -> Self {
        let chunk = row.chunk;
        Self { id: id(chunk.id), headings: chunk.heading, text: chunk.text, url: chunk.url }
    }
}

connection! {
    /// A list of the passages of a page, which is sorted by their position on the page.
    PassageConnection,
    /// An edge that connects the list to a passage.
    PassageEdge, Passage
}

/// A text of a page that is not used for answers.
#[derive(Clone, OutputObject)]
pub struct Omission {
    /// Reason why the text is not used.
    reason: OmissionReason,
    /// Text that was left out. A longer text is cut after 200 characters.
    sample: String,
}

impl From<extraction::Omission> for Omission {
    fn from(omission: extraction::Omission) -> Self {
        Self { reason: omission.reason.into(), sample: omission.sample }
    }
}

/// A change of the content of a page, which a sync found.
#[derive(Clone, OutputObject)]
pub struct PageChange {
    /// Time at which the sync found the change.
    changed_at: DateTime,
    /// Number of FAQ entries and passages that differ.
    total_count: i32,
    /// The FAQ entries and passages that differ, at most 20. The list ends with those that are gone.
    chunks: Vec<ChunkChange>,
}

impl From<extraction::PageChange> for PageChange {
    fn from(change: extraction::PageChange) -> Self {
        let chunks = change.chunks.into_iter().map(ChunkChange::from).collect();
        Self { changed_at: change.at.into(), total_count: int(change.total), chunks }
    }
}

/// A change of one FAQ entry or passage, which a sync found.
#[derive(Clone, OutputObject)]
pub struct ChunkChange {
    /// Kind of the change.
    kind: ChunkChangeKind,
    /// Whether this is an FAQ entry. Otherwise it is a passage.
    is_entry: bool,
    /// Question of the entry, or innermost heading above the passage. It is empty when there is none.
    title: String,
    /// Beginning of the text before the sync, at most 200 characters. It is null when the entry or passage is new.
    before: Option<String>,
    /// Beginning of the text after the sync, at most 200 characters. It is null when the entry or passage is gone.
    after: Option<String>,
}

impl From<extraction::ChunkChange> for ChunkChange {
    fn from(change: extraction::ChunkChange) -> Self {
        Self {
            kind: change.kind.into(),
            is_entry: change.chunk == ChunkKind::Faq,
            title: change.title,
            before: change.before,
            after: change.after,
        }
    }
}
