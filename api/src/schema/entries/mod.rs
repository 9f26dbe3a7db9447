//! FAQ entries: questions with their answers, which were extracted from pages or written by hand.

pub mod mutation;

use async_graphql::{Description, ID, Object, Result};
use helpbot_domain as domain;
use helpbot_domain::chunk::EntryFilter;
use helpbot_services::knowledge::entries;

use crate::error::Nullable;
use crate::schema::access::Access;
use crate::schema::ids::id;
use crate::schema::loaders;
use crate::schema::page::{self, PageArgs, connection};
use crate::schema::sources::Source;

/// A question with its answer, which was extracted from a page or written by hand.
#[derive(Clone, Description)]
pub struct FaqEntry {
    pub(crate) row: entries::Entry,
    pub(crate) access: Access,
}

connection! {
    /// A list of FAQ entries, which is sorted by the time of creation, oldest first.
    FaqEntryConnection,
    /// An edge that connects the list to an FAQ entry.
    FaqEntryEdge, FaqEntry
}

#[Object(use_type_description)]
impl FaqEntry {
    /// Global ID of the FAQ entry, which `node` accepts. A sync keeps the ID of an entry whose content did not
    /// change.
    pub async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// Question that the FAQ entry answers.
    async fn question(&self) -> &str {
        self.row.question.as_deref().unwrap_or_default()
    }

    /// Answer to the question. It uses restricted Markdown: paragraphs, lists, emphasis, code and links.
    async fn answer(&self) -> &str {
        &self.row.text
    }

    /// Other ways to ask the question, which were added by hand. The list is empty when there are none.
    async fn phrasings(&self) -> &[String] {
        &self.row.phrasings
    }

    /// Categories that contain the FAQ entry, outermost first. The list is empty when there are none.
    async fn categories(&self) -> &[String] {
        &self.row.heading
    }

    /// Address at which a visitor can read the FAQ entry. It is null when there is no such address.
    async fn url(&self) -> Option<&str> {
        self.row.url.as_deref()
    }

    /// Source that contains the FAQ entry. Requires the `READ_SOURCES` or the `READ_CONVERSATIONS` scope.
    async fn source(&self) -> Nullable<Source> {
        let found = self.access.loaders.source(self.row.site_id, self.row.source_id).await.map_err(loaders::failed);
        found.transpose().map(|found| found.map(|row| Source { row, access: self.access.clone() }))
    }
}

/// A page of the entries of a site.
pub(crate) async fn list(
    access: &Access,
    site: &domain::site::Site,
    filter: EntryFilter,
    args: &PageArgs,
) -> Result<FaqEntryConnection> {
    let (counted, of, conditions) = (access.clone(), site.clone(), filter.clone());
    let count = async move { entries::total(&counted.services, &counted.viewer, &of, &conditions).await };
    let rows = |part| entries::list(&access.services, &access.viewer, site, &filter, part);
    let (page, total) = page::read(args, rows, count).await?;
    Ok(FaqEntryConnection::new(page, total, |row| {
        let position = row.id.to_string();
        (FaqEntry { row, access: access.clone() }, position)
    }))
}
