//! Entries: questions with their answers, found on pages or written by the owner.

pub mod mutation;

use async_graphql::{ID, Object, Result};
use helpbot_services as services;
use helpbot_services::knowledge::entries;

use crate::error::Nullable;
use crate::schema::access::Access;
use crate::schema::ids::id;
use crate::schema::loaders;
use crate::schema::page::{self, PageArgs, connection};
use crate::schema::sites::int;
use crate::schema::sources::Source;

/// A question with its answer.
#[derive(Clone)]
pub struct FaqEntry {
    pub(crate) row: entries::Entry,
    pub(crate) access: Access,
}

connection! {
    /// Questions with answers of a site, oldest first.
    FaqEntryConnection,
    /// An entry in a list.
    FaqEntryEdge, FaqEntry
}

/// A question with its answer.
#[Object]
impl FaqEntry {
    /// Its id; kept while its content is.
    pub async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// The question.
    async fn question(&self) -> &str {
        self.row.question.as_deref().unwrap_or_default()
    }

    /// The answer: restricted Markdown.
    async fn answer(&self) -> &str {
        &self.row.text
    }

    /// Other ways to ask it, as the owner wrote or accepted them.
    async fn phrasings(&self) -> &[String] {
        &self.row.phrasings
    }

    /// Categories above it, outermost first.
    async fn categories(&self) -> &[String] {
        &self.row.heading
    }

    /// Where a visitor can read it; null for files and written answers without an address.
    async fn url(&self) -> Option<&str> {
        self.row.url.as_deref()
    }

    /// The source that it came from.
    async fn source(&self) -> Nullable<Source> {
        let found = self.access.loaders.source(self.row.site_id, self.row.source_id).await.map_err(loaders::failed);
        found.transpose().map(|found| found.map(|row| Source { row, access: self.access.clone() }))
    }
}

/// A page of the entries of a site.
pub(crate) async fn list(
    access: &Access,
    site: &services::Site,
    words: Option<&str>,
    args: &PageArgs,
) -> Result<FaqEntryConnection> {
    let walk = args.walk()?;
    let found = entries::list(&access.services, &access.viewer, site, words, walk.part()?).await?;
    let (rows, has_previous, has_next) = page::trim(&walk, found);
    let nodes = rows.into_iter().map(|row| (row.id.to_string(), row));
    let nodes = nodes.map(|(place, row)| (FaqEntry { row, access: access.clone() }, place)).collect();
    let (access, site, words) = (access.clone(), site.clone(), words.map(str::to_owned));
    let total = page::total(move || {
        let (access, site, words) = (access.clone(), site.clone(), words.clone());
        async move { entries::total(&access.services, &access.viewer, &site, words.as_deref()).await.map(int) }
    });
    Ok(FaqEntryConnection::new(nodes, has_previous, has_next, total))
}
