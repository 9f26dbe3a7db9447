//! Tests of answer rules through the public interfaces, on both databases: an owner pins an entry to a
//! question and forbids one, and near-identical questions follow.

use helpbot_tests::{TestApp, TestSite, on_both_backends};
use serde_json::{Value, json};

use crate::shop::{ENTRIES, TICK, add};

on_both_backends!(
    a_pinned_entry_answers_and_near_identical_questions_follow,
    a_forbidden_entry_is_neither_the_answer_nor_suggested,
    rules_are_listed_and_refused_for_unknown_entries,
);

const ADD: &str = "mutation ($input: AddAnswerRuleInput!) { addAnswerRule(input: $input) {
    rule { id kind question entryQuestion entry { question } } userErrors { field code }
} }";
const DELETE: &str = "mutation ($input: DeleteAnswerRuleInput!) { deleteAnswerRule(input: $input) {
    deletedId userErrors { code }
} }";

/// A site with the first entries of the shop, and their IDs.
async fn shop(app: &TestApp) -> (TestSite<'_>, Vec<Value>) {
    let site = app.site().create().await;
    let mut ids = Vec::new();
    for entry in &ENTRIES[..8] {
        ids.push(add(app, &site, *entry).await);
    }
    (site, ids)
}

async fn rule(site: &TestSite<'_>, question: &str, entry: &Value, kind: &str) -> Value {
    let input = json!({ "input": { "question": question, "entryId": entry, "kind": kind } });
    let mut added = site.owner().graphql(ADD, input).await.ok()["addAnswerRule"].take();
    assert_eq!(added["userErrors"], json!([]), "{added}");
    added["rule"].take()
}

async fn asked(site: &TestSite<'_>, question: &str) -> Value {
    let ask = "mutation ($input: AskQuestionInput!) { askQuestion(input: $input) {
        conversation { outcome answer confidence } suggestions appliedRules { ruleId kind question }
    } }";
    site.owner().graphql(ask, json!({ "input": { "question": question } })).await.ok()["askQuestion"].take()
}

async fn a_pinned_entry_answers_and_near_identical_questions_follow(app: &TestApp) {
    let (site, entries) = shop(app).await;
    let workshop = ENTRIES[7].1;
    let before = asked(&site, "Is my toaster covered by a warranty?").await;

    let pinned = rule(&site, "Is my toaster covered by a warranty?", &entries[7], "PIN").await;

    assert_ne!(before["conversation"]["answer"], workshop, "{before}");
    assert_eq!(pinned["entry"]["question"], ENTRIES[7].0);
    let applied =
        json!([{ "ruleId": pinned["id"], "kind": "PIN", "question": "Is my toaster covered by a warranty?" }]);
    for near in [
        "Is my toaster covered by a warranty?",
        "is my  toaster covered by a WARRANTY",
        "Is the toaster covered by your warranty?",
        "Is my toaster covered by a waranty?",
    ] {
        let found = asked(&site, near).await;
        assert_eq!((&found["conversation"]["answer"], &found["appliedRules"]), (&json!(workshop), &applied), "{near}");
        assert_eq!(
            (&found["conversation"]["confidence"], &found["conversation"]["outcome"]),
            (&json!(1.0), &json!("ANSWERED"))
        );
    }
    for other in [
        "Is there a warranty?",
        "How is my toaster covered by a warranty?",
        "Is my toaster not covered by a warranty?",
        "Is my toaster from 2019 covered by a warranty?",
    ] {
        let found = asked(&site, other).await;
        assert_eq!(found["appliedRules"], json!([]), "{other}");
    }
    let ask = "mutation { askQuestion(input: { question: \"Is my toaster covered by a warranty?\" }) {
        appliedRules { kind } conversation { answer }
    } }";
    let by_visitor = site.visitor().graphql(ask, json!({})).await.ok();
    assert_eq!(by_visitor["askQuestion"], json!({ "appliedRules": null, "conversation": { "answer": workshop } }));

    let deleted = site.owner().graphql(DELETE, json!({ "input": { "id": pinned["id"] } })).await.ok();
    let after = asked(&site, "Is my toaster covered by a warranty?").await;

    assert_eq!(deleted["deleteAnswerRule"], json!({ "deletedId": pinned["id"], "userErrors": [] }));
    assert_eq!(after["appliedRules"], json!([]), "the rule ended with the next question");
}

async fn a_forbidden_entry_is_neither_the_answer_nor_suggested(app: &TestApp) {
    let (site, entries) = shop(app).await;
    let question = "How do I return a parcel?";
    let before = asked(&site, question).await;

    let forbidden = rule(&site, question, &entries[0], "FORBID").await;
    app.pass(TICK);
    rule(&site, question, &entries[0], "PIN").await;

    assert_eq!(before["conversation"]["answer"], ENTRIES[0].1);
    for near in [question, "how do i return my parcel"] {
        let found = asked(&site, near).await;
        assert_ne!(found["conversation"]["answer"], ENTRIES[0].1, "{near}");
        let suggestions = found["suggestions"].as_array().cloned().unwrap_or_default();
        assert!(!suggestions.contains(&json!(ENTRIES[0].0)), "{near}: {found}");
        assert_eq!(found["appliedRules"].as_array().map(Vec::len), Some(2), "a forbidden entry is not pinned");
    }
    assert_eq!(asked(&site, "return parcel").await["conversation"]["answer"], ENTRIES[0].1, "another question");
    let id = json!({ "input": { "id": forbidden["id"] } });
    site.owner().graphql(DELETE, id).await.ok();
    assert_eq!(asked(&site, question).await["conversation"]["confidence"], 1.0, "the pin is left");
}

async fn rules_are_listed_and_refused_for_unknown_entries(app: &TestApp) {
    let (site, entries) = shop(app).await;
    let first = rule(&site, "Open?", &entries[6], "PIN").await;
    app.pass(TICK);
    let second = rule(&site, "Kettle?", &entries[7], "FORBID").await;
    let change = "mutation ($id: ID!) { deleteFaqEntry(input: { id: $id }) { userErrors { code } } }";
    site.owner().graphql(change, json!({ "id": entries[7] })).await.ok();

    let list = "query ($after: String) { site { answerRules(first: 1, after: $after) {
        totalCount nodes { id entryQuestion entry { question } } pageInfo { hasNextPage endCursor }
    } } }";
    let mut one = site.owner().graphql(list, json!({})).await.ok()["site"]["answerRules"].take();
    let end = one["pageInfo"]["endCursor"].take();
    let mut two = site.owner().graphql(list, json!({ "after": end })).await.ok()["site"]["answerRules"].take();
    let unknown = json!({ "input": { "question": "Kettle?", "entryId": entries[7], "kind": "PIN" } });
    let refused = site.owner().graphql(ADD, unknown).await.ok();

    assert_eq!(one["totalCount"], 2);
    assert_eq!(one["nodes"][0].take()["id"], first["id"]);
    let gone = json!({ "id": second["id"], "entryQuestion": ENTRIES[7].0, "entry": null });
    assert_eq!(two["nodes"][0].take(), gone, "a rule outlives its entry");
    assert_eq!(refused["addAnswerRule"]["userErrors"], json!([{ "field": ["input", "entryId"], "code": "NOT_FOUND" }]));
    let of_other = app.site().create().await;
    let foreign = of_other.owner().graphql(DELETE, json!({ "input": { "id": first["id"] } })).await.ok();
    assert_eq!(foreign["deleteAnswerRule"]["userErrors"], json!([{ "code": "NOT_FOUND" }]));
}
