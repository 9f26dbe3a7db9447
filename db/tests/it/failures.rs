//! A database that is down, unreachable or not ours: the error is clear, and nothing is damaged.

use std::net::TcpListener;

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
    let url = DatabaseUrl::Postgres(format!("postgres://postgres@{closed}/postgres"));

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
