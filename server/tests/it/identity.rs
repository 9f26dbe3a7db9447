//! Tests of the identity of an installation: every node and every restored backup needs its secret key, and several nodes
//! that start at the same time create one first site.

use std::thread;

use helpbot_test_support::database::TestDatabase;
use serde_json::Value;

use crate::support::{Home, Serving, on_database};

const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";
const NODES: usize = 3;

#[test]
fn another_secret_key_is_refused_on_sqlite() {
    on_database(async || Some(TestDatabase::sqlite()), async |_, _| (), |url, ()| refuse_another_key(&url));
}

#[test]
fn another_secret_key_is_refused_on_postgres() {
    on_database(TestDatabase::postgres, async |_, _| (), |url, ()| refuse_another_key(&url));
}

fn refuse_another_key(url: &str) {
    let home = Home::new();
    let with = |key: &str, arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("HELPBOT_DATABASE", url).env("HELPBOT_SECRET_KEY", key);
        command
    };
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let first = Serving::begin(with(KEY, &serve));
    let widget_key = first.word("wk_live_");
    first.terminate();

    let refused = with(OTHER_KEY, &serve).output().expect("the program starts");
    let listed = with(OTHER_KEY, &["site", "list"]).output().expect("the program starts");
    let examined = with(OTHER_KEY, &["doctor", "--json"]).output().expect("the program starts");
    let again = Serving::begin(with(KEY, &serve));
    let (status, _) = again.ask(&widget_key, "How do I revoke an API key?");

    assert_eq!(status, 200, "the right key still works");
    for ended in [&refused, &listed] {
        let reason = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success());
        assert!(reason.contains("the secret key of this node has the fingerprint"), "{reason}");
        assert!(!reason.contains(KEY) && !reason.contains(OTHER_KEY), "{reason}");
    }
    let report: Value = serde_json::from_slice(&examined.stdout).expect("one JSON document");
    assert!(!examined.status.success());
    assert!(report["findings"].to_string().contains("was written with the key"), "{}", report["findings"]);
}

#[test]
fn of_several_nodes_that_start_at_once_one_creates_the_first_site() {
    on_database(
        TestDatabase::postgres,
        async |_, _| (),
        |url, ()| {
            let homes: Vec<Home> = (0..NODES).map(|_| Home::new()).collect();
            let nodes: Vec<Serving> = thread::scope(|scope| {
                let start = |home: &Home| {
                    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
                    command.env("HELPBOT_DATABASE", &url).env("HELPBOT_SECRET_KEY", KEY);
                    scope.spawn(move || Serving::begin(command))
                };
                let starting: Vec<_> = homes.iter().map(start).collect();
                starting.into_iter().map(|node| node.join().expect("the node starts")).collect()
            });

            let with_keys: Vec<&Serving> = nodes.iter().filter(|node| !node.keys.is_empty()).collect();
            let mut list = homes[0].command(&["site", "list", "--json"]);
            let listed = list.env("HELPBOT_DATABASE", &url).env("HELPBOT_SECRET_KEY", KEY).output().expect("it runs");

            assert_eq!(with_keys.len(), 1, "one node prints keys");
            let sites: Value = serde_json::from_slice(&listed.stdout).expect("one JSON document");
            let sites = sites.as_array().or_else(|| sites["sites"].as_array()).expect("a list");
            assert_eq!(sites.len(), 1, "{sites:?}");
            let widget_key = with_keys[0].word("wk_live_");
            for node in &nodes {
                assert_eq!(node.ask(&widget_key, "How do I revoke an API key?").0, 200);
            }
        },
    );
}
