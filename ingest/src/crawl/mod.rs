//! Which pages of a site are read, in which order, and what came of each.
//!
//! [`plan`] decides: it is pure, so that scope, caps and traps are tested without a network.
//! `run` drives a plan: it asks `ground` for the rules of the site (robots.txt, sitemaps: `files`),
//! makes a `visit` to each page, and turns visits into what `services` stores (`report`).
//!
//! A crawl fetches page after page, each conditionally where the page is known, and extracts the
//! pages before meanwhile. What it finds out depends on the visits alone and on their order, so
//! that a crawl whose process died is gone through again with the visits that it had kept, and
//! goes on where they end. Nothing answers before all of it is handed over at once.

#[cfg(feature = "worker")]
mod contents;
#[cfg(feature = "worker")]
mod files;
#[cfg(feature = "worker")]
mod ground;
pub mod plan;
#[cfg(feature = "worker")]
mod report;
#[cfg(feature = "worker")]
mod run;
#[cfg(feature = "worker")]
mod visit;

#[cfg(feature = "worker")]
pub(crate) use run::site;
