//! Tests of replies by mail: what the team writes to a visitor who is not there is mailed, and the answer comes back into the
//! conversation.

use std::time::Duration;

use helpbot_tests::{Client, Reply, TestApp, TestSite, wait_for};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::mail_server::{Arrived, INBOUND_SECRET, MailServer, on_both_with_mail};

on_both_with_mail!(
    messages_to_an_absent_visitor_come_together_in_one_mail,
    a_visitor_who_has_seen_the_messages_receives_no_mail,
    an_address_without_proof_receives_no_mail,
    an_answer_by_mail_becomes_a_message_of_the_conversation,
    an_answer_opens_a_resolved_conversation_again,
    mails_of_programs_and_repeated_mails_are_ignored,
    only_those_with_the_secret_hand_over_mail,
    a_blocked_visitor_cannot_write_by_mail,
);

const ASK: &str =
    "mutation { askQuestion(input: { question: \"Zebra or quagga?\" }) { conversation { id } sessionToken } }";
const HANDOFF: &str = "mutation ($id: ID!, $email: String) {
    requestHandoff(input: { conversationId: $id, customerEmail: $email }) { userErrors { code } }
}";
const SEND: &str = "mutation ($id: ID!, $text: String!) {
    sendMessage(input: { conversationId: $id, text: $text }) { userErrors { message } }
}";
const RESOLVE: &str =
    "mutation ($id: ID!) { resolveConversation(input: { conversationId: $id }) { userErrors { code } } }";
const THREAD: &str = "query ($id: ID!) { node(id: $id) { ... on Conversation {
    handoff { status isMailed } unreadCount messages(first: 50) { nodes { author text } }
} } }";
const DELAY: Duration = Duration::from_secs(60);

/// A visitor with a session token who has left an address.
async fn waiting(site: &TestSite<'_>) -> (Client, Value) {
    let asked = site.visitor().graphql(ASK, json!({})).await.ok();
    let visitor = site.visitor().with_session(asked["askQuestion"]["sessionToken"].as_str().expect("a token"));
    let id = asked["askQuestion"]["conversation"]["id"].clone();
    visitor.graphql(HANDOFF, json!({ "id": id, "email": "ann@home.example" })).await.ok();
    (visitor, id)
}

async fn send(client: &Client, id: &Value, text: &str) {
    let sent = client.graphql(SEND, json!({ "id": id, "text": text })).await.ok();
    assert_eq!(sent["sendMessage"]["userErrors"], json!([]), "{text}");
}

async fn thread(site: &TestSite<'_>, id: &Value) -> Value {
    site.owner().graphql(THREAD, json!({ "id": id })).await.ok()["node"].take()
}

/// The texts that the visitor wrote after the question.
fn answers(thread: &Value) -> Vec<&str> {
    let nodes = thread["messages"]["nodes"].as_array().expect("a list");
    nodes.iter().skip(1).filter(|node| node["author"] == "VISITOR").filter_map(|node| node["text"].as_str()).collect()
}

/// Waits until no mail is queued, and returns the mails to the visitor.
async fn mailed(site: &TestSite<'_>, mail: &MailServer) -> Vec<Arrived> {
    wait_for("the end of waiting", async || {
        let found = site.owner().graphql("{ site { waitingMails { kind } } }", json!({})).await.ok();
        (found["site"]["waitingMails"] == json!([])).then_some(())
    })
    .await;
    mail.arrived().into_iter().filter(|mail| mail.to == "ann@home.example").collect()
}

/// The reply mail with one message, after the delay.
async fn replied(app: &TestApp, site: &TestSite<'_>, mail: &MailServer, id: &Value) -> Arrived {
    app.pass(Duration::from_secs(1));
    send(&site.owner(), id, "Which one do you mean?").await;
    app.pass(DELAY);
    mailed(site, mail).await.pop().expect("a mail")
}

async fn hand_over(app: &TestApp, raw: &str, secret: &str) -> Reply {
    let client = app.anonymous();
    let request = client.request(Method::POST, "/inbound/mail").bearer_auth(secret);
    client.send(request.body(raw.replace('\n', "\r\n"))).await
}

fn answer(to: &Arrived, message_id: &str, headers: &str, text: &str) -> String {
    format!(
        "From: Ann <ann@home.example>\nTo: {}\nMessage-ID: <{message_id}>\n{headers}\n{text}\n\n\
         On Sun, 15 Mar 2026 at 12:01, HelpBot <help@shop.example> wrote:\n> Write your answer above this line.\n",
        to.header("Reply-To")
    )
}

async fn messages_to_an_absent_visitor_come_together_in_one_mail(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;
    let (_, id) = waiting(&site).await;
    assert_eq!(thread(&site, &id).await["handoff"]["isMailed"], true);

    app.pass(Duration::from_secs(1));
    send(&site.owner(), &id, "We have both.").await;
    app.pass(Duration::from_secs(5));
    send(&site.owner(), &id, "The zebra is cheaper.").await;
    wait_for("the mail to the owner", async || {
        let waiting = site.owner().graphql("{ site { waitingMails { kind } } }", json!({})).await.ok();
        (waiting["site"]["waitingMails"] == json!([{ "kind": "REPLY" }])).then_some(())
    })
    .await;
    app.pass(DELAY);

    let mails = mailed(&site, mail).await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    for text in ["We have both.", "The zebra is cheaper."] {
        assert!(mails[0].text.contains(text), "{}", mails[0].text);
    }
    assert_eq!(mails[0].header("Auto-Submitted"), "auto-generated");
    assert!(mails[0].header("Reply-To").ends_with("@reply.shop.example"), "{}", mails[0].text);
    // The address may be that of somebody else, so the visitor's words are not mailed to it.
    assert!(!mails[0].text.contains("quagga"), "{}", mails[0].text);

    app.pass(DELAY);
    send(&site.owner(), &id, "Are you there?").await;
    app.pass(DELAY);
    let mails = mailed(&site, mail).await;
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[1].header("In-Reply-To"), mails[0].header("Message-ID"));
    assert_eq!(mails[1].header("References"), mails[0].header("Message-ID"));
    assert!(mails[1].text.contains("Are you there?") && !mails[1].text.contains("We have both."), "{}", mails[1].text);
}

async fn a_visitor_who_has_seen_the_messages_receives_no_mail(app: &TestApp, mail: &MailServer) {
    const ACTIVITY: &str = "subscription ($id: ID!) { conversationActivity(conversationId: $id) { isTeamHere } }";
    const MESSAGES: &str =
        "query ($id: ID!) { node(id: $id) { ... on Conversation { messages(first: 50) { nodes { text } } } } }";
    let site = app.site().create().await;
    let (visitor, id) = waiting(&site).await;

    // Comes back before the mail is due.
    app.pass(DELAY);
    send(&site.owner(), &id, "We have both.").await;
    app.pass(Duration::from_secs(30));
    visitor.graphql(MESSAGES, json!({ "id": id })).await.ok();
    app.pass(DELAY);
    assert_eq!(mailed(&site, mail).await.len(), 0);

    // Has the conversation open.
    let mut socket = visitor.socket().await;
    let watching = socket.subscribe(ACTIVITY, json!({ "id": id })).await;
    socket.next(&watching).await;
    send(&site.owner(), &id, "The zebra is cheaper.").await;
    app.pass(DELAY);
    assert_eq!(mailed(&site, mail).await.len(), 0);
}

async fn an_address_without_proof_receives_no_mail(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;
    let asked = site.visitor().graphql(ASK, json!({})).await.ok();
    let id = &asked["askQuestion"]["conversation"]["id"];

    let requested = site.visitor().graphql(HANDOFF, json!({ "id": id, "email": "ann@home.example" })).await.ok();
    app.pass(Duration::from_secs(1));
    send(&site.owner(), id, "We have both.").await;
    app.pass(DELAY);

    assert_eq!(requested["requestHandoff"]["userErrors"], json!([{ "code": "FORBIDDEN" }]));
    assert_eq!(thread(&site, id).await["handoff"], json!({ "status": "REQUESTED", "isMailed": false }));
    assert_eq!(mailed(&site, mail).await.len(), 0);
    // The owner is notified.
    let notified = mail.first(1).await.remove(0);
    assert!(notified.to == "owner@example.com" && !notified.text.contains("ann@home.example"), "{notified:?}");
}

async fn an_answer_by_mail_becomes_a_message_of_the_conversation(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;
    let (_, id) = waiting(&site).await;
    let first = replied(app, &site, mail, &id).await;

    let raw = answer(&first, "answer-1@home.example", "", "The quagga, please.\n\n-- \nAnn");
    let taken = hand_over(app, &raw, INBOUND_SECRET).await;

    assert_eq!(taken.ok(), json!({ "result": "accepted" }));
    let seen = thread(&site, &id).await;
    assert_eq!(answers(&seen), ["The quagga, please."]);
    assert_eq!(seen["unreadCount"], 1);
    // The next mail continues the thread of the visitor's mail program.
    let second = replied(app, &site, mail, &id).await;
    assert_eq!(second.header("In-Reply-To"), "<answer-1@home.example>");

    // A mail program that ignores Reply-To still names the mail that it answers.
    let other = answer(
        &second,
        "answer-2@home.example",
        &format!("In-Reply-To: {}\n", second.header("Message-ID")),
        "Or the zebra.",
    );
    let other = other.replace(second.header("Reply-To"), "help@shop.example");
    assert_eq!(hand_over(app, &other, INBOUND_SECRET).await.ok(), json!({ "result": "accepted" }));
    assert_eq!(answers(&thread(&site, &id).await), ["The quagga, please.", "Or the zebra."]);
}

async fn an_answer_opens_a_resolved_conversation_again(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;
    let (_, id) = waiting(&site).await;
    let first = replied(app, &site, mail, &id).await;
    site.owner().graphql(RESOLVE, json!({ "id": id })).await.ok();

    let taken = hand_over(app, &answer(&first, "late@home.example", "", "One more thing."), INBOUND_SECRET).await;

    assert_eq!(taken.ok(), json!({ "result": "accepted" }));
    let seen = thread(&site, &id).await;
    assert_eq!(seen["handoff"]["status"], "REQUESTED");
    assert_eq!(answers(&seen), ["One more thing."]);
}

async fn mails_of_programs_and_repeated_mails_are_ignored(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;
    let (_, id) = waiting(&site).await;
    let first = replied(app, &site, mail, &id).await;
    let result = async |raw: &str| hand_over(app, raw, INBOUND_SECRET).await.ok()["result"].take();

    let answered = answer(&first, "once@home.example", "", "Yes.");
    assert_eq!(result(&answered).await, "accepted");
    assert_eq!(result(&answered).await, "ignored: received before");
    let away = answer(&first, "away@home.example", "Auto-Submitted: auto-replied\n", "I am on holiday.");
    assert_eq!(result(&away).await, "ignored: an automatic message");
    // Our own mail, which somebody forwards to the address in it.
    let own = first.text.replace("ann@home.example", first.header("Reply-To"));
    assert_eq!(result(&own).await, "ignored: an automatic message");
    assert_eq!(result(&answer(&first, "empty@home.example", "", "")).await, "ignored: no text");
    let forged = answered.replace("once@", "forged@").replace("@reply.shop.example", "0@reply.shop.example");
    assert_eq!(result(&forged).await, "ignored: no conversation");

    assert_eq!(answers(&thread(&site, &id).await), ["Yes."]);
}

async fn only_those_with_the_secret_hand_over_mail(app: &TestApp, mail: &MailServer) {
    let site = app.site().create().await;
    let (_, id) = waiting(&site).await;
    let first = replied(app, &site, mail, &id).await;

    let wrong = hand_over(app, &answer(&first, "1@home.example", "", "Yes."), "another secret").await;
    let large = hand_over(app, &"x".repeat(11 * 1024 * 1024), INBOUND_SECRET).await;
    let unreadable = hand_over(app, "", INBOUND_SECRET).await;

    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(unreadable.status, StatusCode::BAD_REQUEST);
    assert_eq!(answers(&thread(&site, &id).await), Vec::<&str>::new());
}

async fn a_blocked_visitor_cannot_write_by_mail(app: &TestApp, mail: &MailServer) {
    const BLOCK: &str = "mutation ($id: ID!) { blockVisitor(input: { conversationId: $id }) { userErrors { code } } }";
    let site = app.site().create().await;
    let (_, id) = waiting(&site).await;
    let first = replied(app, &site, mail, &id).await;
    site.owner().graphql(BLOCK, json!({ "id": id })).await.ok();

    let refused = hand_over(app, &answer(&first, "1@home.example", "", "Yes."), INBOUND_SECRET).await;

    assert_eq!(refused.ok()["result"], "ignored: the visitor is blocked or the conversation is full");
    assert_eq!(answers(&thread(&site, &id).await), Vec::<&str>::new());
}
