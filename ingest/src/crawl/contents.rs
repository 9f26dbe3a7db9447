//! What the pages of one crawl said so far: to tell copies, repeated facts and series without news.
//!
//! Called by `run`. Keeps a hash of each text, never the text.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use helpbot_engine::ChunkDraft;
use url::Url;

/// A page is a copy of another one that has at least this share of its texts, in percent.
const COPY_PERCENT: usize = 50;

/// The contents of the pages that were read.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// The first page with each content as a whole.
    pages: HashMap<u64, Url>,
    /// The texts of each page.
    texts: HashMap<Url, HashSet<u64>>,
    /// All texts, with their digits made alike.
    patterns: HashSet<u64>,
    facts: HashSet<u64>,
    is_start_read: bool,
}

impl Contents {
    /// The page that had the same content before, if any; else notes the content as that of `url`.
    pub(super) fn same(&mut self, chunks: &[ChunkDraft], url: &Url) -> Option<Url> {
        if chunks.is_empty() {
            return None;
        }
        let content: Vec<u64> = chunks.iter().map(of_chunk).collect();
        match self.pages.get(&hash(&content)) {
            Some(first) => Some(first.clone()),
            None => {
                self.pages.insert(hash(&content), url.clone());
                None
            }
        }
    }

    /// Whether a page says something that no page before it said, apart from numbers.
    pub(super) fn has_news(&mut self, chunks: &[ChunkDraft]) -> bool {
        let pattern = |chunk: &ChunkDraft| {
            let text = chunk.question.iter().chain([&chunk.text]);
            hash(&text.flat_map(|text| text.chars()).filter(|c| !c.is_ascii_digit()).collect::<String>())
        };
        let mut has_news = false;
        for chunk in chunks {
            has_news |= self.patterns.insert(pattern(chunk));
        }
        has_news
    }

    /// The facts of a page that no page before it had. When the start was not read again, its facts are
    /// not known, and neither is whether those of other pages are the same.
    pub(super) fn new_facts(&mut self, facts: Vec<ChunkDraft>, is_start: bool) -> Vec<ChunkDraft> {
        self.is_start_read |= is_start;
        if !self.is_start_read {
            return Vec::new();
        }
        facts.into_iter().filter(|fact| self.facts.insert(hash(&fact.text))).collect()
    }

    /// Notes the texts of a page that is read in its own right.
    pub(super) fn add(&mut self, url: &Url, chunks: &[ChunkDraft]) {
        self.texts.insert(url.clone(), chunks.iter().map(of_chunk).collect());
    }

    /// Whether the page at an address has most of what these chunks say.
    pub(super) fn covers(&self, url: &Url, chunks: &[ChunkDraft]) -> bool {
        let Some(texts) = self.texts.get(url) else { return false };
        let shared = chunks.iter().filter(|chunk| texts.contains(&of_chunk(chunk))).count();
        chunks.is_empty() || shared * 100 >= chunks.len() * COPY_PERCENT
    }
}

fn of_chunk(chunk: &ChunkDraft) -> u64 {
    hash(&(&chunk.question, &chunk.heading, &chunk.text))
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
