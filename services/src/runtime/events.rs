//! Watching a site's log: what was missed is replayed from the log, then events come live,
//! without a hole and without a repeat.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::stream::{self, Stream};
use helpbot_db as db;
use helpbot_domain::Invalid;
use helpbot_domain::event::{Event, EventType};
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::key::Scope;
use tokio::sync::watch;

use crate::{Error, Result, Services, Site, Viewer, boxed};

/// Events read from the log at a time while a watcher catches up.
const PAGE: i64 = 500;
/// How often the logs of watched sites are looked at for what other processes wrote.
const POLL: Duration = Duration::from_millis(250);

/// What a watcher wants to see.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// The site; the key's own when none.
    pub site: Option<SiteId>,
    /// Everything after this cursor; none means from now on.
    pub after: Option<String>,
    /// Only these kinds; empty means all.
    pub types: Vec<EventType>,
    /// Only this conversation.
    pub conversation: Option<ConversationId>,
    /// Only this session.
    pub session: Option<String>,
}

/// The cursor of an event: what a watcher brings back to go on after it.
pub fn cursor(event: &Event) -> String {
    cursor_at(event.seq)
}

fn cursor_at(seq: i64) -> String {
    URL_SAFE_NO_PAD.encode(format!("{CURSOR_FORM}{seq}"))
}

/// The cursor of the site's newest event: what happens from now on comes after it.
///
/// # Errors
/// `Forbidden` for who can follow no conversation; `NotFound`.
#[boxed]
pub async fn newest(services: &Services, viewer: &Viewer, site: &Site) -> Result<String> {
    viewer.require(Scope::ReadConversations).or_else(|_| viewer.require(Scope::Chat))?;
    let site = viewer.site(Some(site.id))?;
    let seq = db::events::last_seq(&mut services.db.reader().await?, site).await?.ok_or(Error::NotFound("Site"))?;
    Ok(cursor_at(seq))
}

/// Before the number in a cursor, so that another form can be told apart later.
const CURSOR_FORM: &str = "e1:";

fn seq_of(cursor: &str) -> Result<i64, Invalid> {
    let refused = || Invalid::new("after", "after is not a cursor of this site's events");
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
    let text = std::str::from_utf8(&bytes).map_err(|_| refused())?;
    let seq = text.strip_prefix(CURSOR_FORM).and_then(|seq| seq.parse().ok());
    seq.filter(|seq| *seq >= 0).ok_or_else(refused)
}

/// The site's events as they come, from `watch.after` on. Ends when the site is deleted; an
/// error is the last item.
///
/// # Errors
/// `Forbidden` when the viewer may not see them: a visitor sees its own session, the team all;
/// `Invalid` for a cursor that is none; `CursorExpired` when events after it are kept no more.
pub async fn watch(
    services: &Services,
    viewer: &Viewer,
    watch: Watch,
) -> Result<impl Stream<Item = Result<Arc<Event>>> + Send + use<>> {
    let site = viewer.site(watch.site)?;
    let watch = narrowed(viewer, watch)?;
    // First the bus, then the log: an event in between is in both and told once.
    let hints = services.bus.subscribe(site);
    let (after, newest) = start(services, site, watch.after.as_deref()).await?;
    let services = services.clone();
    let walk = Walk { services, site, watch, hints, after, newest, waiting: VecDeque::new(), is_over: false };
    Ok(stream::unfold(walk, |mut walk| async move {
        let item = walk.next().await?;
        walk.is_over = item.is_err();
        Some((item, walk))
    }))
}

/// Without the right to read all, a watcher sees the session that its token proves.
fn narrowed(viewer: &Viewer, watch: Watch) -> Result<Watch> {
    if viewer.has(Scope::ReadConversations) {
        return Ok(watch);
    }
    viewer.require(Scope::Chat)?;
    let own = viewer.session.clone().ok_or_else(|| {
        Error::Forbidden("A widget key needs the session token of the visitor to receive events".into())
    })?;
    if watch.session.as_ref().is_some_and(|session| *session != own) {
        return Err(Error::Forbidden("This session is not yours".into()));
    }
    Ok(Watch { session: Some(own), ..watch })
}

/// The event to go on after, and the newest that there is.
async fn start(services: &Services, site: SiteId, cursor: Option<&str>) -> Result<(i64, i64)> {
    let mut c = services.db.reader().await?;
    let last = db::events::last_seq(&mut c, site).await?.ok_or(Error::NotFound("Site"))?;
    let Some(cursor) = cursor else { return Ok((last, last)) };
    let seq = seq_of(cursor)?;
    if seq > last {
        return Err(Invalid::new("after", "after is not a cursor of this site's events").into());
    }
    let oldest = db::events::first_seq(&mut c, site).await?.unwrap_or(last + 1);
    if seq + 1 < oldest { Err(Error::CursorExpired) } else { Ok((seq, last)) }
}

struct Walk {
    services: Services,
    site: SiteId,
    watch: Watch,
    hints: watch::Receiver<i64>,
    after: i64,
    // The newest when the watch began: up to there something must follow.
    newest: i64,
    waiting: VecDeque<Arc<Event>>,
    is_over: bool,
}

impl Walk {
    async fn next(&mut self) -> Option<Result<Arc<Event>>> {
        if self.is_over {
            return None;
        }
        loop {
            while let Some(event) = self.waiting.pop_front() {
                self.after = event.seq;
                if self.wants(&event) {
                    return Some(Ok(event));
                }
            }
            // Marked as seen before reading: what comes after the reading wakes us again.
            let known = *self.hints.borrow_and_update();
            match self.read(known).await {
                Ok(true) => {}
                Ok(false) => self.hints.changed().await.ok()?,
                Err(Error::NotFound(_)) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// Fills `waiting` with what follows; false when there is nothing yet.
    async fn read(&mut self, known: i64) -> Result<bool> {
        let recent = self.services.bus.recent(self.site, self.after);
        if !recent.is_empty() {
            self.waiting = recent.into();
            return Ok(true);
        }
        if known != 0 && known <= self.after {
            return Ok(false);
        }
        let mut c = self.services.db.reader().await?;
        let page = db::events::after(&mut c, self.site, self.after, PAGE).await?;
        if let Some(first) = page.first()
            && first.seq != self.after + 1
        {
            // Retention took what the watcher had not yet read.
            return Err(Error::CursorExpired);
        }
        if page.is_empty() && self.after < self.newest.max(known) {
            // All of it was taken, and the next event may be long in coming. An event that was
            // written since the page was read is no such case, and is read next.
            let last = db::events::last_seq(&mut c, self.site).await?.ok_or(Error::NotFound("Site"))?;
            let oldest = db::events::first_seq(&mut c, self.site).await?.unwrap_or(last + 1);
            return if self.after + 1 < oldest { Err(Error::CursorExpired) } else { Ok(true) };
        }
        self.waiting = page.into_iter().map(Arc::new).collect();
        Ok(!self.waiting.is_empty())
    }

    fn wants(&self, event: &Event) -> bool {
        let watch = &self.watch;
        (watch.types.is_empty() || watch.types.contains(&event.event_type))
            && watch.conversation.is_none_or(|id| id == event.conversation_id)
            && watch.session.as_ref().is_none_or(|session| *session == event.session_id)
    }
}

impl Services {
    /// Looks, for ever, for events that other processes wrote, and tells their watchers. A
    /// failed look is tried again: nothing is lost meanwhile, the log has it.
    #[boxed]
    pub async fn poll(&self) {
        loop {
            tokio::time::sleep(POLL).await;
            if let Err(error) = self.poll_once().await {
                tracing::warn!(%error, "could not look for other nodes' events");
            }
        }
    }

    async fn poll_once(&self) -> Result<()> {
        let sites = self.bus.watched();
        if sites.is_empty() {
            return Ok(());
        }
        for (site, seq) in db::events::last_seqs(&mut self.db.reader().await?, &sites).await? {
            self.bus.tell(site, seq);
        }
        Ok(())
    }

    /// Forgets events that are older than the installation keeps them; gives how many.
    ///
    /// # Errors
    /// Only the database's own.
    #[boxed]
    pub async fn forget_old_events(&self) -> Result<usize> {
        let before = self.now().minus(self.settings.event_retention);
        self.db.write(move |c| Box::pin(async move { Ok(db::events::delete_before(c, before).await?) })).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_cursors_are_read() {
        assert_eq!(seq_of(&URL_SAFE_NO_PAD.encode("e1:42")), Ok(42));
        for bad in ["", "42", "e1:42", &URL_SAFE_NO_PAD.encode("e1:-1"), &URL_SAFE_NO_PAD.encode("e2:42"), "\u{e9}"] {
            assert!(seq_of(bad).is_err(), "{bad}");
        }
    }
}
