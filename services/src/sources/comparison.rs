//! The comparison of a page's stored chunks with those of a new visit: which ones are new, moved
//! or gone. Chunks with the same content keep their IDs, and thereby their phrasings and citations.
//! Pure; used while a sync is staged and when it is stored.

use helpbot_domain::Timestamp;
use helpbot_domain::chunk::StoredChunk;
use helpbot_domain::extraction::{CHANGES_MAX, ChunkChange, ChunkChangeKind, PageChange, SAMPLE_MAX_CHARS};
use helpbot_domain::text;

use crate::sources::unchanged::UnchangedChunks;

/// What a sync changed in the chunks of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// Number of chunks that were added, changed or removed.
    pub changed: i64,
    /// Whether chunks were removed or moved, so that an older index must not answer.
    pub is_retired: bool,
}

impl std::ops::AddAssign for Difference {
    fn add_assign(&mut self, other: Self) {
        self.changed += other.changed;
        self.is_retired |= other.is_retired;
    }
}

/// What happens to a chunk of the new visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    /// No stored chunk has its content.
    Added,
    /// A stored chunk has its content at another position or in another language.
    Moved,
    /// A stored chunk has its content under another address or page title.
    Elsewhere,
    /// A stored chunk is the same.
    Same,
}

/// The result of a comparison.
#[derive(Debug)]
pub(super) struct Comparison {
    /// The chunks of the new visit in order, with the IDs of the stored chunks that they keep.
    pub new: Vec<(StoredChunk, Compared)>,
    /// The stored chunks whose content is gone, in their order on the page.
    pub gone: Vec<StoredChunk>,
}

impl Comparison {
    /// Compares the stored chunks of a page, in their order, with new ones.
    pub(super) fn of(stored: Vec<StoredChunk>, new: Vec<StoredChunk>) -> Self {
        let hashed = stored.into_iter().map(|chunk| (chunk.content_hash.clone(), chunk));
        let mut kept = UnchangedChunks::of(hashed);
        let compared = new.into_iter().map(|mut chunk| {
            let Some(same) = kept.take(&chunk.content_hash) else { return (chunk, Compared::Added) };
            chunk.id = same.id;
            let change = match () {
                () if (&same.url, &same.page_title) != (&chunk.url, &chunk.page_title) => Compared::Elsewhere,
                () if (same.position, &same.language) != (chunk.position, &chunk.language) => Compared::Moved,
                () => Compared::Same,
            };
            (chunk, change)
        });
        let new = compared.collect();
        let mut gone: Vec<StoredChunk> = kept.gone().collect();
        gone.sort_by_key(|chunk| chunk.position);
        Self { new, gone }
    }

    /// Returns what the new visit changes.
    pub(super) fn difference(&self) -> Difference {
        let changed = self.new.iter().filter(|(_, change)| *change != Compared::Same).count() + self.gone.len();
        let is_elsewhere = self.new.iter().any(|(_, change)| *change == Compared::Elsewhere);
        Difference {
            changed: i64::try_from(changed).unwrap_or(i64::MAX),
            is_retired: is_elsewhere || !self.gone.is_empty(),
        }
    }

    /// Returns the change of the page for its owner. `None` when no text changed.
    pub(super) fn page_change(&self, at: Timestamp) -> Option<PageChange> {
        let mut gone: Vec<Option<&StoredChunk>> = self.gone.iter().map(Some).collect();
        let mut chunks = Vec::new();
        for (chunk, _) in self.new.iter().filter(|(_, change)| *change == Compared::Added) {
            let is_same = |old: &Option<&StoredChunk>| {
                old.is_some_and(|old| !title(chunk).is_empty() && (old.kind, title(old)) == (chunk.kind, title(chunk)))
            };
            let before = gone.iter_mut().find(|old| is_same(old)).and_then(Option::take);
            chunks.push(chunk_change(before, Some(chunk)));
        }
        chunks.extend(gone.into_iter().flatten().map(|old| chunk_change(Some(old), None)));
        let total = i64::try_from(chunks.len()).unwrap_or(i64::MAX);
        chunks.truncate(CHANGES_MAX);
        (total > 0).then_some(PageChange { at, total, chunks })
    }
}

/// The question or innermost heading of a chunk.
fn title(chunk: &StoredChunk) -> &str {
    chunk.question.as_deref().or(chunk.heading.last().map(String::as_str)).unwrap_or_default()
}

fn chunk_change(before: Option<&StoredChunk>, after: Option<&StoredChunk>) -> ChunkChange {
    let kind = match (before, after) {
        (None, _) => ChunkChangeKind::Added,
        (_, None) => ChunkChangeKind::Removed,
        _ => ChunkChangeKind::Changed,
    };
    let sample = |chunk: &StoredChunk| text::cut(&chunk.text, SAMPLE_MAX_CHARS).to_owned();
    let named = after.or(before);
    ChunkChange {
        kind,
        chunk: named.map_or(helpbot_domain::chunk::ChunkKind::Passage, |chunk| chunk.kind),
        title: named.map(|chunk| text::cut(title(chunk), SAMPLE_MAX_CHARS).to_owned()).unwrap_or_default(),
        before: before.map(sample),
        after: after.map(sample),
    }
}
