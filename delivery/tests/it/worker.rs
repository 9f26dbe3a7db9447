//! From an acknowledged event to a recorded attempt, against endpoints of every kind.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::support::{self, Answer, BEGIN, Installation, KeptMail, Receiver, UnsentMail};
use helpbot_delivery::SigningKey;
use helpbot_domain::event::EventType;
use helpbot_domain::webhook::{Delivery, DeliveryStatus, DisabledReason, Webhook};
use helpbot_services::Error;
use helpbot_services::runtime::job_kinds::REPLAY;
use helpbot_services::runtime::jobs;
use helpbot_services::webhooks::{self, RotationStep, WebhookPatch};
use helpbot_services::webhooks::{deliveries, replays};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

fn all_are(status: DeliveryStatus, count: usize) -> impl Fn(&[Delivery]) -> bool {
    move |found| found.len() == count && found.iter().all(|delivery| delivery.status == status)
}

async fn statuses(home: &Installation, webhook: &Webhook, delivery: &Delivery) -> Vec<Option<i32>> {
    let site = Some(webhook.site_id);
    let found = deliveries::attempts(&home.services, &home.viewer, site, &[delivery.id]).await.expect("attempts");
    found.iter().map(|attempt| attempt.status).collect()
}

#[tokio::test]
async fn an_acknowledged_question_reaches_its_webhook_as_documented() {
    let home = Installation::new().await;
    let mut receiver = Receiver::ok().await;
    let (webhook, secret) = home.webhook(&receiver.url).await;
    let _work = home.work("w");

    let conversation = home.ask("Why is the sky blue?").await;

    let (first, second) = (receiver.next().await, receiver.next().await);
    let mut received = [first, second];
    received.sort_by_key(|it| it.header("x-helpbot-sequence").to_owned());
    let [created, unanswered] = &received;
    assert_eq!(created.header("x-helpbot-event"), "conversation.created");
    assert_eq!(unanswered.header("x-helpbot-event"), "conversation.unanswered");
    assert_eq!((created.header("x-helpbot-sequence"), unanswered.header("x-helpbot-sequence")), ("1", "2"));
    assert_eq!(created.header("content-type"), "application/json");
    let key = SigningKey::parse(&secret).expect("a secret");
    assert_eq!(created.header("x-helpbot-signature"), key.page_signature(&created.body));
    let body: serde_json::Value = serde_json::from_slice(&created.body).expect("JSON");
    assert_eq!(body["event"], "conversation.created");
    assert_eq!(body["timestamp"], BEGIN.to_rfc3339());
    assert_eq!(body["data"]["conversationId"], conversation.to_string());
    assert_eq!(body["data"]["question"], "Why is the sky blue?");
    let log = home.deliveries_once("the record", &webhook, all_are(DeliveryStatus::Delivered, 2)).await;
    let kept = log.iter().find(|it| it.event_seq == Some(1)).expect("the first event's delivery");
    assert_eq!(kept.id.to_string(), created.header("x-helpbot-delivery"));
    assert_eq!(kept.body.as_bytes(), created.body);
    assert_eq!(statuses(&home, &webhook, kept).await, [Some(200)]);
}

#[tokio::test]
async fn events_from_before_the_start_of_the_worker_are_delivered() {
    let home = Installation::new().await;
    let mut receiver = Receiver::ok().await;
    let (webhook, _) = home.webhook(&receiver.url).await;

    for number in 0..30 {
        home.ask(&format!("Question {number}?")).await;
    }
    assert!(receiver.arrived().is_empty());
    let _work = home.work("w");

    let log = home.deliveries_once("all", &webhook, all_are(DeliveryStatus::Delivered, 60)).await;
    let ids = |found: Vec<String>| found.into_iter().collect::<BTreeSet<_>>();
    let sent = ids(receiver.arrived().iter().map(|it| it.header("x-helpbot-delivery").to_owned()).collect());
    assert_eq!(sent, ids(log.iter().map(|it| it.id.to_string()).collect()));
}

#[tokio::test]
async fn an_attempt_of_a_crashed_worker_is_repeated_with_the_same_id() {
    let home = Installation::new().await;
    let mut receiver = Receiver::start([Answer::Silence, Answer::Silence], Answer::Status(204)).await;
    let (webhook, _) = home.webhook(&receiver.url).await;
    let dying = home.work("dying");
    home.ask("Is anybody there?").await;
    let died = [receiver.next().await, receiver.next().await];
    drop(dying);

    let _next = home.work("next");
    home.pass(SECOND * 61);

    let again = [receiver.next().await, receiver.next().await];
    let ids = |some: &[support::Received]| {
        some.iter().map(|it| it.header("x-helpbot-delivery").to_owned()).collect::<BTreeSet<_>>()
    };
    assert_eq!(ids(&died), ids(&again));
    home.deliveries_once("the record", &webhook, all_are(DeliveryStatus::Delivered, 2)).await;
}

#[tokio::test]
async fn retries_are_made_when_they_are_due_and_not_before() {
    let home = Installation::new().await;
    let answers = [Answer::Status(500), Answer::With(302, "location", "http://169.254.169.254/".into())];
    let mut receiver = Receiver::start(answers, Answer::Status(200)).await;
    let only = [EventType::ConversationCreated];
    let (webhook, _) = home.try_webhook(receiver.url.as_str(), &only).await.expect("a webhook");
    let _work = home.work("w");
    home.ask("Why?").await;
    let first = receiver.next().await;
    let due = |after: Duration| move |found: &[Delivery]| found[0].due_at == BEGIN.plus(after);

    home.deliveries_once("the first retry's time", &webhook, due(SECOND * 5)).await;
    home.pass(SECOND * 4);
    home.claim_twice().await;
    assert!(receiver.arrived().is_empty());
    home.pass(SECOND);
    let second = receiver.next().await;
    home.deliveries_once("the second retry's time", &webhook, due(SECOND * 305)).await;
    home.pass(SECOND * 300);
    let third = receiver.next().await;

    let log = home.deliveries_once("the end", &webhook, all_are(DeliveryStatus::Delivered, 1)).await;
    assert_eq!(statuses(&home, &webhook, &log[0]).await, [Some(500), Some(302), Some(200)]);
    for again in [second, third] {
        assert_eq!(again.body, first.body);
        assert_eq!(again.header("x-helpbot-delivery"), first.header("x-helpbot-delivery"));
        assert_eq!(again.header("webhook-id"), first.header("webhook-id"));
        assert_ne!(again.header("webhook-timestamp"), first.header("webhook-timestamp"));
    }
    assert_eq!(home.reload(&webhook).await.failing, None);
}

#[tokio::test]
async fn an_endpoint_that_asks_for_a_pause_gets_all_of_it() {
    let home = Installation::new().await;
    let answers = [Answer::With(429, "retry-after", "120".into())];
    let mut receiver = Receiver::start(answers, Answer::Status(200)).await;
    let only = [EventType::ConversationCreated];
    let (webhook, _) = home.try_webhook(receiver.url.as_str(), &only).await.expect("a webhook");
    let _work = home.work("w");
    home.ask("First?").await;
    receiver.next().await;
    home.deliveries_once("the record", &webhook, |found| found[0].attempts == 1).await;
    assert_eq!(home.reload(&webhook).await.paused_until, Some(BEGIN.plus(SECOND * 120)));

    home.ask("Second?").await;
    home.pass(SECOND * 119);
    home.claim_twice().await;
    assert!(receiver.arrived().is_empty());
    home.pass(SECOND * 2);

    home.deliveries_once("both", &webhook, all_are(DeliveryStatus::Delivered, 2)).await;
    assert_eq!(home.reload(&webhook).await.paused_until, None);
}

#[tokio::test]
async fn status_410_disables_the_webhook_cancels_its_deliveries_and_notifies_the_owner_once() {
    let home = Installation::new().await;
    let mut receiver = Receiver::start([], Answer::Status(410)).await;
    let (webhook, _) = home.webhook(&receiver.url).await;
    for number in 0..10 {
        home.ask(&format!("Question {number}?")).await;
    }
    let mailer = Arc::new(KeptMail::default());
    let _work = home.work_with("w", mailer.clone());

    let ended = |found: &[Delivery]| found.iter().all(|delivery| delivery.finished_at.is_some());
    home.deliveries_once("the end of all", &webhook, ended).await;

    assert_eq!(home.reload(&webhook).await.disabled, Some(DisabledReason::Gone));
    assert!(receiver.arrived().len() <= 20);
    home.ask("After it was disabled?").await;
    assert_eq!(home.deliveries(&webhook).await.len(), 20);
    let mails = mailer.first(1).await;
    assert_eq!((mails[0].to.as_str(), mails.len()), ("owner@example.com", 1));
    assert!(mails[0].text.contains(receiver.url.as_str()) && mails[0].text.contains("410"));
}

#[tokio::test]
async fn a_hanging_endpoint_delays_only_its_own_queue() {
    let home = Installation::new().await;
    let mut silent = Receiver::start([], Answer::Silence).await;
    let mut healthy = Receiver::ok().await;
    let (hanging, _) = home.webhook(&silent.url).await;
    let (well, _) = home.webhook(&healthy.url).await;
    for number in 0..100 {
        home.ask(&format!("Question {number}?")).await;
    }

    let _work = home.work("w");
    home.deliveries_once("the healthy one's", &well, all_are(DeliveryStatus::Delivered, 200)).await;

    assert_eq!(healthy.arrived().len(), 200);
    // Four attempts run at once. After the first of them has timed out, the endpoint is paused.
    assert!(silent.arrived().len() <= 8, "the healthy one waited for attempts at the other");
    let paused = |found: &[Delivery]| found.iter().any(|delivery| delivery.attempts > 0);
    let log = home.deliveries_once("an attempt at the other", &hanging, paused).await;
    assert!(log.iter().all(|delivery| delivery.status == DeliveryStatus::Pending));
    assert!(home.reload(&hanging).await.paused_until.is_some());
}

#[tokio::test]
async fn attempts_at_a_failing_endpoint_are_all_recorded_in_few_commits() {
    const DELIVERIES: usize = 200;
    let home = Installation::new().await;
    let broken = Receiver::start([], Answer::Status(500)).await;
    let (webhook, _) = home.webhook(&broken.url).await;
    for number in 0..DELIVERIES / 2 {
        home.ask(&format!("Question {number}?")).await;
    }

    let before = home.services.commits();
    let _work = home.work("w");
    let tried = |found: &[Delivery]| found.len() == DELIVERIES && found.iter().all(|it| it.attempts == 1);
    let log = home.deliveries_once("an attempt of each", &webhook, tried).await;
    let commits = home.services.commits() - before;

    for delivery in log {
        assert_eq!((delivery.status, delivery.run_attempts), (DeliveryStatus::Pending, 1));
        assert!(delivery.due_at >= BEGIN.plus(SECOND * 4));
        assert_eq!(statuses(&home, &webhook, &delivery).await, [Some(500)]);
    }
    let failing = home.reload(&webhook).await.failing.expect("a run of failures");
    assert_eq!((failing.since, failing.first_event), (BEGIN, BEGIN));
    assert!(commits < DELIVERIES as u64 / 2, "{commits} commits for {DELIVERIES} attempts");
}

#[tokio::test]
async fn a_replay_sends_failed_events_and_those_missed_while_disabled() {
    let home = Installation::new().await;
    let mut receiver = Receiver::ok().await;
    let (webhook, _) = home.webhook(&receiver.url).await;
    let (site, id) = (Some(home.site.id), webhook.id);
    let enable = |is_enabled| WebhookPatch { is_enabled: Some(is_enabled), ..WebhookPatch::default() };
    let work = home.work("w");
    home.ask("Before?").await;
    home.deliveries_once("the first", &webhook, all_are(DeliveryStatus::Delivered, 2)).await;
    work.stop().await;
    home.pass(HOUR);
    home.ask("Cancelled?").await;
    webhooks::update(&home.services, &home.viewer, site, id, enable(false)).await.expect("disabled");
    home.ask("Never written?").await;
    let refused = replays::request(&home.services, &home.viewer, site, id, BEGIN, None).await;
    assert!(matches!(refused, Err(Error::Conflict(_))));
    webhooks::update(&home.services, &home.viewer, site, id, enable(true)).await.expect("enabled");
    receiver.arrived();

    let asked = replays::request(&home.services, &home.viewer, site, id, BEGIN, None).await.expect("a replay");
    let _work = home.work("w2");
    home.deliveries_once("all", &webhook, all_are(DeliveryStatus::Delivered, 6)).await;

    assert_eq!((asked.total, asked.replayed), (6, 0));
    let bodies: Vec<String> =
        receiver.arrived().iter().map(|it| String::from_utf8_lossy(&it.body).into_owned()).collect();
    assert_eq!(bodies.len(), 4, "{bodies:?}");
    assert!(bodies.iter().all(|body| !body.contains("Before?")));
    let last = async || replays::last(&home.services, &home.viewer, &webhook).await.expect("read").expect("a replay");
    home.once("the replay's end", async || last().await.finished_at.is_some()).await;
    let last = last().await;
    assert_eq!((last.checked, last.replayed), (6, 4));
}

#[tokio::test]
async fn a_replay_continues_after_its_worker_crashed() {
    // Number of missed events that exceeds one step of a replay.
    const MISSED: usize = 210;
    let home = Installation::new().await;
    let mut receiver = Receiver::ok().await;
    let (webhook, _) =
        home.try_webhook(receiver.url.as_str(), &[EventType::ConversationCreated]).await.expect("a webhook");
    let (site, id) = (Some(home.site.id), webhook.id);
    let enable = |is_enabled| WebhookPatch { is_enabled: Some(is_enabled), ..WebhookPatch::default() };
    webhooks::update(&home.services, &home.viewer, site, id, enable(false)).await.expect("disabled");
    for number in 0..MISSED {
        home.ask(&format!("Question {number}?")).await;
    }
    webhooks::update(&home.services, &home.viewer, site, id, enable(true)).await.expect("enabled");
    replays::request(&home.services, &home.viewer, site, id, BEGIN, None).await.expect("a replay");
    let progress =
        async || replays::last(&home.services, &home.viewer, &webhook).await.expect("read").expect("a replay");

    let jobs = jobs::claim(&home.services, &[REPLAY], "dying", 1).await.expect("claimed");
    let is_over = replays::step(&home.services, &jobs[0]).await.expect("a step");
    let halfway = progress().await;
    assert!(!is_over && halfway.checked > 0 && halfway.finished_at.is_none(), "{halfway:?}");
    assert!(halfway.checked < halfway.total && halfway.replayed == halfway.checked, "{halfway:?}");
    home.pass(HOUR);
    let _next = home.work("next");
    home.deliveries_once("all", &webhook, all_are(DeliveryStatus::Delivered, MISSED)).await;

    let arrived: Vec<String> = receiver.arrived().iter().map(|it| it.header("x-helpbot-sequence").to_owned()).collect();
    assert_eq!(arrived.len(), MISSED, "each once");
    assert_eq!(arrived.into_iter().collect::<BTreeSet<_>>().len(), MISSED);
    let total = i64::try_from(MISSED).expect("few");
    home.once("the replay's end", async || progress().await.finished_at.is_some()).await;
    let last = progress().await;
    assert_eq!((last.total, last.checked, last.replayed), (total, total, total));
}

#[tokio::test]
async fn a_rotation_is_signed_by_both_secrets_until_its_overlap_ends() {
    let home = Installation::new().await;
    let mut receiver = Receiver::ok().await;
    let (webhook, first) = home.webhook(&receiver.url).await;
    let (site, id) = (Some(home.site.id), webhook.id);
    let _work = home.work("w");
    let rotate = async |step| webhooks::rotate(&home.services, &home.viewer, site, id, step).await;
    let mut signed_by = async |secrets: &[&String]| {
        deliveries::send_test(&home.services, &home.viewer, site, id).await.expect("a test");
        let got = receiver.next().await;
        let timestamp = got.header("webhook-timestamp").parse().expect("seconds");
        let each = secrets.iter().map(|secret| SigningKey::parse(secret).expect("a secret"));
        let each: Vec<_> = each.collect();
        let standard: Vec<String> =
            each.iter().map(|key| key.standard_signature(got.header("webhook-id"), timestamp, &got.body)).collect();
        assert_eq!(got.header("webhook-signature"), standard.join(" "));
        assert_eq!(got.header("x-helpbot-signature"), each[0].page_signature(&got.body));
        assert_eq!(got.header("x-helpbot-event"), "ping");
    };

    assert!(matches!(rotate(RotationStep::Promote(HOUR)).await, Err(Error::Conflict(_))));
    signed_by(&[&first]).await;
    let (_, staged) = rotate(RotationStep::Stage).await.expect("staged");
    let second = staged.expect("the secret, this once");
    signed_by(&[&first, &second]).await;
    let (_, none) = rotate(RotationStep::Promote(HOUR)).await.expect("promoted");
    assert_eq!(none, None);
    signed_by(&[&second, &first]).await;
    home.pass(HOUR);
    signed_by(&[&second]).await;
}

#[tokio::test]
async fn the_mail_about_a_handoff_waits_until_a_mail_server_is_configured() {
    let home = Installation::new().await;
    let conversation = home.ask("Can I speak to someone?").await;
    let no_server = Arc::new(UnsentMail::default());
    let without = home.work_with("without a mail server", no_server.clone());
    home.hand_off(conversation).await;
    home.hand_off(conversation).await;
    no_server.attempted().await;
    without.stop().await;

    let mailer = Arc::new(KeptMail::default());
    let _with = home.work_with("with one", mailer.clone());
    home.pass(HOUR);

    let mails = mailer.first(1).await;
    assert_eq!(mails[0].to, "owner@example.com");
    assert_eq!(mails[0].reply_to.as_deref(), Some("ann@example.com"));
    assert!(mails[0].text.contains("> Can I speak to someone?"));
    assert!(mails[0].text.contains(&format!("https://help.example/dashboard/inbox/{conversation}")));
    home.once("an empty mail queue", async || home.waiting_mails().await == 0).await;
    assert_eq!(mailer.first(1).await.len(), 1);
}
