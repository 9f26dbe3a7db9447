//! One suite for both databases: every test here is run on SQLite and on PostgreSQL, each time
//! on a database of its own. A module a noun, as in `src/`.
//!
//! A test is a function that takes the open database; `on_both_backends!` lists a module's
//! tests and makes two of each, named `…::sqlite` and `…::postgres`. (A test that is not listed
//! is dead code, and the lints refuse that.)

/// Makes two tests of each function: `name::sqlite` and `name::postgres`.
macro_rules! on_both_backends {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let database = helpbot_test_support::database::TestDatabase::sqlite();
                helpbot_test_support::database::with(Some(database), $crate::opened(super::$name)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let database = helpbot_test_support::database::TestDatabase::postgres().await;
                helpbot_test_support::database::with(database, $crate::opened(super::$name)).await;
            }
        }
    )+};
}

/// Runs one function of `db` in a transaction and returns its `Result`.
macro_rules! try_commit {
    ($db:expr, |$c:ident| $work:expr) => {
        $db.write::<_, helpbot_db::Error, _>(move |$c| Box::pin(async move { $work.await })).await
    };
}

/// Same as `try_commit`, but returns the value.
macro_rules! commit {
    ($db:expr, |$c:ident| $work:expr) => {
        try_commit!($db, |$c| $work).expect("the write succeeds")
    };
}

/// Runs one function of `db` on a connection for reading and returns its value.
macro_rules! read {
    ($db:expr, |$c:ident| $work:expr) => {{
        let mut conn = $db.reader().await.expect("a connection comes free");
        let $c = &mut conn;
        $work.await.expect("the query succeeds")
    }};
}

mod answer_rules;
mod audit_log;
mod backlog;
mod batches;
mod blocked_visitors;
mod breakdowns;
mod business_hours;
mod canned_replies;
mod change_previews;
mod chunks;
mod closing;
mod contacts;
mod conversation_mails;
mod conversation_notes;
mod conversation_tags;
mod conversations;
mod copying;
mod crawl_files;
mod crawl_turns;
mod crawl_visits;
mod deliveries;
mod documents;
mod evaluation;
mod events;
mod failures;
mod global_ids;
mod handoff_notices;
mod handoffs;
mod idempotency;
mod identity_secrets;
mod installation;
mod jobs;
mod judged_answers;
mod keys;
mod limit_notices;
mod make;
mod members;
mod messages;
mod migrations;
mod page_extractions;
mod postgres;
mod read_marks;
mod reply_times;
mod search;
mod sessions;
mod sign_in_links;
mod sites;
mod source_files;
mod sources;
mod staging;
mod stats;
mod topics;
mod transactions;
mod transcript_codes;
mod transcripts;
mod trusted_documents;
mod usage;
mod vectors;
mod visitor_sessions;
mod visits;
mod webhooks;

use helpbot_db::Db;

use helpbot_test_support::database::{self, TestDatabase};

/// Converts a test of an open database to a test of a database that is not open yet.
fn opened(test: impl AsyncFnOnce(&Db)) -> impl AsyncFnOnce(&TestDatabase) {
    async move |database: &TestDatabase| {
        let db = Db::open(database.url()).await.expect("an empty database opens");
        database::ended(test(&db), db.close()).await;
    }
}
