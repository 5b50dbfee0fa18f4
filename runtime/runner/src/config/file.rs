//! `runner.toml` as it is written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use runner_model::{ConnectionName, HttpRule, KvAccess, Limits, PackRef, Permissions, code};
use serde::Deserialize;
use toml::Spanned;

use super::connection::Settings;
use super::daemon::{self, Daemon, WrittenRetention, WrittenServer, WrittenWebhooks};
use super::limits::WrittenLimits;
use super::mistake;
use super::seal::WrittenSecrets;
use crate::error::CliError;

/// The whole file.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    pub(crate) dev: bool,
    pub(crate) data: Option<PathBuf>,
    pub(crate) packs: Option<Vec<PathBuf>>,
    pub(crate) config_dir: Option<PathBuf>,
    pub(crate) connections: BTreeMap<ConnectionName, Settings>,
    pub(crate) grants: BTreeMap<PackRef, Permissions>,
    pub(crate) limits: Limits,
    pub(crate) daemon: Daemon,
    pub(crate) secrets: WrittenSecrets,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    dev: bool,
    data: Option<PathBuf>,
    packs: Option<Vec<PathBuf>>,
    config_dir: Option<PathBuf>,
    #[serde(default)]
    connections: BTreeMap<ConnectionName, Spanned<Settings>>,
    #[serde(default)]
    grants: BTreeMap<PackRef, Spanned<WrittenGrant>>,
    #[serde(default)]
    limits: WrittenLimits,
    #[serde(default)]
    server: WrittenServer,
    #[serde(default)]
    retention: WrittenRetention,
    #[serde(default)]
    webhooks: WrittenWebhooks,
    #[serde(default)]
    secrets: WrittenSecrets,
}

/// What a pack is granted. Its own key-value data need no grant, so they are not taken from it where nothing is said of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenGrant {
    #[serde(default)]
    http: Vec<HttpRule>,
    #[serde(default = "WrittenGrant::kv")]
    kv: KvAccess,
}

impl WrittenGrant {
    const fn kv() -> KvAccess {
        KvAccess::ReadWrite
    }
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
            let mistake = grant.get_ref().http.iter().flat_map(HttpRule::mistakes).next();
            if let Some(mistake) = mistake {
                return Err(at(grant.span(), &format!("the grant of `{pack}`: {mistake}")));
            }
            let WrittenGrant { http, kv } = grant.into_inner();
            grants.insert(pack, Permissions { http, kv });
        }
        let limits = written.limits.apply().map_err(|(span, message)| at(span, message))?;
        let Written { dev, data, packs, config_dir, server, retention, webhooks, secrets, .. } = written;
        let base = path.parent().unwrap_or_else(|| Path::new(""));
        let daemon = daemon::Written { server, retention, webhooks }.apply(base);
        let daemon = daemon.map_err(|(span, message)| at(span, &message))?;
        Ok(Self { dev, data, packs, config_dir, connections, grants, limits, daemon, secrets })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_takes_nothing_from_a_pack_of_which_it_says_nothing() {
        let granted = |text: &str| {
            let file = ConfigFile::parse(Path::new("runner.toml"), text).unwrap();
            file.grants[&PackRef::new("core").unwrap()].clone()
        };
        let requests = granted("[[grants.core.http]]\nurl = 'https://h'\n");
        assert_eq!((requests.http.len(), requests.kv), (1, KvAccess::ReadWrite));
        assert_eq!(granted("[grants.core]\nkv = 'none'\n").kv, KvAccess::None);
    }

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
            (
                "[[grants.p.http]]\nurl = 'https://h'\naddresses = []\n",
                "E-CONF-0002",
                "runner.toml:1:10: the grant of `p`: `addresses` is empty",
                None,
            ),
            ("[[grants.p.http]]\nurl = 'https://h'\naddresses = ['h']\n", "E-CONF-0002", "runner.toml:3:", None),
            ("[limits]\npack_requests_max = 0\n", "E-CONF-0002", "runner.toml:2:21: a pack can have", None),
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
