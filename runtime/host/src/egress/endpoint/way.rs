//! How requests of an endpoint get to the network: their places, their gate, their client.

use std::sync::Arc;

use runner_model::Reach;
use runner_model::limits::HttpLimits;
use tokio::sync::{OwnedSemaphorePermit, SemaphorePermit};
use url::Url;

use super::{Endpoint, Via};
use crate::egress::client::Client;
use crate::egress::connection::Tls;
use crate::egress::gate::{Gate, Side};
use crate::egress::pool::{Key, Owner};

/// A way over the network.
pub(in crate::egress) struct Route {
    /// None for plain HTTP.
    pub(in crate::egress) tls: Option<Tls>,
    pub(super) limits: HttpLimits,
    /// Which addresses; that of a URL is said by the grant that allows it.
    pub(super) reach: Option<Reach>,
}

/// The places that a request has taken.
pub(in crate::egress) struct Taken<'a> {
    _of_owner: Option<OwnedSemaphorePermit>,
    _here: Option<SemaphorePermit<'a>>,
    _of_all: Option<OwnedSemaphorePermit>,
}

impl Endpoint {
    /// Waits for a place among the requests of the pack, then on this connection, then of the process. Whoever holds a
    /// later one never waits for an earlier one; a pack that floods one connection holds up nobody but itself.
    pub(in crate::egress) async fn place(&self, owner: &Owner) -> Taken<'_> {
        let over_network = matches!(self.via, Via::Network(_));
        let of_owner = if over_network { self.door.place_of(owner).await } else { None };
        let here = match &self.places {
            // The semaphore is never closed.
            Some(places) => places.acquire().await.ok(),
            None => None,
        };
        let of_all = if over_network { self.door.place().await } else { None };
        Taken { _of_owner: of_owner, _here: here, _of_all: of_all }
    }

    /// The gate of requests to this URL. `granted` is what a grant lets them reach.
    pub(in crate::egress) fn gate(&self, route: &Route, owner: &Owner, url: &Url, granted: &Reach) -> Gate {
        let side = match (owner, &route.reach) {
            (Owner::Pack(pack), None) => Side::Grant(pack.clone()),
            _ => Side::Connection(self.info.name.clone()),
        };
        Gate::new(&self.door, route.reach.as_ref().unwrap_or(granted).clone(), url, side)
    }

    /// The client of whoever sends a request to this URL.
    pub(in crate::egress) fn client(&self, route: &Route, owner: &Owner, url: &Url, granted: &Reach) -> Arc<Client> {
        let key = Key {
            owner: owner.clone(),
            connection: self.info.name.clone(),
            origin: url.origin().ascii_serialization(),
            reach: route.reach.as_ref().unwrap_or(granted).clone(),
            generation: self.generation,
        };
        let make = || Client::new(route.tls.clone(), &route.limits, self.gate(route, owner, url, granted));
        self.door.client(key, make)
    }
}
