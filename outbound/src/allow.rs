//! What an operator lets through the address table: hosts and networks of the setting
//! `HELPBOT_ALLOW_PRIVATE`. Nothing by default.
//!
//! A listed **name** or **address** may also be reached over plain http and on any port, since
//! whoever lists `127.0.0.1` or `hooks.internal` has a server of their own there. A name that is
//! not listed but resolves into a listed network is dialled, under the ordinary rules for scheme
//! and port.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use url::Host;

use crate::address::{effective, in_v4, in_v6};

/// Hosts and networks that the outbound guard lets through.
///
/// Parsed from entries separated by commas or white space: `hooks.internal`, `127.0.0.1`,
/// `10.0.0.0/8`, `fd00::/8`. Names match whole and without regard to case or a trailing dot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList {
    names: Vec<String>,
    networks: Vec<Network>,
}

/// An entry of the allow-list that is neither a host name, nor an address, nor a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{entry}` is not a host name, an address or a network such as 10.0.0.0/8")]
pub struct AllowListError {
    /// The entry as written.
    pub entry: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    base: IpAddr,
    prefix: u8,
}

impl AllowList {
    /// Lets exactly one host through: the one that an operator configured, for example the
    /// model server's.
    #[must_use]
    pub fn only(host: &Host<&str>) -> Self {
        let mut list = Self::default();
        match host {
            Host::Domain(name) => list.names.push(plain_name(name)),
            Host::Ipv4(ip) => list.networks.push(Network::single(IpAddr::V4(*ip))),
            Host::Ipv6(ip) => list.networks.push(Network::single(IpAddr::V6(*ip))),
        }
        list
    }

    /// Whether nothing is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.networks.is_empty()
    }

    /// Whether the host, as it stands in a URL, is listed.
    #[must_use]
    pub fn has_host(&self, host: &Host<&str>) -> bool {
        match host {
            Host::Domain(name) => self.has_name(name),
            Host::Ipv4(ip) => self.has_address(IpAddr::V4(*ip)),
            Host::Ipv6(ip) => self.has_address(IpAddr::V6(*ip)),
        }
    }

    /// Whether the name is listed; networks play no part.
    #[must_use]
    pub fn has_name(&self, name: &str) -> bool {
        let name = plain_name(name);
        self.names.contains(&name)
    }

    /// Whether the address, or the IPv4 address that it carries, lies in a listed network.
    #[must_use]
    pub fn has_address(&self, ip: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(ip) || network.contains(effective(ip)))
    }
}

impl FromStr for AllowList {
    type Err = AllowListError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut list = Self::default();
        let entries = text.split(|c: char| c == ',' || c.is_whitespace());
        for entry in entries.filter(|entry| !entry.is_empty()) {
            let refused = || AllowListError { entry: entry.to_owned() };
            if let Some(network) = Network::parse(entry) {
                list.networks.push(network);
            } else {
                // A mistyped network must not become a name that never matches.
                match Host::parse(entry).map_err(|_| refused())? {
                    Host::Domain(name) if !entry.contains(['/', ':', '*']) => {
                        list.names.push(plain_name(&name));
                    }
                    _ => return Err(refused()),
                }
            }
        }
        Ok(list)
    }
}

impl fmt::Display for AllowList {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let networks = self.networks.iter().map(|network| format!("{}/{}", network.base, network.prefix));
        let entries: Vec<String> = self.names.iter().cloned().chain(networks).collect();
        out.write_str(&entries.join(", "))
    }
}

impl Network {
    fn single(ip: IpAddr) -> Self {
        let prefix = if ip.is_ipv4() { 32 } else { 128 };
        Self { base: ip, prefix }
    }

    fn parse(entry: &str) -> Option<Self> {
        let Some((base, prefix)) = entry.split_once('/') else {
            let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
            return bare.unwrap_or(entry).parse().ok().map(Self::single);
        };
        let base: IpAddr = base.parse().ok()?;
        let prefix: u8 = prefix.parse().ok()?;
        (prefix <= Self::single(base).prefix).then_some(Self { base, prefix })
    }

    fn contains(&self, ip: IpAddr) -> bool {
        match (self.base, ip) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => in_v4(ip, net, self.prefix),
            (IpAddr::V6(net), IpAddr::V6(ip)) => in_v6(ip, net, self.prefix),
            _ => false,
        }
    }
}

/// Lower case, without the dot that marks a name as fully qualified.
pub(crate) fn plain_name(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> AllowList {
        text.parse().expect("an allow-list")
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn nothing_is_listed_by_default() {
        let none = list(" , ");

        assert!(none.is_empty());
        assert!(!none.has_address(ip("127.0.0.1")));
        assert!(!none.has_name("localhost"));
    }

    #[test]
    fn networks_hosts_and_names_are_told_apart() {
        let list = list("10.0.0.0/8, fd00::/8 127.0.0.1,Hooks.Internal.\t[::1]");

        assert!(list.has_address(ip("10.200.3.4")));
        assert!(list.has_address(ip("fd12::1")));
        assert!(list.has_address(ip("127.0.0.1")));
        assert!(list.has_address(ip("::1")));
        assert!(list.has_name("hooks.INTERNAL"));
        assert!(list.has_name("hooks.internal."));
        assert!(!list.has_address(ip("127.0.0.2")));
        assert!(!list.has_address(ip("11.0.0.1")));
        assert!(!list.has_name("a.hooks.internal"));
    }

    #[test]
    fn a_listed_network_covers_its_mapped_and_nat64_spellings() {
        let list = list("10.0.0.0/8");

        assert!(list.has_address(ip("::ffff:10.1.2.3")));
        assert!(list.has_address(ip("64:ff9b::10.1.2.3")));
        assert!(!list.has_address(ip("::ffff:11.1.2.3")));
    }

    #[test]
    fn the_whole_internet_can_be_listed() {
        let all = list("0.0.0.0/0 ::/0");

        assert!(all.has_address(ip("127.0.0.1")));
        assert!(all.has_address(ip("fe80::1")));
    }

    #[test]
    fn a_mistyped_entry_is_refused_and_named() {
        for entry in ["10.0.0.0/33", "::/129", "10.0.0/8", "http://x.example", "*.internal", "a:80"] {
            let error = entry.parse::<AllowList>().expect_err(entry);
            assert_eq!(error.entry, entry);
        }
    }

    #[test]
    fn the_list_prints_as_it_is_understood() {
        assert_eq!(list("B.example 10.0.0.0/8 ::1").to_string(), "b.example, 10.0.0.0/8, ::1/128");
    }
}
