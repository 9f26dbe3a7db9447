//! Reads sources: fetches pages and files, extracts questions, answers and passages, and stores them.
//!
//! The crate has two halves. The pure half turns bytes into questions, answers and passages and uses no
//! network, database or clock: [`charset`], [`extract`], [`files`], [`robots`], [`sitemap`] and
//! [`crawl::plan`]. The other half drives it: [`worker`] takes jobs, reads a page or a file or crawls a site ([`crawl`]),
//! fetches through `outbound` and stores through `services`.
//!
//! The pure half guarantees that it returns in bounded memory and time, with a page or with a reason
//! that a site owner understands, whatever the bytes are. Only PDF files are read in a child process
//! (see [`pdf`]), because their parsers cannot promise that.
//!
//! The feature `worker`, on by default, enables the second half. The first half compiles without it,
//! which proves that it does not depend on the second.

mod binary;
pub mod charset;
#[cfg(feature = "worker")]
mod content;
pub mod crawl;
#[cfg(feature = "worker")]
mod drafts;
pub mod extract;
pub mod files;
#[cfg(feature = "worker")]
mod politeness;
#[cfg(feature = "worker")]
mod reader;
#[cfg(feature = "worker")]
mod reasons;
#[cfg(feature = "worker")]
mod refresh;
pub mod robots;
pub mod sitemap;
#[cfg(feature = "worker")]
pub mod worker;

pub use files::pdf;
#[cfg(feature = "worker")]
pub use politeness::Manners;
