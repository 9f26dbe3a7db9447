//! Tests of satisfaction: why an answer did not help, how a visitor rates the help of a human, and how fast the team was.

use std::time::Duration;

use helpbot_domain::handoff::RATING_WINDOW;
use helpbot_domain::key::Role;
use helpbot_services::accounts::members;
use helpbot_tests::{Client, Receiver, TestApp, TestSite, on_both_backends};
use serde_json::{Value, json};

use crate::visits;

on_both_backends!(
    a_vote_has_a_reason_and_a_comment,
    only_the_vote_is_an_event_of_webhooks,
    a_resolved_handoff_is_rated_by_its_visitor_alone,
    each_handoff_has_one_rating_that_can_change_for_a_week,
    a_handoff_tells_when_the_team_acted,
);

const VOTE: &str = "mutation ($input: SubmitFeedbackInput!) { m: submitFeedback(input: $input) {
    conversation { feedback feedbackReason feedbackComment } userErrors { code field }
} }";
const RATE: &str = "mutation ($input: RateHandoffInput!) { m: rateHandoff(input: $input) {
    conversation { handoff { rating ratingComment ratedAt } } userErrors { code field }
} }";
const HANDOFF: &str =
    "mutation ($id: ID!) { m: requestHandoff(input: { conversationId: $id }) { userErrors { code } } }";
const RESOLVE: &str =
    "mutation ($id: ID!) { m: resolveConversation(input: { conversationId: $id }) { userErrors { code } } }";
const REOPEN: &str =
    "mutation ($id: ID!) { m: reopenConversation(input: { conversationId: $id }) { userErrors { code } } }";
const SHOWN: &str = "query ($id: ID!) { node(id: $id) { ... on Conversation {
    feedback feedbackReason feedbackComment
    handoff { status assignedAt firstReplyAt resolvedAt rating ratingComment ratedAt ratingEndsAt }
} } }";

async fn done(client: &Client, document: &str, id: &Value) {
    let reply = client.graphql(document, json!({ "id": id })).await.ok();
    assert_eq!(reply["m"]["userErrors"], json!([]), "{document}");
}

/// Sends an input and returns the payload.
async fn sent(client: &Client, document: &str, input: Value) -> Value {
    client.graphql(document, json!({ "input": input })).await.ok()["m"].take()
}

async fn shown(client: &Client, id: &Value) -> Value {
    client.graphql(SHOWN, json!({ "id": id })).await.ok()["node"].take()
}

/// The key of a new member, as a caller.
async fn member(app: &TestApp, site: &TestSite<'_>, name: &str) -> Client {
    let email = format!("{name}@example.com");
    let added = members::add(app.services(), app.operator(), Some(site.id), name, &email, Role::Agent).await;
    app.client(&added.expect("a member").1)
}

async fn a_vote_has_a_reason_and_a_comment(app: &TestApp) {
    let site = app.site().create().await;
    let (visitor, asked) = visits::visitor(&site, "Do you repair coats?").await;
    let id = &asked["id"];
    let vote = async |input: Value| {
        let mut input = input;
        input["conversationId"] = id.clone();
        sent(&visitor, VOTE, input).await
    };
    let of = |vote: &str, reason: Value, comment: Value| {
        let conversation = json!({ "feedback": vote, "feedbackReason": reason, "feedbackComment": comment });
        json!({ "conversation": conversation, "userErrors": [] })
    };
    let refused = |field: &str| json!({ "conversation": null, "userErrors": [{ "code": "BAD_USER_INPUT", "field": ["input", field] }] });

    let both = json!({ "feedback": "UNHELPFUL", "reason": "OUTDATED", "comment": " The shop has moved. " });
    assert_eq!(vote(both).await, of("UNHELPFUL", json!("OUTDATED"), json!("The shop has moved.")));
    let again = vote(json!({ "feedback": "UNHELPFUL" })).await;
    assert_eq!(again, of("UNHELPFUL", json!("OUTDATED"), json!("The shop has moved.")), "what is absent stays");
    let without = vote(json!({ "feedback": "UNHELPFUL", "reason": "WRONG", "comment": null })).await;
    assert_eq!(without, of("UNHELPFUL", json!("WRONG"), Value::Null), "null removes it");
    let other = vote(json!({ "feedback": "HELPFUL", "comment": "Now it is right." })).await;
    assert_eq!(other, of("HELPFUL", Value::Null, json!("Now it is right.")), "a reason belongs to its vote");
    assert_eq!(vote(json!({ "feedback": "HELPFUL", "reason": "WRONG" })).await, refused("reason"));
    let long = "ß".repeat(1001);
    assert_eq!(vote(json!({ "feedback": "HELPFUL", "comment": long })).await, refused("comment"));
    let kept = shown(&site.owner(), id).await;
    assert_eq!((&kept["feedback"], &kept["feedbackComment"]), (&json!("HELPFUL"), &json!("Now it is right.")));
    // A list reads the same, directly and with async-graphql.
    for extra in ["", "visitorLastSeenAt"] {
        let list = format!("{{ site {{ conversations {{ nodes {{ feedbackReason feedbackComment {extra} }} }} }} }}");
        let list = site.owner().graphql(&list, json!({})).await.ok();
        assert_eq!(list["site"]["conversations"]["nodes"][0]["feedbackComment"], "Now it is right.");
    }
    let (stranger, _) = visits::visitor(&site, "Who am I?").await;
    assert_eq!(shown(&stranger, id).await, Value::Null);
}

async fn only_the_vote_is_an_event_of_webhooks(app: &TestApp) {
    let (site, mut receiver) = (app.site().create().await, Receiver::start().await);
    let hook = json!({ "url": receiver.url(), "events": ["conversation.feedback"] });
    site.owner().post("/api/v1/webhooks", &hook).await.ok();
    let mut socket = site.owner().socket().await;
    let watch = "subscription ($after: String) {
        conversationEvents(after: $after, types: [CONVERSATION_FEEDBACK, FEEDBACK_EXPLAINED]) {
            type conversation { feedback feedbackReason }
        }
    }";
    let watching = socket.subscribe(watch, json!({ "after": site.beginning() })).await;
    let (visitor, asked) = visits::visitor(&site, "Do you repair coats?").await;
    for input in [
        json!({ "feedback": "UNHELPFUL" }),
        json!({ "feedback": "UNHELPFUL", "reason": "INCOMPLETE" }),
        json!({ "feedback": "UNHELPFUL", "reason": "INCOMPLETE" }),
        json!({ "feedback": "HELPFUL", "comment": "I found it." }),
    ] {
        let mut input = input;
        input["conversationId"] = asked["id"].clone();
        sent(&visitor, VOTE, input).await;
    }

    let mut types = Vec::new();
    for _ in 0..3 {
        types.push(socket.next(&watching).await["conversationEvents"]["type"].take());
    }
    assert_eq!(types, ["CONVERSATION_FEEDBACK", "FEEDBACK_EXPLAINED", "CONVERSATION_FEEDBACK"]);
    for vote in ["no", "yes"] {
        let delivered = receiver.next().await.json();
        assert_eq!(delivered["data"], json!({ "conversationId": asked["id"], "helpful": vote }));
    }
    assert!(receiver.arrived().is_empty(), "a reason alone is no event of webhooks");
}

async fn a_resolved_handoff_is_rated_by_its_visitor_alone(app: &TestApp) {
    let site = app.site().create().await;
    let (visitor, asked) = visits::visitor(&site, "Do you repair coats?").await;
    let (stranger, _) = visits::visitor(&site, "Who am I?").await;
    let rating = json!({ "conversationId": asked["id"], "rating": 5, "comment": "Thank you!" });
    let code =
        async |client: &Client, input: &Value| sent(client, RATE, input.clone()).await["userErrors"][0]["code"].take();

    assert_eq!(code(&visitor, &rating).await, "CONFLICT", "nobody has asked for a human");
    done(&visitor, HANDOFF, &asked["id"]).await;
    assert_eq!(code(&visitor, &rating).await, "CONFLICT", "the handoff is open");
    done(&site.owner(), RESOLVE, &asked["id"]).await;
    for client in [&stranger, &site.owner(), &site.visitor(), &app.site().create().await.owner()] {
        assert_eq!(code(client, &rating).await, "NOT_FOUND", "only the session token proves who the visitor is");
    }
    for wrong in [-1, 0, 6] {
        let input = json!({ "conversationId": asked["id"], "rating": wrong });
        assert_eq!(code(&visitor, &input).await, "BAD_USER_INPUT", "{wrong}");
    }
    let rated = sent(&visitor, RATE, rating).await;
    let expected = json!({ "rating": 5, "ratingComment": "Thank you!", "ratedAt": app.now().to_rfc3339() });
    assert_eq!(rated, json!({ "conversation": { "handoff": expected }, "userErrors": [] }));
    let seen = shown(&site.owner(), &asked["id"]).await;
    assert_eq!((&seen["handoff"]["rating"], &seen["handoff"]["ratingComment"]), (&json!(5), &json!("Thank you!")));
    let mut socket = site.owner().socket().await;
    let watch = "subscription ($after: String) {
        conversationEvents(after: $after, types: [CONVERSATION_RATED]) { actor { id } conversation { handoff { rating } } }
    }";
    let watching = socket.subscribe(watch, json!({ "after": site.beginning() })).await;
    let event = socket.next(&watching).await["conversationEvents"].take();
    assert_eq!(event, json!({ "actor": null, "conversation": { "handoff": { "rating": 5 } } }));
}

async fn each_handoff_has_one_rating_that_can_change_for_a_week(app: &TestApp) {
    let site = app.site().create().await;
    let (visitor, asked) = visits::visitor(&site, "Do you repair coats?").await;
    let rate = async |rating: i32, more: Value| {
        let mut input = json!({ "conversationId": asked["id"], "rating": rating });
        if let (Some(input), Some(more)) = (input.as_object_mut(), more.as_object()) {
            input.extend(more.clone());
        }
        sent(&visitor, RATE, input).await
    };
    done(&visitor, HANDOFF, &asked["id"]).await;
    done(&site.owner(), RESOLVE, &asked["id"]).await;
    rate(2, json!({ "comment": "It took long." })).await;

    app.pass(RATING_WINDOW - Duration::from_millis(1));
    let changed = rate(3, json!({})).await;
    assert_eq!(changed["conversation"]["handoff"]["ratingComment"], "It took long.", "an absent comment stays");
    let emptied = rate(4, json!({ "comment": " " })).await;
    assert_eq!(emptied["conversation"]["handoff"]["ratingComment"], Value::Null);
    app.pass(Duration::from_millis(1));
    assert_eq!(rate(1, json!({})).await["userErrors"][0]["code"], "CONFLICT", "the week is over");

    done(&site.owner(), REOPEN, &asked["id"]).await;
    let open = shown(&site.owner(), &asked["id"]).await["handoff"].take();
    assert_eq!(
        (&open["rating"], &open["resolvedAt"], &open["ratingEndsAt"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(rate(1, json!({})).await["userErrors"][0]["code"], "CONFLICT");
    app.pass(Duration::from_secs(1));
    done(&site.owner(), RESOLVE, &asked["id"]).await;
    assert_eq!(rate(5, json!({})).await["userErrors"], json!([]), "another resolution has another rating");
    let metrics =
        "{ site { analytics { handoffs { count resolvedCount ratingCount averageRating satisfactionRate } } } }";
    let metrics = site.owner().graphql(metrics, json!({})).await.ok();
    let expected =
        json!({ "count": 2, "resolvedCount": 2, "ratingCount": 2, "averageRating": 4.5, "satisfactionRate": 100 });
    assert_eq!(metrics["site"]["analytics"]["handoffs"], expected);
}

async fn a_handoff_tells_when_the_team_acted(app: &TestApp) {
    const ASSIGN: &str =
        "mutation ($id: ID!) { m: assignConversation(input: { conversationId: $id }) { userErrors { code } } }";
    const SEND: &str = "mutation ($id: ID!) { m: sendMessage(input: { conversationId: $id, text: \"Hello\" }) { userErrors { code } } }";
    let site = app.site().create().await;
    let (ann, bob) = (member(app, &site, "ann").await, member(app, &site, "bob").await);
    let (visitor, asked) = visits::visitor(&site, "Do you repair coats?").await;
    let id = &asked["id"];
    let after = |seconds: u64| app.now().plus(Duration::from_secs(seconds)).to_rfc3339();
    let (assigned, replied, resolved) = (after(10), after(50), after(110));
    done(&visitor, HANDOFF, id).await;
    app.pass(Duration::from_secs(10));
    done(&ann, ASSIGN, id).await;
    app.pass(Duration::from_secs(20));
    done(&visitor, SEND, id).await;
    app.pass(Duration::from_secs(20));
    done(&ann, SEND, id).await;
    app.pass(Duration::from_secs(20));
    done(&bob, SEND, id).await;
    app.pass(Duration::from_secs(40));
    done(&ann, RESOLVE, id).await;

    let handoff = shown(&site.owner(), id).await["handoff"].take();
    let times = [&handoff["assignedAt"], &handoff["firstReplyAt"], &handoff["resolvedAt"]];
    assert_eq!(times, [&json!(assigned), &json!(replied), &json!(resolved)]);
    let metrics = "{ site { analytics {
        handoffs { assignmentTimes { ...T } firstReplyTimes { ...T } resolutionTimes { ...T } }
        members { member { name } handoffs { count } }
    } } } fragment T on TimeMetrics { count medianSeconds percentile90Seconds }";
    let metrics = site.owner().graphql(metrics, json!({})).await.ok()["site"]["analytics"].take();
    let of = |seconds: u64| json!({ "count": 1, "medianSeconds": seconds, "percentile90Seconds": seconds });
    let expected = json!({ "assignmentTimes": of(10), "firstReplyTimes": of(50), "resolutionTimes": of(110) });
    assert_eq!(metrics["handoffs"], expected);
    assert_eq!(metrics["members"], json!([{ "member": { "name": "ann" }, "handoffs": { "count": 1 } }]));
}
