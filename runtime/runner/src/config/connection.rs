//! `[connections.NAME]`: as written, and with its secrets.

mod auth;
#[cfg(test)]
mod tests;
mod tls;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use runner_host::{Auth, ConnectionConfig, Tls};
use runner_model::{AddressRange, Code, ConnectionName, Manners, RetryManners, Secret, SecretName, TestManners, code};
use serde::Deserialize;
use toml::Spanned;
use url::Url;

use super::secret::{SecretSource, Sources};
use crate::error::CliError;
use crate::exit::Exit;
use auth::{AuthSource, WrittenAuth};
use tls::WrittenTls;

/// A connection, without its secrets.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// As written.
    pub(crate) settings: Settings,
    pub(super) place: Place,
}

/// Where a connection is configured.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) name: ConnectionName,
    pub(super) file: Option<PathBuf>,
    pub(super) base: PathBuf,
}

/// The keys of `[connections.NAME]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The kind of system behind it.
    pub(crate) kind: String,
    base_url: Spanned<String>,
    auth: Option<Spanned<WrittenAuth>>,
    #[serde(default)]
    tls: WrittenTls,
    timeout: Option<Spanned<f64>>,
    addresses: Option<Spanned<Vec<AddressRange>>>,
    #[serde(default)]
    headers: BTreeMap<String, SecretSource>,
    concurrency: Option<Spanned<u32>>,
    retry: Option<Spanned<RetryManners>>,
    test: Option<Spanned<TestManners>>,
}

/// A place, if it is another than the whole connection; a sentence; a hint.
type Refusal = (Option<Range<usize>>, String, Option<String>);
/// A code, a sentence, a hint.
type Unresolved = (Code, String, String);

impl Settings {
    /// Finds what cannot be meant, without fetching anything.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        self.url()?;
        self.auth()?;
        self.tls.check()?;
        self.timeout()?;
        self.check_addresses()?;
        self.check_manners()?;
        Ok(())
    }

    /// Whether a secret stands in the file itself.
    pub(crate) fn has_plain_secret(&self) -> bool {
        let of_auth = self.auth();
        self.secrets(of_auth.as_ref().ok()).any(|secret| matches!(secret, SecretSource::Plain(_)))
    }

    /// The secrets of the store that it names.
    pub(crate) fn stored_secrets(&self) -> BTreeSet<SecretName> {
        let of_auth = self.auth();
        self.secrets(of_auth.as_ref().ok()).filter_map(SecretSource::stored).cloned().collect()
    }

    fn secrets<'a>(&'a self, auth: Option<&'a AuthSource>) -> impl Iterator<Item = &'a SecretSource> {
        let of_auth = auth.into_iter().flat_map(AuthSource::secrets);
        of_auth.chain(self.tls.secrets()).chain(self.headers.values())
    }

    fn url(&self) -> Result<Url, Refusal> {
        let text = self.base_url.get_ref();
        Url::parse(text).map_err(|error| {
            let hint = "write `base_url = \"https://host\"`".to_owned();
            (Some(self.base_url.span()), format!("`{text}` is not a URL: {error}"), Some(hint))
        })
    }

    fn timeout(&self) -> Result<Option<Duration>, Refusal> {
        let Some(written) = &self.timeout else { return Ok(None) };
        let timeout = seconds(*written.get_ref());
        timeout.map(Some).ok_or_else(|| (Some(written.span()), "a timeout is more than 0 seconds".to_owned(), None))
    }

    fn check_addresses(&self) -> Result<(), Refusal> {
        match &self.addresses {
            Some(written) if written.get_ref().is_empty() => {
                let hint = "leave it out, or list networks: `addresses = [\"10.20.0.0/16\"]`".to_owned();
                Err((Some(written.span()), "`addresses` is empty: nothing could be reached".to_owned(), Some(hint)))
            }
            _ => Ok(()),
        }
    }

    fn auth(&self) -> Result<AuthSource, Refusal> {
        auth::source(self.auth.as_ref())
    }

    /// How the operator wants the system to be talked to.
    fn manners(&self) -> Manners {
        Manners {
            concurrency: self.concurrency.as_ref().map(|written| *written.get_ref()),
            // The operator's headers may be secret: they are kept apart.
            headers: BTreeMap::new(),
            retry: self.retry.as_ref().map(|written| written.get_ref().clone()).unwrap_or_default(),
            test: self.test.as_ref().map(|written| written.get_ref().clone()),
        }
    }

    /// Each by itself, so that a mistake has its place.
    fn check_manners(&self) -> Result<(), Refusal> {
        let Manners { concurrency, retry, test, .. } = self.manners();
        let none = Manners::default();
        let parts = [
            (self.concurrency.as_ref().map(Spanned::span), Manners { concurrency, ..none.clone() }),
            (self.retry.as_ref().map(Spanned::span), Manners { retry, ..none.clone() }),
            (self.test.as_ref().map(Spanned::span), Manners { test, ..none }),
        ];
        let mut mistakes = parts.into_iter().flat_map(|(place, part)| {
            let mistakes = part.mistakes();
            mistakes.into_iter().map(move |mistake| (place.clone(), mistake, None))
        });
        mistakes.next().map_or(Ok(()), Err)
    }
}

impl Connection {
    /// With its secrets, ready for use.
    pub(crate) fn resolve(&self, sources: &Sources<'_>) -> Result<ConnectionConfig, CliError> {
        self.resolved(sources).map_err(|(code, message, hint)| {
            let (name, file) = (&self.place.name, self.place.file.as_deref());
            let file = file.map(|file| format!("{}: ", file.display())).unwrap_or_default();
            CliError::new(Exit::Invalid, code, format!("{file}the connection `{name}` cannot be used: {message}"))
                .hint(hint)
        })
    }

    fn resolved(&self, sources: &Sources<'_>) -> Result<ConnectionConfig, Unresolved> {
        let fetch = |source: &SecretSource| source.resolve(sources, &self.place.base);
        let settings = &self.settings;
        let invalid = |(_, message, hint): Refusal| (code::CONF_INVALID, message, hint.unwrap_or_default());
        let auth = settings.auth().map_err(invalid)?.resolve(sources, &self.place.base)?;
        let mut headers = BTreeMap::<String, Secret>::new();
        for (name, source) in &settings.headers {
            headers.insert(name.clone(), fetch(source)?);
        }
        Ok(ConnectionConfig {
            kind: settings.kind.clone(),
            base_url: settings.url().map_err(invalid)?,
            auth,
            tls: settings.tls.resolve(sources, &self.place.base)?,
            timeout: settings.timeout().map_err(invalid)?,
            headers,
            addresses: settings.addresses.as_ref().map(|written| written.get_ref().clone()),
            manners: settings.manners(),
        })
    }

    /// The same connection with nothing behind it, for a simulator to take its place: without credentials, and at an
    /// address that nothing can listen on.
    pub(crate) fn stand_in(&self) -> Option<ConnectionConfig> {
        Some(ConnectionConfig {
            kind: self.settings.kind.clone(),
            base_url: Url::parse("http://127.0.0.1:0/").ok()?,
            auth: Auth::None,
            tls: Tls::default(),
            timeout: None,
            headers: BTreeMap::new(),
            addresses: None,
            manners: self.settings.manners(),
        })
    }

    /// Its name.
    pub(crate) const fn name(&self) -> &ConnectionName {
        &self.place.name
    }

    /// Where it is.
    pub(crate) fn base_url(&self) -> String {
        self.settings.base_url.get_ref().clone()
    }

    /// How the host authenticates itself and which servers it trusts, in a word each.
    pub(crate) fn summary(&self) -> (&'static str, &'static str) {
        let auth = self.settings.auth().map_or("none", |auth| auth.name());
        let encrypted = self.settings.base_url.get_ref().starts_with("https:");
        (auth, if encrypted { self.settings.tls.summary() } else { "none" })
    }

    /// Whether the host shows a certificate of its own.
    pub(crate) fn has_client_certificate(&self) -> bool {
        self.settings.tls.has_client_certificate()
    }
}

/// A duration above zero.
pub(crate) fn seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().filter(|duration| !duration.is_zero())
}
