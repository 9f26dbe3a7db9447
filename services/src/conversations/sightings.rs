//! When visitors were last seen. Unlike [`presence`](super::presence), which ends with the process, this is stored with
//! the session and the same on all nodes.
//!
//! A visitor is seen when they ask, write, read their messages with a session token, or while they follow the
//! activity of a conversation. [`activity`](super::activity) and [`messages`](super::messages) call [`record`].
//! Whether an answer must be mailed is decided by it.

use std::collections::HashMap;
use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::Conversation;
use helpbot_domain::ids::{ConversationId, SiteId};

use crate::accounts::viewer::ProvedSession;
use crate::conversations::lookup;
use crate::{Error, Result, Services, Viewer, boxed};

/// Time between two records of a visitor who stays.
pub(crate) const INTERVAL: Duration = Duration::from_secs(20);

/// Returns when the visitor of each of these conversations was last seen: at the earliest when the question was
/// asked. Conversations that the viewer may not see are left out.
///
/// # Errors
/// `Forbidden` for a viewer who may not see any conversation.
#[boxed]
pub async fn last_seen(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    ids: &[ConversationId],
) -> Result<HashMap<ConversationId, Timestamp>> {
    let visible = lookup::by_ids(services, viewer, named, ids).await?;
    stored(&mut services.db.reader().await?, viewer.site(named)?, &visible).await
}

/// Returns when the visitor of each conversation was last seen.
pub(crate) async fn stored(
    c: &mut db::Conn,
    site: SiteId,
    conversations: &[Conversation],
) -> Result<HashMap<ConversationId, Timestamp>> {
    let mut sessions: Vec<String> = conversations.iter().map(|found| found.session_id.clone()).collect();
    sessions.sort();
    sessions.dedup();
    let seen = db::sessions::last_seen(c, site, &sessions).await?;
    let seen: HashMap<_, _> = seen.into_iter().map(|(session, token, at)| ((session, Some(token)), at)).collect();
    let last = |of: &Conversation| {
        let at = seen.get(&(of.session_id.clone(), of.token_id)).copied();
        (of.id, at.map_or(of.created_at, |at| at.max(of.created_at)))
    };
    Ok(conversations.iter().map(last).collect())
}

/// Records that the visitor of a session is here now.
///
/// # Errors
/// Only errors of the database.
pub(crate) async fn record(services: &Services, site: SiteId, session: &ProvedSession) -> Result<()> {
    let (now, session) = (services.now(), session.clone());
    let seen = services.db.write(move |c| {
        Box::pin(async move { Ok::<_, Error>(db::sessions::seen(c, site, &session.id, session.token_id, now).await?) })
    });
    seen.await.map(drop)
}

/// Records that a visitor read messages of a conversation, unless they were seen a short time ago. Clients that
/// cannot hold a connection read repeatedly. A failure is logged, because the visitor can read anyway.
pub(crate) async fn record_reader(services: &Services, site: SiteId, viewer: &Viewer, read: &[Conversation]) {
    let Some(session) = viewer.session.as_ref().filter(|_| read.iter().any(|it| viewer.has_proved(it))) else { return };
    let now = services.now();
    let mut c = match services.db.reader().await {
        Ok(c) => c,
        Err(error) => return tracing::warn!(%error, "a visitor's presence could not be read"),
    };
    let last = db::sessions::last_seen(&mut c, site, std::slice::from_ref(&session.id)).await;
    drop(c);
    if last.is_ok_and(|last| last.iter().any(|(_, _, at)| now < at.plus(INTERVAL))) {
        return;
    }
    if let Err(error) = record(services, site, session).await {
        tracing::warn!(%error, "a visitor's presence could not be recorded");
    }
}

/// A visitor who follows a conversation. When it is dropped, the visitor was here until then.
pub(crate) struct Stay {
    services: Services,
    site: SiteId,
    session: ProvedSession,
}

impl Stay {
    /// Begins the stay of a visitor. `None` for the team and for visitors without a session.
    pub(crate) fn of(services: &Services, viewer: &Viewer, conversation: &Conversation) -> Option<Self> {
        let session = viewer.session.clone().filter(|_| viewer.has_proved(conversation))?;
        Some(Self { services: services.clone(), site: conversation.site_id, session })
    }

    /// Records the stay until it is dropped.
    pub(crate) async fn last(&self) -> std::convert::Infallible {
        loop {
            if let Err(error) = record(&self.services, self.site, &self.session).await {
                tracing::warn!(%error, "a visitor's presence could not be recorded");
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        // At the end of the program no runtime is left, and the last record is at most INTERVAL old.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (services, site, session) = (self.services.clone(), self.site, self.session.clone());
        runtime.spawn(async move { record(&services, site, &session).await.ok() });
    }
}
