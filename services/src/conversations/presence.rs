//! The state behind [`activity`](super::activity): who is in which conversation, and who is typing.
//! It lives in memory only, and other nodes are notified of each change. A node also remembers who is in
//! conversations that nobody has open here, because it must know whether a reply has to be mailed.

use std::collections::HashMap;
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
    /// Name of the member who is typing. `None` when a key without a member is used.
    pub typing_member: Option<String>,
}

/// The two sides of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    // Grows with each keystroke, so that only the timeout of the last one ends the typing.
    visitor_keystrokes: u64,
    team_keystrokes: u64,
}

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

    /// Records whether `side` is typing. Returns the number of the keystroke, or `None` when nobody
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
        room.set_typing(side, member, is_typing);
        let keystrokes = room.keystrokes(side);
        *keystrokes += 1;
        Some(*keystrokes)
    }

    /// Ends the typing of `side`, unless there was another keystroke after `keystroke`.
    pub(super) fn rest(&self, place: ConversationKey, side: Side, keystroke: u64) {
        if let Some(room) = self.lock().get_mut(&place)
            && *room.keystrokes(side) == keystroke
        {
            room.set_typing(side, None, false);
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

    /// The keystrokes of one side. Each side ends its own typing, whatever the other one does.
    fn keystrokes(&mut self, side: Side) -> &mut u64 {
        match side {
            Side::Visitor => &mut self.visitor_keystrokes,
            Side::Team => &mut self.team_keystrokes,
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
    fn end_typing_since(&self, (was_visitor_here, was_team_here): (bool, bool)) {
        let (is_visitor_here, is_team_here) = self.sides_here();
        if was_visitor_here && !is_visitor_here {
            self.set_typing(Side::Visitor, None, false);
        }
        if was_team_here && !is_team_here {
            self.set_typing(Side::Team, None, false);
        }
    }

    fn tell(&self) {
        let (is_visitor_here, is_team_here) = self.sides_here();
        self.change(|state| *state = ActivityState { is_visitor_here, is_team_here, ..state.clone() });
    }

    fn set_typing(&self, side: Side, member: Option<String>, is_typing: bool) {
        self.change(|state| match side {
            Side::Visitor => state.is_visitor_typing = is_typing,
            Side::Team => {
                state.is_team_typing = is_typing;
                state.typing_member = member.filter(|_| is_typing);
            }
        });
    }

    /// Changes the state and notifies subscribers if it is different.
    fn change(&self, act: impl FnOnce(&mut ActivityState)) {
        self.state.send_if_modified(|state| {
            let before = state.clone();
            act(state);
            *state != before
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

        rooms.rest(place(), Side::Visitor, first);

        assert!(!visitor.activity.borrow().is_visitor_typing);
        assert!(visitor.activity.borrow().is_team_typing);
    }

    #[test]
    fn only_the_last_keystroke_ends_the_typing() {
        let rooms = Rooms::default();
        let visitor = rooms.enter(place(), Side::Visitor);
        let typing = |is_typing| rooms.type_in(place(), Side::Team, Some("Ann".into()), is_typing);
        let first = typing(true).expect("there is a subscriber");
        let second = typing(true).expect("there is a subscriber");

        rooms.rest(place(), Side::Team, first);
        assert_eq!(visitor.activity.borrow().typing_member.as_deref(), Some("Ann"));

        rooms.rest(place(), Side::Team, second);
        assert!(!visitor.activity.borrow().is_team_typing);
        assert_eq!(visitor.activity.borrow().typing_member, None);
    }
}
