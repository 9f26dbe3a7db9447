//! Conversion of IDs between GraphQL and the domain. Both sides use the same text.
//!
//! Called by every resolver that accepts or returns an ID. Nothing here looks anything up.

use std::fmt::Display;
use std::str::FromStr;

use async_graphql::ID;
use helpbot_domain::ids::SiteId;
use uuid::Uuid;

/// The ID as GraphQL returns it.
pub fn id(id: impl Display) -> ID {
    ID(id.to_string())
}

/// Reads an ID. A malformed ID becomes the nil ID, which no object has. The caller therefore gets
/// "not found", and only after the permissions of the viewer were checked.
pub fn read<T: FromStr + From<Uuid>>(id: &ID) -> T {
    id.parse().unwrap_or_else(|_| T::from(Uuid::nil()))
}

/// Reads the optional ID of the site to act on.
pub fn site(id: Option<&ID>) -> Option<SiteId> {
    id.map(read)
}
