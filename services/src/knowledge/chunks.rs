//! What the use cases of this folder and of `sources` share about chunks: reading all chunks of a
//! site, and hashing their content. This file imports no other use case.

use helpbot_db as db;
use helpbot_domain::chunk::StoredChunk;
use helpbot_domain::ids::SiteId;
use helpbot_domain::text;
use sha2::{Digest, Sha256};

use crate::{Result, Services};

/// Number of chunks per query.
const PAGE: i64 = 2_000;

/// Name of the source that contains the entries that the owner writes.
pub(crate) const WRITTEN_ANSWERS: &str = "Written answers";

/// Returns all chunks of a site, ordered by ID like those of an index.
///
/// # Errors
/// Only errors of the database.
pub(crate) async fn stored(services: &Services, site: SiteId) -> Result<Vec<StoredChunk>> {
    let mut chunks = Vec::new();
    let mut after = None;
    loop {
        let page = db::chunks::of_site(&mut services.db.reader().await?, site, after, PAGE).await?;
        after = page.last().map(|chunk| chunk.id);
        let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        chunks.extend(page);
        if is_last {
            return Ok(chunks);
        }
    }
}

/// Returns a hash that changes when the content of a chunk changes.
pub(crate) fn content_hash(question: Option<&str>, heading: &[String], text: &str) -> String {
    hash(question.into_iter().chain(heading.iter().map(String::as_str)).chain([text]))
}

/// Returns the SHA-256 of the parts in lowercase hex. Each part ends with a byte that no text
/// contains.
pub(crate) fn hash(parts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_ref().as_bytes());
        hasher.update([0xff]);
    }
    text::hex(&hasher.finalize())
}
