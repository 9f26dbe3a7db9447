//! What the lists of the schema count for in the complexity of an operation.
//!
//! Used by the `complexity` attributes of the fields. The maximum is `limits::MAX_COMPLEXITY`; an
//! operation above it is rejected before anything is executed.

use super::page::{DEFAULT, MAX};

// A list without `first` counts for as many items as a rule allows or, where lists are usually far
// shorter than that, for clearly more than is usual.
/// Webhooks of a site: a site may have five.
pub const WEBHOOKS: usize = 5;
/// Members of a site: 200 are allowed, a help desk has about ten.
pub const MEMBERS: usize = 50;
/// API keys of a site: at most 50 are valid, revoked keys are listed too.
pub const KEYS: usize = 50;
/// Waiting mails: the list returns at most a hundred.
pub const MAILS: usize = 100;
/// Days of activity in a year. A longer range costs the database the same.
pub const DAYS: usize = 365;
/// Wordings of a topic: at most 20, usually two or three.
pub const WORDINGS: usize = 10;

/// The cost of a connection: 1, and the cost of an item for each item that may be returned.
pub fn list(first: Option<i32>, last: Option<i32>, item: usize) -> usize {
    let size = first.or(last).unwrap_or(DEFAULT).clamp(1, MAX);
    1 + usize::try_from(size).unwrap_or(1) * item
}
