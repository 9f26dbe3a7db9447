//! Notifies the owner of a site, once a day, that visitors have reached a limit.
//!
//! A use case that refuses a visitor calls [`notify`] or [`notify_in`]. The first call of a day (UTC) for
//! a limit queues one mail; the others do nothing.

use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::SiteId;
use helpbot_domain::limit::LimitKind;

use crate::runtime::batches;
use crate::runtime::job_kinds::{LIMIT_MAIL, LimitMail};
use crate::runtime::jobs::NewJob;
use crate::webhooks::outbox;
use crate::{Error, Result, Services, boxed};

/// Notifies the owner in a transaction of its own. A failure is only logged, because the visitor is
/// refused anyway.
#[boxed]
pub async fn notify(services: &Services, site: SiteId, kind: LimitKind) {
    let now = services.now();
    let today = now.day().number();
    // Most refusals come after the first one of the day, and must not cost a transaction each.
    if services.notified_limits.get(&(site, kind), now) == Some(today) {
        return;
    }
    let before = services.notified_limits.before_lookup();
    let stored = services.db.write(move |c| Box::pin(async move { notify_in(c, site, kind, now).await }));
    // The mail belongs to the day, not to the request: a repeated request must not be refused for it.
    match db::idempotency::apart(stored).await {
        Ok(()) => {
            services.notified_limits.put(before, now, (site, kind), today);
            outbox::wake(services);
        }
        Err(error) => tracing::warn!(error = error.detail(), %site, "the owner was not notified of a limit"),
    }
}

/// Notifies the owner inside the caller's transaction.
pub(crate) async fn notify_in(c: &mut db::Conn, site: SiteId, kind: LimitKind, now: Timestamp) -> Result<()> {
    if db::limit_notices::insert(c, site, kind, now).await? {
        NewJob::new(site, LIMIT_MAIL, None, &LimitMail { kind }).enqueue(c, now).await?;
    }
    Ok::<_, Error>(())
}

/// How long the record of a notice is kept. One day would do; a clock may be set back.
const KEPT_FOR: Duration = Duration::from_secs(7 * 86_400);

/// Deletes old records. Returns their number.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn delete_expired(services: &Services) -> Result<usize> {
    let before = services.now().minus(KEPT_FOR);
    batches::delete_before(services, "deletion of old limit notices", before, |c, before, limit| {
        Box::pin(db::limit_notices::delete_before(c, before, limit))
    })
    .await
}
