//! Tests of backups: they are complete or refused, and an interrupted restore is continued. The copy between the two
//! databases is tested with the program (`server/tests/it/backups.rs`).

use std::io::{self, Read};
use std::path::Path;

use helpbot_db::copying::marks;
use helpbot_db::{DatabaseUrl, Db};
use helpbot_services::backups::{self, BackupError, BackupReader, CopyReport};

use crate::{Fixture, NOW};

const KEY: [u8; 32] = [7; 32];
const PASSPHRASE: &str = "correct horse battery";

/// An installation with a site, conversations and entries, and its database.
async fn installation() -> (Fixture, Db) {
    let fixture = Fixture::new().await;
    for number in 0..30 {
        fixture.ask(&format!("What is the price of cake number {number}?")).await;
    }
    let db = Db::open(&file(fixture.directory.path(), "helpbot.db")).await.unwrap();
    (fixture, db)
}

fn file(directory: &Path, name: &str) -> DatabaseUrl {
    DatabaseUrl::Sqlite(directory.join(name))
}

async fn backup(db: &Db) -> Vec<u8> {
    let mut content = Vec::new();
    backups::write(db, &KEY, None, NOW, &mut content, Box::new(|_| {})).await.unwrap();
    content
}

fn reader(content: &[u8]) -> Result<BackupReader, BackupError> {
    BackupReader::open(Box::new(io::Cursor::new(content.to_vec())))
}

fn verified(content: &[u8]) -> Result<CopyReport, BackupError> {
    reader(content).and_then(|backup| backups::verify(backup, &KEY)).map(|verified| verified.report)
}

/// Restores `content` into `target`, but reads the rows from `again`.
async fn restore(target: &Db, content: &[u8], again: Box<dyn Read + Send>) -> Result<CopyReport, BackupError> {
    let verified = backups::verify(reader(content)?, &KEY)?;
    backups::restore(target, BackupReader::open(again)?, &verified, &KEY, Box::new(|_| {})).await
}

async fn target(fixture: &Fixture, content: &[u8]) -> Db {
    let migrations = reader(content).unwrap().manifest().migrations.clone();
    Db::open_at(&file(fixture.directory.path(), "restored.db"), &migrations).await.unwrap()
}

/// A content whose medium fails after this number of bytes.
fn failing_after(content: &[u8], bytes: usize) -> Box<dyn Read + Send> {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the medium failed"))
        }
    }
    Box::new(io::Cursor::new(content[..bytes].to_vec()).chain(Failing))
}

#[tokio::test]
async fn a_restored_installation_gives_the_same_backup() {
    let (fixture, db) = installation().await;
    let content = backup(&db).await;
    let target = target(&fixture, &content).await;

    let report = restore(&target, &content, Box::new(io::Cursor::new(content.clone()))).await.unwrap();

    assert_eq!(verified(&content).unwrap(), report);
    assert!(report.rows > 60, "{report:?}");
    assert_eq!(String::from_utf8(backup(&target).await).unwrap(), String::from_utf8(content).unwrap());
}

#[tokio::test]
async fn a_backup_that_was_cut_or_changed_is_refused() {
    let (_fixture, db) = installation().await;
    let content = backup(&db).await;
    assert!(verified(&content).is_ok());

    // A step that is no divisor of common lengths meets all kinds of lines.
    for at in (0..content.len()).step_by(content.len() / 97) {
        let mut changed = content.clone();
        changed[at] ^= 1;
        assert!(verified(&changed).is_err(), "a change of byte {at}");
        assert!(verified(&content[..at]).is_err(), "a cut at byte {at}");
    }
    let ends: Vec<usize> =
        content.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    for end in &ends[..ends.len() - 1] {
        assert!(verified(&content[..*end]).is_err(), "a cut after the line that ends at {end}");
    }
    let longer = [content.as_slice(), b"{}\n"].concat();
    assert!(matches!(verified(&longer), Err(BackupError::Damaged(_))));
    assert!(matches!(reader(b"SQLite format 3\0\n").err(), Some(BackupError::NotABackup)));
    let newer = b"{\"backup\":{\"format\":2}}\n";
    assert!(matches!(reader(newer).err(), Some(BackupError::NewerFormat(2))));
}

#[tokio::test]
async fn another_secret_key_neither_writes_nor_reads_a_backup() {
    let (_fixture, db) = installation().await;
    let content = backup(&db).await;
    db.write::<_, helpbot_db::Error, _>(|c| {
        let fingerprint = helpbot_services::runtime::installation::fingerprint(&KEY);
        Box::pin(async move { helpbot_db::installation::set_key_fingerprint(c, &fingerprint).await })
    })
    .await
    .unwrap();

    let written = backups::write(&db, &[8; 32], None, NOW, &mut Vec::new(), Box::new(|_| {})).await;
    let read = backups::verify(reader(&content).unwrap(), &[8; 32]);

    assert!(matches!(written, Err(BackupError::WrongKey { .. })), "{written:?}");
    assert!(matches!(read, Err(BackupError::WrongKey { .. })), "{read:?}");
}

#[tokio::test]
async fn the_key_is_in_the_backup_only_on_request_and_opens_with_its_passphrase() {
    let (_fixture, db) = installation().await;
    let mut content = Vec::new();
    backups::write(&db, &KEY, Some(PASSPHRASE), NOW, &mut content, Box::new(|_| {})).await.unwrap();

    let with_key = reader(&content).unwrap();
    let without_key = reader(&backup(&db).await).unwrap();

    assert_eq!(with_key.manifest().open_key(PASSPHRASE).unwrap(), Some(KEY));
    assert!(matches!(with_key.manifest().open_key("another passphrase"), Err(BackupError::WrongPassphrase)));
    assert!(matches!(without_key.manifest().open_key(PASSPHRASE), Ok(None)));
}

#[tokio::test]
async fn an_interrupted_restore_is_continued_by_the_same_backup_only() {
    let (fixture, db) = installation().await;
    let content = backup(&db).await;
    let target = target(&fixture, &content).await;
    fixture.ask("Do you deliver?").await;
    let other = backup(&db).await;

    let interrupted = restore(&target, &content, failing_after(&content, content.len() / 2)).await;
    let mark = marks::unfinished(&mut target.reader().await.unwrap()).await.unwrap();
    let with_other = restore(&target, &other, Box::new(io::Cursor::new(other.clone()))).await;
    let continued = restore(&target, &content, Box::new(io::Cursor::new(content.clone()))).await;

    assert!(matches!(interrupted, Err(BackupError::Io(_))), "{interrupted:?}");
    assert!(mark.is_some_and(|mark| mark.starts_with("the restore of the backup ")));
    assert!(
        matches!(&with_other, Err(BackupError::Refused(reason)) if reason.contains("incomplete")),
        "{with_other:?}"
    );
    assert_eq!(continued.unwrap(), verified(&content).unwrap());
    assert_eq!(marks::unfinished(&mut target.reader().await.unwrap()).await.unwrap(), None);
    assert!(backup(&target).await == content);
}

#[tokio::test]
async fn a_database_with_other_rows_is_refused() {
    let (fixture, db) = installation().await;
    let content = backup(&db).await;
    let target = target(&fixture, &content).await;

    let not_empty = restore(&db, &content, Box::new(io::Cursor::new(content.clone()))).await;
    let interrupted = restore(&target, &content, failing_after(&content, content.len() / 2)).await;
    target
        .write::<_, helpbot_db::Error, _>(|c| {
            Box::pin(async move {
                let sites = helpbot_db::copying::tables::list(c).await?;
                let sites = sites.into_iter().find(|table| table.name == "sites").expect("the table of sites");
                let mut row = helpbot_db::copying::rows::read(c, &sites, None, 1).await?.remove(0);
                for at in sites.key.clone() {
                    row[at] = helpbot_db::copying::ColumnValue::Text("another".into());
                }
                helpbot_db::copying::rows::insert(c, &sites, &[row]).await
            })
        })
        .await
        .unwrap();
    let changed = restore(&target, &content, Box::new(io::Cursor::new(content.clone()))).await;

    assert!(matches!(&not_empty, Err(BackupError::Refused(reason)) if reason.contains("not empty")), "{not_empty:?}");
    assert!(interrupted.is_err());
    assert!(matches!(&changed, Err(BackupError::Refused(reason)) if reason.contains("differ")), "{changed:?}");
}
