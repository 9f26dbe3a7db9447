//! Counts of answers that somebody judged.

use helpbot_db::judged_answers::JudgedAnswers;
use helpbot_db::{Db, judged_answers};
use helpbot_domain::promise::Judged;

use crate::make;

on_both_backends!(assessments_add_up_and_are_taken_back, the_last_run_of_the_cases_counts,);

async fn assessments_add_up_and_are_taken_back(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);

    commit!(db, |c| judged_answers::add(c, site, Judged { answers: 3, wrong: 2 }));
    commit!(db, |c| judged_answers::add(c, site, Judged { answers: -1, wrong: -1 }));

    let by_people = Judged { answers: 2, wrong: 1 };
    assert_eq!(
        read!(db, |c| judged_answers::of(c, site)),
        Some(JudgedAnswers { by_people, ..JudgedAnswers::default() })
    );
    assert_eq!(read!(db, |c| judged_answers::of(c, other)), Some(JudgedAnswers::default()));
    assert_eq!(read!(db, |c| judged_answers::of(c, make::site().id)), None);
}

async fn the_last_run_of_the_cases_counts(db: &Db) {
    let site = make::stored_site(db).await;

    commit!(db, |c| judged_answers::set_by_cases(c, site, Judged { answers: 9, wrong: 4 }));
    commit!(db, |c| judged_answers::set_by_cases(c, site, Judged { answers: 5, wrong: 1 }));

    let by_cases = Judged { answers: 5, wrong: 1 };
    assert_eq!(
        read!(db, |c| judged_answers::of(c, site)),
        Some(JudgedAnswers { by_cases, ..JudgedAnswers::default() })
    );
}
