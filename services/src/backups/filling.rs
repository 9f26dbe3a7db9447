//! Filling a database from a backup or from another database.
//!
//! The database has all tables and no rows, or it is what an interrupted run of the same copy has left. A run first
//! compares the rows that are there with the beginning of the source, then adds the others in batches, and then reads
//! them again. So every row that is there at the end was compared with the source.

use helpbot_db::copying::{CopiedTable, marks, rows, tables};
use helpbot_db::{self as db, Db, SnapshotKind};

use super::digest::TableDigest;
use super::lines::TableHead;
use super::reading::{BackupReader, VerifiedBackup};
use super::table_rows::{self, TableRows};
use super::{BackupError, CopyProgress, CopyReport, OnProgress, Result, Row};
use crate::boxed;
use crate::runtime::installation;

/// Number of digits of a backup's authentication code that name it in the mark of the database.
const NAME_DIGITS: usize = 16;

/// Fills an empty database from a backup. The tables must have the state that the manifest says.
///
/// # Errors
/// `Refused` when the database contains other rows; `WrongKey`, `Damaged`, `Io`; errors of the database. The
/// database then remains marked, and the same restore continues it.
#[boxed]
pub async fn restore(
    target: &Db,
    mut backup: BackupReader,
    verified: &VerifiedBackup,
    secret_key: &[u8; 32],
    on_progress: OnProgress,
) -> Result<CopyReport> {
    backup.authenticate(secret_key)?;
    let (fingerprint, hash_key) = (backup.manifest().key_fingerprint.clone(), backup.manifest().hash_key()?);
    let name = format!("the restore of the backup {}", &verified.mac[..NAME_DIGITS.min(verified.mac.len())]);
    let mut filling = Filling::begin(target, name, on_progress).await?;
    let mut totals = verified.rows.iter();
    while let Some(head) = backup.next_table()? {
        let table = filling.table(&head)?;
        filling.fill(&table, RowSource::Backup(&mut backup), totals.next().copied().unwrap_or(0)).await?;
    }
    filling.end(fingerprint, hash_key).await
}

/// Fills the empty database `target` with the installation in `source`, which nobody may change meanwhile. `source_name`
/// names it in the mark of the target.
///
/// # Errors
/// `WrongKey` when `secret_key` is not that of the installation; `Refused` when a database cannot be used, or when `target`
/// contains other rows; errors of the databases, `Unavailable` when other programs use the source. The target then
/// remains marked, and the same move continues it.
#[boxed]
pub async fn move_to(
    source: &Db,
    target: &Db,
    source_name: &str,
    secret_key: &[u8; 32],
    on_progress: OnProgress,
) -> Result<CopyReport> {
    let tables = tables::list(&mut source.reader().await?).await?;
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    let mut snapshot = source.snapshot(SnapshotKind::Exclusive(&names)).await?;
    if let Some(copy) = marks::unfinished(&mut snapshot).await? {
        return Err(BackupError::Refused(format!("the source is incomplete: {copy} has not finished")));
    }
    let own = installation::fingerprint(secret_key);
    let stored = db::installation::key_fingerprint(&mut snapshot).await?.unwrap_or_else(|| own.clone());
    if stored != own {
        return Err(BackupError::WrongKey { stored, own });
    }
    let mut filling = Filling::begin(target, format!("the move from {source_name}"), on_progress).await?;
    for of_source in &tables {
        let table = filling.table(&of_source.into())?;
        let total = u64::try_from(rows::count(&mut snapshot, of_source).await?).unwrap_or(0);
        filling.fill(&table, RowSource::Database(TableRows::new(&mut snapshot, of_source)), total).await?;
    }
    let hash_key = db::installation::hash_key(&mut snapshot).await?;
    filling.end(own, hash_key).await
}

/// Where the rows of a table come from.
enum RowSource<'a> {
    Database(TableRows<'a>),
    Backup(&'a mut BackupReader),
}

impl RowSource<'_> {
    async fn next(&mut self) -> Result<Vec<Row>> {
        match self {
            RowSource::Database(rows) => rows.next().await,
            RowSource::Backup(backup) => backup.next_rows(),
        }
    }
}

/// A database that is being filled.
struct Filling<'a> {
    target: &'a Db,
    on_progress: OnProgress,
    /// The tables that were not filled yet, in the order of their references.
    waiting: Vec<CopiedTable>,
    report: CopyReport,
}

impl<'a> Filling<'a> {
    /// Marks the database as filled by the copy `name`.
    async fn begin(target: &'a Db, name: String, on_progress: OnProgress) -> Result<Self> {
        let mut reader = target.reader().await?;
        let waiting = tables::list(&mut reader).await?;
        match marks::unfinished(&mut reader).await? {
            Some(mark) if mark == name => {}
            Some(mark) => {
                return Err(BackupError::Refused(format!(
                    "the target is incomplete: {mark} has not finished; continue that, or use an empty database"
                )));
            }
            None => {
                for table in &waiting {
                    if !rows::read(&mut reader, table, None, 1).await?.is_empty() {
                        return Err(BackupError::Refused(format!(
                            "the target is not empty: the table {} has rows; use an empty database",
                            table.name
                        )));
                    }
                }
                target.write(move |c| Box::pin(async move { marks::begin(c, &name).await })).await?;
            }
        }
        Ok(Self { target, on_progress, waiting, report: CopyReport::default() })
    }

    /// Returns the table of the target that has this name and these columns.
    fn table(&mut self, head: &TableHead) -> Result<CopiedTable> {
        match self.waiting.iter().position(|table| TableHead::from(table) == *head) {
            Some(at) => Ok(self.waiting.remove(at)),
            None => Err(BackupError::Refused(format!(
                "the target has no table {} with the columns of the source; both need the same version of helpbot",
                head.name
            ))),
        }
    }

    /// Adds the rows of the source that the table does not have yet, and checks that it then has the same rows.
    async fn fill(&mut self, table: &CopiedTable, mut source: RowSource<'_>, total_rows: u64) -> Result<()> {
        let present = self.digest(table).await?;
        let mut copied = TableDigest::default();
        loop {
            (self.on_progress)(CopyProgress { table: &table.name, rows: copied.rows(), total_rows });
            let batch = source.next().await?;
            if batch.is_empty() {
                break;
            }
            let missing = compare(&mut copied, &present, &batch, table)?;
            for row in missing {
                copied.add(row);
            }
            self.insert(table, missing.to_vec()).await?;
        }
        let is_same = match copied.rows() > present.rows() {
            true => self.digest(table).await?.is_same(&copied),
            false => present.is_same(&copied),
        };
        if !is_same {
            return Err(differs(table));
        }
        self.report.tables += 1;
        self.report.rows += copied.rows();
        Ok(())
    }

    async fn insert(&self, table: &CopiedTable, missing: Vec<Row>) -> Result<()> {
        if missing.is_empty() {
            return Ok(());
        }
        let table = table.clone();
        let write = self.target.write(move |c| Box::pin(async move { rows::insert(c, &table, &missing).await }));
        Ok(write.await?)
    }

    async fn digest(&self, table: &CopiedTable) -> Result<TableDigest> {
        // Nobody else uses the target, so that it needs no snapshot.
        table_rows::digest(&mut self.target.reader().await?, table).await
    }

    /// Makes the filled database an installation.
    async fn end(self, fingerprint: String, hash_key: Option<Vec<u8>>) -> Result<CopyReport> {
        if let Some(table) = self.waiting.first() {
            return Err(BackupError::Refused(format!(
                "the source has no table {} with the columns of the target; both need the same version of helpbot",
                table.name
            )));
        }
        let finish = self
            .target
            .write(move |c| Box::pin(async move { marks::finish(c, &fingerprint, hash_key.as_deref()).await }));
        finish.await?;
        Ok(self.report)
    }
}

/// Compares the rows of a batch with those that the table has, and returns the rows that are missing there.
fn compare<'b>(
    copied: &mut TableDigest,
    present: &TableDigest,
    batch: &'b [Row],
    table: &CopiedTable,
) -> Result<&'b [Row]> {
    let known = present.rows().saturating_sub(copied.rows());
    if known == 0 {
        return Ok(batch);
    }
    let known = usize::try_from(known).unwrap_or(usize::MAX).min(batch.len());
    for row in &batch[..known] {
        copied.add(row);
    }
    if copied.rows() == present.rows() && !copied.is_same(present) {
        return Err(differs(table));
    }
    Ok(&batch[known..])
}

fn differs(table: &CopiedTable) -> BackupError {
    BackupError::Refused(format!(
        "the rows of the table {} differ between the source and the target; empty the target and begin again",
        table.name
    ))
}
