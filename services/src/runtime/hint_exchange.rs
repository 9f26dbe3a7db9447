//! Exchanges [`hints`](super::hints) with the other nodes, on the [channel](helpbot_db::Channel) of the database.
//!
//! A node without others sends nothing but a greeting every few seconds. SQLite has no channel, and neither has a
//! pooler in transaction mode; nodes then look for changes as before.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use helpbot_db::{CHANNEL_TEXT_MAX, Channel};
use helpbot_domain::Timestamp;
use helpbot_domain::ids::SiteId;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use crate::conversations::activity;
use crate::conversations::presence::Side;
use crate::runtime::hints::{GONE_AFTER, Hint, RoomHint, RoomNews};
use crate::runtime::rate_buckets::RateCaller;
use crate::runtime::{events, randomness};
use crate::{Services, boxed};

/// Time for which hints are collected before they are sent together.
const COLLECT: Duration = Duration::from_millis(4);
/// Interval at which other nodes are notified of used rate limits that do not matter to a limit yet.
const USE_INTERVAL: Duration = Duration::from_millis(500);
/// Interval of greetings. Presence is repeated with every second one.
const GREETING: Duration = Duration::from_secs(5);
/// Pause before a lost channel is opened again.
const REOPEN: Duration = Duration::from_secs(1);

/// Size of a message without hints: `{"node":…,"at_ms":…,"hints":[]}` with two numbers of up to 20 digits.
const MESSAGE_BYTES: usize = 72;

/// A text on the channel.
#[derive(Serialize, Deserialize)]
struct Message {
    /// The node that sent it.
    node: u64,
    /// When it was sent, by the clock that all nodes share. A node of an earlier version does not say so.
    #[serde(default)]
    at_ms: Option<i64>,
    hints: Vec<Hint>,
}

/// Exchanges hints with the other nodes, for as long as the database has a channel.
#[boxed]
pub async fn run(services: &Services) {
    loop {
        match services.db.channel().await {
            Ok(None) => return,
            Ok(Some(channel)) => {
                exchange_on(services, channel).await;
                services.bus.doubt();
                tracing::warn!("the channel between nodes was lost; it is opened again");
            }
            Err(error) => tracing::warn!(%error, "the channel between nodes cannot be opened"),
        }
        set_peers(services, 0);
        services.hints.inner().is_alone.store(false, Ordering::Relaxed);
        forget_gone(services);
        sleep(REOPEN).await;
    }
}

/// Exchanges hints until the channel is lost.
async fn exchange_on(services: &Services, mut channel: Box<dyn Channel>) {
    let [a, b, c, d, e, f, g, h, ..] = randomness::bytes();
    let node = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
    let inner = Arc::clone(services.hints.inner());
    let mut greetings = interval(GREETING);
    greetings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut uses = interval(USE_INTERVAL);
    uses.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut peers = HashMap::<u64, Instant>::new();
    let (mut count, mut due) = (0_u64, None::<Instant>);
    loop {
        let mut used = Vec::new();
        let hints = tokio::select! {
            text = channel.receive() => {
                let Some(text) = text else { return };
                // A text that this version does not understand is ignored, because a node of another version may
                // have sent it.
                let Ok(message) = serde_json::from_str::<Message>(&text) else { continue };
                if message.node == node {
                    services.rates.told(message.hints.into_iter().filter_map(use_of));
                    continue;
                }
                peers.insert(message.node, Instant::now());
                set_peers(services, peers.len());
                apply(services, message)
            }
            () = inner.arrived.notified(), if due.is_none() => {
                due = Some(Instant::now() + COLLECT);
                Vec::new()
            }
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                due = None;
                used = services.rates.take();
                services.hints.take()
            }
            _ = uses.tick() => {
                used = services.rates.take();
                Vec::new()
            }
            _ = greetings.tick() => {
                peers.retain(|_, heard| heard.elapsed() <= GONE_AFTER);
                set_peers(services, peers.len());
                let is_alone = peers.is_empty();
                // The first greeting has not been answered yet.
                inner.is_alone.store(is_alone && count > 0, Ordering::Relaxed);
                count += 1;
                let mut hints = vec![Hint::Hello(count == 1)];
                if !is_alone && count.is_multiple_of(2) {
                    hints.extend(presence(services));
                }
                forget_gone(services);
                hints
            }
        };
        services.metrics.hints_sent.add(u64::try_from(hints.len() + used.len()).unwrap_or(u64::MAX));
        // What earlier versions do not understand has texts of its own.
        let now = services.now();
        for text in texts(node, now, hints).into_iter().chain(texts(node, now, used)) {
            if let Err(error) = channel.send(&text).await {
                tracing::debug!(%error, "hints for other nodes were lost");
                return;
            }
        }
    }
}

/// Sets the number of other nodes that were heard.
fn set_peers(services: &Services, peers: usize) {
    let inner = services.hints.inner();
    inner.has_peers.store(peers > 0, Ordering::Relaxed);
    if peers > 0 {
        inner.is_alone.store(false, Ordering::Relaxed);
    }
    services.rates.set_nodes(u32::try_from(peers).unwrap_or(u32::MAX).saturating_add(1));
}

/// The use of a rate limit that a hint tells.
fn use_of(hint: Hint) -> Option<(RateCaller, u64)> {
    match hint {
        Hint::Used(caller, nanoseconds) => Some((caller, nanoseconds)),
        _ => None,
    }
}

/// The visitors and members who are present on this node.
fn presence(services: &Services) -> impl Iterator<Item = Hint> + use<> {
    let teams = services.team.sites_here().into_iter().map(|site| Hint::Team(site, true));
    teams.chain(services.rooms.presence().into_iter().map(Hint::Room))
}

/// Forgets who was present on nodes that have said nothing for some time.
fn forget_gone(services: &Services) {
    services.rooms.forget_gone();
    services.team.forget_gone();
}

/// Packs hints into as few texts as fit into the channel.
fn texts(node: u64, now: Timestamp, hints: Vec<Hint>) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = hints;
    while !rest.is_empty() {
        let mut size = MESSAGE_BYTES;
        let fits = |hint: &Hint| {
            size += serde_json::to_string(hint).map_or(0, |text| text.len() + 1);
            size <= CHANNEL_TEXT_MAX
        };
        // A single hint always fits.
        let count = rest.iter().map(fits).take_while(|fits| *fits).count().max(1);
        let later = rest.split_off(count);
        texts.extend(serde_json::to_string(&Message { node, at_ms: Some(now.as_ms()), hints: rest }));
        rest = later;
    }
    texts
}

/// Carries out the hints of another node. Returns the hints that answer them.
fn apply(services: &Services, message: Message) -> Vec<Hint> {
    let Message { node, at_ms, hints } = message;
    services.metrics.hints_received.add(u64::try_from(hints.len()).unwrap_or(u64::MAX));
    if let Some(at) = at_ms {
        services.metrics.hint_delay.record(services.now().since(Timestamp::from_ms(at)));
    }
    let mut answers = Vec::new();
    for hint in hints {
        match hint {
            Hint::Hello(true) => {
                answers.push(Hint::Hello(false));
                answers.extend(presence(services));
            }
            Hint::Hello(false) => {}
            Hint::Grown(site, seq) => drop(tokio::spawn(read_news(services.clone(), site, seq))),
            Hint::Access(site) => services.forget_access(site),
            Hint::Touched(site) => services.bus.touch(site),
            Hint::Key(hash, id) => services.keys.forget_known(&hash, id),
            Hint::Team(site, is_here) => services.team.here_elsewhere(site, node, is_here),
            Hint::Used(caller, nanoseconds) => services.rates.used_elsewhere(caller, nanoseconds),
            Hint::Room(hint) => answers.extend(in_room(services, node, hint).map(Hint::Room)),
        }
    }
    answers
}

async fn read_news(services: Services, site: SiteId, seq: i64) {
    if let Err(error) = events::grown_elsewhere(&services, site, seq).await {
        tracing::debug!(error = error.detail(), "events of another node could not be read");
    }
}

fn in_room(services: &Services, node: u64, hint: RoomHint) -> Option<RoomHint> {
    let place = (hint.site, hint.conversation);
    match hint.news {
        RoomNews::Here { visitor, team, asks } => {
            services.rooms.here_elsewhere(place, node, (visitor, team));
            if asks { services.rooms.presence_in(place) } else { None }
        }
        RoomNews::Typing { is_team, member, is_typing } => {
            let side = if is_team { Side::Team } else { Side::Visitor };
            activity::typed(services, place, side, member, is_typing);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn texts_fit_into_the_channel_and_contain_all_hints() {
        let hints: Vec<Hint> =
            (0..1_000).map(|number| Hint::Grown(SiteId::from_uuid(Uuid::from_u128(number)), i64::MAX)).collect();

        let texts = texts(u64::MAX, Timestamp::from_ms(9_999_999_999_999), hints.clone());

        assert!(texts.iter().all(|text| text.len() <= CHANNEL_TEXT_MAX), "{:?}", texts.iter().map(String::len));
        let read = texts.iter().flat_map(|text| serde_json::from_str::<Message>(text).expect("a message").hints);
        assert_eq!(read.collect::<Vec<_>>(), hints);
    }
}
