//! The configuration: flags before the environment before the file before defaults.
//!
//! Only here is the environment of the process read. Secrets are looked up when a connection is about to be used, so that
//! a command that does not need one does not need its secret.

mod connection;
mod daemon;
mod environment;
mod file;
mod limits;
mod mistake;
pub(crate) mod seal;
mod secret;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use runner_executor::Grants;
use runner_model::{ConnectionName, Limits, SecretName, code};

pub(crate) use connection::Connection;
pub(crate) use daemon::{Daemon, TlsFiles, WebhookSecrets, address};
pub(crate) use environment::Environment;
pub(crate) use secret::Sources;

use crate::cli::GlobalArgs;
use crate::error::CliError;
use crate::exit::Exit;
use crate::stored::{connection_user, webhook_user};
use file::ConfigFile;

/// The file that is read if none is named.
const FILE: &str = "runner.toml";

/// Everything that is configured.
#[derive(Debug)]
pub(crate) struct Config {
    /// Development mode: packs are granted whatever they ask for.
    pub(crate) dev: bool,
    /// Where executions are recorded.
    pub(crate) data: PathBuf,
    /// The directories of packs.
    pub(crate) packs: Vec<PathBuf>,
    /// Whether somebody named them.
    pub(crate) packs_named: bool,
    /// Where the values of the packs' configurations are.
    pub(crate) config_dir: PathBuf,
    /// The connections.
    pub(crate) connections: BTreeMap<ConnectionName, Connection>,
    /// What packs were granted.
    pub(crate) grants: Grants,
    /// What guests may use.
    pub(crate) limits: Limits,
    /// What a daemon is told.
    pub(crate) daemon: Daemon,
    /// Where the key is that seals.
    pub(crate) keys: seal::Keys,
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
}

impl Config {
    /// Reads the configuration.
    pub(crate) fn load(global: &GlobalArgs, environment: &Environment) -> Result<Self, CliError> {
        let named = global.config.clone().or_else(|| environment.path("RUNNER_CONFIG"));
        let (path, text) = match named {
            Some(path) => {
                let text = read(&path)?;
                (Some(path), text)
            }
            None if Path::new(FILE).is_file() => (Some(PathBuf::from(FILE)), read(Path::new(FILE))?),
            None => (None, String::new()),
        };
        let file = ConfigFile::parse(path.as_deref().unwrap_or_else(|| Path::new(FILE)), &text)?;
        let base = path.as_deref().and_then(Path::parent).unwrap_or_else(|| Path::new("")).to_owned();
        let mut config = Self::merge(global, environment, file, path, &base);
        config.daemon.overlay(environment)?;
        config.dev |= environment.switch("RUNNER_DEV")?;
        Ok(config)
    }

    fn merge(
        global: &GlobalArgs,
        environment: &Environment,
        file: ConfigFile,
        path: Option<PathBuf>,
        base: &Path,
    ) -> Self {
        let data = global.data.clone().or_else(|| environment.path("RUNNER_DATA"));
        let data = data.or_else(|| file.data.map(|data| base.join(data)));
        let of_file = file.packs.map(|packs| packs.iter().map(|packs| base.join(packs)).collect());
        let flags = (!global.packs.is_empty()).then(|| global.packs.clone());
        let packs = flags.or_else(|| environment.paths("RUNNER_PACKS")).or(of_file);
        let connection = |(name, settings)| {
            let place =
                connection::Place { name: ConnectionName::clone(&name), file: path.clone(), base: base.to_owned() };
            (name, Connection { settings, place })
        };
        let data = data.unwrap_or_else(|| PathBuf::from(".runner"));
        Self {
            dev: file.dev,
            keys: seal::Keys::new(file.secrets, base, &data),
            data,
            packs_named: packs.is_some(),
            packs: packs.unwrap_or_else(|| vec![PathBuf::from("packs")]),
            config_dir: base.join(file.config_dir.unwrap_or_else(|| PathBuf::from("configs"))),
            connections: file.connections.into_iter().map(connection).collect(),
            grants: Grants(file.grants),
            limits: file.limits,
            daemon: file.daemon,
            file: path,
        }
    }

    /// The configuration that holds, as a file that says the same: what a daemon is told, where things are, and the limits;
    /// connections and grants by name.
    pub(crate) fn dump(&self) -> String {
        let text = |path: &Path| toml::Value::from(path.display().to_string());
        let mut table = toml::Table::new();
        table.insert("dev".to_owned(), self.dev.into());
        table.insert("data".to_owned(), text(&self.data));
        table.insert("packs".to_owned(), self.packs.iter().map(|packs| text(packs)).collect::<Vec<_>>().into());
        table.insert("config_dir".to_owned(), text(&self.config_dir));
        table.extend(self.daemon.dump());
        table.insert("limits".to_owned(), limits::dump(&self.limits).into());
        let mut dumped = toml::to_string(&table).unwrap_or_default();
        let names =
            self.connections.iter().map(|(name, connection)| (name.as_str(), connection.settings.kind.as_str()));
        for (name, kind) in names {
            dumped.push_str(&format!("\n# [connections.{name}] of the kind {kind}"));
        }
        for pack in self.grants.0.keys() {
            dumped.push_str(&format!("\n# [grants.{pack}]"));
        }
        dumped.push_str(&format!("\n# [secrets] key: {}\n", self.keys.place()));
        dumped
    }

    /// What is configured to use a secret of the store, in a few words each.
    pub(crate) fn users_of(&self, name: &SecretName) -> Vec<String> {
        let connections =
            self.connections.iter().filter(|(_, connection)| connection.settings.stored_secrets().contains(name));
        let connections = connections.map(|(user, _)| connection_user(user));
        let webhooks = self.daemon.webhooks.stored_secrets().filter(|(_, names)| names.contains(name));
        connections.chain(webhooks.map(|(user, _)| webhook_user(user))).collect()
    }

    /// The secrets that stand in the file itself although others can read it: their connections.
    pub(crate) fn exposed(&self) -> Vec<&ConnectionName> {
        let readable = self.file.as_deref().is_some_and(secret::others_can_read);
        let exposed =
            |(_, connection): &(&ConnectionName, &Connection)| readable && connection.settings.has_plain_secret();
        self.connections.iter().filter(exposed).map(|(name, _)| name).collect()
    }
}

fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|error| {
        let message = format!("the configuration file `{}` cannot be read: {error}", path.display());
        CliError::new(Exit::Invalid, code::CONF_UNREADABLE, message)
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    fn merged(flags: &[&str], environment: &[(&str, &str)], file: &str) -> Config {
        let global = Cli::parse_from(["runner", "doctor"].iter().chain(flags)).global;
        let environment = Environment::of(environment.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect());
        let path = Path::new("etc/runner.toml");
        let file = ConfigFile::parse(path, file).unwrap();
        Config::merge(&global, &environment, file, Some(path.to_owned()), Path::new("etc"))
    }

    #[test]
    fn flags_go_before_the_environment_before_the_file_before_defaults() {
        let file = "data = 'd'\npacks = ['p', '/q']\n";
        let environment = [("RUNNER_DATA", "from_env"), ("RUNNER_PACKS", "a:b")];
        let config = merged(&["--data", "flag", "--packs", "x", "--packs", "y"], &environment, file);
        assert_eq!((config.data, config.packs), ("flag".into(), vec!["x".into(), "y".into()]));
        let config = merged(&[], &environment, file);
        assert_eq!((config.data, config.packs), ("from_env".into(), vec!["a".into(), "b".into()]));
        let config = merged(&[], &[("RUNNER_DATA", "")], file);
        assert_eq!((config.data, config.packs), ("etc/d".into(), vec!["etc/p".into(), "/q".into()]));
        assert_eq!(config.config_dir, Path::new("etc/configs"));
        let config = merged(&[], &[], "");
        assert_eq!((config.data, config.packs, config.packs_named), (".runner".into(), vec!["packs".into()], false));
    }
}
