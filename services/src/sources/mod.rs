//! Sources: the web sites, files and texts that a site's answers come from.
//!
//! A member adds a source ([`add_url`], [`add_file`], [`add_text`]). Reading it into the knowledge
//! base is a *sync*: the source and its job are written in one transaction, a worker of `ingest`
//! claims the job, fetches and extracts the pages with no transaction open, and hands one after the
//! other to a [`Staging`]. At its end the new content replaces the old one in one step; a failed
//! sync keeps what was there before. A source can have a schedule, and [`cancel`] stops a running
//! sync.
//!
//! Tables: `sources`, `documents` (the pages), `page_extractions`, `chunks`, and while a sync runs
//! `crawl_visits`, `crawl_files`, `staged_syncs` and `staged_pages`; [`crawl_turns`] for the hosts that several nodes read.

mod adding;
mod cancel;
mod changes;
mod comparison;
pub mod crawl_turns;
mod extractions;
mod lookup;
mod merging;
pub(crate) mod names;
pub mod options;
pub mod page_sync;
mod page_update;
pub mod progress;
pub(crate) mod queue;
mod rights;
mod schedule;
mod staging;
mod storing;
pub mod sync;
pub mod sync_report;
mod test_gate;
mod unchanged;

pub use adding::{FILE_MAX_BYTES, add_crawl, add_file, add_text, add_url};
pub use cancel::cancel;
pub(crate) use changes::delete_in;
pub use changes::{delete, request_sync, update};
pub use extractions::{PageExtraction, extractions, page_by_url, page_chunk_total, page_chunks};
pub use lookup::{by_ids, list, page_total, pages, pages_by_ids, total};
pub use options::{SourceOptions, SourceOptionsPatch};
pub use rights::may_add;
pub use schedule::enqueue_due;
pub use staging::Staging;
pub use sync_report::SyncReport;
