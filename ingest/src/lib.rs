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

pub mod charset;
mod content;
pub mod crawl;
mod drafts;
pub mod extract;
mod files;
mod politeness;
mod reader;
mod reasons;
pub mod robots;
pub mod sitemap;
pub mod worker;

pub use files::pdf;
pub use politeness::Manners;
