//! The vocabulary of HelpBot and the rules that depend on nothing but their arguments.
//!
//! Every crate uses these types: IDs, entities, plans, states and their transitions, widget
//! settings and events. Nothing here is asynchronous, reads a clock, draws random numbers or does
//! I/O, so every rule can be tested by calling it.

pub mod answer_rule;
pub mod audit;
pub mod blocked_visitor;
pub mod business_hours;
mod cases;
pub mod change_preview;
pub mod chunk;
pub mod client_address;
pub mod contact;
pub mod conversation;
pub mod conversation_mail;
pub mod conversation_order;
pub mod conversation_parts;
pub mod conversation_query;
pub mod envelope;
pub mod evaluation;
pub mod event;
pub mod extraction;
pub mod global_id;
pub mod handoff;
pub mod ids;
pub mod inline;
pub mod invalid;
pub mod job;
pub mod key;
pub mod language;
pub mod limit;
pub mod local_days;
pub mod mailbox;
pub mod measurement;
pub mod member;
pub mod page;
pub mod plan;
pub mod promise;
pub mod range;
pub mod retention;
pub mod satisfaction;
pub mod sign_in;
pub mod site;
pub mod source;
pub mod table;
pub mod text;
pub mod time;
pub mod transcript;
pub mod triage;
pub mod trusted_document;
pub mod visit;
pub mod visitor;
pub mod webhook;
pub mod widget;
pub mod widget_texts;

pub use invalid::{Invalid, Together};
pub use time::Timestamp;
