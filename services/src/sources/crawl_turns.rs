//! Turns at the hosts that several nodes read: one request to a host at a time over all nodes, with its pause.
//!
//! A node that is certainly alone takes no turns, because `ingest` keeps the pauses within one process. The others ask
//! the database before each request, which is far less work than the request (docs/decisions/0064).

use std::time::{Duration, Instant};

use helpbot_db as db;
use helpbot_domain::Timestamp;
use tokio::task::AbortHandle;

use crate::{Result, Services, boxed};

/// Time for which a node has a turn, unless it renews it. A turn of a node that was killed ends after this time, so that its sync
/// continues on another node within five seconds.
const LEASE: Duration = Duration::from_secs(3);
/// Time after which a node renews its turn while the request goes on.
const RENEWED_AFTER: Duration = Duration::from_secs(1);
/// Longest time between two tries: the node that has the turn usually returns it early.
const TRY_AGAIN: Duration = Duration::from_millis(100);
/// Time for which a node that waits comes next, unless it tries again: a few tries. A node that was killed while it waited
/// delays the others by no more.
const NEXT_FOR: Duration = Duration::from_secs(1);
/// Turns that became free this long ago are deleted, and turns that become free later than this from now are not believed. The
/// pauses of hosts are much shorter.
const KEPT_FOR: Duration = Duration::from_secs(3_600);

/// The turn of a node at a host, which is renewed until it is returned or dropped.
#[derive(Debug)]
pub struct CrawlTurn {
    host: String,
    holder: String,
    renewal: AbortHandle,
}

impl Drop for CrawlTurn {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

/// Waits for the turn of the node `holder` at `host`, which makes one request at a time. `None` when no other
/// node can read the host, or when the database does not say.
#[boxed]
pub async fn wait(services: &Services, host: &str, holder: &str) -> Option<CrawlTurn> {
    if services.is_alone() {
        return None;
    }
    let (began, moment) = (services.now(), Instant::now());
    loop {
        match take(services, host, holder, began.plus(moment.elapsed())).await {
            Ok(None) => {
                let renewal = tokio::spawn(renew(services.clone(), host.to_owned(), holder.to_owned())).abort_handle();
                return Some(CrawlTurn { host: host.to_owned(), holder: holder.to_owned(), renewal });
            }
            Ok(Some(wait)) => tokio::time::sleep(wait.min(TRY_AGAIN)).await,
            Err(error) => {
                tracing::warn!(host, error = error.detail(), "a host is read without its turn");
                return None;
            }
        }
    }
}

/// Takes the turn. Returns how long it belongs to other nodes.
async fn take(services: &Services, host: &str, holder: &str, now: Timestamp) -> Result<Option<Duration>> {
    let (host, holder) = (host.to_owned(), holder.to_owned());
    let (until, next_until, latest) = (now.plus(LEASE), now.plus(NEXT_FOR), now.plus(KEPT_FOR));
    let free_at: Option<_> = services
        .db
        .write(move |c| {
            Box::pin(async move { db::crawl_turns::take(c, &host, &holder, now, until, next_until, latest).await })
        })
        .await?;
    // A millisecond at least: the time of the database goes on meanwhile.
    Ok(free_at.map(|at| at.since(now).max(Duration::from_millis(1))))
}

/// Renews the turn until it belongs to somebody else.
async fn renew(services: Services, host: String, holder: String) {
    loop {
        tokio::time::sleep(RENEWED_AFTER).await;
        let (host, holder, until) = (host.clone(), holder.clone(), services.now().plus(LEASE));
        let renewed = services
            .db
            .write(move |c| Box::pin(async move { db::crawl_turns::renew(c, &host, &holder, until).await }))
            .await;
        match renewed {
            Ok(true) => {}
            Ok(false) => return,
            // The next attempt may come in time.
            Err(error) => tracing::debug!(%error, "a turn at a host was not renewed"),
        }
    }
}

impl CrawlTurn {
    /// Returns the turn. The next one begins after `pause`.
    pub async fn end(self, services: &Services, pause: Duration) {
        give_back(services, &self, pause).await;
    }
}

#[boxed]
async fn give_back(services: &Services, turn: &CrawlTurn, pause: Duration) {
    let free_at = services.now().plus(pause);
    let (host, holder) = (turn.host.clone(), turn.holder.clone());
    let given = services
        .db
        .write(move |c| Box::pin(async move { db::crawl_turns::give_back(c, &host, &holder, free_at).await }))
        .await;
    if let Err(error) = given {
        tracing::debug!(%error, "a turn at a host was not returned; it ends with its lease");
    }
}

/// Deletes old turns. Returns their number.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn delete_expired(services: &Services) -> Result<usize> {
    let before = services.now().minus(KEPT_FOR);
    Ok(services.db.write(move |c| Box::pin(async move { db::crawl_turns::delete_before(c, before).await })).await?)
}
