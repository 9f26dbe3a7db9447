//! The checksum of the rows of a table, which is the same on both databases.

use helpbot_db::copying::ColumnValue;
use helpbot_domain::text;
use sha2::{Digest, Sha256};

/// Number and checksum of the rows that were added, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct TableDigest {
    rows: u64,
    state: Sha256,
}

impl TableDigest {
    /// Adds a row.
    pub(super) fn add(&mut self, row: &[ColumnValue]) {
        self.rows += 1;
        for value in row {
            // A kind and a length before each value: no two rows have the same bytes.
            match value {
                ColumnValue::Null => self.state.update([0]),
                ColumnValue::Integer(number) => self.part(1, &number.to_le_bytes()),
                ColumnValue::Real(number) => self.part(2, &number.to_bits().to_le_bytes()),
                ColumnValue::Text(text) => self.part(3, text.as_bytes()),
                ColumnValue::Bytes(bytes) => self.part(4, bytes),
            }
        }
    }

    fn part(&mut self, kind: u8, bytes: &[u8]) {
        self.state.update([kind]);
        self.state.update((bytes.len() as u64).to_le_bytes());
        self.state.update(bytes);
    }

    /// The number of rows.
    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    /// The checksum in lower-case hex.
    pub(super) fn sha256(&self) -> String {
        text::hex(&self.state.clone().finalize())
    }

    /// Whether the same rows were added to both.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.rows == other.rows && self.sha256() == other.sha256()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(rows: &[&[ColumnValue]]) -> TableDigest {
        let mut digest = TableDigest::default();
        for row in rows {
            digest.add(row);
        }
        digest
    }

    #[test]
    fn every_value_its_kind_and_its_place_change_the_checksum() {
        let text = |text: &str| ColumnValue::Text(text.into());
        let first = digest(&[&[text("ab"), text("c")]]);

        for other in [
            digest(&[&[text("a"), text("bc")]]),
            digest(&[&[text("c"), text("ab")]]),
            digest(&[&[text("ab"), ColumnValue::Bytes(b"c".to_vec())]]),
            digest(&[&[text("ab"), ColumnValue::Null]]),
            digest(&[&[text("ab")], &[text("c")]]),
        ] {
            assert!(!first.is_same(&other));
        }
        assert!(first.is_same(&digest(&[&[text("ab"), text("c")]])));
        assert_eq!((first.rows(), first.sha256().len()), (1, 64));
    }
}
