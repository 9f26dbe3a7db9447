//! A database that is down, unreachable or not ours: the error is clear, and nothing is damaged.

use std::net::TcpListener;

use diesel::result::Error as DieselError;
use helpbot_db::{DatabaseUrl, Db, Error, sites};

use crate::make;
use helpbot_test_support::database::{self, TestDatabase, end_connections};

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_unavailable() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("file");
    std::fs::write(&file, "not a directory").expect("the file is written");

    // Removing permissions would not work, because the tests may run as root, which has access anyway.
    for path in [file.join("helpbot.db"), directory.path().join("absent/helpbot.db"), directory.path().to_path_buf()] {
        let refused = Db::open(&DatabaseUrl::Sqlite(path.clone())).await.err();

        match refused {
            Some(Error::Unavailable(reason)) => {
                assert!(reason.contains(&*path.to_string_lossy()), "{reason} names {}", path.display());
            }
            other => panic!("{} gave {other:?}", path.display()),
        }
    }
}

#[tokio::test]
async fn a_file_that_is_not_a_database_is_rejected_and_not_changed() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("notes.txt");
    let words = "Buy flour. ".repeat(1000);
    std::fs::write(&path, &words).expect("the file is written");

    let refused = Db::open(&DatabaseUrl::Sqlite(path.clone())).await.err();

    assert!(matches!(refused, Some(Error::Unavailable(_) | Error::Schema(_))), "{refused:?}");
    assert_eq!(std::fs::read_to_string(&path).expect("still there"), words);
}

#[tokio::test]
async fn an_unreachable_server_is_unavailable() {
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let url = DatabaseUrl::Postgres(format!("postgres://postgres@{closed}/postgres").into());

    assert!(matches!(Db::open(&url).await.err(), Some(Error::Unavailable(_))));
    assert!(matches!(Db::open_migrated(&url).await.err(), Some(Error::Unavailable(_))));
}

#[tokio::test]
async fn a_server_that_closes_its_connections_is_reconnected() {
    database::with(TestDatabase::postgres().await, async |database| {
        let db = Db::open(database.url()).await.expect("an empty database opens");
        let id = make::stored_site(&db).await;

        let (server, name) = database.schema().expect("a PostgreSQL database");
        end_connections(server, name).await;

        assert!(read!(db, |c| sites::by_id(c, id)).is_some());
        let second = make::site();
        commit!(db, |c| sites::insert(c, &second));
        assert_eq!(read!(db, |c| sites::count(c)), 2);
    })
    .await;
}

on_both_backends!(a_check_of_writing_changes_nothing);

async fn a_check_of_writing_changes_nothing(db: &Db) {
    let site = make::stored_site(db).await;

    db.check_writable().await.expect("the database accepts writes");

    assert!(read!(db, |c| sites::by_id(c, site)).is_some());
    db.check_writable().await.expect("the first check did not keep the writer");
}

#[tokio::test]
async fn a_disk_that_takes_no_file_accepts_no_writes() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let url = DatabaseUrl::Sqlite(directory.path().join("helpbot.db"));
    Db::migrate(&url).await.expect("it is migrated");
    let db = Db::open_migrated(&url).await.expect("it opens");
    db.check_writable().await.expect("the database accepts writes");

    directory.close().expect("the directory is removed");

    assert!(matches!(db.check_writable().await, Err(Error::Unavailable(_) | Error::Query(_))));
}

#[test]
fn a_failed_query_names_its_cause() {
    let cause = DieselError::QueryBuilderError("database or disk is full".into());

    assert_eq!(Error::from(cause).to_string(), "the query failed: database or disk is full");
}
