//! `helpbot backup`, `helpbot restore` and `helpbot move`: files, the secret key and progress. The copies themselves are
//! use cases (`services::backups`).

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use helpbot_db::copying::tables;
use helpbot_db::{DatabaseUrl, Db};
use helpbot_services::backups::{self, BackupError, BackupReader, CopyProgress, CopyReport, OnProgress};
use helpbot_services::{Clock as _, SystemClock};
use serde_json::json;

use super::context::CommandContext;
use super::failure::CommandFailure;
use super::output::{self, counted};
use crate::installation::{create_data_directory, create_database_file};
use crate::instance_lock::InstanceLock;
use crate::settings::{self, Settings};
use crate::{StartError, private_files};

/// Time between two lines of progress about the same table.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);
/// Maximum size of a file with a passphrase. A larger one is another file.
const PASSPHRASE_FILE_BYTES_MAX: u64 = 4096;

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// File to write, for example backup.gz. An existing file is replaced when the backup is complete.
    file: PathBuf,
    /// Also store the secret key in the backup, encrypted with a passphrase.
    #[arg(long)]
    with_key: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// Backup to restore.
    file: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

#[derive(Debug, Args)]
struct PassphraseArgs {
    /// File with the passphrase of the secret key in the backup. Defaults to the passphrase in the environment
    /// variable HELPBOT_BACKUP_PASSPHRASE.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct MoveArgs {
    /// Empty database to move to, as sqlite:PATH or postgres://USER@HOST/NAME.
    #[arg(long, value_name = "URL")]
    pub to: String,
}

impl PassphraseArgs {
    /// The passphrase of the file or of the environment, without the end of its line.
    fn read(&self) -> Result<Option<String>, CommandFailure> {
        let Some(path) = &self.passphrase_file else {
            return Ok(std::env::var(settings::PASSPHRASE_VARIABLE).ok().filter(|passphrase| !passphrase.is_empty()));
        };
        let failed = |reason: String| CommandFailure::failed(format!("cannot read {}: {reason}", path.display()));
        if std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.len() > PASSPHRASE_FILE_BYTES_MAX {
            return Err(failed("it is too large for a passphrase".into()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

/// Writes a backup. The server may go on running.
pub(super) async fn backup(context: &CommandContext, args: &BackupArgs) -> Result<(), CommandFailure> {
    context.start_logging()?;
    let settings = context.settings()?;
    let passphrase = match (args.with_key, args.passphrase.read()?) {
        (false, _) => None,
        (true, Some(passphrase)) => Some(passphrase),
        (true, None) => {
            return Err(CommandFailure::usage(
                "--with-key needs a passphrase, in --passphrase-file or HELPBOT_BACKUP_PASSPHRASE",
            ));
        }
    };
    let (db, key) = open_source(settings).await?;
    let part = part_of(&args.file);
    let written = write(&db, &key, passphrase.as_deref(), &part).await;
    db.close().await;
    let placed = written.and_then(|report| {
        std::fs::rename(&part, &args.file).map_err(|error| failed_file(&args.file, &error))?;
        Ok(report)
    });
    if placed.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    let report = placed?;
    let text = format!("Wrote {} to {}.", sum(report), args.file.display());
    let key_note = match passphrase {
        Some(_) => "It contains the secret key, encrypted with the passphrase.",
        None => "It does not contain the secret key. Keep that as well: without it, the backup cannot be restored.",
    };
    print(context, report, &format!("{text}\n{key_note}\n"))
}

async fn write(db: &Db, key: &[u8; 32], passphrase: Option<&str>, path: &Path) -> Result<CopyReport, CommandFailure> {
    let file = private_files::replace(path).map_err(|error| failed_file(path, &error))?;
    // Compressing well takes several times as long, and the server may need the processor.
    let mut out = GzEncoder::new(file, Compression::fast());
    let report = backups::write(db, key, passphrase, SystemClock.now(), &mut out, progress()).await?;
    let ended = out.finish().and_then(|mut file| file.flush().and_then(|()| file.sync_all()));
    ended.map_err(|error| failed_file(path, &error))?;
    Ok(report)
}

/// Restores a backup into an empty database.
pub(super) async fn restore(context: &CommandContext, args: &RestoreArgs) -> Result<(), CommandFailure> {
    context.start_logging()?;
    let settings = context.settings()?;
    let backup = open(&args.file)?;
    let manifest = backup.manifest().clone();
    let given = match settings.secret_key {
        Some(key) => Some(key),
        None => settings::read_secret_key(&settings.data).map_err(StartError::from)?,
    };
    let key = match given {
        Some(key) => key,
        None => match args.passphrase.read()?.map(|passphrase| manifest.open_key(&passphrase)).transpose()? {
            Some(Some(key)) => key,
            Some(None) => return Err(missing_key(settings, "the backup does not contain it")),
            None if manifest.sealed_key.is_some() => {
                return Err(missing_key(settings, "there is no passphrase for the one in the backup"));
            }
            None => return Err(missing_key(settings, "the backup does not contain it")),
        },
    };
    // The whole backup is checked before anything is written.
    let verified = backups::verify(backup, &key)?;
    create_data_directory(settings)?;
    create_database_file(settings)?;
    let target =
        Db::open_at(&settings.database, &manifest.migrations).await.map_err(|cause| cannot_open(settings, cause))?;
    if given.is_none() {
        settings::store_secret_key(&settings.data, &key).map_err(StartError::from)?;
    }
    let restored = backups::restore(&target, open(&args.file)?, &verified, &key, progress()).await;
    target.close().await;
    let report = restored?;
    Db::migrate(&settings.database).await.map_err(|cause| cannot_open(settings, cause))?;
    print(context, report, &format!("Restored {} into {}.\n", sum(report), settings.database))
}

/// Moves the installation to another database.
pub(super) async fn move_to(context: &CommandContext, target: &CommandContext) -> Result<(), CommandFailure> {
    context.start_logging()?;
    let (settings, target) = (context.settings()?, target.settings()?);
    if settings.database == target.database {
        return Err(CommandFailure::usage("the installation is already in this database"));
    }
    let _lock = match settings.database {
        // On PostgreSQL, the snapshot of the move keeps all nodes away.
        DatabaseUrl::Postgres(_) => None,
        DatabaseUrl::Sqlite(_) => Some(InstanceLock::acquire(settings).ok_or_else(|| {
            CommandFailure::failed(format!(
                "a server uses {}, or its lock file cannot be created; stop the server first",
                settings.database
            ))
        })?),
    };
    let (source, key) = open_source(settings).await?;
    let migrations = match source.reader().await {
        Ok(mut reader) => tables::applied_migrations(&mut reader).await,
        Err(error) => Err(error),
    };
    let migrations = migrations.map_err(BackupError::from)?;
    create_database_file(target)?;
    let into = Db::open_at(&target.database, &migrations).await.map_err(|cause| cannot_open(target, cause))?;
    let moved = backups::move_to(&source, &into, &settings.database.to_string(), &key, progress()).await;
    into.close().await;
    source.close().await;
    let report = moved?;
    let text = format!(
        "Moved {} from {} to {}.\nNow set `database` to the new URL and start the server. The old database is unchanged; start \
         no server with it.\n",
        sum(report),
        settings.database,
        target.database
    );
    print(context, report, &text)
}

/// Opens the database of an installation and reads its secret key. Creates neither.
async fn open_source(settings: &Settings) -> Result<(Db, [u8; 32]), CommandFailure> {
    if let Some(path) = settings.database.sqlite_path().filter(|path| !path.exists()) {
        return Err(CommandFailure::failed(format!("there is no database {}", path.display())));
    }
    let key = match settings.secret_key {
        Some(key) => Some(key),
        None => settings::read_secret_key(&settings.data).map_err(StartError::from)?,
    };
    let key = key.ok_or_else(|| missing_key(settings, "no server has created it here"))?;
    let db = Db::open_migrated(&settings.database).await.map_err(|cause| cannot_open(settings, cause))?;
    Ok((db, key))
}

fn open(path: &Path) -> Result<BackupReader, CommandFailure> {
    let file = File::open(path).map_err(|error| failed_file(path, &error))?;
    Ok(BackupReader::open(Box::new(MultiGzDecoder::new(file)))?)
}

/// The file that a backup is written to until it is complete. Each process has its own.
fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    name.into()
}

/// Prints a line when a table with rows begins, and then at most one each second.
fn progress() -> OnProgress {
    let mut printed: Option<(String, Instant)> = None;
    Box::new(move |CopyProgress { table, rows, total_rows }| {
        let is_due = match &printed {
            Some((last, at)) if last == table => at.elapsed() >= PROGRESS_EVERY,
            _ => total_rows > 0,
        };
        if is_due {
            output::progress(&format!("{table}: {rows} of {}", counted(total_rows, "row")));
            printed = Some((table.to_owned(), Instant::now()));
        }
    })
}

fn sum(report: CopyReport) -> String {
    format!("{} of {}", counted(report.rows, "row"), counted(report.tables as u64, "table"))
}

fn print(context: &CommandContext, report: CopyReport, text: &str) -> Result<(), CommandFailure> {
    match context.is_json {
        true => output::json(&json!({ "tables": report.tables, "rows": report.rows })),
        false => output::text(text),
    }
}

fn missing_key(settings: &Settings, reason: &str) -> CommandFailure {
    CommandFailure::failed(format!(
        "the secret key of the installation is missing: {reason}; set secret_key, or copy secret.key to {}",
        settings.data.display()
    ))
}

fn cannot_open(settings: &Settings, cause: helpbot_db::Error) -> CommandFailure {
    StartError::Database { database: settings.database.to_string(), cause }.into()
}

fn failed_file(path: &Path, error: &std::io::Error) -> CommandFailure {
    CommandFailure::failed(format!("cannot use {}: {error}", path.display()))
}
