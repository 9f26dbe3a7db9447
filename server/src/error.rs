//! Why a server or a command could not start. Each message is one sentence for the person who started it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::settings::SecretKeyError;

/// Why nothing was started. A failed start leaves no partial state.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be created or used.
    #[error("cannot use the data directory {}: {cause}; choose another one with --data or HELPBOT_DATA", path.display())]
    Data {
        /// Path of the directory.
        path: PathBuf,
        /// Error of the operating system.
        #[source]
        cause: io::Error,
    },
    /// The secret key of the installation cannot be read or created.
    #[error(transparent)]
    SecretKey(#[from] SecretKeyError),
    /// The database is unreachable, read-only, or was migrated by a newer version of HelpBot.
    #[error("cannot open the database {database}: {cause}")]
    Database {
        /// URL of the database without a password.
        database: String,
        /// Error of the database.
        #[source]
        cause: helpbot_db::Error,
    },
    /// The secret key is not the one with which the database was written.
    #[error(
        "the secret key of this node has the fingerprint {own}, and the database {database} was written with the key \
         {stored}; copy secret.key or the setting secret_key from a node of this installation or from the backup"
    )]
    WrongKey {
        /// URL of the database without a password.
        database: String,
        /// Fingerprint of the installation's key.
        stored: String,
        /// Fingerprint of the node's key.
        own: String,
    },
    /// A restore or a move has not filled the database completely.
    #[error(
        "the database {database} is incomplete: {copy} has not finished; run the same command again to continue it"
    )]
    Unfinished {
        /// URL of the database without a password.
        database: String,
        /// What fills the database.
        copy: String,
    },
    /// The database failed while the key or the clock was compared.
    #[error("cannot read the installation: {}", .0.detail())]
    Installation(#[source] helpbot_services::Error),
    /// The address or the port cannot be used.
    #[error("cannot listen on {address}: {cause}; choose another address with --listen")]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// Error of the operating system.
        #[source]
        cause: io::Error,
    },
    /// The address of the metrics cannot be used.
    #[error("cannot listen on {address} for metrics: {cause}; choose another address with the setting metrics_listen")]
    MetricsListen {
        /// The configured address.
        address: SocketAddr,
        /// Error of the operating system.
        #[source]
        cause: io::Error,
    },
    /// A setting that turned out to be unusable when it was applied.
    #[error("{0}")]
    Setting(String),
    /// A use case failed while the first site was created.
    #[error("cannot create the first site: {0}")]
    FirstSite(#[source] helpbot_services::Error),
}
