//! Conversations: what visitors ask, what they were answered, and what follows.
//!
//! A visitor asks a question ([`ask`]). The answer is stored with the question as one
//! *conversation*, in the transaction that takes one credit and appends the events. The visitor
//! can vote on the answer or request a human. A request for a human is a *handoff*: members of
//! the site's team take it, write [`messages`] and close it ([`handoffs`]). [`activity`] shows who
//! is present or typing; [`unread`] counts the messages that the other side has not read.
//! [`transcripts`] mails a conversation to its visitor, whose address [`transcript_codes`] confirms, [`erasure`] deletes a visitor's data, and
//! [`history`] imports conversations from another service.
//!
//! Tables: `conversations`, `messages`, `read_marks` and the daily counts in `stats`, which
//! [`analytics`] reads. Each change of a conversation appends its event in the same transaction.

pub mod activity;
pub mod analytics;
mod asking;
mod change;
pub mod erasure;
pub mod handoff_notices;
pub mod handoffs;
pub mod history;
mod listing;
pub(crate) mod lookup;
pub mod message_limits;
pub mod messages;
pub(crate) mod presence;
pub mod search;
pub mod transcript_codes;
pub mod transcripts;
pub mod unread;
mod voting;

pub use asking::{AskResult, Explanation, NewQuestion, ask, public_sources};
pub use listing::{ListPage, ListQuery, ListStart, list, total};
pub use lookup::by_ids;
pub use voting::vote;
