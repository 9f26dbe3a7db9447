//! What all mutations share: the macros that write their input and payload types, and the
//! conversion of a use case's result into a payload.
//!
//! A mutation is an `input!`, a `payload!` and one function that calls one use case and passes its
//! result to [`finish`]. No rules belong here or in those functions.

use async_graphql::{MaybeUndefined, Result};
use helpbot_services::Error;

use crate::error::{UserError, expected};

/// A payload that can report why its mutation failed.
pub(crate) trait Payload: Default {
    /// The payload of a failed mutation: only `userErrors` has a value.
    fn refused(errors: Vec<UserError>) -> Self;
}

/// Shapes the result of a use case into the payload of its mutation.
///
/// # Errors
/// Returns the failures that the caller cannot correct through the input, see [`expected`].
pub(crate) fn finish<T, P: Payload>(result: Result<T, Error>, shape: impl FnOnce(T) -> P) -> Result<P> {
    match result {
        Ok(value) => Ok(shape(value)),
        Err(error) => Ok(P::refused(expected(error)?)),
    }
}

/// Converts a value that null removes into what a use case takes: `None` when the field is absent, and
/// `Some(None)` when it is null.
pub(crate) fn changed<T>(value: MaybeUndefined<T>) -> Option<Option<T>> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}

/// Like [`changed`], for a number.
pub(crate) fn changed_number(value: &MaybeUndefined<i32>) -> Option<Option<i64>> {
    changed(*value).map(|number| number.map(i64::from))
}

/// Writes the input type of a mutation that acts on one site: `siteId` and the given fields.
macro_rules! input {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(async_graphql::InputObject)]
        $(#[$doc])*
        pub struct $name {
            /// ID of the site. Defaults to the site that the API key belongs to. An operator key requires it.
            pub(crate) site_id: Option<async_graphql::ID>,
            $($(#[$field_doc])* pub(crate) $field: $type,)*
        }

        impl $name {
            /// The site to act on, if the caller named one.
            pub(crate) fn site(&self) -> Option<helpbot_domain::ids::SiteId> {
                $crate::schema::ids::site(self.site_id.as_ref())
            }
        }
    };
}
pub(crate) use input;

/// Writes the payload type of a mutation: the given fields and `userErrors`.
macro_rules! payload {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(Default, helpbot_api_macros::OutputObject)]
        $(#[$doc])*
        pub struct $name {
            $($(#[$field_doc])* pub(crate) $field: $type,)*
            /// Errors caused by the input. Empty when the mutation succeeded.
            pub(crate) user_errors: Vec<$crate::error::UserError>,
        }

        impl $crate::schema::mutation::Payload for $name {
            fn refused(user_errors: Vec<$crate::error::UserError>) -> Self {
                Self { user_errors, ..Self::default() }
            }
        }
    };
}
pub(crate) use payload;
