//! `runner.toml` as it is written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use runner_model::{ConnectionName, Limits, PackRef, Permissions, code};
use serde::Deserialize;
use toml::Spanned;

use super::connection::Settings;
use super::mistake;
use crate::error::CliError;

/// The whole file.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    pub(crate) data: Option<PathBuf>,
    pub(crate) packs: Option<Vec<PathBuf>>,
    pub(crate) config_dir: Option<PathBuf>,
    pub(crate) connections: BTreeMap<ConnectionName, Settings>,
    pub(crate) grants: BTreeMap<PackRef, Permissions>,
    pub(crate) limits: Limits,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    data: Option<PathBuf>,
    packs: Option<Vec<PathBuf>>,
    config_dir: Option<PathBuf>,
    #[serde(default)]
    connections: BTreeMap<ConnectionName, Spanned<Settings>>,
    #[serde(default)]
    grants: BTreeMap<PackRef, Spanned<Permissions>>,
    #[serde(default)]
    limits: WrittenLimits,
}

/// The limits that an operator changes most; the others stay as they are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLimits {
    /// Linear memory of an attempt, in bytes.
    memory_bytes_max: Option<Spanned<usize>>,
    /// Wall-clock time of an attempt whose action names none, in seconds.
    timeout: Option<Spanned<f64>>,
    /// Attempts at the same time.
    concurrency_max: Option<Spanned<u32>>,
    /// A result, in bytes of JSON.
    result_bytes_max: Option<Spanned<usize>>,
}

impl ConfigFile {
    /// Reads the text of the file at `path`.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, CliError> {
        let written: Written = toml::from_str(text).map_err(|error| mistake::of_toml(path, text, &error))?;
        let at = |span, message: &str| mistake::at(path, text, Some(span), code::CONF_INVALID, message);
        let mut connections = BTreeMap::new();
        for (name, settings) in written.connections {
            let span = settings.span();
            let settings = settings.into_inner();
            settings.check().map_err(|(inner, message, hint)| {
                at(inner.unwrap_or(span), &format!("the connection `{name}`: {message}")).maybe_hint(hint)
            })?;
            connections.insert(name, settings);
        }
        let mut grants = BTreeMap::new();
        for (pack, grant) in written.grants {
            let mistake = grant.get_ref().http.iter().flat_map(runner_model::HttpRule::mistakes).next();
            if let Some(mistake) = mistake {
                return Err(at(grant.span(), &format!("the grant of `{pack}`: {mistake}")));
            }
            grants.insert(pack, grant.into_inner());
        }
        let limits = written.limits.apply().map_err(|(span, message)| at(span, message))?;
        let Written { data, packs, config_dir, .. } = written;
        Ok(Self { data, packs, config_dir, connections, grants, limits })
    }
}

impl WrittenLimits {
    fn apply(&self) -> Result<Limits, (std::ops::Range<usize>, &'static str)> {
        let mut limits = Limits::default();
        if let Some(bytes) = &self.memory_bytes_max {
            /// One page of WebAssembly.
            const PAGE_BYTES: usize = 64 * 1024;
            /// What 32-bit memories can address.
            const ADDRESSABLE_BYTES: usize = 4 * 1024 * 1024 * 1024;
            if !(PAGE_BYTES..=ADDRESSABLE_BYTES).contains(bytes.get_ref()) {
                return Err((bytes.span(), "the memory of an attempt is between 64 KiB and 4 GiB"));
            }
            limits.guest.memory_bytes_max = *bytes.get_ref();
        }
        if let Some(seconds) = &self.timeout {
            limits.guest.timeout = super::connection::seconds(*seconds.get_ref())
                .filter(|timeout| *timeout <= runner_model::limits::ACTION_TIMEOUT_MAX)
                .ok_or_else(|| (seconds.span(), "a timeout is more than 0 and at most 30 days"))?;
        }
        if let Some(count) = &self.concurrency_max {
            if !(1..=10_000).contains(count.get_ref()) {
                return Err((count.span(), "between 1 and 10000 attempts can run at the same time"));
            }
            limits.guest.concurrency_max = *count.get_ref();
        }
        if let Some(bytes) = &self.result_bytes_max {
            if *bytes.get_ref() == 0 {
                return Err((bytes.span(), "a result has at least one byte"));
            }
            limits.guest.result_bytes_max = *bytes.get_ref();
        }
        Ok(limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(text: &str) -> (String, String, Option<String>) {
        let error = ConfigFile::parse(Path::new("runner.toml"), text).unwrap_err();
        let mistake = error.mistakes.into_iter().next().unwrap();
        (mistake.code, mistake.message, mistake.hint)
    }

    #[test]
    fn every_mistake_has_its_place_and_a_hint() {
        let cases = [
            ("data = \n", "E-CONF-0001", "runner.toml:1:", None),
            (
                "\n  dta = 'x'\n",
                "E-CONF-0002",
                "runner.toml:2:3: the key `dta` is not known here",
                Some("did you mean `data`?"),
            ),
            (
                "[connections.a]\nkind = 'x'\nbase_url = 'https://h'\npasword = 'x'\n",
                "E-CONF-0002",
                "runner.toml:4:1: the key `pasword`",
                Some("known here: `kind`"),
            ),
            (
                "[connections.a]\nkind = 'x'\nbase_url = 'h'\n",
                "E-CONF-0002",
                "runner.toml:3:12: the connection `a`: `h` is not a URL",
                None,
            ),
            (
                "[connections.a]\nkind = 'x'\nbase_url = 'https://h'\nauth = { type = 'basic', username = 'u' }\n",
                "E-CONF-0002",
                "runner.toml:4:8: the connection `a`: `basic` needs `password`",
                Some("auth = {"),
            ),
            (
                "[connections.a]\nkind = 'x'\nbase_url = 'https://h'\nauth = { type = 'basik' }\n",
                "E-CONF-0002",
                "runner.toml:4:8: the connection `a`: `basik` is no kind of authentication",
                Some("did you mean `basic`?"),
            ),
            (
                "[connections.a]\nkind = 'x'\nbase_url = 'https://h'\nauth = { type = 'bearer', token = { evn = 'X' } }\n",
                "E-CONF-0002",
                "runner.toml:4:",
                Some("did you mean `env`?"),
            ),
            ("[[grants.p.http]]\nurl = 'h'\n", "E-CONF-0002", "runner.toml:", None),
            ("[grants.P]\nkv = 'read'\n", "E-CONF-0002", "runner.toml:1:9: a pack's ref `P`", None),
            ("[limits]\ntimeout = 0\n", "E-CONF-0002", "runner.toml:2:11: a timeout", None),
            ("packs = 'x'\n", "E-CONF-0002", "runner.toml:1:9: invalid type", None),
        ];
        for (text, code, message, hint) in cases {
            let found = mistake(text);
            assert_eq!(found.0, code, "{text}: {found:?}");
            assert!(found.1.starts_with(message), "{text}: {found:?}");
            assert!(
                hint.is_none_or(|hint| found.2.as_deref().is_some_and(|found| found.contains(hint))),
                "{text}: {found:?}"
            );
        }
    }
}
