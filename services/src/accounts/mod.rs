//! Accounts: sites, their members, and what each caller may do.
//!
//! A *site* is one customer's bot with its plan and settings ([`sites`]). Callers present an API
//! key; [`access`] turns it into a [`Viewer`](crate::Viewer), against which every use case checks
//! scopes. [`keys`] and [`members`] manage who has access, [`session_token`] proves that a
//! visitor's session is theirs, [`site_deletion`] deletes a site, and [`usage`] counts the credits of
//! the month. Owners guard a site with [`credit_caps`] and [`blocked_visitors`]; [`limit_notices`] tells
//! them when a limit is reached. Members sign in by mail with [`sign_in_links`], which become [`sign_ins`], and
//! [`audit_log`] records what they change. The site's own server names visitors with an [`identity_token`], which one of the
//! [`identity_secrets`] signs. [`widget_texts`] are what the widget says in further languages. [`business_hours`] say when the team is there. [`trusted_documents`] are what their programs may execute by ID.

pub mod access;
pub mod audit_log;
pub mod blocked_visitors;
pub mod business_hours;
pub(crate) mod client_key;
pub mod credit_caps;
pub mod identity_secrets;
pub mod identity_token;
pub(crate) mod key_cache;
pub mod keys;
pub mod limit_notices;
pub mod members;
pub mod session_token;
pub mod sign_in_links;
pub mod sign_ins;
pub mod site_deletion;
pub mod sites;
pub mod trusted_documents;
pub mod usage;
pub(crate) mod viewer;
pub mod widget_texts;
