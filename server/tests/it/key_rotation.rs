//! Test of the rotation of the secret key: visitors and endpoints do not notice it.

use helpbot_test_support::database::TestDatabase;
use serde_json::{Value, json};

use crate::support::{Home, Serving, on_database};
use crate::visitor::{Visitor, graphql};

const OLD: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const NEW: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

const BLOCK: &str = "mutation ($id: ID!) {
    blockVisitor(input: { conversationId: $id, by: ADDRESS }) { blockedVisitor { id } userErrors { message } }
}";

#[test]
fn the_secret_key_is_rotated_without_notice_on_sqlite() {
    on_database(async || Some(TestDatabase::sqlite()), async |_, _| (), |url, ()| rotate(&url));
}

#[test]
fn the_secret_key_is_rotated_without_notice_on_postgres() {
    on_database(TestDatabase::postgres, async |_, _| (), |url, ()| rotate(&url));
}

fn rotate(url: &str) {
    let home = Home::new();
    let with = |key: &str, previous: Option<&str>, arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("HELPBOT_DATABASE", url).env("HELPBOT_RATE_LIMITS", "off").env("HELPBOT_SECRET_KEY", key);
        command.envs(previous.map(|previous| ("HELPBOT_PREVIOUS_SECRET_KEY", previous)));
        command
    };
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let rotate = || {
        let ended = with(NEW, Some(OLD), &["key", "rotate-secret", "--json"]).output().expect("the program starts");
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        serde_json::from_slice::<Value>(&ended.stdout).expect("one JSON document")
    };

    let first = Serving::begin(with(OLD, None, &serve));
    let visitor = Visitor::first(&first);
    first.terminate();
    // First every node learns the new key, then every node uses it.
    let ready = Serving::begin(with(OLD, Some(NEW), &serve));
    visitor.check(&ready);
    ready.terminate();
    let both = Serving::begin(with(NEW, Some(OLD), &serve));
    visitor.check(&both);
    let (once, twice) = (rotate(), rotate());
    visitor.check(&both);
    both.terminate();
    let refused = with(OLD, None, &serve).output().expect("the program starts");
    let last = Serving::begin(with(NEW, None, &serve));
    visitor.check_answer(&last);
    let with_old_token = visitor.read(&last, Some(&visitor.session_token), &visitor.conversation["id"]);
    let blocked = graphql(&last, &visitor.secret_key, None, BLOCK, &json!({ "id": visitor.conversation["id"] }));
    let asked = visitor.ask(&last);

    assert_eq!((once, twice), (json!({ "sealed": 2, "unchanged": 0 }), json!({ "sealed": 0, "unchanged": 2 })));
    let reason = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && reason.contains("was written with the key"), "{reason}");
    assert_eq!(with_old_token, Value::Null, "tokens of the previous key end with it");
    assert!(blocked["data"]["blockVisitor"]["blockedVisitor"]["id"].is_string(), "{blocked}");
    assert!(asked.to_string().contains("blocked"), "addresses are still recognized after the rotation: {asked}");
}
