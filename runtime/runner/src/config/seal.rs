//! `[secrets]`: where the key is that seals what the store keeps sealed. It is fetched when something is sealed or opened.
//!
//! Without a setting it is the file `secrets.key` of the data directory, which is made at first need. A key is never in
//! the configuration itself, and never in an error.

mod command;
mod file;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use runner_model::{Code, Secret, code};
use runner_store::{KeyError, KeySource, Keyring, SEAL_KEY_BYTES, SealKey};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::Environment;

/// The file that holds the key if nothing else is said.
pub(crate) const FILE: &str = "secrets.key";

/// `[secrets]` as written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenSecrets {
    key: Option<KeyPlace>,
    #[serde(default)]
    earlier_keys: Vec<KeyPlace>,
}

/// Where a key is, as written.
#[derive(Debug, Clone)]
enum KeyPlace {
    /// In a file that its owner alone can read.
    File(PathBuf),
    /// In an environment variable.
    Env(String),
    /// What a program prints: its name and its arguments.
    Command(Vec<String>),
}

/// A code, a sentence.
type Unusable = (Code, String);

/// Where the keys are.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    written: WrittenSecrets,
    base: PathBuf,
    data: PathBuf,
}

impl Keys {
    /// Those of `[secrets]` in a file of the directory `base`.
    pub(super) fn new(written: WrittenSecrets, base: &Path, data: &Path) -> Self {
        Self { written, base: base.to_owned(), data: data.to_owned() }
    }

    /// The keys, fetched when they are first needed, and once: what fails is asked again the next time.
    pub(crate) fn source(&self, environment: Environment) -> KeySource {
        let (keys, fetched) = (self.clone(), Mutex::<Option<Arc<Keyring>>>::default());
        KeySource::new(move || {
            // One asks, the others wait for its answer.
            let mut fetched = fetched.lock();
            if let Some(keyring) = &*fetched {
                return Ok(keyring.clone());
            }
            let keyring = keys.fetch(environment).map_err(|(code, message)| KeyError { code, message })?;
            Ok(fetched.insert(Arc::new(keyring)).clone())
        })
    }

    fn fetch(&self, environment: Environment) -> Result<Keyring, Unusable> {
        let current = match &self.written.key {
            Some(source) => source.fetch(environment, &self.base)?,
            None => file::made(&self.data.join(FILE))?,
        };
        let earlier = self.written.earlier_keys.iter().map(|source| source.fetch(environment, &self.base));
        Ok(Keyring::new(current, earlier.collect::<Result<_, _>>()?))
    }

    /// Where the current key is, in a few words; never the key.
    pub(crate) fn place(&self) -> String {
        match &self.written.key {
            Some(source) => source.to_string(),
            None => format!("the file `{}`", self.data.join(FILE).display()),
        }
    }
}

impl KeyPlace {
    fn fetch(&self, environment: Environment, base: &Path) -> Result<SealKey, Unusable> {
        let text = match self {
            Self::File(path) => file::read(&base.join(path))?,
            Self::Env(name) => environment
                .get(name)
                .map(Secret::new)
                .ok_or_else(|| (code::SECRET_KEY, format!("the environment variable `{name}` is not set")))?,
            Self::Command(words) => command::output(words, base).map_err(|reason| {
                (code::SECRET_KEY, format!("`{}` gives no key: {reason}", words.first().map_or("", String::as_str)))
            })?,
        };
        parse(&text).ok_or_else(|| (code::SECRET_KEY, format!("{self} holds no key: it is {SHAPE}")))
    }
}

impl fmt::Display for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the file `{}`", path.display()),
            Self::Env(name) => write!(f, "the environment variable `{name}`"),
            // Its arguments may say more than is good.
            Self::Command(words) => write!(f, "the output of `{}`", words.first().map_or("", String::as_str)),
        }
    }
}

/// How a key is written.
const SHAPE: &str = "32 bytes, as 64 hex digits or base64; `runner secret key new` prints one";

/// Reads a key.
fn parse(text: &Secret) -> Option<SealKey> {
    let text = text.expose().trim();
    let mut bytes = [0; SEAL_KEY_BYTES];
    if hex::decode_to_slice(text, &mut bytes).is_ok() {
        return Some(SealKey::new(bytes));
    }
    let text = text.trim_end_matches('=');
    let decoded = STANDARD_NO_PAD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).ok()?;
    let decoded = zeroize::Zeroizing::new(decoded);
    Some(SealKey::new(decoded.as_slice().try_into().ok()?))
}

/// A new key, as it is written.
pub(crate) fn new_key() -> Result<Secret, KeyError> {
    let mut bytes = zeroize::Zeroizing::new([0; SEAL_KEY_BYTES]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|error| KeyError {
        code: code::SECRET_KEY,
        message: format!("the operating system gives no randomness: {error}"),
    })?;
    Ok(Secret::new(hex::encode(bytes.as_slice())))
}

impl<'de> Deserialize<'de> for KeyPlace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnySource)
    }
}

struct AnySource;

impl<'de> Visitor<'de> for AnySource {
    type Value = KeyPlace;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`{ file = \"path\" }`, `{ env = \"NAME\" }` or `{ command = [\"program\", \"argument\"] }`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<KeyPlace, A::Error> {
        let mut source = None;
        while let Some(key) = map.next_key::<String>()? {
            let one = match key.as_str() {
                "file" => KeyPlace::File(map.next_value()?),
                "env" => KeyPlace::Env(map.next_value()?),
                "command" => KeyPlace::Command(program(map.next_value()?)?),
                other => return Err(de::Error::unknown_field(other, &["file", "env", "command"])),
            };
            if source.replace(one).is_some() {
                return Err(de::Error::custom("a key is in one place: write `file`, `env` or `command`"));
            }
        }
        source.ok_or_else(|| de::Error::custom("a key is in `file`, in `env`, or printed by a `command`"))
    }
}

fn program<E: de::Error>(words: Vec<String>) -> Result<Vec<String>, E> {
    if words.first().is_none_or(String::is_empty) {
        return Err(E::custom("a command begins with a program: write `[\"program\", \"argument\"]`"));
    }
    Ok(words)
}

#[cfg(test)]
mod tests;
