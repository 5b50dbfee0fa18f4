//! What kind of network an IP address lies in, and which addresses a request may reach.
//!
//! Pure: the egress door in `host` asks for every address before it is dialled, whether it stood in a URL or came from a
//! name server. The tables are IANA's registries of special-purpose addresses (RFC 6890), as of 2026, and what the large
//! clouds document of their metadata services.

mod range;
mod reach;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

pub use range::{AddressRange, BadRange};
pub use reach::Reach;

/// What kind of network an address lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressClass {
    /// The internet.
    Global,
    /// A network of one's own: RFC 1918, unique local (RFC 4193), and the carriers' shared space (RFC 6598).
    Private,
    /// This machine.
    Loopback,
    /// This machine's own wire.
    LinkLocal,
    /// A cloud's metadata service, which gives credentials to whoever asks from this machine.
    Metadata,
    /// No address at all; operating systems take it for this machine.
    Unspecified,
    /// Many receivers.
    Multicast,
    /// For documentation, measurements, translations and the future: nobody is there whom a request could mean.
    Reserved,
}

/// Metadata services, wherever their addresses lie: AWS, GCP and OpenStack (`169.254.169.254`), AWS's of containers and
/// pods, Azure's host (a global address), Alibaba's (carrier space), Oracle's (a reserved one), and those over IPv6 of
/// AWS, GCP and OpenStack.
const METADATA_V4: [Ipv4Addr; 6] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(169, 254, 170, 23),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];
/// See [`METADATA_V4`].
const METADATA_V6: [Ipv6Addr; 4] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
];

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits))
}

const fn v6(first: [u16; 4], bits: u8) -> IpNet {
    let [a, b, c, d] = first;
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), bits))
}

/// The class of each special network. The first that holds an address counts.
const NETWORKS: [(IpNet, AddressClass); 31] = [
    (v4(0, 0, 0, 0, 32), AddressClass::Unspecified),
    (v4(0, 0, 0, 0, 8), AddressClass::Reserved),
    (v4(10, 0, 0, 0, 8), AddressClass::Private),
    (v4(100, 64, 0, 0, 10), AddressClass::Private),
    (v4(127, 0, 0, 0, 8), AddressClass::Loopback),
    (v4(169, 254, 0, 0, 16), AddressClass::LinkLocal),
    (v4(172, 16, 0, 0, 12), AddressClass::Private),
    (v4(192, 0, 0, 0, 24), AddressClass::Reserved),
    (v4(192, 0, 2, 0, 24), AddressClass::Reserved),
    (v4(192, 88, 99, 0, 24), AddressClass::Reserved),
    (v4(192, 168, 0, 0, 16), AddressClass::Private),
    (v4(198, 18, 0, 0, 15), AddressClass::Reserved),
    (v4(198, 51, 100, 0, 24), AddressClass::Reserved),
    (v4(203, 0, 113, 0, 24), AddressClass::Reserved),
    (v4(224, 0, 0, 0, 4), AddressClass::Multicast),
    // With the broadcast address.
    (v4(240, 0, 0, 0, 4), AddressClass::Reserved),
    (v6([0, 0, 0, 0], 128), AddressClass::Unspecified),
    (IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)), AddressClass::Loopback),
    (v6([0xfc00, 0, 0, 0], 7), AddressClass::Private),
    (v6([0xfe80, 0, 0, 0], 10), AddressClass::LinkLocal),
    (v6([0xff00, 0, 0, 0], 8), AddressClass::Multicast),
    // For the protocols' own use, Teredo, ORCHID and measurements among it.
    (v6([0x2001, 0, 0, 0], 23), AddressClass::Reserved),
    (v6([0x2001, 0xdb8, 0, 0], 32), AddressClass::Reserved),
    // 6to4: an IPv4 address in disguise, behind a relay of nobody's.
    (v6([0x2002, 0, 0, 0], 16), AddressClass::Reserved),
    (v6([0x3fff, 0, 0, 0], 20), AddressClass::Reserved),
    // All of the internet that has been given out; what is outside is reserved: IPv4-compatible addresses, local
    // translation (64:ff9b:1::/48), discard-only (100::/64), segment routing (5f00::/16), site-local (fec0::/10) and
    // what has no meaning yet.
    (v6([0x2000, 0, 0, 0], 3), AddressClass::Global),
    (v6([0, 0, 0, 0], 1), AddressClass::Reserved),
    (v6([0x8000, 0, 0, 0], 2), AddressClass::Reserved),
    (v6([0xc000, 0, 0, 0], 3), AddressClass::Reserved),
    (v6([0xe000, 0, 0, 0], 3), AddressClass::Reserved),
    (v4(0, 0, 0, 0, 0), AddressClass::Global),
];

impl AddressClass {
    /// The class of an address. An IPv6 address that stands for an IPv4 address, mapped (RFC 4291) or translated by NAT64
    /// (RFC 6052), has that one's class.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        let address = meant(address);
        let is_metadata = match address {
            IpAddr::V4(address) => METADATA_V4.contains(&address),
            IpAddr::V6(address) => METADATA_V6.contains(&address),
        };
        if is_metadata {
            return Self::Metadata;
        }
        let found = NETWORKS.iter().find(|(network, _)| network.contains(&address));
        found.map_or(Self::Reserved, |(_, class)| *class)
    }

    /// Whether nothing permits it: no request can mean such an address.
    #[must_use]
    pub const fn is_never(self) -> bool {
        matches!(self, Self::Unspecified | Self::Multicast | Self::Reserved)
    }

    /// Whether it is permitted only to whoever names the very address or a network within the class.
    #[must_use]
    pub const fn is_only_by_name(self) -> bool {
        matches!(self, Self::Loopback | Self::LinkLocal | Self::Metadata)
    }
}

/// With an article: "a private address".
impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Global => "a global address",
            Self::Private => "a private address",
            Self::Loopback => "a loopback address",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "the address of a cloud's metadata service",
            Self::Unspecified => "the unspecified address",
            Self::Multicast => "a multicast address",
            Self::Reserved => "a reserved address",
        })
    }
}

/// The address that is meant: of an IPv6 address that only carries an IPv4 address, that one.
fn meant(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else { return address };
    match six.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(address: &str) -> AddressClass {
        AddressClass::of(address.parse().unwrap())
    }

    #[test]
    fn each_network_of_the_registries_has_its_class_at_both_ends_and_not_beyond() {
        use AddressClass::{Global, LinkLocal, Loopback, Metadata, Multicast, Private, Reserved, Unspecified};
        for (expected, addresses) in [
            (Unspecified, "0.0.0.0 :: ::ffff:0.0.0.0 64:ff9b::"),
            (Private, "10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255"),
            (Private, "100.64.0.0 100.127.255.255 fc00:: fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            (Private, "::ffff:10.1.2.3 ::ffff:c0a8:1 64:ff9b::10.0.0.1"),
            (Loopback, "127.0.0.0 127.0.0.1 127.255.255.255 ::1 ::ffff:127.0.0.1 64:ff9b::7f00:1"),
            (LinkLocal, "169.254.0.0 169.254.255.255 fe80:: febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            (Metadata, "169.254.169.254 169.254.170.2 168.63.129.16 100.100.100.200 192.0.0.192 fd00:ec2::254"),
            (Metadata, "fd20:ce::254 fe80::a9fe:a9fe ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe"),
            (Multicast, "224.0.0.0 239.255.255.255 ff00:: ff02::1 ::ffff:224.0.0.1"),
            (Reserved, "0.0.0.1 0.255.255.255 192.0.0.0 192.0.0.255 192.0.2.0 192.0.2.255 192.88.99.1"),
            (Reserved, "198.18.0.0 198.19.255.255 198.51.100.7 203.0.113.255 240.0.0.0 255.255.255.255"),
            (Reserved, "::127.0.0.1 ::2 ::ffff:0:127.0.0.1 64:ff9b:1::1 64:ff9b:1::7f00:1 100::1 100:0:0:1::1"),
            (Reserved, "2001::1 2001:0:7f00:1:: 2001:2::1 2001:10::1 2001:1ff:ffff::1 2001:db8::1 2002:7f00:1::1"),
            (Reserved, "2002:a9fe:a9fe:: 3fff::1 3fff:fff:ffff::1 4000::1 5f00::1 8000::1 c000::1 e000::1"),
            (Reserved, "f000::1 fbff::1 fec0::1 feff:ffff::1 fe00::1 64:ff9b:0:1::1"),
            (Global, "1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0"),
            (Global, "169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0"),
            (Global, "192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 203.0.112.255 203.0.114.0 223.255.255.255"),
            (
                Global,
                "2000::1 2001:200::1 2001:4860:4860::8888 2606:4700::1111 2a00::1 3ffe::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8",
            ),
        ] {
            for address in addresses.split(' ') {
                assert_eq!(class(address), expected, "{address}");
            }
        }
    }

    #[test]
    fn no_address_is_without_a_class() {
        // The table covers everything: what is asserted is that the fallback is never needed.
        for high in (0..=0xffff_u16).step_by(7) {
            let six = IpAddr::V6(Ipv6Addr::new(high, 1, 2, 3, 4, 5, 6, 7));
            let four = IpAddr::V4(Ipv4Addr::new(high.to_be_bytes()[0], high.to_be_bytes()[1], 3, 4));
            for address in [six, four] {
                assert!(NETWORKS.iter().any(|(network, _)| network.contains(&address)), "{address}");
            }
        }
    }
}
