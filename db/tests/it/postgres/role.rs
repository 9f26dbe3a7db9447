//! A role that may read and write rows and nothing else.

use helpbot_db::{Db, Error, sites};
use helpbot_test_support::database::{self, TestDatabase, server_client};

use super::{text_of, url_with};
use crate::make;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_without_ddl_opens_a_migrated_database_and_not_an_empty_one() {
    database::with(TestDatabase::postgres().await, async |database| {
        let (server, schema) = database.schema().expect("a server");
        let role = format!("{schema}_role");
        let client = server_client(server).await;
        let grant = format!("CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {role};");
        client.batch_execute(&grant).await.expect("the role is created");
        let url = url_with(&text_of(database.url()).replacen("postgres@", &format!("{role}@"), 1), |_| ());

        let refused = Db::open(&url).await.err();
        Db::migrate(database.url()).await.expect("the owner migrates");
        let rows = format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}");
        client.batch_execute(&rows).await.expect("granted");
        let db = Db::open(&url).await.expect("nothing is pending");
        let id = make::stored_site(&db).await;

        assert!(read!(db, |c| sites::by_id(c, id)).is_some());
        db.check_writable().await.expect("the role may write");
        let Some(Error::Schema(reason)) = refused else { panic!("{refused:?}") };
        assert!(reason.contains("may not create tables") && reason.contains("helpbot migrate"), "{reason}");
        db.close().await;
        client.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.expect("removed");
    })
    .await;
}
