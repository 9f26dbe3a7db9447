//! Sites with their API keys, members and monthly credits.

pub mod keys;
pub mod members;
pub mod sites;
pub mod usage;
