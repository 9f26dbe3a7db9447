//! Kills the server at random moments under load. Afterwards every acknowledged request is stored, its
//! webhooks have arrived, and deliveries that arrive twice were being sent when the server was killed.
//!
//! `HELPBOT_KILLS=100` sets the number of kills, which defaults to ten. With it, the test also waits on
//! PostgreSQL until the leases of killed servers expire; otherwise it ends those leases itself.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::receiver::{Arrival, Receiver};
use crate::support::{Home, Serving, on_database};
use helpbot_test_support::database::{self, TestDatabase};

const KILLS: usize = 10;
/// Seed of the random moments, which are therefore the same in each run.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
/// Maximum time in milliseconds from a server's first answer to its kill.
const LIFE_MS: u64 = 500;
/// After this number of lifetimes, a server is killed at a random moment of its start, ready or not.
const EARLY_EVERY: usize = 5;
const VISITORS: usize = 4;
/// Maximum number of deliveries of an endpoint that the worker has claimed. Deliveries that were sent but not
/// yet recorded when the server was killed are among them.
const CLAIMED_MAX: usize = 256;
/// Deadline of every wait. It is longer than a lease, which lasts a minute.
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
    let schema = async |database: &TestDatabase, _: &str| {
        database.schema().map(|(server, name)| (server.to_owned(), name.to_owned()))
    };
    on_database(database, schema, |url, schema| Lives::new(url).live(&|| end_leases(&schema)));
}

/// Ends the leases of killed servers, as a minute of waiting would.
fn end_leases(schema: &Option<(String, String)>) {
    let Some((server, name)) = schema else { return };
    tokio::runtime::Handle::current().block_on(async {
        let client = database::server_client(server).await;
        let sql = format!("UPDATE {name}.deliveries SET lease_until_ms = 0 WHERE lease_until_ms IS NOT NULL");
        client.batch_execute(&sql).await.expect("updated");
    });
}

/// The acknowledged requests, as the events that webhooks must deliver: name and conversation.
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

    /// Runs all lifetimes and kills, ends the leases with `rest` unless there is time to wait, then checks the
    /// results.
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
            self.after_kill();
            if life % EARLY_EVERY == EARLY_EVERY - 1 {
                self.kill_during_start();
            }
            server = Serving::begin(self.command(&[]));
        }
        if self.kills.is_none() {
            rest();
        }
        self.check(&server, &secret);
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.home.command(arguments);
        command.env("HELPBOT_LISTEN", "127.0.0.1:0").env("HELPBOT_LOG", "off").env("HELPBOT_RATE_LIMITS", "off");
        command.env("HELPBOT_DATABASE", &self.database);
        command
    }

    /// The next moment of the fixed sequence (xorshift).
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
                let acknowledge = move |event: &'static str, conversation: &str| {
                    acknowledged
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert((event, conversation.to_owned()));
                    // Only the first message is received.
                    let _ = tell.send(());
                };
                scope.spawn(move || visit(address, key, visitor, is_over, &acknowledge));
            }
            answered.recv_timeout(DEADLINE).expect("a first answer");
            thread::sleep(moment);
            server.kill();
            is_over.store(true, Ordering::Relaxed);
        });
    }

    /// Kills a server at a random moment of its start, which reads and writes too.
    fn kill_during_start(&mut self) {
        let moment = self.moment();
        let mut command = self.command(&[]);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut child = command.spawn().expect("the program starts");
        thread::sleep(moment);
        child.kill().expect("killed");
        child.wait().expect("it ends");
        self.after_kill();
    }

    /// Checks that the database is undamaged. Later requests belong to the next server.
    fn after_kill(&self) {
        self.receiver.next_life();
        let doctor = self.command(&["doctor", "--json"]).output().expect("it runs");
        let report = String::from_utf8_lossy(&doctor.stdout);
        assert_eq!(doctor.status.code(), Some(0), "{report}");
        assert!(report.contains("up to date and undamaged"), "{report}");
    }

    fn check(&self, server: &Serving, secret: &str) {
        let acknowledged = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let stored = stored_once_delivered(server, secret);
        let arrivals = self.receiver.arrivals();
        let arrived: Acknowledged = arrivals.iter().map(|it| (known(&it.event), it.conversation.clone())).collect();
        let lost: Vec<_> = acknowledged.difference(&arrived).collect();
        assert!(lost.is_empty(), "{} events acknowledged and never delivered: {:?}", lost.len(), lost.first());
        let conversations = conversations(server, secret);
        let gone: Vec<_> = acknowledged.iter().filter(|(_, id)| !conversations.contains(id)).collect();
        assert!(
            gone.is_empty(),
            "{} events acknowledged but their conversations are missing: {:?}",
            gone.len(),
            gone.first()
        );
        let repeated = repeated(&arrivals);
        let deliveries: BTreeSet<_> = arrivals.iter().map(|it| &it.delivery).collect();
        assert_eq!(deliveries.len(), stored, "the arrived deliveries are those in the database");
        eprintln!(
            "{} lifetimes: {} events acknowledged, {stored} deliveries, 0 lost, {repeated} arrived again after a kill",
            arrivals.last().map_or(0, |it| it.life + 1),
            acknowledged.len(),
        );
    }
}

/// Asks, votes and requests handoffs until the server is killed. Reports each acknowledged event with its
/// conversation.
fn visit(
    address: SocketAddr,
    key: &str,
    visitor: usize,
    is_over: &AtomicBool,
    acknowledge: &dyn Fn(&'static str, &str),
) {
    for number in 0.. {
        let question = json!({ "question": format!("Where does visitor {visitor} keep umbrella {number}?") });
        let asked = post(address, key, "/api/v1/chat", &question);
        let Some((200, answer)) = asked else { break };
        let id = answer["conversationId"].as_str().expect("an id");
        acknowledge("conversation.created", id);
        let more = match number % 4 {
            1 => Some(("/api/v1/feedback", "conversation.feedback", json!({ "conversationId": id, "helpful": "no" }))),
            3 => Some(("/api/v1/handoff", "conversation.handoff", json!({ "conversationId": id }))),
            _ => None,
        };
        if let Some((path, event, body)) = more
            && let Some((200, _)) = post(address, key, path, &body)
        {
            acknowledge(event, id);
        }
        if is_over.load(Ordering::Relaxed) {
            break;
        }
    }
}

/// The status code and the body of a complete response. `None` when the server was killed before it was complete.
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

/// The number of deliveries in the database, once none of them is pending.
fn stored_once_delivered(server: &Serving, secret: &str) -> usize {
    let count = |status: Option<&str>| {
        let asked = json!({ "query": LOG, "variables": { "status": status } });
        let (_, reply) = post(server.address, secret, "/graphql", &asked).expect("an answer");
        let count = &reply["data"]["site"]["webhooks"][0]["deliveries"]["totalCount"];
        usize::try_from(count.as_u64().unwrap_or_else(|| panic!("{reply}"))).expect("a count")
    };
    let end = Instant::now() + DEADLINE;
    while count(Some("PENDING")) > 0 {
        assert!(Instant::now() < end, "{} deliveries are still pending", count(Some("PENDING")));
        thread::sleep(Duration::from_millis(50));
    }
    let all = count(None);
    assert_eq!(count(Some("DELIVERED")), all);
    all
}

/// The IDs of all conversations of the site.
fn conversations(server: &Serving, secret: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for page in 1.. {
        let reply = server.send(&format!(
            "GET /api/v1/conversations?limit=100&page={page} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {secret}\r\n\
             Connection: close\r\n\r\n"
        ));
        let page: Value = serde_json::from_str(&reply.body).expect("JSON");
        let list = page["conversations"].as_array().expect("a list");
        found.extend(list.iter().filter_map(|it| it["id"].as_str().map(str::to_owned)));
        if list.is_empty() {
            break;
        }
    }
    found
}

/// The number of repeated arrivals. Each of them must have the same body as the first, arrive in a later
/// lifetime, and repeat one of the last deliveries that the killed server sent.
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
            assert!(before.life < again.life, "{} arrived twice in one lifetime", before.delivery);
            assert_eq!(before.body, again.body);
            let sent = &lives[&before.life];
            let place = sent.iter().rposition(|it| it.delivery == before.delivery).expect("it was sent");
            assert!(sent.len() - place <= CLAIMED_MAX, "{} of {} arrived again", place, sent.len());
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
