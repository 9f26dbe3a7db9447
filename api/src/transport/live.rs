//! The connections that stay: who holds them, how many there may be, and their end when the key
//! that opened them is revoked.
//!
//! Each key with open connections has one task that listens for revocations on this node and
//! looks the key up now and then for those on others; a connection costs a counter and a
//! receiver. Ten thousand visitors of one widget are one key.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use helpbot_domain::ids::KeyId;
use helpbot_services::accounts::access::Credentials;
use helpbot_services::{Services, Viewer};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::TransportSettings;
use crate::error::{ErrorCode, Failure};
use crate::gateway::Caller;

/// The open connections of this process.
#[derive(Clone)]
pub(super) struct Live(Arc<Inner>);

struct Inner {
    services: Services,
    recheck: Duration,
    per_key: usize,
    per_address: usize,
    seats: Mutex<Seats>,
}

#[derive(Default)]
struct Seats {
    keys: HashMap<KeyId, Key>,
    addresses: HashMap<IpAddr, usize>,
}

struct Key {
    count: usize,
    revoked: Arc<watch::Sender<bool>>,
}

/// A connection's place at an address; given back when dropped.
pub(super) struct AddressSeat {
    live: Live,
    address: Option<IpAddr>,
}

/// A connection's place under its key; given back when dropped.
pub(super) struct KeySeat {
    live: Live,
    key: KeyId,
    revoked: watch::Receiver<bool>,
}

impl Live {
    pub(super) fn new(services: Services, settings: &TransportSettings) -> Self {
        Self(Arc::new(Inner {
            services,
            recheck: settings.recheck,
            per_key: settings.connections_per_key,
            per_address: settings.connections_per_address,
            seats: Mutex::default(),
        }))
    }

    /// A place for one more connection from `address`; without an address there is always one.
    ///
    /// # Errors
    /// `RATE_LIMITED` when the address holds as many as it may.
    pub(super) fn arrive(&self, address: Option<IpAddr>) -> Result<AddressSeat, Failure> {
        if let Some(address) = address {
            let mut seats = self.lock();
            let count = seats.addresses.entry(address).or_default();
            if *count >= self.0.per_address {
                return Err(too_many("this address"));
            }
            *count += 1;
        }
        Ok(AddressSeat { live: self.clone(), address })
    }

    /// A place for one more connection of the viewer's key.
    ///
    /// # Errors
    /// `RATE_LIMITED` when the key holds as many as it may.
    pub(super) fn enter(&self, viewer: &Viewer, caller: &Caller) -> Result<KeySeat, Failure> {
        let mut seats = self.lock();
        let key = seats.keys.entry(viewer.key_id).or_insert_with(|| {
            let revoked = Arc::new(watch::Sender::new(false));
            // Only whether the key opens is asked; a page's origin and a visitor's session are not.
            let credentials = Credentials { key: caller.credentials.key.clone(), ..Credentials::default() };
            tokio::spawn(watch_key(
                self.0.services.clone(),
                viewer.key_id,
                credentials,
                revoked.clone(),
                self.0.recheck,
            ));
            Key { count: 0, revoked }
        });
        if key.count >= self.0.per_key {
            return Err(too_many("this key"));
        }
        key.count += 1;
        Ok(KeySeat { live: self.clone(), key: viewer.key_id, revoked: key.revoked.subscribe() })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seats> {
        // Counts are whole after every operation, so a panic elsewhere does not spoil them.
        self.0.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeySeat {
    /// Waits until the key no longer opens. Safe to be dropped and called again.
    pub(super) async fn revoked(&mut self) {
        if self.revoked.wait_for(|revoked| *revoked).await.is_err() {
            // The watching task is gone without a word only when the runtime ends.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for AddressSeat {
    fn drop(&mut self) {
        if let Some(address) = self.address {
            leave(&mut self.live.lock().addresses, &address, |count| count);
        }
    }
}

impl Drop for KeySeat {
    fn drop(&mut self) {
        leave(&mut self.live.lock().keys, &self.key, |key| &mut key.count);
    }
}

fn leave<K: Hash + Eq, V>(places: &mut HashMap<K, V>, of: &K, count: impl Fn(&mut V) -> &mut usize) {
    if let Some(place) = places.get_mut(of) {
        let count = count(place);
        *count -= 1;
        if *count == 0 {
            places.remove(of);
        }
    }
}

fn too_many(holder: &str) -> Failure {
    let message = format!("Too many open connections of {holder}");
    Failure::new(ErrorCode::RateLimited, message).retry_after(Duration::from_secs(5))
}

/// Tells the connections of a key when it no longer opens; ends with the last of them.
async fn watch_key(
    services: Services,
    id: KeyId,
    credentials: Credentials,
    revoked: Arc<watch::Sender<bool>>,
    recheck: Duration,
) {
    let mut revocations = services.revocations();
    let mut ticks = interval(recheck);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_known_revoked = tokio::select! {
            () = revoked.closed() => return,
            heard = revocations.recv() => match heard {
                Ok(key) if key == id => true,
                Ok(_) => continue,
                Err(RecvError::Lagged(_)) => false,
                Err(RecvError::Closed) => return,
            },
            _ = ticks.tick() => false,
        };
        // While the database is down nobody is put out: what was open stays open.
        let still_opens = !is_known_revoked && services.still_opens(&credentials).await.unwrap_or(true);
        if !still_opens {
            revoked.send_replace(true);
            return;
        }
    }
}
