//! Following a site's event log: missed events are replayed from the log, then new events follow
//! live, without gaps or repetitions.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, Stream};
use helpbot_db as db;
use helpbot_domain::event::{Event, EventData, EventType};
use helpbot_domain::ids::{ConversationId, MemberId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::plan::Feature;
use tokio::sync::watch;
use uuid::Uuid;

use crate::accounts::{blocked_visitors, sites};
use crate::conversations::team_presence::MemberStay;
use crate::runtime::batches;
use crate::runtime::event_cursor::{EventCursor, mark_of};
use crate::runtime::event_position::{EventPosition, NextStep, PageContent};
use crate::runtime::hints::Hint;
use crate::{Error, Result, Services, Viewer, boxed};
use helpbot_domain::site::Site;

/// Events read from the log at a time while a subscriber catches up.
const PAGE: i64 = 500;
/// Maximum number of events of another process that are read for all subscribers at once.
const READ_AHEAD: i64 = 100;
/// Interval at which the logs of followed sites are checked for events of other processes.
const POLL: Duration = Duration::from_millis(250);

/// What the events are about that a subscriber receives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EventSubject {
    /// Conversations.
    #[default]
    Conversations,
    /// FAQ entries and sources.
    Content,
}

/// What a subscriber wants to receive.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// The site. `None` means the site of the key.
    pub site: Option<SiteId>,
    /// What the events are about.
    pub subject: EventSubject,
    /// Cursor after which to start. `None` means from now on.
    pub after: Option<String>,
    /// Types of events to receive. `None` means all.
    pub types: Option<Vec<EventType>>,
    /// Only events of this conversation.
    pub conversation: Option<ConversationId>,
    /// Only events of this session.
    pub session: Option<String>,
}

/// Returns the cursor of an event, with which a subscriber continues after it.
pub fn cursor(event: &Event) -> String {
    EventCursor { seq: event.seq, mark: Some(mark_of(event.id)) }.encoded()
}

/// Returns the cursor of the site's newest event. Everything that happens from now on comes after
/// it.
///
/// # Errors
/// `Forbidden` when the viewer may follow neither conversations nor content; `NotFound`.
#[boxed]
pub async fn newest(services: &Services, viewer: &Viewer, site: &Site) -> Result<String> {
    let scopes = [Scope::ReadConversations, Scope::Chat, Scope::ReadSources];
    if !scopes.iter().any(|scope| viewer.has(*scope)) {
        viewer.require(Scope::ReadConversations)?;
    }
    let site = viewer.site(Some(site.id))?;
    let mut c = services.db.reader().await?;
    let seq = db::events::last_seq(&mut c, site).await?.ok_or(Error::NotFound("Site"))?;
    let id = db::events::id_at(&mut c, site, seq).await?;
    Ok(EventCursor { seq, mark: id.map(mark_of) }.encoded())
}

/// Returns the site's events as they happen, starting after `watch.after`. The stream ends when the
/// site is deleted. An error is the last item.
///
/// # Errors
/// `Forbidden` when the viewer may not see the events: a visitor sees those of their own session,
/// the team sees all, and a viewer who may read sources sees those about content. `PlanRequired` when the plan does not include the events of the whole site;
/// `VisitorBlocked`; both also end a stream that is open. `Invalid` for a malformed cursor. `CursorExpired` when events after the
/// cursor are no longer stored.
pub async fn watch(
    services: &Services,
    viewer: &Viewer,
    watch: Watch,
) -> Result<impl Stream<Item = Result<Arc<Event>>> + Send + use<>> {
    let site = viewer.site(watch.site)?;
    let watch = narrowed(viewer, watch)?;
    let access = EventAccess::of(viewer, site, &watch);
    access.check(services).await?;
    let is_content = watch.subject == EventSubject::Content;
    let proved_by = match viewer.has(Scope::ReadConversations) || is_content {
        true => None,
        false => viewer.session.as_ref().map(|session| session.token_id),
    };
    // Subscribe to the bus before reading the log: an event in between is in both and is delivered
    // once.
    let hints = services.bus.subscribe(site);
    let here = if is_content { None } else { services.team.enter(viewer, site) };
    let position = start(services, site, watch.after.as_deref()).await?;
    let services = services.clone();
    let walk = EventFollower {
        services,
        site,
        watch,
        proved_by,
        access,
        hints,
        position,
        waiting: VecDeque::new(),
        is_over: false,
        _here: here,
    };
    Ok(stream::unfold(walk, |mut walk| async move {
        let item = walk.next().await?;
        walk.is_over = item.is_err();
        Some((item, walk))
    }))
}

/// Returns the member who acted in an event. `None` for visitors and for API keys without a member.
///
/// # Errors
/// `Forbidden`; errors of the database.
#[boxed]
pub async fn actor(services: &Services, viewer: &Viewer, event: &Event) -> Result<Option<MemberId>> {
    viewer.require(Scope::ReadConversations)?;
    Ok(match serde_json::from_str(&event.data) {
        Ok(EventData::Updated { actor_id, .. } | EventData::Noted { actor_id, .. }) => actor_id,
        // Earlier versions stored only one member, who acted unless the conversation was assigned.
        Ok(EventData::Moved { member_id, actor_id, .. }) => match event.event_type {
            EventType::ConversationAssigned => actor_id,
            _ => actor_id.or(member_id),
        },
        Ok(EventData::Message { message_id, .. }) => {
            let Some(conversation) = event.conversation_id else { return Ok(None) };
            let site = viewer.site(Some(event.site_id))?;
            let found = db::messages::by_id(&mut services.db.reader().await?, site, conversation, message_id).await?;
            found.and_then(|message| message.member_id)
        }
        _ => None,
    })
}

/// Limits a viewer who may not read all conversations to the session that their token proves.
fn narrowed(viewer: &Viewer, watch: Watch) -> Result<Watch> {
    if watch.subject == EventSubject::Content {
        viewer.require(Scope::ReadSources)?;
        return Ok(watch);
    }
    if viewer.has(Scope::ReadConversations) {
        return Ok(watch);
    }
    viewer.require(Scope::Chat)?;
    let own = viewer.session_id().map(str::to_owned).ok_or_else(|| {
        Error::Forbidden(
            "A widget key can follow only events of a visitor's session. Send the session token of that session."
                .into(),
        )
    })?;
    if watch.session.as_ref().is_some_and(|session| *session != own) {
        return Err(Error::Forbidden(
            "The session token belongs to a different session. Request the events of your own session.".into(),
        ));
    }
    Ok(Watch { session: Some(own), ..watch })
}

/// Returns the position to start from.
async fn start(services: &Services, site: SiteId, cursor: Option<&str>) -> Result<EventPosition> {
    let cursor = cursor.map(EventCursor::parse).transpose()?;
    let mut c = services.db.reader().await?;
    let last = db::events::last_seq(&mut c, site).await?.ok_or(Error::NotFound("Site"))?;
    let seq = cursor.map_or(last, |cursor| cursor.seq);
    let stored = db::events::id_at(&mut c, site, seq).await?.map(mark_of);
    match cursor {
        None => Ok(EventPosition::at_end(last, stored)),
        Some(cursor) => EventPosition::resume(cursor, last, db::events::first_seq(&mut c, site).await?, stored),
    }
}

/// Returns a receiver that is notified whenever the event log of a site has grown, on any node, and of the
/// changes that [`touch`] announces.
///
/// # Errors
/// `NotFound` for a site that the viewer has no access to.
pub fn changes(services: &Services, viewer: &Viewer, site: SiteId) -> Result<watch::Receiver<u64>> {
    Ok(services.bus.changes(viewer.site(Some(site))?))
}

/// Announces a change of a site that has no event to live queries.
pub fn touch(services: &Services, site: SiteId) {
    services.bus.touch(site);
    services.hints.tell(Hint::Touched(site));
}

/// What a subscriber needs for as long as it follows a site.
struct EventAccess {
    viewer: Viewer,
    site: SiteId,
    /// The events of all conversations are a feature of the plan; those of one conversation or of the visitor's
    /// own session are part of every plan, because handoffs are, and so are entries.
    needs_plan: bool,
}

impl EventAccess {
    fn of(viewer: &Viewer, site: SiteId, watch: &Watch) -> Self {
        let is_team = viewer.has(Scope::ReadConversations) && !viewer.is_operator();
        let is_of_site = watch.subject == EventSubject::Conversations && watch.conversation.is_none();
        Self { viewer: viewer.clone(), site, needs_plan: is_team && is_of_site }
    }

    /// Checks that the plan of the site and the team's blocks still allow the subscription.
    ///
    /// # Errors
    /// `PlanRequired`; `VisitorBlocked`; `NotFound` when the site was deleted; errors of the database.
    async fn check(&self, services: &Services) -> Result<()> {
        if self.needs_plan {
            sites::require_feature(&*sites::remembered(services, self.site).await?, Feature::Conversations)?;
        }
        blocked_visitors::require_open(services, &self.viewer, self.site, self.viewer.session_id()).await
    }
}

struct EventFollower {
    services: Services,
    site: SiteId,
    watch: Watch,
    // The session token of a visitor, who receives only events of conversations that it proved.
    proved_by: Option<Uuid>,
    access: EventAccess,
    hints: watch::Receiver<i64>,
    position: EventPosition,
    waiting: VecDeque<Arc<Event>>,
    is_over: bool,
    // A member counts as there while they follow the events of the site.
    _here: Option<MemberStay>,
}

impl EventFollower {
    async fn next(&mut self) -> Option<Result<Arc<Event>>> {
        if self.is_over {
            return None;
        }
        loop {
            // A cached check, so it costs little. The bus wakes the stream when the answer may have changed.
            if let Err(error) = self.access.check(&self.services).await {
                return Some(Err(error)).filter(|error| !matches!(error, Err(Error::NotFound(_))));
            }
            while let Some(event) = self.waiting.pop_front() {
                self.position.pass(&event);
                if self.wants(&event) {
                    return Some(Ok(event));
                }
            }
            // Mark the notification as seen before reading, so that later events wake the stream
            // again.
            let known = *self.hints.borrow_and_update();
            match self.read(known).await {
                Ok(true) => {}
                Ok(false) => self.hints.changed().await.ok()?,
                Err(Error::NotFound(_)) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// Fills `waiting` with the next events. Returns `false` when there are none yet.
    async fn read(&mut self, known: i64) -> Result<bool> {
        match self.position.next(&self.services.bus, self.site, known) {
            NextStep::Take(recent) => {
                self.waiting = recent.into();
                return Ok(true);
            }
            NextStep::Wait => return Ok(false),
            NextStep::Read => {}
        }
        let mut c = self.services.db.reader().await?;
        let page = db::events::after(&mut c, self.site, self.position.read_after(), PAGE + 1).await?;
        match self.position.read(page, known)? {
            PageContent::Events(events) => self.waiting = events.into_iter().map(Arc::new).collect(),
            PageContent::Nothing => return Ok(false),
            PageContent::Missing => {
                let last = db::events::last_seq(&mut c, self.site).await?.ok_or(Error::NotFound("Site"))?;
                let oldest = db::events::first_seq(&mut c, self.site).await?;
                return self.position.expect(last, oldest, known);
            }
        }
        Ok(true)
    }

    fn wants(&self, event: &Event) -> bool {
        let watch = &self.watch;
        event.event_type.is_of_content() == (watch.subject == EventSubject::Content)
            && watch.types.as_ref().is_none_or(|types| types.contains(&event.event_type))
            && watch.conversation.is_none_or(|id| Some(id) == event.conversation_id)
            && watch.session.as_ref().is_none_or(|session| *session == event.session_id)
            && self.proved_by.is_none_or(|token| event.token_id == Some(token) && !event.event_type.is_of_team())
    }
}

/// Checks continuously for events that other processes wrote, and notifies their subscribers. A
/// failed check is repeated; the log keeps the events.
#[boxed]
pub async fn poll(services: &Services) {
    loop {
        tokio::time::sleep(POLL).await;
        if let Err(error) = poll_once(services).await {
            tracing::warn!(error = error.detail(), "events of other processes could not be read");
        }
    }
}

async fn poll_once(services: &Services) -> Result<()> {
    let sites = services.bus.watched();
    if sites.is_empty() {
        return Ok(());
    }
    let found = db::events::last_seqs(&mut services.db.reader().await?, &sites).await?;
    for (site, seq, access_version) in found {
        grown_elsewhere(services, site, seq).await?;
        if services.bus.has_new_access(site, access_version) {
            services.forget_access(site);
        }
    }
    Ok(())
}

/// Publishes the events of a followed site that another process wrote, up to `seq`. They are read once for all
/// subscribers; those that are further behind read the log.
///
/// # Errors
/// Only errors of the database, after which the next look at the log tries again.
pub(crate) async fn grown_elsewhere(services: &Services, site: SiteId, seq: i64) -> Result<()> {
    let Some(known) = services.bus.known(site).filter(|known| *known < seq) else { return Ok(()) };
    let after = known.max(seq - READ_AHEAD);
    let events = db::events::after(&mut services.db.reader().await?, site, after, READ_AHEAD).await?;
    services.bus.publish(events);
    services.bus.tell(site, seq);
    Ok(())
}

/// Deletes events that are older than the retention of the installation. Returns their number.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn delete_expired(services: &Services) -> Result<usize> {
    let before = services.now().minus(services.settings.event_retention);
    batches::delete_before(services, "deletion of expired events", before, |c, before, limit| {
        Box::pin(db::events::delete_before(c, before, limit))
    })
    .await
}
