//! Tests of transcripts: mail goes only to an address that the visitor confirmed with a mailed code, and neither codes nor
//! transcripts can be used to flood anybody.

use std::time::Duration;

use helpbot_tests::{Client, TestApp, TestSite};
use reqwest::Method;
use serde_json::{Value, json};

use crate::mail_server::{MailServer, on_both_with_mail};

on_both_with_mail!(
    a_transcript_goes_only_to_a_confirmed_address,
    a_code_is_for_one_session_one_address_and_a_short_time,
    a_code_can_be_tried_five_times,
    spellings_of_an_address_share_a_limit,
    codes_are_limited_for_each_session_and_client_address,
    the_team_sends_a_transcript_without_a_code,
);

const ASK: &str = "mutation ($question: String!) {
    askQuestion(input: { question: $question }) { conversation { id } sessionToken }
}";
const REQUEST: &str = "mutation ($id: ID!, $email: String!) {
    m: requestTranscriptCode(input: { conversationId: $id, email: $email }) { expiresAt userErrors { code field } }
}";
const CONFIRM: &str = "mutation ($id: ID!, $email: String!, $code: String!) {
    m: confirmTranscriptCode(input: { conversationId: $id, email: $email, code: $code }) {
        conversation { id } userErrors { code field }
    }
}";
const SEND: &str = "mutation ($id: ID!, $email: String) {
    m: sendTranscript(input: { conversationId: $id, email: $email }) { conversation { id } userErrors { code field } }
}";

/// A visitor with a conversation.
struct Visitor {
    client: Client,
    id: Value,
}

impl Visitor {
    async fn of(site: &TestSite<'_>, question: &str) -> Self {
        let asked = site.visitor().graphql(ASK, json!({ "question": question })).await.ok();
        let token = asked["askQuestion"]["sessionToken"].as_str().expect("a token");
        Self { client: site.visitor().with_session(token), id: asked["askQuestion"]["conversation"]["id"].clone() }
    }

    /// Runs one of the mutations. Returns the code and the field of its error, or null.
    async fn run(&self, document: &str, mut variables: Value) -> Value {
        variables["id"] = self.id.clone();
        let mut given = self.client.graphql(document, variables).await.ok();
        given["m"]["userErrors"].get_mut(0).map(Value::take).unwrap_or_default()
    }

    async fn request(&self, email: &str) -> Value {
        self.run(REQUEST, json!({ "email": email })).await
    }

    async fn confirm(&self, email: &str, code: &str) -> Value {
        self.run(CONFIRM, json!({ "email": email, "code": code })).await
    }

    async fn send(&self, email: Option<&str>) -> Value {
        self.run(SEND, json!({ "email": email })).await
    }
}

fn refused(field: &str) -> Value {
    json!({ "code": "BAD_USER_INPUT", "field": ["input", field] })
}

fn limited() -> Value {
    json!({ "code": "LIMIT_REACHED", "field": null })
}

async fn a_transcript_goes_only_to_a_confirmed_address(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;
    let visitor = Visitor::of(&site, "URGENT: pay at https://evil.example").await;

    assert_eq!(visitor.send(Some("victim@home.example")).await, refused("email"));
    assert_eq!(visitor.request("victim@home.example").await, Value::Null);
    let code = mail.first(1).await.remove(0);
    assert_eq!(code.to, "victim@home.example");
    assert!(!code.text.contains("evil.example"), "the mail contains nothing of the visitor: {}", code.text);
    assert_eq!(visitor.send(Some("victim@home.example")).await, refused("email"), "a request proves nothing");

    let spaced = format!(" {} {} ", &code.code()[..3], &code.code()[3..]);
    assert_eq!(visitor.confirm("victim@home.example", &spaced).await, Value::Null);
    assert_eq!(visitor.send(Some("victim@home.example")).await, Value::Null);
    assert_eq!(visitor.send(Some("other@home.example")).await, refused("email"));

    let transcript = mail.first(2).await.remove(1);
    assert_eq!(transcript.to, "victim@home.example");
    assert!(transcript.text.contains("> URGENT: pay at https://evil.example"), "{}", transcript.text);
    // Another visitor of the same site has proved nothing.
    let other = Visitor::of(&site, "Hello?").await;
    assert_eq!(other.send(Some("victim@home.example")).await, refused("email"));
    // Without the session token there is nothing to see.
    let stranger = Visitor { client: site.visitor(), id: visitor.id.clone() };
    let not_found = json!({ "code": "NOT_FOUND", "field": null });
    assert_eq!(stranger.request("victim@home.example").await, not_found);
    assert_eq!(stranger.confirm("victim@home.example", &code.code()).await, not_found);
    assert_eq!(mail.arrived().len(), 2);
}

async fn a_code_is_for_one_session_one_address_and_a_short_time(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;
    let (ann, bob) = (Visitor::of(&site, "Ann?").await, Visitor::of(&site, "Bob?").await);
    ann.request("ann@home.example").await;
    let first = mail.first(1).await.remove(0).code();

    assert_eq!(bob.confirm("ann@home.example", &first).await, refused("code"), "another session");
    assert_eq!(ann.confirm("bob@home.example", &first).await, refused("code"), "another address");
    app.pass(Duration::from_secs(15 * 60));
    assert_eq!(ann.confirm("ann@home.example", &first).await, refused("code"), "it has expired");

    ann.request("ann@home.example").await;
    let second = mail.first(2).await.remove(1).code();
    app.pass(Duration::from_secs(1));
    ann.request("ann@home.example").await;
    let third = mail.first(3).await.remove(2).code();
    if second != third {
        assert_eq!(ann.confirm("ann@home.example", &second).await, refused("code"), "it was replaced");
    }
    assert_eq!(ann.confirm("ann@home.example", &third).await, Value::Null);
    assert_eq!(ann.confirm("ann@home.example", &third).await, Value::Null, "a repeated request succeeds too");
}

async fn a_code_can_be_tried_five_times(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;
    let visitor = Visitor::of(&site, "Hello?").await;
    visitor.request("ann@home.example").await;
    let code = mail.first(1).await.remove(0).code();
    let wrong = if code == "000000" { "000001" } else { "000000" };

    for _ in 0..5 {
        assert_eq!(visitor.confirm("ann@home.example", wrong).await, refused("code"));
    }

    assert_eq!(visitor.confirm("ann@home.example", &code).await, limited(), "the right code comes too late");
    assert_eq!(visitor.send(Some("ann@home.example")).await, refused("email"));
}

async fn spellings_of_an_address_share_a_limit(app: &TestApp, _mail: &MailServer) {
    let site = app.site().create().await;
    let spellings = [
        "bob@target.example",
        "BOB@target.example",
        "bob@TARGET.example",
        "b.ob@target.example",
        "bob+1@target.example",
    ];
    for spelling in spellings {
        assert_eq!(Visitor::of(&site, "Hello?").await.request(spelling).await, Value::Null, "{spelling}");
    }

    let visitor = Visitor::of(&site, "Hello?").await;
    assert_eq!(visitor.request("b.o.b+2@Target.example").await, limited());
    assert_eq!(visitor.request("rob@target.example").await, Value::Null);
    app.pass(Duration::from_secs(86_400));
    assert_eq!(visitor.request("bob@target.example").await, Value::Null, "the next day");
}

async fn codes_are_limited_for_each_session_and_client_address(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;
    let visitor = Visitor::of(&site, "Hello?").await;
    for number in 0..5 {
        assert_eq!(visitor.request(&format!("victim{number}@home.example")).await, Value::Null);
    }
    assert_eq!(visitor.request("victim5@home.example").await, limited(), "the session has its five");

    let from = async |visitor: &Visitor, email: &str, address: &str| {
        let body = json!({ "query": REQUEST, "variables": { "id": visitor.id, "email": email } }).to_string();
        let request = visitor.client.request(Method::POST, "/graphql").header("content-type", "application/json");
        let reply = visitor.client.send(request.header("x-forwarded-for", address).body(body)).await.ok();
        reply["data"]["m"]["userErrors"][0]["code"].clone()
    };
    for number in 0..20 {
        let visitor = Visitor::of(&site, "Hello?").await;
        let email = format!("neighbor{number}@home.example");
        assert_eq!(from(&visitor, &email, "2001:db8::1").await, Value::Null, "{number}");
    }
    let visitor = Visitor::of(&site, "Hello?").await;
    assert_eq!(from(&visitor, "last@home.example", "2001:db8::2").await, "LIMIT_REACHED", "the same network");
    assert_eq!(from(&visitor, "last@home.example", "2001:db8:1::1").await, Value::Null);
    // The owner was notified once, although two limits were reached.
    let told = mail.first(27).await.into_iter().filter(|mail| mail.to == "owner@example.com").count();
    assert_eq!(told, 1);
}

async fn the_team_sends_a_transcript_without_a_code(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;
    let visitor = Visitor::of(&site, "Where is my order?").await;

    let sent = site.owner().graphql(SEND, json!({ "id": visitor.id, "email": "ann@home.example" })).await.ok();

    assert_eq!(sent["m"]["userErrors"], json!([]));
    assert_eq!(mail.first(1).await[0].to, "ann@home.example");
}
