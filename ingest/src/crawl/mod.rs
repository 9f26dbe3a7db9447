//! Crawls a site: decides which pages are read in which order, and what each visit means.
//!
//! [`plan`] decides. It is pure, so scope, limits and traps are tested without a network. `run` executes a plan: it asks
//! `ground` for the rules of the site (robots.txt, sitemaps: `files`), makes a `visit` to each page, compares the
//! `contents` of pages, and turns visits into what `services` stores (`report`).
//!
//! A crawl fetches one page after another, conditionally if the page is known, and extracts the previous pages at the
//! same time. Its result depends only on the visits and their order. A crawl whose process died is therefore repeated
//! with the visits that were stored, and continues where they end. Nothing answers questions before the whole result
//! is handed over.

mod address;
#[cfg(feature = "worker")]
mod contents;
#[cfg(feature = "worker")]
mod crawled;
#[cfg(feature = "worker")]
mod files;
#[cfg(feature = "worker")]
mod ground;
pub mod plan;
#[cfg(feature = "worker")]
mod report;
#[cfg(feature = "worker")]
mod run;
mod series;
#[cfg(feature = "worker")]
mod visit;

#[cfg(feature = "worker")]
pub(crate) use crawled::Crawled;
#[cfg(feature = "worker")]
pub(crate) use run::site;
