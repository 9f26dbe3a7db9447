//! The lines of a backup. A line is either a row, as a JSON array, or a [`Mark`], as a JSON object.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use helpbot_db::copying::{ColumnKind, ColumnValue, CopiedTable};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;

use super::manifest::Manifest;
use super::{BackupError, Result, Row};

/// A line that is not a row.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mark {
    /// The first line.
    Backup(Manifest),
    /// Before the rows of a table.
    Table(TableHead),
    /// After the rows of a table.
    EndOfTable(TableEnd),
    /// The last line.
    EndOfBackup(BackupEnd),
}

/// The name and the columns of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TableHead {
    pub(super) name: String,
    /// Names and kinds.
    pub(super) columns: Vec<(String, ValueKind)>,
}

/// The number and the checksum of the rows of a table.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TableEnd {
    pub(super) rows: u64,
    pub(super) sha256: String,
}

/// The end of a backup.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct BackupEnd {
    pub(super) tables: usize,
    /// HMAC-SHA-256 of all bytes before this line, in hex.
    pub(super) mac: String,
}

/// What the values of a column are on either database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ValueKind {
    Text,
    Integer,
    Real,
    Bytes,
}

impl From<ColumnKind> for ValueKind {
    fn from(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Text => ValueKind::Text,
            ColumnKind::BigInt | ColumnKind::Integer | ColumnKind::Bool => ValueKind::Integer,
            ColumnKind::Double => ValueKind::Real,
            ColumnKind::Binary => ValueKind::Bytes,
        }
    }
}

impl From<&CopiedTable> for TableHead {
    fn from(table: &CopiedTable) -> Self {
        let columns = table.columns.iter().map(|column| (column.name.clone(), column.kind.into())).collect();
        Self { name: table.name.clone(), columns }
    }
}

/// Starts the authentication of a backup of the installation with this secret key.
pub(super) fn mac(secret_key: &[u8; 32]) -> Hmac<Sha256> {
    let new = |key: &[u8]| Hmac::<Sha256>::new_from_slice(key).expect("HMAC accepts a key of any length");
    let derived = new(secret_key).chain_update(b"helpbot backup v1").finalize().into_bytes();
    new(&derived)
}

/// The line of a row.
pub(super) fn line_of_row(row: &[ColumnValue]) -> Vec<u8> {
    let value = |value: &ColumnValue| match value {
        ColumnValue::Null => Value::Null,
        ColumnValue::Integer(number) => Value::from(*number),
        // As text, because a JSON number may be read as the one next to it.
        ColumnValue::Real(number) => Value::from(format!("{number:?}")),
        ColumnValue::Text(text) => Value::from(text.as_str()),
        ColumnValue::Bytes(bytes) => Value::from(STANDARD.encode(bytes)),
    };
    line(&row.iter().map(value).collect::<Vec<Value>>())
}

/// The line of a mark or a row.
pub(super) fn line(content: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(content).expect("plain data always serializes");
    line.push(b'\n');
    line
}

/// Parses the line of a row.
///
/// # Errors
/// `Damaged`.
pub(super) fn row(line: &[u8], head: &TableHead) -> Result<Row> {
    let damaged = || BackupError::Damaged(format!("a row of {} cannot be parsed", head.name));
    let values: Vec<Value> = serde_json::from_slice(line).map_err(|_| damaged())?;
    if values.len() != head.columns.len() {
        return Err(damaged());
    }
    let value = |(value, (_, kind)): (Value, &(String, ValueKind))| match (value, kind) {
        (Value::Null, _) => Some(ColumnValue::Null),
        (Value::Number(number), ValueKind::Integer) => number.as_i64().map(ColumnValue::Integer),
        (Value::String(text), ValueKind::Text) => Some(ColumnValue::Text(text)),
        (Value::String(text), ValueKind::Real) => text.parse().ok().map(ColumnValue::Real),
        (Value::String(text), ValueKind::Bytes) => STANDARD.decode(text).ok().map(ColumnValue::Bytes),
        _ => None,
    };
    values.into_iter().zip(&head.columns).map(value).collect::<Option<Row>>().ok_or_else(damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_was_written() {
        let kinds = [ValueKind::Text, ValueKind::Integer, ValueKind::Real, ValueKind::Bytes, ValueKind::Text];
        let columns = kinds.into_iter().enumerate().map(|(at, kind)| (format!("c{at}"), kind)).collect();
        let head = TableHead { name: "t".into(), columns };
        let rows = [(0.1 + 0.2, i64::MIN), (f64::MIN_POSITIVE, -1), (1.0, i64::MAX)].map(|(real, number)| {
            vec![
                ColumnValue::Text("a \"b\"\n\u{1}ß".into()),
                ColumnValue::Integer(number),
                ColumnValue::Real(real),
                ColumnValue::Bytes(vec![0, 255, 10]),
                ColumnValue::Null,
            ]
        });

        for written in &rows {
            let line = line_of_row(written);

            assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
            assert_eq!(&row(&line, &head).expect("a row"), written);
        }
        for other in ["[]", "{}", "[1,1,1,1,1]", "[null,\"1\",null,null,null]", "[null,null,null,\"!\",null]"] {
            assert!(matches!(row(other.as_bytes(), &head), Err(BackupError::Damaged(_))), "{other}");
        }
    }
}
