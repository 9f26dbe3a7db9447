//! How far an import has come: a small file in the data directory, one for each site.

use std::path::{Path, PathBuf};

use helpbot_domain::ids::SiteId;
use serde::{Deserialize, Serialize};
use url::Url;

use super::super::failure::Failure;

/// The next page of conversations to bring, from 1, the oldest first.
pub(super) struct Progress {
    path: PathBuf,
    kept: Kept,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    /// The account that it was; another one begins anew.
    from: String,
    next_page: u64,
}

impl Progress {
    /// That of an earlier import of the same account into the site, or the beginning.
    pub(super) fn load(data: &Path, site: SiteId, from: &Url) -> Result<Self, Failure> {
        let path = data.join(format!("import-{site}.json"));
        let beginning = Kept { from: from.to_string(), next_page: 1 };
        let kept = match std::fs::read(&path) {
            // A file that cannot be understood costs a look at pages that are known.
            Ok(bytes) => serde_json::from_slice::<Kept>(&bytes).unwrap_or(Kept { from: String::new(), next_page: 1 }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self { path, kept: beginning }),
            Err(error) => return Err(Failure::failed(format!("cannot read {}: {error}", path.display()))),
        };
        let is_same = kept.from == beginning.from;
        Ok(Self { path, kept: if is_same { kept } else { beginning } })
    }

    /// The page to go on with.
    pub(super) fn next_page(&self) -> u64 {
        self.kept.next_page.max(1)
    }

    /// Begins again.
    pub(super) fn restart(&mut self) {
        self.kept.next_page = 1;
    }

    /// Notes that the pages before `page` have been brought.
    pub(super) fn reach(&mut self, page: u64) -> Result<(), Failure> {
        self.kept.next_page = page;
        let text = serde_json::to_vec(&self.kept).map_err(|error| Failure::failed(error.to_string()))?;
        let beside = self.path.with_extension("json.new");
        let made = self.path.parent().map_or(Ok(()), std::fs::create_dir_all);
        // In one step, so that a crash leaves the old or the new and nothing between.
        made.and_then(|()| std::fs::write(&beside, text))
            .and_then(|()| std::fs::rename(&beside, &self.path))
            .map_err(|error| Failure::failed(format!("cannot write {}: {error}", self.path.display())))
    }
}
