//! What a sync found on one page, as `ingest` hands it over.

use helpbot_domain::source::PageOutcome;
use helpbot_engine::ChunkDraft;

/// A page that is not found this often in a row leaves the index: one miss may be the fault of
/// the moment.
pub(crate) const MISSES_MAX: i32 = 2;

/// What becomes of the chunks that a page has from earlier visits when this one gave none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EarlierChunks {
    /// They answer on: the page could not be had this time.
    #[default]
    Stays,
    /// The page was not there; at the second time in a row they leave the index.
    Missing,
    /// They leave the index: the page is not part of the source.
    Leaves,
}

/// What a visit to one page gave.
#[derive(Debug, Clone)]
pub struct SyncedPage {
    /// Its address in normal form, or the file's name.
    pub url: String,
    /// Its title.
    pub title: Option<String>,
    /// Its language.
    pub language: Option<String>,
    /// What came of it.
    pub outcome: PageOutcome,
    /// Why it was skipped or failed.
    pub reason: Option<String>,
    /// For the next conditional request.
    pub etag: Option<String>,
    /// For the next conditional request.
    pub last_modified: Option<String>,
    /// What was found on it, in order; only read when it was fetched.
    pub chunks: Vec<ChunkDraft>,
    /// Where it leads; none leaves what is known.
    pub links: Option<Vec<String>>,
    /// What becomes of earlier chunks; only read when it was skipped or failed.
    pub earlier: EarlierChunks,
}

impl SyncedPage {
    /// Whether the chunks that the page has from earlier visits leave the index with this one,
    /// replaced or not. `misses` are those counted so far.
    pub(super) fn replaces(&self, misses: i32) -> bool {
        match (self.outcome, self.earlier) {
            (PageOutcome::Fetched, _) | (PageOutcome::Skipped | PageOutcome::Failed, EarlierChunks::Leaves) => true,
            (PageOutcome::Skipped | PageOutcome::Failed, EarlierChunks::Missing) => misses + 1 >= MISSES_MAX,
            (PageOutcome::Unchanged, _) | (_, EarlierChunks::Stays) => false,
        }
    }

    /// Takes out of all texts the one character that PostgreSQL cannot store, however it came in:
    /// written in JSON, raw in a file, in a title.
    pub(super) fn storable(mut self) -> Self {
        let chunks = self.chunks.iter_mut().flat_map(|chunk| {
            let texts = [&mut chunk.question, &mut chunk.url, &mut chunk.page_title, &mut chunk.language];
            let texts = texts.into_iter().flatten().chain([&mut chunk.text]);
            texts.chain(&mut chunk.heading).chain(&mut chunk.phrasings)
        });
        let own = [&mut self.title, &mut self.language, &mut self.reason, &mut self.etag, &mut self.last_modified];
        let links = self.links.iter_mut().flatten();
        let all = own.into_iter().flatten().chain([&mut self.url]).chain(links).chain(chunks);
        all.for_each(without_nul);
        self
    }

    /// A visit to `url` that gave nothing yet.
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
