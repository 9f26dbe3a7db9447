//! Whether this server is the only one over its SQLite file: a lock on a file beside it, which the
//! system takes back when the process ends, however it ends.
//!
//! A second server over the same file is not refused, since leases keep the two apart. It only
//! cannot know that what is held is held by nobody alive. On PostgreSQL there are always others.

use std::fs::File;
use std::path::PathBuf;

use helpbot_db::DatabaseUrl;

/// Held as long as the server lives.
pub(crate) struct Sole {
    _lock: File,
}

impl Sole {
    /// None when there is another server, or may be.
    pub(crate) fn take(database: &DatabaseUrl) -> Option<Self> {
        let DatabaseUrl::Sqlite(path) = database else { return None };
        let mut beside = path.clone().into_os_string();
        beside.push(".server");
        let lock = File::create(PathBuf::from(beside)).ok()?;
        lock.try_lock().ok()?;
        Some(Self { _lock: lock })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_knows_that_it_is_not_alone_until_the_first_has_ended() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let url = DatabaseUrl::Sqlite(directory.path().join("helpbot.db"));

        let first = Sole::take(&url);
        let second = Sole::take(&url);
        drop(first.expect("nobody else"));

        assert!(second.is_none());
        assert!(Sole::take(&url).is_some());
    }
}
