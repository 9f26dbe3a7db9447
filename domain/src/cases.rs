//! Enums whose cases are listed once and declared in more than one crate.
//!
//! The list of cases is a macro with the name of the enum, such as `scope_cases!`. It passes its cases to the
//! macro that the caller names: `named_enum!` declares the enum of this crate, and `api` declares the enum of
//! the GraphQL schema. The texts of the cases are therefore descriptions of the schema.

/// Declares an enum whose cases have stored names, with `ALL`, `as_str` and `Display`.
macro_rules! named_enum {
    ({ $(#[$attribute:meta])* pub enum $name:ident } $($(#[$doc:meta])* $case:ident = $text:literal,)+) => {
        $(#[$attribute])*
        pub enum $name {
            $($(#[$doc])* $case,)+
        }

        impl $name {
            /// All cases, in the order of their declaration.
            pub const ALL: [$name; [$($text),+].len()] = [$($name::$case),+];

            /// Returns the name of the case, as it is stored.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$case => $text,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use named_enum;

/// Declares an enum whose cases have no stored names.
macro_rules! plain_enum {
    ({ $(#[$attribute:meta])* pub enum $name:ident } $($(#[$doc:meta])* $case:ident,)+) => {
        $(#[$attribute])*
        pub enum $name {
            $($(#[$doc])* $case,)+
        }
    };
}
pub(crate) use plain_enum;
