//! Tests of the outbox: each delivery is claimed by one worker, endpoint by endpoint, and stays in
//! the log.

use helpbot_domain::page::PageRequest;
use helpbot_domain::webhook::{Attempt, Delivery, DeliveryFilter, DeliveryStatus, Webhook};
use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use helpbot_db::backlog::{self, WaitingRows};
use helpbot_db::jobs::Lease;
use helpbot_db::{Db, Error, attempts, deliveries, outbox, webhooks};
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{EventId, WebhookId};
use uuid::Uuid;

use crate::make::{self, NOW, later};
use crate::webhooks::stored_webhook;

on_both_backends!(
    a_delivery_and_its_attempts_are_read_as_written,
    an_endpoint_has_at_most_one_delivery_per_event,
    due_endpoints_are_returned_longest_overdue_first,
    an_endpoint_is_found_behind_a_large_backlog_of_another,
    an_endpoint_is_paused_until_its_pause_ends,
    eight_workers_at_once_share_the_deliveries_without_overlap,
    a_lease_of_a_crashed_worker_or_of_an_earlier_clock_blocks_nobody,
    a_worker_that_lost_its_lease_records_nothing,
    a_group_of_deliveries_is_recorded_together_and_only_by_their_lease_owner,
    deliveries_that_were_postponed_too_far_are_moved_forward,
    deliveries_of_a_crashed_server_can_be_released_at_once,
    a_canceled_delivery_starts_again_when_restarted,
    the_log_is_filtered_and_paged_both_ways,
    old_deliveries_are_deleted_with_their_attempts,
    the_old_deliveries_of_a_site_are_deleted_in_groups_in_any_state,
    due_and_later_deliveries_are_counted_for_monitoring,
);

const LEASE: Duration = Duration::from_secs(60);
const DAY_MS: i64 = 86_400_000;
const NONE: [Uuid; 0] = [];

fn lease(owner: &str, now: Timestamp) -> Lease {
    Lease { owner: owner.into(), now, until: now.plus(LEASE) }
}

fn delivery(webhook: &Webhook, due_at: Timestamp) -> Delivery {
    Delivery {
        id: make::uuid(),
        site_id: webhook.site_id,
        webhook_id: webhook.id,
        event_id: EventId::from_uuid(make::uuid()),
        event_type: "conversation.created".into(),
        event_seq: Some(7),
        event_at: NOW,
        body: r#"{"event":"conversation.created","data":{"question":"ü"}}"#.into(),
        status: DeliveryStatus::Pending,
        run_attempts: 0,
        attempts: 0,
        due_at,
        created_at: NOW,
        finished_at: None,
    }
}

async fn stored(db: &Db, webhook: &Webhook, due_at: Timestamp) -> Delivery {
    let delivery = delivery(webhook, due_at);
    let new = delivery.clone();
    commit!(db, |c| deliveries::insert(c, &new));
    delivery
}

/// Claims at most `limit` deliveries of each endpoint.
async fn claim(db: &Db, owner: &str, now: Timestamp, limit: i64) -> Vec<Uuid> {
    let lease = lease(owner, now);
    commit!(db, |c| async move {
        let mut ids = Vec::new();
        for webhook in outbox::due_endpoints(c, now).await? {
            ids.extend(outbox::claimable(c, &lease, webhook, limit).await?);
        }
        let taken = outbox::claim(c, &ids, &lease).await?;
        Ok(taken.iter().map(|(delivery, _)| delivery.id).collect())
    })
}

fn attempt(delivery: &Delivery, number: i32) -> Attempt {
    Attempt {
        site_id: delivery.site_id,
        delivery_id: delivery.id,
        number,
        url: "https://example.com/hook".into(),
        status: Some(500),
        error: None,
        error_text: None,
        dns_ms: None,
        connect_ms: Some(3),
        first_byte_ms: Some(5),
        total_ms: 6,
        request_headers: r#"[["content-type","application/json"]]"#.into(),
        response_headers: r#"[["server","x"]]"#.into(),
        response: "no\u{fc}".into(),
        started_at: NOW,
    }
}

async fn a_delivery_and_its_attempts_are_read_as_written(db: &Db) {
    let site = make::stored_site(db).await;
    let webhook = stored_webhook(db, site).await;
    let delivery = stored(db, &webhook, NOW).await;
    let other = make::stored_site(db).await;
    let (first, second) = (attempt(&delivery, 1), attempt(&delivery, 2));

    let new = [second.clone(), first.clone()];
    for attempt in new {
        commit!(db, |c| attempts::insert(c, &attempt));
    }

    assert_eq!(read!(db, |c| deliveries::by_id(c, site, delivery.id)), Some(delivery.clone()));
    assert_eq!(read!(db, |c| deliveries::by_id(c, other, delivery.id)), None);
    assert_eq!(read!(db, |c| deliveries::by_ids(c, site, &[delivery.id])), std::slice::from_ref(&delivery));
    assert_eq!(read!(db, |c| deliveries::by_ids(c, other, &[delivery.id])), []);
    assert_eq!(read!(db, |c| attempts::of(c, site, &[delivery.id])), [first, second]);
    assert_eq!(read!(db, |c| attempts::of(c, other, &[delivery.id])), []);
}

async fn an_endpoint_has_at_most_one_delivery_per_event(db: &Db) {
    let site = make::stored_site(db).await;
    let (webhook, second) = (stored_webhook(db, site).await, stored_webhook(db, site).await);
    let first = stored(db, &webhook, NOW).await;
    let again = Delivery { id: make::uuid(), ..first.clone() };
    let elsewhere = Delivery { id: make::uuid(), webhook_id: second.id, ..first };

    assert!(matches!(try_commit!(db, |c| deliveries::insert(c, &again)), Err(Error::Conflict { .. })));
    assert!(try_commit!(db, |c| deliveries::insert(c, &elsewhere)).is_ok());
}

async fn due_endpoints_are_returned_longest_overdue_first(db: &Db) {
    let site = make::stored_site(db).await;
    let (webhook, later_one) = (stored_webhook(db, site).await, stored_webhook(db, site).await);
    let second = stored(db, &webhook, later(2)).await.id;
    let first = stored(db, &webhook, later(1)).await.id;
    let third = stored(db, &later_one, later(3)).await.id;
    let not_yet = stored(db, &webhook, later(60)).await.id;

    assert!(!read!(db, |c| outbox::is_due(c, NOW)));
    assert!(read!(db, |c| outbox::is_due(c, later(1))));
    assert_eq!(read!(db, |c| outbox::due_endpoints(c, NOW)), []);
    assert_eq!(read!(db, |c| outbox::due_endpoints(c, later(2))), [webhook.id]);
    assert_eq!(read!(db, |c| outbox::due_endpoints(c, later(10))), [webhook.id, later_one.id]);
    let (id, at) = (webhook.id, lease("w", later(10)));
    assert_eq!(commit!(db, |c| async move { outbox::claimable(c, &at, id, 1).await }), [first]);
    assert_eq!(claim(db, "w", later(10), 9).await, [first, second, third]);
    assert_eq!(claim(db, "v", later(60), 9).await, [not_yet]);
}

async fn an_endpoint_is_found_behind_a_large_backlog_of_another(db: &Db) {
    const MANY: usize = 300;
    let site = make::stored_site(db).await;
    let (busy, quiet) = (stored_webhook(db, site).await, stored_webhook(db, site).await);
    let idle = stored_webhook(db, site).await;
    let many: Vec<Delivery> = (0..MANY).map(|_| delivery(&busy, NOW)).collect();
    commit!(db, |c| async move {
        for delivery in &many {
            deliveries::insert(c, delivery).await?;
        }
        Ok(())
    });
    stored(db, &quiet, later(1)).await;
    stored(db, &idle, later(60)).await;

    assert_eq!(read!(db, |c| outbox::due_endpoints(c, later(10))), [busy.id, quiet.id]);
}

async fn an_endpoint_is_paused_until_its_pause_ends(db: &Db) {
    let site = make::stored_site(db).await;
    let (paused, _) = (stored_webhook(db, site).await, stored_webhook(db, site).await);
    let until = |paused_until| Webhook { paused_until, ..paused.clone() };
    let resting = until(Some(later(50)));
    commit!(db, |c| webhooks::update(c, &resting));

    assert_eq!(read!(db, |c| webhooks::resting(c, later(49), DAY_MS)), [paused.id]);
    assert_eq!(read!(db, |c| webhooks::resting(c, later(50), DAY_MS)), []);
    // A pause that was set before the clock was set back is ignored.
    let endless = until(Some(later(10 * 86_400)));
    commit!(db, |c| webhooks::update(c, &endless));
    assert_eq!(read!(db, |c| webhooks::resting(c, NOW, DAY_MS)), []);
}

async fn eight_workers_at_once_share_the_deliveries_without_overlap(db: &Db) {
    const DELIVERIES: usize = 60;
    let site = make::stored_site(db).await;
    let webhook = stored_webhook(db, site).await;
    for _ in 0..DELIVERIES {
        stored(db, &webhook, NOW).await;
    }

    let worker = |n: usize| async move {
        let mut mine = Vec::new();
        loop {
            let some = claim(db, &format!("w{n}"), NOW, 3).await;
            if some.is_empty() {
                return mine;
            }
            mine.extend(some);
        }
    };
    let claimed: Vec<Uuid> = join_all((0..8).map(worker)).await.into_iter().flatten().collect();
    let rest = claim(db, "last", NOW, 100).await;

    let all: BTreeSet<Uuid> = claimed.iter().chain(&rest).copied().collect();
    assert_eq!((claimed.len() + rest.len(), all.len()), (DELIVERIES, DELIVERIES));
}

async fn a_lease_of_a_crashed_worker_or_of_an_earlier_clock_blocks_nobody(db: &Db) {
    let site = make::stored_site(db).await;
    let webhook = stored_webhook(db, site).await;
    let id = stored(db, &webhook, NOW).await.id;

    assert_eq!(claim(db, "dead", later(86_400), 9).await, [id]);
    assert_eq!(claim(db, "back", NOW, 9).await, [id], "the clock was set back by a day");
    assert_eq!(claim(db, "other", later(60), 9).await, NONE);
    assert_eq!(claim(db, "other", later(61), 9).await, [id]);
    commit!(db, |c| outbox::release(c, &[id], "back"));
    assert_eq!(claim(db, "third", later(62), 9).await, NONE);
    commit!(db, |c| outbox::release(c, &[id], "other"));
    assert_eq!(claim(db, "third", later(62), 9).await, [id]);
}

async fn a_worker_that_lost_its_lease_records_nothing(db: &Db) {
    let site = make::stored_site(db).await;
    let webhook = stored_webhook(db, site).await;
    let delivery = stored(db, &webhook, NOW).await;
    claim(db, "late", NOW, 9).await;
    claim(db, "now", later(3600), 9).await;
    let ended = Delivery {
        status: DeliveryStatus::Delivered,
        run_attempts: 1,
        attempts: 1,
        finished_at: Some(later(9)),
        ..delivery.clone()
    };

    let record = async |owner: &'static str| -> bool {
        let ended = ended.clone();
        commit!(db, |c| outbox::record_attempt(c, &ended, owner))
    };
    assert!(!record("late").await);
    assert!(record("now").await);
    assert!(!record("now").await);

    assert_eq!(read!(db, |c| deliveries::by_id(c, site, delivery.id)), Some(ended));
    assert_eq!(claim(db, "third", later(9999), 9).await, NONE);
}

async fn a_group_of_deliveries_is_recorded_together_and_only_by_their_lease_owner(db: &Db) {
    let site = make::stored_site(db).await;
    let webhook = stored_webhook(db, site).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(stored(db, &webhook, NOW).await.id);
    }
    let own = claim(db, "w", NOW, 2).await;
    let other = claim(db, "v", NOW, 2).await;

    let all = ids.clone();
    let written = commit!(db, |c| outbox::record_delivered(c, &all, "w", later(1)));
    let records: Vec<Attempt> = {
        let of = async |id| read!(db, |c| deliveries::by_id(c, site, id)).expect("the row");
        let mut records = Vec::new();
        for id in &own {
            records.push(attempt(&of(*id).await, 1));
        }
        records
    };
    let new = records.clone();
    commit!(db, |c| attempts::insert_all(c, &new));

    let numbers: BTreeSet<_> = written.into_iter().collect();
    assert_eq!(numbers, own.iter().map(|id| (*id, 1)).collect());
    for id in &own {
        let row = read!(db, |c| deliveries::by_id(c, site, *id)).expect("the row");
        assert_eq!((row.status, row.attempts, row.run_attempts), (DeliveryStatus::Delivered, 1, 1));
        assert_eq!(row.finished_at, Some(later(1)));
    }
    assert_eq!(read!(db, |c| attempts::of(c, site, &own)), records);
    let row = read!(db, |c| deliveries::by_id(c, site, other[0])).expect("the row");
    assert_eq!((row.status, row.attempts), (DeliveryStatus::Pending, 0));
}

async fn deliveries_that_were_postponed_too_far_are_moved_forward(db: &Db) {
    let site = make::stored_site(db).await;
    let webhook = stored_webhook(db, site).await;
    let far = stored(db, &webhook, later(9000)).await.id;
    let near = stored(db, &webhook, later(5)).await.id;

    assert_eq!(commit!(db, |c| outbox::pull_in(c, 1, later(10))), 0);
    assert_eq!(commit!(db, |c| outbox::pull_in(c, 0, later(10))), 1);

    assert_eq!(claim(db, "w", later(9), 9).await, [near]);
    assert_eq!(claim(db, "w", later(10), 9).await, [far]);
}

async fn deliveries_of_a_crashed_server_can_be_released_at_once(db: &Db) {
    let site = make::stored_site(db).await;
    let webhook = stored_webhook(db, site).await;
    let held = stored(db, &webhook, NOW).await.id;
    claim(db, "dead", NOW, 9).await;
    assert_eq!(claim(db, "w", later(1), 9).await, NONE);

    assert_eq!(commit!(db, |c| outbox::release_of(c, "de")), 1);

    assert_eq!(claim(db, "w", later(1), 9).await, [held]);
}

async fn a_canceled_delivery_starts_again_when_restarted(db: &Db) {
    let site = make::stored_site(db).await;
    let (webhook, second) = (stored_webhook(db, site).await, stored_webhook(db, site).await);
    let id = stored(db, &webhook, later(50)).await.id;
    stored(db, &second, NOW).await;
    let webhook_id: WebhookId = webhook.id;

    assert!(commit!(db, |c| deliveries::hurry(c, site, id, NOW)));
    assert_eq!(commit!(db, |c| deliveries::cancel(c, site, webhook_id, later(1))), 1);
    assert!(!commit!(db, |c| deliveries::hurry(c, site, id, NOW)));
    let cancelled = read!(db, |c| deliveries::by_id(c, site, id)).expect("the row");
    assert_eq!((cancelled.status, cancelled.finished_at), (DeliveryStatus::Cancelled, Some(later(1))));
    assert_eq!(commit!(db, |c| deliveries::restart(c, site, &[id], later(2))), 1);

    let again = read!(db, |c| deliveries::by_id(c, site, id)).expect("the row");
    assert_eq!((again.status, again.due_at, again.finished_at), (DeliveryStatus::Pending, later(2), None));
}

async fn the_log_is_filtered_and_paged_both_ways(db: &Db) {
    let site = make::stored_site(db).await;
    let webhook = stored_webhook(db, site).await;
    let mut ids = Vec::new();
    for n in 0..5 {
        let new = Delivery { event_at: later(n), ..delivery(&webhook, NOW) };
        ids.push(new.id);
        commit!(db, |c| deliveries::insert(c, &new));
    }
    let id = webhook.id;
    let list = async |filter: DeliveryFilter, page: PageRequest<Uuid>| -> Vec<Uuid> {
        read!(db, |c| deliveries::list(c, site, id, &filter, page)).iter().map(|delivery| delivery.id).collect()
    };
    let page = PageRequest::first;

    assert_eq!(list(DeliveryFilter::default(), page(2)).await, [ids[4], ids[3]]);
    assert_eq!(list(DeliveryFilter::default(), PageRequest::after(Some(ids[3]), 2)).await, [ids[2], ids[1]]);
    let backward = PageRequest { from: Some(ids[1]), is_backward: true, limit: 2 };
    assert_eq!(list(DeliveryFilter::default(), backward).await, [ids[2], ids[3]]);
    let recent = DeliveryFilter { since: Some(later(3)), ..DeliveryFilter::default() };
    assert_eq!(list(recent.clone(), page(9)).await, [ids[4], ids[3]]);
    assert_eq!(read!(db, |c| deliveries::count(c, site, id, &recent)), 2);
    let failed = DeliveryFilter { status: Some(DeliveryStatus::Failed), ..DeliveryFilter::default() };
    assert_eq!(list(failed, page(9)).await, NONE);
    let pings = DeliveryFilter { event_type: Some("ping".into()), ..DeliveryFilter::default() };
    assert_eq!(list(pings, page(9)).await, NONE);
}

async fn old_deliveries_are_deleted_with_their_attempts(db: &Db) {
    let site = make::stored_site(db).await;
    let webhook = stored_webhook(db, site).await;
    let (old, waiting) = (stored(db, &webhook, NOW).await, stored(db, &webhook, NOW).await);
    claim(db, "w", NOW, 1).await;
    let ended = Delivery { status: DeliveryStatus::Failed, finished_at: Some(later(1)), ..old.clone() };
    commit!(db, |c| outbox::record_attempt(c, &ended, "w"));
    let kept = attempt(&old, 1);
    commit!(db, |c| attempts::insert(c, &kept));

    assert_eq!(commit!(db, |c| deliveries::delete_before(c, later(1), 10)), 0);
    assert_eq!(commit!(db, |c| deliveries::delete_before(c, later(2), 10)), 1);

    assert_eq!(read!(db, |c| deliveries::by_id(c, site, old.id)), None);
    assert_eq!(read!(db, |c| attempts::of(c, site, &[old.id])), []);
    assert!(read!(db, |c| deliveries::by_id(c, site, waiting.id)).is_some());
}

async fn due_and_later_deliveries_are_counted_for_monitoring(db: &Db) {
    let site = make::stored_site(db).await;
    let webhook = stored_webhook(db, site).await;
    for due in [later(1), later(2), later(30)] {
        stored(db, &webhook, due).await;
    }

    let due = read!(db, |c| backlog::due_deliveries(c, later(10)));
    let after = read!(db, |c| backlog::later_deliveries(c, later(10)));

    assert_eq!(due, WaitingRows { number: 2, first_due_at: Some(later(1)) });
    assert_eq!(after, WaitingRows { number: 1, first_due_at: Some(later(30)) });
}

async fn the_old_deliveries_of_a_site_are_deleted_in_groups_in_any_state(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let (webhook, of_other) = (stored_webhook(db, site).await, stored_webhook(db, other).await);
    let mut all = Vec::new();
    for second in 0..4 {
        let new = Delivery { created_at: later(second), ..delivery(&webhook, NOW) };
        all.push(new.id);
        commit!(db, |c| deliveries::insert(c, &new));
    }
    let kept = stored(db, &of_other, NOW).await;

    let groups = [
        commit!(db, |c| deliveries::delete_of_site_before(c, site, later(3), 2)),
        commit!(db, |c| deliveries::delete_of_site_before(c, site, later(3), 2)),
        commit!(db, |c| deliveries::delete_of_site_before(c, site, later(3), 2)),
    ];

    assert_eq!(groups, [2, 1, 0]);
    let left = read!(db, |c| deliveries::by_ids(c, site, &all));
    assert_eq!(left.iter().map(|row| row.id).collect::<Vec<_>>(), all[3..]);
    assert!(read!(db, |c| deliveries::by_id(c, other, kept.id)).is_some());
}
