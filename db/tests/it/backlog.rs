//! Tests of the backlog: jobs by kind and state, and deliveries by due time.

use helpbot_db::Db;
use helpbot_db::backlog::{self, JobBacklog, WaitingRows};
use helpbot_db::jobs::{self, Lease};
use helpbot_domain::job::Job;

use crate::make::{self, NOW, later};

on_both_backends!(jobs_are_counted_by_kind_and_state, without_work_nothing_waits);

async fn jobs_are_counted_by_kind_and_state(db: &Db) {
    let site = make::stored_site(db).await;
    make::stored_job(db, make::job(site, "scrape", NOW)).await;
    let lease = Lease { owner: "w".into(), now: NOW, until: later(60) };
    commit!(db, |c| jobs::claim(c, &["scrape"], &lease, 1));
    for due in [NOW, later(3)] {
        make::stored_job(db, make::job(site, "mail", due)).await;
    }
    make::stored_job(db, Job { attempts: 1, ..make::job(site, "mail", later(90)) }).await;
    make::stored_job(db, make::job(site, "mail", later(80))).await;

    let counted = read!(db, |c| backlog::jobs(c, later(5)));

    let of = |kind: &str, state: &str, number, due| JobBacklog {
        kind: kind.into(),
        state: state.into(),
        waiting: WaitingRows { number, first_due_at: Some(due) },
    };
    let expected = [
        of("mail", "due", 2, NOW),
        of("mail", "planned", 1, later(80)),
        of("mail", "retrying", 1, later(90)),
        of("scrape", "running", 1, NOW),
    ];
    assert_eq!(counted, expected);
}

async fn without_work_nothing_waits(db: &Db) {
    assert_eq!(read!(db, |c| backlog::jobs(c, NOW)), []);
    assert_eq!(read!(db, |c| backlog::due_deliveries(c, NOW)), WaitingRows::default());
    assert_eq!(read!(db, |c| backlog::later_deliveries(c, NOW)), WaitingRows::default());
}
