//! The drill: a backup that was made under load is restored elsewhere into the other database, and moved from there to a third
//! one. After each step, a server gives the same answers with the same IDs, session tokens and webhook signatures.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use helpbot_db::DatabaseUrl;
use helpbot_test_support::database::{self, TestDatabase};
use serde_json::Value;

use crate::support::{Home, Serving, rest_of};
use crate::visitor::Visitor;

const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";
const PASSPHRASE: &str = "correct horse battery staple";
/// Rows that make the move long enough to be killed in the middle.
const BULK_ROWS: u64 = 20_000;
/// Questions that are answered before the backup begins.
const QUESTIONS_BEFORE: usize = 20;
const VISITORS: usize = 3;
const DEADLINE: Duration = Duration::from_secs(60);

#[test]
fn a_backup_made_under_load_is_restored_into_postgres_and_moved_to_sqlite() {
    on_databases(async || {
        Some([Some(TestDatabase::sqlite()), TestDatabase::postgres().await, Some(TestDatabase::sqlite())])
    });
}

#[test]
fn a_backup_made_under_load_is_restored_into_sqlite_and_moved_to_postgres() {
    on_databases(async || {
        Some([TestDatabase::postgres().await, Some(TestDatabase::sqlite()), TestDatabase::postgres().await])
    });
}

/// Runs the drill over three databases, in the order in which they are used. Without a PostgreSQL server it is skipped.
fn on_databases(databases: impl AsyncFnOnce() -> Option<[Option<TestDatabase>; 3]>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let [first, second, third] = databases().await.expect("three databases");
        database::with(first, async |first: &TestDatabase| {
            database::with(second, async |second: &TestDatabase| {
                database::with(third, async |third: &TestDatabase| drill([first, second, third]).await).await;
            })
            .await;
        })
        .await;
    });
}

async fn drill(databases: [&TestDatabase; 3]) {
    let [first, second, third] = databases.map(url);
    let (backup_home, file) = (Home::new(), "backup.gz");
    let path = backup_home.path(file);

    let (restored, restored_path) = (second.clone(), path.clone());
    let (visitor, home) = blocking(move || {
        let (visitor, acknowledged) = back_up_under_load(&first, &restored_path);
        refuse_what_is_wrong(&restored, &restored_path);
        let home = restore(&restored, &restored_path);
        let server = home.serve_on(&restored);
        visitor.check(&server);
        for id in acknowledged {
            assert_eq!(visitor.read_as_owner(&server, &id)["id"], id, "acknowledged before the backup");
        }
        server.terminate();
        (visitor, home)
    })
    .await;
    databases[1].execute(&bulk()).await;
    let (from, to) = (second.clone(), third.clone());
    blocking(move || {
        move_with_kill(&home, &from, &to);
        let server = home.serve_on(&to);
        visitor.check(&server);
    })
    .await;
    assert_eq!(databases[2].count("daily_stats", "day < 0").await, i64::try_from(BULK_ROWS).expect("a count"));
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("it passes")
}

fn url(database: &TestDatabase) -> String {
    match (database.file(), database.url()) {
        (None, DatabaseUrl::Postgres(url)) => url.as_str().to_owned(),
        (file, _) => format!("sqlite:{}", file.expect("a file").display()),
    }
}

/// Rows of days that no request reads.
fn bulk() -> String {
    format!(
        "INSERT INTO daily_stats (site_id, day, questions, unanswered, handoffs, helpful, unhelpful) \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {BULK_ROWS}) \
         SELECT (SELECT id FROM sites), -i, 0, 0, 0, 0, 0 FROM n"
    )
}

/// The program in a home of its own, over a database.
trait OverDatabase {
    fn over(&self, database: &str, arguments: &[&str]) -> Command;
    fn serve_on(&self, database: &str) -> Serving;
}

impl OverDatabase for Home {
    fn over(&self, database: &str, arguments: &[&str]) -> Command {
        let mut command = self.command(arguments);
        command.env("HELPBOT_DATABASE", database).env("HELPBOT_RATE_LIMITS", "off").env("HELPBOT_LOG", "error");
        command
    }

    fn serve_on(&self, database: &str) -> Serving {
        Serving::begin(self.over(database, &["--listen", "127.0.0.1:0"]))
    }
}

/// Runs a command to its end. Returns whether it succeeded, its output and its errors.
fn run(mut command: Command) -> (bool, String, String) {
    let output = command.output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.success(), text(output.stdout), text(output.stderr))
}

/// Asks questions all the time, and makes a backup with the key meanwhile. Returns the visitor and the conversations that
/// were acknowledged before the backup began.
fn back_up_under_load(database: &str, path: &str) -> (Visitor, Vec<String>) {
    let home = Home::new();
    let mut serve = home.over(database, &["--listen", "127.0.0.1:0"]);
    serve.env("HELPBOT_SECRET_KEY", KEY);
    let server = Serving::begin(serve);
    let known = Visitor::first(&server);
    let widget_key = &known.widget_key;

    let (is_over, acknowledged) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let mut backup = home.over(database, &["backup", path, "--with-key", "--json"]);
    backup.env("HELPBOT_BACKUP_PASSPHRASE", PASSPHRASE).env("HELPBOT_SECRET_KEY", KEY);
    let (before, after) = thread::scope(|scope| {
        for visitor in 0..VISITORS {
            let (server, widget_key, is_over, acknowledged) = (&server, widget_key, &is_over, &acknowledged);
            scope.spawn(move || {
                for number in 0.. {
                    let (status, answer) = server.ask(widget_key, &format!("Where is umbrella {number} of {visitor}?"));
                    assert_eq!(status, 200, "{answer}");
                    acknowledged
                        .lock()
                        .expect("no panic")
                        .push(answer["conversationId"].as_str().expect("an ID").to_owned());
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
        }
        let end = Instant::now() + DEADLINE;
        while acknowledged.lock().expect("no panic").len() < QUESTIONS_BEFORE && Instant::now() < end {
            thread::sleep(Duration::from_millis(5));
        }
        let before = acknowledged.lock().expect("no panic").clone();
        let (is_written, _, errors) = run(backup);
        let after = acknowledged.lock().expect("no panic").len();
        is_over.store(true, Ordering::Relaxed);
        assert!(is_written, "{errors}");
        (before, after)
    });
    assert!(before.len() >= QUESTIONS_BEFORE && after > before.len(), "questions were answered during the backup");
    server.terminate();
    (known, before)
}

/// A wrong key, a missing key, a wrong passphrase, and a file that was cut or changed are refused before anything is written.
fn refuse_what_is_wrong(database: &str, path: &str) {
    let content = std::fs::read(path).expect("the backup");
    let home = Home::new();
    let (cut, changed) = (home.path("cut.gz"), home.path("changed.gz"));
    std::fs::write(&cut, &content[..content.len() - 20]).expect("written");
    let mut other = content.clone();
    let middle = other.len() / 2;
    other[middle] ^= 0x40;
    std::fs::write(&changed, &other).expect("written");

    let attempt = |path: &str, variable: Option<(&str, &str)>| {
        let mut command = home.over(database, &["restore", path]);
        command.envs(variable);
        run(command)
    };
    let key = Some(("HELPBOT_SECRET_KEY", KEY));
    let refused = [
        (attempt(path, Some(("HELPBOT_SECRET_KEY", OTHER_KEY))), "the secret key has the fingerprint"),
        (attempt(path, None), "the secret key of the installation is missing"),
        (attempt(path, Some(("HELPBOT_BACKUP_PASSPHRASE", "a wrong passphrase"))), "the passphrase is not the one"),
        (attempt(&cut, key), "damaged or incomplete"),
        (attempt(&changed, key), "damaged or incomplete"),
    ];

    for ((is_restored, _, errors), reason) in refused {
        assert!(!is_restored && errors.contains(reason), "{reason}: {errors}");
        assert!(!errors.contains(OTHER_KEY) && !errors.contains(PASSPHRASE), "{errors}");
    }
    assert!(!Path::new(&home.path("helpbot-data")).exists(), "no key was stored");
    if let Some(file) = database.strip_prefix("sqlite:") {
        assert!(!Path::new(file).exists(), "no database was created");
    }
}

/// Restores with the key in the backup. Returns the home with that key.
fn restore(database: &str, path: &str) -> Home {
    let home = Home::new();
    let passphrase = home.file("passphrase", &format!("{PASSPHRASE}\n"));
    let restore = || home.over(database, &["restore", path, "--passphrase-file", &passphrase, "--json"]);

    let (is_restored, report, errors) = run(restore());
    let (is_repeated, _, repeated) = run(restore());

    assert!(is_restored, "{errors}");
    let report: Value = serde_json::from_str(&report).expect("one JSON document");
    assert!(report["rows"].as_u64() > Some(QUESTIONS_BEFORE as u64), "{report}");
    assert!(!is_repeated && repeated.contains("the target is not empty"), "{repeated}");
    home
}

/// Moves the database, is killed in the middle, and is continued. The incomplete target is refused meanwhile.
fn move_with_kill(home: &Home, from: &str, to: &str) {
    let serving = home.serve_on(from);
    let (is_moved, _, errors) = run(home.over(from, &["move", "--to", to]));
    assert!(!is_moved && (errors.contains("a server uses") || errors.contains("other programs use")), "{errors}");
    serving.terminate();

    let mut moving = home.over(from, &["move", "--to", to]);
    let mut moving = moving.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut lines = BufReader::new(moving.stderr.take().expect("piped")).lines();
    let mut reported = Vec::new();
    while !reported.last().is_some_and(|line: &String| line.starts_with("daily_stats: 0 of")) {
        reported.push(lines.next().unwrap_or_else(|| panic!("the move ended: {reported:?}")).expect("text"));
    }
    moving.kill().expect("killed");
    moving.wait().expect("ended");

    let mut incomplete = home.over(to, &["--listen", "127.0.0.1:0"]);
    let mut incomplete = incomplete.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let refused = rest_of(&mut incomplete);
    assert!(!incomplete.wait().expect("ended").success());
    assert!(refused.contains("is incomplete"), "{refused}");

    let (is_moved, report, errors) = run(home.over(from, &["move", "--to", to, "--json"]));
    assert!(is_moved, "{errors}");
    let report: Value = serde_json::from_str(&report).expect("one JSON document");
    assert!(report["rows"].as_u64() > Some(BULK_ROWS), "{report}");
}
