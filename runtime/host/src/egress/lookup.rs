//! Names to addresses: the one place where a name server is asked.

use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::Arc;

use async_trait::async_trait;
use runner_model::limits::DNS_LOOKUPS_MAX;
use tokio::sync::Semaphore;

/// Finds the addresses of a host. What it answers is believed no further than that: every address is classified before
/// it is dialled.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// The addresses of this name, in the order in which they are to be tried.
    ///
    /// # Errors
    /// There are none, or nobody knows.
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
pub(super) struct SystemLookup {
    places: Arc<Semaphore>,
}

impl Default for SystemLookup {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(DNS_LOOKUPS_MAX)) }
    }
}

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(io::Error::other)?;
        let host = host.to_owned();
        let asked = tokio::task::spawn_blocking(move || {
            // The thread cannot be stopped: its place is taken until the system has given up.
            let _place = place;
            (host.as_str(), 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect())
        });
        asked.await.map_err(io::Error::other)?
    }
}
