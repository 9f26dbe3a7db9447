//! Backups of a whole installation, restoring them, and moving an installation to another database.
//!
//! The command line calls [`write`], [`restore`] and [`move_to`]. All three copy the rows of one
//! consistent snapshot, table by table in the order of their references and row by row in the order of
//! their keys, in a form that does not depend on the database ([`helpbot_db::copying`]). A **backup**
//! ([`lines`]) is a text of JSON lines: the [`Manifest`], the rows, and after each table their number and
//! checksum. Its last line authenticates everything before it with the secret key of the
//! installation, so that a cut, damaged or forged backup is refused before a row is written.
//!
//! The database that is filled ([`filling`]) is marked until the copy is complete and verified, and no
//! program opens it before. A copy that was interrupted is continued by the same command: what is
//! there is compared with the beginning of the source, and the rest is added.
//!
//! Secrets in the rows stay sealed with the secret key, which is therefore needed to use the copy. The
//! backup contains the key only on request, sealed with a passphrase ([`passphrase`]).

mod digest;
mod filling;
mod lines;
mod manifest;
mod passphrase;
mod reading;
mod table_rows;
mod writing;

use std::io;

use helpbot_db::copying::ColumnValue;

pub use filling::{move_to, restore};
pub use manifest::Manifest;
pub use passphrase::{PASSPHRASE_CHARS_MIN, SealedKey};
pub use reading::{BackupReader, VerifiedBackup, verify};
pub use writing::write;

/// Maximum number of rows that are read or written at once. More would not be faster.
const BATCH_ROWS_MAX: usize = 1_000;
/// Size at which a batch ends. It bounds the memory and the time of a transaction.
const BATCH_BYTES: usize = 1024 * 1024;

/// A row with a value for each column of its table.
type Row = Vec<ColumnValue>;

/// Why a backup, a restore or a move failed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file cannot be read or written.
    #[error("the backup cannot be read or written: {0}")]
    Io(#[source] io::Error),
    /// The file is something else.
    #[error("the file is not a backup of HelpBot")]
    NotABackup,
    /// A newer version of the program wrote the backup.
    #[error("the backup has the format {0}, which only a newer version of helpbot can read")]
    NewerFormat(u32),
    /// The content is not what was written.
    #[error("the backup is damaged or incomplete: {0}")]
    Damaged(String),
    /// The secret key is not that of the installation.
    #[error("the secret key has the fingerprint {own}, and the installation was written with the key {stored}")]
    WrongKey {
        /// Fingerprint of the key of the installation.
        stored: String,
        /// Fingerprint of the key that was given.
        own: String,
    },
    /// The passphrase does not open the secret key in the backup.
    #[error("the passphrase is not the one with which the secret key in the backup was sealed")]
    WrongPassphrase,
    /// The passphrase is too short to protect a key.
    #[error("the passphrase must have at least {PASSPHRASE_CHARS_MIN} characters")]
    ShortPassphrase,
    /// The source or the target of the copy cannot be used.
    #[error("{0}")]
    Refused(String),
    /// A query failed.
    #[error(transparent)]
    Database(#[from] helpbot_db::Error),
}

impl From<io::Error> for BackupError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // The compressed form of the file is cut or changed.
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                BackupError::Damaged(error.to_string())
            }
            _ => BackupError::Io(error),
        }
    }
}

/// The result of a step of a backup, a restore or a move.
pub type Result<T, E = BackupError> = std::result::Result<T, E>;

/// How far a copy is.
#[derive(Debug, Clone, Copy)]
pub struct CopyProgress<'a> {
    /// The table that is being copied.
    pub table: &'a str,
    /// Number of rows of the table that are copied.
    pub rows: u64,
    /// Number of rows of the table.
    pub total_rows: u64,
}

/// Receives the progress of a copy: when a table begins, after each batch, and when the table is complete.
pub type OnProgress = Box<dyn FnMut(CopyProgress<'_>) + Send + Sync>;

/// What was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CopyReport {
    /// Number of tables.
    pub tables: usize,
    /// Number of rows, also those that an interrupted copy had written before.
    pub rows: u64,
}
