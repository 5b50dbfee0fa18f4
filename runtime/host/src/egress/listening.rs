//! Where this process itself listens: no URL of a pack leads back into it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

use parking_lot::Mutex;

/// The ports that this process listens on, and by how many listeners each.
#[derive(Clone, Default)]
pub(super) struct OwnPorts(Arc<Mutex<BTreeMap<u16, usize>>>);

/// Says that this process listens on a port, for as long as it is kept.
pub struct Listening {
    ports: OwnPorts,
    port: u16,
}

impl OwnPorts {
    pub(super) fn add(&self, address: SocketAddr) -> Listening {
        let port = address.port();
        *self.0.lock().entry(port).or_default() += 1;
        Listening { ports: self.clone(), port }
    }

    /// Whether somebody who connects to this address and port gets this process. On which of this machine's addresses it
    /// listens does not matter: what cannot be reached so far may be tomorrow.
    pub(super) fn lead_here(&self, address: IpAddr, port: u16) -> bool {
        self.0.lock().contains_key(&port) && is_of_this_machine(address.to_canonical())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut ports = self.ports.0.lock();
        if let Some(count) = ports.get_mut(&self.port) {
            *count -= 1;
            if *count == 0 {
                ports.remove(&self.port);
            }
        }
    }
}

/// An address is this machine's if a socket can be bound to it. That sends nothing.
fn is_of_this_machine(address: IpAddr) -> bool {
    address.is_loopback() || UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_ones_own_on_every_address_of_the_machine_and_for_as_long_as_it_is_listened_on() {
        let ports = OwnPorts::default();
        let first = ports.add("0.0.0.0:9101".parse().unwrap());
        let second = ports.add("[::]:9101".parse().unwrap());
        for own in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(ports.lead_here(own.parse().unwrap(), 9101), "{own}");
            assert!(!ports.lead_here(own.parse().unwrap(), 9102), "{own}");
        }
        assert!(!ports.lead_here("192.0.2.1".parse().unwrap(), 9101), "nobody's");
        drop(first);
        assert!(ports.lead_here("127.0.0.1".parse().unwrap(), 9101));
        drop(second);
        assert!(!ports.lead_here("127.0.0.1".parse().unwrap(), 9101));
    }
}
