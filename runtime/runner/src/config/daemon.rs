//! `[server]`, `[retention]` and `[webhooks]`: what `runner serve` is told. The environment goes over the file.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use runner_model::{Secret, SecretName, code, limits};
use serde::Deserialize;
use toml::Spanned;

use super::Environment;
use super::secret::{SecretSource, Sources};
use crate::error::CliError;
use crate::exit::Exit;

/// What a daemon is told.
#[derive(Debug)]
pub(crate) struct Daemon {
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// Names of this machine that requests may be sent to, besides those of the loopback.
    pub(crate) hosts: Vec<String>,
    /// The certificate and its key, in PEM.
    pub(crate) tls: Option<TlsFiles>,
    /// How long running attempts may go on after the signal to stop.
    pub(crate) grace: Duration,
    /// Executions at work before requests are refused.
    pub(crate) queue_max: usize,
    /// Connections at the same time.
    pub(crate) connections_max: usize,
    /// A request's body, in bytes.
    pub(crate) body_bytes_max: usize,
    /// How long an execution is kept after its end; none is for ever.
    pub(crate) executions_kept: Option<Duration>,
    /// How many ended executions are kept; none is all of them.
    pub(crate) executions_max: Option<u64>,
    /// How long an event is kept.
    pub(crate) events_kept: Duration,
    /// The secrets that webhooks are signed with.
    pub(crate) webhooks: Arc<WebhookSecrets>,
}

/// The secrets that webhooks are signed with, by the names that rules give them.
#[derive(Debug, Default)]
pub(crate) struct WebhookSecrets {
    sources: BTreeMap<String, Vec<SecretSource>>,
    base: PathBuf,
    /// Those of the store, as they were last opened.
    stored: RwLock<BTreeMap<SecretName, Secret>>,
}

impl WebhookSecrets {
    /// The secrets with this name: several while they are changed, none if nothing is configured or can be read.
    pub(crate) fn of(&self, name: &str, environment: &Environment) -> Vec<Secret> {
        let sources = self.sources.get(name).map(Vec::as_slice).unwrap_or_default();
        let stored = self.stored.read();
        let known = Sources::with(*environment, &stored);
        let resolved = sources.iter().filter_map(|source| match source.resolve(&known, &self.base) {
            Ok(secret) => Some(secret),
            Err((code, message, _)) => {
                tracing::warn!(%code, webhook = name, "{message}");
                None
            }
        });
        resolved.collect()
    }

    /// The secrets of the store that each webhook secret names.
    pub(crate) fn stored_secrets(&self) -> impl Iterator<Item = (&str, BTreeSet<SecretName>)> {
        let stored = |sources: &Vec<SecretSource>| sources.iter().filter_map(SecretSource::stored).cloned().collect();
        self.sources.iter().map(move |(name, sources)| (name.as_str(), stored(sources)))
    }

    /// Takes these in the place of those that were opened before; the others with these names are gone.
    pub(crate) fn refresh(&self, names: &BTreeSet<SecretName>, opened: BTreeMap<SecretName, Secret>) {
        let mut stored = self.stored.write();
        stored.retain(|name, _| !names.contains(name));
        stored.extend(opened);
    }
}

/// Where the daemon's certificate is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsFiles {
    /// The chain, the daemon's own first.
    pub(crate) certificate: PathBuf,
    /// Its private key.
    pub(crate) key: PathBuf,
}

/// `[server]` as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenServer {
    listen: Option<Spanned<String>>,
    #[serde(default)]
    hosts: Vec<String>,
    tls: Option<TlsFiles>,
    grace: Option<Spanned<f64>>,
    queue_max: Option<Spanned<usize>>,
    connections_max: Option<Spanned<usize>>,
    body_bytes_max: Option<Spanned<usize>>,
}

/// `[retention]` as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRetention {
    executions_days: Option<Spanned<u32>>,
    executions_max: Option<Spanned<u64>>,
    events_days: Option<Spanned<u32>>,
}

/// `[webhooks]` as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenWebhooks {
    #[serde(default)]
    secrets: BTreeMap<String, OneOrMore>,
}

/// A secret, or the old and the new one while they are changed.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    More(Vec<SecretSource>),
    One(SecretSource),
}

/// The tables of the file that are the daemon's.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) server: WrittenServer,
    pub(super) retention: WrittenRetention,
    pub(super) webhooks: WrittenWebhooks,
}

/// A mistake, and where it is in the file.
type Misplaced = (std::ops::Range<usize>, String);

/// The settings of `[server]` and `[retention]` that the environment can name, each as `RUNNER_` and the key in capitals.
const FROM_ENVIRONMENT: [(&str, &str); 8] = [
    ("RUNNER_LISTEN", "an address such as 127.0.0.1:9101"),
    ("RUNNER_GRACE", "seconds"),
    ("RUNNER_QUEUE_MAX", "a number of executions"),
    ("RUNNER_CONNECTIONS_MAX", "a number of connections"),
    ("RUNNER_BODY_BYTES_MAX", "a number of bytes"),
    ("RUNNER_EXECUTIONS_DAYS", "a number of days, 0 for ever"),
    ("RUNNER_EXECUTIONS_MAX", "a number of executions, 0 for all"),
    ("RUNNER_EVENTS_DAYS", "a number of days"),
];

impl Written {
    /// Checks what is written; the place of a mistake is in the file.
    pub(super) fn apply(self, base: &Path) -> Result<Daemon, Misplaced> {
        let mut daemon = Daemon::standard();
        let Self { server, retention, webhooks } = self;
        if let Some(listen) = &server.listen {
            daemon.listen = address(listen.get_ref()).map_err(|message| (listen.span(), message))?;
        }
        set(server.grace.as_ref(), |seconds| daemon.set_grace(*seconds))?;
        set(server.queue_max.as_ref(), |max| at_least_one(&mut daemon.queue_max, *max))?;
        set(server.connections_max.as_ref(), |max| at_least_one(&mut daemon.connections_max, *max))?;
        set(server.body_bytes_max.as_ref(), |max| at_least_one(&mut daemon.body_bytes_max, *max))?;
        set(retention.executions_days.as_ref(), |days| daemon.set_executions_days(*days))?;
        set(retention.executions_max.as_ref(), |max| daemon.set_executions_max(*max))?;
        set(retention.events_days.as_ref(), |days| daemon.set_events_days(*days))?;
        daemon.hosts = server.hosts;
        daemon.tls =
            server.tls.map(|tls| TlsFiles { certificate: base.join(tls.certificate), key: base.join(tls.key) });
        let secrets = webhooks.secrets.into_iter().map(|(name, sources)| match sources {
            OneOrMore::One(source) => (name, vec![source]),
            OneOrMore::More(sources) => (name, sources),
        });
        daemon.webhooks =
            Arc::new(WebhookSecrets { sources: secrets.collect(), base: base.to_owned(), stored: RwLock::default() });
        Ok(daemon)
    }
}

fn set<T>(written: Option<&Spanned<T>>, take: impl FnOnce(&T) -> Result<(), &'static str>) -> Result<(), Misplaced> {
    let Some(written) = written else { return Ok(()) };
    take(written.get_ref()).map_err(|message| (written.span(), message.to_owned()))
}

fn at_least_one(setting: &mut usize, value: usize) -> Result<(), &'static str> {
    if value == 0 {
        return Err("at least 1");
    }
    *setting = value;
    Ok(())
}

/// Reads an address to listen on.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    let whole = || text.parse::<SocketAddr>().ok();
    // A port alone is one of the loopback.
    let port = || text.trim_start_matches(':').parse::<u16>().ok().map(|port| (Ipv4Addr::LOCALHOST, port).into());
    let named = || text.strip_prefix("localhost:")?.parse::<u16>().ok().map(|port| (Ipv4Addr::LOCALHOST, port).into());
    whole().or_else(port).or_else(named).ok_or_else(|| format!("`{text}` is no address: write `127.0.0.1:9101`"))
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Daemon {
    /// What holds if nothing is written.
    fn standard() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, limits::DAEMON_PORT).into(),
            hosts: Vec::new(),
            tls: None,
            grace: limits::DRAIN_GRACE,
            queue_max: limits::QUEUE_MAX,
            connections_max: limits::API_CONNECTIONS_MAX,
            body_bytes_max: limits::API_BODY_BYTES_MAX,
            executions_kept: Some(limits::EXECUTIONS_KEPT),
            executions_max: Some(limits::EXECUTIONS_KEPT_MAX),
            events_kept: limits::EVENTS_KEPT,
            webhooks: Arc::default(),
        }
    }

    /// Lets the environment change what the file says.
    pub(super) fn overlay(&mut self, environment: &Environment) -> Result<(), CliError> {
        for (name, what) in FROM_ENVIRONMENT {
            let Some(text) = environment.get(name) else { continue };
            self.take(name, &text).map_err(|message| {
                let message = format!("the environment variable `{name}`: {message}");
                CliError::new(Exit::Invalid, code::CONF_INVALID, message).hint(format!("it is {what}"))
            })?;
        }
        Ok(())
    }

    fn take(&mut self, name: &str, text: &str) -> Result<(), String> {
        fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
            text.parse().map_err(|_| format!("`{text}` is not such a number"))
        }
        let taken = match name {
            "RUNNER_LISTEN" => {
                self.listen = address(text)?;
                Ok(())
            }
            "RUNNER_GRACE" => self.set_grace(number(text)?),
            "RUNNER_QUEUE_MAX" => at_least_one(&mut self.queue_max, number(text)?),
            "RUNNER_CONNECTIONS_MAX" => at_least_one(&mut self.connections_max, number(text)?),
            "RUNNER_BODY_BYTES_MAX" => at_least_one(&mut self.body_bytes_max, number(text)?),
            "RUNNER_EXECUTIONS_DAYS" => self.set_executions_days(number(text)?),
            "RUNNER_EXECUTIONS_MAX" => self.set_executions_max(number(text)?),
            _ => self.set_events_days(number(text)?),
        };
        taken.map_err(str::to_owned)
    }

    /// Sets how long running attempts may go on, in seconds.
    pub(crate) fn set_grace(&mut self, seconds: f64) -> Result<(), &'static str> {
        let grace = Duration::try_from_secs_f64(seconds).ok().filter(|grace| *grace <= Duration::from_secs(3600));
        self.grace = grace.ok_or("between 0 and 3600 seconds")?;
        Ok(())
    }

    fn set_executions_days(&mut self, days: u32) -> Result<(), &'static str> {
        self.executions_kept = (days > 0).then(|| DAY * days);
        Ok(())
    }

    fn set_executions_max(&mut self, max: u64) -> Result<(), &'static str> {
        self.executions_max = (max > 0).then_some(max);
        Ok(())
    }

    fn set_events_days(&mut self, days: u32) -> Result<(), &'static str> {
        let kept = DAY * days;
        if kept < limits::EVENTS_KEPT {
            return Err("at least 7 days: until then a delivery that comes again is known");
        }
        self.events_kept = kept;
        Ok(())
    }

    /// The whole of it as a file that says the same; of secrets only where they are.
    pub(crate) fn dump(&self) -> toml::Table {
        let days = |kept: Option<Duration>| kept.map_or(0, |kept| kept.as_secs() / DAY.as_secs());
        let mut server = toml::Table::new();
        server.insert("listen".to_owned(), self.listen.to_string().into());
        server.insert("hosts".to_owned(), self.hosts.clone().into());
        if let Some(tls) = &self.tls {
            let file = |path: &Path| toml::Value::from(path.display().to_string());
            let files = [("certificate".to_owned(), file(&tls.certificate)), ("key".to_owned(), file(&tls.key))];
            server.insert("tls".to_owned(), toml::Table::from_iter(files).into());
        }
        server.insert("grace".to_owned(), self.grace.as_secs_f64().into());
        for (key, value) in [
            ("queue_max", self.queue_max),
            ("connections_max", self.connections_max),
            ("body_bytes_max", self.body_bytes_max),
        ] {
            server.insert(key.to_owned(), integer(value as u64));
        }
        let mut retention = toml::Table::new();
        retention.insert("executions_days".to_owned(), integer(days(self.executions_kept)));
        retention.insert("executions_max".to_owned(), integer(self.executions_max.unwrap_or(0)));
        retention.insert("events_days".to_owned(), integer(days(Some(self.events_kept))));
        let secrets = self.webhooks.sources.iter().map(|(name, sources)| {
            let places: Vec<_> = sources.iter().map(|source| source.place(&self.webhooks.base)).collect();
            (name.clone(), toml::Value::from(places))
        });
        let webhooks = toml::Table::from_iter([("secrets".to_owned(), toml::Table::from_iter(secrets).into())]);
        let tables = [("server", server), ("retention", retention), ("webhooks", webhooks)];
        tables.into_iter().map(|(name, table)| (name.to_owned(), table.into())).collect()
    }
}

fn integer(value: u64) -> toml::Value {
    i64::try_from(value).unwrap_or(i64::MAX).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::of(variables.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect())
    }

    #[test]
    fn the_environment_goes_over_the_file_and_a_slip_in_it_is_named() {
        let server: WrittenServer = toml::from_str("listen = '0.0.0.0:80'\nqueue_max = 5\n").unwrap();
        let mut daemon = Written { server, ..Written::default() }.apply(Path::new("")).unwrap();
        daemon.overlay(&environment(&[("RUNNER_LISTEN", "8080"), ("RUNNER_EXECUTIONS_DAYS", "0")])).unwrap();
        assert_eq!((daemon.listen.to_string().as_str(), daemon.queue_max), ("127.0.0.1:8080", 5));
        assert_eq!(daemon.executions_kept, None);
        let error = daemon.overlay(&environment(&[("RUNNER_QUEUE_MAX", "many")])).unwrap_err();
        assert_eq!(
            error.mistakes[0].message,
            "the environment variable `RUNNER_QUEUE_MAX`: `many` is not such a number"
        );
        assert_eq!(error.mistakes[0].hint.as_deref(), Some("it is a number of executions"));
        assert!(daemon.overlay(&environment(&[("RUNNER_EVENTS_DAYS", "6")])).is_err());
    }

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for text in ["127.0.0.1:9101", "9101", ":9101", "localhost:9101"] {
            assert_eq!(address(text).unwrap().to_string(), "127.0.0.1:9101", "{text}");
        }
        assert_eq!(address("[::]:1").unwrap().to_string(), "[::]:1");
        assert!(address("example.com").is_err() && address("99999").is_err());
    }

    #[test]
    fn what_is_dumped_says_where_secrets_are_and_reads_back_the_same() {
        let webhooks: WrittenWebhooks =
            toml::from_str("secrets.github = [{ env = 'NEW' }, { file = 'old' }]\nsecrets.x = 'inline'\n").unwrap();
        let daemon = Written { webhooks, ..Written::default() }.apply(Path::new("etc")).unwrap();
        let dumped = toml::to_string(&daemon.dump()).unwrap();
        assert!(
            dumped.contains("env = \"NEW\"") && dumped.contains("etc/old") && !dumped.contains("inline"),
            "{dumped}"
        );
        let secrets = daemon.webhooks.of("github", &environment(&[("NEW", "s3cret")]));
        assert_eq!(secrets.len(), 1, "the file is not there, the variable is");
        assert!(daemon.webhooks.of("other", &environment(&[])).is_empty());
    }
}
