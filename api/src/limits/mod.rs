//! Limits of the API: how expensive one operation may be, and how often a caller may send one.
//!
//! [`rates`] counts operations for each key, visitor and address; [`peer`] finds the address that a
//! request comes from; [`allowance`] is what a response says about the caller's limit. Used by the
//! gateway and the transports. Nothing here knows HTTP headers or GraphQL documents.

pub mod allowance;
pub mod peer;
pub mod rates;

/// Complexity of one operation, unless the installation sets another maximum.
///
/// Complexity is the number of selected fields, where the fields of a list count once for each item
/// that the list may have. The standard introspection query has a complexity of about 300.
pub const MAX_COMPLEXITY: usize = 2_000;

/// Maximum number of root fields in one mutation with a widget key, which is public. The widget itself
/// sends one.
pub const MAX_WIDGET_MUTATIONS: u32 = 5;
/// Maximum number of root fields in one mutation with any other key.
pub const MAX_MUTATIONS: u32 = 25;
