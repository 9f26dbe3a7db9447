//! The allow-list: hosts and networks that the operator exempts from the address table, with the
//! setting `HELPBOT_ALLOW_PRIVATE`. It is empty by default.
//!
//! A listed **name** or **address** may also be reached over plain http and on any port, because an
//! operator who lists `127.0.0.1` or `hooks.internal` runs a server there. A name that is not
//! listed but resolves into a listed network may be connected to, but the usual rules for scheme
//! and port apply.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use url::Host;

use crate::address::effective;

/// Hosts and networks that may be connected to although they are not public.
///
/// Entries are separated by commas or white space: `hooks.internal`, `127.0.0.1`, `10.0.0.0/8`,
/// `fd00::/8`. Names must match exactly, apart from case and a trailing dot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList {
    names: Vec<String>,
    networks: Vec<IpNet>,
}

/// An entry of the allow-list is neither a host name, nor an address, nor a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{entry}` is not a host name, an address or a network such as 10.0.0.0/8")]
pub struct AllowListError {
    /// The entry as the operator wrote it.
    pub entry: String,
}

impl AllowList {
    /// Creates a list with exactly one host, for example the configured model server.
    #[must_use]
    pub fn only(host: &Host<&str>) -> Self {
        let mut list = Self::default();
        match host {
            Host::Domain(name) => list.names.push(plain_name(name)),
            Host::Ipv4(ip) => list.networks.push(IpNet::from(IpAddr::V4(*ip))),
            Host::Ipv6(ip) => list.networks.push(IpNet::from(IpAddr::V6(*ip))),
        }
        list
    }

    /// Returns whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.networks.is_empty()
    }

    /// Returns whether the host of a URL is listed.
    #[must_use]
    pub fn has_host(&self, host: &Host<&str>) -> bool {
        match host {
            Host::Domain(name) => self.has_name(name),
            Host::Ipv4(ip) => self.has_address(IpAddr::V4(*ip)),
            Host::Ipv6(ip) => self.has_address(IpAddr::V6(*ip)),
        }
    }

    /// Returns whether the name is listed. Networks are not considered.
    #[must_use]
    pub fn has_name(&self, name: &str) -> bool {
        let name = plain_name(name);
        self.names.contains(&name)
    }

    /// Returns whether a listed network contains the address, or the IPv4 address inside it.
    #[must_use]
    pub fn has_address(&self, ip: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&ip) || network.contains(&effective(ip)))
    }
}

impl FromStr for AllowList {
    type Err = AllowListError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut list = Self::default();
        let entries = text.split(|c: char| c == ',' || c.is_whitespace());
        for entry in entries.filter(|entry| !entry.is_empty()) {
            let refused = || AllowListError { entry: entry.to_owned() };
            if let Some(network) = network(entry) {
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
        let networks = self.networks.iter().map(ToString::to_string);
        let entries: Vec<String> = self.names.iter().cloned().chain(networks).collect();
        out.write_str(&entries.join(", "))
    }
}

/// Parses a network, or an address as the network that contains only it. IPv6 addresses may be in
/// brackets.
fn network(entry: &str) -> Option<IpNet> {
    if entry.contains('/') {
        return entry.parse().ok();
    }
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(entry).parse::<IpAddr>().ok().map(IpNet::from)
}

/// Returns the name in lower case, without the trailing dot of a fully qualified name.
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
    fn networks_addresses_and_names_are_distinguished() {
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
    fn a_listed_network_includes_mapped_and_nat64_addresses() {
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
    fn a_mistyped_entry_is_rejected_and_named() {
        for entry in ["10.0.0.0/33", "::/129", "10.0.0/8", "http://x.example", "*.internal", "a:80"] {
            let error = entry.parse::<AllowList>().expect_err(entry);
            assert_eq!(error.entry, entry);
        }
    }

    #[test]
    fn the_list_is_printed_in_normal_form() {
        assert_eq!(list("B.example 10.0.0.0/8 ::1").to_string(), "b.example, 10.0.0.0/8, ::1/128");
    }
}
