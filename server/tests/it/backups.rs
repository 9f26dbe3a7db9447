//! The drill: a backup that was made under load is restored elsewhere into the other database, and moved from there to a third
//! one. After each step, a server gives the same answers with the same IDs, session tokens and webhook signatures.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use helpbot_db::DatabaseUrl;
use helpbot_test_support::database::{self, TestDatabase};
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::support::{Home, Serving, rest_of};

const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";
const PASSPHRASE: &str = "correct horse battery staple";
const QUESTION: &str = "How do I revoke an API key?";
/// Rows that make the move long enough to be killed in the middle.
const BULK_ROWS: u64 = 20_000;
/// Questions that are answered before the backup begins.
const QUESTIONS_BEFORE: usize = 20;
const VISITORS: usize = 3;
const DEADLINE: Duration = Duration::from_secs(60);

const ASK: &str = "mutation ($question: String!) { askQuestion(input: { question: $question }) {
    conversation { id answer sources } sessionToken userErrors { message } } }";
const READ: &str = "query ($id: ID!) { node(id: $id) { ... on Conversation { id question answer } } }";

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
        let visitor = back_up_under_load(&first, &restored_path);
        refuse_what_is_wrong(&restored, &restored_path);
        let home = restore(&restored, &restored_path);
        let server = home.serve_on(&restored);
        visitor.check(&server);
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
    assert_eq!(
        databases[2].count("usage_days", "address_key = 'bulk'").await,
        i64::try_from(BULK_ROWS).expect("a count")
    );
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

/// Rows of a table that no request reads.
fn bulk() -> String {
    format!(
        "INSERT INTO usage_days (site_id, day, address_key, used) \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {BULK_ROWS}) \
         SELECT (SELECT id FROM sites), i, 'bulk', 0 FROM n"
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

/// What a visitor and an endpoint remember of the first server.
struct Visitor {
    widget_key: String,
    secret_key: String,
    conversation: Value,
    session_token: String,
    /// Conversations that were acknowledged before the backup began.
    acknowledged: Vec<String>,
    receiver: Receiver,
    webhook_secret: String,
}

fn graphql(server: &Serving, key: &str, token: Option<&str>, document: &str, variables: &Value) -> Value {
    let body = json!({ "query": document, "variables": variables }).to_string();
    let token = token.map_or_else(String::new, |token| format!("X-HelpBot-Session: {token}\r\n"));
    let reply = server.send(&format!(
        "POST /graphql HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n{token}\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    ));
    serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{}: {}", reply.status, reply.body))
}

/// Asks questions all the time, and makes a backup with the key meanwhile.
fn back_up_under_load(database: &str, path: &str) -> Visitor {
    let home = Home::new();
    let server = home.serve_on(database);
    let (widget_key, secret_key, receiver) = (server.word("wk_live_"), server.word("sk_live_"), Receiver::start());
    let new = json!({ "url": receiver.url(), "events": ["conversation.created"] });
    let made = graphql(
        &server,
        &secret_key,
        None,
        "mutation ($url: String!) { createWebhook(input: { url: $url, events: [CONVERSATION_CREATED] }) { secret userErrors { message } } }",
        &new,
    );
    let webhook_secret =
        made["data"]["createWebhook"]["secret"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    let asked = graphql(&server, &widget_key, None, ASK, &json!({ "question": QUESTION }));
    let asked = &asked["data"]["askQuestion"];
    assert!(asked["conversation"]["answer"].as_str().is_some_and(|answer| !answer.is_empty()), "{asked}");

    let (is_over, acknowledged) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let mut backup = home.over(database, &["backup", path, "--with-key", "--json"]);
    backup.env("HELPBOT_BACKUP_PASSPHRASE", PASSPHRASE);
    let (before, after) = thread::scope(|scope| {
        for visitor in 0..VISITORS {
            let (server, widget_key, is_over, acknowledged) = (&server, &widget_key, &is_over, &acknowledged);
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
    Visitor {
        widget_key,
        secret_key,
        conversation: asked["conversation"].clone(),
        session_token: asked["sessionToken"].as_str().expect("a token").to_owned(),
        acknowledged: before,
        receiver,
        webhook_secret,
    }
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
    let passphrase = Some(("HELPBOT_BACKUP_PASSPHRASE", PASSPHRASE));
    let refused = [
        (attempt(path, Some(("HELPBOT_SECRET_KEY", OTHER_KEY))), "the secret key has the fingerprint"),
        (attempt(path, None), "the secret key of the installation is missing"),
        (attempt(path, Some(("HELPBOT_BACKUP_PASSPHRASE", "a wrong passphrase"))), "the passphrase is not the one"),
        (attempt(&cut, passphrase), "damaged or incomplete"),
        (attempt(&changed, passphrase), "damaged or incomplete"),
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
    let line = lines.find(|line| line.as_ref().is_ok_and(|line| line.starts_with("usage_days: 0 of")));
    moving.kill().expect("killed");
    moving.wait().expect("ended");
    assert!(line.is_some(), "the move reports its progress");

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

impl Visitor {
    /// Checks that a server continues the installation that this visitor knows.
    fn check(&self, server: &Serving) {
        let read = |token: Option<&str>, id: &Value| {
            graphql(server, &self.widget_key, token, READ, &json!({ "id": id }))["data"]["node"].clone()
        };
        let by_token = read(Some(&self.session_token), &self.conversation["id"]);
        assert_eq!(by_token["question"], QUESTION, "the session token still opens its conversation: {by_token}");
        assert_eq!(by_token["answer"], self.conversation["answer"]);
        assert_eq!(read(None, &self.conversation["id"]), Value::Null);

        let again = graphql(server, &self.widget_key, None, ASK, &json!({ "question": QUESTION }));
        let again = &again["data"]["askQuestion"]["conversation"];
        assert_eq!(again["answer"], self.conversation["answer"]);
        assert_eq!(again["sources"], self.conversation["sources"]);

        for id in &self.acknowledged {
            let found = graphql(server, &self.secret_key, None, READ, &json!({ "id": id }));
            assert_eq!(found["data"]["node"]["id"], json!(id), "acknowledged before the backup: {found}");
        }
        self.check_signature(again["id"].as_str().expect("an ID"));
    }

    /// Waits for the delivery about a conversation and verifies it with the secret of the first server.
    fn check_signature(&self, conversation: &str) {
        let end = Instant::now() + DEADLINE;
        let arrival = loop {
            let arrived = self.receiver.arrivals().into_iter().find(|arrival| arrival.conversation == conversation);
            if let Some(arrival) = arrived {
                break arrival;
            }
            assert!(Instant::now() < end, "no delivery about {conversation}");
            thread::sleep(Duration::from_millis(10));
        };
        let headers: HeaderMap = arrival
            .headers
            .iter()
            .map(|(name, value)| {
                let name: HeaderName = name.parse().expect("a name");
                (name, value.parse::<HeaderValue>().expect("a value"))
            })
            .collect();
        let webhook = standardwebhooks::Webhook::new(&self.webhook_secret).expect("a secret");
        webhook.verify(&arrival.body, &headers).expect("the signature of the first server's secret");
    }
}
