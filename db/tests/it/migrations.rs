//! The migrations: they run up, down and up again on both databases, which then have the same
//! tables as `src/schema`.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{Bool, Text};
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};
use helpbot_db::{Db, Error};

use crate::make;
use helpbot_test_support::database::{self, TestDatabase, server_client};

/// Columns by table and name, with their Diesel type and whether they may be null.
pub type Tables = BTreeMap<String, BTreeMap<String, String>>;

#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    type_name: String,
    #[diesel(sql_type = Bool)]
    is_nullable: bool,
}

/// Names of each column type in both databases, Diesel's name first. SQLite has one integer type
/// and no booleans.
const TYPES: [(&str, &str, &str); 6] = [
    ("Text", "TEXT", "text"),
    ("BigInt", "INTEGER", "bigint"),
    ("Integer", "INTEGER", "integer"),
    ("Bool", "INTEGER", "boolean"),
    ("Double", "REAL", "double precision"),
    ("Binary", "BLOB", "bytea"),
];

fn collect(rows: impl IntoIterator<Item = ColumnRow>) -> Tables {
    let mut tables = Tables::new();
    for row in rows {
        let null = if row.is_nullable { " or null" } else { "" };
        tables.entry(row.table_name).or_default().insert(row.name, format!("{}{null}", row.type_name));
    }
    tables
}

fn sqlite(database: &TestDatabase) -> SqliteConnection {
    let path = database.file().expect("an SQLite database");
    SqliteConnection::establish(&path.to_string_lossy()).expect("the file opens")
}

fn sqlite_tables(database: &TestDatabase) -> Tables {
    // A column of a primary key is never null in STRICT or WITHOUT ROWID tables. Tables that only
    // SQLite has are left out: its own tables, and the search index with its numbers.
    let rows: Vec<ColumnRow> = sql_query(
        "SELECT t.name AS table_name, c.name AS name, c.type AS type_name, \
         c.\"notnull\" = 0 AND c.pk = 0 AS is_nullable \
         FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND t.name NOT LIKE '\\_\\_%' ESCAPE '\\' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         AND t.name NOT LIKE 'conversation\\_search%' ESCAPE '\\' AND (t.name, c.name) <> ('conversations', 'number')",
    )
    .load(&mut sqlite(database))
    .expect("the catalogue is read");
    collect(rows)
}

async fn postgres_tables(database: &TestDatabase) -> Tables {
    let (server, schema) = database.schema().expect("a PostgreSQL database");
    let rows = server_client(server)
        .await
        .query(
            "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' \
             FROM information_schema.columns WHERE table_schema = $1 AND table_name NOT LIKE '\\_\\_%'",
            &[&schema],
        )
        .await
        .expect("the catalogue is read");
    collect(rows.iter().map(|row| ColumnRow {
        table_name: row.get(0),
        name: row.get(1),
        type_name: row.get(2),
        is_nullable: row.get(3),
    }))
}

/// Returns the names of indexes with their columns, by table. The search index differs between the
/// databases.
async fn postgres_indexes(database: &TestDatabase) -> Vec<String> {
    let (server, schema) = database.schema().expect("a PostgreSQL database");
    let rows = server_client(server)
        .await
        .query(
            "SELECT t.relname || ' ' || CASE WHEN x.indisprimary THEN 'primary' ELSE i.relname END || \
             CASE WHEN x.indisunique THEN ' unique ' ELSE ' ' END || \
             (SELECT string_agg(coalesce(a.attname, 'expression'), ',' ORDER BY k.place) FROM unnest(x.indkey::int2[]) WITH ORDINALITY k (n, place) \
              LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.n) \
             FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid \
             JOIN pg_namespace n ON n.oid = t.relnamespace \
             WHERE n.nspname = $1 AND t.relname NOT LIKE '\\_\\_%' AND i.relname <> 'conversations_search'",
            &[&schema],
        )
        .await
        .expect("the catalogue is read");
    let mut indexes: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    indexes.sort();
    indexes
}

fn sqlite_indexes(database: &TestDatabase) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        index_text: String,
    }
    let rows: Vec<Row> = sql_query(
        // The key of conversations is a unique constraint, because their primary key is the number.
        "SELECT t.name || ' ' || CASE WHEN i.origin IN ('pk', 'u') THEN 'primary' ELSE i.name END || \
         CASE WHEN i.\"unique\" THEN ' unique ' ELSE ' ' END || \
         (SELECT group_concat(c.name, ',') FROM (SELECT coalesce(name, 'expression') AS name FROM pragma_index_info(i.name) ORDER BY seqno) c) AS index_text \
         FROM sqlite_schema t JOIN pragma_index_list(t.name) i \
         WHERE t.type = 'table' AND t.name NOT LIKE '\\_\\_%' ESCAPE '\\' \
         AND t.name NOT LIKE 'conversation\\_search%' ESCAPE '\\' ORDER BY index_text",
    )
    .load(&mut sqlite(database))
    .expect("the catalogue is read");
    rows.into_iter().map(|row| row.index_text).collect()
}

/// Parses the tables of `src/schema` from its text, whose lines are `name (keys) {` and `name ->
/// Type,`.
pub fn diesel_tables() -> Tables {
    let mut table = String::new();
    let mut rows = Vec::new();
    for line in make::schema_text().lines().map(str::trim) {
        if let Some((name, type_name)) = line.split_once(" -> ") {
            let type_name = type_name.trim_end_matches(',');
            let inner = type_name.strip_prefix("Nullable<").and_then(|rest| rest.strip_suffix('>'));
            rows.push(ColumnRow {
                table_name: table.clone(),
                name: name.to_owned(),
                type_name: inner.unwrap_or(type_name).to_owned(),
                is_nullable: inner.is_some(),
            });
        } else if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with(") {")) {
            table = name.to_owned();
        }
    }
    collect(rows)
}

/// Returns the same tables with the type names that `pick` chooses.
fn in_terms_of(tables: &Tables, pick: impl Fn(&(&'static str, &'static str, &'static str)) -> &'static str) -> Tables {
    let rename = |text: &String| {
        let (name, null) = text.split_once(' ').map_or((text.as_str(), ""), |(name, _)| (name, " or null"));
        let known = TYPES.iter().find(|(diesel, ..)| *diesel == name).expect("a type that both databases have");
        format!("{}{null}", pick(known))
    };
    let columns = |columns: &BTreeMap<String, String>| columns.iter().map(|(n, t)| (n.clone(), rename(t))).collect();
    tables.iter().map(|(name, of_table)| (name.clone(), columns(of_table))).collect()
}

#[tokio::test]
async fn the_migrations_run_up_down_and_up_again_on_sqlite() {
    database::with(Some(TestDatabase::sqlite()), async |database| {
        let applied = Db::migrate(database.url()).await.expect("up");
        let first = sqlite_tables(database);
        Db::revert_migrations(database.url()).await.expect("down");
        assert_eq!(sqlite_tables(database), Tables::new());
        assert_eq!(Db::pending_migrations(database.url()).await.expect("counted"), applied);
        assert_eq!(Db::migrate(database.url()).await.expect("up again"), applied);

        assert_eq!(sqlite_tables(database), first);
        assert_eq!(first, in_terms_of(&diesel_tables(), |(_, sqlite, _)| sqlite));
        assert_eq!(Db::migrate(database.url()).await.expect("nothing to do"), 0);
    })
    .await;
}

#[tokio::test]
async fn the_migrations_run_up_down_and_up_again_on_postgres() {
    database::with(TestDatabase::postgres().await, async |database| {
        let applied = Db::migrate(database.url()).await.expect("up");
        let first = postgres_tables(database).await;
        Db::revert_migrations(database.url()).await.expect("down");
        assert_eq!(postgres_tables(database).await, Tables::new());
        assert_eq!(Db::pending_migrations(database.url()).await.expect("counted"), applied);
        assert_eq!(Db::migrate(database.url()).await.expect("up again"), applied);

        assert_eq!(postgres_tables(database).await, first);
        assert_eq!(first, in_terms_of(&diesel_tables(), |(_, _, postgres)| postgres));
        assert_eq!(Db::migrate(database.url()).await.expect("nothing to do"), 0);
    })
    .await;
}

#[tokio::test]
async fn both_databases_have_the_same_keys_and_indexes() {
    let file = TestDatabase::sqlite();
    Db::migrate(file.url()).await.expect("up");
    let of_sqlite = sqlite_indexes(&file);

    database::with(TestDatabase::postgres().await, async |database| {
        Db::migrate(database.url()).await.expect("up");

        assert_eq!(postgres_indexes(database).await, of_sqlite);
    })
    .await;
    assert!(of_sqlite.contains(&"sources sources_url unique site_id,kind,url".to_owned()), "{of_sqlite:?}");
}

#[tokio::test]
async fn postgres_sorts_texts_by_bytes_like_sqlite() {
    database::with(TestDatabase::postgres().await, async |database| {
        Db::migrate(database.url()).await.expect("up");
        let (server, schema) = database.schema().expect("a PostgreSQL database");

        let others = server_client(server)
            .await
            .query(
                "SELECT table_name || '.' || column_name FROM information_schema.columns \
                 WHERE table_schema = $1 AND table_name NOT LIKE '\\_\\_%' AND data_type = 'text' \
                 AND collation_name IS DISTINCT FROM 'C'",
                &[&schema],
            )
            .await
            .expect("the catalogue is read");

        assert_eq!(others.iter().map(|row| row.get(0)).collect::<Vec<String>>(), [""; 0]);
    })
    .await;
}

/// What a newer program leaves behind: a migration that this one does not know, and what it must know.
fn newer(required: &str) -> String {
    format!(
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999'); UPDATE installation SET min_migration = '{required}'"
    )
}

async fn assert_refused(database: &TestDatabase) {
    for refused in [Db::open(database.url()).await.err(), Db::open_migrated(database.url()).await.err()] {
        match refused {
            Some(Error::Schema(reason)) => assert!(reason.contains("newer"), "{reason}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_rejected_on_sqlite() {
    database::with(Some(TestDatabase::sqlite()), async |database| {
        Db::migrate(database.url()).await.expect("up");
        sqlite(database).batch_execute(&newer("9999")).expect("the rows are written");

        assert_refused(database).await;
    })
    .await;
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_rejected_on_postgres() {
    database::with(TestDatabase::postgres().await, async |database| {
        Db::migrate(database.url()).await.expect("up");
        let (server, schema) = database.schema().expect("a PostgreSQL database");
        let sql = format!("SET search_path = {schema}; {}", newer("9999"));
        server_client(server).await.batch_execute(&sql).await.expect("the rows are written");

        assert_refused(database).await;
    })
    .await;
}

async fn assert_opened(database: &TestDatabase) {
    assert_eq!(Db::pending_migrations(database.url()).await.expect("counted"), 0);
    assert_eq!(Db::migrate(database.url()).await.expect("nothing to do"), 0);
    for opened in [Db::open(database.url()).await, Db::open_migrated(database.url()).await] {
        let db = opened.expect("it opens");
        make::stored_site(&db).await;
        db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_a_compatible_newer_program_is_opened_on_sqlite() {
    database::with(Some(TestDatabase::sqlite()), async |database| {
        Db::migrate(database.url()).await.expect("up");
        sqlite(database).batch_execute(&newer("0242")).expect("the rows are written");

        assert_opened(database).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_a_compatible_newer_program_is_opened_on_postgres() {
    database::with(TestDatabase::postgres().await, async |database| {
        Db::migrate(database.url()).await.expect("up");
        let (server, schema) = database.schema().expect("a PostgreSQL database");
        let sql = format!("SET search_path = {schema}; {}", newer("0242"));
        server_client(server).await.batch_execute(&sql).await.expect("the rows are written");

        assert_opened(database).await;
    })
    .await;
}

/// Makes the migration with the index of e-mail addresses pending again.
async fn without_index(database: &TestDatabase) -> (String, String) {
    let db = Db::open(database.url()).await.expect("up");
    make::stored_site(&db).await;
    db.close().await;
    let (server, schema) = database.schema().expect("a PostgreSQL database");
    let undo = "DROP INDEX conversations_email; DELETE FROM __diesel_schema_migrations WHERE version = '0241'";
    let sql = format!("SET search_path = {schema}; {undo}");
    server_client(server).await.batch_execute(&sql).await.expect("undone");
    (server.to_owned(), schema.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_is_created_while_others_write_on_postgres() {
    database::with(TestDatabase::postgres().await, async |database| {
        let (server, schema) = without_index(database).await;
        let insert = |name: &str| {
            format!("INSERT INTO {schema}.conversations (site_id, id, session_id, question, answer, search_text, citations, outcome, \
                     is_unanswered, confidence, message_count, created_at_ms, updated_at_ms, priority) \
                     SELECT id, '{name}', 's', 'q', 'a', 'q', '[]', 'answered', false, 1, 2, 1, 1, 'normal' FROM {schema}.sites")
        };
        let db = Db::open_or_create(database.url()).await.err();
        let (first, second) = (server_client(&server).await, server_client(&server).await);
        first.batch_execute(&format!("BEGIN; {}", insert("first"))).await.expect("written");

        let url = database.url().clone();
        let migrating = tokio::spawn(async move { Db::migrate(&url).await });
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%CREATE INDEX CONCURRENTLY conversations_email%' \
                     AND application_name = $1 AND wait_event_type = 'Lock'";
        let mut is_waiting = false;
        while !is_waiting {
            is_waiting = second.query_one(waits, &[&schema]).await.expect("counted").get::<_, i64>(0) == 1;
            assert!(!migrating.is_finished(), "the index waits for the open transaction");
            tokio::task::yield_now().await;
        }
        // A plain CREATE INDEX would let this wait until the first transaction ends.
        let text = format!("SET lock_timeout = '5s'; {}", insert("second"));
        second.batch_execute(&text).await.expect("others write");
        first.batch_execute("COMMIT").await.expect("committed");

        assert_eq!(migrating.await.expect("no panic").expect("migrated"), 1);
        assert!(matches!(db, Some(Error::Schema(reason)) if reason.contains("helpbot migrate")));
        assert_eq!(Db::pending_migrations(database.url()).await.expect("counted"), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unfinished_index_is_created_again_on_postgres() {
    database::with(TestDatabase::postgres().await, async |database| {
        let (server, schema) = without_index(database).await;
        let client = server_client(&server).await;
        // What an interrupted CREATE INDEX CONCURRENTLY leaves behind.
        let unfinished = format!(
            "SET search_path = {schema}; CREATE INDEX conversations_email ON conversations (site_id); \
             UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'conversations_email'::regclass"
        );
        client.batch_execute(&unfinished).await.expect("an invalid index");

        let applied = Db::migrate(database.url()).await.expect("migrated");

        let definition = "SELECT indisvalid, pg_get_indexdef(indexrelid) FROM pg_index WHERE indexrelid = 'conversations_email'::regclass";
        let row = client.query_one(definition, &[]).await.expect("the index");
        assert_eq!((applied, row.get::<_, bool>(0)), (1, true));
        assert!(row.get::<_, String>(1).contains("lower(customer_email)"), "{}", row.get::<_, String>(1));
    })
    .await;
}

async fn assert_missing_steps_are_named(database: &TestDatabase) {
    match Db::open_migrated(database.url()).await.err() {
        Some(Error::Schema(reason)) => assert!(reason.contains("helpbot migrate"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

async fn assert_two_openers_agree(database: &TestDatabase) {
    let (first, second) = tokio::join!(Db::open(database.url()), Db::open(database.url()));

    assert!(first.is_ok() && second.is_ok(), "{:?} {:?}", first.err(), second.err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_database_is_rejected_without_migration_and_opened_by_two_processes_at_once_on_sqlite() {
    database::with(Some(TestDatabase::sqlite()), async |database| {
        assert_missing_steps_are_named(database).await;
        assert_two_openers_agree(database).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_database_is_rejected_without_migration_and_opened_by_two_processes_at_once_on_postgres() {
    database::with(TestDatabase::postgres().await, async |database| {
        assert_missing_steps_are_named(database).await;
        assert_two_openers_agree(database).await;
    })
    .await;
}
