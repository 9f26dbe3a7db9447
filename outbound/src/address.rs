//! Which addresses are on the public internet: the table behind every outgoing connection.
//!
//! Called for IP literals in URLs and for every address a name resolves to. IPv4 is a list of
//! refused blocks; IPv6 starts from the opposite end, since only `2000::/3` has ever been
//! allocated: everything outside it is refused, and a few blocks inside it too.
//!
//! Sources: the IANA special-purpose address registries, RFC 4291, 6052, 6890, 7526, 9637 and
//! 9602. The registries call some of these "globally reachable" (6to4 relays, AMT, benchmarking
//! anycast); no web server lives there, so they are refused with their neighbours.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Refused IPv4 blocks: network, prefix length, what it is.
const BLOCKED_V4: [(Ipv4Addr, u8, &str); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private network"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "carrier-grade NAT"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local and cloud metadata"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private network"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "protocol assignments"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private network"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarking"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(255, 255, 255, 255), 32, "broadcast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// The one block of IPv6 that holds public addresses (RFC 4291 section 2.4).
const GLOBAL_UNICAST: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Refused IPv6 blocks inside [`GLOBAL_UNICAST`].
const BLOCKED_GLOBAL_V6: [(Ipv6Addr, u8, &str); 4] = [
    // All of it: Teredo (2001::/32) names an IPv4 address, the rest are protocol anycasts.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "Teredo and protocol assignments"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "6to4"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "documentation"),
];

/// Names for what lies outside [`GLOBAL_UNICAST`]; the verdict does not depend on this list.
const NAMED_V6: [(Ipv6Addr, u8, &str); 11] = [
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified"),
    (Ipv6Addr::LOCALHOST, 128, "loopback"),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 32, "local NAT64"),
    // IPv4-compatible, SIIT `::ffff:0:a.b.c.d` and whatever else spells IPv4 in there.
    (Ipv6Addr::UNSPECIFIED, 8, "reserved, IPv4 in IPv6"),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 48, "discard only"),
    (Ipv6Addr::new(0x5f00, 0, 0, 0, 0, 0, 0, 0), 16, "segment routing"),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "unique local"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "link-local"),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, "site-local"),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "multicast"),
    (Ipv6Addr::UNSPECIFIED, 0, "unallocated"),
];

/// Whether `ip` is an ordinary address of the public internet.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    blocked(ip).is_none()
}

/// The name of the block that makes `ip` unacceptable; `None` when it is public.
///
/// IPv4-mapped and NAT64 addresses get the verdict of the IPv4 address that they carry.
#[must_use]
pub fn blocked(ip: IpAddr) -> Option<&'static str> {
    match effective(ip) {
        IpAddr::V4(v4) => BLOCKED_V4.iter().find(|(net, prefix, _)| in_v4(v4, *net, *prefix)).map(|(_, _, name)| *name),
        IpAddr::V6(v6) => blocked_v6(v6),
    }
}

/// The address that a packet to `ip` ends up at, as far as the address alone tells.
///
/// `::ffff:a.b.c.d` is a.b.c.d to every socket API. `64:ff9b::/96` cannot be refused wholesale:
/// behind DNS64 every IPv4-only host resolves into it; it is as public as what it carries
/// (RFC 6052 section 3.1). No other prefix length is recognisable from the address.
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
    let name_in = |table: &[(Ipv6Addr, u8, &'static str)]| {
        table.iter().find(|(net, prefix, _)| in_v6(ip, *net, *prefix)).map(|(_, _, name)| *name)
    };
    if !in_v6(ip, GLOBAL_UNICAST.0, GLOBAL_UNICAST.1) {
        return name_in(&NAMED_V6);
    }
    // ISATAP: an interface id of 0:5efe or 200:5efe carries an IPv4 address of the far site.
    if matches!(ip.segments(), [_, _, _, _, 0 | 0x200, 0x5efe, _, _]) {
        return Some("ISATAP");
    }
    name_in(&BLOCKED_GLOBAL_V6)
}

/// Whether `ip` lies in `net`/`prefix`; `prefix` is at most 32.
pub(crate) fn in_v4(ip: Ipv4Addr, net: Ipv4Addr, prefix: u8) -> bool {
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
    u32::from(ip) & mask == u32::from(net) & mask
}

/// Whether `ip` lies in `net`/`prefix`; `prefix` is at most 128.
pub(crate) fn in_v6(ip: Ipv6Addr, net: Ipv6Addr, prefix: u8) -> bool {
    let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
    u128::from(ip) & mask == u128::from(net) & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First and last address of every refused block, and odd carriers of private addresses.
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

    /// The neighbours on both sides of every refused block, and well-known hosts.
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
        list.split_whitespace().map(|text| text.parse().unwrap_or_else(|_| panic!("{text} is no address")))
    }

    #[test]
    fn every_special_block_is_refused_to_its_edges() {
        for ip in addresses(REFUSED) {
            assert!(blocked(ip).is_some(), "{ip} must be refused");
        }
    }

    #[test]
    fn the_neighbours_of_special_blocks_are_public() {
        for ip in addresses(PUBLIC) {
            assert_eq!(blocked(ip), None, "{ip} must be allowed");
        }
    }

    #[test]
    fn every_ipv4_carrier_inherits_the_verdict_of_what_it_carries() {
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
        // Every /16 of IPv4, at four points: the named std predicates are never public here.
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
    fn block_names_tell_what_is_wrong() {
        let name = |text: &str| blocked(text.parse().expect("an address"));

        assert_eq!(name("169.254.169.254"), Some("link-local and cloud metadata"));
        assert_eq!(name("255.255.255.255"), Some("broadcast"));
        assert_eq!(name("::1"), Some("loopback"));
        assert_eq!(name("fd12::1"), Some("unique local"));
        assert_eq!(name("2002:7f00:1::"), Some("6to4"));
        assert_eq!(name("::ffff:192.168.1.1"), Some("private network"));
    }
}
