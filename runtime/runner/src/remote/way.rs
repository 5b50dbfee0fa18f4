//! The way to a daemon: over the network with a key, or over the socket of the data directory.

use std::path::Path;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use runner_model::{NodeId, Secret, code};
use runner_server::USER_HEADER;
use runner_server::control::{Client, ClientError};
use runner_server::local::Nodes;
use url::Url;

use super::again::Failed;
use super::trust;
use crate::config::Environment;
use crate::error::CliError;
use crate::exit::Exit;

/// The body of an answer, whichever way it came.
pub(super) type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// How to reach a daemon.
#[derive(Clone)]
pub(super) enum Way {
    /// Over the socket of its data directory: its user needs no key.
    Socket {
        /// Those that share the directory: when the daemon ends, another one takes its place.
        nodes: Nodes,
        /// The one that was there first.
        node: NodeId,
        /// Who asks.
        user: String,
    },
    /// Over the network.
    Network {
        /// Below which the API is.
        base: Url,
        /// What opens it.
        key: Option<Secret>,
        /// Keeps connections.
        client: trust::Client,
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
        let client = trust::Client::new(environment.path("RUNNER_CACERT"), base.scheme() == "https")?;
        Ok(Self::Network { base, key, client })
    }

    pub(super) fn name(&self) -> String {
        match self {
            Self::Socket { nodes, node, .. } => format!("the daemon {}", nodes.daemon().as_ref().unwrap_or(node)),
            Self::Network { base, .. } => base.as_str().trim_end_matches('/').to_owned(),
        }
    }

    /// Its answer, whatever it says.
    pub(super) async fn send(&self, mut request: Request<Full<Bytes>>) -> Result<Response<Body>, Failed> {
        match self {
            Self::Socket { nodes, node, user } => {
                // A name that is no header's value is left out.
                if let Ok(user) = HeaderValue::from_str(user) {
                    request.headers_mut().insert(USER_HEADER, user);
                }
                let client = Client::new(nodes.clone(), nodes.daemon().unwrap_or_else(|| node.clone()));
                let response = client.call(request).await.map_err(|error| Failed::for_now(unreached(&error)))?;
                Ok(response.map(|body| body.map_err(std::io::Error::other).boxed_unsync()))
            }
            Self::Network { base, key, client } => {
                let request = absolute(base, key.as_ref(), request).map_err(Failed::for_good)?;
                let response: Response<reqwest::Body> = client.execute(request, &self.name()).await?.into();
                Ok(response.map(|body| body.map_err(std::io::Error::other).boxed_unsync()))
            }
        }
    }

    /// It was reached, and does not answer.
    pub(super) fn silent(&self, why: &dyn std::fmt::Display) -> CliError {
        let message = format!("{} does not answer: {why}", self.name());
        CliError::new(Exit::Broken, code::CLI_REMOTE, message).hint("it may be stopped or overloaded; try again")
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
