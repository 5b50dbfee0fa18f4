//! One HTTP client and the gate before it.

use std::sync::{Arc, OnceLock};

use http::Method;
use runner_model::limits::HttpLimits;
use url::Url;

use super::connection::Tls;
use super::error::NetError;
use super::gate::Gate;
use super::network;

/// An HTTP client, made when it is first needed: reading the platform's certificates takes milliseconds. **Nothing is
/// dialled through it but what its gate let pass.**
pub(super) struct Client {
    pub(super) tls: Option<Tls>,
    limits: HttpLimits,
    gate: Arc<Gate>,
    made: OnceLock<Result<reqwest::Client, NetError>>,
}

impl Client {
    /// One that trusts the servers that `tls` means; without it, one for plain HTTP.
    pub(super) fn new(tls: Option<Tls>, limits: &HttpLimits, gate: Gate) -> Self {
        Self { tls, limits: limits.clone(), gate: Arc::new(gate), made: OnceLock::new() }
    }

    /// The beginning of a request. An address in place of a name is checked here, since nobody resolves it.
    pub(super) fn request(&self, method: Method, url: &Url) -> Result<reqwest::RequestBuilder, NetError> {
        self.gate.check_literal(url)?;
        let make = || network::client(self.tls.as_ref(), &self.limits, &self.gate);
        let client = self.made.get_or_init(make).as_ref().map_err(Clone::clone)?;
        Ok(client.request(method, url.clone()))
    }
}
