//! Endpoints and replays: kept whole, found by their own site alone, gone with their deliveries.

use helpbot_db::replays::LogWindow;
use helpbot_db::{Db, events, replays, sites, webhooks};
use helpbot_domain::event::EventType;
use helpbot_domain::ids::{ReplayId, SiteId, WebhookId};
use helpbot_domain::webhook::{DisabledReason, Failing, Overlap, Replay, SealedSecret, Webhook};

use crate::make::{self, NOW, later};

on_both_backends!(
    an_endpoint_is_read_completely_and_only_by_its_own_site,
    a_success_clears_failures_and_pauses_and_nothing_else,
    deleting_a_site_deletes_its_endpoints,
    the_progress_of_a_replay_is_stored,
    a_window_of_the_log_contains_only_its_events,
);

fn webhook(site: SiteId) -> Webhook {
    Webhook {
        site_id: site,
        id: WebhookId::from_uuid(make::uuid()),
        url: "https://example.com/hook?a=ü".into(),
        events: EventType::WEBHOOK.to_vec(),
        description: None,
        secret: SealedSecret { bytes: vec![1, 0, 255], last4: "9fQ=".into() },
        overlap: None,
        disabled: None,
        failing: None,
        paused_until: None,
        created_at: NOW,
        updated_at: NOW,
    }
}

pub async fn stored_webhook(db: &Db, site: SiteId) -> Webhook {
    let webhook = webhook(site);
    let new = webhook.clone();
    commit!(db, |c| webhooks::insert(c, &new));
    webhook
}

/// The endpoint with everything that it can have.
fn troubled(webhook: &Webhook) -> Webhook {
    Webhook {
        events: vec![EventType::ConversationHandoff],
        description: Some("CRM".into()),
        overlap: Some(Overlap {
            secret: SealedSecret { bytes: vec![2, 7], last4: "abcd".into() },
            until: Some(later(9)),
        }),
        disabled: Some(DisabledReason::Failing),
        failing: Some(Failing { since: later(1), first_event: NOW, last_event: later(2) }),
        paused_until: Some(later(3)),
        updated_at: later(4),
        ..webhook.clone()
    }
}

async fn an_endpoint_is_read_completely_and_only_by_its_own_site(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let first = stored_webhook(db, site).await;
    let second = stored_webhook(db, site).await;
    let changed = troubled(&second);

    let new = changed.clone();
    commit!(db, |c| webhooks::update(c, &new));

    assert_eq!(read!(db, |c| webhooks::list(c, site)), [first.clone(), changed.clone()]);
    assert_eq!(commit!(db, |c| webhooks::by_id_locked(c, site, second.id)), Some(changed));
    assert_eq!(read!(db, |c| webhooks::by_id(c, other, first.id)), None);
    assert!(!commit!(db, |c| webhooks::delete(c, other, first.id)));
    assert!(commit!(db, |c| webhooks::delete(c, site, first.id)));
    assert!(!commit!(db, |c| webhooks::delete(c, site, first.id)));
}

async fn a_success_clears_failures_and_pauses_and_nothing_else(db: &Db) {
    let site = make::stored_site(db).await;
    let stored = stored_webhook(db, site).await;
    let failing = Webhook { disabled: None, ..troubled(&stored) };
    let new = failing.clone();
    commit!(db, |c| webhooks::update(c, &new));

    commit!(db, |c| webhooks::recovered(c, site, stored.id));

    let well = Webhook { failing: None, paused_until: None, ..failing };
    assert_eq!(read!(db, |c| webhooks::by_id(c, site, stored.id)), Some(well));
}

async fn deleting_a_site_deletes_its_endpoints(db: &Db) {
    let site = make::stored_site(db).await;
    stored_webhook(db, site).await;

    assert!(commit!(db, |c| sites::delete(c, site)));

    assert_eq!(read!(db, |c| webhooks::list(c, site)), []);
}

async fn the_progress_of_a_replay_is_stored(db: &Db) {
    let site = make::stored_site(db).await;
    let webhook = stored_webhook(db, site).await;
    let replay = |id| Replay {
        site_id: site,
        id,
        webhook_id: webhook.id,
        event_type: Some(EventType::ConversationFeedback),
        since: NOW,
        last_seq: 40,
        walked_seq: 0,
        total: 9,
        checked: 0,
        replayed: 0,
        created_at: NOW,
        finished_at: None,
    };
    let (older, newer) = (replay(ReplayId::from_uuid(make::uuid())), replay(ReplayId::from_uuid(make::uuid())));
    let done = Replay { walked_seq: 40, checked: 9, replayed: 2, finished_at: Some(later(5)), ..newer.clone() };

    let all = [older.clone(), newer.clone(), done.clone()];
    for replay in all {
        commit!(db, |c| replays::put(c, &replay));
    }

    assert_eq!(read!(db, |c| replays::by_id(c, site, older.id)), Some(older));
    assert_eq!(read!(db, |c| replays::by_id(c, site, newer.id)), Some(done.clone()));
    assert_eq!(read!(db, |c| replays::last(c, site, webhook.id)), Some(done));
}

async fn a_window_of_the_log_contains_only_its_events(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    for second in 0..4 {
        let new = vec![make::event()];
        commit!(db, |c| events::append(c, site, later(second), new));
    }
    let new = vec![make::event()];
    commit!(db, |c| events::append(c, other, NOW, new));
    let window = |after, last, since, kind| LogWindow { after, last, since: later(since), types: vec![kind] };
    let found = async |window: LogWindow| -> (Vec<i64>, i64) {
        let events = read!(db, |c| replays::events(c, site, &window, 10));
        (events.iter().map(|event| event.seq).collect(), read!(db, |c| replays::count_events(c, site, &window)))
    };

    assert_eq!(found(window(1, 3, 0, EventType::ConversationCreated)).await, (vec![2, 3], 2));
    assert_eq!(found(window(0, 9, 2, EventType::ConversationCreated)).await, (vec![3, 4], 2));
    assert_eq!(found(window(0, 9, 0, EventType::ConversationFeedback)).await, (vec![], 0));
}
