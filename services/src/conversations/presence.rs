//! The state behind [`activity`](super::activity): who is in which conversation, and who is typing.
//! It lives in memory only, and other nodes are notified of each change. A node also remembers who is in
//! conversations that nobody has open here, because it must know whether a reply has to be mailed.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::key::Scope;
use tokio::sync::watch;

use crate::accounts::viewer::Viewer;
use crate::runtime::hints::{GONE_AFTER, Hint, Hints, RoomHint, RoomNews};

/// Maximum number of conversations that this node remembers. Visitors of further ones who are connected to another node
/// count as absent, which costs a mail at most. A conversation takes some hundred bytes.
const ROOMS_MAX: usize = 100_000;

/// The participants that are present or typing in a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivityState {
    /// Whether the visitor has the conversation open.
    pub is_visitor_here: bool,
    /// Whether a member of the team has the conversation open.
    pub is_team_here: bool,
    /// Whether the visitor is typing.
    pub is_visitor_typing: bool,
    /// Whether a member of the team is typing.
    pub is_team_typing: bool,
    /// Name of the member who began to type last. `None` when a key without a member is used.
    pub typing_member: Option<String>,
    /// Names of all members who are typing, in alphabetical order.
    pub typing_members: Vec<String>,
}

/// The two sides of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The visitor of the web site.
    Visitor,
    /// The team of the site.
    Team,
}

impl Side {
    /// Returns the side of a viewer. A viewer who may write as the team belongs to the team.
    pub fn of(viewer: &Viewer) -> Self {
        if viewer.has(Scope::WriteConversations) { Side::Team } else { Side::Visitor }
    }
}

pub(super) type ConversationKey = (SiteId, ConversationId);

/// The conversations that somebody has open, on this node or on another one.
#[derive(Clone, Default)]
pub(crate) struct Rooms {
    open: Arc<Mutex<HashMap<ConversationKey, Room>>>,
    hints: Hints,
}

#[derive(Debug, Default)]
struct Room {
    state: watch::Sender<ActivityState>,
    visitors: usize,
    team: usize,
    /// Which sides, visitor and team, are present on each other node, and when it said so.
    elsewhere: HashMap<u64, ((bool, bool), Instant)>,
    /// The writers, each with the number of the last keystroke, so that only its timeout ends the typing.
    typing: BTreeMap<Writer, u64>,
    keystrokes: u64,
}

/// Somebody who is typing: the side, and the name of the member when the key belongs to one.
type Writer = (Side, Option<String>);

impl Rooms {
    /// No conversations. The other nodes are notified of changes by `hints`.
    pub(crate) fn new(hints: Hints) -> Self {
        Self { hints, ..Self::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConversationKey, Room>> {
        // The map is consistent after every operation, so a panic elsewhere does not corrupt it.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn enter(&self, place: ConversationKey, side: Side) -> Here {
        let mut rooms = self.lock();
        let room = rooms.entry(place).or_default();
        let is_new = !room.is_open_here();
        *room.count(side) += 1;
        if *room.count(side) == 1 {
            self.hints.tell(Hint::Room(room.presence(place, is_new)));
        }
        room.tell();
        Here { rooms: self.clone(), place, side, activity: room.state.subscribe() }
    }

    /// Returns whether a visitor is subscribed to the conversation on any node.
    pub(super) fn has_visitor(&self, place: ConversationKey) -> bool {
        self.lock().get(&place).is_some_and(|room| room.sides_here().0)
    }

    fn leave(&self, place: ConversationKey, side: Side) {
        let mut rooms = self.lock();
        let Some(room) = rooms.get_mut(&place) else { return };
        let before = room.sides_here();
        *room.count(side) -= 1;
        if *room.count(side) == 0 {
            self.hints.tell(Hint::Room(room.presence(place, false)));
        }
        if room.is_empty() {
            rooms.remove(&place);
            return;
        }
        room.end_typing_since(before);
        room.tell();
    }

    /// Returns who is present in the conversations of this node, for the others.
    pub(crate) fn presence(&self) -> Vec<RoomHint> {
        let rooms = self.lock();
        rooms.iter().filter(|(_, room)| room.is_open_here()).map(|(place, room)| room.presence(*place, false)).collect()
    }

    /// Returns who is present in a conversation on this node. `None` when nobody is.
    pub(crate) fn presence_in(&self, place: ConversationKey) -> Option<RoomHint> {
        self.lock().get(&place).filter(|room| room.is_open_here()).map(|room| room.presence(place, false))
    }

    /// Records which sides, visitor and team, are present on another node.
    pub(crate) fn here_elsewhere(&self, place: ConversationKey, node: u64, sides: (bool, bool)) {
        let mut rooms = self.lock();
        let is_gone = sides == (false, false);
        if !rooms.contains_key(&place) && (is_gone || rooms.len() >= ROOMS_MAX) {
            return;
        }
        let room = rooms.entry(place).or_default();
        let before = room.sides_here();
        if is_gone {
            room.elsewhere.remove(&node);
        } else {
            room.elsewhere.insert(node, (sides, Instant::now()));
        }
        room.end_typing_since(before);
        room.tell();
        if room.is_empty() {
            rooms.remove(&place);
        }
    }

    /// Forgets the presence on nodes that have said nothing for some time.
    pub(crate) fn forget_gone(&self) {
        self.lock().retain(|_, room| {
            let before = room.sides_here();
            room.elsewhere.retain(|_, (_, since)| since.elapsed() < GONE_AFTER);
            room.end_typing_since(before);
            room.tell();
            !room.is_empty()
        });
    }

    /// Records whether somebody of `side` is typing. Returns the number of the keystroke, or `None` when nobody
    /// is subscribed on this node.
    pub(super) fn type_in(
        &self,
        place: ConversationKey,
        side: Side,
        member: Option<String>,
        is_typing: bool,
    ) -> Option<u64> {
        let mut rooms = self.lock();
        let room = rooms.get_mut(&place).filter(|room| room.is_open_here())?;
        room.keystrokes += 1;
        if is_typing {
            room.typing.insert((side, member), room.keystrokes);
        } else {
            room.typing.remove(&(side, member));
        }
        room.tell();
        Some(room.keystrokes)
    }

    /// Ends the typing of a writer, unless there was another keystroke after `keystroke`.
    pub(super) fn rest(&self, place: ConversationKey, side: Side, member: Option<String>, keystroke: u64) {
        let writer = (side, member);
        if let Some(room) = self.lock().get_mut(&place)
            && room.typing.get(&writer) == Some(&keystroke)
        {
            room.typing.remove(&writer);
            room.tell();
        }
    }
}

impl Room {
    /// Whether somebody on this node has the conversation open.
    fn is_open_here(&self) -> bool {
        self.visitors + self.team > 0
    }

    /// Whether nobody on any node has the conversation open.
    fn is_empty(&self) -> bool {
        !self.is_open_here() && self.elsewhere.is_empty()
    }

    fn count(&mut self, side: Side) -> &mut usize {
        match side {
            Side::Visitor => &mut self.visitors,
            Side::Team => &mut self.team,
        }
    }

    /// Whether the visitor and the team are present on any node.
    fn sides_here(&self) -> (bool, bool) {
        let elsewhere = |of: fn(&(bool, bool)) -> bool| self.elsewhere.values().any(|(sides, _)| of(sides));
        (self.visitors > 0 || elsewhere(|sides| sides.0), self.team > 0 || elsewhere(|sides| sides.1))
    }

    fn presence(&self, (site, conversation): ConversationKey, asks: bool) -> RoomHint {
        let news = RoomNews::Here { visitor: self.visitors > 0, team: self.team > 0, asks };
        RoomHint { site, conversation, news }
    }

    /// Ends the typing of the sides that were present before and are not any more: nobody is left who could be typing.
    fn end_typing_since(&mut self, (was_visitor_here, was_team_here): (bool, bool)) {
        let (is_visitor_here, is_team_here) = self.sides_here();
        let has_left = |side: Side| match side {
            Side::Visitor => was_visitor_here && !is_visitor_here,
            Side::Team => was_team_here && !is_team_here,
        };
        self.typing.retain(|(side, _), _| !has_left(*side));
    }

    /// Notifies the subscribers if the state has changed.
    fn tell(&self) {
        let (is_visitor_here, is_team_here) = self.sides_here();
        let team = || self.typing.iter().filter(|((side, _), _)| *side == Side::Team);
        let last = team().max_by_key(|(_, keystroke)| **keystroke);
        let now = ActivityState {
            is_visitor_here,
            is_team_here,
            is_visitor_typing: self.typing.keys().any(|(side, _)| *side == Side::Visitor),
            is_team_typing: last.is_some(),
            typing_member: last.and_then(|((_, member), _)| member.clone()),
            typing_members: team().filter_map(|((_, member), _)| member.clone()).collect(),
        };
        self.state.send_if_modified(|state| {
            let is_new = *state != now;
            *state = now;
            is_new
        });
    }
}

/// The presence of a subscriber, which ends when this is dropped.
pub(super) struct Here {
    rooms: Rooms,
    place: ConversationKey,
    side: Side,
    pub(super) activity: watch::Receiver<ActivityState>,
}

impl Drop for Here {
    fn drop(&mut self) {
        self.rooms.leave(self.place, self.side);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn place() -> ConversationKey {
        (SiteId::from_uuid(Uuid::from_u128(1)), ConversationId::from_uuid(Uuid::from_u128(2)))
    }

    #[test]
    fn presence_ends_with_the_last_subscriber_of_a_side() {
        let rooms = Rooms::default();
        let visitor = rooms.enter(place(), Side::Visitor);
        let (first, second) = (rooms.enter(place(), Side::Team), rooms.enter(place(), Side::Team));

        drop(first);
        assert!(visitor.activity.borrow().is_team_here);
        drop(second);
        assert!(!visitor.activity.borrow().is_team_here);
        assert!(visitor.activity.borrow().is_visitor_here);

        drop(visitor);
        assert!(rooms.lock().is_empty(), "a conversation without subscribers is forgotten");
    }

    #[test]
    fn typing_ends_with_the_last_subscriber_of_a_side() {
        let rooms = Rooms::default();
        let (visitor, team) = (rooms.enter(place(), Side::Visitor), rooms.enter(place(), Side::Team));
        rooms.type_in(place(), Side::Visitor, None, true);

        drop(visitor);

        assert!(!team.activity.borrow().is_visitor_typing);
    }

    #[test]
    fn a_side_on_another_node_is_present_until_it_leaves() {
        let rooms = Rooms::default();
        let visitor = rooms.enter(place(), Side::Visitor);

        rooms.here_elsewhere(place(), 1, (false, true));
        rooms.here_elsewhere(place(), 2, (false, true));
        rooms.here_elsewhere(place(), 1, (false, false));
        assert!(visitor.activity.borrow().is_team_here);
        rooms.type_in(place(), Side::Team, Some("Ann".into()), true);
        rooms.here_elsewhere(place(), 2, (true, false));

        let state = visitor.activity.borrow().clone();
        assert!(!state.is_team_here && !state.is_team_typing, "{state:?}");
        assert!(state.is_visitor_here);
    }

    #[test]
    fn a_visitor_on_another_node_is_present_without_a_subscriber_on_this_one() {
        let rooms = Rooms::default();

        rooms.here_elsewhere(place(), 1, (true, false));
        assert!(rooms.has_visitor(place()));
        assert!(rooms.presence().is_empty() && rooms.presence_in(place()).is_none(), "nobody is on this node");
        assert_eq!(rooms.type_in(place(), Side::Visitor, None, true), None);
        drop(rooms.enter(place(), Side::Team));
        assert!(rooms.has_visitor(place()), "a subscriber who leaves forgets no other node");

        rooms.here_elsewhere(place(), 1, (false, false));
        assert!(!rooms.has_visitor(place()) && rooms.lock().is_empty());
    }

    #[test]
    fn the_typing_of_one_side_does_not_keep_the_other_side_typing() {
        let rooms = Rooms::default();
        let visitor = rooms.enter(place(), Side::Visitor);
        let first = rooms.type_in(place(), Side::Visitor, None, true).expect("there is a subscriber");
        rooms.type_in(place(), Side::Team, None, true);

        rooms.rest(place(), Side::Visitor, None, first);

        assert!(!visitor.activity.borrow().is_visitor_typing);
        assert!(visitor.activity.borrow().is_team_typing);
    }

    #[test]
    fn members_who_type_at_once_are_named_and_end_apart() {
        let rooms = Rooms::default();
        let ann = rooms.enter(place(), Side::Team);
        let _ben = rooms.enter(place(), Side::Team);
        let typing = |name: &str, is_typing| rooms.type_in(place(), Side::Team, Some(name.into()), is_typing);
        let of_ben = typing("Ben", true).expect("there is a subscriber");
        typing("Ann", true);
        let names = || ann.activity.borrow().typing_members.clone();
        assert_eq!(names(), ["Ann", "Ben"]);
        assert_eq!(ann.activity.borrow().typing_member.as_deref(), Some("Ann"));

        typing("Ann", false);
        assert_eq!(names(), ["Ben"]);
        rooms.rest(place(), Side::Team, Some("Ben".into()), of_ben);

        assert!(names().is_empty() && !ann.activity.borrow().is_team_typing);
    }

    #[test]
    fn only_the_last_keystroke_ends_the_typing() {
        let rooms = Rooms::default();
        let visitor = rooms.enter(place(), Side::Visitor);
        let typing = |is_typing| rooms.type_in(place(), Side::Team, Some("Ann".into()), is_typing);
        let first = typing(true).expect("there is a subscriber");
        let second = typing(true).expect("there is a subscriber");

        let ann = || Some("Ann".to_owned());
        rooms.rest(place(), Side::Team, ann(), first);
        assert_eq!(visitor.activity.borrow().typing_member.as_deref(), Some("Ann"));

        rooms.rest(place(), Side::Team, ann(), second);
        assert!(!visitor.activity.borrow().is_team_typing);
        assert_eq!(visitor.activity.borrow().typing_member, None);
    }
}
