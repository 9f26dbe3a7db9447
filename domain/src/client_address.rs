//! The part of a network address that one subscriber of the internet owns. Limits and blocks of
//! `api`, `server` and `services` count by it.

use std::net::{IpAddr, Ipv6Addr};

/// Returns the IPv4 address, or the /64 network of an IPv6 address: providers assign at least one to
/// each subscriber, so a single IPv6 address is easily changed.
#[must_use]
pub fn subscriber(address: IpAddr) -> IpAddr {
    const PREFIX: u128 = !0 << 64;
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & PREFIX).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}
