//! Who has a conversation open right now, and who is typing in it: told to those who watch, and
//! kept nowhere. What is lost here is told anew by the next keystroke, so it is in no log and has
//! no cursor.
//!
//! A watcher is present while it watches; who types says so again every few seconds. The state
//! lives in the process that holds the connection: with several nodes behind one address, each
//! tells of its own callers, as a balancer that keeps a visitor and its agent apart will show.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::{Stream, StreamExt};
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::key::Scope;
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;

use crate::conversations;
use crate::{Conversation, Error, Result, Services, Viewer, boxed};

/// How long a keystroke counts: clients say "typing" every three seconds or so.
const TYPING_FOR: Duration = Duration::from_secs(6);

/// What is going on in a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    /// The visitor has it open.
    pub is_visitor_here: bool,
    /// Somebody of the team has it open.
    pub is_team_here: bool,
    /// The visitor is typing.
    pub is_visitor_typing: bool,
    /// Somebody of the team is typing.
    pub is_team_typing: bool,
    /// That member's name; none where a key without a member types.
    pub typing_member: Option<String>,
}

/// On which side of a conversation somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The person on the web site.
    Visitor,
    /// The site's team.
    Team,
}

impl Side {
    /// That of a viewer: whoever may write as the team is of the team.
    pub fn of(viewer: &Viewer) -> Self {
        if viewer.has(Scope::WriteConversations) { Side::Team } else { Side::Visitor }
    }
}

type Place = (SiteId, ConversationId);

/// The conversations that somebody watches.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rooms(Arc<Mutex<HashMap<Place, Room>>>);

#[derive(Debug, Default)]
struct Room {
    state: watch::Sender<Activity>,
    visitors: usize,
    team: usize,
    // Rises with each keystroke, so that only the last one's time ends the typing.
    keystrokes: u64,
}

impl Rooms {
    fn lock(&self) -> MutexGuard<'_, HashMap<Place, Room>> {
        // The map is whole after every operation, so a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, place: Place, side: Side) -> Here {
        let mut rooms = self.lock();
        let room = rooms.entry(place).or_default();
        *room.count(side) += 1;
        room.tell();
        Here { rooms: self.clone(), place, side, activity: room.state.subscribe() }
    }

    fn leave(&self, place: Place, side: Side) {
        let mut rooms = self.lock();
        let Some(room) = rooms.get_mut(&place) else { return };
        *room.count(side) -= 1;
        if room.visitors + room.team == 0 {
            rooms.remove(&place);
        } else {
            room.tell();
        }
    }

    /// Notes whether `side` is typing; the number of the keystroke, when somebody watches.
    fn type_in(&self, place: Place, side: Side, member: Option<String>, is_typing: bool) -> Option<u64> {
        let mut rooms = self.lock();
        let room = rooms.get_mut(&place)?;
        room.keystrokes += 1;
        room.set_typing(side, member, is_typing);
        Some(room.keystrokes)
    }

    /// Ends the typing of `side` in a room unless it has gone on since `keystroke`.
    fn rest(&self, place: Place, side: Side, keystroke: u64) {
        if let Some(room) = self.lock().get_mut(&place)
            && room.keystrokes == keystroke
        {
            room.set_typing(side, None, false);
        }
    }
}

impl Room {
    fn count(&mut self, side: Side) -> &mut usize {
        match side {
            Side::Visitor => &mut self.visitors,
            Side::Team => &mut self.team,
        }
    }

    fn tell(&self) {
        let (is_visitor_here, is_team_here) = (self.visitors > 0, self.team > 0);
        self.change(|state| *state = Activity { is_visitor_here, is_team_here, ..state.clone() });
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

    /// Tells watchers, if anything is different now.
    fn change(&self, act: impl FnOnce(&mut Activity)) {
        self.state.send_if_modified(|state| {
            let before = state.clone();
            act(state);
            *state != before
        });
    }
}

/// A watcher's place in a room; left when dropped.
struct Here {
    rooms: Rooms,
    place: Place,
    side: Side,
    activity: watch::Receiver<Activity>,
}

impl Drop for Here {
    fn drop(&mut self) {
        self.rooms.leave(self.place, self.side);
    }
}

/// What is going on in a conversation: as it is now, then whenever it changes. Who watches is
/// present in it.
///
/// # Errors
/// `Forbidden`; `NotFound` for a conversation that the viewer may not see.
pub async fn watch(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
) -> Result<impl Stream<Item = Activity> + Send + use<>> {
    let conversation = seen(services, viewer, named, id).await?;
    let here = services.rooms.enter((conversation.site_id, id), Side::of(viewer));
    let states = WatchStream::new(here.activity.clone());
    Ok(states.map(move |state| {
        let _present = &here;
        state
    }))
}

/// Tells those who watch a conversation that the viewer is typing in it, for the next seconds, or
/// has stopped. Costs nothing when nobody watches.
///
/// # Errors
/// `Forbidden`; `NotFound` for a conversation that the viewer may not see.
#[boxed]
pub async fn set_typing(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    is_typing: bool,
) -> Result<Conversation> {
    let conversation = seen(services, viewer, named, id).await?;
    let (place, side) = ((conversation.site_id, id), Side::of(viewer));
    let member = viewer.member.as_ref().map(|member| member.name.clone());
    let keystroke = services.rooms.type_in(place, side, member, is_typing);
    if let (Some(keystroke), true) = (keystroke, is_typing) {
        let rooms = services.rooms.clone();
        tokio::spawn(async move {
            tokio::time::sleep(TYPING_FOR).await;
            rooms.rest(place, side, keystroke);
        });
    }
    Ok(conversation)
}

/// A message was written: its writer is not typing any more.
pub(crate) fn written(services: &Services, site: SiteId, id: ConversationId, side: Side) {
    services.rooms.type_in((site, id), side, None, false);
}

async fn seen(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: ConversationId) -> Result<Conversation> {
    let found = conversations::by_ids(services, viewer, named, &[id]).await?;
    found.into_iter().next().ok_or(Error::NotFound("Conversation"))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn place() -> Place {
        (SiteId::from_uuid(Uuid::from_u128(1)), ConversationId::from_uuid(Uuid::from_u128(2)))
    }

    #[test]
    fn presence_ends_with_the_last_watcher_of_a_side() {
        let rooms = Rooms::default();
        let visitor = rooms.enter(place(), Side::Visitor);
        let (first, second) = (rooms.enter(place(), Side::Team), rooms.enter(place(), Side::Team));

        drop(first);
        assert!(visitor.activity.borrow().is_team_here);
        drop(second);
        assert!(!visitor.activity.borrow().is_team_here);
        assert!(visitor.activity.borrow().is_visitor_here);

        drop(visitor);
        assert!(rooms.lock().is_empty(), "a room that nobody is in is forgotten");
    }

    #[test]
    fn only_the_last_keystroke_ends_the_typing() {
        let rooms = Rooms::default();
        let visitor = rooms.enter(place(), Side::Visitor);
        let typing = |is_typing| rooms.type_in(place(), Side::Team, Some("Ann".into()), is_typing);
        let first = typing(true).expect("somebody watches");
        let second = typing(true).expect("somebody watches");

        rooms.rest(place(), Side::Team, first);
        assert_eq!(visitor.activity.borrow().typing_member.as_deref(), Some("Ann"));

        rooms.rest(place(), Side::Team, second);
        assert!(!visitor.activity.borrow().is_team_typing);
        assert_eq!(visitor.activity.borrow().typing_member, None);
    }
}
