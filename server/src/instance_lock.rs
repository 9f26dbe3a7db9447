//! The lock of a server, by which it knows after a crash what its killed predecessor had claimed. `running`
//! takes it when a server starts, and the operating system releases it when the process ends, however it ends.
//!
//! On SQLite the lock is a file next to the database: the server that holds it knows that no other server uses
//! the database. On PostgreSQL it is the file `node.lock` in the data directory, which contains the ID of this
//! node: other nodes have other data directories. The server may then release deliveries and jobs that a
//! killed server had claimed, without waiting for their leases to expire. A second server with the same files
//! is allowed to run, because leases keep the two apart; it only has to wait for those leases.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use helpbot_db::DatabaseUrl;
use helpbot_domain::text;
use helpbot_services::runtime::randomness;

use crate::settings::Settings;

/// Number of hexadecimal digits of the ID of a node.
const NODE_DIGITS: usize = 32;

/// The lock. It is held until this value is dropped or the process ends.
pub(crate) struct InstanceLock {
    _file: File,
    /// Prefix of the lease owners of all earlier servers that held this lock, and of no others.
    pub owner_prefix: String,
}

impl InstanceLock {
    /// Takes the lock. `None` when another server holds it, or when the lock file cannot be created.
    pub(crate) fn acquire(settings: &Settings) -> Option<Self> {
        match &settings.database {
            DatabaseUrl::Sqlite(path) => {
                let mut lock_path = path.clone().into_os_string();
                lock_path.push(".server");
                let file = locked(&PathBuf::from(lock_path))?;
                Some(Self { _file: file, owner_prefix: "server-".to_owned() })
            }
            DatabaseUrl::Postgres(_) => {
                let mut file = locked(&settings.data.join("node.lock"))?;
                let node = node_id(&mut file)?;
                Some(Self { _file: file, owner_prefix: format!("node-{node}-") })
            }
        }
    }
}

fn locked(path: &Path) -> Option<File> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).ok()?;
    file.try_lock().ok()?;
    Some(file)
}

/// Reads the ID of the node from its lock file, or chooses one when the file is new or damaged.
fn node_id(file: &mut File) -> Option<String> {
    let mut id = String::new();
    // The first line of a file that is not text is not an ID either.
    let _ = file.read_to_string(&mut id);
    if id.len() == NODE_DIGITS && id.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Some(id);
    }
    let id = text::hex(&randomness::bytes()[..NODE_DIGITS / 2]);
    file.set_len(0).ok()?;
    file.rewind().ok()?;
    file.write_all(id.as_bytes()).ok()?;
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_server_at_a_time_holds_a_lock() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("helpbot.db.server");

        let first = locked(&path);
        let second = locked(&path);
        drop(first.expect("the lock is free"));

        assert!(second.is_none());
        assert!(locked(&path).is_some());
    }

    #[test]
    fn a_node_keeps_its_id() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("node.lock");
        let id = || node_id(&mut locked(&path).expect("the lock is free")).expect("an ID");

        let first = id();
        let second = id();
        std::fs::write(&path, "damaged").expect("written");
        let third = id();

        assert_eq!(first.len(), NODE_DIGITS);
        assert_eq!(first, second);
        assert_ne!(first, third);
    }
}
