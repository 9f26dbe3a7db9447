//! The URL of a PostgreSQL database and how this program uses the server. [`super::parameters`]
//! parses the text when a connection is needed.

use std::time::Duration;

use rustls::pki_types::CertificateDer;

use super::parameters::Parameters;

/// Connections of one process. PostgreSQL accepts 100 by default, over all processes.
const CONNECTIONS: usize = 16;
/// Time after which PostgreSQL cancels a statement. The slowest statements of this program take a
/// second at a million conversations.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(20);
/// Time after which PostgreSQL cancels a statement that waits for a row that another transaction
/// has locked. Transactions of this program hold their locks for milliseconds.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// A `postgres://` URL with the options for its connections.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    text: String,
    /// How the program uses the server.
    pub options: PostgresOptions,
}

/// How the program uses a PostgreSQL server.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// Maximum number of connections of this process, at least 2. One half reads, the other writes.
    pub connections: usize,
    /// Time after which the server cancels a statement.
    pub statement_timeout: Duration,
    /// Time after which the server cancels a statement that waits for a lock.
    pub lock_timeout: Duration,
    /// How long opening the database waits for a server that is down or starting.
    pub start_wait: Duration,
    /// What is between this program and the server.
    pub pooler: Pooler,
    /// Certificate authorities that are trusted in addition to Mozilla's when the URL names no
    /// `sslrootcert`.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// A connection pooler between this program and the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooler {
    /// There is none, or it keeps one connection of the server per client (session mode).
    None,
    /// It assigns a connection of the server to each transaction, as PgBouncer does with
    /// `pool_mode = transaction`. Prepared statements then exist only within a transaction.
    Transaction,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS,
            statement_timeout: STATEMENT_TIMEOUT,
            lock_timeout: LOCK_TIMEOUT,
            start_wait: Duration::ZERO,
            pooler: Pooler::None,
            authorities: Vec::new(),
        }
    }
}

impl PostgresUrl {
    /// Returns the URL as it was written. It may contain a password.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Checks the URL, the environment variables that add to it, and the files that they name.
    ///
    /// # Errors
    /// A sentence for the operator, without secrets.
    pub fn check(&self) -> Result<(), String> {
        Parameters::resolve(self).map(drop)
    }

    /// Returns the URL without user, password and parameters, for logs and `doctor`.
    pub(super) fn public_name(&self) -> String {
        let rest = self.text.split_once("://").map_or("", |(_, rest)| rest);
        let (address, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        // A password with an unescaped question mark must not be shown either.
        let after_password = address.rsplit_once('@').or_else(|| parameters.rsplit_once('@'));
        let shown = after_password.map_or(address, |(_, host)| host.split('?').next().unwrap_or_default());
        format!("postgres://{shown}")
    }
}

impl From<String> for PostgresUrl {
    /// A URL with the default options.
    fn from(text: String) -> Self {
        Self { text, options: PostgresOptions::default() }
    }
}
