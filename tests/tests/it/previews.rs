//! Tests of change previews through the public interfaces, on both databases: what a preview promises is what
//! visitors get after it was published.

use std::collections::BTreeMap;

use helpbot_tests::{TestApp, TestSite, on_both_backends, wait_for};
use serde_json::{Value, json};

use crate::shop::{ENTRIES, TICK, add};

on_both_backends!(
    random_changes_do_what_their_previews_promise,
    a_change_is_not_published_when_the_site_has_changed,
    a_preview_shows_no_personal_data_and_ends_with_the_session,
    exactly_one_valid_change_is_previewed,
);

const QUESTIONS: [&str; 20] = [
    "return my parcel",
    "where is the order",
    "can you deliver to Norway?",
    "warranty?",
    "I forgot my password",
    "pay by invoice",
    "opening hours of the shop",
    "my kettle is broken",
    "cancel subscription",
    "gift voucher",
    "shirt sizes",
    "delivery time",
    "how long is the warranty of a kettle",
    "who won the world cup in 1998?",
    "do you sell bread",
    "cancel my order",
    "send back a broken kettle",
    "is the shop open on Monday?",
    "voucher for a shirt",
    "ship a kettle to Norway",
];
const PREVIEW: &str = "mutation ($input: PreviewChangeInput!) { previewChange(input: $input) {
    preview { id status } userErrors { field code }
} }";
const PUBLISH: &str = "mutation ($id: ID!) { publishChange(input: { previewId: $id }) {
    preview { status } entry { id question } userErrors { code }
} }";
const RESULT: &str = "query ($id: ID!, $after: String) { site { changePreview(id: $id) {
    status doneQuestions totalQuestions gainedCount lostCount changedCount
    questions(first: 3, after: $after) {
        totalCount nodes { effect question count before { outcome title } after { outcome title } }
        pageInfo { hasNextPage endCursor }
    }
} } }";

/// A small generator, so that each run makes the same changes.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }
}

/// The outcome and the text that a visitor gets for each question.
async fn asked(app: &TestApp, site: &TestSite<'_>) -> BTreeMap<&'static str, (String, String)> {
    let mut answers = BTreeMap::new();
    for question in QUESTIONS {
        app.pass(TICK);
        let ask =
            "mutation ($input: AskQuestionInput!) { askQuestion(input: $input) { conversation { outcome answer } } }";
        let asked = site.owner().graphql(ask, json!({ "input": { "question": question } })).await.ok();
        let conversation = &asked["askQuestion"]["conversation"];
        let text = |field: &str| conversation[field].as_str().expect("a text").to_owned();
        answers.insert(question, (text("outcome"), text("answer")));
    }
    answers
}

async fn begun(site: &TestSite<'_>, change: &Value) -> Value {
    let mut begun = site.owner().graphql(PREVIEW, json!({ "input": change })).await.ok()["previewChange"].take();
    assert_eq!(begun["userErrors"], json!([]), "{change}");
    begun["preview"]["id"].take()
}

/// The preview when it has ended, with the questions of all pages.
async fn ended(site: &TestSite<'_>, id: &Value) -> (Value, Vec<Value>) {
    let preview = wait_for("the end of the preview", async || {
        let mut found = site.owner().graphql(RESULT, json!({ "id": id })).await.ok();
        let found = found["site"]["changePreview"].take();
        (found["status"] != "RUNNING").then_some(found)
    })
    .await;
    let (mut questions, mut page) = (Vec::new(), preview["questions"].clone());
    loop {
        questions.extend(page["nodes"].as_array().expect("nodes").clone());
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        let next = json!({ "id": id, "after": page["pageInfo"]["endCursor"] });
        page = site.owner().graphql(RESULT, next).await.ok()["site"]["changePreview"]["questions"].take();
    }
    assert_eq!(preview["questions"]["totalCount"], questions.len());
    (preview, questions)
}

async fn random_changes_do_what_their_previews_promise(app: &TestApp) {
    let site = app.site().create().await;
    let mut entries = Vec::new();
    for (number, entry) in ENTRIES.iter().enumerate().step_by(2) {
        entries.push((number, add(app, &site, *entry).await));
    }
    let (mut numbers, mut effects) = (Numbers(3), BTreeMap::new());
    let mut before = asked(app, &site).await;
    for round in 0..16 {
        let picked = numbers.below(entries.len());
        let other = ENTRIES[numbers.below(ENTRIES.len())];
        let free: Vec<usize> =
            (0..ENTRIES.len()).filter(|number| entries.iter().all(|(known, _)| known != number)).collect();
        let change = match round % 6 {
            0 | 3 if !free.is_empty() => {
                let number = free[numbers.below(free.len())];
                entries.push((number, Value::Null));
                json!({ "addEntry": { "question": ENTRIES[number].0, "answer": ENTRIES[number].1 } })
            }
            1 => {
                json!({ "addPhrasing": { "entryId": entries[picked].1, "phrasing": QUESTIONS[numbers.below(QUESTIONS.len())] } })
            }
            2 => {
                json!({ "updateEntry": { "id": entries[picked].1, "answer": format!("{} Really, number {round}.", other.1) } })
            }
            4 => {
                // The first one loses answers, and the second one gains them again.
                let target = [0.95, 0.5][round / 6 % 2];
                json!({ "targetPrecision": target })
            }
            _ => json!({ "deleteEntryId": entries.remove(picked).1 }),
        };
        app.pass(TICK);
        let id = begun(&site, &change).await;
        let (preview, questions) = ended(&site, &id).await;
        assert_eq!(preview["status"], "READY");
        assert_eq!(
            (&preview["totalQuestions"], &preview["doneQuestions"]),
            (&json!(QUESTIONS.len()), &json!(QUESTIONS.len()))
        );

        let published = site.owner().graphql(PUBLISH, json!({ "id": id })).await.ok()["publishChange"].take();
        assert_eq!(published["userErrors"], json!([]), "{change}");
        if let Some((_, id)) = entries.iter_mut().find(|(_, id)| id.is_null()) {
            *id = published["entry"]["id"].clone();
        }

        let after = asked(app, &site).await;
        for question in QUESTIONS {
            let found = questions.iter().find(|found| found["question"] == question);
            let ((was, text_before), (is, text_after)) = (&before[question], &after[question]);
            let effect = match (was.as_str(), is.as_str()) {
                ("ANSWERED", "ANSWERED") if text_before == text_after => None,
                ("ANSWERED", "ANSWERED") => Some("CHANGED"),
                ("ANSWERED", _) => Some("LOST"),
                (_, "ANSWERED") => Some("GAINED"),
                _ => None,
            };
            assert_eq!(found.map(|found| found["effect"].as_str()), effect.map(Some), "{question} after {change}");
            if let Some(found) = found {
                assert_eq!((&found["before"]["outcome"], &found["after"]["outcome"]), (&json!(was), &json!(is)));
            }
            *effects.entry(effect).or_insert(0) += 1;
        }
        before = after;
    }
    for effect in ["GAINED", "LOST", "CHANGED"] {
        assert!(effects.contains_key(&Some(effect)), "no change had this effect: {effects:?}");
    }
}

async fn a_change_is_not_published_when_the_site_has_changed(app: &TestApp) {
    let site = app.site().create().await;
    let entry = add(app, &site, ENTRIES[0]).await;
    asked(app, &site).await;
    let change = json!({ "updateEntry": { "id": entry, "answer": "By train." } });
    let settings = "mutation { updateAnswerSettings(input: { targetPrecision: 0.8 }) { userErrors { code } } }";
    let publish = async |id: &Value| {
        let mut published = site.owner().graphql(PUBLISH, json!({ "id": id })).await.ok();
        published["publishChange"].take()
    };
    let refused = json!([{ "code": "CONFLICT" }]);

    let first = begun(&site, &change).await;
    ended(&site, &first).await;
    add(app, &site, ENTRIES[1]).await;
    let after_content = publish(&first).await;
    let second = begun(&site, &change).await;
    ended(&site, &second).await;
    site.owner().graphql(settings, json!({})).await.ok();
    let after_settings = publish(&second).await;
    let third = begun(&site, &change).await;
    let (preview, _) = ended(&site, &third).await;
    let published = publish(&third).await;
    let again = publish(&third).await;

    assert_eq!(after_content["userErrors"], refused);
    assert_eq!(after_settings["userErrors"], refused);
    assert_eq!(preview["status"], "READY");
    let expected = json!({ "id": entry, "question": ENTRIES[0].0 });
    assert_eq!((&published["entry"], &published["preview"]["status"]), (&expected, &json!("PUBLISHED")));
    assert_eq!(again["userErrors"], refused, "a change is published once");
    let other = app.site().create().await;
    let foreign = other.owner().graphql(PUBLISH, json!({ "id": third })).await.ok();
    assert_eq!(foreign["publishChange"]["userErrors"], json!([{ "code": "NOT_FOUND" }]));
}

async fn a_preview_shows_no_personal_data_and_ends_with_the_session(app: &TestApp) {
    let site = app.site().create().await;
    add(app, &site, ENTRIES[6]).await;
    let ask = "mutation ($input: AskQuestionInput!) { askQuestion(input: $input) { conversation { sessionId } } }";
    let question = "How do I return the parcel? ann@example.com";
    let asked = site.visitor().graphql(ask, json!({ "input": { "question": question } })).await.ok();
    let session = &asked["askQuestion"]["conversation"]["sessionId"];

    let change = json!({ "addEntry": { "question": "How do I return the parcel?", "answer": "Post it." } });
    let id = begun(&site, &change).await;
    let (preview, questions) = ended(&site, &id).await;
    let erase = "mutation ($id: String!) { eraseSession(input: { sessionId: $id }) { erasedCount } }";
    site.owner().graphql(erase, json!({ "id": session })).await.ok();
    let after = site.owner().graphql(RESULT, json!({ "id": id })).await.ok();

    assert_eq!(preview["gainedCount"], 1, "{preview}");
    assert_eq!(questions[0]["question"], "How do I return the parcel? [address]");
    assert_eq!(after["site"]["changePreview"], Value::Null);
}

async fn exactly_one_valid_change_is_previewed(app: &TestApp) {
    let site = app.site().create().await;
    let entry = add(app, &site, ENTRIES[0]).await;

    for (change, code) in [
        (json!({}), "BAD_USER_INPUT"),
        (json!({ "targetPrecision": 0.7, "deleteEntryId": entry }), "BAD_USER_INPUT"),
        (json!({ "targetPrecision": 1.5 }), "BAD_USER_INPUT"),
        (json!({ "addEntry": { "question": " ", "answer": "Yes." } }), "BAD_USER_INPUT"),
        (json!({ "deleteEntryId": "chk_00000000000000000000000000" }), "NOT_FOUND"),
        (json!({ "deleteSourceId": "x" }), "NOT_FOUND"),
    ] {
        let refused = site.owner().graphql(PREVIEW, json!({ "input": change })).await.ok();
        assert_eq!(refused["previewChange"]["userErrors"][0]["code"], code, "{change}");
    }
    let id = begun(&site, &json!({ "deleteEntryId": entry })).await;
    let (preview, questions) = ended(&site, &id).await;
    assert_eq!((&preview["totalQuestions"], questions.len()), (&json!(0), 0), "nobody has asked anything");
    let cancel = "mutation ($id: ID!) { cancelPreview(input: { id: $id }) { preview { status } } }";
    let canceled = site.owner().graphql(cancel, json!({ "id": id })).await.ok();
    assert_eq!(canceled["cancelPreview"]["preview"]["status"], "READY", "it had ended before");
}
