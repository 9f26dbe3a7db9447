//! Writing a backup of a running installation.

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use helpbot_db::copying::{rows, tables};
use helpbot_db::{self as db, Db, Snapshot, SnapshotKind};
use helpbot_domain::{Timestamp, text};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::digest::TableDigest;
use super::lines::{self, BackupEnd, Mark, TableEnd};
use super::manifest::{FORMAT, Manifest};
use super::passphrase::SealedKey;
use super::table_rows::TableRows;
use super::{BackupError, CopyProgress, CopyReport, OnProgress, Result};
use crate::boxed;
use crate::runtime::installation;

/// Writes a backup of the installation as it is at the beginning. Other programs go on reading and writing. The backup
/// contains the secret key when there is a passphrase.
///
/// # Errors
/// `WrongKey` when `secret_key` is not the key of the installation; `ShortPassphrase`; `Io`; errors of the database.
#[boxed]
pub async fn write(
    db: &Db,
    secret_key: &[u8; 32],
    passphrase: Option<&str>,
    now: Timestamp,
    out: &mut (dyn Write + Send),
    mut on_progress: OnProgress,
) -> Result<CopyReport> {
    let mut snapshot = db.snapshot(SnapshotKind::Shared).await?;
    let manifest = manifest(&mut snapshot, secret_key, passphrase, now).await?;
    let mut out = Authenticated { out, mac: lines::mac(secret_key) };
    out.write(&lines::line(&Mark::Backup(manifest)))?;
    let mut report = CopyReport::default();
    for table in tables::list(&mut snapshot).await? {
        let total_rows = u64::try_from(rows::count(&mut snapshot, &table).await?).unwrap_or(0);
        out.write(&lines::line(&Mark::Table((&table).into())))?;
        let mut digest = TableDigest::default();
        let mut rows = TableRows::new(&mut snapshot, &table);
        loop {
            on_progress(CopyProgress { table: &table.name, rows: digest.rows(), total_rows });
            let batch = rows.next().await?;
            if batch.is_empty() {
                break;
            }
            for row in &batch {
                digest.add(row);
                out.write(&lines::line_of_row(row))?;
            }
        }
        let end = TableEnd { rows: digest.rows(), sha256: digest.sha256() };
        out.write(&lines::line(&Mark::EndOfTable(end)))?;
        report = CopyReport { tables: report.tables + 1, rows: report.rows + digest.rows() };
    }
    out.end(report.tables)?;
    Ok(report)
}

async fn manifest(
    snapshot: &mut Snapshot,
    secret_key: &[u8; 32],
    passphrase: Option<&str>,
    now: Timestamp,
) -> Result<Manifest> {
    if let Some(copy) = db::copying::marks::unfinished(snapshot).await? {
        return Err(BackupError::Refused(format!("the database is incomplete: {copy} has not finished")));
    }
    let own = installation::fingerprint(secret_key);
    // Without a fingerprint, no server has started yet, and the key is the one that it would use.
    let stored = db::installation::key_fingerprint(snapshot).await?.unwrap_or_else(|| own.clone());
    if stored != own {
        return Err(BackupError::WrongKey { stored, own });
    }
    let sealed_key = passphrase.map(|passphrase| SealedKey::seal(secret_key, &own, passphrase)).transpose()?;
    Ok(Manifest {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").into(),
        created_at_ms: now.as_ms(),
        migrations: tables::applied_migrations(snapshot).await?,
        key_fingerprint: own,
        hash_key_sealed: db::installation::hash_key(snapshot).await?.map(|sealed| STANDARD.encode(sealed)),
        sealed_key,
    })
}

/// Writes bytes and authenticates them.
struct Authenticated<'a> {
    out: &'a mut (dyn Write + Send),
    mac: Hmac<Sha256>,
}

impl Authenticated<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.mac.update(bytes);
        Ok(self.out.write_all(bytes)?)
    }

    fn end(self, tables: usize) -> Result<()> {
        let mac = text::hex(&self.mac.finalize().into_bytes());
        self.out.write_all(&lines::line(&Mark::EndOfBackup(BackupEnd { tables, mac })))?;
        Ok(self.out.flush()?)
    }
}
