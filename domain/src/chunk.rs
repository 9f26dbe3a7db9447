//! A chunk: the smallest piece of a site that can be retrieved and cited.
//!
//! A chunk is either a question with its answer or a passage of a page. `ingest` makes drafts,
//! `services` gives them IDs and stores them, and `engine` builds the search index from them.

use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};

use crate::ids::{ChunkId, DocumentId, SiteId, SourceId};

/// Name of the source that contains the entries that the owner writes, and title of their page.
pub const WRITTEN_ANSWERS: &str = "Written answers";
/// Conditions that select the entries of a list. An entry must meet all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryFilter {
    /// Only entries that contain these words in the question or the answer, in any case.
    pub words: Option<String>,
    /// Only entries of this source.
    pub source: Option<SourceId>,
}

/// What a chunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChunkKind {
    /// A question and its answer.
    Faq,
    /// A piece of running text under its headings.
    Passage,
}

impl ChunkKind {
    /// Returns the stored name: `faq` or `passage`.
    pub const fn as_str(self) -> &'static str {
        match self {
            ChunkKind::Faq => "faq",
            ChunkKind::Passage => "passage",
        }
    }
}

/// A retrievable piece of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// ID of the chunk, which stays the same as long as the content does.
    pub id: ChunkId,
    /// ID of the source that the chunk was read from.
    pub source_id: SourceId,
    /// Whether the chunk is a question with its answer or a passage.
    pub kind: ChunkKind,
    /// The question of an FAQ entry. `None` for a passage.
    pub question: Option<String>,
    /// Headings above the chunk, outermost first. Empty when there are none.
    pub heading: Vec<String>,
    /// The answer or passage as restricted Markdown, without the question and the headings.
    pub text: String,
    /// Address of the page, with an anchor where one is known. `None` for files and pasted text.
    pub url: Option<String>,
    /// Title of the page, or name of the file.
    pub page_title: Option<String>,
    /// BCP 47 language tag that the page declares. `None` when it declares none.
    pub language: Option<String>,
    /// Other ways to ask the question, written or accepted by the owner of the site.
    pub phrasings: Vec<String>,
}

/// A chunk without IDs, as `ingest` reads it from a page or a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkDraft {
    /// Whether the draft is a question with its answer or a passage.
    pub kind: ChunkKind,
    /// The question of an FAQ entry. `None` for a passage.
    pub question: Option<String>,
    /// Headings above the draft, outermost first.
    pub heading: Vec<String>,
    /// The answer or passage as restricted Markdown.
    pub text: String,
    /// Address of the page, with an anchor where one is known.
    pub url: Option<String>,
    /// Title of the page, or name of the file.
    pub page_title: Option<String>,
    /// BCP 47 language tag that the page declares.
    pub language: Option<String>,
    /// Other ways to ask the question.
    pub phrasings: Vec<String>,
}

impl ChunkDraft {
    /// Adds the IDs that turn the draft into a chunk.
    pub fn with_ids(self, id: ChunkId, source_id: SourceId) -> Chunk {
        Chunk {
            id,
            source_id,
            kind: self.kind,
            question: self.question,
            heading: self.heading,
            text: self.text,
            url: self.url,
            page_title: self.page_title,
            language: self.language,
            phrasings: self.phrasings,
        }
    }
}

impl Chunk {
    /// A name for the chunk that a reader understands: its question, else its innermost heading,
    /// else the title of its page. Empty when the chunk has none of them.
    pub fn title(&self) -> &str {
        let heading = self.heading.last().map(String::as_str);
        self.question.as_deref().or(heading).or(self.page_title.as_deref()).unwrap_or_default()
    }

    /// Number of bytes in all texts of the chunk.
    pub fn text_bytes(&self) -> usize {
        let options = [&self.question, &self.url, &self.page_title, &self.language];
        let lists = [&self.heading, &self.phrasings];
        self.text.len()
            + options.into_iter().flatten().map(String::len).sum::<usize>()
            + lists.into_iter().flatten().map(String::len).sum::<usize>()
    }
}

/// A chunk together with its place in a page of a site, as it is stored. It gives access to the
/// fields of the chunk as if they were its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredChunk {
    /// Site that the chunk belongs to.
    pub site_id: SiteId,
    /// Page that the chunk belongs to.
    pub document_id: DocumentId,
    /// Position in the page, from 0.
    pub position: i32,
    /// SHA-256 of question, headings and text, in lower-case hex.
    pub content_hash: String,
    /// The chunk itself.
    pub chunk: Chunk,
}

impl Deref for StoredChunk {
    type Target = Chunk;

    fn deref(&self) -> &Chunk {
        &self.chunk
    }
}

impl DerefMut for StoredChunk {
    fn deref_mut(&mut self) -> &mut Chunk {
        &mut self.chunk
    }
}
