//! Which addresses one request may reach.

use std::net::IpAddr;

use super::{AddressClass, AddressRange, meant};

/// Which addresses a request, or everything through a connection, may reach. What the two sides permit is decided before;
/// this is what the name in the URL may turn out to be.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Reach {
    /// Whether any global address.
    pub global: bool,
    /// Whether any private address.
    pub private: bool,
    /// The address that the operator wrote in place of a host's name.
    pub literal: Option<IpAddr>,
    /// Whether the operator wrote `localhost`.
    pub localhost: bool,
    /// The networks that the operator listed.
    pub ranges: Vec<AddressRange>,
}

impl Reach {
    /// Whether this address may be reached; if not, the class that bars it.
    ///
    /// # Errors
    /// The class of the address.
    pub fn check(&self, address: IpAddr) -> Result<(), AddressClass> {
        let class = AddressClass::of(address);
        let allowed = !class.is_never()
            && ((self.global && class == AddressClass::Global)
                || (self.private && class == AddressClass::Private)
                || (self.localhost && class == AddressClass::Loopback)
                || self.literal.is_some_and(|literal| meant(literal) == meant(address))
                || self.ranges.iter().any(|range| range.permits(address)));
        if allowed { Ok(()) } else { Err(class) }
    }

    /// Whether the operator wrote the very address, or `localhost` for one of the loopback.
    #[must_use]
    pub fn names(&self, address: IpAddr) -> bool {
        let is_literal = self.literal.is_some_and(|literal| meant(literal) == meant(address));
        is_literal || (self.localhost && AddressClass::of(address) == AddressClass::Loopback)
    }

    /// Of whoever wrote this address in place of a host's name: it, and no other.
    #[must_use]
    pub fn of_literal(address: IpAddr) -> Self {
        Self { literal: Some(address), ..Self::default() }
    }

    /// What either of the two may reach.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        self.global |= other.global;
        self.private |= other.private;
        self.localhost |= other.localhost;
        // Both belong to the same request, whose host is one.
        self.literal = self.literal.or(other.literal);
        self.ranges.extend(other.ranges);
        self.ranges.sort_unstable();
        self.ranges.dedup();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_said_can_be_reached() {
        let nothing = Reach::default();
        let open = Reach { global: true, private: true, ..Reach::default() };
        let named = Reach { literal: Some("127.0.0.1".parse().unwrap()), ..open.clone() };
        let localhost = Reach { localhost: true, ..Reach::default() };
        let listed = Reach { ranges: vec!["10.0.0.0/8".parse().unwrap()], ..Reach::default() };
        for (address, expected) in [
            ("8.8.8.8", [false, true, true, false, false]),
            ("10.1.1.1", [false, true, true, false, true]),
            ("192.168.1.1", [false, true, true, false, false]),
            ("127.0.0.1", [false, false, true, true, false]),
            ("::ffff:127.0.0.1", [false, false, true, true, false]),
            ("127.0.0.2", [false, false, false, true, false]),
            ("::1", [false, false, false, true, false]),
            ("169.254.169.254", [false; 5]),
            ("fd00:ec2::254", [false; 5]),
            ("0.0.0.0", [false; 5]),
            ("224.0.0.1", [false; 5]),
        ] {
            let address = address.parse().unwrap();
            let found = [&nothing, &open, &named, &localhost, &listed].map(|reach| reach.check(address).is_ok());
            assert_eq!(found, expected, "{address}");
        }
        let zero = Reach { literal: Some("0.0.0.0".parse().unwrap()), ..Reach::default() };
        assert_eq!(zero.check("0.0.0.0".parse().unwrap()), Err(AddressClass::Unspecified), "not even by name");
    }
}
