//! Tests of the conversation search: the result is the same whether none, some or all conversations
//! are indexed, and it equals that of a comparison of all texts.

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};
use helpbot_db::conversations::Window;
use helpbot_db::{Db, conversations, messages, search, sites};
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::{Conversation, Outcome};
use helpbot_domain::conversation_order::ConversationOrder;
use helpbot_domain::conversation_query::{ConversationFilter, ConversationQuery};
use helpbot_domain::ids::SiteId;
use helpbot_domain::text::folded;

use crate::make::{self, later};
use helpbot_test_support::database::{self, TestDatabase, server_client};

on_both_backends!(
    every_search_finds_the_same_at_any_state_of_the_index,
    a_search_matches_inside_words_but_not_across_question_and_answer,
    a_word_that_most_rows_contain_is_found_in_order,
    a_search_does_not_leave_its_site,
    a_conversation_after_a_deleted_site_is_found,
);

/// More conversations than any index here contains.
const ALL: i64 = 10_000;

/// Updates the index with at most `limit` conversations, and returns the number of changes.
async fn take_in(db: &Db, limit: i64) -> usize {
    commit!(db, |c| search::index_next(c, limit))
}

fn searching(words: &str) -> ConversationQuery {
    ConversationQuery { search: Some(words.into()), ..ConversationQuery::default() }
}

/// Returns the questions that contain the words, oldest first, before and after they are indexed.
async fn found(db: &Db, site: SiteId, words: &str) -> Vec<String> {
    let query = searching(words);
    let rows = read!(db, |c| conversations::list(
        c,
        site,
        &query,
        make::whole(ConversationOrder::CreatedAsc, Window::Offset(0), 100)
    ));
    let count = read!(db, |c| conversations::count(c, site, &query));
    assert_eq!(usize::try_from(count), Ok(rows.len()), "list and count agree on {words:?}");
    rows.into_iter().map(|row| row.question).collect()
}

/// Pieces of texts: several scripts and cases, special characters of LIKE and FTS5, and
/// repetitions.
const PIECES: &str = "\
    Sour dough BREAD bread Straße ÄPFEL ΟΔΟΣ Москва 日本語 パン屋 🥐 \
    50% _ \\ \" ' * AND NEAR( a aaaa \u{fffd} \u{1} e\u{301}";

fn text(random: &mut fastrand::Rng) -> String {
    let pieces: Vec<&str> = PIECES.split(' ').collect();
    let mut text = String::new();
    for _ in 0..random.usize(0..9) {
        text.push_str(pieces[random.usize(0..pieces.len())]);
        text.push_str(["", " ", " "][random.usize(0..3)]);
    }
    text
}

fn some_of(text: &str, random: &mut fastrand::Rng) -> String {
    let chars: Vec<char> = text.chars().collect();
    let from = random.usize(0..=chars.len());
    let length = random.usize(0..=12.min(chars.len() - from));
    chars[from..from + length].iter().collect()
}

fn generated(site: SiteId, random: &mut fastrand::Rng) -> Conversation {
    let outcome = if random.bool() { Outcome::Declined } else { Outcome::Answered };
    // There are few different times, so that IDs decide the order.
    let created_at = later(random.u64(0..40));
    let question = text(random);
    Conversation { answer: text(random), outcome, created_at, ..make::conversation(site, &question) }
}

/// Returns the expected result of a search, in order.
fn expected<'a>(
    rows: &'a [Conversation],
    site: SiteId,
    query: &ConversationQuery,
    order: ConversationOrder,
) -> Vec<&'a Conversation> {
    let words = folded(query.search.as_ref().expect("a search"));
    let mut found: Vec<&Conversation> = rows
        .iter()
        .filter(|row| row.site_id == site)
        .filter(|row| folded(&row.question).contains(&words) || folded(&row.answer).contains(&words))
        .filter(|row| query.filter == ConversationFilter::All || row.outcome.is_unanswered())
        .filter(|row| query.since.is_none_or(|since| row.created_at >= since))
        .collect();
    found.sort_by_key(|row| (order.key(row), row.id));
    if matches!(order, ConversationOrder::CreatedDesc | ConversationOrder::UpdatedDesc) {
        found.reverse();
    }
    found
}

async fn every_search_finds_the_same_at_any_state_of_the_index(db: &Db) {
    const ROWS: usize = 400;
    const SEARCHES: usize = 120;
    let mut random = fastrand::Rng::with_seed(60);
    let sites = [make::stored_site(db).await, make::stored_site(db).await];
    let rows: Vec<Conversation> = (0..ROWS).map(|n| generated(sites[n % 2], &mut random)).collect();
    let new = rows.clone();
    db.write::<_, helpbot_db::Error, _>(move |c| {
        Box::pin(async move {
            for one in &new {
                conversations::insert(c, one).await?;
            }
            Ok(())
        })
    })
    .await
    .expect("the rows are stored");

    for limit in [0, 200, 190, ALL] {
        take_in(db, limit).await;
        for _ in 0..SEARCHES {
            let row = &rows[random.usize(0..ROWS)];
            let words = some_of(if random.bool() { &row.question } else { &row.answer }, &mut random);
            if words.is_empty() {
                continue;
            }
            let filter = if random.bool() { ConversationFilter::All } else { ConversationFilter::Unanswered };
            let since: Option<Timestamp> = random.bool().then(|| later(random.u64(0..40)));
            let query = ConversationQuery { filter, since, ..searching(&words) };
            assert_found(db, &rows, sites[random.usize(0..2)], &query, &mut random).await;
        }
    }
}

/// Asserts that the list, both kinds of pages and the count are as expected.
async fn assert_found(
    db: &Db,
    rows: &[Conversation],
    site: SiteId,
    query: &ConversationQuery,
    random: &mut fastrand::Rng,
) {
    let order = [
        ConversationOrder::CreatedDesc,
        ConversationOrder::CreatedAsc,
        ConversationOrder::UpdatedDesc,
        ConversationOrder::UpdatedAsc,
    ][random.usize(0..4)];
    let expected = expected(rows, site, query, order);
    let limit = random.usize(1..30);
    let offset = random.usize(0..=expected.len());

    let count = read!(db, |c| conversations::count(c, site, query));
    let window = Window::Offset(i64::try_from(offset).expect("few rows"));
    let numbered = read!(db, |c| conversations::list(c, site, query, make::whole(order, window, limit as i64)));
    let after = expected[..offset].last().map_or(Window::Offset(0), |row| Window::After(order.key(row), row.id));
    let keyed = read!(db, |c| conversations::list(c, site, query, make::whole(order, after, limit as i64)));

    assert_eq!(usize::try_from(count), Ok(expected.len()), "{query:?}");
    let page: Vec<&Conversation> = expected.into_iter().skip(offset).take(limit).collect();
    assert_eq!(numbered.iter().collect::<Vec<_>>(), page, "{query:?}, {order:?} from {offset}");
    assert_eq!(keyed.iter().collect::<Vec<_>>(), page, "{query:?}, {order:?} after {after:?}");
}

async fn a_search_matches_inside_words_but_not_across_question_and_answer(db: &Db) {
    let site = make::stored_site(db).await;
    let answer = "Mast am HAFEN".to_owned();
    make::stored(db, Conversation { answer, ..make::conversation(site, "Zeppelinmast") }).await;
    for n in 0..30 {
        make::stored(db, make::conversation(site, &format!("other {n}"))).await;
    }

    for _ in 0..2 {
        for words in ["eppelin", "ZEPP", "nma", "linmast", "am hafen", "t", "st"] {
            assert!(found(db, site, words).await.contains(&"Zeppelinmast".to_owned()), "{words}");
        }
        for words in ["mastmast", "mast mast", "hafenzepp", "zeppelinn"] {
            assert_eq!(found(db, site, words).await, [""; 0], "{words}");
        }
        take_in(db, ALL).await;
    }
}

async fn a_word_that_most_rows_contain_is_found_in_order(db: &Db) {
    let site = make::stored_site(db).await;
    for n in 0..200 {
        let created_at = later(n);
        make::stored(db, Conversation { created_at, ..make::conversation(site, &format!("common {n}")) }).await;
    }

    for _ in 0..2 {
        let query = searching("common");
        let tenth = make::whole(ConversationOrder::CreatedDesc, Window::Offset(10), 3);
        let page = read!(db, |c| conversations::list(c, site, &query, tenth));
        assert_eq!(
            page.iter().map(|row| row.question.as_str()).collect::<Vec<_>>(),
            ["common 189", "common 188", "common 187"]
        );
        assert_eq!(read!(db, |c| conversations::count(c, site, &query)), 200);
        take_in(db, ALL).await;
    }
}

async fn a_search_does_not_leave_its_site(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    for n in 0..40 {
        make::stored(db, make::conversation(site, &format!("other {n}"))).await;
    }
    make::stored(db, make::conversation(site, "the zeppelin of one")).await;
    make::stored(db, make::conversation(other, "the zeppelin of another")).await;

    for _ in 0..2 {
        assert_eq!(found(db, site, "zeppelin").await, ["the zeppelin of one"]);
        assert_eq!(found(db, other, "zeppelin").await, ["the zeppelin of another"]);
        take_in(db, ALL).await;
    }
}

async fn a_conversation_after_a_deleted_site_is_found(db: &Db) {
    let (gone, site) = (make::stored_site(db).await, make::stored_site(db).await);
    for n in 0..40 {
        make::stored(db, make::conversation(site, &format!("other {n}"))).await;
    }
    make::stored(db, make::conversation(gone, "zeppelin")).await;
    take_in(db, ALL).await;
    commit!(db, |c| sites::delete(c, gone));

    // It must not get the number of the deleted conversation, which is still in the index.
    make::stored(db, make::conversation(site, "airship")).await;

    assert_eq!(found(db, site, "airship").await, ["airship"]);
    take_in(db, ALL).await;
    assert_eq!(found(db, site, "airship").await, ["airship"]);
    assert_eq!(found(db, gone, "zeppelin").await, [""; 0]);
    assert!(!read!(db, |c| search::is_behind(c)));
}

fn sqlite(database: &TestDatabase) -> SqliteConnection {
    let path = database.file().expect("an SQLite database");
    SqliteConnection::establish(&path.to_string_lossy()).expect("the file opens")
}

#[tokio::test]
async fn the_search_index_is_updated_in_groups_on_sqlite() {
    #[derive(QueryableByName)]
    struct Numbers {
        #[diesel(sql_type = BigInt)]
        known: i64,
        #[diesel(sql_type = BigInt)]
        highest: i64,
    }
    database::with(Some(TestDatabase::sqlite()), async |database| {
        let db = Db::open(database.url()).await.expect("it opens");
        let (gone, site) = (make::stored_site(&db).await, make::stored_site(&db).await);
        for n in 0..10 {
            make::stored(&db, make::conversation(if n < 7 { gone } else { site }, "zeppelin")).await;
        }

        assert!(read!(db, |c| search::is_behind(c)));
        let groups = [take_in(&db, 4).await, take_in(&db, 4).await, take_in(&db, 4).await, take_in(&db, 4).await];
        assert_eq!(groups, [4, 4, 2, 0]);
        assert!(!read!(db, |c| search::is_behind(c)));
        assert!(commit!(db, |c| sites::delete(c, gone)));
        assert_eq!([take_in(&db, 4).await, take_in(&db, 4).await, take_in(&db, 4).await], [4, 3, 0]);

        let numbers: Numbers = sql_query(
            "SELECT (SELECT count(*) FROM conversation_search) AS known, max(number) AS highest FROM conversations",
        )
        .get_result(&mut sqlite(database))
        .expect("the file is read");
        assert_eq!((numbers.known, numbers.highest), (3, 10));
        assert_eq!(found(&db, site, "zeppelin").await.len(), 3);
        assert_eq!(db.damage().await.expect("the file is read"), [""; 0]);
        db.close().await;
    })
    .await;
}

/// Stores a conversation with a message in a database that is then put back to where it was before
/// the search had an index, and asks for it after the next start.
async fn assert_stored_before_is_found(database: &TestDatabase, put_back: impl AsyncFnOnce(&TestDatabase)) {
    let db = Db::open(database.url()).await.expect("an empty database opens");
    let site = make::stored_site(&db).await;
    for n in 0..40 {
        make::stored(&db, make::conversation(site, &format!("other {n}"))).await;
    }
    let conversation = make::stored(&db, make::conversation(site, "The zeppelin?")).await;
    make::stored_message(&db, &conversation, 3).await;
    db.close().await;
    put_back(database).await;

    let db = Db::open(database.url()).await.expect("it is brought up to date");

    let id = conversation.id;
    assert_eq!(read!(db, |c| conversations::by_id(c, site, id)), Some(conversation));
    assert_eq!(read!(db, |c| messages::of(c, site, &[id])).len(), 1);
    assert_eq!(found(&db, site, "zeppelin").await, ["The zeppelin?"]);
    take_in(&db, ALL).await;
    assert_eq!(found(&db, site, "zeppelin").await, ["The zeppelin?"]);
    make::stored(&db, make::conversation(site, "A new zeppelin")).await;
    assert_eq!(found(&db, site, "zeppelin").await.len(), 2);
    // References to a conversation still work.
    assert!(commit!(db, |c| sites::delete(c, site)));
    assert_eq!(read!(db, |c| messages::of(c, site, &[id])), []);
    db.close().await;
}

const FORGET_STEP: &str = "DELETE FROM __diesel_schema_migrations WHERE version IN ('0060', '0090', '0100', '0120', '0130', '0180', '0182', '0241', '0250', '0280', '0281')";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conversations_stored_before_the_index_are_found_on_sqlite() {
    database::with(Some(TestDatabase::sqlite()), async |database| {
        assert_stored_before_is_found(database, async |database| {
            // The later steps change the same table, so they are undone first.
            let down = concat!(
                include_str!("../../../migrations/sqlite/0281_statistics_index/down.sql"),
                include_str!("../../../migrations/sqlite/0280_satisfaction/down.sql"),
                include_str!("../../../migrations/sqlite/0250_visits/down.sql"),
                include_str!("../../../migrations/sqlite/0241_conversation_emails/down.sql"),
                include_str!("../../../migrations/sqlite/0182_triage/down.sql"),
                include_str!("../../../migrations/sqlite/0180_visitor_presence/down.sql"),
                include_str!("../../../migrations/sqlite/0130_visitor_limits/down.sql"),
                include_str!("../../../migrations/sqlite/0120_mail_limits/down.sql"),
                include_str!("../../../migrations/sqlite/0100_sessions/down.sql"),
                include_str!("../../../migrations/sqlite/0090_inbox/down.sql"),
                include_str!("../../../migrations/sqlite/0060_search/down.sql"),
            );
            let sql = format!("PRAGMA foreign_keys = OFF; BEGIN; {down}; {FORGET_STEP}; COMMIT");
            sqlite(database).batch_execute(&sql).expect("the step is undone");
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conversations_stored_before_the_index_are_found_on_postgres() {
    database::with(TestDatabase::postgres().await, async |database| {
        assert_stored_before_is_found(database, async |database| {
            let (server, schema) = database.schema().expect("a PostgreSQL database");
            // The later steps change the same table, so they are undone first.
            let down = concat!(
                include_str!("../../../migrations/postgres/0281_statistics_index/down.sql"),
                include_str!("../../../migrations/postgres/0280_satisfaction/down.sql"),
                include_str!("../../../migrations/postgres/0250_visits/down.sql"),
                include_str!("../../../migrations/postgres/0241_conversation_emails/down.sql"),
                include_str!("../../../migrations/postgres/0182_triage/down.sql"),
                include_str!("../../../migrations/postgres/0180_visitor_presence/down.sql"),
                include_str!("../../../migrations/postgres/0130_visitor_limits/down.sql"),
                include_str!("../../../migrations/postgres/0120_mail_limits/down.sql"),
                include_str!("../../../migrations/postgres/0100_sessions/down.sql"),
                include_str!("../../../migrations/postgres/0090_inbox/down.sql"),
                include_str!("../../../migrations/postgres/0060_search/down.sql"),
            );
            let sql = format!("SET search_path = {schema}; {down}; {FORGET_STEP}");
            server_client(server).await.batch_execute(&sql).await.expect("the step is undone");
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_works_without_its_index_on_postgres() {
    database::with(TestDatabase::postgres().await, async |database| {
        // The same state as without the extension.
        let (server, schema) = database.schema().expect("a PostgreSQL database");
        Db::migrate(database.url()).await.expect("up");
        let drop = format!("DROP INDEX {schema}.conversations_search");
        server_client(server).await.batch_execute(&drop).await.expect("it was made, and is gone");

        let db = Db::open(database.url()).await.expect("it opens");
        let site = make::stored_site(&db).await;
        make::stored(&db, make::conversation(site, "The zeppelin?")).await;

        assert_eq!(found(&db, site, "zeppelin").await, ["The zeppelin?"]);
        db.close().await;
    })
    .await;
}

#[tokio::test]
async fn the_number_of_a_conversation_is_its_rowid_on_sqlite() {
    #[derive(QueryableByName)]
    struct Key {
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Bool)]
        is_rowid: bool,
    }
    database::with(Some(TestDatabase::sqlite()), async |database| {
        let db = Db::open(database.url()).await.expect("it opens");
        let site = make::stored_site(&db).await;
        make::stored(&db, make::conversation(site, "a")).await;

        // Otherwise VACUUM could give it another one.
        let key: Key = sql_query(
            "SELECT name, (SELECT rowid = number FROM conversations) AS is_rowid \
             FROM pragma_table_info('conversations') WHERE pk = 1",
        )
        .get_result(&mut sqlite(database))
        .expect("the catalogue is read");

        assert_eq!((key.name.as_str(), key.is_rowid), ("number", true));
        db.close().await;
    })
    .await;
}
