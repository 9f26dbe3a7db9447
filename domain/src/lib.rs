//! The words of HelpBot and the rules that need nothing but their arguments.
//!
//! Every room speaks these types: ids, plans, states and their legal moves, widget settings,
//! events. Nothing here is asynchronous, reads a clock, draws a random number or does IO, so
//! each rule can be tested by calling it.

pub mod conversation;
pub mod envelope;
pub mod event;
pub mod ids;
pub mod invalid;
pub mod key;
pub mod language;
pub mod plan;
pub mod range;
pub mod source;
pub mod table;
pub mod text;
pub mod time;
pub mod webhook;
pub mod widget;

pub use invalid::Invalid;
pub use time::Timestamp;
