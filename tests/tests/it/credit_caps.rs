//! Tests of the limits that an owner sets on the credits of a day: exact under concurrency, with a code and a time of their
//! own, and the owner is notified once.

use std::time::Duration;

use futures_util::future::join_all;
use helpbot_domain::key::{KeyKind, Scope};
use helpbot_tests::{Client, Reply, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::mail_server::{MailServer, on_both_with_mail};

on_both_with_mail!(
    the_credits_of_a_day_are_capped_exactly_and_the_owner_is_notified_once,
    the_credits_of_a_client_address_are_capped,
    caps_are_set_cleared_and_kept,
    the_owner_is_notified_once_when_the_credits_of_the_month_are_used,
);

const ASK: &str = "mutation { askQuestion(input: { question: \"Hello?\" }) { userErrors { code } } }";
const UPDATE: &str = "mutation ($input: UpdateCreditCapsInput!) {
    updateCreditCaps(input: $input) { creditCaps { perDay perAddressPerDay usedToday } userErrors { code field } }
}";
const CAPS: &str = "{ site { creditCaps { perDay perAddressPerDay usedToday } credits { used } } }";

async fn ask(client: &Client, address: &str) -> Reply {
    let request = client.request(Method::POST, "/graphql").header("content-type", "application/json");
    client.send(request.header("x-forwarded-for", address).body(json!({ "query": ASK }).to_string())).await
}

fn code(reply: &Reply) -> Value {
    reply.json()["errors"][0]["extensions"]["code"].clone()
}

async fn set(client: &Client, input: Value) -> Value {
    let mut set = client.graphql(UPDATE, json!({ "input": input })).await.ok();
    assert_eq!(set["updateCreditCaps"]["userErrors"], json!([]));
    set["updateCreditCaps"]["creditCaps"].take()
}

async fn the_credits_of_a_day_are_capped_exactly_and_the_owner_is_notified_once(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;
    set(&site.owner(), json!({ "perDay": 5 })).await;
    let visitor = site.visitor();

    let addresses: Vec<String> = (0..60).map(|number| format!("192.0.2.{number}")).collect();
    let replies = join_all(addresses.iter().map(|address| ask(&visitor, address))).await;

    let answered = replies.iter().filter(|reply| code(reply).is_null()).count();
    let refused: Vec<_> = replies.iter().filter(|reply| code(reply) == "CREDIT_CAP_REACHED").collect();
    assert_eq!((answered, refused.len()), (5, 55));
    // From noon to midnight (UTC).
    let error = refused[0].json()["errors"][0].take();
    assert_eq!(error["extensions"]["retryAfter"], 43_200, "{error}");
    assert_eq!(error["message"], "Visitors have asked as many questions today as the site allows. Try again tomorrow.");
    let caps = site.owner().graphql(CAPS, json!({})).await.ok();
    assert_eq!(caps["site"]["creditCaps"], json!({ "perDay": 5, "perAddressPerDay": null, "usedToday": 5 }));
    assert_eq!(caps["site"]["credits"]["used"], 5, "refused questions cost nothing");
    // REST answers with a code that the contract knows, and the site's own server has no more credits either.
    let rest = visitor.post("/api/v1/chat", &json!({ "question": "Hello?" })).await;
    assert_eq!((rest.status.as_u16(), &rest.json()["code"]), (429, &json!("RATE_LIMITED")));
    assert_eq!(rest.header("retry-after"), Some("43200"));
    assert_eq!(code(&ask(&site.owner(), "192.0.2.1").await), "CREDIT_CAP_REACHED");
    let told = mail.first(1).await;
    assert!(told[0].to == "owner@example.com" && told[0].text.contains("that you allow per day"), "{told:?}");

    app.pass(Duration::from_secs(43_200));
    assert_eq!(code(&ask(&visitor, "192.0.2.1").await), Value::Null, "the next day");
    for _ in 0..5 {
        ask(&visitor, "192.0.2.1").await;
    }
    assert_eq!(code(&ask(&visitor, "192.0.2.1").await), "CREDIT_CAP_REACHED");
    assert_eq!(mail.first(2).await.len(), 2, "once a day");
}

async fn the_credits_of_a_client_address_are_capped(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;
    set(&site.owner(), json!({ "perAddressPerDay": 2 })).await;
    let visitor = site.visitor();

    let first = [ask(&visitor, "2001:db8::1").await, ask(&visitor, "2001:db8::2").await];
    let third = ask(&visitor, "2001:db8::3").await;

    assert!(first.iter().all(|reply| code(reply).is_null()));
    assert_eq!(code(&third), "CREDIT_CAP_REACHED");
    assert!(third.text().contains("Visitors from your network address have asked"), "{}", third.text());
    assert_eq!(code(&ask(&visitor, "2001:db8:1::1").await), Value::Null, "another network");
    for _ in 0..3 {
        assert_eq!(code(&ask(&site.owner(), "2001:db8::1").await), Value::Null, "a secret key has no such limit");
    }
    assert!(mail.first(1).await[0].text.contains("per address and day"));
}

async fn caps_are_set_cleared_and_kept(app: &TestApp, _mail: &MailServer) {
    let site = app.site().create().await;
    let none = json!({ "perDay": null, "perAddressPerDay": null, "usedToday": null });
    assert_eq!(site.owner().graphql(CAPS, json!({})).await.ok()["site"]["creditCaps"], none);

    set(&site.owner(), json!({ "perDay": 10, "perAddressPerDay": 3 })).await;
    let kept = set(&site.owner(), json!({ "perAddressPerDay": 4 })).await;
    let cleared = set(&site.owner(), json!({ "perDay": null })).await;
    let refused = site.owner().graphql(UPDATE, json!({ "input": { "perDay": -1 } })).await.ok();
    let (_, narrow) = site.key(KeyKind::Secret).scopes(&[Scope::WriteConfig]).create().await;

    assert_eq!(kept, json!({ "perDay": 10, "perAddressPerDay": 4, "usedToday": 0 }));
    assert_eq!(cleared, json!({ "perDay": null, "perAddressPerDay": 4, "usedToday": null }));
    let error = json!({ "code": "BAD_USER_INPUT", "field": ["input", "perDay"] });
    assert_eq!(refused["updateCreditCaps"]["userErrors"][0], error);
    assert_eq!(app.client(&narrow).graphql(UPDATE, json!({ "input": {} })).await.codes(), ["FORBIDDEN"]);
    assert_eq!(app.client(&narrow).graphql(CAPS, json!({})).await.codes(), ["FORBIDDEN"]);
}

async fn the_owner_is_notified_once_when_the_credits_of_the_month_are_used(app: &TestApp, mail: &MailServer) {
    let site = app.site().credits(1).create().await;
    let visitor = site.visitor();
    assert_eq!(code(&ask(&visitor, "192.0.2.1").await), Value::Null);

    for _ in 0..5 {
        assert_eq!(code(&ask(&visitor, "192.0.2.1").await), "CREDITS_EXHAUSTED");
    }

    let told = mail.first(1).await;
    assert!(told[0].text.contains("All credits of this month are used."), "{told:?}");
    assert_eq!(mail.arrived().len(), 1);
}
