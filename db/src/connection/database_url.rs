//! The URL of a database: `sqlite:PATH` or `postgres://USER@HOST/NAME`.
//!
//! [`DatabaseUrl::driver`] is the only place that picks the implementation for a URL.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::postgres::{PostgresServer, PostgresUrl};
use super::sqlite::SqliteFile;
use super::store::Driver;
use crate::error::{Error, Result};

/// The database of an installation.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// Path of an SQLite file. The file is created when it does not exist.
    Sqlite(PathBuf),
    /// A `postgres://` URL with the options for its connections.
    Postgres(PostgresUrl),
}

impl DatabaseUrl {
    /// Returns the path of the SQLite file, or `None` for PostgreSQL.
    pub fn sqlite_path(&self) -> Option<&Path> {
        if let DatabaseUrl::Sqlite(path) = self { Some(path) } else { None }
    }

    pub(super) fn driver(&self) -> Box<dyn Driver> {
        match self {
            DatabaseUrl::Sqlite(path) => Box::new(SqliteFile(path.clone())),
            DatabaseUrl::Postgres(url) => Box::new(PostgresServer::new(url.clone())),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    /// Writes the URL without its password, for logs and `doctor`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.driver().public_name())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for DatabaseUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Some(path) = text.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            return Ok(DatabaseUrl::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(DatabaseUrl::Postgres(text.to_owned().into()));
        }
        Err(Error::Schema("the database URL must be sqlite:PATH or postgres://USER@HOST/NAME".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        let url: DatabaseUrl =
            "postgres://ann:secret@db.example:5432/helpbot?sslmode=disable".parse().expect("a database URL");

        assert_eq!(url.to_string(), "postgres://db.example:5432/helpbot");
        assert_eq!(format!("{url:?}"), url.to_string());
        let with_mark: DatabaseUrl = "postgres://ann:sec?ret@db.example/helpbot".parse().expect("a database URL");
        assert_eq!(with_mark.to_string(), "postgres://db.example/helpbot");
    }

    #[test]
    fn other_schemes_are_rejected() {
        for text in ["", "sqlite:", "mysql://x", "helpbot.db"] {
            assert!(matches!(text.parse::<DatabaseUrl>(), Err(Error::Schema(_))), "{text}");
        }
    }
}
