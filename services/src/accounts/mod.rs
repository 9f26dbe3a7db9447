//! Accounts: sites, their members, and what each caller may do.
//!
//! A *site* is one customer's bot with its plan and settings ([`sites`]). Callers present an API
//! key; [`access`] turns it into a [`Viewer`](crate::Viewer), against which every use case checks
//! scopes. [`keys`] and [`members`] manage who has access, [`session_token`] proves that a
//! visitor's session is theirs, and [`usage`] counts the credits of the month.

pub mod access;
pub(crate) mod key_cache;
pub mod keys;
pub mod members;
pub mod session_token;
pub mod sites;
pub mod usage;
pub(crate) mod viewer;
