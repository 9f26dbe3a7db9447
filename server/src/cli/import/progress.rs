//! The saved progress of an import: one small file for each site in the data directory.

use std::path::{Path, PathBuf};

use helpbot_domain::ids::SiteId;
use serde::{Deserialize, Serialize};
use url::Url;

use super::super::failure::CommandFailure;

/// The next page of conversations to import. Pages start at 1 with the oldest conversations.
pub(super) struct ImportProgress {
    path: PathBuf,
    saved: SavedProgress,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SavedProgress {
    /// URL of the account. The import of another account starts at the first page.
    from: String,
    next_page: u64,
}

impl ImportProgress {
    /// The progress of an earlier import of the same account into the site, or the first page.
    pub(super) fn load(data: &Path, site: SiteId, from: &Url) -> Result<Self, CommandFailure> {
        let path = data.join(format!("import-{site}.json"));
        let beginning = SavedProgress { from: from.to_string(), next_page: 1 };
        let saved = match std::fs::read(&path) {
            // With a damaged file the import starts again; conversations that are already here stay unchanged.
            Ok(bytes) => serde_json::from_slice::<SavedProgress>(&bytes)
                .unwrap_or(SavedProgress { from: String::new(), next_page: 1 }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self { path, saved: beginning }),
            Err(error) => return Err(CommandFailure::failed(format!("cannot read {}: {error}", path.display()))),
        };
        let is_same = saved.from == beginning.from;
        Ok(Self { path, saved: if is_same { saved } else { beginning } })
    }

    /// The page to continue with.
    pub(super) fn next_page(&self) -> u64 {
        self.saved.next_page.max(1)
    }

    /// Starts again at the first page.
    pub(super) fn restart(&mut self) {
        self.saved.next_page = 1;
    }

    /// Saves that all pages before `page` are imported.
    pub(super) fn reach(&mut self, page: u64) -> Result<(), CommandFailure> {
        self.saved.next_page = page;
        let text = serde_json::to_vec(&self.saved).map_err(|error| CommandFailure::failed(error.to_string()))?;
        let new_file = self.path.with_extension("json.new");
        let created = self.path.parent().map_or(Ok(()), std::fs::create_dir_all);
        // Renaming is atomic: after a crash the file has either the old or the new content.
        created
            .and_then(|()| std::fs::write(&new_file, text))
            .and_then(|()| std::fs::rename(&new_file, &self.path))
            .map_err(|error| CommandFailure::failed(format!("cannot write {}: {error}", self.path.display())))
    }
}
