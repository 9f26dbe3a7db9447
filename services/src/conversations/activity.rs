//! Presence and typing in conversations: sent to subscribers and stored nowhere. The next keystroke
//! repeats what is lost here, so activity is in no log and has no cursor.
//!
//! A subscriber is present while it is subscribed. Clients repeat "typing" every few seconds. The
//! state lives in the processes that hold the connections, which tell each other what has changed
//! ([`hints`](crate::runtime::hints)). When a visitor was last present is stored as well
//! ([`sightings`](super::sightings)).

use std::time::Duration;

use futures_util::stream::{Stream, StreamExt};
use helpbot_domain::conversation::Conversation;
use helpbot_domain::ids::{ConversationId, SiteId};
use tokio_stream::wrappers::WatchStream;

use crate::accounts::blocked_visitors;
use crate::conversations::lookup;
use crate::conversations::sightings::Stay;
use crate::runtime::hints::{Hint, RoomHint, RoomNews};
use crate::{Error, Result, Services, Viewer, boxed};

pub use crate::conversations::presence::{ActivityState, Side};

/// How long a typing notification lasts. Clients repeat it about every three seconds.
const TYPING_FOR: Duration = Duration::from_secs(6);

/// Returns the activity of a conversation: its current state, then each change. The subscriber is
/// present in the conversation.
///
/// # Errors
/// `Forbidden`; `NotFound` when the viewer may not see the conversation.
pub async fn watch(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
) -> Result<impl Stream<Item = ActivityState> + Send + use<>> {
    let conversation = lookup::visible(services, viewer, named, id).await?;
    require_open(services, viewer, &conversation).await?;
    let here = services.rooms.enter((conversation.site_id, id), Side::of(viewer));
    let states = WatchStream::new(here.activity.clone());
    let states = states.map(move |state| {
        let _present = &here;
        state
    });
    let stay = Stay::of(services, viewer, &conversation);
    let blocked = until_blocked(services.clone(), viewer.clone(), conversation);
    Ok(states.take_until(Box::pin(while_recording(stay, blocked))))
}

/// Waits for `end` and records until then that the visitor is here.
async fn while_recording(stay: Option<Stay>, end: impl Future<Output = ()>) {
    match stay {
        None => end.await,
        Some(stay) => tokio::select! {
            () = end => {}
            never = stay.last() => match never {},
        },
    }
}

/// Checks that the visitor of a conversation is not blocked. The team may always follow it.
async fn require_open(services: &Services, viewer: &Viewer, conversation: &Conversation) -> Result<()> {
    if Side::of(viewer) == Side::Team {
        return Ok(());
    }
    blocked_visitors::require_open(services, viewer, conversation.site_id, Some(&conversation.session_id)).await
}

/// Waits until the visitor of a conversation is blocked.
async fn until_blocked(services: Services, viewer: Viewer, conversation: Conversation) {
    let mut hints = services.bus.subscribe(conversation.site_id);
    while !matches!(require_open(&services, &viewer, &conversation).await, Err(Error::VisitorBlocked)) {
        if hints.changed().await.is_err() {
            return;
        }
    }
}

/// Returns whether the visitor of a conversation has it open, on any node that this one hears of.
pub fn is_visitor_here(services: &Services, site: SiteId, id: ConversationId) -> bool {
    services.rooms.has_visitor((site, id))
}

/// Tells subscribers of a conversation that the viewer is typing, for [`TYPING_FOR`], or has
/// stopped. Does nothing when nobody is subscribed.
///
/// # Errors
/// `Forbidden`; `NotFound` when the viewer may not see the conversation.
#[boxed]
pub async fn set_typing(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    is_typing: bool,
) -> Result<Conversation> {
    let conversation = lookup::visible(services, viewer, named, id).await?;
    require_open(services, viewer, &conversation).await?;
    let (place, side) = ((conversation.site_id, id), Side::of(viewer));
    let member = viewer.member.as_ref().map(|member| member.name.clone());
    typed(services, place, side, member.clone(), is_typing);
    tell_typing(services, place, side, member, is_typing);
    Ok(conversation)
}

/// Records on this node that a side is typing, for [`TYPING_FOR`], or has stopped. Does nothing when nobody is
/// subscribed.
pub(crate) fn typed(
    services: &Services,
    place: (SiteId, ConversationId),
    side: Side,
    member: Option<String>,
    is_typing: bool,
) {
    let keystroke = services.rooms.type_in(place, side, member.clone(), is_typing);
    if let (Some(keystroke), true) = (keystroke, is_typing) {
        let rooms = services.rooms.clone();
        tokio::spawn(async move {
            tokio::time::sleep(TYPING_FOR).await;
            rooms.rest(place, side, member, keystroke);
        });
    }
}

fn tell_typing(
    services: &Services,
    (site, conversation): (SiteId, ConversationId),
    side: Side,
    member: Option<String>,
    is_typing: bool,
) {
    let news = RoomNews::Typing { is_team: side == Side::Team, member, is_typing };
    services.hints.tell(Hint::Room(RoomHint { site, conversation, news }));
}

/// Records that a message was written, which ends its writer's typing. `member` is the name of a member who wrote.
pub(crate) fn written(services: &Services, site: SiteId, id: ConversationId, side: Side, member: Option<String>) {
    services.rooms.type_in((site, id), side, member.clone(), false);
    tell_typing(services, (site, id), side, member, false);
}
