//! The archive at an address: over TLS, no larger and no slower than is allowed, and a few steps on at the most.
//!
//! It is the operator who asks, so it may come from anywhere that is trusted; where the address leads on, it stays
//! encrypted, and nothing is sent along.

use reqwest::Response;
use runner_model::{code, limits};
use url::Url;

use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::remote::download_client;

/// Whether an address holds a name or a password.
pub(super) fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// An address without its query.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

/// Gets the archive. Without encryption only one whose sum is known.
pub(super) async fn fetch(app: &App, url: &Url, sum_is_known: bool) -> Result<Vec<u8>, CliError> {
    if url.scheme() != "https" && !sum_is_known {
        let message = format!("`{}` is not encrypted: anybody on the way could put another pack there", shown(url));
        return Err(CliError::new(Exit::Usage, code::PACK_FETCH, message)
            .hint("use `https://`, or say with `--sha256` what its SHA-256 must be"));
    }
    let client = download_client(app.environment.path("RUNNER_CACERT").as_deref())?;
    match tokio::time::timeout(limits::PACK_FETCH, follow(&client, url)).await {
        Ok(bytes) => bytes,
        Err(_) => Err(failed(url, &format!("did not come within {} s", limits::PACK_FETCH.as_secs()))),
    }
}

fn failed(url: &Url, why: &str) -> CliError {
    CliError::new(Exit::Broken, code::PACK_FETCH, format!("`{}` {why}", shown(url)))
}

/// Goes where the address leads on to.
async fn follow(client: &reqwest::Client, first: &Url) -> Result<Vec<u8>, CliError> {
    let mut url = first.clone();
    for _ in 0..=limits::PACK_REDIRECTS_MAX {
        let response = client.get(url.clone()).send().await.map_err(|error| {
            // The error itself repeats the address, with its query.
            let failed = failed(&url, "cannot be reached");
            let failed = match std::error::Error::source(&error) {
                Some(cause) => failed.caused_by(cause),
                None => failed,
            };
            failed.hint("`RUNNER_CACERT=FILE` names the authority, in PEM, of a certificate that no public one signed")
        })?;
        match response.status() {
            status if status.is_redirection() => url = next(&url, &response)?,
            status if status.is_success() => return read(&url, response).await,
            status => return Err(failed(&url, &format!("answered {status}"))),
        }
    }
    Err(failed(first, &format!("leads on more than {} times", limits::PACK_REDIRECTS_MAX)))
}

/// Where an answer leads on to.
fn next(from: &Url, response: &Response) -> Result<Url, CliError> {
    let location = response.headers().get(http::header::LOCATION).and_then(|value| value.to_str().ok());
    let Some(to) = location.and_then(|location| from.join(location).ok()) else {
        return Err(failed(from, "leads on without saying where to"));
    };
    if to.scheme() != "https" {
        return Err(failed(from, &format!("leads on to `{}`, which is not encrypted", shown(&to))));
    }
    if has_credentials(&to) {
        return Err(failed(from, "leads on to an address with credentials in it"));
    }
    Ok(to)
}

/// The body of an answer, no more than an archive may have.
async fn read(url: &Url, mut response: Response) -> Result<Vec<u8>, CliError> {
    let max = limits::PACK_ARCHIVE_BYTES_MAX;
    let large = || {
        let message = format!("the archive at `{}` is larger than {max} bytes", shown(url));
        CliError::new(Exit::Invalid, code::PACK_TOO_LARGE, message)
    };
    if response.content_length().is_some_and(|length| length > max) {
        return Err(large());
    }
    let mut bytes = Vec::new();
    loop {
        let part = response.chunk().await.map_err(|error| failed(url, "broke off").caused_by(&error.without_url()))?;
        let Some(part) = part else { return Ok(bytes) };
        bytes.extend_from_slice(&part);
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > max {
            return Err(large());
        }
    }
}
