//! The table of public IP addresses, which every outgoing connection is checked against.
//!
//! It is used for IP literals in URLs and for every address that a host name resolves to. For IPv4
//! it lists the blocked networks. For IPv6 it starts the other way round, because only `2000::/3`
//! has ever been allocated: everything outside it is blocked, and a few networks inside it are too.
//!
//! Sources: the IANA special-purpose address registries, RFC 4291, 6052, 6890, 7526, 9637 and 9602.
//! The registries call some of these networks "globally reachable" (6to4 relays, AMT, benchmarking
//! anycast). No web server uses them, so they are blocked together with their neighbors.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// Blocked IPv4 networks with their names.
const BLOCKED_V4: [(Ipv4Net, &str); 16] = [
    (v4([0, 0, 0, 0], 8), "this network"),
    (v4([10, 0, 0, 0], 8), "private network"),
    (v4([100, 64, 0, 0], 10), "carrier-grade NAT"),
    (v4([127, 0, 0, 0], 8), "loopback"),
    (v4([169, 254, 0, 0], 16), "link-local and cloud metadata"),
    (v4([172, 16, 0, 0], 12), "private network"),
    (v4([192, 0, 0, 0], 24), "protocol assignments"),
    (v4([192, 0, 2, 0], 24), "documentation"),
    (v4([192, 88, 99, 0], 24), "6to4 relay"),
    (v4([192, 168, 0, 0], 16), "private network"),
    (v4([198, 18, 0, 0], 15), "benchmarking"),
    (v4([198, 51, 100, 0], 24), "documentation"),
    (v4([203, 0, 113, 0], 24), "documentation"),
    (v4([224, 0, 0, 0], 4), "multicast"),
    (v4([255, 255, 255, 255], 32), "broadcast"),
    (v4([240, 0, 0, 0], 4), "reserved"),
];

/// The only IPv6 network with public addresses (RFC 4291 section 2.4).
const GLOBAL_UNICAST: Ipv6Net = v6([0x2000, 0, 0], 3);

/// Blocked IPv6 networks inside [`GLOBAL_UNICAST`], with their names.
const BLOCKED_GLOBAL_V6: [(Ipv6Net, &str); 4] = [
    // The whole network: Teredo (2001::/32) contains an IPv4 address, and the rest are protocol
    // anycasts.
    (v6([0x2001, 0, 0], 23), "Teredo and protocol assignments"),
    (v6([0x2001, 0xdb8, 0], 32), "documentation"),
    (v6([0x2002, 0, 0], 16), "6to4"),
    (v6([0x3fff, 0, 0], 20), "documentation"),
];

/// Names of networks outside [`GLOBAL_UNICAST`]. All of those are blocked, whether listed or not.
const NAMED_V6: [(Ipv6Net, &str); 11] = [
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128), "unspecified"),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), "loopback"),
    (v6([0x64, 0xff9b, 0], 32), "local NAT64"),
    // IPv4-compatible addresses, SIIT `::ffff:0:a.b.c.d` and other notations of IPv4 addresses.
    (v6([0, 0, 0], 8), "reserved, IPv4 in IPv6"),
    (v6([0x100, 0, 0], 48), "discard only"),
    (v6([0x5f00, 0, 0], 16), "segment routing"),
    (v6([0xfc00, 0, 0], 7), "unique local"),
    (v6([0xfe80, 0, 0], 10), "link-local"),
    (v6([0xfec0, 0, 0], 10), "site-local"),
    (v6([0xff00, 0, 0], 8), "multicast"),
    (v6([0, 0, 0], 0), "unallocated"),
];

/// Returns whether `ip` is an ordinary address of the public internet.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    blocked(ip).is_none()
}

/// Returns the name of the network that makes `ip` unacceptable, or `None` when it is public.
///
/// For an IPv4-mapped or NAT64 address, the IPv4 address that it contains decides.
#[must_use]
pub fn blocked(ip: IpAddr) -> Option<&'static str> {
    match effective(ip) {
        IpAddr::V4(v4) => BLOCKED_V4.iter().find(|(net, _)| net.contains(&v4)).map(|(_, name)| *name),
        IpAddr::V6(v6) => blocked_v6(v6),
    }
}

/// Returns the address that a packet to `ip` reaches, as far as the address alone tells.
///
/// Every socket API treats `::ffff:a.b.c.d` as a.b.c.d. `64:ff9b::/96` cannot be blocked as a
/// whole: behind DNS64, every IPv4-only host resolves into it. It is as public as the IPv4 address
/// that it contains (RFC 6052 section 3.1). Other prefix lengths cannot be recognized from the
/// address.
#[must_use]
pub fn effective(ip: IpAddr) -> IpAddr {
    let canonical = ip.to_canonical();
    let IpAddr::V6(v6) = canonical else {
        return canonical;
    };
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => IpAddr::V4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))),
        _ => canonical,
    }
}

fn blocked_v6(ip: Ipv6Addr) -> Option<&'static str> {
    let name_in =
        |table: &[(Ipv6Net, &'static str)]| table.iter().find(|(net, _)| net.contains(&ip)).map(|(_, name)| *name);
    if !GLOBAL_UNICAST.contains(&ip) {
        return name_in(&NAMED_V6);
    }
    // ISATAP: an interface ID of 0:5efe or 200:5efe contains an IPv4 address of the remote site.
    if matches!(ip.segments(), [_, _, _, _, 0 | 0x200, 0x5efe, _, _]) {
        return Some("ISATAP");
    }
    name_in(&BLOCKED_GLOBAL_V6)
}

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

/// Returns the network whose address starts with these three segments.
const fn v6([a, b, c]: [u16; 3], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First and last address of every blocked network, and unusual notations of private addresses.
    const REFUSED: &str = "0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 \
        100.127.255.255 127.0.0.0 127.0.0.1 127.255.255.255 169.254.0.0 169.254.169.254 \
        169.254.255.255 172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.255 192.0.2.0 192.0.2.255 \
        192.88.99.0 192.88.99.255 192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255 \
        198.51.100.0 198.51.100.255 203.0.113.0 203.0.113.255 224.0.0.0 239.255.255.255 \
        240.0.0.0 255.255.255.254 255.255.255.255 \
        :: ::1 ::2 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:0:127.0.0.1 \
        ::ffff:0:8.8.8.8 ::5efe:127.0.0.1 ff:ffff:: 64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 \
        64:ff9b::169.254.169.254 64:ff9b:0:0:0:1:8.8.8.8 64:ff9b:1::1 64:ff9b:1::8.8.8.8 \
        64:ff9b:ffff:ffff:ffff:ffff:ffff:ffff 100:: 100::1 100:0:0:1::1 200::1 400::1 1000::1 \
        1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 2001:: 2001:0:4136:e378:8000:63bf:3fff:fdd2 \
        2001:1::1 2001:2::1 2001:3::1 2001:4:112::1 2001:10::1 2001:20::1 \
        2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8:: 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff \
        2002:7f00:1::1 2002:808:808::1 2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff 3fff:: \
        3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff 2a00:1450::5efe:10.0.0.1 \
        2a00:1450::200:5efe:10.0.0.1 4000:: 5f00:: 5f00:ffff::1 8000:: fc00:: fd00:ec2::254 \
        fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff fe00::1 fe80:: fe80::1 \
        febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff fec0:: fec0::1 \
        feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ff00:: ff02::1 \
        ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

    /// Addresses next to every blocked network, and well-known hosts.
    const PUBLIC: &str = "1.0.0.0 1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 \
        100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 169.255.0.0 172.15.255.255 \
        172.32.0.0 191.255.255.255 192.0.1.0 192.0.1.255 192.0.3.0 192.88.98.255 192.88.100.0 \
        192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 \
        203.0.112.255 203.0.114.0 223.255.255.255 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 \
        64:ff9b::93.184.216.34 2000::1 2001:200:: 2001:4860:4860::8888 \
        2001:db7:ffff:ffff:ffff:ffff:ffff:ffff 2001:db9:: 2003::1 2606:4700:4700::1111 \
        2a00:1450:4001:81b::200e 3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff 3fff:1000:: \
        3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

    fn addresses(list: &str) -> impl Iterator<Item = IpAddr> + '_ {
        list.split_whitespace().map(|text| text.parse().unwrap_or_else(|_| panic!("{text} is not an address")))
    }

    #[test]
    fn every_special_network_is_blocked_up_to_its_edges() {
        for ip in addresses(REFUSED) {
            assert!(blocked(ip).is_some(), "{ip} must be blocked");
        }
    }

    #[test]
    fn addresses_next_to_special_networks_are_public() {
        for ip in addresses(PUBLIC) {
            assert_eq!(blocked(ip), None, "{ip} must be allowed");
        }
    }

    #[test]
    fn an_address_that_contains_an_ipv4_address_is_treated_like_it() {
        for ip in addresses(REFUSED).chain(addresses(PUBLIC)) {
            let IpAddr::V4(v4) = ip else { continue };
            let [a, b, c, d] = v4.octets().map(u16::from);
            let nat64 = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a << 8 | b, c << 8 | d);

            assert_eq!(is_public(v4.to_ipv6_mapped().into()), is_public(ip), "mapped {ip}");
            assert_eq!(is_public(nat64.into()), is_public(ip), "NAT64 {ip}");
            assert!(!is_public(v4.to_ipv6_compatible().into()), "compatible {ip}");
        }
    }

    #[test]
    fn the_standard_library_agrees_about_private_loopback_and_link_local() {
        // Checks four addresses of every IPv4 /16: none that the standard library calls special is
        // public.
        for high in 0..=u16::MAX {
            for low in [0_u32, 1, 0x7fff, 0xffff] {
                let v4 = Ipv4Addr::from(u32::from(high) << 16 | low);
                let special = v4.is_private()
                    || v4.is_loopback()
                    || v4.is_link_local()
                    || v4.is_multicast()
                    || v4.is_broadcast()
                    || v4.is_documentation()
                    || v4.is_unspecified();
                assert!(!special || !is_public(v4.into()), "{v4}");
            }
        }
    }

    #[test]
    fn network_names_describe_the_reason() {
        let name = |text: &str| blocked(text.parse().expect("an address"));

        assert_eq!(name("169.254.169.254"), Some("link-local and cloud metadata"));
        assert_eq!(name("255.255.255.255"), Some("broadcast"));
        assert_eq!(name("::1"), Some("loopback"));
        assert_eq!(name("fd12::1"), Some("unique local"));
        assert_eq!(name("2002:7f00:1::"), Some("6to4"));
        assert_eq!(name("::ffff:192.168.1.1"), Some("private network"));
    }
}
