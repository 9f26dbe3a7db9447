//! Tests of sessions.

use std::time::Duration;

use helpbot_db::{Db, conversations, sessions};
use helpbot_domain::conversation::Conversation;
use uuid::Uuid;

use crate::make;

on_both_backends!(
    a_session_begins_once_per_site,
    of_several_sessions_those_begin_that_do_not_exist,
    the_tokens_of_several_sessions_are_returned,
    a_session_is_proved_by_its_own_token_until_it_is_deleted,
    the_proved_conversations_of_a_session_are_returned,
    the_last_time_of_a_visitor_needs_the_token_of_the_session,
    old_sessions_without_conversations_are_deleted_in_groups,
);

const FIRST: Uuid = Uuid::from_u128(1);
const SECOND: Uuid = Uuid::from_u128(2);

async fn a_session_begins_once_per_site(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);

    assert!(commit!(db, |c| sessions::begin(c, site, "mine", FIRST, make::NOW)));
    assert!(!commit!(db, |c| sessions::begin(c, site, "mine", SECOND, make::NOW)));
    assert!(commit!(db, |c| sessions::begin(c, site, "Mine", SECOND, make::NOW)));
    assert!(commit!(db, |c| sessions::begin(c, other, "mine", SECOND, make::NOW)));
}

async fn of_several_sessions_those_begin_that_do_not_exist(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    commit!(db, |c| sessions::begin(c, site, "b", FIRST, make::NOW));
    commit!(db, |c| sessions::begin(c, other, "a", FIRST, make::NOW));

    let new = [("a", FIRST, make::NOW), ("b", SECOND, make::NOW), ("c", SECOND, make::later(1))];
    let mut begun = commit!(db, |c| sessions::begin_all(c, site, &new));
    begun.sort_unstable();

    assert_eq!(begun, ["a", "c"]);
    assert!(read!(db, |c| sessions::is_proved_by(c, site, "b", FIRST)));
    assert!(read!(db, |c| sessions::is_proved_by(c, site, "c", SECOND)));
}

async fn the_tokens_of_several_sessions_are_returned(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    for (name, token) in [("a", FIRST), ("b", SECOND)] {
        commit!(db, |c| sessions::begin(c, site, name, token, make::NOW));
    }
    commit!(db, |c| sessions::begin(c, other, "c", FIRST, make::NOW));

    let mut tokens = commit!(db, |c| sessions::tokens_locked(c, site, &["a", "b", "c"]));
    tokens.sort_unstable();

    assert_eq!(tokens, [("a".to_owned(), FIRST), ("b".to_owned(), SECOND)]);
}

async fn a_session_is_proved_by_its_own_token_until_it_is_deleted(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    commit!(db, |c| sessions::begin(c, site, "mine", FIRST, make::NOW));

    assert!(read!(db, |c| sessions::is_proved_by(c, site, "mine", FIRST)));
    assert!(commit!(db, |c| sessions::seen(c, site, "mine", FIRST, make::NOW)));
    assert!(!read!(db, |c| sessions::is_proved_by(c, site, "mine", SECOND)));
    assert!(!commit!(db, |c| sessions::seen(c, site, "mine", SECOND, make::NOW)));
    assert!(!read!(db, |c| sessions::is_proved_by(c, other, "mine", FIRST)));
    assert_eq!(commit!(db, |c| sessions::delete(c, site, "mine")), 1);
    assert!(!read!(db, |c| sessions::is_proved_by(c, site, "mine", FIRST)));
}

async fn the_proved_conversations_of_a_session_are_returned(db: &Db) {
    let site = make::stored_site(db).await;
    let proved = Conversation { token_id: Some(FIRST), ..make::conversation(site, "proved") };
    let session = proved.session_id.clone();
    make::stored(db, proved.clone()).await;
    make::stored(db, make::conversation(site, "added by somebody else")).await;

    let found = read!(db, |c| conversations::last_proved(c, site, &session, FIRST, 9));
    assert_eq!(found, [proved]);
    assert_eq!(read!(db, |c| conversations::last_proved(c, site, &session, SECOND, 9)), []);
    assert!(read!(db, |c| conversations::has_session(c, site, &session)));
    let in_use = read!(db, |c| conversations::sessions_in_use(c, site, &[session.as_str(), "another"]));
    assert_eq!(in_use, std::slice::from_ref(&session));
    assert!(!read!(db, |c| conversations::has_session(c, site, "another")));
}

async fn the_last_time_of_a_visitor_needs_the_token_of_the_session(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let names = ["mine".to_owned(), "unknown".to_owned()];
    commit!(db, |c| sessions::begin(c, site, "mine", FIRST, make::NOW));
    commit!(db, |c| sessions::begin(c, other, "mine", FIRST, make::NOW));
    let later = make::NOW.plus(Duration::from_secs(60));

    assert!(commit!(db, |c| sessions::seen(c, site, "mine", FIRST, later)));
    assert!(!commit!(db, |c| sessions::seen(c, other, "mine", SECOND, later)));

    assert_eq!(read!(db, |c| sessions::last_seen(c, site, &names)), [("mine".to_owned(), FIRST, later)]);
    assert_eq!(read!(db, |c| sessions::last_seen(c, other, &names)), [("mine".to_owned(), FIRST, make::NOW)]);
}

async fn old_sessions_without_conversations_are_deleted_in_groups(db: &Db) {
    let site = make::stored_site(db).await;
    for session in ["a", "b", "c", "session 1"] {
        commit!(db, |c| sessions::begin(c, site, session, FIRST, make::NOW));
    }
    commit!(db, |c| sessions::seen(c, site, "b", FIRST, make::later(9)));
    make::stored(db, make::conversation(site, "Are you open?")).await;

    let first = commit!(db, |c| sessions::delete_unused(c, site, "", make::later(5), 3));
    let second = commit!(db, |c| sessions::delete_unused(c, site, "c", make::later(5), 3));
    let third = commit!(db, |c| sessions::delete_unused(c, site, "session 1", make::later(5), 3));

    assert_eq!(first, (2, Some("c".to_owned())));
    assert_eq!(second, (0, Some("session 1".to_owned())), "it has a conversation");
    assert_eq!(third, (0, None));
    assert_eq!(read!(db, |c| sessions::times(c, site, "a")), None);
    assert_eq!(read!(db, |c| sessions::times(c, site, "b")), Some((make::NOW, Some(make::later(9)))));
}
