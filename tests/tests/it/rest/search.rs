//! Tests of the conversation search over GraphQL and REST: the results are the same before and after the index contains the
//! conversations, and equal to those of a plain scan.

use std::time::Duration;

use helpbot_domain::Timestamp;
use helpbot_domain::text::folded;
use helpbot_services::accounts::site_deletion;
use helpbot_services::conversations::history::{self, PastConversation};
use helpbot_services::conversations::search;
use helpbot_tests::{TestApp, TestSite, on_both_backends};
use reqwest::StatusCode;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use crate::rest::asked;

on_both_backends!(
    a_search_finds_what_a_plain_look_finds_before_and_after_it_is_indexed,
    what_was_imported_is_found_and_goes_with_its_site,
);

/// Question and answer of each.
const TEXTS: [(&str, &str); 8] = [
    ("Do you sell SAUERTEIGBROT?", "Yes, each Friday."),
    ("Wo sind die Äpfel aus der Straße?", "In der ÄPFELKISTE."),
    ("Πότε ανοίγετε; ΟΔΟΣ 12", "Στις οκτώ."),
    ("パン屋は日曜日に開いていますか", "はい"),
    ("Is 50%_off a \"thing\"?", r"It's in C:\breads"),
    ("A NUL\0byte", "is none"),
    ("end of a question", "begin of an answer"),
    ("aaaa", "bread and bread"),
];

const SEARCHES: [&str; 26] = [
    "teigb",
    "sauerteigbrot?",
    "äpfel",
    "ÄPFELKISTE",
    "straße",
    "οδοσ",
    "ΟΔΟΣ",
    "日曜日",
    "日曜",
    "屋",
    "50%_off",
    "%_o",
    "0__",
    "\"thing\"",
    "it's",
    r"c:\b",
    "nul\u{fffd}byte",
    "nul\0byte",
    "is none",
    "question begin",
    "aaa",
    "aaaaa",
    "a",
    "br",
    "bread AND bread",
    "nothing like it",
];

fn past(number: usize, (question, answer): (&str, &str)) -> PastConversation {
    let at = Timestamp::from_ms(1_700_000_000_000 + i64::try_from(number / 3).expect("few") * 1_000);
    PastConversation {
        id: format!("past-{number}"),
        session_id: None,
        question: question.into(),
        answer: answer.into(),
        sources: Vec::new(),
        vote: None,
        is_unanswered: number.is_multiple_of(2),
        is_handed_off: false,
        customer_email: None,
        language: None,
        created_at: at,
        updated_at: at,
    }
}

async fn bring(app: &TestApp, site: &TestSite<'_>, past: Vec<PastConversation>) {
    history::import(app.services(), app.operator(), Some(site.id), past).await.expect("they are stored");
}

/// Questions by REST, page by page, newest first.
async fn by_rest(site: &TestSite<'_>, words: &str) -> Vec<String> {
    let mut found = Vec::new();
    for page in 1.. {
        let query = Serializer::new(String::new()).append_pair("search", words).finish();
        let path = format!("/api/v1/conversations?{query}&limit=5&range=all&page={page}");
        let body = site.owner().get(&path).await.ok();
        let list = body["conversations"].as_array().expect("a list");
        found.extend(list.iter().map(|one| one["question"].as_str().expect("a text").to_owned()));
        if list.is_empty() {
            assert_eq!(body["totalDocs"], found.len(), "{words}");
            break;
        }
    }
    found
}

/// The same by GraphQL, from cursor to cursor.
async fn by_graphql(site: &TestSite<'_>, words: &str) -> Vec<String> {
    const PAGE: &str = "query ($search: String!, $after: String) { site { conversations(
        filter: { search: $search }, first: 4, after: $after
    ) { totalCount nodes { question } pageInfo { hasNextPage endCursor } } } }";
    let (mut found, mut after) = (Vec::new(), Value::Null);
    loop {
        let data = site.owner().graphql(PAGE, json!({ "search": words, "after": after })).await.ok();
        let page = &data["site"]["conversations"];
        let nodes = page["nodes"].as_array().expect("a list");
        found.extend(nodes.iter().map(|node| node["question"].as_str().expect("a text").to_owned()));
        if page["pageInfo"]["hasNextPage"] == false {
            assert_eq!(page["totalCount"], found.len(), "{words}");
            return found;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

async fn a_search_finds_what_a_plain_look_finds_before_and_after_it_is_indexed(app: &TestApp) {
    let site = app.site().create().await;
    let filler = ("When is it open?", "From eight to six.");
    let texts = (0..60).map(|number| (number, *TEXTS.get(number / 3).filter(|_| number % 3 == 0).unwrap_or(&filler)));
    bring(app, &site, texts.clone().map(|(number, text)| past(number, text)).collect()).await;
    // Asked just now: the index may have it or not.
    asked(&site).await;

    for words in SEARCHES {
        let plain = folded(words).replace('\0', "\u{fffd}");
        let holds = |text: &str| folded(&text.replace('\0', "\u{fffd}")).contains(&plain);
        let chat = (crate::rest::UNKNOWN_QUESTION, "");
        let expected: Vec<String> = texts
            .clone()
            .map(|(_, text)| text)
            .chain([chat])
            .filter(|(question, answer)| holds(question) || holds(answer))
            .map(|(question, _)| question.replace('\0', "\u{fffd}"))
            .collect();
        let found = by_rest(&site, words).await;

        assert_eq!(found, by_graphql(&site, words).await, "{words}");
        // What the chat was answered is not known here.
        let found_past = found.iter().filter(|text| *text != crate::rest::UNKNOWN_QUESTION).cloned().collect();
        let expected_past = expected.into_iter().filter(|text| text != crate::rest::UNKNOWN_QUESTION).collect();
        assert_eq!(sorted(found_past), sorted(expected_past), "{words}");
        search::index_all(app.services()).await.expect("the index is up to date");
        assert_eq!(by_rest(&site, words).await, found, "{words}");
    }
    assert_eq!(by_rest(&site, "flux capacitor").await, [crate::rest::UNKNOWN_QUESTION]);
}

async fn what_was_imported_is_found_and_goes_with_its_site(app: &TestApp) {
    let (gone, site) = (app.site().create().await, app.site().create().await);
    for site in [&gone, &site] {
        bring(app, site, vec![past(0, ("Where is the zeppelin?", "At its mast."))]).await;
    }
    assert_eq!(by_rest(&gone, "zeppelin").await.len(), 1);

    site_deletion::delete(app.services(), app.operator(), gone.id).await.expect("it is deleted");
    app.pass(Duration::from_secs(1));

    let refused = gone.owner().get("/api/v1/conversations?search=zeppelin").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    search::index_all(app.services()).await.expect("the index is up to date");
    assert_eq!(by_rest(&site, "zeppelin").await, ["Where is the zeppelin?"]);
    bring(app, &site, vec![past(1, ("Another zeppelin?", "No."))]).await;
    assert_eq!(by_rest(&site, "zeppelin").await, ["Another zeppelin?", "Where is the zeppelin?"]);
}
