//! The rows of a table in a snapshot of a database, in batches of a bounded size.

use helpbot_db::copying::{CopiedTable, rows};
use helpbot_db::{Conn, Snapshot};

use super::digest::TableDigest;
use super::{BATCH_BYTES, BATCH_ROWS_MAX, Result, Row};

/// Number of rows of the first batch, before the size of a row is known.
const FIRST_ROWS: usize = 16;
/// How much more rows than the previous batch a batch may have, since rows differ in size.
const GROWTH_MAX: usize = 4;

/// Reads a table from its first row to its last.
pub(super) struct SnapshotRows<'a> {
    conn: &'a mut Conn,
    table: &'a CopiedTable,
    last: Option<Row>,
    limit: usize,
}

impl<'a> SnapshotRows<'a> {
    pub(super) fn new(snapshot: &'a mut Snapshot, table: &'a CopiedTable) -> Self {
        Self { conn: snapshot, table, last: None, limit: FIRST_ROWS }
    }

    /// Returns the next rows. Empty at the end of the table.
    ///
    /// # Errors
    /// Only errors of the database.
    pub(super) async fn next(&mut self) -> Result<Vec<Row>> {
        let batch = rows::read(self.conn, self.table, self.last.as_deref(), self.limit).await?;
        if let Some(last) = batch.last() {
            self.last = Some(last.clone());
            let size: usize = batch.iter().flatten().map(helpbot_db::copying::ColumnValue::size_bytes).sum();
            let fitting = BATCH_BYTES / (size / batch.len()).max(1);
            self.limit = fitting.clamp(1, BATCH_ROWS_MAX.min(self.limit * GROWTH_MAX));
        }
        Ok(batch)
    }
}

/// Returns the number and the checksum of the rows of a table.
///
/// # Errors
/// Only errors of the database.
pub(super) async fn digest(snapshot: &mut Snapshot, table: &CopiedTable) -> Result<TableDigest> {
    let mut rows = SnapshotRows::new(snapshot, table);
    let mut digest = TableDigest::default();
    loop {
        let batch = rows.next().await?;
        if batch.is_empty() {
            return Ok(digest);
        }
        for row in &batch {
            digest.add(row);
        }
    }
}
