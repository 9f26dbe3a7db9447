//! Whose request it is: the address of the connection, or what a trusted proxy says of it.

use std::net::IpAddr;
use std::str::FromStr;

/// A network, for example `10.0.0.0/8` or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

/// A text that is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an address or a network such as 10.0.0.0/8")]
pub struct NetworkError(String);

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let error = || NetworkError(text.to_owned());
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| error())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(bits), |prefix| prefix.parse().map_err(|_| error()))?;
        if prefix > bits { Err(error()) } else { Ok(Self { address, prefix }) }
    }
}

impl Network {
    /// The machine itself, on which a reverse proxy often stands.
    pub fn loopback() -> [Network; 2] {
        [
            Network { address: IpAddr::from([127, 0, 0, 0]), prefix: 8 },
            Network { address: IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), prefix: 128 },
        ]
    }

    /// Whether `address` is in it; an IPv4 address in IPv6 clothing counts as what it is.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differing = u64::from(own.to_bits() ^ other.to_bits());
                differing >> (32 - self.prefix) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differing = own.to_bits() ^ other.to_bits();
                differing.checked_shr(128 - self.prefix).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// The caller's address: that of the connection, and when it is a trusted proxy's, the rightmost
/// one of `forwarded_for` (the values of `X-Forwarded-For`, in order) that is not trusted.
///
/// Each proxy appends whom it heard from, so what stands left of the first untrusted address is
/// the caller's own say and is not believed.
pub fn peer<'a>(
    connection: IpAddr,
    forwarded_for: impl DoubleEndedIterator<Item = &'a str>,
    trusted: &[Network],
) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut peer = connection.to_canonical();
    for hop in forwarded_for.rev().flat_map(|value| value.rsplit(',')) {
        if !is_trusted(peer) {
            break;
        }
        // What is no address ends the chain: nothing to the left of it can be relied on.
        let Some(address) = address(hop.trim()) else { break };
        peer = address;
    }
    peer
}

/// An address as proxies write it: bare, in brackets, with a port.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(address, _)| address);
    let address: Option<IpAddr> = bare.unwrap_or(hop).parse().ok();
    let with_port = || hop.parse::<std::net::SocketAddr>().ok().map(|address| address.ip());
    address.or_else(with_port).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(connection: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let trusted: Vec<Network> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        peer(connection.parse().unwrap(), forwarded.iter().copied(), &trusted).to_string()
    }

    #[test]
    fn the_peer_is_the_rightmost_address_that_is_not_trusted() {
        let proxies = ["10.0.0.0/8", "::1"];

        for (connection, forwarded, expected) in [
            ("192.0.2.1", vec!["198.51.100.7"], "192.0.2.1"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", vec!["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", vec!["1.1.1.1", "198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", vec!["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", vec!["198.51.100.7, unknown"], "10.0.0.1"),
            ("::ffff:10.0.0.1", vec!["[2001:db8::5]:4711"], "2001:db8::5"),
            ("::1", vec!["198.51.100.7:80"], "198.51.100.7"),
        ] {
            assert_eq!(found(connection, &forwarded, &proxies), expected, "{connection} {forwarded:?}");
        }
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_other() {
        let all: Network = "0.0.0.0/0".parse().unwrap();
        let six: Network = "2001:db8::/32".parse().unwrap();

        assert!(all.contains("203.0.113.9".parse().unwrap()));
        assert!(!all.contains("2001:db8::1".parse().unwrap()));
        assert!(six.contains("2001:db8:ffff::1".parse().unwrap()));
        assert!(!six.contains("2001:db9::1".parse().unwrap()));
        for bad in ["", "10.0.0.0/33", "::/129", "host", "10.0.0.0/x"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
