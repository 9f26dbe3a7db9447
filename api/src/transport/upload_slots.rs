//! Limits the number of uploads that are received at the same time (in total, per site and per key) and
//! the number that is processed at the same time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use helpbot_domain::ids::{KeyId, SiteId};
use helpbot_services::Viewer;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::settings::UploadSettings;
use crate::error::{ApiError, ErrorCode};

/// Free slots for uploads.
#[derive(Debug)]
pub(super) struct UploadSlots {
    settings: UploadSettings,
    taken: Arc<Mutex<TakenUploads>>,
    working: Semaphore,
}

#[derive(Debug, Default)]
struct TakenUploads {
    total: usize,
    sites: HashMap<SiteId, usize>,
    keys: HashMap<KeyId, usize>,
}

/// The slot of an upload that is being received; released when dropped.
#[derive(Debug)]
pub(super) struct UploadSlot {
    site: Option<SiteId>,
    key: KeyId,
    taken: Arc<Mutex<TakenUploads>>,
}

impl UploadSlots {
    pub fn new(settings: &UploadSettings) -> Self {
        Self { settings: *settings, taken: Arc::default(), working: Semaphore::new(settings.working) }
    }

    /// Takes a slot for receiving a file.
    ///
    /// # Errors
    /// `UNAVAILABLE` when all slots of the server, the site or the key are taken.
    pub fn receive(&self, viewer: &Viewer) -> Result<UploadSlot, ApiError> {
        let (site, key, settings) = (viewer.site_id, viewer.key_id, &self.settings);
        let mut taken = lock(&self.taken);
        let of_site = site.and_then(|site| taken.sites.get(&site)).copied().unwrap_or_default();
        let of_key = taken.keys.get(&key).copied().unwrap_or_default();
        if taken.total >= settings.receiving
            || of_site >= settings.receiving_per_site
            || of_key >= settings.receiving_per_key
        {
            return Err(busy());
        }
        taken.total += 1;
        *taken.keys.entry(key).or_default() += 1;
        if let Some(site) = site {
            *taken.sites.entry(site).or_default() += 1;
        }
        Ok(UploadSlot { site, key, taken: self.taken.clone() })
    }

    /// Waits for a slot for processing a received file.
    ///
    /// # Errors
    /// `UNAVAILABLE` when the server shuts down.
    pub async fn work(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        self.working.acquire().await.map_err(|_| busy())
    }
}

impl Drop for UploadSlot {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        taken.total -= 1;
        release(&mut taken.keys, self.key);
        if let Some(site) = self.site {
            release(&mut taken.sites, site);
        }
    }
}

fn release<K: Hash + Eq>(counts: &mut HashMap<K, usize>, of: K) {
    if let Some(count) = counts.get_mut(&of) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&of);
        }
    }
}

fn lock(taken: &Mutex<TakenUploads>) -> MutexGuard<'_, TakenUploads> {
    // The counts are consistent after every operation, so a panic elsewhere does not spoil them.
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

fn busy() -> ApiError {
    let message = "Too many uploads are in progress. Try again in a few seconds.";
    ApiError::new(ErrorCode::Unavailable, message).retry_after(Duration::from_secs(5))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn viewer(key: u128, site: u128) -> Viewer {
        let site_id = Some(SiteId::from_uuid(Uuid::from_u128(site)));
        Viewer { site_id, ..Viewer::operator(KeyId::from_uuid(Uuid::from_u128(key))) }
    }

    #[test]
    fn uploads_are_limited_in_total_per_site_and_per_key() {
        let settings =
            UploadSettings { receiving: 4, receiving_per_site: 3, receiving_per_key: 2, ..UploadSettings::default() };
        let slots = UploadSlots::new(&settings);
        let take = |key, site| slots.receive(&viewer(key, site));

        let first = take(1, 1).unwrap();
        let _second = take(1, 1).unwrap();
        assert_eq!(take(1, 1).unwrap_err().code, ErrorCode::Unavailable, "two per key");
        let _third = take(2, 1).unwrap();
        assert!(take(2, 1).is_err(), "three per site");
        let _fourth = take(3, 2).unwrap();
        assert!(take(4, 3).is_err(), "four in total");
        drop(first);

        assert!(take(1, 1).is_ok());
    }
}
