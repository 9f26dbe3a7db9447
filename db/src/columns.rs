//! How IDs, times, states and JSON are stored in columns and read back. A value that this program
//! cannot have written is [`Error::Corrupt`], never a guess.

use std::fmt::Display;
use std::str::FromStr;

use helpbot_domain::Timestamp;
use serde::Serialize;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::error::Error;

/// Parses the text of a column.
///
/// # Errors
/// `Corrupt`, with the type and the beginning of the value.
pub fn parse<T: FromStr>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| corrupt(std::any::type_name::<T>(), text))
}

/// Parses the text of a nullable column.
///
/// # Errors
/// Same as [`parse`].
pub fn parse_opt<T: FromStr>(text: Option<&str>) -> Result<Option<T>, Error> {
    text.map(parse).transpose()
}

/// Parses a name that serde knows, such as `small_talk`, into its enum.
///
/// # Errors
/// `Corrupt`.
pub fn named<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let name: StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
    T::deserialize(name).map_err(|_| corrupt(std::any::type_name::<T>(), text))
}

/// Converts a nullable column of milliseconds to a time.
pub fn ms(value: Option<i64>) -> Option<Timestamp> {
    value.map(Timestamp::from_ms)
}

/// Parses a JSON column.
///
/// # Errors
/// `Corrupt`.
pub fn json<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|_| corrupt(std::any::type_name::<T>(), text))
}

/// Serializes a JSON column. Only for types whose serialization cannot fail: plain structs, lists,
/// and maps with text keys.
pub fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data always serializes")
}

/// Returns a pattern that matches texts containing `text` literally, for `LIKE … ESCAPE '\'`.
pub fn containing(text: &str) -> String {
    format!("%{}%", escaped(text))
}

/// Returns a pattern that matches texts beginning with `text` literally, for `LIKE … ESCAPE '\'`.
pub fn beginning(text: &str) -> String {
    format!("{}%", escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// Returns the texts of IDs, for `eq_any`.
pub fn texts<T: Display>(ids: &[T]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn corrupt(what: &'static str, value: &str) -> Error {
    const SHOWN_CHARS: usize = 40;
    Error::Corrupt { what, value: helpbot_domain::text::cut(value, SHOWN_CHARS).to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_in_a_search_are_literal() {
        assert_eq!(containing(r"50%_\"), r"%50\%\_\\%");
    }
}
