//! Ids between GraphQL and the domain: the same text on both sides.

use std::fmt::Display;
use std::str::FromStr;

use async_graphql::ID;
use helpbot_domain::ids::SiteId;
use uuid::Uuid;

/// The id in GraphQL's form.
pub fn id(id: impl Display) -> ID {
    ID(id.to_string())
}

/// Reads an id. A text that is none becomes the nil id, which nothing has: so it is "not found",
/// and only after it was asked whether the viewer may look at all.
pub fn read<T: FromStr + From<Uuid>>(id: &ID) -> T {
    id.parse().unwrap_or_else(|_| T::from(Uuid::nil()))
}

/// Reads the optional id of the site to act on.
pub fn site(id: Option<&ID>) -> Option<SiteId> {
    id.map(read)
}
