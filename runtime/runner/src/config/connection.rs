//! `[connections.NAME]`: as written, and with its secrets.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use runner_host::{Auth, ConnectionConfig, Fingerprint, Tls};
use runner_model::{Code, ConnectionName, Secret, code};
use serde::Deserialize;
use toml::Spanned;
use url::Url;

use super::Environment;
use super::secret::SecretSource;
use crate::error::CliError;
use crate::exit::Exit;
use runner_pack::suggest;

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
    #[serde(default)]
    headers: BTreeMap<String, SecretSource>,
}

/// `{ type = "basic", username, password }`, or, as the host's own form has it, `{ basic = { username, password } }`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAuth {
    r#type: Option<String>,
    username: Option<String>,
    password: Option<SecretSource>,
    token: Option<SecretSource>,
    basic: Option<Credentials>,
    bearer: Option<Credentials>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    username: Option<String>,
    password: Option<SecretSource>,
    token: Option<SecretSource>,
}

/// What is written, with every case of it possible.
enum AuthSource {
    None,
    Basic { username: String, password: SecretSource },
    Bearer { token: SecretSource },
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTls {
    /// A file with the certificates of the authorities to trust, in PEM.
    ca_file: Option<PathBuf>,
    /// The same, here.
    ca_pem: Option<String>,
    /// The SHA-256 fingerprint of the server's certificate.
    #[serde(alias = "pin_sha256")]
    pin: Option<Spanned<String>>,
    #[serde(default)]
    insecure: bool,
}

/// A place, if it is another than the whole connection; a sentence; a hint.
type Refusal = (Option<Range<usize>>, String, Option<String>);
/// A code, a sentence, a hint.
type Unresolved = (Code, String, String);

const BASIC: &str = "write `auth = { type = \"basic\", username = \"…\", password = { env = \"…\" } }`";
const BEARER: &str = "write `auth = { type = \"bearer\", token = { env = \"…\" } }`";

impl Settings {
    /// Finds what cannot be meant, without fetching anything.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        self.url()?;
        self.auth()?;
        self.pin()?;
        self.timeout()?;
        Ok(())
    }

    /// Whether a secret stands in the file itself.
    pub(crate) fn has_plain_secret(&self) -> bool {
        let of_auth = match self.auth() {
            Ok(AuthSource::Basic { password: secret, .. } | AuthSource::Bearer { token: secret }) => Some(secret),
            _ => None,
        };
        of_auth.iter().chain(self.headers.values()).any(|secret| matches!(secret, SecretSource::Plain(_)))
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

    fn pin(&self) -> Result<Option<Fingerprint>, Refusal> {
        let Some(written) = &self.tls.pin else { return Ok(None) };
        written.get_ref().parse().map(Some).map_err(|message| (Some(written.span()), message, None))
    }

    fn auth(&self) -> Result<AuthSource, Refusal> {
        let Some(written) = &self.auth else { return Ok(AuthSource::None) };
        let refuse = |message: String, hint: Option<String>| Err((Some(written.span()), message, hint));
        let WrittenAuth { r#type, username, password, token, basic, bearer } = written.get_ref().clone();
        let flat = Credentials { username, password, token };
        let (kind, credentials) = match (r#type, basic, bearer) {
            (Some(kind), None, None) => (kind, flat),
            (None, Some(basic), None) => ("basic".to_owned(), basic),
            (None, None, Some(bearer)) => ("bearer".to_owned(), bearer),
            _ => return refuse("`auth` needs exactly one `type`".to_owned(), Some(BASIC.to_owned())),
        };
        match (kind.as_str(), credentials) {
            ("none", _) => Ok(AuthSource::None),
            ("basic", Credentials { username: Some(username), password: Some(password), token: None }) => {
                Ok(AuthSource::Basic { username, password })
            }
            ("bearer", Credentials { username: None, password: None, token: Some(token) }) => {
                Ok(AuthSource::Bearer { token })
            }
            ("basic", Credentials { token: Some(_), .. }) => {
                refuse("`basic` has no `token`".to_owned(), Some(BASIC.to_owned()))
            }
            ("basic", Credentials { username, .. }) => {
                let missing = if username.is_none() { "username" } else { "password" };
                refuse(format!("`basic` needs `{missing}`"), Some(BASIC.to_owned()))
            }
            ("bearer", _) => refuse("`bearer` needs `token` and nothing else".to_owned(), Some(BEARER.to_owned())),
            (other, _) => {
                let hint = suggest::hint(other, ["none", "basic", "bearer"], "there are");
                refuse(format!("`{other}` is no kind of authentication"), hint)
            }
        }
    }
}

impl Connection {
    /// With its secrets, ready for use.
    pub(crate) fn resolve(&self, environment: &Environment) -> Result<ConnectionConfig, CliError> {
        self.resolved(environment).map_err(|(code, message, hint)| {
            let (name, file) = (&self.place.name, self.place.file.as_deref());
            let file = file.map(|file| format!("{}: ", file.display())).unwrap_or_default();
            CliError::new(Exit::Invalid, code, format!("{file}the connection `{name}` cannot be used: {message}"))
                .hint(hint)
        })
    }

    fn resolved(&self, environment: &Environment) -> Result<ConnectionConfig, Unresolved> {
        let fetch = |source: &SecretSource| source.resolve(environment, &self.place.base);
        let settings = &self.settings;
        let invalid = |(_, message, hint): Refusal| (code::CONF_INVALID, message, hint.unwrap_or_default());
        let auth = match settings.auth().map_err(invalid)? {
            AuthSource::None => Auth::None,
            AuthSource::Basic { username, password } => Auth::Basic { username, password: fetch(&password)? },
            AuthSource::Bearer { token } => Auth::Bearer { token: fetch(&token)? },
        };
        let mut headers = BTreeMap::<String, Secret>::new();
        for (name, source) in &settings.headers {
            headers.insert(name.clone(), fetch(source)?);
        }
        Ok(ConnectionConfig {
            kind: settings.kind.clone(),
            base_url: settings.url().map_err(invalid)?,
            auth,
            tls: Tls {
                ca_pem: settings.tls.authorities(&self.place.base)?,
                pin_sha256: settings.pin().map_err(invalid)?,
                insecure: settings.tls.insecure,
            },
            timeout: settings.timeout().map_err(invalid)?,
            headers,
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
        })
    }

    /// Where it is.
    pub(crate) fn base_url(&self) -> String {
        self.settings.base_url.get_ref().clone()
    }

    /// How the host authenticates itself and which servers it trusts, in a word each.
    pub(crate) fn summary(&self) -> (&'static str, &'static str) {
        let auth = match self.settings.auth() {
            Ok(AuthSource::Basic { .. }) => "basic",
            Ok(AuthSource::Bearer { .. }) => "bearer",
            _ => "none",
        };
        let tls = match &self.settings.tls {
            _ if !self.settings.base_url.get_ref().starts_with("https:") => "none",
            WrittenTls { insecure: true, .. } => "insecure",
            WrittenTls { pin: Some(_), .. } => "pinned",
            WrittenTls { ca_file: None, ca_pem: None, .. } => "platform",
            _ => "ca",
        };
        (auth, tls)
    }
}

impl WrittenTls {
    fn authorities(&self, base: &Path) -> Result<Option<String>, Unresolved> {
        let Some(path) = &self.ca_file else { return Ok(self.ca_pem.clone()) };
        let path = base.join(path);
        std::fs::read_to_string(&path).map(Some).map_err(|error| {
            let message = format!("its `ca_file` `{}` cannot be read: {error}", path.display());
            (code::CONF_UNREADABLE, message, "relative paths count from the configuration file".to_owned())
        })
    }
}

/// A duration above zero.
pub(crate) fn seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().filter(|duration| !duration.is_zero())
}
