//! The tables as Diesel sees them. `migrations/` is authoritative, and a test compares the two.
//!
//! Each file has the tables of one folder of queries. Their names end in `_tables`, because a table may have the
//! name of its folder.

mod account_tables;
mod conversation_tables;
mod knowledge_tables;
mod runtime_tables;
mod source_tables;
mod webhook_tables;

pub use account_tables::*;
pub use conversation_tables::*;
pub use knowledge_tables::*;
pub use runtime_tables::*;
pub use source_tables::*;
pub use webhook_tables::*;

diesel::allow_tables_to_appear_in_same_query!(webhooks, deliveries);
diesel::allow_tables_to_appear_in_same_query!(keys, idempotent_requests);
diesel::allow_tables_to_appear_in_same_query!(sites, conversations);
diesel::allow_tables_to_appear_in_same_query!(conversations, messages);
diesel::allow_tables_to_appear_in_same_query!(sites, members);
diesel::allow_tables_to_appear_in_same_query!(sites, sources);
diesel::allow_tables_to_appear_in_same_query!(sites, webhooks);
diesel::allow_tables_to_appear_in_same_query!(sites, blocked_visitors);
diesel::allow_tables_to_appear_in_same_query!(sites, chunks);
diesel::allow_tables_to_appear_in_same_query!(sites, documents);
diesel::allow_tables_to_appear_in_same_query!(sites, evaluation_cases);
diesel::allow_tables_to_appear_in_same_query!(sites, answer_rules);
diesel::allow_tables_to_appear_in_same_query!(sites, canned_replies);
diesel::allow_tables_to_appear_in_same_query!(sites, contacts);
diesel::allow_tables_to_appear_in_same_query!(sites, sessions);
diesel::allow_tables_to_appear_in_same_query!(sites, change_previews);
diesel::allow_tables_to_appear_in_same_query!(sites, conversation_notes);
