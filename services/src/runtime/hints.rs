//! Hints between nodes: what a node has just done, for the others, which would otherwise notice it at their next look.
//!
//! A node collects its hints for some milliseconds and sends them on the [channel](helpbot_db::Channel) of the
//! database, after the commit and never in the transaction of a use case. A hint may be lost:
//! [`events::poll`](super::events::poll) and the short life of cached rows remain the truth, and presence is
//! repeated. A node without others sends nothing but a greeting every few seconds. SQLite has no channel, and
//! neither has a pooler in transaction mode; nodes then look for changes as before.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use helpbot_db::{CHANNEL_TEXT_MAX, Channel};
use helpbot_domain::ids::{ConversationId, KeyId, SiteId};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use crate::conversations::presence::Side;
use crate::runtime::randomness;
use crate::{Services, boxed};

/// Time for which hints are collected before they are sent together.
const COLLECT: Duration = Duration::from_millis(4);
/// Interval of greetings. Presence is repeated with every second one.
const GREETING: Duration = Duration::from_secs(5);
/// Time after which a node that sent nothing is gone.
pub(crate) const GONE_AFTER: Duration = Duration::from_secs(25);
/// Pause before a lost channel is opened again.
const REOPEN: Duration = Duration::from_secs(1);
/// Maximum number of hints about conversations that wait. Further ones are lost.
const ROOM_HINTS_MAX: usize = 4_096;

/// What happened on another node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Hint {
    /// A node is there. It asks the others to greet it when the value is true.
    Hello(bool),
    /// The event log of a site has grown to this number.
    Grown(SiteId, i64),
    /// The plan, the settings or the blocked visitors of a site have changed.
    Access(SiteId),
    /// Something else of a site has changed that live queries show.
    Touched(SiteId),
    /// The key with this hash was changed or revoked.
    Key(String, KeyId),
    /// Something happened in an open conversation.
    Room(RoomHint),
}

/// Presence or typing in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RoomHint {
    pub site: SiteId,
    pub conversation: ConversationId,
    pub news: RoomNews,
}

/// What changed in a conversation on another node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RoomNews {
    /// Which sides are present on the node. It asks for the presence on other nodes when `asks` is true.
    Here { visitor: bool, team: bool, asks: bool },
    /// A side is typing or has stopped.
    Typing { is_team: bool, member: Option<String>, is_typing: bool },
}

/// A text on the channel.
#[derive(Serialize, Deserialize)]
struct Message {
    /// The node that sent it.
    node: u64,
    hints: Vec<Hint>,
}

/// The hints of this node that wait to be sent. Cloning is cheap.
#[derive(Clone, Default)]
pub(crate) struct Hints(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Whether another node listens.
    has_peers: AtomicBool,
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

#[derive(Default)]
struct Waiting {
    grown: HashMap<SiteId, i64>,
    access: HashSet<SiteId>,
    touched: HashSet<SiteId>,
    others: Vec<Hint>,
}

impl Hints {
    /// Tells the other nodes. Does nothing when there are none.
    pub(crate) fn tell(&self, hint: Hint) {
        if !self.0.has_peers.load(Ordering::Relaxed) {
            return;
        }
        let mut waiting = self.lock();
        match hint {
            Hint::Grown(site, seq) => {
                let known = waiting.grown.entry(site).or_insert(seq);
                *known = seq.max(*known);
            }
            Hint::Access(site) => {
                waiting.access.insert(site);
            }
            Hint::Touched(site) => {
                waiting.touched.insert(site);
            }
            other if waiting.others.len() < ROOM_HINTS_MAX => waiting.others.push(other),
            _ => {}
        }
        drop(waiting);
        self.0.arrived.notify_one();
    }

    fn take(&self) -> Vec<Hint> {
        let Waiting { grown, access, touched, others } = std::mem::take(&mut *self.lock());
        let grown = grown.into_iter().map(|(site, seq)| Hint::Grown(site, seq));
        let access = access.into_iter().map(Hint::Access);
        access.chain(grown).chain(touched.into_iter().map(Hint::Touched)).chain(others).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Exchanges hints with the other nodes, for as long as the database has a channel.
#[boxed]
pub async fn exchange(services: &Services) {
    loop {
        match services.db.channel().await {
            Ok(None) => return,
            Ok(Some(channel)) => {
                exchange_on(services, channel).await;
                tracing::warn!("the channel between nodes was lost; it is opened again");
            }
            Err(error) => tracing::warn!(%error, "the channel between nodes cannot be opened"),
        }
        services.hints.0.has_peers.store(false, Ordering::Relaxed);
        sleep(REOPEN).await;
    }
}

/// Exchanges hints until the channel is lost.
async fn exchange_on(services: &Services, mut channel: Box<dyn Channel>) {
    let [a, b, c, d, e, f, g, h, ..] = randomness::bytes();
    let node = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
    let inner = Arc::clone(&services.hints.0);
    let mut greetings = interval(GREETING);
    greetings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut count, mut last_heard, mut due) = (0_u64, None::<Instant>, None::<Instant>);
    loop {
        let hints = tokio::select! {
            text = channel.receive() => {
                let Some(text) = text else { return };
                last_heard = Some(Instant::now());
                inner.has_peers.store(true, Ordering::Relaxed);
                apply(services, &text)
            }
            () = inner.arrived.notified(), if due.is_none() => {
                due = Some(Instant::now() + COLLECT);
                Vec::new()
            }
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                due = None;
                services.hints.take()
            }
            _ = greetings.tick() => {
                let is_alone = last_heard.is_none_or(|heard| heard.elapsed() > GONE_AFTER);
                inner.has_peers.store(!is_alone, Ordering::Relaxed);
                count += 1;
                let mut hints = vec![Hint::Hello(count == 1)];
                if !is_alone && count.is_multiple_of(2) {
                    hints.extend(services.rooms.presence().into_iter().map(Hint::Room));
                }
                services.rooms.forget_gone();
                hints
            }
        };
        for text in texts(node, hints) {
            if let Err(error) = channel.send(&text).await {
                tracing::debug!(%error, "hints for other nodes were lost");
                return;
            }
        }
    }
}

/// Packs hints into as few texts as fit into the channel.
fn texts(node: u64, hints: Vec<Hint>) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = hints;
    while !rest.is_empty() {
        let mut size = 40;
        let fits = |hint: &Hint| {
            size += serde_json::to_string(hint).map_or(0, |text| text.len() + 1);
            size <= CHANNEL_TEXT_MAX
        };
        // A single hint always fits.
        let count = rest.iter().map(fits).take_while(|fits| *fits).count().max(1);
        let later = rest.split_off(count);
        texts.extend(serde_json::to_string(&Message { node, hints: rest }));
        rest = later;
    }
    texts
}

/// Carries out the hints of another node. Returns the hints that answer them. A text that this version does
/// not understand is ignored, because a node of another version may have sent it.
fn apply(services: &Services, text: &str) -> Vec<Hint> {
    let Ok(Message { node, hints }) = serde_json::from_str(text) else { return Vec::new() };
    let mut answers = Vec::new();
    for hint in hints {
        match hint {
            Hint::Hello(true) => {
                answers.push(Hint::Hello(false));
                answers.extend(services.rooms.presence().into_iter().map(Hint::Room));
            }
            Hint::Hello(false) => {}
            Hint::Grown(site, seq) => services.bus.tell(site, seq),
            Hint::Access(site) => services.forget_access(site),
            Hint::Touched(site) => services.bus.touch(site),
            Hint::Key(hash, id) => services.keys.forget_known(&hash, id),
            Hint::Room(hint) => answers.extend(in_room(services, node, hint).map(Hint::Room)),
        }
    }
    answers
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
            crate::conversations::activity::typed(services, place, side, member, is_typing);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn site(number: u128) -> SiteId {
        SiteId::from_uuid(Uuid::from_u128(number))
    }

    fn active() -> Hints {
        let hints = Hints::default();
        hints.0.has_peers.store(true, Ordering::Relaxed);
        hints
    }

    #[test]
    fn hints_about_a_site_are_collected() {
        let hints = active();

        for seq in [3, 5, 4] {
            hints.tell(Hint::Grown(site(1), seq));
            hints.tell(Hint::Access(site(1)));
        }

        assert_eq!(hints.take(), [Hint::Access(site(1)), Hint::Grown(site(1), 5)]);
        assert!(hints.take().is_empty());
    }

    #[test]
    fn a_node_without_others_collects_nothing() {
        let hints = Hints::default();

        hints.tell(Hint::Touched(site(1)));

        assert!(hints.take().is_empty());
    }

    #[test]
    fn texts_fit_into_the_channel_and_contain_all_hints() {
        let hints: Vec<Hint> = (0..1_000).map(|number| Hint::Grown(site(number), i64::MAX)).collect();

        let texts = texts(u64::MAX, hints.clone());

        assert!(texts.iter().all(|text| text.len() <= CHANNEL_TEXT_MAX), "{:?}", texts.iter().map(String::len));
        let read = texts.iter().flat_map(|text| serde_json::from_str::<Message>(text).expect("a message").hints);
        assert_eq!(read.collect::<Vec<_>>(), hints);
    }
}
