//! The secret key of the installation, which signs session tokens and encrypts secrets in the database. This
//! file reads it from the data directory and creates it at the first start.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use helpbot_domain::text;
use helpbot_services::runtime::randomness;

use super::SettingsReader;

const FILE: &str = "secret.key";
const KEY_BYTES: usize = 32;

/// Why the key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretKeyError {
    /// The file cannot be created or read.
    #[error("cannot use {}: {cause}", path.display())]
    Io {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        #[source]
        cause: io::Error,
    },
    /// The file does not contain a key.
    #[error("{} does not contain 64 hexadecimal digits; restore the file, or delete it to end all sessions", path.display())]
    Bad {
        /// Path of the file.
        path: PathBuf,
    },
}

/// Reads the key from the data directory. Creates it at the first start, readable only by its owner.
///
/// # Errors
/// When the file cannot be created or read, or does not contain a key. A damaged file is never replaced, because
/// a new key would silently end the sessions of all visitors.
pub fn load(data: &Path) -> Result<[u8; KEY_BYTES], SecretKeyError> {
    let path = data.join(FILE);
    let failed = |cause| SecretKeyError::Io { path: path.clone(), cause };
    if let Some(key) = read(data)? {
        return Ok(key);
    }
    let key = randomness::bytes();
    match create(&path, &key) {
        Ok(()) => Ok(key),
        // Another process created the file first; its key is used.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read(data)?.ok_or(SecretKeyError::Bad { path }),
        Err(error) => Err(failed(error)),
    }
}

/// Reads the key from the data directory. `None` when there is no file.
///
/// # Errors
/// When the file cannot be read or does not contain a key.
pub fn read(data: &Path) -> Result<Option<[u8; KEY_BYTES]>, SecretKeyError> {
    let path = data.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) => from_hex(text.trim()).ok_or(SecretKeyError::Bad { path }).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(SecretKeyError::Io { path, cause }),
    }
}

/// Stores a key in the data directory, which has none yet.
///
/// # Errors
/// When the file exists or cannot be created.
pub fn store(data: &Path, key: &[u8; KEY_BYTES]) -> Result<(), SecretKeyError> {
    let path = data.join(FILE);
    create(&path, key).map_err(|cause| SecretKeyError::Io { path, cause })
}

fn create(path: &Path, key: &[u8; KEY_BYTES]) -> io::Result<()> {
    // The key is written to a temporary file and then linked, so that no process reads an incomplete key.
    let temporary = path.with_extension(format!("{}.new", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&temporary).and_then(|mut file| {
        writeln!(file, "{}", text::hex(key))?;
        file.sync_all()
    });
    let placed = written.and_then(|()| fs::hard_link(&temporary, path));
    let _ = fs::remove_file(&temporary);
    placed
}

impl SettingsReader<'_> {
    /// A key that is written in a setting.
    pub(super) fn secret_key(&mut self, name: &'static str) -> Option<[u8; KEY_BYTES]> {
        let given = self.optional(name)?;
        self.value(name, &given, |text| from_hex(text).ok_or_else(|| "must be 64 hexadecimal digits".to_owned()))
    }
}

/// Parses a key of 64 hexadecimal digits. `None` when the text is anything else.
fn from_hex(text: &str) -> Option<[u8; KEY_BYTES]> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    (digits.len() == KEY_BYTES * 2).then_some(())?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_created_once_and_only_its_owner_can_read_it() {
        let data = tempfile::tempdir().expect("a directory");

        let first = load(data.path()).expect("a key");
        let second = load(data.path()).expect("the same key");

        assert_eq!(first, second);
        assert_eq!(fs::read_dir(data.path()).expect("a directory").count(), 1, "nothing else is left behind");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(data.path().join(FILE)).expect("the file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_key_file_is_refused_and_not_replaced() {
        let data = tempfile::tempdir().expect("a directory");
        fs::write(data.path().join(FILE), "0123").expect("written");

        let loaded = load(data.path());

        assert!(matches!(loaded, Err(SecretKeyError::Bad { .. })), "{loaded:?}");
        assert_eq!(fs::read_to_string(data.path().join(FILE)).expect("read"), "0123");
    }
}
