//! Tests of lists with many conversations: pages far behind, and searches that no index helps.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use helpbot_domain::ids::SiteId;
use helpbot_tests::database::{self, TestDatabase};
use helpbot_tests::{Client, TestApp};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbered_pages_far_behind_continue_without_gap_or_repetition_on_sqlite() {
    on(Some(TestDatabase::sqlite()), numbered_pages_far_behind_continue_without_gap_or_repetition).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbered_pages_far_behind_continue_without_gap_or_repetition_on_postgres() {
    on(TestDatabase::postgres().await, numbered_pages_far_behind_continue_without_gap_or_repetition).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_characters_are_searched_in_the_newest_conversations_on_sqlite() {
    on(Some(TestDatabase::sqlite()), two_characters_are_searched_in_the_newest_conversations).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_characters_are_searched_in_the_newest_conversations_on_postgres() {
    on(TestDatabase::postgres().await, two_characters_are_searched_in_the_newest_conversations).await;
}

async fn on(database: Option<TestDatabase>, test: impl AsyncFnOnce(&TestApp, &TestDatabase)) {
    database::with(database, async |database| {
        let app = TestApp::start(database).await;
        let outcome = AssertUnwindSafe(test(&app, database)).catch_unwind().await;
        app.stop().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    })
    .await;
}

/// Statements that store `count` conversations, two and a half minutes apart, the newest first. Every third one has no answer. Both
/// databases accept them.
fn rows_of(app: &TestApp, site: SiteId, count: usize) -> String {
    let now = app.now().as_ms();
    format!(
        "INSERT INTO conversations (site_id, id, session_id, question, answer, search_text, citations, outcome, \
         is_unanswered, confidence, message_count, created_at_ms, updated_at_ms) \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
         SELECT '{site}', 'conv_01h0000000000000000' || (1000000 + i), 'session', 'Question ' || i, 'Answer', 'question ' || i, '[]', \
         'answered', i % 3 = 0, 1, 2, {now} - CAST(i AS BIGINT) * 150000, {now} - CAST(i AS BIGINT) * 150000 FROM n; \
         INSERT INTO daily_stats (site_id, day, questions, unanswered, handoffs, helpful, unhelpful) \
         SELECT '{site}', CAST(created_at_ms / 86400000 AS INTEGER), count(*), \
         sum(CASE WHEN is_unanswered THEN 1 ELSE 0 END), 0, 0, 0 \
         FROM conversations WHERE site_id = '{site}' GROUP BY CAST(created_at_ms / 86400000 AS INTEGER)"
    )
}

/// The numbers in the questions of a page.
async fn numbers(client: &Client, query: &str) -> Vec<usize> {
    let page = client.get(&format!("/api/v1/conversations?limit=100&{query}")).await.ok();
    let number =
        |it: &Value| it["question"].as_str().and_then(|text| text.rsplit_once(' ')?.1.parse().ok()).expect("a number");
    page["conversations"].as_array().expect("a list").iter().map(number).collect()
}

async fn numbered_pages_far_behind_continue_without_gap_or_repetition(app: &TestApp, database: &TestDatabase) {
    // More than five days, and several pages beyond the number from which on days are skipped.
    const COUNT: usize = 3_050;
    let site = app.site().create().await;
    database.execute(&rows_of(app, site.id, COUNT)).await;

    let all = |query: &'static str| {
        let owner = site.owner();
        async move {
            let mut found = Vec::new();
            for page in 1.. {
                let some = numbers(&owner, &format!("{query}&page={page}")).await;
                if some.is_empty() {
                    return found;
                }
                found.extend(some);
            }
            found
        }
    };
    let (newest, oldest) = (all("sort=-createdAt").await, all("sort=createdAt").await);
    let unanswered = all("filter=unanswered").await;
    let beyond = numbers(&site.owner(), "page=14000").await;

    assert_eq!(newest, (1..=COUNT).collect::<Vec<_>>());
    assert_eq!(oldest, (1..=COUNT).rev().collect::<Vec<_>>());
    assert_eq!(unanswered, (1..=COUNT).filter(|number| number % 3 == 0).collect::<Vec<_>>());
    assert_eq!(beyond, Vec::<usize>::new());
}

async fn two_characters_are_searched_in_the_newest_conversations(app: &TestApp, database: &TestDatabase) {
    const COUNT: usize = 20_010;
    let site = app.site().create().await;
    database.execute(&rows_of(app, site.id, COUNT)).await;
    let mark = format!(
        "UPDATE conversations SET search_text = search_text || ' qzj' WHERE site_id = '{}' AND question IN ('Question 7', 'Question {COUNT}')",
        site.id
    );
    database.execute(&mark).await;

    let long = numbers(&site.owner(), "search=qzj").await;
    let short = numbers(&site.owner(), "search=qz").await;
    let of_session = numbers(&site.owner(), "search=qz&sessionId=session").await;

    assert_eq!(long, [7, COUNT]);
    assert_eq!(short, [7]);
    assert_eq!(of_session, [7, COUNT], "those of a session are all compared");
}
