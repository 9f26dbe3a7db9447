//! Executes every mutation once on existing objects and checks its payload against the schema. Then it repeats each with the
//! key of another site and the same IDs, which must find and change nothing. Permissions are tested in
//! `authorization.rs`.

use std::collections::{BTreeMap, BTreeSet};

use helpbot_tests::{Client, GraphqlReply, Receiver, TestApp, TestSite, on_both_backends, wait_for};
use serde_json::{Map, Value, json};

on_both_backends!(every_payload_gives_what_the_schema_promises, the_ids_of_another_site_open_nothing);

/// What is to be done, in this order, with its input. `@step/path` is what that step gave there;
/// `@receiver` an endpoint that is there.
const STEPS: &[(&str, &str)] = &[
    ("addTextSource", r##"{"title": "Hours", "text": "# Hours\n\n## When is it open?\n\nFrom 8 to 11."}"##),
    ("addSource", r#"{"url": "http://127.0.0.1:9/faq"}"#),
    ("updateSource", r#"{"id": "@addSource/source/id", "maxPages": 5}"#),
    ("syncSource", r#"{"sourceId": "@addSource/source/id", "kind": "URL"}"#),
    ("cancelSync", r#"{"sourceId": "@addSource/source/id"}"#),
    ("uploadSource", r##"{"file": "# Help\n\n## How do I return a parcel?\nPut the slip into the box.\n"}"##),
    ("syncSource", r#"{"sourceId": "@uploadSource/source/id"}"#),
    ("importFaqEntries", r#"{"file": "question,answer\nHow much is a roll?,A euro.\n"}"#),
    ("addFaqEntry", r#"{"question": "When are you open on Sundays?", "answer": "From 8 to 11."}"#),
    ("updateFaqEntry", r#"{"id": "@addFaqEntry/entry/id", "answer": "From 8 to 12."}"#),
    ("addPhrasing", r#"{"entryId": "@addFaqEntry/entry/id", "phrasing": "Sunday hours?"}"#),
    ("addAnswerRule", r#"{"question": "Rolls on Sundays?", "entryId": "@addFaqEntry/entry/id", "kind": "PIN"}"#),
    ("addEvaluationCase", r#"{"question": "Open on Sundays?", "entryId": "@addFaqEntry/entry/id"}"#),
    ("runEvaluation", "{}"),
    ("previewChange", r#"{"deleteEntryId": "@addFaqEntry/entry/id"}"#),
    ("cancelPreview", r#"{"id": "@previewChange/preview/id"}"#),
    ("updateEvaluationSettings", r#"{"allowedLosses": 1}"#),
    ("updateAnswerSettings", r#"{"maxWrongAnswers": 0.1}"#),
    ("updateWidgetConfig", r#"{"botName": "Bo"}"#),
    ("setWidgetTexts", r#"{"language": "de", "greeting": "Moin!"}"#),
    ("createWebhook", r#"{"url": "@receiver", "events": ["CONVERSATION_CREATED"]}"#),
    ("updateWebhook", r#"{"id": "@createWebhook/webhook/id", "description": "ours"}"#),
    ("rotateWebhookSecret", r#"{"id": "@createWebhook/webhook/id", "step": "STAGE"}"#),
    ("sendTestEvent", r#"{"webhookId": "@createWebhook/webhook/id"}"#),
    ("replayDelivery", r#"{"id": "@sendTestEvent/delivery/id"}"#),
    ("replayFailedDeliveries", r#"{"webhookId": "@createWebhook/webhook/id", "since": "2026-03-01T00:00:00Z"}"#),
    ("askQuestion", r#"{"question": "How do I calibrate the flux capacitor of a submarine?"}"#),
    ("submitFeedback", r#"{"conversationId": "@askQuestion/conversation/id", "feedback": "HELPFUL"}"#),
    ("requestHandoff", r#"{"conversationId": "@askQuestion/conversation/id", "customerEmail": "v@example.com"}"#),
    ("addMember", r#"{"name": "Ann", "email": "ann@example.com", "role": "AGENT"}"#),
    ("assignConversation", r#"{"conversationId": "@askQuestion/conversation/id", "memberId": "@addMember/member/id"}"#),
    ("unassignConversation", r#"{"conversationId": "@askQuestion/conversation/id"}"#),
    ("assignConversation", r#"{"conversationId": "@askQuestion/conversation/id", "memberId": "@addMember/member/id"}"#),
    (
        "updateConversation",
        r#"{"conversationId": "@askQuestion/conversation/id", "priority": "HIGH", "addTags": ["submarines"]}"#,
    ),
    ("addNote", r#"{"conversationId": "@askQuestion/conversation/id", "text": "Has a submarine."}"#),
    ("addCannedReply", r#"{"name": "hours", "text": "From 8 to 11."}"#),
    ("updateCannedReply", r#"{"cannedReplyId": "@addCannedReply/cannedReply/id", "text": "From 8 to 12."}"#),
    (
        "updateBusinessHours",
        r#"{"businessHours": {"timeZone": "UTC", "periods": [{"day": "MONDAY", "opensAt": "08:00", "closesAt": "12:00"}]}}"#,
    ),
    ("sendMessage", r#"{"conversationId": "@askQuestion/conversation/id", "text": "Here I am"}"#),
    ("draftReply", r#"{"conversationId": "@askQuestion/conversation/id"}"#),
    ("setTyping", r#"{"conversationId": "@askQuestion/conversation/id", "isTyping": true}"#),
    ("markRead", r#"{"conversationId": "@askQuestion/conversation/id"}"#),
    ("sendTranscript", r#"{"conversationId": "@askQuestion/conversation/id", "email": "v@example.com"}"#),
    ("requestTranscriptCode", r#"{"conversationId": "@askQuestion/conversation/id", "email": "v@example.com"}"#),
    ("reportVisit", r#"{"pageUrl": "https://shop.example/"}"#),
    ("createIdentitySecret", "{}"),
    ("blockVisitor", r#"{"conversationId": "@askQuestion/conversation/id"}"#),
    ("unblockVisitor", r#"{"id": "@blockVisitor/blockedVisitor/id"}"#),
    ("updateCreditCaps", r#"{"perDay": 1000, "perAddressPerDay": 1000}"#),
    ("updateDataRetention", r#"{"conversationDays": 365, "eventDays": 30}"#),
    ("addTrustedDocuments", r#"{"documents": [{"id": "site", "body": "{ site { id } }"}]}"#),
    ("dismissTopic", r#"{"conversationId": "@askQuestion/conversation/id"}"#),
    ("restoreTopic", r#"{"conversationId": "@askQuestion/conversation/id"}"#),
    ("promoteToFaq", r#"{"conversationId": "@askQuestion/conversation/id", "answer": "With care."}"#),
    ("resolveConversation", r#"{"conversationId": "@askQuestion/conversation/id"}"#),
    ("rateHandoff", r#"{"conversationId": "@askQuestion/conversation/id", "rating": 4, "comment": "Thank you!"}"#),
    ("reopenConversation", r#"{"conversationId": "@askQuestion/conversation/id"}"#),
    ("createApiKey", r#"{"kind": "SECRET", "name": "second"}"#),
    ("createSite", r#"{"name": "Third", "ownerEmail": "third@example.com"}"#),
    ("updateSite", r#"{"id": "@createSite/site/id", "name": "Fourth"}"#),
    // From here on things go.
    ("deleteAnswerRule", r#"{"id": "@addAnswerRule/rule/id"}"#),
    ("deleteEvaluationCase", r#"{"id": "@addEvaluationCase/case/id"}"#),
    ("updateApiKey", r#"{"id": "@createApiKey/apiKey/id", "name": "Renamed"}"#),
    ("updateMember", r#"{"id": "@addMember/member/id", "name": "Renamed"}"#),
    ("revokeApiKey", r#"{"id": "@createApiKey/apiKey/id"}"#),
    ("removeMember", r#"{"id": "@addMember/member/id"}"#),
    ("deleteWidgetTexts", r#"{"language": "de"}"#),
    ("deleteNote", r#"{"noteId": "@addNote/note/id"}"#),
    ("deleteIdentitySecret", r#"{"id": "@createIdentitySecret/identitySecret/id"}"#),
    ("deleteCannedReply", r#"{"cannedReplyId": "@addCannedReply/cannedReply/id"}"#),
    ("deleteWebhook", r#"{"id": "@createWebhook/webhook/id"}"#),
    ("deleteFaqEntry", r#"{"id": "@addFaqEntry/entry/id"}"#),
    ("removeTrustedDocuments", r#"{"documentIds": ["site"]}"#),
    ("deleteSource", r#"{"id": "@addSource/source/id"}"#),
    ("eraseVisitor", r#"{"email": "nobody@example.com"}"#),
    ("eraseSession", r#"{"sessionId": "@askQuestion/conversation/sessionId"}"#),
    ("deleteSite", r#"{"id": "@createSite/site/id"}"#),
];
/// The first of them that takes something away.
const FIRST_OF_THE_LAST: &str = "deleteAnswerRule";
/// For the operator alone.
const OPERATORS: [&str; 3] = ["createSite", "updateSite", "deleteSite"];
/// For the visitor who asked: they need the session token.
const VISITORS: [&str; 3] = ["requestTranscriptCode", "reportVisit", "rateHandoff"];
/// Need a mail, the result of a job or a signed token: `transcripts.rs`, `people.rs`, `previews.rs` and `contacts.rs` take
/// them.
const ELSEWHERE: [&str; 7] = [
    "confirmTranscriptCode",
    "eraseContact",
    "identifyVisitor",
    "inviteMember",
    "publishChange",
    "resendInvitation",
    "signOut",
];
/// What may be null beside what was done: the session's token is the visitor's, and nobody knows how to calibrate a flux
/// capacitor.
const MAY_BE_NULL: [&str; 2] = ["sessionToken", "draftReply.draft"];

/// What is there of a site, without what changes by itself.
const STATE: &str = "{ site {
    sources { nodes { id url title maxPages schedule } }
    faqEntries { nodes { id question answer phrasings } }
    conversations { nodes {
        id question feedback unreadCount handoff { status customerEmail assignee { id } }
        messages { nodes { text } } priority tags notes { nodes { text } }
    } }
    cannedReplies { nodes { name text } } businessHours { timeZone }
    webhooks { id url description isEnabled rotation { isStaged } lastReplay { id } }
    apiKeys { nodes { id revokedAt } } members { nodes { id } }
    evaluation { allowedLosses cases { nodes { id } } }
    answerRules { nodes { id } }
} }";

/// What the steps gave so far, and how to take the next one.
struct Walk {
    selections: BTreeMap<String, String>,
    given: Map<String, Value>,
}

impl Walk {
    async fn start(client: &Client, receiver: &Receiver) -> Self {
        let given = Map::from_iter([("receiver".to_owned(), json!(receiver.url()))]);
        Self { selections: selections(client).await, given }
    }

    /// The input of a step, with what others gave in its places.
    fn input(&self, text: &str) -> Map<String, Value> {
        let input: Map<String, Value> = serde_json::from_str(text).expect("an input is JSON");
        let filled =
            input.into_iter().map(|(name, value)| match value.as_str().and_then(|text| text.strip_prefix('@')) {
                Some(path) => {
                    (name, path.split('/').fold(Value::Object(self.given.clone()), |at, step| at[step].clone()))
                }
                None => (name, value),
            });
        filled.collect()
    }

    async fn take(&self, client: &Client, step: &str, text: &str) -> GraphqlReply {
        let mut input = self.input(text);
        let selection = self.selections.get(step).unwrap_or_else(|| panic!("the schema has no {step}"));
        if let Some(file) = input.remove("file") {
            let document = format!("mutation ($file: Upload!) {{ r: {step}(input: {{ file: $file }}) {selection} }}");
            let name = if step == "uploadSource" { "help.md" } else { "faq.csv" };
            let file = file.as_str().expect("a file is a text here").as_bytes().to_vec();
            return client.upload(&document, json!({ "file": null }), name, &file).await;
        }
        let kind = format!("{}{}Input", step[..1].to_uppercase(), &step[1..]);
        let document = format!("mutation ($input: {kind}!) {{ r: {step}(input: $input) {selection} }}");
        client.graphql(&document, json!({ "input": input })).await
    }

    /// Takes a step that must succeed; the names of what its payload left null.
    async fn succeed(&mut self, app: &TestApp, site: &TestSite<'_>, step: &str, text: &str) -> Vec<String> {
        let client = match self.given.get("askQuestion").and_then(|asked| asked["sessionToken"].as_str()) {
            Some(token) if VISITORS.contains(&step) => site.visitor().with_session(token),
            _ if OPERATORS.contains(&step) => app.operator_client(),
            _ => site.owner(),
        };
        let mut given = self.take(&client, step, text).await.ok();
        let payload = given["r"].take();
        assert_eq!(payload["userErrors"], json!([]), "{step}");
        let nulls = payload.as_object().expect("a payload").iter().filter(|(_, value)| value.is_null());
        let nulls = nulls.map(|(name, _)| format!("{step}.{name}")).collect();
        self.given.insert(step.to_owned(), payload);
        nulls
    }
}

/// What to select of each mutation's payload: all of it, of objects what they are and their ids.
async fn selections(client: &Client) -> BTreeMap<String, String> {
    const SCHEMA: &str = "{ __schema { types { name fields(includeDeprecated: true) { name
        type { name kind ofType { name kind ofType { name kind ofType { name kind } } } } } } } }";
    let schema = client.graphql(SCHEMA, Value::Null).await.ok();
    let types = schema["__schema"]["types"].as_array().expect("types").clone();
    let fields = |name: &str| {
        let found = types.iter().find(|known| known["name"] == name).expect("a type of the schema");
        found["fields"].as_array().cloned().unwrap_or_default()
    };
    let innermost = |field: &Value| {
        let mut of = &field["type"];
        while of["ofType"].is_object() {
            of = &of["ofType"];
        }
        of.clone()
    };
    let select = |field: &Value| {
        let of = innermost(field);
        let name = field["name"].as_str().expect("a name");
        if of["kind"] != "OBJECT" {
            return name.to_owned();
        }
        let inner = fields(of["name"].as_str().expect("a name"));
        let has = |wanted: &str| inner.iter().any(|field| field["name"] == wanted);
        let wanted = ["id", "sessionId", "code", "message"].into_iter().filter(|wanted| has(wanted));
        format!("{name} {{ __typename {} }}", wanted.collect::<Vec<_>>().join(" "))
    };
    let of_payload = |mutation: &Value| {
        let payload = innermost(mutation);
        let selected = fields(payload["name"].as_str().expect("a payload")).iter().map(select).collect::<Vec<_>>();
        (mutation["name"].as_str().expect("a name").to_owned(), format!("{{ {} }}", selected.join(" ")))
    };
    fields("Mutation").iter().map(of_payload).collect()
}

async fn every_payload_gives_what_the_schema_promises(app: &TestApp) {
    let (site, receiver) = (app.site().create().await, Receiver::start().await);
    let mut walk = Walk::start(&site.owner(), &receiver).await;

    let mut nulls = Vec::new();
    for (step, input) in STEPS {
        nulls.extend(walk.succeed(app, &site, step, input).await);
    }

    nulls.retain(|name| !MAY_BE_NULL.iter().any(|end| name.ends_with(end)));
    assert_eq!(nulls, Vec::<String>::new());
    assert_eq!(walk.given["eraseSession"]["erasedCount"], 1);
    let taken: BTreeSet<&str> = STEPS.iter().map(|(step, _)| *step).chain(ELSEWHERE).collect();
    let known: BTreeSet<&str> = walk.selections.keys().map(String::as_str).collect();
    assert_eq!(taken, known, "the mutations of the schema");
}

async fn the_ids_of_another_site_open_nothing(app: &TestApp) {
    let (site, other) = (app.site().create().await, app.site().create().await);
    let receiver = Receiver::start().await;
    let mut walk = Walk::start(&site.owner(), &receiver).await;
    for (step, input) in STEPS.iter().take_while(|(step, _)| *step != FIRST_OF_THE_LAST) {
        walk.succeed(app, &site, step, input).await;
    }
    all_read(&site).await;
    let before = site.owner().graphql(STATE, json!({})).await.ok();
    let stranger = other.owner();
    let mut wrong = Vec::new();

    let with_ids = STEPS.iter().filter(|(step, input)| input.contains("\"@") && *step != "createWebhook");
    for (step, input) in with_ids {
        let reply = walk.take(&stranger, step, input).await;
        let is_refused = match *step {
            // Another site's session is one that has no conversations here.
            "eraseSession" => reply.data["r"]["erasedCount"] == 0,
            operators if OPERATORS.contains(&operators) => reply.codes() == ["FORBIDDEN"],
            _ => reply.data["r"]["userErrors"][0]["code"] == "NOT_FOUND",
        };
        let others = reply.data["r"].as_object().into_iter().flatten().filter(|(name, _)| *name != "userErrors");
        let is_empty = *step == "eraseSession" || others.into_iter().all(|(_, value)| value.is_null());
        if !is_refused || !is_empty {
            wrong.push(format!("{step}: {} {:?}", reply.data, reply.errors));
        }
    }
    for id in ids(&Value::Object(walk.given.clone())) {
        let found = stranger.graphql("query ($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
        if found.data != json!({ "node": null }) || !found.errors.is_empty() {
            wrong.push(format!("node {id}: {} {:?}", found.data, found.errors));
        }
    }
    let mut socket = stranger.socket().await;
    for (document, id) in [
        (
            "subscription ($id: ID!) { conversationActivity(conversationId: $id) { isTeamHere } }",
            "askQuestion/conversation",
        ),
        ("subscription ($id: ID!) { sourceProgress(sourceId: $id) { isFinished } }", "addTextSource/source"),
    ] {
        let id = walk.input(&format!("{{\"id\": \"@{id}/id\"}}"))["id"].clone();
        let followed = socket.subscribe(document, json!({ "id": id })).await;
        let frame = socket.frame_of(&followed).await;
        if frame["payload"][0]["extensions"]["code"] != "NOT_FOUND" {
            wrong.push(format!("{document}: {frame}"));
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(site.owner().graphql(STATE, json!({})).await.ok(), before);
}

/// Waits until no source is being read: what is read changes the entries.
async fn all_read(site: &TestSite<'_>) {
    let owner = site.owner();
    wait_for("the end of all syncs", async || {
        let found = owner.graphql("{ site { sources { nodes { status } } } }", json!({})).await.ok();
        let nodes = found["site"]["sources"]["nodes"].as_array().expect("a list").clone();
        nodes.iter().all(|node| matches!(node["status"].as_str(), Some("INDEXED" | "FAILED"))).then_some(())
    })
    .await;
}

/// All ids that the steps gave.
fn ids(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("id").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(fields.values().flat_map(ids)).collect()
        }
        Value::Array(items) => items.iter().flat_map(ids).collect(),
        _ => BTreeSet::new(),
    }
}
