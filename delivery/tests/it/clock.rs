//! The retry schedule under a clock that the test controls: 76 hours of attempts, and a clock that
//! jumps by a day in either direction. There is no burst, no starvation and no loss.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::{Answer, BEGIN, Installation, Receiver};
use helpbot_domain::Timestamp;
use helpbot_domain::event::EventType;
use helpbot_domain::webhook::{Delivery, DeliveryStatus, Webhook};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Delays before the second to the tenth attempt, as documented: 75 h 35 min 5 s.
const WAITS: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_secs(300),
    Duration::from_secs(1800),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(5 * 3600),
    Duration::from_secs(10 * 3600),
    Duration::from_secs(14 * 3600),
    Duration::from_secs(20 * 3600),
    Duration::from_secs(24 * 3600),
];
const QUESTIONS: usize = 20;

async fn endpoint(home: &Installation, receiver: &Receiver) -> Webhook {
    home.try_webhook(receiver.url.as_str(), &[EventType::ConversationCreated]).await.expect("a webhook").0
}

async fn ask(home: &Installation) {
    for number in 0..QUESTIONS {
        home.ask(&format!("Question {number}?")).await;
    }
}

fn all_had(attempts: i32) -> impl Fn(&[Delivery]) -> bool {
    move |found| found.iter().all(|it| it.attempts == attempts)
}

fn all_are(status: DeliveryStatus) -> impl Fn(&[Delivery]) -> bool {
    move |found| found.iter().all(|it| it.status == status)
}

/// Returns random numbers that cover -1.0 to 1.0 evenly, in the same order each time.
fn even_draws() -> Arc<dyn Fn() -> f64 + Send + Sync> {
    let drawn = AtomicUsize::new(0);
    Arc::new(move || (drawn.fetch_add(7, Ordering::Relaxed) % 41) as f64 / 20.0 - 1.0)
}

fn part_of(whole: Duration, tenths: u32) -> Duration {
    whole * tenths / 10
}

#[tokio::test]
async fn a_delivery_is_given_up_after_ten_attempts_within_a_fifth_of_the_schedule() {
    let home = Installation::new().await;
    let mut receiver = Receiver::start([], Answer::Status(500)).await;
    let webhook = endpoint(&home, &receiver).await;
    let _work = home.work_drawing("w", even_draws());
    ask(&home).await;

    for (made, wait) in (1..).zip(WAITS) {
        let now = home.clock_now();
        let log = home.deliveries_once("the record of the attempts", &webhook, all_had(made)).await;
        assert_eq!(receiver.arrived().len(), QUESTIONS, "attempt {made}: no more and no less");
        for delivery in &log {
            let range = now.plus(part_of(wait, 8))..=now.plus(part_of(wait, 12));
            assert!(range.contains(&delivery.due_at), "attempt {made}: {} after {now}", delivery.due_at);
        }
        let spread = log.iter().map(|it| it.due_at).collect::<std::collections::BTreeSet<_>>().len();
        assert!(spread > QUESTIONS / 2, "attempt {made}: {spread} moments");
        home.clock.set(log.iter().map(|it| it.due_at).max().expect("some"));
    }

    home.deliveries_once("the end", &webhook, all_are(DeliveryStatus::Failed)).await;
    assert_eq!(receiver.arrived().len(), QUESTIONS);
    home.pass(DAY * 30);
    home.ask("Anything else?").await;
    receiver.next().await;
    assert!(home.deliveries(&webhook).await.iter().all(|it| it.attempts <= 10));
    let reloaded = home.reload(&webhook).await;
    assert!(reloaded.failing.is_some(), "and all the time it was known to fail");
}

/// Returns deliveries that wait for their second attempt. A worker is running.
async fn waiting(home: &Installation) -> (Receiver, Webhook) {
    let failures = (0..QUESTIONS).map(|_| Answer::Status(500));
    let mut receiver = Receiver::start(failures, Answer::Status(200)).await;
    let webhook = endpoint(home, &receiver).await;
    ask(home).await;
    let work = home.work("first");
    home.deliveries_once("the first attempts", &webhook, all_had(1)).await;
    work.stop().await;
    assert_eq!(receiver.arrived().len(), QUESTIONS);
    (receiver, webhook)
}

#[tokio::test]
async fn each_attempt_is_made_once_when_the_clock_jumps_a_day_ahead() {
    let home = Installation::new().await;
    let (mut receiver, webhook) = waiting(&home).await;
    let _work = home.work("w");

    home.pass(DAY);

    home.deliveries_once("the second attempts", &webhook, all_are(DeliveryStatus::Delivered)).await;
    assert_eq!(receiver.arrived().len(), QUESTIONS);
}

#[tokio::test]
async fn deliveries_continue_when_a_clock_that_was_a_day_ahead_is_set_back() {
    let home = Installation::new().await;
    let failures = (0..QUESTIONS).map(|_| Answer::Status(500));
    let mut receiver = Receiver::start(failures, Answer::Status(200)).await;
    let webhook = endpoint(&home, &receiver).await;
    let _work = home.work("w");
    home.pass(DAY);
    ask(&home).await;
    home.deliveries_once("the first attempts, a day ahead", &webhook, all_had(1)).await;
    assert_eq!(receiver.arrived().len(), QUESTIONS);

    home.clock.set(BEGIN);
    let is_near = |found: &[Delivery]| found.iter().all(|it| it.due_at <= BEGIN.plus(WAITS[0] * 2));
    home.deliveries_once("what was put off to be pulled in", &webhook, is_near).await;
    assert!(receiver.arrived().is_empty(), "no burst either");
    home.pass(MINUTE);

    home.deliveries_once("the second attempts", &webhook, all_are(DeliveryStatus::Delivered)).await;
    assert_eq!(receiver.arrived().len(), QUESTIONS);
}

#[tokio::test]
async fn a_lease_of_a_clock_that_was_a_day_ahead_blocks_nobody() {
    let home = Installation::new().await;
    let mut receiver = Receiver::start([Answer::Silence], Answer::Status(200)).await;
    let webhook = endpoint(&home, &receiver).await;
    home.ask("Is anybody there?").await;
    home.pass(DAY);
    let dying = home.work("dying");
    let first = receiver.next().await;
    drop(dying);

    home.clock.set(BEGIN);
    let _next = home.work("next");

    let again = receiver.next().await;
    assert_eq!(first.header("x-helpbot-delivery"), again.header("x-helpbot-delivery"));
    home.deliveries_once("the record", &webhook, all_are(DeliveryStatus::Delivered)).await;
}

#[tokio::test]
async fn events_before_and_after_clock_jumps_are_delivered_once() {
    let home = Installation::new().await;
    let mut receiver = Receiver::ok().await;
    let webhook = endpoint(&home, &receiver).await;
    let _work = home.work("w");

    home.ask("Now?").await;
    home.pass(DAY);
    home.ask("A day on?").await;
    home.clock.set(BEGIN);
    home.ask("A day back?").await;
    home.clock.set(Timestamp::from_ms(BEGIN.as_ms() - 86_400_000));
    home.ask("Two days back?").await;
    home.pass(HOUR);

    let all = |found: &[Delivery]| found.len() == 4 && all_are(DeliveryStatus::Delivered)(found);
    home.deliveries_once("all", &webhook, all).await;
    assert_eq!(receiver.arrived().len(), 4);
}
