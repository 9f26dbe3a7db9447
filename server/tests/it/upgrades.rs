//! Tests of what `serve` does with pending migrations: an empty database is created, and a PostgreSQL database that is in use changes only
//! when somebody asks for it.

use helpbot_test_support::database::{self, TestDatabase};

use crate::support::{Home, Serving, on_database, rest_of};

const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// Makes a migration pending again that only adds an index.
const UNDO: &str = "DROP INDEX conversations_email; DELETE FROM __diesel_schema_migrations WHERE version = '0241'";

#[test]
fn a_database_that_is_in_use_is_migrated_only_on_request_on_postgres() {
    on_database(
        TestDatabase::postgres,
        async |_, _| (),
        |url, ()| {
            let home = Home::new();
            let with = |arguments: &[&str], migrate: Option<&str>| {
                let mut command = home.command(arguments);
                command.env("HELPBOT_DATABASE", &url).env("HELPBOT_SECRET_KEY", KEY);
                if let Some(value) = migrate {
                    command.env("HELPBOT_MIGRATE", value);
                }
                command
            };
            let serve = ["serve", "--listen", "127.0.0.1:0"];
            let refused = |migrate: Option<&str>| {
                let mut child = with(&serve, migrate)
                    .stdout(std::process::Stdio::null())
                    .stderr(std::process::Stdio::piped())
                    .spawn()
                    .expect("the program starts");
                let log = rest_of(&mut child);
                (child.wait().expect("it ends").success(), log)
            };

            let never = refused(Some("off"));
            let first = Serving::begin(with(&serve, None));
            let key = first.word("wk_live_");
            first.terminate();
            undo(&url);
            let (is_started, reason) = refused(None);
            let asked = Serving::begin(with(&[&serve[..], &["--migrate"]].concat(), None));
            assert_eq!(asked.ask(&key, "How do I revoke an API key?").0, 200);
            asked.terminate();
            undo(&url);
            let migrated = with(&["migrate"], None).output().expect("the program starts");
            let last = Serving::begin(with(&serve, Some("off")));

            assert_eq!(last.ask(&key, "How do I revoke an API key?").0, 200);
            assert!(!never.0 && never.1.contains("migrations are pending"), "{}", never.1);
            assert!(!is_started && reason.contains("1 migration is pending: run `helpbot migrate`"), "{reason}");
            assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
        },
    );
}

#[test]
fn an_sqlite_database_is_migrated_at_the_start() {
    on_database(
        async || Some(TestDatabase::sqlite()),
        async |_, _| (),
        |url, ()| {
            let home = Home::new();
            let serve = || {
                let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
                command.env("HELPBOT_DATABASE", &url).env("HELPBOT_SECRET_KEY", KEY);
                command
            };
            let first = Serving::begin(serve());
            let key = first.word("wk_live_");
            first.terminate();
            undo(&url);

            let second = Serving::begin(serve());

            assert_eq!(second.ask(&key, "How do I revoke an API key?").0, 200);
        },
    );
}

/// Runs [`UNDO`] on the database.
fn undo(url: &str) {
    tokio::runtime::Handle::current().block_on(database::execute_on(url, UNDO));
}
