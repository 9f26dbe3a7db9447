//! Knowledge: what a site can answer from, and how well it does.
//!
//! Entries are question-and-answer pairs that a member writes or imports ([`entries`]); synced
//! sources add the rest. Both are stored as *chunks*, the texts that an answer can quote. The
//! chunks of a site are loaded into an index in memory ([`indexes`]) when a question needs it.
//! [`vectors`] adds embeddings from an external server when the installation has one.
//!
//! [`evaluation`] replays a site's test questions against its index, and [`topics`] groups what
//! visitors ask, so that the owner sees which entries are missing. With [`answer_rules`] the owner decides which
//! entry answers a question, and [`previews`]
//! shows what a change would do before it is published.
//! [`promises`] says how many of the answers may be wrong, and how many were.

pub mod answer_rules;
pub(crate) mod chunks;
pub mod entries;
pub mod evaluation;
pub mod indexes;
pub(crate) mod loaded_indexes;
pub mod previews;
pub mod promises;
pub(crate) mod topic_cache;
pub mod topics;
pub mod vectors;
