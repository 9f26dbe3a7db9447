//! Creates files and directories that only their owner can access. The data directory, the database and the file with
//! the keys of the first start are created here. SQLite gives its WAL and shared-memory files the permissions of the
//! database file. On systems other than Unix, the permissions of the parent directory apply.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Read, write and search for the owner only.
#[cfg(unix)]
const DIRECTORY_MODE: u32 = 0o700;
/// Read and write for the owner only.
#[cfg(unix)]
const FILE_MODE: u32 = 0o600;

/// Creates a directory and its missing parents. An existing directory is not changed.
///
/// # Errors
/// When the directory cannot be created.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, DIRECTORY_MODE);
    builder.create(path)
}

/// Creates an empty file unless it exists. An existing file is not changed.
///
/// # Errors
/// When the file cannot be created.
pub(crate) fn create_file(path: &Path) -> io::Result<()> {
    match open(path, OpenOptions::new().write(true).create_new(true)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Creates an empty file. An existing file is replaced, also when others could read it.
///
/// # Errors
/// When the old file cannot be removed or the new one cannot be created.
pub(crate) fn replace(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    open(path, OpenOptions::new().write(true).create_new(true))
}

/// Writes a file. An existing file is replaced, also when others could read it.
///
/// # Errors
/// When the old file cannot be removed or the new one cannot be written.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = replace(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Whether users other than the owner have any access. `false` on systems other than Unix, where it is not known.
///
/// # Errors
/// When the path cannot be read.
pub(crate) fn is_accessible_to_others(path: &Path) -> io::Result<bool> {
    let metadata = fs::metadata(path)?;
    #[cfg(unix)]
    return Ok(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0);
    #[cfg(not(unix))]
    return Ok(false & metadata.is_dir());
}

fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, FILE_MODE);
    options.open(path)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it exists").permissions().mode() & 0o777
    }

    #[test]
    fn only_the_owner_can_access_created_files_and_directories() {
        let home = tempfile::tempdir().expect("a directory");
        let (directory, file) = (home.path().join("a/b"), home.path().join("a/b/file"));

        create_directory(&directory).expect("created");
        create_file(&file).expect("created");
        create_file(&file).expect("it exists");

        assert_eq!((mode(&directory), mode(&file)), (0o700, 0o600));
        assert!(!is_accessible_to_others(&file).expect("it exists"));
    }

    #[test]
    fn a_written_file_is_private_even_when_the_old_one_was_not() {
        let home = tempfile::tempdir().expect("a directory");
        let file = home.path().join("file");
        fs::write(&file, "old").expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("changed");

        write(&file, "new").expect("written");

        assert_eq!((mode(&file), fs::read_to_string(&file).expect("read").as_str()), (0o600, "new"));
    }
}
