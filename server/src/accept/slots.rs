//! Limits the number of open connections: in total and per address.
//!
//! An address is an IPv4 address or an IPv6 /64, which is what one subscriber of the internet has. Trusted
//! proxies open connections for many clients and are not limited.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use helpbot_domain::client_address::subscriber;
use helpbot_domain::measurement::{Counted, Gauge};
use ipnet::IpNet;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Slots that only answer health checks, for when all others are taken.
const RESERVED: usize = 16;

/// Maximum numbers of open connections.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionLimits {
    /// In total.
    pub total: usize,
    /// From one address.
    pub per_address: usize,
    /// Addresses that may open any number of connections.
    pub unlimited: Vec<IpNet>,
    /// Number of open connections.
    pub open: Arc<Gauge>,
}

/// The slots of a listener.
pub(super) struct Slots {
    regular: Arc<Semaphore>,
    reserved: Arc<Semaphore>,
    limits: ConnectionLimits,
    addresses: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// The slot of a connection; released when dropped.
pub(super) struct Slot {
    pub kind: SlotKind,
    _permit: OwnedSemaphorePermit,
    _address: Option<AddressCount>,
    _open: Counted,
}

/// What a connection may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SlotKind {
    /// Any request.
    Regular,
    /// Health checks.
    Reserved,
}

/// The share of a connection in the count of its address.
struct AddressCount {
    address: IpAddr,
    addresses: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Slots {
    pub fn new(limits: ConnectionLimits) -> Self {
        Self {
            regular: Arc::new(Semaphore::new(limits.total)),
            reserved: Arc::new(Semaphore::new(RESERVED)),
            limits,
            addresses: Arc::default(),
        }
    }

    /// Takes a slot for a connection from `address`; waits while all slots are taken. Returns `None` when
    /// the address has the maximum number of connections.
    pub async fn take(&self, address: IpAddr) -> Option<Slot> {
        let (count, open) = (self.count(address)?, self.limits.open.count());
        if let Ok(permit) = self.regular.clone().try_acquire_owned() {
            return Some(Slot { kind: SlotKind::Regular, _permit: permit, _address: count, _open: open });
        }
        let permit = self.reserved.clone().acquire_owned().await.expect("the semaphore is never closed");
        Some(Slot { kind: SlotKind::Reserved, _permit: permit, _address: count, _open: open })
    }

    /// Counts a connection. The outer `None` means that it is too many, the inner that it is not counted.
    #[expect(clippy::option_option, reason = "the two mean different things, as documented")]
    fn count(&self, address: IpAddr) -> Option<Option<AddressCount>> {
        let address = address.to_canonical();
        if self.limits.unlimited.iter().any(|network| network.contains(&address)) {
            return Some(None);
        }
        let address = subscriber(address);
        let mut addresses = lock(&self.addresses);
        let count = addresses.entry(address).or_default();
        if *count >= self.limits.per_address {
            return None;
        }
        *count += 1;
        Some(Some(AddressCount { address, addresses: self.addresses.clone() }))
    }
}

impl Drop for AddressCount {
    fn drop(&mut self) {
        let mut addresses = lock(&self.addresses);
        if let Some(count) = addresses.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                addresses.remove(&self.address);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The counts are consistent after every operation, so a panic elsewhere does not spoil them.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(total: usize, per_address: usize, unlimited: &[&str]) -> Slots {
        let unlimited = unlimited.iter().map(|network| network.parse().expect("a network")).collect();
        Slots::new(ConnectionLimits { total, per_address, unlimited, open: Arc::default() })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[tokio::test]
    async fn an_address_has_a_limit_of_its_own_and_a_trusted_proxy_has_none() {
        let slots = slots(100, 2, &["10.0.0.0/8"]);

        let first = slots.take(ip("192.0.2.1")).await;
        let _second = slots.take(ip("::ffff:192.0.2.1")).await.expect("below the limit");
        assert!(slots.take(ip("192.0.2.1")).await.is_none());
        assert!(slots.take(ip("192.0.2.2")).await.is_some());
        drop(first);
        assert!(slots.take(ip("192.0.2.1")).await.is_some());

        let mut held = Vec::new();
        for _ in 0..10 {
            held.push(slots.take(ip("10.1.2.3")).await.expect("proxies are not limited"));
        }
    }

    #[tokio::test]
    async fn the_addresses_of_one_ipv6_subscriber_share_a_limit() {
        let slots = slots(100, 1, &[]);

        let _first = slots.take(ip("2001:db8::1")).await.expect("below the limit");

        assert!(slots.take(ip("2001:db8::2")).await.is_none());
        assert!(slots.take(ip("2001:db8:0:1::1")).await.is_some());
    }

    #[tokio::test]
    async fn reserved_slots_remain_when_all_others_are_taken() {
        let slots = slots(1, 100, &[]);

        let _regular = slots.take(ip("192.0.2.1")).await.expect("a slot");

        let second = slots.take(ip("192.0.2.2")).await.expect("a reserved slot");
        assert_eq!(second.kind, SlotKind::Reserved);
    }
}
