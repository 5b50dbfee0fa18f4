//! A network in CIDR notation, as an operator writes it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{AddressClass, meant};

/// A network: `10.20.0.0/16`, `fd00:1::/32`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRange(IpNet);

/// A text that is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRange {
    /// Neither a network nor an address.
    #[error("`{0}` is not a network: write `10.20.0.0/16` or one address")]
    Malformed(String),
    /// An address within a network, where the network is meant.
    #[error("`{0}` has bits beyond its length: write `{1}`")]
    Bits(String, String),
    /// A class that nothing permits.
    #[error("`{0}` is {1}, which no request can be sent to")]
    Never(String, AddressClass),
}

impl AddressRange {
    /// Whether the network permits this address. Loopback, link-local and metadata addresses lie in larger networks, too;
    /// they are meant only by a network that lies within their own, a metadata service only by its very address.
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        let class = AddressClass::of(address);
        let holds = self.0.contains(&address) || self.0.contains(&meant(address));
        holds && !class.is_never() && (!class.is_only_by_name() || self.names(class))
    }

    /// Whether the network lies within this class.
    fn names(&self, class: AddressClass) -> bool {
        let single = self.0.prefix_len() == self.0.max_prefix_len();
        let within = |address| AddressClass::of(address) == class;
        match class {
            AddressClass::Metadata => single,
            _ => single || (within(self.0.network()) && within(self.0.broadcast())),
        }
    }
}

impl FromStr for AddressRange {
    type Err = BadRange;

    fn from_str(text: &str) -> Result<Self, BadRange> {
        let network = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(meant(address)),
            Err(_) => text.parse::<IpNet>().map_err(|_| BadRange::Malformed(text.to_owned()))?,
        };
        let truncated = network.trunc();
        if truncated != network {
            return Err(BadRange::Bits(text.to_owned(), truncated.to_string()));
        }
        let class = AddressClass::of(network.addr());
        let is_whole = network.prefix_len() == 0;
        // The network of everything begins with the unspecified address, and means the rest.
        if class.is_never() && !is_whole && class == AddressClass::of(network.broadcast()) {
            return Err(BadRange::Never(text.to_owned(), class));
        }
        Ok(Self(network))
    }
}

/// One address. It permits nothing if nothing permits the address.
impl From<IpAddr> for AddressRange {
    fn from(address: IpAddr) -> Self {
        Self(meant(address).into())
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for AddressRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AddressRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(range: &str, address: &str) -> bool {
        range.parse::<AddressRange>().unwrap().permits(address.parse().unwrap())
    }

    #[test]
    fn a_network_permits_what_lies_in_it() {
        assert!(permits("10.20.0.0/16", "10.20.255.1"));
        assert!(!permits("10.20.0.0/16", "10.21.0.1"));
        assert!(permits("10.20.0.0/16", "::ffff:10.20.0.1"), "mapped");
        assert!(permits("10.1.2.3", "10.1.2.3") && !permits("10.1.2.3", "10.1.2.4"));
        assert!(permits("fd00:1::/32", "fd00:1::9") && !permits("fd00:1::/32", "fd00:2::9"));
        assert!(permits("0.0.0.0/0", "8.8.8.8") && permits("0.0.0.0/0", "192.168.1.1"));
    }

    #[test]
    fn a_wide_network_does_not_mean_this_machine_or_a_metadata_service() {
        for wide in ["0.0.0.0/0", "127.0.0.0/7", "0.0.0.0/1"] {
            if let Ok(range) = wide.parse::<AddressRange>() {
                assert!(!range.permits("127.0.0.1".parse().unwrap()), "{wide}");
            }
        }
        assert!(permits("127.0.0.0/8", "127.0.0.1") && permits("127.0.1.1/32", "127.0.1.1"));
        assert!(permits("169.254.0.0/16", "169.254.7.7"));
        for wide in ["0.0.0.0/0", "169.254.0.0/16", "169.254.169.0/24"] {
            assert!(!permits(wide, "169.254.169.254"), "{wide}");
        }
        assert!(permits("169.254.169.254/32", "169.254.169.254"));
        assert!(!permits("fd00::/8", "fd00:ec2::254") && permits("fd00:ec2::254", "fd00:ec2::254"));
        assert!(!permits("::/0", "::1") && permits("::1/128", "::1"));
        assert!(!permits("0.0.0.0/0", "0.0.0.0") && !permits("0.0.0.0/0", "224.0.0.1") && !permits("::/0", "2002::1"));
    }

    #[test]
    fn what_is_written_wrongly_is_told_apart() {
        let bad = |text: &str| text.parse::<AddressRange>().unwrap_err().to_string();
        assert!(bad("10.0.0.0/33").contains("not a network"));
        assert!(bad("example.com").contains("not a network"));
        assert!(bad("10.1.2.3/8").contains("write `10.0.0.0/8`"));
        assert!(bad("224.0.0.0/8").contains("multicast"));
        assert!(bad("0.0.0.0").contains("unspecified"));
        assert_eq!("10.1.2.3".parse::<AddressRange>().unwrap().to_string(), "10.1.2.3/32");
    }
}
