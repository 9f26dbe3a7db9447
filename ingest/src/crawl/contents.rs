//! What the pages of one crawl said so far: to tell copies, repeated facts and series without news.
//!
//! Called by `run`. Keeps a hash of each text, never the text.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use helpbot_domain::inline;
use helpbot_engine::ChunkDraft;
use url::Url;

/// A page is a copy of another one that has at least this share of its texts, in percent.
const COPY_PERCENT: usize = 50;

/// The contents of the pages that were read.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// The first page with each content as a whole, by that content and the plain form of its path.
    pages: HashMap<(u64, String), Url>,
    /// The texts of each page.
    texts: HashMap<Url, HashSet<u64>>,
    /// All texts, with their digits made alike.
    patterns: HashSet<u64>,
    facts: HashSet<u64>,
    is_start_read: bool,
}

impl Contents {
    /// Returns the page that had the same content before under another spelling of the same URL: with
    /// or without a slash at its end, a default file name, or parameters that change nothing. Otherwise
    /// notes the content as that of `url`.
    pub(super) fn same(&mut self, chunks: &[ChunkDraft], url: &Url) -> Option<Url> {
        if chunks.is_empty() {
            return None;
        }
        // Links with the session of a visitor differ each time; what they say does not.
        let shown = |chunk: &ChunkDraft| {
            hash(&(&chunk.question, &chunk.heading, inline::to_plain(&inline::parse(&chunk.text))))
        };
        let content: Vec<u64> = chunks.iter().map(shown).collect();
        let key = (hash(&content), plain_path(url));
        let first = self.pages.get(&key).cloned();
        if first.is_none() {
            self.pages.insert(key, url.clone());
        }
        first
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

    /// The positions of the facts of a page that no page before it had. When the start was not read again, its facts
    /// are not known, and neither is whether those of other pages are the same.
    pub(super) fn new_facts(&mut self, facts: &[ChunkDraft], is_start: bool) -> Vec<usize> {
        self.is_start_read |= is_start;
        if !self.is_start_read {
            return Vec::new();
        }
        (0..facts.len()).filter(|&at| self.facts.insert(hash(&facts[at].text))).collect()
    }

    /// Notes the texts of a page that is read in its own right.
    pub(super) fn add(&mut self, url: &Url, texts: TextHashes) {
        self.texts.insert(url.clone(), texts.0.into_iter().collect());
    }

    /// Whether the page at an address was read in its own right.
    pub(super) fn is_read(&self, url: &Url) -> bool {
        self.texts.contains_key(url)
    }

    /// Whether the page at an address has any of these texts.
    pub(super) fn shares(&self, url: &Url, wanted: &TextHashes) -> bool {
        wanted.0.is_empty() || self.shared(url, wanted) > 0
    }

    /// Whether the page at an address has most of these texts.
    pub(super) fn covers(&self, url: &Url, wanted: &TextHashes) -> bool {
        wanted.0.is_empty() || self.shared(url, wanted) * 100 >= wanted.0.len() * COPY_PERCENT
    }

    /// The number of these texts that the page at an address has.
    fn shared(&self, url: &Url, TextHashes(wanted): &TextHashes) -> usize {
        self.texts.get(url).map_or(0, |texts| wanted.iter().filter(|text| texts.contains(*text)).count())
    }
}

/// The texts of a page, as hashes.
#[derive(Debug)]
pub(super) struct TextHashes(Vec<u64>);

impl TextHashes {
    pub(super) fn of<'a>(chunks: impl Iterator<Item = &'a ChunkDraft>) -> Self {
        Self(chunks.map(of_chunk).collect())
    }
}

/// Extensions of pages that servers leave out of addresses.
const PAGE_EXTENSIONS: [&str; 9] = ["html", "htm", "xhtml", "shtml", "php", "asp", "aspx", "jsp", "jspx"];

/// The path of a URL in lower case, without a default file name, the extension of a page, and a slash at its end.
pub(super) fn plain_path(url: &Url) -> String {
    let path = url.path().to_ascii_lowercase();
    let bare = path.rsplit_once('.').filter(|(_, end)| PAGE_EXTENSIONS.contains(end)).map_or(&*path, |(bare, _)| bare);
    let (folder, name) = bare.rsplit_once('/').unwrap_or(("", bare));
    let is_default =
        ["", "index", "default"].contains(&name) || name.starts_with("index.") || name.starts_with("default.");
    if is_default { folder } else { bare }.to_owned()
}

fn of_chunk(chunk: &ChunkDraft) -> u64 {
    hash(&(&chunk.question, &chunk.heading, &chunk.text))
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
