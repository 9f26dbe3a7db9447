//! The network address that a request comes from: the address of the connection, or the address
//! that a trusted proxy reports in `X-Forwarded-For`.
//!
//! Called by the gateway for every request; rate limits and connection limits count by the result.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// A text that is neither an IP address nor a network in CIDR notation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is neither an IP address nor a network such as 10.0.0.0/8")]
pub struct InvalidNetwork(String);

/// Reads a network such as `10.0.0.0/8`, or a single address.
///
/// # Errors
/// `InvalidNetwork` when `text` is neither.
pub fn network(text: &str) -> Result<IpNet, InvalidNetwork> {
    let single = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| single()).map_err(|_| InvalidNetwork(text.to_owned()))
}

/// The loopback networks: a reverse proxy often runs on the same machine.
pub fn loopback() -> [IpNet; 2] {
    const V4: Ipv4Net = Ipv4Net::new_assert(std::net::Ipv4Addr::new(127, 0, 0, 0), 8);
    const V6: Ipv6Net = Ipv6Net::new_assert(std::net::Ipv6Addr::LOCALHOST, 128);
    [V4.into(), V6.into()]
}

/// The address of the caller.
///
/// That is the address of the connection. When the connection comes from a trusted proxy, it is the
/// rightmost untrusted address in `forwarded_for`, the values of `X-Forwarded-For` in order. Each
/// proxy appends the address that it received the request from, so everything to the left of the
/// first untrusted address was written by the caller itself and cannot be trusted.
pub fn peer<'a>(
    connection: IpAddr,
    forwarded_for: impl DoubleEndedIterator<Item = &'a str>,
    trusted: &[IpNet],
) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut peer = connection.to_canonical();
    for hop in forwarded_for.rev().flat_map(|value| value.rsplit(',')) {
        if !is_trusted(&peer) {
            break;
        }
        // An unreadable entry ends the chain: nothing to its left can be trusted.
        let Some(address) = address(hop.trim()) else { break };
        peer = address;
    }
    peer
}

/// An address as proxies write it: bare, in brackets, or with a port.
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
        let trusted: Vec<IpNet> = trusted.iter().map(|text| network(text).unwrap()).collect();
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
    fn a_network_contains_its_addresses_and_no_others() {
        let contains = |text: &str, address: &str| network(text).unwrap().contains(&address.parse::<IpAddr>().unwrap());

        assert!(contains("0.0.0.0/0", "203.0.113.9"));
        assert!(!contains("0.0.0.0/0", "2001:db8::1"));
        assert!(contains("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(!contains("2001:db8::/32", "2001:db9::1"));
        assert!(loopback().iter().any(|network| network.contains(&IpAddr::from([127, 8, 9, 1]))));
        for bad in ["", "10.0.0.0/33", "::/129", "host", "10.0.0.0/x"] {
            assert!(network(bad).is_err(), "{bad}");
        }
    }
}
