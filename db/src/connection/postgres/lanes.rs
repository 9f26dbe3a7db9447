//! Group commit: the batched writes of a site that wait are carried out in one transaction.
//!
//! Each site has at most one such transaction per node. While it runs, further writes of the site
//! wait and form the next group, so groups grow with the load and nobody waits for a timer. A locked
//! row of one site thereby blocks one connection.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use helpbot_domain::ids::SiteId;

use super::{OpenTransaction, PostgresStore};
use crate::connection::batch::{BatchEntry, GroupEnd};
use crate::error::{Error, Result};

/// Maximum number of writes per transaction. Beyond it, the share of the commit in the cost of a
/// write is small, and the first caller would wait for the last.
const GROUP_MAX: usize = 64;
/// Maximum number of waiting writes of a site. At 2,000 writes per second, they wait for a quarter of
/// a second. Further callers are asked to try again.
const WAITING_MAX: usize = 512;

/// The waiting writes by site. A site has an entry while a task works on its writes.
#[derive(Clone, Default)]
pub(super) struct Lanes(Arc<Mutex<HashMap<SiteId, VecDeque<BatchEntry>>>>);

impl Lanes {
    fn lock(&self) -> MutexGuard<'_, HashMap<SiteId, VecDeque<BatchEntry>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a write. Returns whether the caller must start the task of the site.
    fn add(&self, site: SiteId, entry: BatchEntry) -> Result<bool> {
        let mut lanes = self.lock();
        match lanes.get_mut(&site) {
            Some(waiting) if waiting.len() >= WAITING_MAX => Err(Error::Overloaded),
            Some(waiting) => {
                waiting.push_back(entry);
                Ok(false)
            }
            None => {
                lanes.insert(site, VecDeque::from([entry]));
                Ok(true)
            }
        }
    }

    /// Returns the number of writes that wait, of all sites.
    pub(super) fn waiting(&self) -> usize {
        self.lock().values().map(VecDeque::len).sum()
    }

    /// Takes the next group of one kind. Removes the site when nothing waits.
    fn next(&self, site: SiteId) -> Vec<BatchEntry> {
        let mut lanes = self.lock();
        let Some(waiting) = lanes.get_mut(&site) else { return Vec::new() };
        let Some(kind) = waiting.front().map(|entry| entry.kind) else {
            lanes.remove(&site);
            return Vec::new();
        };
        let count = waiting.iter().take(GROUP_MAX).take_while(|entry| entry.kind == kind).count();
        waiting.drain(..count).collect()
    }
}

impl PostgresStore {
    /// Adds a write to the next group of its site.
    ///
    /// # Errors
    /// `Overloaded` at once when too many writes of the site wait.
    pub(super) fn add_to_lane(&self, site: SiteId, entry: BatchEntry) -> Result<()> {
        if self.lanes.add(site, entry)? {
            let store = self.clone();
            self.shared.uses.spawn(async move { store.work_on(site).await });
        }
        Ok(())
    }

    async fn work_on(&self, site: SiteId) {
        loop {
            let group = self.lanes.next(site);
            if group.is_empty() {
                return;
            }
            // A panic drops the replies of its group, which tells their callers.
            let ended = std::panic::AssertUnwindSafe(self.commit_group(group)).catch_unwind().await;
            for entry in ended.unwrap_or_default() {
                let alone = std::panic::AssertUnwindSafe(self.commit_group(vec![entry]));
                let _ = alone.catch_unwind().await;
            }
        }
    }

    /// Carries out a group in one transaction. Returns the entries that must run alone.
    async fn commit_group(&self, group: Vec<BatchEntry>) -> Vec<BatchEntry> {
        let mut open = match self.begin().await {
            Ok(conn) => OpenTransaction(Some(conn)),
            Err(error) => {
                tracing::warn!(%error, writes = group.len(), "no transaction could begin; the writes were rejected");
                return Vec::new();
            }
        };
        let conn = open.0.as_mut().expect("taken only below");
        let (replies, is_kept) = match BatchEntry::run_all(conn, group).await {
            GroupEnd::Commit(replies) => (replies, true),
            GroupEnd::RollBack(replies) => (replies, false),
            GroupEnd::Alone(entries) => {
                if conn.run("ROLLBACK").await.is_ok() {
                    drop(open.0.take());
                }
                return entries;
            }
        };
        let ended = conn.run(if is_kept { super::COMMIT } else { "ROLLBACK" }).await;
        if ended.is_ok() {
            if is_kept {
                self.shared.statements.add_commit();
            }
            drop(open.0.take());
        }
        let failure = ended.err().map(|error| error.to_string());
        for reply in replies {
            reply(failure.clone().map_or(Ok(()), |reason| Err(Error::Unavailable(reason))));
        }
        Vec::new()
    }
}
