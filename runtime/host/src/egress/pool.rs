//! The HTTP clients of a process, each with connections and TLS sessions of its own: one for each pack and connection,
//! and for each pack and host that it names by URL.
//!
//! **No two packs share a client, and no two sets of addresses do**: a connection that one request was let to is used
//! only by those that were let to the same.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use runner_model::limits::{POOL_HOSTS_MAX, POOL_IDLE_MAX};
use runner_model::{PackRef, Reach};

use super::client::Client;

/// Whose requests they are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Owner {
    /// A pack's, whichever version.
    Pack(PackRef),
    /// The host's own: the test of a connection.
    Host,
}

/// Who shares a client.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) owner: Owner,
    /// The connection; empty for a URL.
    pub(super) connection: String,
    /// Scheme, host and port.
    pub(super) origin: String,
    pub(super) reach: Reach,
    /// Grows when the connection gets other credentials.
    pub(super) generation: u64,
}

/// The clients that there are.
pub(super) struct Pool {
    clients: Mutex<Clients>,
    clients_max: usize,
}

#[derive(Default)]
struct Clients {
    by_key: HashMap<Key, (Arc<Client>, u64)>,
    /// Grows with each use.
    now: u64,
}

impl Pool {
    /// One whose idle connections stay below this number.
    pub(super) fn new(idle_max: usize) -> Self {
        Self { clients: Mutex::default(), clients_max: (idle_max / POOL_IDLE_MAX).max(1) }
    }

    /// The client of these, made now if there is none.
    pub(super) fn client(&self, key: Key, make: impl FnOnce() -> Client) -> Arc<Client> {
        let mut clients = self.clients.lock();
        clients.now += 1;
        let now = clients.now;
        if let Some((client, used)) = clients.by_key.get_mut(&key) {
            *used = now;
            return Arc::clone(client);
        }
        // What a client is dropped with is its idle connections: requests on their way hold it.
        if key.connection.is_empty() {
            clients.make_room(POOL_HOSTS_MAX, |other| other.connection.is_empty() && other.owner == key.owner);
        }
        clients.make_room(self.clients_max, |_| true);
        let client = Arc::new(make());
        clients.by_key.insert(key, (Arc::clone(&client), now));
        client
    }
}

impl Clients {
    /// Drops those of a kind that were not used for longest, so that there is room for one more.
    fn make_room(&mut self, max: usize, is_of: impl Fn(&Key) -> bool) {
        while self.by_key.keys().filter(|key| is_of(key)).count() >= max {
            let of_kind = self.by_key.iter().filter(|(key, _)| is_of(key));
            let Some(oldest) = of_kind.min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone()) else { return };
            self.by_key.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use runner_model::Limits;

    use super::*;
    use crate::egress::client::Client;
    use crate::egress::door::Door;
    use crate::egress::gate::{Gate, Side};

    fn key(pack: &str, connection: &str, origin: &str) -> Key {
        let owner = Owner::Pack(PackRef::new(pack).unwrap());
        Key {
            owner,
            connection: connection.to_owned(),
            origin: origin.to_owned(),
            reach: Reach::default(),
            generation: 0,
        }
    }

    fn client() -> Client {
        let limits = Limits::default().http;
        let url = "http://h".parse().unwrap();
        let gate = Gate::new(&Door::of(&limits), Reach::default(), &url, Side::Host);
        Client::new(None, &limits, gate)
    }

    #[test]
    fn a_client_is_shared_by_nobody_else_and_the_longest_unused_goes() {
        let pool = Pool::new(1_000);
        let first = pool.client(key("a", "box", "http://h"), client);
        assert!(Arc::ptr_eq(&first, &pool.client(key("a", "box", "http://h"), client)));
        for other in [key("b", "box", "http://h"), key("a", "", "http://h"), key("a", "other", "http://h")] {
            assert!(!Arc::ptr_eq(&first, &pool.client(other, client)));
        }
        let wider = Key { reach: Reach { private: true, ..Reach::default() }, ..key("a", "box", "http://h") };
        assert!(!Arc::ptr_eq(&first, &pool.client(wider, client)), "another set of addresses");

        let used = pool.client(key("c", "", "http://0"), client);
        for number in 1..40 {
            pool.client(key("c", "", &format!("http://{number}")), client);
            assert!(Arc::ptr_eq(&used, &pool.client(key("c", "", "http://0"), client)), "{number}");
        }
        let of_c = pool
            .clients
            .lock()
            .by_key
            .keys()
            .filter(|key| key.owner == Owner::Pack(PackRef::new("c").unwrap()))
            .count();
        assert_eq!(of_c, POOL_HOSTS_MAX);
        assert!(Arc::ptr_eq(&first, &pool.client(key("a", "box", "http://h"), client)), "other packs' stay");
        let small = Pool::new(3 * POOL_IDLE_MAX);
        for number in 0..9 {
            small.client(key("a", &format!("box{number}"), "http://h"), client);
            assert!(small.clients.lock().by_key.len() <= 3);
        }
    }
}
