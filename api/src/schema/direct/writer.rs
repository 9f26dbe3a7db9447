//! Writes JSON text, without a tree of values.
//!
//! The text is the same as that of serde_json, byte by byte. Used only by the direct execution.

use std::fmt::{Display, Write as _};

use async_graphql::resolver_utils::EnumType;

use crate::gateway::guard::plan::PlannedField;
use crate::schema::plain::PlainValue;

/// Bytes that are looked at together. The compiler compares all of them at once.
const CHUNK: usize = 32;

/// A JSON text that is being written. Each function that writes a value returns `Some`, as the callbacks of
/// [`JsonWriter::object`] and [`JsonWriter::list`] do.
#[derive(Debug, Default)]
pub(super) struct JsonWriter {
    text: String,
    objects: u64,
}

impl JsonWriter {
    /// An empty text with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { text: String::with_capacity(capacity), objects: 0 }
    }

    /// The text, and the number of objects in it.
    pub fn finish(self) -> (String, u64) {
        (self.text, self.objects)
    }

    /// Writes an object with these fields. `write` writes the value of each field; it returns `None` when it
    /// cannot, which ends the object.
    pub fn object(
        &mut self,
        fields: &[PlannedField],
        mut write: impl FnMut(&mut Self, &PlannedField) -> Option<()>,
    ) -> Option<()> {
        self.objects += 1;
        self.text.push('{');
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            self.text.push_str(&field.key);
            write(self, field)?;
        }
        self.text.push('}');
        Some(())
    }

    /// Writes a list. `write` writes each item.
    pub fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T) -> Option<()>,
    ) -> Option<()> {
        self.text.push('[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            write(self, item)?;
        }
        self.text.push(']');
        Some(())
    }

    /// Writes null.
    pub fn null(&mut self) -> Option<()> {
        self.text.push_str("null");
        Some(())
    }

    /// Writes a boolean.
    pub fn boolean(&mut self, value: bool) -> Option<()> {
        self.text.push_str(if value { "true" } else { "false" });
        Some(())
    }

    /// Writes a whole number.
    pub fn integer(&mut self, value: i32) -> Option<()> {
        self.display(value);
        Some(())
    }

    /// Writes a number, or null for a number that JSON cannot express.
    pub fn real(&mut self, value: f64) -> Option<()> {
        match serde_json::Number::from_f64(value) {
            Some(number) => {
                self.display(number);
                Some(())
            }
            None => self.null(),
        }
    }

    /// Writes a string that contains no character to escape: an ID, a time or a name of the schema.
    pub fn word(&mut self, word: impl Display) -> Option<()> {
        self.text.push('"');
        self.display(word);
        self.text.push('"');
        Some(())
    }

    /// Writes any string.
    pub fn string(&mut self, text: &str) -> Option<()> {
        self.text.push('"');
        let mut written = 0;
        while let Some(at) = position_of_special(&text.as_bytes()[written..]) {
            let at = written + at;
            self.text.push_str(&text[written..at]);
            self.escape(text.as_bytes()[at]);
            written = at + 1;
        }
        self.text.push_str(&text[written..]);
        self.text.push('"');
        Some(())
    }

    fn escape(&mut self, byte: u8) {
        match byte {
            b'"' => self.text.push_str("\\\""),
            b'\\' => self.text.push_str("\\\\"),
            b'\n' => self.text.push_str("\\n"),
            b'\r' => self.text.push_str("\\r"),
            b'\t' => self.text.push_str("\\t"),
            0x08 => self.text.push_str("\\b"),
            0x0c => self.text.push_str("\\f"),
            control => self.display(format_args!("\\u{control:04x}")),
        }
    }

    fn display(&mut self, value: impl Display) {
        write!(self.text, "{value}").expect("writing to a string cannot fail");
    }
}

impl PlainValue for &mut JsonWriter {
    type Written = Option<()>;

    fn text(self, text: &str) -> Option<()> {
        self.string(text)
    }

    fn word(self, word: impl Display) -> Option<()> {
        JsonWriter::word(self, word)
    }

    fn choice<E: EnumType>(self, value: E) -> Option<()> {
        let item = E::items().iter().find(|item| item.value == value);
        JsonWriter::word(self, item.expect("an enum lists all its values").name)
    }

    fn boolean(self, value: bool) -> Option<()> {
        JsonWriter::boolean(self, value)
    }

    fn integer(self, value: i32) -> Option<()> {
        JsonWriter::integer(self, value)
    }

    fn real(self, value: f64) -> Option<()> {
        JsonWriter::real(self, value)
    }

    fn null(self) -> Option<()> {
        JsonWriter::null(self)
    }
}

/// Position of the first byte that JSON must escape.
fn position_of_special(bytes: &[u8]) -> Option<usize> {
    let is_special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    let mut passed = 0;
    for chunk in bytes.chunks(CHUNK) {
        if chunk.iter().fold(false, |found, byte| found | is_special(byte)) {
            break;
        }
        passed += chunk.len();
    }
    Some(passed + bytes[passed..].iter().position(is_special)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> String {
        let mut writer = JsonWriter::default();
        writer.string(text);
        writer.finish().0
    }

    fn real(value: f64) -> String {
        let mut writer = JsonWriter::default();
        writer.real(value);
        writer.finish().0
    }

    #[test]
    fn every_character_is_escaped_as_by_serde_json() {
        for character in (0..=0x2100).filter_map(char::from_u32) {
            for text in [character.to_string(), format!("{}{character}ü\n", "a".repeat(40))] {
                assert_eq!(string(&text), serde_json::to_string(&text).unwrap());
            }
        }
    }

    #[test]
    fn numbers_are_those_of_serde_json() {
        for value in
            [0.0, -0.0, 1.0, 0.1, 0.875, 0.123_456_789_012_345_67, 1e300, 1e-7, 5e-324, f64::NAN, f64::INFINITY]
        {
            assert_eq!(real(value), serde_json::to_string(&value).unwrap());
        }
    }
}
