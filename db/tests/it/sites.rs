//! Sites and their counters.

use std::sync::Arc;

use helpbot_db::{
    Conn, Db, Error, Result, chunks, conversations, documents, events, idempotency, jobs, keys, members, messages,
    site_deletion, sites, source_files, sources, stats, usage,
};
use helpbot_domain::chunk::StoredChunk;
use helpbot_domain::conversation::Conversation;
use helpbot_domain::key::Key;
use helpbot_domain::member::Member;
use helpbot_domain::page::PageRequest;
use helpbot_domain::plan::Plan;
use helpbot_domain::retention::DataRetention;
use helpbot_domain::site::Site;
use helpbot_domain::source::{Document, Source};
use helpbot_domain::widget::WidgetConfig;
use helpbot_domain::widget_texts::{WidgetTextsPatch, WidgetTranslations};

use crate::make::{self, NOW, later};

on_both_backends!(
    a_site_is_read_as_it_was_written,
    an_update_changes_only_what_may_change,
    a_taken_id_is_a_conflict,
    sites_are_listed_by_id_in_pages,
    the_index_version_rises_by_one,
    all_indexes_before_the_new_version_are_retired,
    concurrent_updates_of_a_locked_site_are_not_lost,
    deleting_a_site_deletes_all_of_its_rows_and_no_others,
    a_marked_site_is_found_by_nobody_and_its_rows_go_in_batches,
    sites_with_retention_are_found_in_pages,
);

async fn a_site_is_read_as_it_was_written(db: &Db) {
    let widget =
        WidgetConfig { bot_name: "Bäcker \"Bot\" 🥐".into(), show_branding: false, ..WidgetConfig::default() };
    let site = Site { widget, answer_settings: r#"{"a":1}"#.into(), plan: Plan::Growth, ..make::site() };

    let new = site.clone();
    commit!(db, |c| sites::insert(c, &new));

    assert_eq!(read!(db, |c| sites::by_id(c, site.id)), Some(site.clone()));
    assert_eq!(read!(db, |c| sites::by_id(c, make::site().id)), None);
    assert_eq!(read!(db, |c| sites::by_ids(c, &[make::site().id, site.id])), [site]);
    assert_eq!(read!(db, |c| sites::count(c)), 1);
}

async fn an_update_changes_only_what_may_change(db: &Db) {
    let id = make::stored_site(db).await;
    let other = make::stored_site(db).await;
    let mut texts = WidgetTranslations::default();
    let greeting = WidgetTextsPatch { greeting: Some(Some("Grüß Gott 🥐".into())), ..WidgetTextsPatch::default() };
    texts.set("de-AT", greeting).expect("a text");
    let changed = Site {
        id,
        name: "New".into(),
        owner_email: "new@example.com".into(),
        plan: Plan::Starter,
        credit_limit: 5,
        daily_credit_limit: Some(7),
        address_credit_limit: Some(3),
        retention: DataRetention {
            conversation_days: Some(30),
            changed_at: Some(later(5)),
            ..DataRetention::default()
        },
        widget: WidgetConfig { greeting: "Hey".into(), ..WidgetConfig::default() },
        widget_texts: Arc::new(texts),
        answer_settings: r#"{"b":2}"#.into(),
        created_at: later(99),
        updated_at: later(1),
    };

    let new = changed.clone();
    let absent = make::site();
    assert!(commit!(db, |c| sites::update(c, &new)));
    assert!(!commit!(db, |c| sites::update(c, &absent)));

    let kept = Site { created_at: NOW, ..changed };
    assert_eq!(read!(db, |c| sites::by_id(c, id)), Some(kept));
    assert_eq!(read!(db, |c| sites::by_id(c, other)).map(|site| site.name), Some(make::site().name));
}

async fn a_taken_id_is_a_conflict(db: &Db) {
    let id = make::stored_site(db).await;

    let twice = Site { id, name: "Second".into(), ..make::site() };
    let refused = try_commit!(db, |c| sites::insert(c, &twice));

    assert!(matches!(refused, Err(Error::Conflict { .. })), "{refused:?}");
    assert_ne!(read!(db, |c| sites::by_id(c, id)).map(|site| site.name).as_deref(), Some("Second"));
}

async fn sites_are_listed_by_id_in_pages(db: &Db) {
    let (first, second, third) =
        (make::stored_site(db).await, make::stored_site(db).await, make::stored_site(db).await);
    let ids = |sites: Vec<Site>| sites.into_iter().map(|site| site.id).collect::<Vec<_>>();

    assert_eq!(ids(read!(db, |c| sites::list(c, PageRequest::first(2)))), [first, second]);
    assert_eq!(ids(read!(db, |c| sites::list(c, PageRequest::after(Some(second), 2)))), [third]);
    assert_eq!(ids(read!(db, |c| sites::list(c, PageRequest::after(Some(third), 2)))), []);
    let before = |from, limit| PageRequest { from, is_backward: true, limit };
    assert_eq!(ids(read!(db, |c| sites::list(c, before(None, 2)))), [third, second]);
    assert_eq!(ids(read!(db, |c| sites::list(c, before(Some(second), 2)))), [first]);
}

async fn the_index_version_rises_by_one(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);

    commit!(db, |c| sites::bump_index_version(c, site));
    commit!(db, |c| sites::bump_index_version(c, site));

    assert_eq!(read!(db, |c| sites::index_version(c, site)), Some(2));
    assert_eq!(read!(db, |c| sites::index_version(c, other)), Some(0));
    assert_eq!(read!(db, |c| sites::index_version(c, make::site().id)), None);
}

async fn all_indexes_before_the_new_version_are_retired(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);

    commit!(db, |c| sites::bump_index_version(c, site));
    commit!(db, |c| sites::retire_older_indexes(c, site));
    commit!(db, |c| sites::bump_index_version(c, site));

    assert_eq!(read!(db, |c| sites::index_versions(c, site)), Some((3, 2)));
    assert_eq!(read!(db, |c| sites::index_versions(c, other)), Some((0, 0)));
    assert_eq!(read!(db, |c| sites::index_versions(c, make::site().id)), None);
}

async fn concurrent_updates_of_a_locked_site_are_not_lost(db: &Db) {
    async fn add_one(c: &mut Conn, id: helpbot_domain::ids::SiteId) -> Result<bool> {
        let site = sites::by_id_locked(c, id).await?.expect("the site is there");
        sites::update(c, &Site { credit_limit: site.credit_limit + 1, ..site }).await
    }
    const WRITERS: usize = 40;
    let id = make::stored_site(db).await;

    let writes = (0..WRITERS).map(|_| async { commit!(db, |c| add_one(c, id)) });
    futures_util::future::join_all(writes).await;

    assert_eq!(read!(db, |c| sites::by_id(c, id)).map(|site| site.credit_limit), Some(1000 + 40));
}

/// One row of everything that belongs to a site.
struct Full {
    site: helpbot_domain::ids::SiteId,
    key: Key,
    member: Member,
    source: Source,
    document: Document,
    chunk: StoredChunk,
    conversation: Conversation,
}

impl Full {
    async fn stored(db: &Db) -> Self {
        let site = make::stored_site(db).await;
        let source = make::stored_source(db, site, "https://example.com/").await;
        let document = make::stored_document(db, &source, "https://example.com/").await;
        let conversation = make::stored(db, make::conversation(site, "Open on Sunday?")).await;
        make::stored_message(db, &conversation, 3).await;
        make::stored_job(db, make::job(site, "scrape", NOW)).await;
        let (source_id, hold) = (source.id, hold(site));
        commit!(db, |c| source_files::put(c, site, source_id, "a.md", b"# A"));
        commit!(db, |c| events::append(c, site, NOW, vec![make::event()]));
        assert!(commit!(db, |c| usage::hold(c, &hold, 9, NOW)));
        assert_eq!(commit!(db, |c| usage::take(c, site, NOW.month(), 9, NOW)), Some(1));
        commit!(db, |c| stats::add(c, site, NOW.day(), stats::DailyCounts { questions: 1, ..Default::default() }));
        let key = make::stored_key(db, site).await;
        let turn = idempotency::RequestAttempt { key_id: key.id, name: "name".into(), holder: "holder".into() };
        assert!(commit!(db, |c| idempotency::reserve(c, &turn, "hash", NOW, NOW)));
        let member = make::stored_member(db, site).await;
        let chunk = make::stored_chunk(db, &document, 0).await;
        Self { site, key, member, source, document, chunk, conversation }
    }

    /// How many rows each noun's finder gives for the site.
    async fn found(&self, db: &Db) -> Vec<(&'static str, usize)> {
        let (site, month, day) = (self.site, NOW.month(), NOW.day());
        let file = read!(db, |c| source_files::of_source(c, site, self.source.id));
        let conversations = [self.conversation.id];
        let lease = jobs::Lease { owner: "w".into(), now: NOW, until: NOW };
        let mut mine = commit!(db, |c| jobs::claim(c, &["scrape"], &lease, 9));
        mine.retain(|job| job.site_id == site);
        let key = self.key.id;
        let request = commit!(db, |c| idempotency::known(c, key, "name"));
        vec![
            ("site", read!(db, |c| sites::by_ids(c, &[site])).len()),
            ("counter", usize::from(read!(db, |c| sites::index_version(c, site)).is_some())),
            ("key", usize::from(read!(db, |c| keys::by_hash(c, &self.key.hash)).is_some())),
            ("member", read!(db, |c| members::by_ids(c, site, &[self.member.id])).len()),
            ("source", read!(db, |c| sources::by_ids(c, site, &[self.source.id])).len()),
            ("file", usize::from(file.is_some())),
            (
                "document",
                read!(db, |c| documents::of_source(c, site, self.source.id, None, PageRequest::first(9))).len(),
            ),
            ("chunk", read!(db, |c| chunks::of_document(c, site, self.document.id)).len()),
            ("chunk by id", read!(db, |c| chunks::by_ids(c, site, &[self.chunk.id])).len()),
            ("conversation", read!(db, |c| conversations::by_ids(c, site, &conversations)).len()),
            ("message", read!(db, |c| messages::of(c, site, &conversations)).len()),
            ("event", read!(db, |c| events::after(c, site, 0, 9)).len()),
            ("job", mine.len()),
            ("request", usize::from(request.is_some())),
            ("usage", usize::from(read!(db, |c| usage::used(c, site, month)) == 1)),
            ("stats", read!(db, |c| stats::between(c, site, day, day)).len()),
        ]
    }
}

fn hold(site: helpbot_domain::ids::SiteId) -> usage::Hold {
    usage::Hold { site_id: site, id: "hold".into(), month: NOW.month(), expires_at: later(60) }
}

async fn deleting_a_site_deletes_all_of_its_rows_and_no_others(db: &Db) {
    let (gone, kept) = (Full::stored(db).await, Full::stored(db).await);
    let whole = kept.found(db).await;
    assert!(whole.iter().all(|(_, count)| *count == 1), "{whole:?}");

    let site = gone.site;
    assert!(commit!(db, |c| sites::delete(c, site)));

    for (noun, count) in gone.found(db).await {
        assert_eq!(count, 0, "{noun} outlived its site");
    }
    assert!(!commit!(db, |c| sites::delete(c, site)));
    // The leases of the first look are of length zero and end at once.
    let left: Vec<_> = kept.found(db).await.into_iter().filter(|(noun, _)| *noun != "job").collect();
    assert_eq!(left, whole.into_iter().filter(|(noun, _)| *noun != "job").collect::<Vec<_>>());
}

/// The tables whose rows go in another way: with the site, with [`site_deletion::mark`], with their
/// delivery, and as the first step of the job.
const OTHER_TABLES: [&str; 3] = ["delivery_attempts", "jobs", "site_counters"];

#[test]
fn every_table_with_rows_of_sites_is_deleted_from() {
    let schema = make::schema_text();
    let tables = schema.split("diesel::table! {").skip(1).filter(|table| table.contains("site_id ->"));
    let mut expected: Vec<&str> = tables.map(|table| table.trim().split(' ').next().expect("a name")).collect();
    expected.push("idempotent_requests");
    expected.sort_unstable();

    let named = site_deletion::TABLES.iter().map(|table| table.name);
    let mut found: Vec<&str> = named.chain(OTHER_TABLES).collect();
    found.sort_unstable();

    assert_eq!(found, expected);
}

async fn a_marked_site_is_found_by_nobody_and_its_rows_go_in_batches(db: &Db) {
    let (gone, kept) = (Full::stored(db).await, Full::stored(db).await);
    let site = gone.site;
    for second in 0..7 {
        commit!(db, |c| events::append(c, site, later(second), vec![make::event()]));
    }

    let rows = commit!(db, |c| site_deletion::mark(c, site, NOW));

    assert!(rows.is_some_and(|rows| rows >= 7), "{rows:?}");
    assert_eq!(commit!(db, |c| site_deletion::mark(c, site, NOW)), None, "it is deleted once");
    assert_eq!(read!(db, |c| sites::by_id(c, site)), None);
    assert_eq!(read!(db, |c| sites::by_ids(c, &[site])), []);
    assert_eq!(read!(db, |c| sites::count(c)), 1);
    assert_eq!(read!(db, |c| events::last_seq(c, site)), None);
    assert!(read!(db, |c| keys::list(c, site)).iter().all(|key| key.revoked_at == Some(NOW)));
    let mut largest = 0;
    for table in 0..site_deletion::TABLES.len() {
        loop {
            let deleted = commit!(db, |c| site_deletion::delete_rows(c, site, table, 3)).expect("a table");
            largest = largest.max(deleted.count);
            if deleted.count == 0 {
                break;
            }
        }
    }
    assert_eq!(largest, 3, "no batch has more rows than asked for");
    let left: Vec<_> = gone.found(db).await.into_iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(left, [("job", 1)], "jobs are a step of their own");
    assert_eq!(commit!(db, |c| jobs::delete_all_except(c, site, "delete_site", 10)), 1);
    assert!(commit!(db, |c| sites::delete(c, site)));
    assert!(kept.found(db).await.into_iter().filter(|(noun, _)| *noun != "job").all(|(_, count)| count == 1));
}

async fn sites_with_retention_are_found_in_pages(db: &Db) {
    let limits = |days, second| DataRetention {
        conversation_days: days,
        changed_at: Some(later(second)),
        ..DataRetention::default()
    };
    let mut ids = Vec::new();
    for (days, second) in [(Some(3), 1), (Some(5), 1), (None, 1), (Some(7), 9)] {
        let site = Site { retention: limits(days, second), ..make::site() };
        ids.push(site.id);
        commit!(db, |c| sites::insert(c, &site));
    }
    make::stored_site(db).await;

    let first = read!(db, |c| sites::with_retention(c, None, later(5), 1));
    let second = read!(db, |c| sites::with_retention(c, Some(ids[0]), later(5), 9));

    assert_eq!((first, second), (vec![ids[0]], vec![ids[1]]));
    assert_eq!(read!(db, |c| sites::by_id(c, ids[0])).map(|site| site.retention), Some(limits(Some(3), 1)));
}
