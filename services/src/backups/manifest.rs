//! The first line of a backup, which says what it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::passphrase::SealedKey;
use super::{BackupError, Result};
use crate::runtime::installation;

/// Version of the format. A program refuses backups with a higher one.
pub(super) const FORMAT: u32 = 1;

/// What a backup is and what is needed to restore it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the format.
    pub format: u32,
    /// Version of the program that wrote the backup.
    pub program: String,
    /// When the backup was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// The applied migrations, oldest first: the state of the tables.
    pub migrations: Vec<String>,
    /// Fingerprint of the secret key of the installation.
    pub key_fingerprint: String,
    /// The sealed key with which client addresses are hashed, after a rotation of the secret key.
    pub hash_key_sealed: Option<String>,
    /// The secret key, if the backup contains it.
    pub sealed_key: Option<SealedKey>,
}

impl Manifest {
    /// Returns the secret key that the backup contains. `None` when it contains none.
    ///
    /// # Errors
    /// `WrongPassphrase` or `Damaged`.
    pub fn open_key(&self, passphrase: &str) -> Result<Option<[u8; 32]>> {
        self.sealed_key.as_ref().map(|sealed| sealed.open(&self.key_fingerprint, passphrase)).transpose()
    }

    /// The bytes of the sealed key for hashes.
    ///
    /// # Errors
    /// `Damaged`.
    pub(super) fn hash_key(&self) -> Result<Option<Vec<u8>>> {
        let decoded = self.hash_key_sealed.as_ref().map(|text| STANDARD.decode(text)).transpose();
        decoded.map_err(|_| BackupError::Damaged("the sealed key for hashes cannot be parsed".into()))
    }

    /// Checks that `key` is the secret key of the installation.
    ///
    /// # Errors
    /// `WrongKey`.
    pub(super) fn check_key(&self, key: &[u8; 32]) -> Result<()> {
        let own = installation::fingerprint(key);
        match own == self.key_fingerprint {
            true => Ok(()),
            false => Err(BackupError::WrongKey { stored: self.key_fingerprint.clone(), own }),
        }
    }
}
