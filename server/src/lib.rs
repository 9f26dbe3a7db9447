//! The binary's insides: settings, wiring, serving, background work, the command line.
//!
//! [`bind`] takes the port, opens the installation (data directory, keys, database) and gives
//! [`Bound`], in which use cases can be called before anybody else can; [`Bound::serve`] starts
//! accepting and working and gives [`Running`]. [`start`] does both. Tests start whole servers
//! with it, in one process, each with its own clock and database.
//!
//! Rules live in `services`; here is nothing that a second caller would miss.

mod accept;
pub mod assets;
pub mod cli;
mod error;
mod first_start;
mod health;
mod http;
mod installation;
mod metrics;
mod redact;
mod routes;
mod running;
pub mod settings;
mod sole;

pub use error::StartError;
pub use installation::{Installation, Parts};
pub use running::{Bound, Running, bind, start};
pub use settings::Settings;
