//! Reading a backup, with every check that shows that it is what was written.

use std::io::{BufRead, BufReader, Read};

use hmac::{Hmac, Mac};
use serde::Deserialize;
use sha2::Sha256;

use super::digest::TableDigest;
use super::lines::{self, BackupEnd, Mark, TableEnd, TableHead};
use super::manifest::{FORMAT, Manifest};
use super::{BATCH_BYTES, BATCH_ROWS_MAX, BackupError, CopyReport, Result, Row};

/// Maximum length of a line. The largest values, parts of files, are a hundredth of it. A longer line is not one
/// of a backup, and must not fill the memory.
const LINE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Maximum length of the first line of a backup, which is read before anything shows that the file is one.
const FIRST_LINE_BYTES_MAX: u64 = 64 * 1024;

/// A backup that is being read.
pub struct BackupReader {
    lines: BufReader<Box<dyn Read + Send>>,
    manifest: Manifest,
    mac: Option<Hmac<Sha256>>,
    first_line: Vec<u8>,
    table: Option<(TableHead, TableDigest)>,
    tables: usize,
}

/// A backup that was read to its end and is what was written.
#[derive(Debug)]
pub struct VerifiedBackup {
    /// The authentication code, which tells backups apart.
    pub(super) mac: String,
    /// The numbers of rows of the tables, in their order.
    pub(super) rows: Vec<u64>,
    /// What the backup contains.
    pub report: CopyReport,
}

/// Reads a backup to its end and checks that it is complete and was written with `secret_key`.
///
/// # Errors
/// `WrongKey`, `Damaged` or `Io`.
pub fn verify(mut backup: BackupReader, secret_key: &[u8; 32]) -> Result<VerifiedBackup> {
    backup.authenticate(secret_key)?;
    let mut rows = Vec::new();
    while let Some(_table) = backup.next_table()? {
        let mut count = 0;
        loop {
            match backup.next_rows()?.len() {
                0 => break,
                some => count += some as u64,
            }
        }
        rows.push(count);
    }
    let report = CopyReport { tables: rows.len(), rows: rows.iter().sum() };
    Ok(VerifiedBackup { mac: backup.code(), rows, report })
}

impl BackupReader {
    /// Reads the first line of a backup.
    ///
    /// # Errors
    /// `NotABackup`, `NewerFormat`, `Damaged` or `Io`.
    pub fn open(content: Box<dyn Read + Send>) -> Result<Self> {
        /// The part of the first line that all versions of the format have.
        #[derive(Deserialize)]
        struct First {
            backup: Format,
        }
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let mut lines = BufReader::new(content);
        let first_line = match line(&mut lines, FIRST_LINE_BYTES_MAX) {
            // A file that is not compressed.
            Err(BackupError::Damaged(_)) => return Err(BackupError::NotABackup),
            other => other?.ok_or(BackupError::NotABackup)?,
        };
        let First { backup: Format { format } } =
            serde_json::from_slice(&first_line).map_err(|_| BackupError::NotABackup)?;
        if format > FORMAT {
            return Err(BackupError::NewerFormat(format));
        }
        let Ok(Mark::Backup(manifest)) = serde_json::from_slice(&first_line) else {
            return Err(BackupError::Damaged("the first line cannot be parsed".into()));
        };
        Ok(Self { lines, manifest, mac: None, first_line, table: None, tables: 0 })
    }

    /// What the backup is. Nothing has shown yet that it is complete.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Sets the secret key with which the end of the backup is checked. Comes before [`Self::next_table`].
    ///
    /// # Errors
    /// `WrongKey`.
    pub(super) fn authenticate(&mut self, secret_key: &[u8; 32]) -> Result<()> {
        self.manifest.check_key(secret_key)?;
        self.mac = Some(lines::mac(secret_key).chain_update(&self.first_line));
        Ok(())
    }

    /// Returns the next table. `None` after the last one, when the backup is complete and authentic.
    ///
    /// # Errors
    /// `Damaged` or `Io`.
    pub(super) fn next_table(&mut self) -> Result<Option<TableHead>> {
        let line = self.line()?;
        match mark(&line)? {
            Mark::Table(head) => {
                self.add(&line)?;
                self.tables += 1;
                self.table = Some((head.clone(), TableDigest::default()));
                Ok(Some(head))
            }
            Mark::EndOfBackup(BackupEnd { tables, mac }) => {
                if tables != self.tables || mac != self.code() {
                    return Err(damaged("its content is not what was written with this secret key"));
                }
                match self::line(&mut self.lines, LINE_BYTES_MAX)? {
                    None => Ok(None),
                    Some(_) => Err(damaged("something follows its end")),
                }
            }
            Mark::Backup(_) | Mark::EndOfTable(_) => Err(damaged("a line is in the wrong place")),
        }
    }

    /// Returns the next rows of the table. Empty at its end, when all of its rows were read.
    ///
    /// # Errors
    /// `Damaged` or `Io`.
    pub(super) fn next_rows(&mut self) -> Result<Vec<Row>> {
        let Some((head, mut digest)) = self.table.take() else { return Ok(Vec::new()) };
        let (mut rows, mut size) = (Vec::new(), 0);
        while rows.len() < BATCH_ROWS_MAX && size < BATCH_BYTES {
            let line = self.line()?;
            self.add(&line)?;
            if line.first() == Some(&b'[') {
                size += line.len();
                let row = lines::row(&line, &head)?;
                digest.add(&row);
                rows.push(row);
                continue;
            }
            let expected = TableEnd { rows: digest.rows(), sha256: digest.sha256() };
            return match mark(&line)? {
                Mark::EndOfTable(end) if end == expected => Ok(rows),
                Mark::EndOfTable(_) => Err(BackupError::Damaged(format!("the checksum of {} is wrong", head.name))),
                _ => Err(damaged("a line is in the wrong place")),
            };
        }
        self.table = Some((head, digest));
        Ok(rows)
    }

    /// The authentication code of what was read.
    fn code(&self) -> String {
        let mac = self.mac.clone().map(|mac| mac.finalize().into_bytes());
        mac.map_or_else(String::new, |bytes| helpbot_domain::text::hex(&bytes))
    }

    fn add(&mut self, line: &[u8]) -> Result<()> {
        let mac = self.mac.as_mut().ok_or_else(|| damaged("it was not authenticated"))?;
        mac.update(line);
        Ok(())
    }

    fn line(&mut self) -> Result<Vec<u8>> {
        line(&mut self.lines, LINE_BYTES_MAX)?.ok_or_else(|| damaged("it ends too early"))
    }
}

fn damaged(reason: &str) -> BackupError {
    BackupError::Damaged(reason.to_owned())
}

fn mark(line: &[u8]) -> Result<Mark> {
    serde_json::from_slice(line).map_err(|_| damaged("a line cannot be parsed"))
}

/// Reads a line with its end. `None` at the end of the content.
fn line(content: &mut impl BufRead, bytes_max: u64) -> Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    content.take(bytes_max).read_until(b'\n', &mut line)?;
    match line.last() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) => Err(damaged("a line has no end")),
    }
}
