//! What the requests of all packs share: how names are resolved, where this process listens, the places and the clients.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use runner_model::Limits;
use runner_model::limits::HttpLimits;
use tokio::sync::OwnedSemaphorePermit;

use super::client::Client;
use super::listening::{Listening, OwnPorts};
use super::lookup::{Lookup, SystemLookup};
use super::places::{Places, sockets_max};
use super::pool::{Key, Owner, Pool};

/// The egress door of a process. A clone is the same door.
#[derive(Clone)]
pub struct Door {
    shared: Arc<Shared>,
}

struct Shared {
    lookup: Arc<dyn Lookup>,
    own_ports: OwnPorts,
    places: Places,
    pool: Pool,
}

impl Door {
    /// A door that asks the operating system for the addresses of names.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self::of(&limits.http)
    }

    /// A door that asks this instead.
    #[must_use]
    pub fn with_lookup(limits: &Limits, lookup: Arc<dyn Lookup>) -> Self {
        Self::made(&limits.http, lookup)
    }

    pub(super) fn of(limits: &HttpLimits) -> Self {
        Self::made(limits, Arc::new(SystemLookup::default()))
    }

    fn made(limits: &HttpLimits, lookup: Arc<dyn Lookup>) -> Self {
        let sockets_max = sockets_max();
        let (places, pool) = (Places::new(limits, sockets_max), Pool::new(sockets_max / 2));
        Self { shared: Arc::new(Shared { lookup, own_ports: OwnPorts::default(), places, pool }) }
    }

    /// Says that this process listens here: no URL of a pack reaches the port on any address of this machine until what
    /// is returned is dropped. A connection does whose base URL names the very address.
    #[must_use]
    pub fn listening(&self, address: SocketAddr) -> Listening {
        self.shared.own_ports.add(address)
    }

    pub(super) async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.shared.lookup.lookup(host).await
    }

    pub(super) fn leads_here(&self, address: IpAddr, port: u16) -> bool {
        self.shared.own_ports.lead_here(address, port)
    }

    pub(super) async fn place_of(&self, owner: &Owner) -> Option<OwnedSemaphorePermit> {
        self.shared.places.of(owner).await
    }

    pub(super) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.shared.places.of_all().await
    }

    pub(super) fn client(&self, key: Key, make: impl FnOnce() -> Client) -> Arc<Client> {
        self.shared.pool.client(key, make)
    }
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").finish_non_exhaustive()
    }
}
