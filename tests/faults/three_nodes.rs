//! Three nodes under visitors and dashboards while nodes are killed and the database is stopped, frozen and silent, with
//! clocks that are 90 seconds apart. Afterwards every acknowledged write is there, every dashboard has seen every event once
//! and in order, credits are exact, and deliveries arrived twice only around a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use helpbot_tests::database::server_client;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::dashboards::Dashboard;
use crate::database_server::DatabaseServer;
use crate::endpoint::Endpoint;
use crate::nodes::Node;
use crate::visitors::Visits;

/// How wrong the clocks of the nodes are, in seconds.
const CLOCKS: [i32; 3] = [45, 0, -45];
/// Time around a failure within which a delivery may arrive twice: what was sent and not recorded yet.
const AROUND: Duration = Duration::from_secs(2);
/// Longest time until all deliveries have arrived: two leases and the first attempts.
const DELIVERED: Duration = Duration::from_secs(240);

/// The extent of a run.
struct Form {
    visitors: usize,
    dashboards: usize,
    /// Pause of a visitor between two questions.
    pace: Duration,
    /// Time without failures, in which the delay of events is measured.
    calm: Duration,
    kills: usize,
    /// Time for which the database is stopped.
    stopped: Duration,
    frozen: Duration,
    silent: Duration,
    /// Longest time until every node answers after its database does.
    back: Duration,
    /// The same after a silence, in which connections were lost without a sign.
    back_after_silence: Duration,
    /// Longest delay from the answer of a node to a dashboard at another one, 99th percentile.
    delay: Option<Duration>,
    /// Whether the leases of killed nodes end by themselves.
    waits_for_leases: bool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_lose_and_repeat_nothing_when_nodes_and_the_database_fail() {
    let seconds = Duration::from_secs;
    run(Form {
        visitors: 6,
        dashboards: 6,
        pace: Duration::from_millis(100),
        calm: seconds(2),
        kills: 1,
        stopped: seconds(1),
        frozen: seconds(2),
        silent: seconds(3),
        // A debug build beside other tests.
        back: seconds(15),
        back_after_silence: seconds(30),
        delay: None,
        waits_for_leases: false,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes; scripts/nightly runs it"]
async fn three_nodes_for_minutes() {
    let seconds = Duration::from_secs;
    run(Form {
        visitors: 100,
        dashboards: 20,
        pace: seconds(3),
        calm: seconds(30),
        kills: 6,
        stopped: seconds(5),
        frozen: seconds(20),
        silent: seconds(60),
        back: seconds(5),
        back_after_silence: seconds(30),
        delay: Some(Duration::from_millis(30)),
        waits_for_leases: true,
    })
    .await;
}

/// A span of time in which something failed.
type Failure = (Instant, Instant);

struct Run {
    form: Form,
    server: DatabaseServer,
    nodes: Arc<[Node]>,
    widget_key: String,
    secret_key: String,
    endpoint: Endpoint,
    failures: Vec<Failure>,
}

async fn run(form: Form) {
    let Some(server) = DatabaseServer::start().await else { return };
    let nodes: Arc<[Node]> = CLOCKS.iter().map(|clock| Node::over(&server.url, *clock)).collect();
    nodes[0].start().await;
    join_all(nodes[1..].iter().map(Node::start)).await;
    let (widget_key, secret_key) = (nodes[0].key("wk_live_"), nodes[0].key("sk_live_"));
    let endpoint = Endpoint::start().await;
    let failures = Vec::new();
    Run { form, server, nodes, widget_key, secret_key, endpoint, failures }.live().await;
}

impl Run {
    async fn live(mut self) {
        let events = ["conversation.created", "conversation.unanswered", "conversation.feedback"];
        let webhook = json!({ "url": self.endpoint.url, "events": events });
        let made = self.nodes[0].post(&self.secret_key, "/api/v1/webhooks", &webhook, Duration::from_secs(10)).await;
        assert!(matches!(&made, Some((200, _))), "{made:?}");
        let cursor = self.read("{ site { eventCursor } }", json!({})).await["site"]["eventCursor"].take();
        let cursor = cursor.as_str().expect("a cursor");
        let dashboards: Vec<Arc<Dashboard>> =
            (0..self.form.dashboards).map(|number| Arc::new(Dashboard::new(number % 2 == 0, cursor))).collect();
        let visits = Arc::new(Visits::default());
        let (mut watching, mut visiting) = (JoinSet::new(), JoinSet::new());
        for (number, dashboard) in dashboards.iter().cloned().enumerate() {
            let (nodes, key) = (Arc::clone(&self.nodes), self.secret_key.clone());
            watching.spawn(async move { dashboard.follow(&nodes, &key, number).await });
        }
        for visitor in 0..self.form.visitors {
            let (nodes, visits, key) = (Arc::clone(&self.nodes), Arc::clone(&visits), self.widget_key.clone());
            let pace = self.form.pace;
            visiting.spawn(async move { visits.visit(&nodes, &key, visitor, pace).await });
        }

        // Until all dashboards are connected, events come from the log.
        sleep(Duration::from_secs(1)).await;
        let calm = (Instant::now(), Instant::now() + self.form.calm);
        sleep(self.form.calm).await;
        self.fail().await;
        sleep(Duration::from_secs(1)).await;

        visits.is_over.store(true, Ordering::Relaxed);
        while let Some(ended) = visiting.join_next().await {
            ended.expect("visitors do not panic");
        }
        self.check_events(&dashboards).await;
        watching.shutdown().await;
        self.check_delay(&visits, &dashboards, calm);
        self.check_rows(&visits).await;
        self.check_deliveries().await;
    }

    /// All failures, one after the other.
    async fn fail(&mut self) {
        for _ in 0..self.form.kills {
            let node = fastrand::usize(..self.nodes.len());
            let begun = Instant::now();
            self.nodes[node].kill().await;
            sleep(Duration::from_millis(fastrand::u64(200..1_500))).await;
            self.nodes[node].start().await;
            self.failures.push((begun, Instant::now()));
        }
        let (stopped, frozen, silent) = (self.form.stopped, self.form.frozen, self.form.silent);
        let (back, back_after_silence) = (self.form.back, self.form.back_after_silence);

        let begun = Instant::now();
        self.server.cluster().crash();
        let asked = join_all(self.nodes.iter().map(|node| node.ask(&self.widget_key, "Is it down?", stopped))).await;
        assert_eq!(asked, [None, None, None], "nothing is acknowledged without a database");
        sleep(stopped.saturating_sub(begun.elapsed())).await;
        self.server.cluster().start_again();
        self.expect_back("an immediate stop", begun, back).await;

        let begun = Instant::now();
        self.server.cluster().freeze();
        sleep(frozen).await;
        self.server.cluster().thaw();
        self.expect_back("SIGSTOP", begun, back).await;

        let begun = Instant::now();
        self.server.drop_packets(true);
        sleep(silent).await;
        self.server.drop_packets(false);
        self.expect_back("dropped packets", begun, back_after_silence).await;
    }

    /// Waits until every node answers, at most for `limit`.
    async fn expect_back(&mut self, what: &str, begun: Instant, limit: Duration) {
        let ended = Instant::now();
        let key = &self.widget_key;
        let answer = async |node: &Node| {
            while node.ask(key, "Is it back?", Duration::from_secs(1)).await.is_none() {
                assert!(ended.elapsed() < limit * 2, "after {what}, a node does not answer: {}", node.log());
                sleep(Duration::from_millis(20)).await;
            }
        };
        join_all(self.nodes.iter().map(answer)).await;
        let took = ended.elapsed();
        eprintln!("after {what}: all nodes answer after {took:?}");
        assert!(took <= limit, "after {what}, all nodes answered after {took:?}");
        self.failures.push((begun, Instant::now()));
    }

    async fn read(&self, query: &str, variables: Value) -> Value {
        self.nodes[1].client().with_key(&self.secret_key).graphql(query, variables).await.ok()
    }

    /// Every dashboard has seen the events of the log, each once and in order.
    async fn check_events(&self, dashboards: &[Arc<Dashboard>]) {
        let client = server_client(&self.server.url).await;
        let query =
            "SELECT id, seq FROM events WHERE conversation_id IS NOT NULL AND conversation_id <> '' ORDER BY seq";
        let rows = client.query(query, &[]).await.expect("the log is read");
        let log: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let numbers: Vec<i64> = rows.iter().map(|row| row.get(1)).collect();
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "the numbers of events have no gap");
        let end = Instant::now() + Duration::from_secs(60);
        for (number, dashboard) in dashboards.iter().enumerate() {
            while dashboard.seen().len() < log.len() && Instant::now() < end {
                sleep(Duration::from_millis(50)).await;
            }
            let seen: Vec<String> = dashboard.seen().into_iter().map(|event| event.id).collect();
            let differs = seen.iter().zip(&log).position(|(seen, stored)| seen != stored);
            assert_eq!(differs, None, "dashboard {number} has seen another event than the log contains");
            assert_eq!(seen.len(), log.len(), "dashboard {number} has seen all events");
            assert_eq!(dashboard.faults(), Vec::<String>::new());
        }
        eprintln!("{} events, each once and in order on {} dashboards", log.len(), dashboards.len());
    }

    /// The delay from the answer of a node to dashboards at other nodes while nothing failed.
    fn check_delay(&self, visits: &Visits, dashboards: &[Arc<Dashboard>], calm: (Instant, Instant)) {
        let asked: BTreeMap<String, _> = visits
            .acknowledged()
            .into_iter()
            .filter(|it| (calm.0..calm.1).contains(&it.at))
            .map(|it| (it.conversation.clone(), it))
            .collect();
        let created = dashboards.iter().flat_map(|dashboard| dashboard.seen());
        let mut delays: Vec<Duration> = created
            .filter(|event| event.event_type == "CONVERSATION_CREATED")
            .filter_map(|event| {
                let question = asked.get(&event.conversation).filter(|question| question.node != event.node)?;
                Some(event.at.saturating_duration_since(question.at))
            })
            .collect();
        delays.sort();
        assert!(!delays.is_empty(), "events cross nodes");
        let at = |part: usize| delays[(delays.len() * part / 100).min(delays.len() - 1)];
        eprintln!("{} events at other nodes: p50 {:?}, p99 {:?} after the answer", delays.len(), at(50), at(99));
        if let Some(limit) = self.form.delay {
            assert!(at(99) <= limit, "p99 {:?}", at(99));
        }
    }

    /// Every acknowledged write is stored, and credits are those of the stored questions.
    async fn check_rows(&self, visits: &Visits) {
        let client = server_client(&self.server.url).await;
        let rows = client.query("SELECT id, is_helpful IS NOT NULL FROM conversations", &[]).await.expect("rows");
        let stored: BTreeMap<String, bool> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let acknowledged = visits.acknowledged();
        let lost: Vec<_> = acknowledged.iter().filter(|it| !stored.contains_key(&it.conversation)).collect();
        assert!(lost.is_empty(), "{} acknowledged questions are lost: {:?}", lost.len(), lost.first());
        let votes = visits.voted();
        let lost: Vec<_> = votes.iter().filter(|id| stored.get(*id) != Some(&true)).collect();
        assert!(lost.is_empty(), "{} acknowledged votes are lost: {:?}", lost.len(), lost.first());
        let site = self.read("{ site { credits { used } conversations(first: 1) { totalCount } } }", json!({})).await;
        let (used, total) = (&site["site"]["credits"]["used"], &site["site"]["conversations"]["totalCount"]);
        assert_eq!((used, total), (&json!(stored.len()), &json!(stored.len())), "credits are exact");
        eprintln!(
            "{} questions and {} votes acknowledged, 0 lost; {used} credits used",
            acknowledged.len(),
            votes.len()
        );
    }

    /// Every delivery arrived, and twice only around a failure.
    async fn check_deliveries(&self) {
        let client = server_client(&self.server.url).await;
        let end = Instant::now() + DELIVERED;
        let ids = loop {
            if !self.form.waits_for_leases {
                let ended = "UPDATE deliveries SET lease_until_ms = 0 WHERE lease_until_ms IS NOT NULL";
                client.batch_execute(ended).await.expect("updated");
            }
            let pending = "SELECT count(*) FROM deliveries WHERE status = 'pending'";
            let pending: i64 = client.query_one(pending, &[]).await.expect("a count").get(0);
            if pending == 0 {
                let rows = client.query("SELECT id FROM deliveries", &[]).await.expect("rows");
                break rows.iter().map(|row| row.get(0)).collect::<BTreeSet<String>>();
            }
            assert!(Instant::now() < end, "{pending} deliveries are still pending");
            sleep(Duration::from_secs(2)).await;
        };
        let arrivals = self.endpoint.arrivals();
        let arrived: BTreeSet<String> = arrivals.iter().map(|(id, _)| id.clone()).collect();
        assert_eq!(arrived, ids, "the deliveries that arrived are those in the database");
        let mut first: BTreeMap<&str, Instant> = BTreeMap::new();
        let mut repeated = 0;
        for (id, at) in &arrivals {
            let Some(before) = first.insert(id, *at) else { continue };
            repeated += 1;
            let is_around =
                self.failures.iter().any(|(begun, ended)| before + AROUND >= *begun && before <= *ended + AROUND);
            assert!(is_around, "{id} arrived twice, and nothing failed at its first arrival");
        }
        eprintln!("{} deliveries arrived, {repeated} again after a failure", ids.len());
    }
}
