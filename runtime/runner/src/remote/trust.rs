//! Whom a client trusts, and what to do where it does not.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use runner_model::code;
use rustls::CertificateError as Bad;

use super::again::Failed;
use crate::error::CliError;
use crate::exit::Exit;

/// How long the other side may take to let this one in.
const CONNECT: Duration = Duration::from_secs(10);

/// An HTTP client.
#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    /// The file of further authorities, for messages.
    authorities: Option<PathBuf>,
    is_tls: bool,
}

impl Client {
    /// One that trusts the authorities of the system and those of a file; without TLS it needs none.
    pub(super) fn new(authorities: Option<PathBuf>, is_tls: bool) -> Result<Self, CliError> {
        let http = client(authorities.as_deref(), is_tls, true)?;
        Ok(Self { http, authorities, is_tls })
    }

    /// The answer, whatever it says; `name` is whom it comes from.
    pub(super) async fn execute(&self, request: reqwest::Request, name: &str) -> Result<reqwest::Response, Failed> {
        self.http.execute(request).await.map_err(|error| self.failed(&error, name))
    }

    fn failed(&self, error: &reqwest::Error, name: &str) -> Failed {
        let broken = |message: String| CliError::new(Exit::Broken, code::CLI_REMOTE, message);
        match tls_error(error) {
            Some(rustls::Error::InvalidCertificate(bad)) => {
                let (why, hint) = self.mistrust(bad);
                Failed::for_good(broken(format!("the certificate of {name} {why}")).hint(hint))
            }
            Some(error) => {
                let message = format!("{name} cannot be spoken to over TLS");
                Failed::for_good(broken(message).caused_by(error).hint("without a certificate it is `http://…`"))
            }
            None => {
                let mut failed = broken(format!("{name} cannot be reached"));
                // The error itself only repeats the address.
                if let Some(cause) = error.source() {
                    failed = failed.caused_by(cause);
                }
                let hint = match self.is_tls {
                    true => "is `runner serve` running there?",
                    false => "is `runner serve` running there? With a certificate it is `https://…`",
                };
                Failed::for_now(failed.hint(hint))
            }
        }
    }

    /// What is wrong with a certificate, and what to do.
    fn mistrust(&self, bad: &Bad) -> (String, String) {
        match bad {
            // A bad signature is that of an authority with the trusted one's name and another key.
            Bad::UnknownIssuer | Bad::BadSignature => {
                let hint = match &self.authorities {
                    None => OWN_AUTHORITY.to_owned(),
                    Some(path) => format!("the authorities in `{}` (RUNNER_CACERT) did not sign it", path.display()),
                };
                ("is signed by nobody who is trusted here".to_owned(), hint)
            }
            Bad::NotValidForNameContext { presented, .. } => {
                let names: Vec<_> = presented.iter().map(|name| format!("`{}`", plain(name))).collect();
                let hint = format!("use a name in the URL that it is for: {}", names.join(", "));
                ("is for other names".to_owned(), hint)
            }
            Bad::NotValidForName => {
                ("is for another name".to_owned(), "use the name in the URL that it is for".to_owned())
            }
            Bad::Expired | Bad::ExpiredContext { .. } => {
                ("has expired".to_owned(), "renew it, and send the daemon SIGHUP".to_owned())
            }
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                ("is not valid yet".to_owned(), "compare the clocks of the two machines".to_owned())
            }
            other => (format!("is not valid: {other}"), OWN_AUTHORITY.to_owned()),
        }
    }
}

/// A client of HTTP that trusts as [`Client`] does, takes every body as it comes, and goes nowhere that an answer leads on to.
pub(crate) fn download_client(authorities: Option<&Path>) -> Result<reqwest::Client, CliError> {
    client(authorities, true, false)
}

fn client(authorities: Option<&Path>, is_tls: bool, unpacks: bool) -> Result<reqwest::Client, CliError> {
    // Whoever installed one before has installed the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
        .gzip(unpacks)
        .user_agent(concat!("runner/", env!("CARGO_PKG_VERSION")));
    builder = match authorities {
        // A system may have no authorities at all: that matters only to whoever needs one.
        _ if !is_tls => builder.tls_certs_only([]),
        None => builder,
        Some(path) => builder.tls_certs_merge(read(path)?),
    };
    builder.build().map_err(|error| {
        let message = "this machine trusts no authority for the certificates of others";
        CliError::new(Exit::Broken, code::CLI_REMOTE, message).caused_by(&error).hint(OWN_AUTHORITY)
    })
}

const OWN_AUTHORITY: &str =
    "`RUNNER_CACERT=FILE` names the authority, in PEM, of a certificate that no public one signed";

/// A name of a certificate without the kind of name that it is: `DnsName("a.example")` is `a.example`.
fn plain(name: &str) -> &str {
    name.split_once('(').map_or(name, |(_, name)| name.trim_end_matches(')')).trim_matches('"')
}

/// The certificates of a file in PEM, at least one.
fn read(path: &Path) -> Result<Vec<reqwest::Certificate>, CliError> {
    let unfit = || {
        let message = format!("the certificates in `{}` (RUNNER_CACERT) cannot be read", path.display());
        CliError::new(Exit::Usage, code::CLI_USAGE, message)
    };
    let hint = "name a file of certificates in PEM";
    let bytes = std::fs::read(path).map_err(|error| unfit().caused_by(&error).hint(hint))?;
    let found = reqwest::Certificate::from_pem_bundle(&bytes).map_err(|error| unfit().caused_by(&error).hint(hint))?;
    if found.is_empty() {
        return Err(unfit().hint(format!("there is none in it; {hint}")));
    }
    Ok(found)
}

/// The error of TLS among the causes: errors of input and output hold it without naming it as their cause.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_certificate_is_shown_as_it_is_written_in_an_address() {
        assert_eq!(plain("DnsName(\"runner.example\")"), "runner.example");
        assert_eq!(plain("IpAddress(127.0.0.1)"), "127.0.0.1");
        assert_eq!(plain("runner.example"), "runner.example");
    }
}
