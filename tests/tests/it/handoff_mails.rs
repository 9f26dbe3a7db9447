//! Tests of the mails about handoffs: the first one comes at once, the others come together, and visitors who ask too often
//! are only counted.

use std::collections::BTreeSet;
use std::time::Duration;

use helpbot_tests::{Client, TestApp, TestSite, wait_for};
use reqwest::Method;
use serde_json::{Value, json};

use crate::mail_server::{MailServer, on_both_with_mail};

on_both_with_mail!(
    the_first_handoff_is_mailed_at_once_and_the_others_together,
    a_flood_of_handoffs_causes_few_mails,
    a_visitor_who_asks_too_often_is_counted_and_the_owner_is_notified_once,
);

const ASK: &str = "mutation ($question: String!) {
    askQuestion(input: { question: $question }) { conversation { id } sessionToken }
}";
const HANDOFF: &str = "mutation ($id: ID!, $email: String) {
    requestHandoff(input: { conversationId: $id, customerEmail: $email }) { userErrors { code } }
}";
const INTERVAL: Duration = Duration::from_secs(600);

async fn ask(site: &TestSite<'_>, question: &str) -> (Client, Value) {
    let asked = site.visitor().graphql(ASK, json!({ "question": question })).await.ok();
    let token = asked["askQuestion"]["sessionToken"].as_str().expect("a token");
    (site.visitor().with_session(token), asked["askQuestion"]["conversation"]["id"].clone())
}

/// Asks for a human from a client address of its own.
async fn hand_off(site: &TestSite<'_>, question: &str, email: Option<&str>, address: &str) -> Value {
    let (visitor, id) = ask(site, question).await;
    let body = json!({ "query": HANDOFF, "variables": { "id": id, "email": email } }).to_string();
    let request = visitor.request(Method::POST, "/graphql").header("content-type", "application/json");
    let reply = visitor.send(request.header("x-forwarded-for", address).body(body)).await.ok();
    assert_eq!(reply["data"]["requestHandoff"]["userErrors"], json!([]));
    id
}

async fn nothing_waits(site: &TestSite<'_>) {
    wait_for("the end of waiting", async || {
        let found = site.owner().graphql("{ site { waitingMails { nodes { kind } } } }", json!({})).await.ok();
        (found["site"]["waitingMails"]["nodes"] == json!([])).then_some(())
    })
    .await;
}

async fn the_first_handoff_is_mailed_at_once_and_the_others_together(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;

    hand_off(&site, "First of all?", Some("ann@home.example"), "192.0.2.1").await;
    let first = mail.first(1).await.remove(0);
    nothing_waits(&site).await;
    app.pass(Duration::from_secs(60));
    let second = hand_off(&site, "Second of all?", None, "192.0.2.2").await;
    let third = hand_off(&site, "Third of all?", Some("bob@home.example"), "192.0.2.3").await;
    let waiting = "{ site { waitingMails { nodes { kind attemptCount nextAttemptAt } } } }";
    let waiting = site.owner().graphql(waiting, json!({})).await.ok();

    assert_eq!(first.to, "owner@example.com");
    assert!(first.text.contains("> First of all?") && first.text.contains("Reply-To: ann@home.example"), "{first:?}");
    let due = json!([{ "kind": "HANDOFF", "attemptCount": 0, "nextAttemptAt": "2026-03-15T12:10:00.000Z" }]);
    assert_eq!(waiting["site"]["waitingMails"]["nodes"], due);
    app.pass(INTERVAL);
    let digest = mail.first(2).await.remove(1);
    assert!(digest.text.contains("have asked 2 times to talk to a human"), "{}", digest.text);
    assert!(!digest.text.contains("Reply-To"), "{}", digest.text);
    for text in ["> Second of all?", "> Third of all?", "bob@home.example"] {
        assert!(digest.text.contains(text), "{text}: {}", digest.text);
    }
    for id in [second, third] {
        assert!(digest.text.contains(&format!("/dashboard/inbox/{}", id.as_str().expect("an ID"))), "{}", digest.text);
    }
    assert!(!digest.text.contains("First of all"));
    // After a quiet time the next handoff is mailed at once again.
    app.pass(INTERVAL);
    hand_off(&site, "Fourth of all?", None, "192.0.2.4").await;
    assert!(mail.first(3).await[2].text.contains("> Fourth of all?"));
}

async fn a_flood_of_handoffs_causes_few_mails(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;

    // A handoff every 30 seconds for four hours, each from another address.
    for number in 0..480 {
        hand_off(&site, "Help?", None, &format!("10.0.{}.{}", number / 200, number % 200)).await;
        app.pass(Duration::from_secs(30));
    }
    app.pass(Duration::from_secs(3_600));

    // Twelve in the first two hours, then one per hour. A mail whose lease ends while the clock is moved is sent again
    // under the same ID, so the IDs are counted.
    nothing_waits(&site).await;
    let mails: BTreeSet<String> = mail.arrived().iter().map(|mail| mail.header("Message-ID").to_owned()).collect();
    assert_eq!(mails.len(), 15);
}

async fn a_visitor_who_asks_too_often_is_counted_and_the_owner_is_notified_once(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;
    for number in 0..9 {
        let email = ["Ann@home.example", "a.nn@home.example", "ann+1@home.example"][number % 3];
        hand_off(&site, &format!("Question {number}?"), Some(email), &format!("192.0.2.{number}")).await;
    }

    app.pass(INTERVAL);

    let mails = mail.first(3).await;
    let digest =
        mails.iter().find(|mail| mail.text.contains("have asked 8 times to talk to a human")).expect("a digest");
    // The first one was mailed at once.
    for number in 1..5 {
        assert!(digest.text.contains(&format!("> Question {number}?")), "{}", digest.text);
    }
    assert!(!digest.text.contains("> Question 5?"), "{}", digest.text);
    assert!(digest.text.contains("This mail does not show 4 more."), "{}", digest.text);
    let told = mails.iter().filter(|mail| mail.text.contains("more often than mails report")).count();
    assert_eq!((told, mails.len()), (1, 3));
    let inbox = "{ site { conversations(filter: { handoffStatuses: [REQUESTED] }) { totalCount } } }";
    let inbox = site.owner().graphql(inbox, json!({})).await.ok();
    assert_eq!(inbox["site"]["conversations"]["totalCount"], 9, "the inbox has all of them");
}
