//! Tests of the questions of a range in groups.

use std::time::Duration;

use helpbot_db::stats::DailyCounts;
use helpbot_db::{Db, breakdowns, conversations};
use helpbot_domain::conversation::{Conversation, Outcome, Vote};
use helpbot_domain::local_days::LocalDays;
use helpbot_domain::satisfaction::FeedbackReason;
use helpbot_test_support::database::TestDatabase;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};

use crate::make;

on_both_backends!(groups_contain_the_questions_of_the_range_and_of_the_site_alone,);

async fn groups_contain_the_questions_of_the_range_and_of_the_site_alone(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let hour = Duration::from_secs(3_600);
    // It is noon. Midnight is in twelve hours, in Berlin in eleven.
    for (of, hours, is_answered) in
        [(site, 0, true), (site, 11, false), (site, 12, true), (site, 48, true), (other, 0, true)]
    {
        let outcome = if is_answered { Outcome::Answered } else { Outcome::Declined };
        let created_at = make::NOW.plus(hour * hours);
        let new = Conversation {
            outcome,
            created_at,
            language: Some("de".into()),
            vote: Some(Vote::No),
            feedback_reason: Some(FeedbackReason::Wrong),
            ..make::conversation(of, "Open?")
        };
        commit!(db, |c| async {
            conversations::insert(c, &new).await?;
            conversations::update(c, &new).await
        });
    }
    let (from, until) = (make::NOW, make::NOW.plus(hour * 48));
    let counts =
        |questions, unanswered| DailyCounts { questions, unanswered, unhelpful: questions, ..DailyCounts::default() };

    for (zone, first_day, second_day) in
        [("UTC", counts(2, 1), counts(1, 0)), ("Europe/Berlin", counts(1, 0), counts(2, 1))]
    {
        let spans = LocalDays::of(Some(zone)).spans(from, until);
        let days = read!(db, |c| breakdowns::by_day(c, site, &spans));
        let today = make::NOW.day();
        assert_eq!(days.into_iter().collect::<Vec<_>>(), [(today, first_day), (today.minus(-1), second_day)], "{zone}");
    }
    let languages = read!(db, |c| breakdowns::by_language(c, site, from, until));
    assert_eq!(languages.into_iter().collect::<Vec<_>>(), [(Some("de".to_owned()), counts(3, 1))]);
    assert_eq!(read!(db, |c| breakdowns::by_reason(c, site, from, until)), [(FeedbackReason::Wrong, 3)]);
    assert_eq!(read!(db, |c| breakdowns::first_question(c, site)), Some(make::NOW));
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = diesel::sql_types::Text)]
    detail: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statistics_read_only_the_index_on_sqlite() {
    let database = TestDatabase::sqlite();
    Db::open(database.url()).await.expect("an empty database opens").close().await;
    let file = database.file().expect("a file");
    let mut connection = SqliteConnection::establish(&file.to_string_lossy()).expect("the file opens");
    // The last connection of the program may still be writing back its log.
    connection.batch_execute("PRAGMA busy_timeout = 30000").expect("a setting");
    for group in ["language", "source_id", "feedback_reason", "(created_at_ms + 3600000) / 86400000"] {
        let plan = format!(
            "EXPLAIN QUERY PLAN SELECT {group}, COUNT(CASE WHEN is_unanswered THEN 1 END), COUNT(is_helpful), \
             COUNT(handoff_status) FROM conversations \
             WHERE site_id = 'a' AND created_at_ms >= 1 AND created_at_ms < 2 GROUP BY 1"
        );
        let steps: Vec<Step> = sql_query(plan).load(&mut connection).expect("a plan");
        let is_covered = steps.iter().any(|step| step.detail.contains("COVERING INDEX conversations_statistics"));
        assert!(is_covered, "{group}: {:?}", steps.iter().map(|step| &step.detail).collect::<Vec<_>>());
    }
}
