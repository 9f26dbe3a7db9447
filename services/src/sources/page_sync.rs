//! What a sync found on one page, as `ingest` hands it over.

use helpbot_domain::extraction::Omission;
use helpbot_domain::source::PageOutcome;
use helpbot_engine::ChunkDraft;

/// A page that was not found this many times in a row is removed from the index. A single miss may
/// be temporary.
pub(crate) const MISSES_MAX: i32 = 2;

/// What happens to the chunks of earlier visits when a visit found no content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EarlierChunks {
    /// They keep answering, because the page was temporarily unavailable.
    #[default]
    Stays,
    /// The page was not found. They are removed after the second miss in a row.
    Missing,
    /// They are removed, because the page does not belong to the source.
    Leaves,
}

/// Result of a visit to a page.
#[derive(Debug, Clone)]
pub struct SyncedPage {
    /// Normalized address of the page, or name of the file.
    pub url: String,
    /// Title of the page.
    pub title: Option<String>,
    /// Language of the page.
    pub language: Option<String>,
    /// Outcome of the visit.
    pub outcome: PageOutcome,
    /// Reason why the page was skipped or failed.
    pub reason: Option<String>,
    /// `ETag` for the next conditional request.
    pub etag: Option<String>,
    /// `Last-Modified` for the next conditional request.
    pub last_modified: Option<String>,
    /// Content of the page in order. Only used when the page was fetched.
    pub chunks: Vec<ChunkDraft>,
    /// Texts of the page that were left out. Only used when the page was fetched.
    pub omitted: Vec<Omission>,
    /// Links on the page. `None` keeps the known ones.
    pub links: Option<Vec<String>>,
    /// What happens to earlier chunks. Only used when the page was skipped or failed.
    pub earlier: EarlierChunks,
}

impl SyncedPage {
    /// Returns whether the visit removes the page's earlier chunks from the index, whether they are
    /// replaced or not. `misses` is the number of misses so far.
    pub(super) fn replaces(&self, misses: i32) -> bool {
        match (self.outcome, self.earlier) {
            (PageOutcome::Fetched, _) | (PageOutcome::Skipped | PageOutcome::Failed, EarlierChunks::Leaves) => true,
            (PageOutcome::Skipped | PageOutcome::Failed, EarlierChunks::Missing) => misses + 1 >= MISSES_MAX,
            (PageOutcome::Unchanged, _) | (_, EarlierChunks::Stays) => false,
        }
    }

    /// Removes NUL from all texts, because PostgreSQL cannot store it.
    pub(super) fn storable(mut self) -> Self {
        let chunks = self.chunks.iter_mut().flat_map(|chunk| {
            let texts = [&mut chunk.question, &mut chunk.url, &mut chunk.page_title, &mut chunk.language];
            let texts = texts.into_iter().flatten().chain([&mut chunk.text]);
            texts.chain(&mut chunk.heading).chain(&mut chunk.phrasings)
        });
        let own = [&mut self.title, &mut self.language, &mut self.reason, &mut self.etag, &mut self.last_modified];
        let links = self.links.iter_mut().flatten();
        let samples = self.omitted.iter_mut().map(|omission| &mut omission.sample);
        let all = own.into_iter().flatten().chain([&mut self.url]).chain(links).chain(samples).chain(chunks);
        all.for_each(without_nul);
        self
    }

    /// Returns the result of a visit without content.
    pub fn of(url: impl Into<String>, outcome: PageOutcome) -> Self {
        Self {
            url: url.into(),
            title: None,
            language: None,
            outcome,
            reason: None,
            etag: None,
            last_modified: None,
            chunks: Vec::new(),
            omitted: Vec::new(),
            links: None,
            earlier: EarlierChunks::default(),
        }
    }
}

fn without_nul(text: &mut String) {
    if text.contains('\0') {
        text.retain(|c| c != '\0');
    }
}
