//! Turns: how many connections one site may use at a time, so that a busy or blocked site does not
//! take those of the others. Sites that wait get their turns in the order in which they asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use helpbot_domain::ids::SiteId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result};

/// Limits the connections of each site. Cloning is cheap.
#[derive(Clone)]
pub(super) struct SiteTurns(Arc<SiteSeats>);

struct SiteSeats {
    at_once: usize,
    waiting_max: usize,
    wait: Duration,
    sites: Mutex<HashMap<SiteId, Seats>>,
}

struct Seats {
    free: Arc<Semaphore>,
    /// Those who have a turn or wait for one.
    users: usize,
}

/// The right to use a connection. It ends when it is dropped.
pub(crate) struct Turn {
    _permit: Option<OwnedSemaphorePermit>,
    _user: User,
}

struct User {
    turns: SiteTurns,
    site: SiteId,
}

impl SiteTurns {
    /// Gives each site `at_once` turns, for which at most `waiting_max` callers wait for at most `wait`.
    pub(super) fn new(at_once: usize, waiting_max: usize, wait: Duration) -> Self {
        Self(Arc::new(SiteSeats { at_once, waiting_max, wait, sites: Mutex::default() }))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SiteId, Seats>> {
        self.0.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn of the site.
    ///
    /// # Errors
    /// `Overloaded` at once when too many wait already, and `Unavailable` when no turn ends in time.
    pub(super) async fn take(&self, site: SiteId) -> Result<Turn> {
        let (free, user) = {
            let mut sites = self.lock();
            let new = || Seats { free: Arc::new(Semaphore::new(self.0.at_once)), users: 0 };
            let seats = sites.entry(site).or_insert_with(new);
            if seats.users >= self.0.at_once + self.0.waiting_max {
                return Err(Error::Overloaded);
            }
            seats.users += 1;
            (Arc::clone(&seats.free), User { turns: self.clone(), site })
        };
        let waited = tokio::time::timeout(self.0.wait, free.acquire_owned()).await;
        let permit = waited.map_err(|_| Error::Unavailable("no database connection became free in time".into()))?;
        // The semaphore is never closed.
        Ok(Turn { _permit: permit.ok(), _user: user })
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let mut sites = self.turns.lock();
        if let Some(seats) = sites.get_mut(&self.site) {
            seats.users -= 1;
            if seats.users == 0 {
                sites.remove(&self.site);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn a_site_waits_for_its_own_turns_only_and_is_refused_when_too_many_wait() {
        let turns = SiteTurns::new(1, 1, Duration::from_secs(5));
        let (busy, other) = (SiteId::from_uuid(Uuid::from_u128(1)), SiteId::from_uuid(Uuid::from_u128(2)));

        let first = turns.take(busy).await.expect("a turn");
        let mut second = Box::pin(turns.take(busy));
        assert!((&mut second).now_or_never().is_none(), "the turn is taken");
        let third = turns.take(busy).await;
        let of_other = turns.take(other).now_or_never();

        assert!(matches!(third, Err(Error::Overloaded)));
        assert!(matches!(of_other, Some(Ok(_))));
        drop(first);
        assert!(second.await.is_ok());
        drop(of_other);
        assert!(turns.lock().is_empty(), "nothing is kept of sites without callers");
    }
}
