//! Secrets by reference: a secret of the store, an environment variable or a file, or the text itself.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use runner_model::{Code, Secret, SecretName, code};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::Environment;

/// Where a secret is.
#[derive(Debug, Clone)]
pub(crate) enum SecretSource {
    /// Here.
    Plain(Secret),
    /// In an environment variable.
    Env(String),
    /// In a file, whose last line break does not belong to it.
    File(PathBuf),
    /// In the store, under this name.
    Stored(SecretName),
}

/// What secrets are fetched from.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    environment: Environment,
    /// Those of the store that were opened; none where it is only to be shown what is configured.
    stored: Option<&'a BTreeMap<SecretName, Secret>>,
}

/// What stands for a secret of the store where nothing is sent.
const SHOWN: &str = "***";

impl<'a> Sources<'a> {
    /// The environment, and these secrets of the store.
    pub(crate) const fn with(environment: Environment, stored: &'a BTreeMap<SecretName, Secret>) -> Self {
        Self { environment, stored: Some(stored) }
    }

    /// The environment. What comes of it is to be looked at, and not to be used: secrets of the store are not fetched.
    pub(crate) const fn shown(environment: Environment) -> Self {
        Self { environment, stored: None }
    }

    fn stored(&self, name: &SecretName) -> Result<Secret, (Code, String, String)> {
        let Some(stored) = self.stored else { return Ok(Secret::new(SHOWN.to_owned())) };
        stored.get(name).cloned().ok_or_else(|| {
            let hint = format!("put it in with `runner secret set {name}`");
            (code::SECRET_UNKNOWN, format!("there is no secret `{name}`"), hint)
        })
    }
}

impl SecretSource {
    /// Fetches it. Relative paths count from `base`. The error is a code, a sentence and a hint.
    pub(crate) fn resolve(&self, sources: &Sources<'_>, base: &Path) -> Result<Secret, (Code, String, String)> {
        match self {
            Self::Plain(secret) => Ok(secret.clone()),
            Self::Stored(name) => sources.stored(name),
            Self::Env(name) => sources.environment.get(name).map(Secret::new).ok_or_else(|| {
                let message = format!("the environment variable `{name}` is not set");
                (code::CONF_SECRET, message, format!("set it: `{name}=… runner …`"))
            }),
            Self::File(path) => {
                let path = base.join(path);
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    let message = format!("the file `{}` cannot be read: {error}", path.display());
                    (code::CONF_SECRET, message, "write the secret into it, readable by you alone".to_owned())
                })?;
                if others_can_read(&path) {
                    tracing::warn!(file = %path.display(), "others can read this secret: `chmod 600` the file");
                }
                let text = text.strip_suffix('\n').unwrap_or(&text);
                Ok(Secret::new(text.strip_suffix('\r').unwrap_or(text).to_owned()))
            }
        }
    }
}

/// Whether somebody else than the owner can read a file.
pub(crate) fn others_can_read(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

impl SecretSource {
    /// Its name, if it is in the store.
    pub(crate) const fn stored(&self) -> Option<&SecretName> {
        match self {
            Self::Stored(name) => Some(name),
            _ => None,
        }
    }

    /// Where it is, counted from `base`; never the secret itself.
    pub(crate) fn place(&self, base: &Path) -> toml::Table {
        let (key, place) = match self {
            Self::Plain(_) => ("plain", "(hidden)".to_owned()),
            Self::Env(name) => ("env", name.clone()),
            Self::Stored(name) => ("secret", name.to_string()),
            Self::File(path) => ("file", base.join(path).display().to_string()),
        };
        toml::Table::from_iter([(key.to_owned(), place.into())])
    }
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnySource)
    }
}

struct AnySource;

impl<'de> Visitor<'de> for AnySource {
    type Value = SecretSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`{ secret = \"name\" }`, `{ env = \"NAME\" }`, `{ file = \"path\" }` or a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<SecretSource, E> {
        Ok(SecretSource::Plain(Secret::new(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretSource, A::Error> {
        let mut source = None;
        while let Some(key) = map.next_key::<String>()? {
            let one = match key.as_str() {
                "env" => SecretSource::Env(map.next_value()?),
                "file" => SecretSource::File(map.next_value()?),
                "secret" => SecretSource::Stored(map.next_value()?),
                other => return Err(de::Error::unknown_field(other, &["secret", "env", "file"])),
            };
            if source.replace(one).is_some() {
                return Err(de::Error::custom("a secret is in one place: write `secret`, `env` or `file`"));
            }
        }
        source.ok_or_else(|| de::Error::custom("a secret is in `secret`, in `env` or in `file`"))
    }
}
