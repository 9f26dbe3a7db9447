//! The library behind the `helpbot` binary: settings, wiring, the HTTP server, background work and the
//! command line.
//!
//! [`bind`] takes the port, opens the installation and returns a [`BoundServer`], on which use cases can be
//! called before any client can connect. [`BoundServer::serve`] starts accepting connections and background
//! work and returns a [`RunningServer`]. [`start`] does both. Tests start several servers in one process,
//! each with its own clock and database.
//!
//! This crate only wires the others together. Rules belong in `services`.

mod accept;
pub mod assets;
pub mod cli;
mod compression;
mod error;
mod first_site;
mod health;
mod http;
mod inbound_mail;
mod installation;
mod instance_lock;
mod log_redaction;
mod metrics;
mod private_files;
mod routes;
mod running;
pub mod settings;
mod trace_context;

pub use error::StartError;
pub use installation::{Installation, Parts};
pub use running::{BoundServer, RunningServer, bind, start};
pub use settings::Settings;
