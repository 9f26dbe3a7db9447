//! Death at random moments, under load: what was acknowledged is there, its webhooks arrive, and
//! what arrives twice was on its way when the server died.
//!
//! `HELPBOT_KILLS=100` kills so often instead of ten times, and waits for the leases of the dead
//! to run out on PostgreSQL, where they otherwise are ended by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use helpbot_db::DatabaseUrl;
use serde_json::{Value, json};

use crate::receiver::{Arrival, Receiver};
use crate::support::{Home, Serving};
use helpbot_test_support::database::{self, TestDatabase};

const KILLS: usize = 10;
/// Where the moments come from: the same at each run, though not what they meet.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
/// A server lives so long after its first answer at most.
const LIFE_MS: u64 = 500;
/// After so many lives comes one that ends at such a moment after the start of its process, ready
/// or not.
const EARLY_EVERY: usize = 5;
const VISITORS: usize = 4;
/// The worker holds so many deliveries of an endpoint at most: what was sent and not yet written
/// down when the server died is among them.
const HELD_MAX: usize = 256;
/// Past this what is awaited will not come. Longer than a lease, which is a minute.
const DEADLINE: Duration = Duration::from_secs(180);
const LOG: &str = "query ($status: WebhookDeliveryStatus) {
    site { webhooks { deliveries(first: 1, filter: { status: $status }) { totalCount } } }
}";

#[test]
fn nothing_acknowledged_is_lost_when_the_server_is_killed_on_sqlite() {
    on(async || Some(TestDatabase::sqlite()));
}

#[test]
fn nothing_acknowledged_is_lost_when_the_server_is_killed_on_postgres() {
    on(TestDatabase::postgres);
}

fn on(database: impl AsyncFnOnce() -> Option<TestDatabase>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        database::with(database().await, async |database: &TestDatabase| {
            let url = match (database.file(), database.url()) {
                (None, DatabaseUrl::Postgres(url)) => url.clone(),
                (file, _) => format!("sqlite:{}", file.expect("a file").display()),
            };
            let schema = database.schema().map(|(server, name)| (server.to_owned(), name.to_owned()));
            let lived = tokio::task::spawn_blocking(move || Lives::new(url).live(&|| end_leases(&schema)));
            lived.await.expect("it lives");
        })
        .await;
    });
}

/// A minute passes for those who are dead.
fn end_leases(schema: &Option<(String, String)>) {
    let Some((server, name)) = schema else { return };
    tokio::runtime::Handle::current().block_on(async {
        let client = database::server_client(server).await;
        let sql = format!("UPDATE {name}.deliveries SET lease_until_ms = 0 WHERE lease_until_ms IS NOT NULL");
        client.batch_execute(&sql).await.expect("updated");
    });
}

/// What visitors were told: the events that their webhooks have to bring, by name and
/// conversation.
type Acknowledged = BTreeSet<(&'static str, String)>;

struct Lives {
    home: Home,
    database: String,
    receiver: Receiver,
    acknowledged: Mutex<Acknowledged>,
    kills: Option<usize>,
    random: u64,
}

impl Lives {
    fn new(database: String) -> Self {
        let kills = std::env::var("HELPBOT_KILLS").ok().map(|count| count.parse().expect("a number"));
        let (home, receiver) = (Home::new(), Receiver::start());
        Self { home, database, receiver, acknowledged: Mutex::default(), kills, random: SEED }
    }

    /// All lives and deaths, then `rest` unless there is time to wait, then the judgement.
    fn live(mut self, rest: &dyn Fn()) {
        let first = Serving::begin(self.command(&[]));
        let (widget, secret) = (first.word("wk_live_"), first.word("sk_live_"));
        let events =
            ["conversation.created", "conversation.unanswered", "conversation.feedback", "conversation.handoff"];
        let new = json!({ "url": self.receiver.url(), "events": events });
        let (status, made) = post(first.address, &secret, "/api/v1/webhooks", &new).expect("an answer");
        assert_eq!(status, 200, "{made}");
        let kills = self.kills.unwrap_or(KILLS);
        let mut server = first;
        for life in 0..kills {
            self.load_and_kill(server, &widget);
            self.after_death();
            if life % EARLY_EVERY == EARLY_EVERY - 1 {
                self.die_young();
            }
            server = Serving::begin(self.command(&[]));
        }
        if self.kills.is_none() {
            rest();
        }
        self.judge(&server, &secret);
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.home.command(arguments);
        command.env("HELPBOT_LISTEN", "127.0.0.1:0").env("HELPBOT_LOG", "off").env("HELPBOT_RATE_LIMITS", "off");
        command.env("HELPBOT_DATABASE", &self.database);
        command
    }

    /// The next of the fixed row of moments (xorshift).
    fn moment(&mut self) -> Duration {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        Duration::from_millis(self.random % LIFE_MS)
    }

    fn load_and_kill(&mut self, server: Serving, key: &str) {
        let (moment, address, is_over) = (self.moment(), server.address, AtomicBool::new(false));
        let (tell, answered) = mpsc::channel();
        thread::scope(|scope| {
            for visitor in 0..VISITORS {
                let (is_over, acknowledged, tell) = (&is_over, &self.acknowledged, tell.clone());
                let told = move |event: &'static str, conversation: &str| {
                    acknowledged
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert((event, conversation.to_owned()));
                    // Heard once.
                    let _ = tell.send(());
                };
                scope.spawn(move || visit(address, key, visitor, is_over, &told));
            }
            answered.recv_timeout(DEADLINE).expect("a first answer");
            thread::sleep(moment);
            server.kill();
            is_over.store(true, Ordering::Relaxed);
        });
    }

    /// Killed at a moment of its start, which reads and writes too.
    fn die_young(&mut self) {
        let moment = self.moment();
        let mut command = self.command(&[]);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut child = command.spawn().expect("the program starts");
        thread::sleep(moment);
        child.kill().expect("killed");
        child.wait().expect("it ends");
        self.after_death();
    }

    /// The database is whole, and what comes from now on is the next server's.
    fn after_death(&self) {
        self.receiver.next_life();
        let doctor = self.command(&["doctor", "--json"]).output().expect("it runs");
        let told = String::from_utf8_lossy(&doctor.stdout);
        assert_eq!(doctor.status.code(), Some(0), "{told}");
        assert!(told.contains("is up to date and undamaged"), "{told}");
    }

    fn judge(&self, server: &Serving, secret: &str) {
        let acknowledged = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let stored = stored_once_delivered(server, secret);
        let arrivals = self.receiver.arrivals();
        let arrived: Acknowledged = arrivals.iter().map(|it| (known(&it.event), it.conversation.clone())).collect();
        let lost: Vec<_> = acknowledged.difference(&arrived).collect();
        assert!(lost.is_empty(), "{} acknowledged and never delivered: {:?}", lost.len(), lost.first());
        let conversations = conversations(server, secret);
        let gone: Vec<_> = acknowledged.iter().filter(|(_, id)| !conversations.contains(id)).collect();
        assert!(gone.is_empty(), "{} acknowledged and gone: {:?}", gone.len(), gone.first());
        let repeated = repeated(&arrivals);
        let deliveries: BTreeSet<_> = arrivals.iter().map(|it| &it.delivery).collect();
        assert_eq!(deliveries.len(), stored, "what arrived is what is in the log");
        eprintln!(
            "{} lives: {} events acknowledged, {stored} deliveries, 0 lost, {repeated} arrived again after a death",
            arrivals.last().map_or(0, |it| it.life + 1),
            acknowledged.len(),
        );
    }
}

/// Asks, votes and hands off until the server is gone; tells what was acknowledged: the event and
/// its conversation.
fn visit(address: SocketAddr, key: &str, visitor: usize, is_over: &AtomicBool, told: &dyn Fn(&'static str, &str)) {
    for number in 0.. {
        let question = json!({ "question": format!("Where does visitor {visitor} keep umbrella {number}?") });
        let asked = post(address, key, "/api/v1/chat", &question);
        let Some((200, answer)) = asked else { break };
        let id = answer["conversationId"].as_str().expect("an id");
        told("conversation.created", id);
        let more = match number % 4 {
            1 => Some(("/api/v1/feedback", "conversation.feedback", json!({ "conversationId": id, "helpful": "no" }))),
            3 => Some(("/api/v1/handoff", "conversation.handoff", json!({ "conversationId": id }))),
            _ => None,
        };
        if let Some((path, event, body)) = more
            && let Some((200, _)) = post(address, key, path, &body)
        {
            told(event, id);
        }
        if is_over.load(Ordering::Relaxed) {
            break;
        }
    }
}

/// Status and body of an answer that came whole; none when the server died over it.
fn post(address: SocketAddr, key: &str, path: &str, body: &Value) -> Option<(u16, Value)> {
    let body = body.to_string();
    let mut stream = TcpStream::connect(address).ok()?;
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, serde_json::from_str(body).ok()?))
}

/// How many deliveries there are, once none of them waits any more.
fn stored_once_delivered(server: &Serving, secret: &str) -> usize {
    let count = |status: Option<&str>| {
        let asked = json!({ "query": LOG, "variables": { "status": status } });
        let (_, told) = post(server.address, secret, "/graphql", &asked).expect("an answer");
        let count = &told["data"]["site"]["webhooks"][0]["deliveries"]["totalCount"];
        usize::try_from(count.as_u64().unwrap_or_else(|| panic!("{told}"))).expect("a count")
    };
    let end = Instant::now() + DEADLINE;
    while count(Some("PENDING")) > 0 {
        assert!(Instant::now() < end, "{} deliveries still wait", count(Some("PENDING")));
        thread::sleep(Duration::from_millis(50));
    }
    let all = count(None);
    assert_eq!(count(Some("DELIVERED")), all);
    all
}

/// The ids of all conversations of the site.
fn conversations(server: &Serving, secret: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for page in 1.. {
        let reply = server.send(&format!(
            "GET /api/v1/conversations?limit=100&page={page} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {secret}\r\n\
             Connection: close\r\n\r\n"
        ));
        let told: Value = serde_json::from_str(&reply.body).expect("JSON");
        let list = told["conversations"].as_array().expect("a list");
        found.extend(list.iter().filter_map(|it| it["id"].as_str().map(str::to_owned)));
        if list.is_empty() {
            break;
        }
    }
    found
}

/// How many arrivals are repetitions. Each is of the same bytes, comes in a later life, and the
/// one before it was among the last that its server sent.
fn repeated(arrivals: &[Arrival]) -> usize {
    let mut lives: BTreeMap<usize, Vec<&Arrival>> = BTreeMap::new();
    let mut of_delivery: BTreeMap<&str, Vec<&Arrival>> = BTreeMap::new();
    for arrival in arrivals {
        lives.entry(arrival.life).or_default().push(arrival);
        of_delivery.entry(&arrival.delivery).or_default().push(arrival);
    }
    let mut repeated = 0;
    for same in of_delivery.values() {
        for pair in same.windows(2) {
            let (before, again) = (pair[0], pair[1]);
            assert!(before.life < again.life, "{} came twice in one life", before.delivery);
            assert_eq!(before.body, again.body);
            let sent = &lives[&before.life];
            let place = sent.iter().rposition(|it| it.delivery == before.delivery).expect("it was sent");
            assert!(sent.len() - place <= HELD_MAX, "{} of {} came again", place, sent.len());
            repeated += 1;
        }
    }
    repeated
}

fn known(event: &str) -> &'static str {
    match event {
        "conversation.created" => "conversation.created",
        "conversation.unanswered" => "conversation.unanswered",
        "conversation.feedback" => "conversation.feedback",
        "conversation.handoff" => "conversation.handoff",
        other => panic!("{other} was not asked for"),
    }
}
