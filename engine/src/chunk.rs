//! The parts of a chunk that the index reads, and the types of chunks for callers of this crate.

pub use helpbot_domain::chunk::{Chunk, ChunkDraft, ChunkKind};

use crate::markdown;

pub use crate::split::{MAX_PASSAGE_CHARS, TARGET_PASSAGE_CHARS, split};

/// The plain texts of a chunk that are indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fields {
    /// The question, or the title and headings of a passage.
    pub question: String,
    /// The headings above the question of an FAQ entry. Empty for a passage.
    pub headings: String,
    /// Everything else: answer or passage, and phrasings.
    pub body: String,
    /// Question and phrasings, one by one. Empty for a chunk without phrasings.
    pub phrasings: Vec<String>,
    /// Whether the chunk is a passage.
    pub is_passage: bool,
}

impl Fields {
    /// The fields of a chunk, without Markdown.
    pub fn of(chunk: &Chunk) -> Self {
        let headings = chunk.heading.join(" ");
        let mut body = markdown::plain(&chunk.text);
        let (question, headings) = match &chunk.question {
            Some(question) => (question.clone(), headings),
            None if headings.is_empty() => (chunk.page_title.clone().unwrap_or_default(), headings),
            None => (headings, String::new()),
        };
        let mut phrasings = Vec::new();
        if !chunk.phrasings.is_empty() {
            phrasings.extend(chunk.question.clone());
            phrasings.extend(chunk.phrasings.iter().cloned());
            push_line(&mut body, &chunk.phrasings.join("\n"));
        }
        let is_passage = chunk.kind == ChunkKind::Passage;
        Self { question, headings, body, phrasings, is_passage }
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
