//! Limits the number of sockets and streams, and ends them when their API key is revoked.
//!
//! Each key with open connections has one task, which listens for revocations on this node and looks
//! the key up at intervals for revocations on other nodes. A connection costs a counter and a receiver.
//! Ten thousand visitors of one widget use one key.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use helpbot_domain::ids::KeyId;
use helpbot_services::accounts::access::{self, Credentials};
use helpbot_services::{Services, Viewer};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::settings::TransportSettings;
use crate::error::{ApiError, ErrorCode};
use crate::gateway::caller::Caller;

/// The slots of this process for sockets and streams.
#[derive(Clone)]
pub(super) struct ConnectionSlots(Arc<SlotState>);

struct SlotState {
    services: Services,
    recheck: Duration,
    per_key: usize,
    per_address: usize,
    taken: Mutex<TakenSlots>,
}

#[derive(Default)]
struct TakenSlots {
    keys: HashMap<KeyId, KeyConnections>,
    addresses: HashMap<IpAddr, usize>,
}

struct KeyConnections {
    count: usize,
    revoked: Arc<watch::Sender<bool>>,
}

/// A connection's slot for its address; returned when dropped.
pub(super) struct AddressSlot {
    slots: ConnectionSlots,
    address: Option<IpAddr>,
}

/// A connection's slot for its key; returned when dropped.
pub(super) struct KeySlot {
    slots: ConnectionSlots,
    key: KeyId,
    revoked: watch::Receiver<bool>,
}

impl ConnectionSlots {
    pub fn new(services: Services, settings: &TransportSettings) -> Self {
        Self(Arc::new(SlotState {
            services,
            recheck: settings.recheck,
            per_key: settings.connections_per_key,
            per_address: settings.connections_per_address,
            taken: Mutex::default(),
        }))
    }

    /// Takes a slot for a connection from `address`. An unknown address is not limited.
    ///
    /// # Errors
    /// `RATE_LIMITED` when the address has the maximum number of connections.
    pub fn take_address(&self, address: Option<IpAddr>) -> Result<AddressSlot, ApiError> {
        if let Some(address) = address {
            let mut taken = self.lock();
            let count = taken.addresses.entry(address).or_default();
            if *count >= self.0.per_address {
                return Err(too_many("This address"));
            }
            *count += 1;
        }
        Ok(AddressSlot { slots: self.clone(), address })
    }

    /// Takes a slot for a connection with the viewer's key.
    ///
    /// # Errors
    /// `RATE_LIMITED` when the key has the maximum number of connections.
    pub fn take_key(&self, viewer: &Viewer, caller: &Caller) -> Result<KeySlot, ApiError> {
        let mut taken = self.lock();
        let key = taken.keys.entry(viewer.key_id).or_insert_with(|| self.watched(viewer.key_id, caller));
        if key.count >= self.0.per_key {
            return Err(too_many("This key"));
        }
        key.count += 1;
        Ok(KeySlot { slots: self.clone(), key: viewer.key_id, revoked: key.revoked.subscribe() })
    }

    /// Starts to watch a key for its revocation.
    fn watched(&self, key: KeyId, caller: &Caller) -> KeyConnections {
        let revoked = Arc::new(watch::Sender::new(false));
        // Only the validity of the key matters, not the origin of a page or the session of a visitor.
        let credentials = Credentials { key: caller.credentials.key.clone(), ..Credentials::default() };
        tokio::spawn(watch_key(self.0.services.clone(), key, credentials, revoked.clone(), self.0.recheck));
        KeyConnections { count: 0, revoked }
    }

    fn lock(&self) -> MutexGuard<'_, TakenSlots> {
        // The counts are consistent after every operation, so a panic elsewhere does not spoil them.
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeySlot {
    /// Waits until the key is no longer valid. Can be dropped and called again.
    pub async fn revoked(&mut self) {
        if self.revoked.wait_for(|revoked| *revoked).await.is_err() {
            // The watching task disappears without a message only when the runtime ends.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for AddressSlot {
    fn drop(&mut self) {
        if let Some(address) = self.address {
            release(&mut self.slots.lock().addresses, &address, |count| count);
        }
    }
}

impl Drop for KeySlot {
    fn drop(&mut self) {
        release(&mut self.slots.lock().keys, &self.key, |key| &mut key.count);
    }
}

fn release<K: Hash + Eq, V>(taken: &mut HashMap<K, V>, of: &K, count: impl Fn(&mut V) -> &mut usize) {
    if let Some(holder) = taken.get_mut(of) {
        let count = count(holder);
        *count -= 1;
        if *count == 0 {
            taken.remove(of);
        }
    }
}

fn too_many(holder: &str) -> ApiError {
    let message = format!("{holder} has the maximum number of open connections. Close one, or try again later.");
    ApiError::new(ErrorCode::RateLimited, message).retry_after(Duration::from_secs(5))
}

/// Notifies the connections of a key when it is no longer valid. Ends with the last of them.
async fn watch_key(
    services: Services,
    id: KeyId,
    credentials: Credentials,
    revoked: Arc<watch::Sender<bool>>,
    recheck: Duration,
) {
    let mut revocations = access::revocations(&services);
    let mut ticks = interval(recheck);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_known_revoked = tokio::select! {
            () = revoked.closed() => return,
            received = revocations.recv() => match received {
                Ok(key) if key == id => true,
                Ok(_) => continue,
                Err(RecvError::Lagged(_)) => false,
                Err(RecvError::Closed) => return,
            },
            _ = ticks.tick() => false,
        };
        // While the database is unavailable, open connections stay open.
        let is_valid = !is_known_revoked && access::is_still_valid(&services, &credentials).await.unwrap_or(true);
        if !is_valid {
            revoked.send_replace(true);
            return;
        }
    }
}
