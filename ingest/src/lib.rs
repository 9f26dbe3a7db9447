//! A source to documents and chunks: fetch, extract, diff.
//!
//! Two halves. The pure one turns bytes into questions, answers and passages and knows nothing of
//! the network, the database or the clock: [`charset`], [`extract`], [`robots`], [`sitemap`] and
//! [`crawl::plan`]. The other one drives it: [`worker`] takes jobs, reads a page or a file or
//! crawls a site ([`crawl`]), fetches through `outbound` and stores through `services`.
//!
//! Guarantee of the pure half: whatever the bytes are, it returns in bounded memory and time, with
//! a page or with a reason that a site owner understands. Only PDF, whose parsers cannot promise
//! that, runs in a child process (see [`pdf`]).
//!
//! The feature `worker`, on by default, is the second half: what holds the wall between the two
//! is that the first one compiles without it.

pub mod charset;
#[cfg(feature = "worker")]
mod content;
pub mod crawl;
#[cfg(feature = "worker")]
mod drafts;
pub mod extract;
mod files;
#[cfg(feature = "worker")]
mod politeness;
#[cfg(feature = "worker")]
mod reader;
#[cfg(feature = "worker")]
mod reasons;
pub mod robots;
pub mod sitemap;
#[cfg(feature = "worker")]
pub mod worker;

pub use files::pdf;
#[cfg(feature = "worker")]
pub use politeness::Manners;
