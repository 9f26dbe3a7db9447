//! Sites with their API keys, members, credits, and the visitors and limits that guard them.

pub mod audit_log;
pub mod blocked_visitors;
pub mod business_hours;
pub mod identity_secrets;
pub mod judged_answers;
pub mod keys;
pub mod limit_notices;
pub mod members;
pub mod sign_in_links;
pub mod site_deletion;
pub mod sites;
pub mod trusted_documents;
pub mod usage;
