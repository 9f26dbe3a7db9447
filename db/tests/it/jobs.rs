//! Tests of jobs: each job is claimed by one worker.

use helpbot_domain::job::Job;
use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use helpbot_db::jobs::Lease;
use helpbot_db::{Db, jobs};
use helpbot_domain::Timestamp;
use helpbot_domain::ids::JobId;

use crate::make::{self, NOW, later};

on_both_backends!(
    a_claimed_job_is_returned_and_its_attempt_counted,
    due_jobs_are_claimed_longest_overdue_first,
    eight_workers_at_once_share_the_jobs_without_overlap,
    a_job_of_a_crashed_worker_goes_to_another_when_the_lease_expires,
    the_jobs_of_a_killed_server_are_released_by_the_name_of_its_leases,
    a_worker_that_lost_its_lease_changes_nothing,
    a_failed_job_waits_until_it_is_due_again,
    two_unfinished_jobs_never_share_a_deduplication_key,
    a_job_can_be_canceled_only_for_its_own_site,
    unfinished_jobs_are_listed_by_kind_and_site_and_can_be_moved_forward,
);

const LEASE: Duration = Duration::from_secs(60);

fn lease(owner: &str, now: Timestamp) -> Lease {
    Lease { owner: owner.into(), now, until: now.plus(LEASE) }
}

async fn claim(db: &Db, owner: &str, now: Timestamp, limit: i64) -> Vec<Job> {
    let lease = lease(owner, now);
    commit!(db, |c| jobs::claim(c, &["scrape", "mail"], &lease, limit))
}

fn ids(jobs: &[Job]) -> Vec<JobId> {
    jobs.iter().map(|job| job.id).collect()
}

async fn a_claimed_job_is_returned_and_its_attempt_counted(db: &Db) {
    let site = make::stored_site(db).await;
    let job = Job { dedupe: Some("d".into()), payload: r#"{"ü":1}"#.into(), ..make::job(site, "scrape", NOW) };
    make::stored_job(db, job.clone()).await;

    let claimed = claim(db, "w", NOW, 10).await;

    assert_eq!(claimed, [Job { attempts: 1, ..job }]);
}

async fn due_jobs_are_claimed_longest_overdue_first(db: &Db) {
    let site = make::stored_site(db).await;
    let second = make::stored_job(db, make::job(site, "scrape", later(2))).await;
    let first = make::stored_job(db, make::job(site, "mail", later(1))).await;
    make::stored_job(db, make::job(site, "erase", NOW)).await;
    let not_yet = make::stored_job(db, make::job(site, "scrape", later(4))).await;
    let third = make::stored_job(db, make::job(site, "mail", later(3))).await;

    assert_eq!(ids(&claim(db, "w", later(3), 2).await), [first.id, second.id]);
    assert_eq!(ids(&claim(db, "w", later(3), 2).await), [third.id]);
    assert_eq!(ids(&claim(db, "w", later(3), 2).await), []);
    assert_eq!(ids(&claim(db, "w", later(4), 2).await), [not_yet.id]);
}

async fn eight_workers_at_once_share_the_jobs_without_overlap(db: &Db) {
    const JOBS: usize = 60;
    let site = make::stored_site(db).await;
    for _ in 0..JOBS {
        make::stored_job(db, make::job(site, "scrape", NOW)).await;
    }

    let worker = |n: usize| async move {
        let mut mine = Vec::new();
        loop {
            let some = claim(db, &format!("w{n}"), NOW, 3).await;
            if some.is_empty() {
                return mine;
            }
            mine.extend(ids(&some));
        }
    };
    let claimed: Vec<JobId> = join_all((0..8).map(worker)).await.into_iter().flatten().collect();
    // A worker may get no job while others hold the rows that it looked at. The remaining jobs are
    // still there.
    let rest = claim(db, "last", NOW, 100).await;

    let all: BTreeSet<JobId> = claimed.iter().copied().chain(ids(&rest)).collect();
    assert_eq!(claimed.len() + rest.len(), JOBS);
    assert_eq!(all.len(), JOBS);
}

async fn a_job_of_a_crashed_worker_goes_to_another_when_the_lease_expires(db: &Db) {
    let site = make::stored_site(db).await;
    let job = make::stored_job(db, make::job(site, "scrape", NOW)).await;
    claim(db, "dead", NOW, 1).await;
    let end = NOW.plus(LEASE);

    assert_eq!(claim(db, "other", end, 1).await, []);
    let again = claim(db, "other", end.plus(Duration::from_millis(1)), 1).await;

    assert_eq!(again, [Job { attempts: 2, ..job }]);
}

async fn the_jobs_of_a_killed_server_are_released_by_the_name_of_its_leases(db: &Db) {
    let site = make::stored_site(db).await;
    let job = make::stored_job(db, make::job(site, "scrape", NOW)).await;
    claim(db, "node-1_-a", NOW, 1).await;

    assert_eq!(commit!(db, |c| jobs::release_of(c, "node-2_-")), 0);
    assert_eq!(commit!(db, |c| jobs::release_of(c, "node-1%-")), 0, "a wildcard is a character");
    assert_eq!(claim(db, "w", later(1), 1).await, []);
    assert_eq!(commit!(db, |c| jobs::release_of(c, "node-1_-")), 1);

    assert_eq!(ids(&claim(db, "w", later(1), 1).await), [job.id]);
}

async fn a_worker_that_lost_its_lease_changes_nothing(db: &Db) {
    let site = make::stored_site(db).await;
    let id = make::stored_job(db, make::job(site, "scrape", NOW)).await.id;
    claim(db, "late", NOW, 1).await;
    let much_later = later(3600);
    assert_eq!(ids(&claim(db, "now", much_later, 1).await), [id]);

    let renewal = lease("late", much_later);
    assert!(!commit!(db, |c| jobs::renew(c, id, &renewal)));
    assert!(!commit!(db, |c| jobs::retry(c, id, "late", NOW, "too late")));
    assert!(!commit!(db, |c| jobs::finish(c, id, "late")));

    let renewal = lease("now", much_later.plus(LEASE / 2));
    assert!(commit!(db, |c| jobs::renew(c, id, &renewal)));
    assert_eq!(claim(db, "third", much_later.plus(LEASE + LEASE / 4), 1).await, []);
    assert!(commit!(db, |c| jobs::finish(c, id, "now")));
    assert!(!commit!(db, |c| jobs::finish(c, id, "now")));
    assert_eq!(claim(db, "third", later(9999), 1).await, []);
}

async fn a_failed_job_waits_until_it_is_due_again(db: &Db) {
    let site = make::stored_site(db).await;
    let job = make::stored_job(db, make::job(site, "mail", NOW)).await;
    claim(db, "w", NOW, 1).await;

    let id = job.id;
    assert!(commit!(db, |c| jobs::retry(c, id, "w", later(30), "connection refused")));

    assert_eq!(claim(db, "w", later(29), 1).await, []);
    let again = claim(db, "other", later(30), 1).await;
    let last_error = Some("connection refused".into());
    assert_eq!(again, [Job { attempts: 2, due_at: later(30), last_error, ..job }]);
}

async fn two_unfinished_jobs_never_share_a_deduplication_key(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let named = |site, kind| Job { dedupe: Some("src_1".into()), ..make::job(site, kind, NOW) };
    let first = make::stored_job(db, named(site, "scrape")).await;

    let (again, other_kind, elsewhere) = (named(site, "scrape"), named(site, "mail"), named(other, "scrape"));
    assert!(!commit!(db, |c| jobs::insert(c, &again)));
    assert!(commit!(db, |c| jobs::insert(c, &other_kind)));
    assert!(commit!(db, |c| jobs::insert(c, &elsewhere)));
    make::stored_job(db, make::job(site, "scrape", NOW)).await;
    make::stored_job(db, make::job(site, "scrape", NOW)).await;

    claim(db, "w", NOW, 1).await;
    let id = first.id;
    assert!(commit!(db, |c| jobs::finish(c, id, "w")));
    make::stored_job(db, named(site, "scrape")).await;
}

async fn a_job_can_be_canceled_only_for_its_own_site(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let job = make::stored_job(db, Job { dedupe: Some("d".into()), ..make::job(site, "scrape", NOW) }).await;

    commit!(db, |c| jobs::cancel(c, other, "scrape", "d"));
    commit!(db, |c| jobs::cancel(c, site, "mail", "d"));
    assert_eq!(ids(&claim(db, "w", NOW, 9).await), [job.id]);
    commit!(db, |c| jobs::cancel(c, site, "scrape", "d"));

    assert_eq!(claim(db, "w", later(9999), 9).await, []);
}

async fn unfinished_jobs_are_listed_by_kind_and_site_and_can_be_moved_forward(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let first = make::stored_job(db, make::job(site, "mail", later(9000))).await;
    make::stored_job(db, make::job(site, "scrape", later(9000))).await;
    let second = make::stored_job(db, make::job(other, "mail", NOW)).await;

    assert_eq!(ids(&read!(db, |c| jobs::waiting(c, Some(site), &["mail"], 9))), [first.id]);
    assert_eq!(ids(&read!(db, |c| jobs::waiting(c, None, &["mail"], 9))), [first.id, second.id]);
    assert_eq!(ids(&read!(db, |c| jobs::waiting(c, None, &["mail"], 1))), [first.id]);
    assert_eq!(commit!(db, |c| jobs::pull_in(c, &["mail"], later(10))), 1);
    assert_eq!(ids(&claim(db, "w", later(10), 9).await), [second.id, first.id]);
}
