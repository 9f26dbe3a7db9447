//! What a claim takes and what it reports about the backlog: each endpoint gets its share, and none
//! waits for another.

use std::collections::{HashMap, HashSet};

use crate::support::{Installation, Receiver};
use helpbot_domain::ids::WebhookId;
use helpbot_domain::webhook::Webhook;
use helpbot_services::webhooks::outbox;
use helpbot_services::webhooks::outbox::{Backlog, ClaimRequest, ClaimedDelivery};
use uuid::Uuid;

/// Number of events per question: it is asked, and it is unanswered.
const EVENTS: usize = 2;
const PER_ENDPOINT: usize = 64;
/// Number of questions whose events exceed one claim.
const QUESTIONS: usize = 150;

/// Returns an installation in which `busy` has all events and `quiet`, which was created later, has
/// only the last ones.
async fn two_endpoints() -> (Installation, Webhook, Webhook) {
    let home = Installation::new().await;
    let receiver = Receiver::ok().await;
    let (busy, _) = home.webhook(&receiver.url).await;
    for number in 1..QUESTIONS {
        home.ask(&format!("Question {number}?")).await;
    }
    let (quiet, _) = home.webhook(&receiver.url).await;
    home.ask("The last?").await;
    (home, busy, quiet)
}

fn wanted(held: &[ClaimedDelivery]) -> ClaimRequest {
    let mut by_endpoint: HashMap<WebhookId, HashSet<Uuid>> = HashMap::new();
    for claimed in held {
        by_endpoint.entry(claimed.delivery.webhook_id).or_default().insert(claimed.delivery.id);
    }
    ClaimRequest { room: 1024, per_endpoint: PER_ENDPOINT, quick: HashMap::new(), held: by_endpoint }
}

async fn claim(home: &Installation, wanted: ClaimRequest) -> (Vec<ClaimedDelivery>, Backlog) {
    outbox::claim(&home.services, "w", wanted).await.expect("a claim")
}

fn of(claimed: &[ClaimedDelivery], webhook: &Webhook) -> usize {
    claimed.iter().filter(|it| it.delivery.webhook_id == webhook.id).count()
}

#[tokio::test]
async fn a_long_queue_does_not_hide_a_short_one() {
    let (home, busy, quiet) = two_endpoints().await;

    let (claimed, left) = claim(&home, wanted(&[])).await;

    assert_eq!((of(&claimed, &busy), of(&claimed, &quiet)), (PER_ENDPOINT, EVENTS));
    let sequences: Vec<_> = claimed.iter().take(PER_ENDPOINT).filter_map(|it| it.delivery.event_seq).collect();
    assert!(sequences.is_sorted(), "first attempts start in the order of the log");
    assert_eq!(left, Backlog { is_some_free: false, behind: HashSet::from([busy.id]) });
}

#[tokio::test]
async fn a_full_endpoint_is_skipped_and_reported_as_behind() {
    let (home, busy, quiet) = two_endpoints().await;
    let (mut held, _) = claim(&home, wanted(&[])).await;
    home.ask("One more?").await;

    let (claimed, left) = claim(&home, wanted(&held)).await;

    assert_eq!((of(&claimed, &busy), of(&claimed, &quiet)), (0, EVENTS));
    assert_eq!(left, Backlog { is_some_free: false, behind: HashSet::from([busy.id]) });
    // Finished deliveries free their slots, and claimed ones are not claimed twice.
    held.retain(|it| it.delivery.webhook_id != busy.id || it.delivery.event_seq > Some(10));
    let room = PER_ENDPOINT - of(&held, &busy);
    let (claimed, _) = claim(&home, wanted(&held)).await;
    assert_eq!(of(&claimed, &busy), room);
    assert!(claimed.iter().all(|it| held.iter().all(|held| held.delivery.id != it.delivery.id)));
}

#[tokio::test]
async fn an_endpoint_with_more_capacity_gets_its_share_first_and_then_the_rest() {
    let (home, busy, quiet) = two_endpoints().await;
    let quick = HashMap::from([(busy.id, 4 * PER_ENDPOINT)]);

    let (claimed, left) = claim(&home, ClaimRequest { quick: quick.clone(), ..wanted(&[]) }).await;

    assert_eq!((of(&claimed, &busy), of(&claimed, &quiet)), (2 * PER_ENDPOINT, EVENTS));
    assert_eq!(left, Backlog { is_some_free: true, behind: HashSet::from([busy.id]) });
    let (more, left) = claim(&home, ClaimRequest { quick, ..wanted(&claimed) }).await;
    assert_eq!((of(&more, &busy), left.is_some_free), (2 * PER_ENDPOINT, false));
}

#[tokio::test]
async fn no_backlog_remains_when_everything_was_claimed() {
    let home = Installation::new().await;
    let receiver = Receiver::ok().await;
    let (webhook, _) = home.webhook(&receiver.url).await;
    home.ask("Only one?").await;

    let (claimed, left) = claim(&home, wanted(&[])).await;

    assert_eq!((of(&claimed, &webhook), left), (EVENTS, Backlog::default()));
    assert_eq!(claim(&home, wanted(&claimed)).await.1, Backlog::default());
}
