//! The lock file beside an SQLite database. `running` takes it when a server starts, and the operating
//! system releases it when the process ends, however it ends.
//!
//! The server that holds the lock knows that no other server uses the database. It may therefore send
//! deliveries again that a killed server had claimed, without waiting for their leases to expire. A second
//! server over the same file is allowed to run, because leases keep the two apart; it only has to wait for
//! those leases. On PostgreSQL other nodes may always exist, so there is no lock.

use std::fs::File;
use std::path::PathBuf;

use helpbot_db::DatabaseUrl;

/// The lock. It is held until this value is dropped or the process ends.
pub(crate) struct InstanceLock {
    _file: File,
}

impl InstanceLock {
    /// Takes the lock of an SQLite database. `None` when another server holds it, when the lock file cannot
    /// be created, and on PostgreSQL.
    pub(crate) fn acquire(database: &DatabaseUrl) -> Option<Self> {
        let DatabaseUrl::Sqlite(path) = database else { return None };
        let mut lock_path = path.clone().into_os_string();
        lock_path.push(".server");
        let file = File::create(PathBuf::from(lock_path)).ok()?;
        file.try_lock().ok()?;
        Some(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_server_at_a_time_holds_the_lock() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let url = DatabaseUrl::Sqlite(directory.path().join("helpbot.db"));

        let first = InstanceLock::acquire(&url);
        let second = InstanceLock::acquire(&url);
        drop(first.expect("the lock is free"));

        assert!(second.is_none());
        assert!(InstanceLock::acquire(&url).is_some());
    }
}
