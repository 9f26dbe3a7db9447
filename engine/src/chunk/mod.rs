//! A chunk: the smallest piece of a site that can be retrieved and cited.
//!
//! Either a question with its answer or a passage of a page. Ingest makes drafts, services give
//! them ids and store them, the index is built from them.

mod split;

use helpbot_domain::ids::{ChunkId, SourceId};
use serde::{Deserialize, Serialize};

use crate::markdown;

pub use split::{MAX_PASSAGE_CHARS, TARGET_PASSAGE_CHARS, split};

/// What a chunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChunkKind {
    /// A question and its answer.
    Faq,
    /// A piece of running text under its headings.
    Passage,
}

/// A retrievable piece of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Stable as long as the content is.
    pub id: ChunkId,
    /// Where it comes from.
    pub source_id: SourceId,
    /// Question with answer, or passage.
    pub kind: ChunkKind,
    /// The question of an FAQ entry; none for a passage.
    pub question: Option<String>,
    /// The headings above it, outermost first; of an FAQ entry its categories. May be empty.
    pub heading: Vec<String>,
    /// Answer or passage in restricted Markdown, without the question and the headings.
    pub text: String,
    /// The page, with an anchor where one is known; none for files and texts.
    pub url: Option<String>,
    /// The title of the page, or the name of the file.
    pub page_title: Option<String>,
    /// BCP 47 tag of the text where the page says one.
    pub language: Option<String>,
    /// Other ways to ask the question, as the owner wrote or accepted them.
    pub phrasings: Vec<String>,
}

/// A chunk before it has ids: what ingest hands over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkDraft {
    /// Question with answer, or passage.
    pub kind: ChunkKind,
    /// The question of an FAQ entry; none for a passage.
    pub question: Option<String>,
    /// The headings above it, outermost first.
    pub heading: Vec<String>,
    /// Answer or passage in restricted Markdown.
    pub text: String,
    /// The page, with an anchor where one is known.
    pub url: Option<String>,
    /// The title of the page, or the name of the file.
    pub page_title: Option<String>,
    /// BCP 47 tag of the text where the page says one.
    pub language: Option<String>,
    /// Other ways to ask the question.
    pub phrasings: Vec<String>,
}

impl ChunkDraft {
    /// The chunk with its ids.
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

/// What of a chunk is indexed, as plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fields {
    /// The question, or the title and headings of a passage.
    pub question: String,
    /// The rest: answer or passage, phrasings, categories.
    pub body: String,
    /// Question and phrasings one by one; empty for an entry without phrasings.
    pub phrasings: Vec<String>,
}

impl Chunk {
    /// A name for the chunk that a reader understands: its question, else its last heading, else
    /// the title of its page; may be empty.
    pub fn title(&self) -> &str {
        let headings = self.heading.last().map(String::as_str);
        self.question.as_deref().or(headings).or(self.page_title.as_deref()).unwrap_or_default()
    }

    /// Bytes of text in the chunk.
    pub fn text_bytes(&self) -> usize {
        let options = [&self.question, &self.url, &self.page_title, &self.language];
        let lists = [&self.heading, &self.phrasings];
        self.text.len()
            + options.into_iter().flatten().map(String::len).sum::<usize>()
            + lists.into_iter().flatten().map(String::len).sum::<usize>()
    }

    pub(crate) fn fields(&self) -> Fields {
        let headings = self.heading.join(" ");
        let mut body = markdown::plain(&self.text);
        let question = match &self.question {
            Some(question) => {
                push_line(&mut body, &headings);
                question.clone()
            }
            None if headings.is_empty() => self.page_title.clone().unwrap_or_default(),
            None => headings,
        };
        let mut phrasings = Vec::new();
        if !self.phrasings.is_empty() {
            phrasings.extend(self.question.clone());
            phrasings.extend(self.phrasings.iter().cloned());
            push_line(&mut body, &self.phrasings.join("\n"));
        }
        Fields { question, body, phrasings }
    }
}

fn push_line(text: &mut String, line: &str) {
    if !line.is_empty() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(line);
    }
}
