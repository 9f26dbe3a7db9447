//! Tests of the codes of user errors: each code that the description of a mutation lists is returned by it. The client of
//! all tests checks the other direction (`tests/src/documented_codes.rs`): no mutation returns a code that is not listed.

use std::collections::{BTreeMap, BTreeSet};

use helpbot_tests::{
    Client, DOCUMENTED_CODES, GraphqlReply, Page, Pages, Receiver, TestApp, TestSite, on_both_backends,
};
use serde_json::{Map, Value, json};

on_both_backends!(each_documented_code_is_returned,);

/// Mutations that fail, with their input and the code. `@name` is the ID of what [`furnished`] made.
const CASES: &[(&str, &str, &str)] = &[
    ("addAnswerRule", r#"{"question": " ", "entryId": "@written", "kind": "PIN"}"#, "BAD_USER_INPUT"),
    ("addAnswerRule", r#"{"question": "Hi?", "entryId": "@unknown", "kind": "PIN"}"#, "NOT_FOUND"),
    ("addCannedReply", r#"{"name": " ", "text": "Hi"}"#, "BAD_USER_INPUT"),
    ("addCannedReply", r#"{"name": "hours", "text": "Hi"}"#, "CONFLICT"),
    ("addEvaluationCase", r#"{"question": " "}"#, "BAD_USER_INPUT"),
    ("addEvaluationCase", r#"{"question": "Hi?", "sourceId": "@unknown"}"#, "NOT_FOUND"),
    ("addFaqEntry", r#"{"question": " ", "answer": "A."}"#, "BAD_USER_INPUT"),
    ("addMember", r#"{"name": "Eve", "email": "eve", "role": "AGENT"}"#, "BAD_USER_INPUT"),
    ("addNote", r#"{"conversationId": "@unknown", "text": "Hi"}"#, "NOT_FOUND"),
    ("addNote", r#"{"conversationId": "@plain", "text": " "}"#, "BAD_USER_INPUT"),
    ("addPhrasing", r#"{"entryId": "@unknown", "phrasing": "Hi?"}"#, "NOT_FOUND"),
    ("addPhrasing", r#"{"entryId": "@written", "phrasing": " "}"#, "BAD_USER_INPUT"),
    ("addPhrasing", r#"{"entryId": "@full", "phrasing": "One more?"}"#, "LIMIT_REACHED"),
    ("addSource", r#"{"url": "ftp://example.com"}"#, "BAD_USER_INPUT"),
    ("addTextSource", r#"{"title": " ", "text": "A."}"#, "BAD_USER_INPUT"),
    ("addTrustedDocuments", r#"{"documents": [{"id": "a", "body": "{ nothing }"}]}"#, "BAD_USER_INPUT"),
    ("addTrustedDocuments", r#"{"documents": [{"id": "site", "body": "{ viewer { kind } }"}]}"#, "CONFLICT"),
    ("askQuestion", r#"{"question": " "}"#, "BAD_USER_INPUT"),
    ("assignConversation", r#"{"conversationId": "@unknown", "memberId": "@member"}"#, "NOT_FOUND"),
    ("assignConversation", r#"{"conversationId": "@resolved", "memberId": "@member"}"#, "CONFLICT"),
    ("assignConversation", r#"{"conversationId": "@open"}"#, "BAD_USER_INPUT"),
    ("blockVisitor", r#"{"conversationId": "@unknown"}"#, "NOT_FOUND"),
    ("blockVisitor", r#"{"conversationId": "@plain", "note": "@long"}"#, "BAD_USER_INPUT"),
    ("cancelPreview", r#"{"id": "@unknown"}"#, "NOT_FOUND"),
    ("cancelSync", r#"{"sourceId": "@unknown"}"#, "NOT_FOUND"),
    (
        "confirmTranscriptCode",
        r#"{"conversationId": "@unknown", "email": "v@example.com", "code": "000000"}"#,
        "NOT_FOUND",
    ),
    (
        "confirmTranscriptCode",
        r#"{"conversationId": "@plain", "email": "v@example.com", "code": "000000"}"#,
        "BAD_USER_INPUT",
    ),
    ("createApiKey", r#"{"kind": "OPERATOR"}"#, "BAD_USER_INPUT"),
    ("createSite", r#"{"name": " ", "ownerEmail": "a@example.com"}"#, "BAD_USER_INPUT"),
    ("createWebhook", r#"{"url": "https://example.com", "events": []}"#, "BAD_USER_INPUT"),
    ("deleteIdentitySecret", r#"{"id": "@unknown"}"#, "NOT_FOUND"),
    ("eraseContact", r#"{"contactId": "@unknown"}"#, "NOT_FOUND"),
    ("eraseVisitor", r#"{"email": "x"}"#, "BAD_USER_INPUT"),
    ("identifyVisitor", r#"{"token": "x"}"#, "NOT_FOUND"),
    ("reportVisit", r#"{"pageUrl": "https://shop.example/"}"#, "NOT_FOUND"),
    ("deleteAnswerRule", r#"{"id": "@unknown"}"#, "NOT_FOUND"),
    ("deleteCannedReply", r#"{"cannedReplyId": "@unknown"}"#, "NOT_FOUND"),
    ("deleteNote", r#"{"noteId": "@unknown"}"#, "NOT_FOUND"),
    ("dismissTopic", r#"{"conversationId": "@unknown"}"#, "NOT_FOUND"),
    ("deleteEvaluationCase", r#"{"id": "@unknown"}"#, "NOT_FOUND"),
    ("deleteFaqEntry", r#"{"id": "@unknown"}"#, "NOT_FOUND"),
    ("deleteFaqEntry", r#"{"id": "@extracted"}"#, "CONFLICT"),
    ("deleteSite", r#"{"id": "@unknown"}"#, "NOT_FOUND"),
    ("deleteSource", r#"{"id": "@unknown"}"#, "NOT_FOUND"),
    ("deleteWebhook", r#"{"id": "@unknown"}"#, "NOT_FOUND"),
    ("importFaqEntries", r#"{"file": "nothing\nof use\n"}"#, "BAD_USER_INPUT"),
    ("markRead", r#"{"conversationId": "@unknown"}"#, "NOT_FOUND"),
    ("previewChange", r#"{}"#, "BAD_USER_INPUT"),
    ("previewChange", r#"{"deleteEntryId": "@unknown"}"#, "NOT_FOUND"),
    ("previewChange", r#"{"deleteEntryId": "@extracted"}"#, "CONFLICT"),
    ("publishChange", r#"{"previewId": "@unknown"}"#, "NOT_FOUND"),
    ("promoteToFaq", r#"{"conversationId": "@unknown", "answer": "A."}"#, "NOT_FOUND"),
    ("promoteToFaq", r#"{"conversationId": "@plain"}"#, "BAD_USER_INPUT"),
    ("rateHandoff", r#"{"conversationId": "@unknown", "rating": 5}"#, "NOT_FOUND"),
    ("rateHandoff", r#"{"conversationId": "@plain", "rating": 6}"#, "BAD_USER_INPUT"),
    ("rateHandoff", r#"{"conversationId": "@plain", "rating": 5}"#, "CONFLICT"),
    ("removeMember", r#"{"id": "@unknown"}"#, "NOT_FOUND"),
    ("inviteMember", r#"{"name": "Eve", "email": "eve", "role": "AGENT"}"#, "BAD_USER_INPUT"),
    ("inviteMember", r#"{"name": "Eve", "email": "eve@example.com", "role": "AGENT"}"#, "CONFLICT"),
    ("resendInvitation", r#"{"id": "@unknown"}"#, "NOT_FOUND"),
    ("resendInvitation", r#"{"id": "@member"}"#, "CONFLICT"),
    ("signOut", r#"{}"#, "CONFLICT"),
    ("removeTrustedDocuments", r#"{"documentIds": []}"#, "BAD_USER_INPUT"),
    ("reopenConversation", r#"{"conversationId": "@unknown"}"#, "NOT_FOUND"),
    ("reopenConversation", r#"{"conversationId": "@open"}"#, "CONFLICT"),
    ("replayDelivery", r#"{"id": "@unknown"}"#, "NOT_FOUND"),
    ("replayDelivery", r#"{"id": "@canceled"}"#, "CONFLICT"),
    ("replayFailedDeliveries", r#"{"webhookId": "@unknown", "since": "2026-03-01T00:00:00Z"}"#, "NOT_FOUND"),
    ("replayFailedDeliveries", r#"{"webhookId": "@disabled", "since": "2026-03-01T00:00:00Z"}"#, "CONFLICT"),
    ("replayFailedDeliveries", r#"{"webhookId": "@webhook", "since": "2046-03-01T00:00:00Z"}"#, "BAD_USER_INPUT"),
    ("requestHandoff", r#"{"conversationId": "@unknown"}"#, "NOT_FOUND"),
    ("requestHandoff", r#"{"conversationId": "@plain", "customerEmail": "nobody"}"#, "BAD_USER_INPUT"),
    ("requestTranscriptCode", r#"{"conversationId": "@unknown", "email": "v@example.com"}"#, "NOT_FOUND"),
    ("requestTranscriptCode", r#"{"conversationId": "@plain", "email": "nobody"}"#, "BAD_USER_INPUT"),
    ("resolveConversation", r#"{"conversationId": "@unknown"}"#, "NOT_FOUND"),
    ("resolveConversation", r#"{"conversationId": "@resolved"}"#, "CONFLICT"),
    ("restoreTopic", r#"{"conversationId": "@unknown"}"#, "NOT_FOUND"),
    ("revokeApiKey", r#"{"id": "@unknown"}"#, "NOT_FOUND"),
    ("rotateWebhookSecret", r#"{"id": "@unknown", "step": "STAGE"}"#, "NOT_FOUND"),
    ("rotateWebhookSecret", r#"{"id": "@webhook", "step": "PROMOTE"}"#, "CONFLICT"),
    ("rotateWebhookSecret", r#"{"id": "@staged", "step": "PROMOTE", "overlapHours": 10000}"#, "BAD_USER_INPUT"),
    ("sendMessage", r#"{"conversationId": "@unknown", "text": "Hi"}"#, "NOT_FOUND"),
    ("sendMessage", r#"{"conversationId": "@open", "text": " "}"#, "BAD_USER_INPUT"),
    ("sendMessage", r#"{"conversationId": "@plain", "text": "Hi"}"#, "CONFLICT"),
    ("sendTestEvent", r#"{"webhookId": "@unknown"}"#, "NOT_FOUND"),
    ("sendTestEvent", r#"{"webhookId": "@disabled"}"#, "CONFLICT"),
    ("sendTranscript", r#"{"conversationId": "@unknown", "email": "v@example.com"}"#, "NOT_FOUND"),
    ("sendTranscript", r#"{"conversationId": "@plain"}"#, "BAD_USER_INPUT"),
    ("setTyping", r#"{"conversationId": "@unknown", "isTyping": true}"#, "NOT_FOUND"),
    ("submitFeedback", r#"{"conversationId": "@unknown", "feedback": "HELPFUL"}"#, "NOT_FOUND"),
    ("submitFeedback", r#"{"conversationId": "@plain", "feedback": "HELPFUL", "reason": "WRONG"}"#, "BAD_USER_INPUT"),
    ("syncSource", r#"{"sourceId": "@unknown"}"#, "NOT_FOUND"),
    ("syncSource", r#"{"sourceId": "@text"}"#, "BAD_USER_INPUT"),
    ("unassignConversation", r#"{"conversationId": "@unknown"}"#, "NOT_FOUND"),
    ("unassignConversation", r#"{"conversationId": "@open"}"#, "CONFLICT"),
    ("unblockVisitor", r#"{"id": "@unknown"}"#, "NOT_FOUND"),
    ("updateAnswerSettings", r#"{"targetPrecision": 2}"#, "BAD_USER_INPUT"),
    ("updateApiKey", r#"{"id": "@unknown", "name": "a"}"#, "NOT_FOUND"),
    ("updateApiKey", r#"{"id": "@revoked", "name": "a"}"#, "CONFLICT"),
    ("updateApiKey", r#"{"id": "@key", "name": "@long"}"#, "BAD_USER_INPUT"),
    ("updateBusinessHours", BUSINESS_HOURS, "BAD_USER_INPUT"),
    ("updateCannedReply", r#"{"cannedReplyId": "@unknown", "text": "Hi"}"#, "NOT_FOUND"),
    ("updateCannedReply", r#"{"cannedReplyId": "@reply", "text": " "}"#, "BAD_USER_INPUT"),
    ("updateCannedReply", r#"{"cannedReplyId": "@reply", "name": "hours"}"#, "CONFLICT"),
    ("updateConversation", r#"{"conversationId": "@unknown", "addTags": ["a"]}"#, "NOT_FOUND"),
    ("updateConversation", r#"{"conversationId": "@plain", "addTags": [" "]}"#, "BAD_USER_INPUT"),
    ("updateCreditCaps", r#"{"perDay": -1}"#, "BAD_USER_INPUT"),
    ("updateDataRetention", r#"{"eventDays": 0}"#, "BAD_USER_INPUT"),
    ("updateEvaluationSettings", r#"{"allowedLosses": -1}"#, "BAD_USER_INPUT"),
    ("updateFaqEntry", r#"{"id": "@unknown", "answer": "A."}"#, "NOT_FOUND"),
    ("updateFaqEntry", r#"{"id": "@extracted", "answer": "A."}"#, "CONFLICT"),
    ("updateFaqEntry", r#"{"id": "@written", "answer": " "}"#, "BAD_USER_INPUT"),
    ("updateMember", r#"{"id": "@unknown", "name": "a"}"#, "NOT_FOUND"),
    ("updateMember", r#"{"id": "@member", "name": " "}"#, "BAD_USER_INPUT"),
    ("updateSite", r#"{"id": "@unknown", "name": "a"}"#, "NOT_FOUND"),
    ("updateSite", r#"{"id": "@site", "name": " "}"#, "BAD_USER_INPUT"),
    ("updateSource", r#"{"id": "@unknown", "maxPages": 5}"#, "NOT_FOUND"),
    ("updateSource", r#"{"id": "@url", "maxPages": 0}"#, "BAD_USER_INPUT"),
    ("updateWebhook", r#"{"id": "@unknown", "description": "a"}"#, "NOT_FOUND"),
    ("updateWebhook", r#"{"id": "@webhook", "events": []}"#, "BAD_USER_INPUT"),
    ("updateWidgetConfig", r#"{"position": null}"#, "BAD_USER_INPUT"),
    ("setWidgetTexts", r#"{"language": "german please", "greeting": "Moin!"}"#, "BAD_USER_INPUT"),
    ("deleteWidgetTexts", r#"{"language": "de"}"#, "NOT_FOUND"),
    ("deleteWidgetTexts", r#"{"language": ""}"#, "BAD_USER_INPUT"),
    ("draftReply", r#"{"conversationId": "@unknown"}"#, "NOT_FOUND"),
    ("uploadSource", r#"{"file": "@unknown"}"#, "BAD_USER_INPUT"),
];

const BUSINESS_HOURS: &str = r#"{"businessHours": {"timeZone": "Nowhere/Else", "periods": []}}"#;

/// Codes that need many rows, a second process or more time, with the tests or the reason.
const ELSEWHERE: &[(&str, &str)] = &[
    // Limits of hundreds of rows.
    ("addEvaluationCase", "LIMIT_REACHED"),
    ("addMember", "LIMIT_REACHED"),
    ("addSource", "LIMIT_REACHED"),
    ("addTextSource", "LIMIT_REACHED"),
    ("uploadSource", "LIMIT_REACHED"),
    ("addTrustedDocuments", "LIMIT_REACHED"),
    ("blockVisitor", "LIMIT_REACHED"),
    ("createApiKey", "LIMIT_REACHED"),
    ("createWebhook", "LIMIT_REACHED"),
    ("sendTestEvent", "LIMIT_REACHED"),
    // `people`.
    ("inviteMember", "LIMIT_REACHED"),
    ("resendInvitation", "LIMIT_REACHED"),
    ("updateMember", "CONFLICT"),
    ("removeMember", "CONFLICT"),
    // `long_conversations` and `transcripts`.
    ("sendMessage", "LIMIT_REACHED"),
    ("confirmTranscriptCode", "LIMIT_REACHED"),
    ("requestTranscriptCode", "LIMIT_REACHED"),
    ("sendTranscript", "LIMIT_REACHED"),
    // `live`: a visitor whose conversation a member has taken.
    ("askQuestion", "CONFLICT"),
    // Limits of hundreds of rows, and others in the tests of notes, triage, topics, previews and handoffs.
    ("addAnswerRule", "LIMIT_REACHED"),
    ("setWidgetTexts", "LIMIT_REACHED"),
    ("addCannedReply", "LIMIT_REACHED"),
    ("addNote", "LIMIT_REACHED"),
    ("dismissTopic", "LIMIT_REACHED"),
    ("updateConversation", "LIMIT_REACHED"),
    ("deleteNote", "FORBIDDEN"),
    ("requestHandoff", "FORBIDDEN"),
    ("publishChange", "CONFLICT"),
    // `visits` and `contacts`: they need a session token, and tokens of persons.
    ("reportVisit", "BAD_USER_INPUT"),
    ("identifyVisitor", "BAD_USER_INPUT"),
    ("identifyVisitor", "CONFLICT"),
    ("createIdentitySecret", "LIMIT_REACHED"),
];

/// Codes that end the whole request. They are described with the mutations that are most likely to return them.
const TOP_LEVEL: [&str; 5] =
    ["CREDITS_EXHAUSTED", "PERSISTED_QUERY_NOT_FOUND", "PLAN_REQUIRED", "RATE_LIMITED", "VISITOR_BLOCKED"];

const FAQ: &str = "<html lang=en><title>Bakery</title><h1>Bakery</h1>
    <h2>When are you open on Sundays?</h2><p>On Sundays we are open from 8 to 11 in the morning.</p>";

/// Executes a mutation, with the file of its input as an upload.
async fn execute(client: &Client, mutation: &str, mut input: Map<String, Value>, selection: &str) -> GraphqlReply {
    if let Some(file) = input.remove("file") {
        let document =
            format!("mutation ($file: Upload!) {{ r: {mutation}(input: {{ file: $file }}) {{ {selection} }} }}");
        let file = file.as_str().expect("a file is a text here").as_bytes();
        return client.upload(&document, json!({ "file": null }), "folder/file.csv", file).await;
    }
    let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let document = format!("mutation ($input: {kind}!) {{ r: {mutation}(input: $input) {{ {selection} }} }}");
    client.graphql(&document, json!({ "input": input })).await
}

/// What a site has, by the names of [`CASES`].
async fn furnished(site: &TestSite<'_>) -> BTreeMap<&'static str, Value> {
    let (owner, receiver) = (site.owner(), Receiver::start().await);
    let make = async |mutation: &str, input: Value, selection: &str| {
        let input = input.as_object().expect("an input").clone();
        let mut made = execute(&owner, mutation, input, &format!("{selection} userErrors {{ message }}")).await.ok();
        assert_eq!(made["r"]["userErrors"], json!([]), "{mutation}");
        made["r"].take()
    };
    let ask = async || {
        let question = json!({ "question": "How do I calibrate the flux capacitor?" });
        let mut asked = make("askQuestion", question, "sessionToken conversation { id }").await;
        (asked["conversation"]["id"].take(), asked["sessionToken"].take())
    };
    let ((plain, token), (open, _), (resolved, _)) = (ask().await, ask().await, ask().await);
    for id in [&open, &resolved] {
        make("requestHandoff", json!({ "conversationId": id }), "").await;
    }
    make("resolveConversation", json!({ "conversationId": resolved }), "").await;
    let entry = async |question: &str, phrasings: Vec<String>| {
        let input = json!({ "question": question, "answer": "Yes.", "phrasings": phrasings });
        make("addFaqEntry", input, "entry { id source { id } }").await["entry"].take()
    };
    let mut written = entry("Do you deliver?", Vec::new()).await;
    let full = entry("Do you bake?", (0..100).map(|n| format!("Do you bake {n}?")).collect()).await["id"].take();
    let served = Pages::of([("/faq", Page::html(FAQ))]).await;
    let url = site.source(&served.url("/faq")).await["id"].take();
    let entries = "query ($id: ID!) { site { faqEntries(sourceId: $id) { nodes { id } } } }";
    let extracted =
        owner.graphql(entries, json!({ "id": url })).await.ok()["site"]["faqEntries"]["nodes"][0]["id"].take();
    let hook = async || {
        let input = json!({ "url": receiver.url(), "events": ["CONVERSATION_CREATED"] });
        make("createWebhook", input, "webhook { id }").await["webhook"]["id"].take()
    };
    let (webhook, disabled, staged) = (hook().await, hook().await, hook().await);
    make("rotateWebhookSecret", json!({ "id": staged, "step": "STAGE" }), "").await;
    let canceled =
        make("sendTestEvent", json!({ "webhookId": disabled }), "delivery { id }").await["delivery"]["id"].take();
    make("updateWebhook", json!({ "id": disabled, "isEnabled": false }), "").await;
    make("addCannedReply", json!({ "name": "hours", "text": "From 8 to 11." }), "").await;
    let reply = make("addCannedReply", json!({ "name": "prices", "text": "A euro." }), "cannedReply { id }").await;
    let reply = reply["cannedReply"]["id"].clone();
    let member = json!({ "name": "Ann", "email": "ann@example.com", "role": "AGENT" });
    let member = make("addMember", member, "member { id }").await["member"]["id"].take();
    let key = async || make("createApiKey", json!({ "kind": "SECRET" }), "apiKey { id }").await["apiKey"]["id"].take();
    let (key, revoked) = (key().await, key().await);
    make("revokeApiKey", json!({ "id": revoked }), "").await;
    make("addTrustedDocuments", json!({ "documents": [{ "id": "site", "body": "{ site { id } }" }] }), "").await;
    BTreeMap::from([
        ("site", json!(site.id)),
        ("unknown", json!("x")),
        ("long", json!("x".repeat(2_000))),
        ("plain", plain),
        ("token", token),
        ("open", open),
        ("resolved", resolved),
        ("text", written["source"]["id"].take()),
        ("written", written["id"].take()),
        ("full", full),
        ("url", url),
        ("extracted", extracted),
        ("webhook", webhook),
        ("disabled", disabled),
        ("reply", reply),
        ("staged", staged),
        ("canceled", canceled),
        ("member", member),
        ("key", key),
        ("revoked", revoked),
    ])
}

async fn each_documented_code_is_returned(app: &TestApp) {
    let site = app.site().create().await;
    let things = furnished(&site).await;
    let token = things["token"].as_str().expect("a token");
    let mut wrong = Vec::new();

    for (mutation, input, code) in CASES {
        let input: Map<String, Value> = serde_json::from_str(input).expect("an input is JSON");
        let filled =
            input.into_iter().map(|(name, value)| match value.as_str().and_then(|text| text.strip_prefix('@')) {
                Some(thing) => (name, things[thing].clone()),
                None => (name, value),
            });
        let client = match *mutation {
            "createSite" | "updateSite" | "deleteSite" => app.operator_client(),
            "requestTranscriptCode" | "confirmTranscriptCode" | "rateHandoff" => site.visitor().with_session(token),
            _ => site.owner(),
        };
        let reply = execute(&client, mutation, filled.collect(), "userErrors { code field message }").await;
        if reply.data["r"]["userErrors"][0]["code"] != *code {
            wrong.push(format!("{mutation} {code}: {} {:?}", reply.data, reply.errors));
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_documented_code_has_a_case() {
    let documented =
        DOCUMENTED_CODES.iter().flat_map(|(mutation, codes)| codes.iter().map(move |code| (mutation, code)));
    let documented: BTreeSet<(&str, &str)> = documented
        .map(|(mutation, code)| (mutation.as_str(), code.as_str()))
        .filter(|(_, code)| !TOP_LEVEL.contains(code))
        .collect();
    let cases = CASES.iter().map(|(mutation, _, code)| (*mutation, *code)).chain(ELSEWHERE.iter().copied());
    let cases: BTreeSet<(&str, &str)> = cases.collect();

    let without: Vec<_> = documented.difference(&cases).collect();
    let stale: Vec<_> = cases.difference(&documented).collect();
    assert!(without.is_empty() && stale.is_empty(), "without a case: {without:?}; not documented: {stale:?}");
}
