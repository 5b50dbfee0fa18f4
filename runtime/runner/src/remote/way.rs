//! The way to a daemon: over the network with a key, or over the socket of the data directory.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use runner_model::{NodeId, Secret, code};
use runner_server::control::{Client, ClientError};
use runner_server::local::Nodes;
use url::Url;

use crate::config::Environment;
use crate::error::CliError;
use crate::exit::Exit;

/// The body of an answer, whichever way it came.
pub(super) type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// How long the other side may take to let this one in.
const CONNECT: Duration = Duration::from_secs(10);

/// How to reach a daemon.
#[derive(Clone)]
pub(super) enum Way {
    /// Over the socket of its data directory: its user needs no key.
    Socket {
        /// Those that share the directory: when the daemon ends, another one takes its place.
        nodes: Nodes,
        /// The one that was there first.
        node: NodeId,
    },
    /// Over the network.
    Network {
        /// Below which the API is.
        base: Url,
        /// What opens it.
        key: Option<Secret>,
        /// Keeps connections.
        client: reqwest::Client,
    },
}

impl Way {
    /// To the daemon at this address.
    pub(super) fn to(text: &str, key_file: Option<&Path>, environment: &Environment) -> Result<Self, CliError> {
        let base = base(text)?;
        let key = match key_file {
            Some(path) => Some(read_key(path)?),
            None => environment.get("RUNNER_KEY").map(|key| Secret::new(key.trim().to_owned())),
        };
        let client = client(environment.path("RUNNER_CACERT").as_deref())?;
        Ok(Self::Network { base, key, client })
    }

    pub(super) fn name(&self) -> String {
        match self {
            Self::Socket { nodes, node } => format!("the daemon {}", nodes.daemon().as_ref().unwrap_or(node)),
            Self::Network { base, .. } => base.as_str().trim_end_matches('/').to_owned(),
        }
    }

    /// Its answer, whatever it says.
    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Body>, CliError> {
        match self {
            Self::Socket { nodes, node } => {
                let client = Client::new(nodes.clone(), nodes.daemon().unwrap_or_else(|| node.clone()));
                let response = client.call(request).await.map_err(|error| unreached(&error))?;
                Ok(response.map(|body| body.map_err(std::io::Error::other).boxed_unsync()))
            }
            Self::Network { base, key, client } => {
                let request = absolute(base, key.as_ref(), request)?;
                let response = client.execute(request).await.map_err(|error| self.unreachable(&error))?;
                let response: Response<reqwest::Body> = response.into();
                Ok(response.map(|body| body.map_err(std::io::Error::other).boxed_unsync()))
            }
        }
    }

    /// It was reached, and does not answer.
    pub(super) fn silent(&self, why: &dyn std::fmt::Display) -> CliError {
        let message = format!("{} does not answer: {why}", self.name());
        CliError::new(Exit::Broken, code::CLI_REMOTE, message).hint("it may be stopped or overloaded; try again")
    }

    fn unreachable(&self, error: &reqwest::Error) -> CliError {
        let message = format!("{} cannot be reached", self.name());
        let mut failed = CliError::new(Exit::Broken, code::CLI_REMOTE, message);
        // The error itself only repeats the address.
        if let Some(cause) = std::error::Error::source(error) {
            failed = failed.caused_by(cause);
        }
        failed.hint(
            "is `runner serve` running there? `RUNNER_CACERT=FILE` names the authority of a certificate of your own",
        )
    }
}

fn unreached(error: &ClientError) -> CliError {
    let failed = CliError::new(Exit::Broken, code::CLI_REMOTE, error.to_string());
    let failed = match std::error::Error::source(error) {
        Some(cause) => failed.caused_by(cause),
        None => failed,
    };
    failed.hint("it may be about to end; try again")
}

fn usage(message: String) -> CliError {
    CliError::new(Exit::Usage, code::CLI_USAGE, message)
}

/// The address below which the API is.
fn base(text: &str) -> Result<Url, CliError> {
    let hint = "write it as `http://127.0.0.1:9101` or `https://runner.example.com`";
    let wrong = |why: &str| usage(format!("`{text}` is no address of a daemon: {why}")).hint(hint);
    let mut url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong("it begins neither with `http://` nor with `https://`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let hint = "give the key with `--key-file FILE` or in `RUNNER_KEY`";
        return Err(usage("the address of a daemon holds no credentials".to_owned()).hint(hint));
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

fn read_key(path: &Path) -> Result<Secret, CliError> {
    let read = std::fs::read_to_string(path);
    let text =
        read.map_err(|error| usage(format!("the key file `{}` cannot be read", path.display())).caused_by(&error))?;
    Ok(Secret::new(text.trim().to_owned()))
}

/// A client that also trusts the authorities of a file.
fn client(authorities: Option<&Path>) -> Result<reqwest::Client, CliError> {
    // Whoever installed one before has installed the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("runner/", env!("CARGO_PKG_VERSION")));
    if let Some(path) = authorities {
        let unfit = |error: &dyn std::error::Error| {
            let message = format!("the certificates in `{}` (RUNNER_CACERT) cannot be read", path.display());
            usage(message).caused_by(error).hint("name a file of certificates in PEM")
        };
        let bytes = std::fs::read(path).map_err(|error| unfit(&error))?;
        let certificates = reqwest::Certificate::from_pem_bundle(&bytes).map_err(|error| unfit(&error))?;
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(|error| {
        CliError::new(Exit::Broken, code::CLI_REMOTE, "the HTTP client cannot be made").caused_by(&error)
    })
}

/// The request with the whole address and the key.
fn absolute(base: &Url, key: Option<&Secret>, request: Request<Full<Bytes>>) -> Result<reqwest::Request, CliError> {
    let (parts, body) = request.into_parts();
    let text = format!("{}{}", base.as_str().trim_end_matches('/'), parts.uri);
    let url = Url::parse(&text).map_err(|error| usage(format!("`{text}` is no address: {error}")))?;
    let mut absolute = reqwest::Request::new(parts.method, url);
    *absolute.headers_mut() = parts.headers;
    if let Some(key) = key {
        let value = HeaderValue::try_from(format!("Bearer {}", key.expose()));
        let mut value = value.map_err(|_| usage("the key is none: it has characters that no key has".to_owned()))?;
        value.set_sensitive(true);
        absolute.headers_mut().insert(header::AUTHORIZATION, value);
    }
    *absolute.body_mut() = Some(reqwest::Body::wrap(body));
    Ok(absolute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_of_http_without_credentials() {
        assert_eq!(base("http://h:1/below/").unwrap().as_str(), "http://h:1/below/");
        for wrong in ["h:1", "127.0.0.1:9101", "ftp://h", "http://", "http://me:secret@h"] {
            let error = base(wrong).unwrap_err();
            assert_eq!(error.exit, Exit::Usage, "{wrong}");
            assert!(!error.mistakes[0].message.contains("secret"), "{wrong}");
        }
    }
}
