//! What was asked lately.

use helpbot_db::topics::RecentQuestion;
use helpbot_db::{Db, topics};
use helpbot_domain::conversation::{Conversation, Outcome};

use crate::make::{self, NOW, later};

on_both_backends!(questions_are_returned_newest_first_without_small_talk, questions_of_another_site_are_not_returned);

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
