//! Why a server or a command could not begin, each in a sentence for who started it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::settings::SecretKeyError;

/// Why nothing was started. Nothing is left half done.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be made.
    #[error("cannot use the data directory {}: {cause}; name another with --data or HELPBOT_DATA", path.display())]
    Data {
        /// Which directory.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The installation's key.
    #[error(transparent)]
    SecretKey(#[from] SecretKeyError),
    /// The database is down, cannot be written, or was written by a newer program.
    #[error("cannot open the database {database}: {cause}")]
    Database {
        /// Its address without a password.
        database: String,
        /// Why, as the database says it.
        #[source]
        cause: helpbot_db::Error,
    },
    /// The port.
    #[error("cannot listen on {address}: {cause}; choose another with --listen")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A setting that only shows its fault when it is used.
    #[error("{0}")]
    Setting(String),
    /// A use case of the first start.
    #[error("the first site could not be set up: {0}")]
    FirstSite(#[source] helpbot_services::Error),
}
