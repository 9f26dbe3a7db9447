//! The rows of a table of a database, in batches of a bounded size.

use helpbot_db::Conn;
use helpbot_db::copying::{ColumnValue, CopiedTable, rows};

use super::digest::TableDigest;
use super::{BATCH_BYTES, BATCH_ROWS_MAX, Result, Row};

/// Number of rows of the first batch, before the size of a row is known.
const FIRST_ROWS: usize = 16;
/// How much more rows than the previous batch a batch may have, since rows differ in size.
const GROWTH_MAX: usize = 4;

/// Reads a table from its first row to its last.
pub(super) struct TableRows<'a> {
    conn: &'a mut Conn,
    table: &'a CopiedTable,
    last: Option<Row>,
    limit: usize,
}

impl<'a> TableRows<'a> {
    pub(super) fn new(conn: &'a mut Conn, table: &'a CopiedTable) -> Self {
        Self { conn, table, last: None, limit: FIRST_ROWS }
    }

    /// Returns the next rows. Empty at the end of the table.
    ///
    /// # Errors
    /// Only errors of the database.
    pub(super) async fn next(&mut self) -> Result<Vec<Row>> {
        let batch = rows::read(self.conn, self.table, self.last.as_deref(), self.limit).await?;
        if let Some(last) = batch.last() {
            self.last = Some(last.clone());
            let size: usize = batch.iter().flatten().map(ColumnValue::size_bytes).sum();
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
pub(super) async fn digest(conn: &mut Conn, table: &CopiedTable) -> Result<TableDigest> {
    let mut rows = TableRows::new(conn, table);
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
