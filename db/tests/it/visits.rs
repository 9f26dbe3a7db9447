//! Tests of what is known of sessions.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use helpbot_db::{Db, sessions, visits};
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::Conversation;
use helpbot_domain::ids::{ContactId, SessionId, SiteId};
use helpbot_domain::visit::{SessionOrder, SessionQuery, VisitReport, VisitorSession};
use helpbot_test_support::database::{self, TestDatabase, server_client};
use uuid::Uuid;

use crate::make;

on_both_backends!(
    a_report_is_stored_for_the_session_of_the_token_and_keeps_the_first_referrer,
    a_session_belongs_to_one_contact,
    sessions_are_filtered_ordered_paged_and_counted,
);

fn report(page: &str) -> VisitReport {
    VisitReport {
        page_url: Some(format!("https://shop.example/{page}")),
        referrer: Some(format!("https://search.example/{page}")),
        language: Some("de".into()),
        browser: None,
    }
}

async fn begun(db: &Db, site: SiteId, name: &'static str, at: Timestamp) -> Uuid {
    let token = make::uuid();
    assert!(commit!(db, |c| sessions::begin(c, site, name, token, at)));
    token
}

async fn one(db: &Db, site: SiteId, name: &str) -> VisitorSession {
    let names = [name.to_owned()];
    read!(db, |c| visits::by_session_ids(c, site, &names)).remove(0)
}

async fn a_report_is_stored_for_the_session_of_the_token_and_keeps_the_first_referrer(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let token = begun(db, site, "mine", make::NOW).await;
    let strange = make::uuid();

    let first = report("a");
    assert!(commit!(db, |c| visits::report(c, site, "mine", token, &first, make::later(1))));
    let next = VisitReport { browser: Some("Firefox 132".into()), language: None, ..report("b") };
    assert!(commit!(db, |c| visits::report(c, site, "mine", token, &next, make::later(2))));
    let forged = report("c");
    assert!(!commit!(db, |c| visits::report(c, site, "mine", strange, &forged, make::later(3))));
    let forged = report("c");
    assert!(!commit!(db, |c| visits::report(c, other, "mine", token, &forged, make::later(3))));

    let expected = VisitorSession {
        site_id: site,
        id: SessionId::from_uuid(token),
        session_id: "mine".into(),
        page_url: Some("https://shop.example/b".into()),
        referrer: Some("https://search.example/a".into()),
        language: Some("de".into()),
        browser: Some("Firefox 132".into()),
        contact_id: None,
        created_at: make::NOW,
        last_seen_at: make::later(2),
    };
    assert_eq!(one(db, site, "mine").await, expected);
    let id = [expected.id];
    assert_eq!(read!(db, |c| visits::by_ids(c, site, &id)), [expected]);
    assert_eq!(read!(db, |c| visits::by_ids(c, other, &id)), []);
}

async fn a_session_belongs_to_one_contact(db: &Db) {
    let site = make::stored_site(db).await;
    let token = begun(db, site, "mine", make::NOW).await;
    let (strange, ann, ben) = (make::uuid(), ContactId::from_uuid(make::uuid()), ContactId::from_uuid(make::uuid()));

    assert!(!commit!(db, |c| visits::set_contact(c, site, "mine", strange, ann)));
    assert!(commit!(db, |c| visits::set_contact(c, site, "mine", token, ann)));
    assert!(commit!(db, |c| visits::set_contact(c, site, "mine", token, ann)));
    assert!(!commit!(db, |c| visits::set_contact(c, site, "mine", token, ben)));

    assert_eq!(one(db, site, "mine").await.contact_id, Some(ann));
}

async fn sessions_are_filtered_ordered_paged_and_counted(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let contact = ContactId::from_uuid(make::uuid());
    // The first two were made at the same time, so their IDs decide.
    let mut tokens = Vec::new();
    for (name, at) in [("a", 0), ("b", 0), ("c", 20), ("d", 30)] {
        tokens.push(begun(db, site, name, make::later(at)).await);
    }
    begun(db, other, "e", make::NOW).await;
    let (first, third, shown) = (tokens[0], tokens[2], report("x"));
    assert!(commit!(db, |c| visits::report(c, site, "a", first, &shown, make::later(90))));
    assert!(commit!(db, |c| visits::set_contact(c, site, "c", third, contact)));
    let names = async |query: SessionQuery, order, after| {
        let found = read!(db, |c| visits::list(c, site, &query, order, after, 9));
        let count = read!(db, |c| visits::count(c, site, &query));
        if after.is_none() {
            assert_eq!(usize::try_from(count), Ok(found.len()), "list and count agree on {query:?}");
        }
        found.into_iter().map(|found| found.session_id).collect::<Vec<_>>()
    };
    let all = SessionQuery::default;

    for (order, expected) in [
        (SessionOrder::LastSeenDesc, ["a", "d", "c", "b"]),
        (SessionOrder::LastSeenAsc, ["b", "c", "d", "a"]),
        (SessionOrder::CreatedDesc, ["d", "c", "b", "a"]),
        (SessionOrder::CreatedAsc, ["a", "b", "c", "d"]),
    ] {
        assert_eq!(names(all(), order, None).await, expected, "{order:?}");
        let mut after = None;
        for name in expected {
            let next = read!(db, |c| visits::list(c, site, &all(), order, after, 1));
            assert_eq!(next[0].session_id, name, "{order:?}");
            after = Some((order.key(&next[0]), next[0].id));
        }
        assert!(names(all(), order, after).await.is_empty());
    }
    let order = SessionOrder::CreatedAsc;
    for (query, expected) in [
        (SessionQuery { contact: Some(contact), ..all() }, vec!["c"]),
        (SessionQuery { has_contact: Some(false), ..all() }, vec!["a", "b", "d"]),
        (SessionQuery { has_contact: Some(true), ..all() }, vec!["c"]),
        (SessionQuery { seen_since: Some(make::later(30)), ..all() }, vec!["a", "d"]),
        (SessionQuery { seen_before: Some(make::later(30)), ..all() }, vec!["b", "c"]),
        (SessionQuery { languages: Some(vec!["de".into()]), ..all() }, vec!["a"]),
        (SessionQuery { languages: Some(Vec::new()), ..all() }, vec![]),
    ] {
        assert_eq!(names(query.clone(), order, None).await, expected, "{query:?}");
    }
}

/// Puts a database back to where it was before sessions had visits, and looks at what the next start makes of it.
async fn assert_sessions_are_made(database: &TestDatabase, put_back: impl AsyncFnOnce(&TestDatabase)) {
    let db = Db::open(database.url()).await.expect("an empty database opens");
    let site = make::stored_site(&db).await;
    begun(&db, site, "known", make::NOW).await;
    for (name, at) in [("known", 5), ("old", 7), ("old", 3)] {
        let conversation = make::conversation(site, "Open?");
        let (session_id, created_at) = (name.to_owned(), make::later(at));
        make::stored(&db, Conversation { session_id, created_at, ..conversation }).await;
    }
    db.close().await;
    put_back(database).await;

    let db = Db::open(database.url()).await.expect("it is brought up to date");

    let all = SessionQuery::default();
    let found = read!(&db, |c| visits::list(c, site, &all, SessionOrder::CreatedAsc, None, 9));
    let times: Vec<_> = found.iter().map(|it| (it.session_id.as_str(), it.created_at, it.last_seen_at)).collect();
    assert_eq!(times, [("known", make::NOW, make::NOW), ("old", make::later(3), make::later(7))]);
    assert_eq!(found[1].id.uuid().get_version_num(), 7);
    db.close().await;
}

const FORGET_STEP: &str = "DELETE FROM __diesel_schema_migrations WHERE version = '0250'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_of_earlier_conversations_are_made_on_sqlite() {
    database::with(Some(TestDatabase::sqlite()), async |database| {
        assert_sessions_are_made(database, async |database| {
            let down = include_str!("../../../migrations/sqlite/0250_visits/down.sql");
            let path = database.file().expect("an SQLite database");
            let mut file = SqliteConnection::establish(&path.to_string_lossy()).expect("the file opens");
            file.batch_execute(&format!("BEGIN; {down}; {FORGET_STEP}; COMMIT")).expect("the step is undone");
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_of_earlier_conversations_are_made_on_postgres() {
    database::with(TestDatabase::postgres().await, async |database| {
        assert_sessions_are_made(database, async |database| {
            let (server, schema) = database.schema().expect("a PostgreSQL database");
            let down = include_str!("../../../migrations/postgres/0250_visits/down.sql");
            let sql = format!("SET search_path = {schema}; {down}; {FORGET_STEP}");
            server_client(server).await.batch_execute(&sql).await.expect("the step is undone");
        })
        .await;
    })
    .await;
}
