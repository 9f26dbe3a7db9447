//! Conversations: what visitors ask, what they were answered, and what follows.
//!
//! A visitor asks a question ([`ask`]). The answer is stored with the question as one
//! *conversation*, in the transaction that takes one credit and appends the events. The visitor
//! can vote on the answer or request a human. A request for a human is a *handoff*: members of
//! the site's team take it, write [`messages`] and close it ([`handoffs`]). [`activity`] shows who
//! is present or typing, and [`sightings`] when the visitor was last present; [`unread`] counts the messages that the other side has not read.
//! [`reply_mails`] mail the team's messages to a visitor who is not there, whose answer comes back through
//! [`mail_answers`]. [`transcripts`] mails a conversation to its visitor, whose address [`transcript_codes`] confirms, [`erasure`] deletes a visitor's data, [`visitor_records`] exports it, [`retention`] deletes what is old, and
//! [`history`] imports conversations from another service. [`triage`], [`notes`], [`canned_replies`] and [`reply_drafts`] help the team at its work. [`expected_reply`] tells a visitor when somebody will answer.
//! [`visits`] are the sessions with their pages and browsers, and [`contacts`] the visitors whom the site's own server names.
//!
//! Tables: `conversations`, `messages`, `read_marks` and the daily counts in `stats`, which
//! [`analytics`] reads; [`breakdowns`] group the conversations themselves, and [`handoff_records`] their handoffs with the [`ratings`] of visitors. Each change of a conversation appends its event in the same transaction.

pub mod activity;
pub mod analytics;
mod asking;
pub mod breakdowns;
pub mod canned_replies;
mod change;
pub mod contacts;
mod counts;
mod deletion;
pub mod erasure;
pub mod expected_reply;
pub mod handoff_notices;
pub mod handoff_records;
pub mod handoffs;
pub mod history;
pub mod human_requests;
mod listing;
pub(crate) mod lookup;
pub mod mail_answers;
pub mod message_limits;
pub mod messages;
pub mod notes;
pub(crate) mod presence;
mod question_session;
pub mod ratings;
mod reply_address;
pub mod reply_drafts;
pub mod reply_mails;
pub mod retention;
pub mod search;
pub mod sightings;
mod storing;
pub(crate) mod team_presence;
pub mod transcript_codes;
pub mod transcripts;
pub mod triage;
pub mod unread;
pub mod visitor_records;
pub mod visits;
mod voting;

pub use asking::{AskResult, Explanation, NewQuestion, ask, public_sources};
pub use counts::{ConversationCounts, counts};
pub use listing::{ListPage, ListQuery, ListStart, list, total};
pub use lookup::by_ids;
pub use voting::{VoteDetails, vote};
