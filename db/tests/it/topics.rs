//! What was asked lately.

use helpbot_db::topics::RecentQuestion;
use helpbot_db::{Db, topics};
use helpbot_domain::conversation::{Conversation, Outcome};

use crate::make::{self, NOW, later};

on_both_backends!(
    questions_are_returned_newest_first_without_small_talk,
    questions_of_another_site_are_not_returned,
    questions_continue_after_any_of_them,
    a_dismissed_topic_is_stored_once_until_it_is_restored,
);

fn texts(asked: Vec<RecentQuestion>) -> Vec<(String, bool)> {
    asked.into_iter().map(|asked| (asked.question, asked.is_unanswered)).collect()
}

async fn questions_are_returned_newest_first_without_small_talk(db: &Db) {
    let site = make::stored_site(db).await;
    let outcomes = [Outcome::Declined, Outcome::Answered, Outcome::SmallTalk, Outcome::Suggested, Outcome::Declined];
    for (n, outcome) in (0..).zip(outcomes) {
        let question = format!("question {n}");
        make::stored(db, Conversation { outcome, created_at: later(n), ..make::conversation(site, &question) }).await;
    }
    let question = |n: u64, is_unanswered| (format!("question {n}"), is_unanswered);

    let all = texts(read!(db, |c| topics::all(c, site, NOW, 9)));
    let unanswered = texts(read!(db, |c| topics::unanswered(c, site, NOW, 9)));

    assert_eq!(all, [question(4, true), question(3, true), question(1, false), question(0, true)]);
    assert_eq!(unanswered, [question(4, true), question(3, true), question(0, true)]);
    assert_eq!(texts(read!(db, |c| topics::unanswered(c, site, later(1), 1))), [question(4, true)]);
    assert_eq!(texts(read!(db, |c| topics::all(c, site, later(4), 9))), [question(4, true)]);
}

async fn questions_of_another_site_are_not_returned(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    make::stored(db, Conversation { outcome: Outcome::Declined, ..make::conversation(site, "mine") }).await;

    assert_eq!(read!(db, |c| topics::all(c, other, NOW, 9)), []);
    assert_eq!(read!(db, |c| topics::unanswered(c, other, NOW, 9)), []);
}

async fn questions_continue_after_any_of_them(db: &Db) {
    let site = make::stored_site(db).await;
    for (n, outcome) in (0..).zip([Outcome::Declined, Outcome::SmallTalk, Outcome::Answered, Outcome::Declined]) {
        let question = format!("question {n}");
        // Two of them have the same time.
        let created_at = later(n.min(2));
        make::stored(db, Conversation { outcome, created_at, ..make::conversation(site, &question) }).await;
    }

    let all = read!(db, |c| topics::asked_from(c, site, None, 9));
    let places: Vec<_> = all.iter().map(|asked| asked.at).collect();

    assert!(places.is_sorted() && places.len() == 4, "{all:?}");
    assert_eq!(all.iter().filter(|asked| asked.is_small_talk).count(), 1);
    assert_eq!((all[0].question.as_str(), all[0].is_unanswered), ("question 0", true));
    let last = places[3];
    for (place, at) in places.iter().enumerate() {
        let (at, left) = (*at, i64::try_from(places.len() - place - 1).expect("a small number"));
        let rest = read!(db, |c| topics::asked_from(c, site, Some(at), 9));
        assert_eq!(rest, all[place + 1..]);
        assert_eq!(read!(db, |c| topics::count_up_to(c, site, Some(at), last)), left);
    }
    assert_eq!(read!(db, |c| topics::count_up_to(c, site, None, places[2])), 3);
    assert_eq!(read!(db, |c| topics::asked_from(c, site, None, 1)), all[..1]);
    assert_eq!(read!(db, |c| topics::nth_last(c, site, 3)), Some(places[0]));
    assert_eq!(read!(db, |c| topics::nth_last(c, site, 4)), None);
}

async fn a_dismissed_topic_is_stored_once_until_it_is_restored(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    for hash in ["a", "b", "a"] {
        commit!(db, |c| topics::dismiss(c, site, hash, NOW));
    }

    let mut found = read!(db, |c| topics::dismissed(c, site));
    found.sort();
    let (of_other, both) = (read!(db, |c| topics::dismissed(c, other)), vec!["a".to_owned(), "c".to_owned()]);
    commit!(db, |c| topics::restore(c, site, &both));

    assert_eq!(found, ["a", "b"]);
    assert!(of_other.is_empty());
    assert_eq!(read!(db, |c| topics::dismissed(c, site)), ["b"]);
}
