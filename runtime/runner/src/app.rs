//! What commands are made of, put together when it is first needed: a command that reads packs opens no database, and
//! one that reads the database starts no engine.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use runner_executor::{Executor, ExecutorOptions, HostGuests, Packs, PacksOptions, simulated_names};
use runner_host::{ConnectionConfig, Connections, Door, Host, HostOptions, Player, Traffic};
use runner_model::{
    ActionRef, Clock, Configured, ConnectionName, Entropy as _, GrantRecord, NodeId, SystemClock, SystemEntropy,
    Timestamp, code,
};
use runner_pack::{Action, Library, Report};
use runner_server::local::Nodes;
use runner_store::{AuditOrigin, Audited, Grants, KeySource, SqliteOptions, SqliteStore, Store, Vault};

use crate::cli::GlobalArgs;
use crate::compiler;
use crate::config::{Config, Environment, Sources};
use crate::error::{CliError, Mistake};
use crate::exit::Exit;
use crate::manners;
use crate::output::Output;
use crate::records::Place;
use crate::remote::Remote;
use crate::spelling::Spelling;
use crate::stored::StoredSecrets;

/// The parts of the process.
pub(crate) struct App {
    /// What is configured.
    pub(crate) config: Config,
    /// How to write.
    pub(crate) output: Output,
    /// The environment of the process.
    pub(crate) environment: Environment,
    /// The daemon that the user names: then nothing is opened here.
    pub(crate) remote: Option<Remote>,
    /// How commands have to be typed here.
    pub(crate) spelling: Spelling,
    /// What stands between packs and systems.
    pub(crate) traffic: Option<Traffic>,
    /// What the requests of all packs share.
    pub(crate) door: Door,
    /// What is recorded as granted to packs, as far as it was looked at.
    pub(crate) recorded: Vec<GrantRecord>,
    /// Whether connections are made ready that no pack was granted yet, because one may be while the process runs.
    pub(crate) is_daemon: bool,
    library: OnceCell<(Library, Report)>,
    host: OnceCell<Host>,
    keys: KeySource,
}

/// Characters of the host's name that stand in the name of a process.
const NODE_HOST_CHARS_MAX: usize = 24;

impl App {
    /// Reads the configuration and nothing else.
    pub(crate) fn open(global: &GlobalArgs, environment: Environment, output: Output) -> Result<Self, CliError> {
        let config = Config::load(global, &environment)?;
        let remote = Remote::of(global, &environment)?;
        for name in config.exposed().into_iter().filter(|_| remote.is_none()) {
            let file = config.file.as_deref().unwrap_or_else(|| std::path::Path::new("")).display();
            let message = format!("{file}: others can read the credentials of the connection `{name}`");
            let hint =
                format!("`chmod 600 {file}`, or write `{{ env = \"NAME\" }}` or `{{ file = \"path\" }}` instead");
            output.warn(&Mistake::new(code::CONF_SECRET, message).maybe_hint(Some(hint)));
        }
        Ok(Self {
            door: Door::new(&config.limits),
            keys: config.keys.source(environment),
            config,
            output,
            environment,
            remote,
            spelling: Spelling::of(global),
            traffic: None,
            recorded: Vec::new(),
            is_daemon: false,
            library: OnceCell::new(),
            host: OnceCell::new(),
        })
    }

    /// What the packs directories hold, and what is wrong with it.
    pub(crate) fn library(&self) -> &(Library, Report) {
        self.library.get_or_init(|| self.load_library())
    }

    /// Reads of the packs only what this action can need; gives it, if it is there and its pack can be used. Otherwise all
    /// packs have to be read, to say what is wrong.
    pub(crate) fn narrow(&mut self, action: &ActionRef) -> Option<Arc<Action>> {
        let (library, report) = Library::load_part(&self.packs_dirs(), Some(&self.config.config_dir), action.pack());
        let found = library.action(action).map(|(_, found)| found.clone())?;
        self.library = OnceCell::from((library, report));
        Some(found)
    }

    fn load_library(&self) -> (Library, Report) {
        Library::load(&self.packs_dirs(), Some(&self.config.config_dir))
    }

    fn packs_dirs(&self) -> Vec<PathBuf> {
        // The default directory need not exist; one that somebody named must.
        let exists = |dir: &&PathBuf| self.config.packs_named || dir.is_dir();
        self.config.packs.iter().filter(exists).cloned().collect()
    }

    /// The store, if there is one already: reading makes no directories.
    pub(crate) async fn existing_store(&self) -> Result<Option<SqliteStore>, CliError> {
        if !self.config.data.join("runner.db").exists() {
            return Ok(None);
        }
        self.store().await.map(Some)
    }

    /// Does something with the store, if there is one already, and closes it.
    pub(crate) async fn with_store(
        mut self,
        work: impl AsyncFnOnce(&mut Self, Option<&Arc<SqliteStore>>) -> Result<Exit, CliError>,
    ) -> Result<Exit, CliError> {
        let store = self.existing_store().await?.map(Arc::new);
        let result = work(&mut self, store.as_ref()).await;
        if let Some(store) = store {
            store.close().await;
        }
        result
    }

    /// Does something where executions are: with the daemon that the user names, or here, if anything was ever recorded
    /// here.
    pub(crate) async fn with_place(
        self,
        work: impl AsyncFnOnce(&mut Self, Option<&Place>) -> Result<Exit, CliError>,
    ) -> Result<Exit, CliError> {
        if let Some(remote) = self.remote.clone() {
            let mut app = self;
            return work(&mut app, Some(&Place::There(remote))).await;
        }
        let here = |store: &Arc<SqliteStore>| Place::Here(store.clone());
        self.with_store(async |app, store| work(app, store.map(here).as_ref()).await).await
    }

    /// The store; meanwhile the engine is made that will run guests, which takes as long.
    pub(crate) async fn store_and_engine(&self) -> Result<SqliteStore, CliError> {
        let (store, host) = tokio::join!(self.store(), async { self.host() });
        host?;
        store
    }

    /// The store.
    pub(crate) async fn store(&self) -> Result<SqliteStore, CliError> {
        Ok(SqliteStore::open(&self.config.data, self.store_options()).await?)
    }

    /// How the store is opened. Its keys are fetched when something that is sealed is first needed.
    fn store_options(&self) -> SqliteOptions {
        SqliteOptions { keys: Some(self.keys.clone()), ..SqliteOptions::default() }
    }

    /// The keys that seal.
    pub(crate) const fn keys(&self) -> &KeySource {
        &self.keys
    }

    /// The host that runs guests.
    pub(crate) fn host(&self) -> Result<Host, CliError> {
        if let Some(host) = self.host.get() {
            return Ok(host.clone());
        }
        let host = self.host_at(Arc::new(SystemClock))?;
        Ok(self.host.get_or_init(|| host).clone())
    }

    /// The same, in which guests are told another time.
    pub(crate) fn host_at(&self, clock: Arc<dyn Clock>) -> Result<Host, CliError> {
        let cache_dir = Some(self.config.data.join("cache"));
        let limits = self.config.limits.clone();
        Ok(Host::new(HostOptions { cache_dir, compiling: compiler::compiling(), limits, clock })?)
    }

    /// The connections that packs can use. One whose secret is missing is left out, with a warning: whatever does not
    /// need it goes on.
    fn connections(&self, library: &Library, secrets: Option<&StoredSecrets>) -> Result<Connections, CliError> {
        let (mut configs, mut stored) = (Vec::new(), Vec::new());
        let shown = Sources::shown(self.environment);
        for (name, connection) in &self.config.connections {
            let is_granted = self.is_granted(name, library);
            if !is_granted && !self.is_daemon {
                // Known by its name, so that a denial says what is missing; nothing is behind it.
                configs.extend(connection.stand_in().map(|config| (name.clone(), config)));
                continue;
            }
            match connection.resolve(&shown) {
                Ok(config) if connection.settings.stored_secrets().is_empty() => configs.push((name.clone(), config)),
                Ok(config) => stored.push((name, connection, config)),
                // Nobody can use it now.
                Err(_) if !is_granted => {}
                Err(error) => error.mistakes.iter().for_each(|mistake| self.output.warn(mistake)),
            }
        }
        let mut connections = self.made(configs, library)?;
        for (name, connection, shown) in stored {
            let Some(secrets) = secrets else {
                let message =
                    format!("the connection `{name}` is left out: nothing was ever put into this data directory");
                self.output.warn(&Mistake::new(code::SECRET_UNKNOWN, message));
                continue;
            };
            let source = secrets.of_connection(connection.clone(), self.environment);
            connections = connections
                .with_source(name.clone(), shown, Arc::new(source))
                .map_err(|failure| CliError::of_failure(Exit::Invalid, &failure))?;
        }
        Ok(connections)
    }

    /// The secrets of a store, for this process.
    pub(crate) fn stored_secrets(&self, store: Arc<dyn Store>, node: &NodeId) -> StoredSecrets {
        StoredSecrets::new(store, self.keys.clone(), node)
    }

    /// The secrets of a store, as commands change them.
    pub(crate) fn vault<S: std::ops::Deref<Target: Store>>(&self, store: S) -> Vault<S> {
        Vault::new(store, self.keys.clone())
    }

    /// The same, for simulators to take their places: no real system can be reached through any of them.
    fn simulated_connections(&self, library: &Library) -> Result<Connections, CliError> {
        let kinds: BTreeSet<_> = library
            .packs()
            .flat_map(|pack| &pack.manifest.connections)
            .filter_map(|(kind, about)| about.simulator.is_some().then_some(kind))
            .collect();
        let mut configs = Vec::new();
        for (name, connection) in &self.config.connections {
            let kind = &connection.settings.kind;
            if let Some(taken) =
                kinds.iter().find(|other| *other != &kind && simulated_names(library, other).contains(name))
            {
                return Err(taken_name(name, kind, taken));
            }
            if kinds.contains(kind) {
                configs.extend(connection.stand_in().map(|config| (name.clone(), config)));
            } else if self.is_granted(name, library) {
                let message = format!("the connection `{name}` is left out: nothing simulates its kind, `{kind}`");
                self.output.warn(&Mistake::new(code::NET_NO_SIMULATOR, message));
            }
        }
        self.made(configs, library)
    }

    /// Those of a cassette: nothing is behind them.
    fn replayed_connections(&self, player: &Player, library: &Library) -> Result<Connections, CliError> {
        let config = |(name, kind): (String, String)| {
            let name = ConnectionName::new(&name).ok()?;
            let settings = serde_json::json!({ "kind": kind, "base_url": "http://127.0.0.1:0/" });
            Some((name, serde_json::from_value(settings).ok()?))
        };
        self.made(player.connections().into_iter().filter_map(config).collect(), library)
    }

    /// Connections with these settings, to systems that want to be talked to as their packs say.
    pub(crate) fn made(
        &self,
        configs: Vec<(ConnectionName, ConnectionConfig)>,
        library: &Library,
    ) -> Result<Connections, CliError> {
        Connections::behind(&self.door, configs, manners::of_kinds(library), &self.config.limits)
            .map_err(|failure| CliError::of_failure(Exit::Invalid, &failure))
    }

    /// Whether a pack was granted something on the connection: otherwise nothing can use it.
    fn is_granted(&self, name: &ConnectionName, library: &Library) -> bool {
        let kind = self.config.connections.get(name).map(|connection| connection.settings.kind.as_str());
        let by_file = self.config.grants.0.values();
        let recorded = self.recorded.iter().map(|record| &record.granted);
        let asked = library.packs().filter(|_| self.config.dev).map(|pack| &pack.manifest.permissions);
        let rules = by_file.chain(recorded).chain(asked).flat_map(|grant| &grant.http);
        rules
            .filter_map(|rule| rule.connection.as_deref())
            .any(|wanted| wanted == "*" || wanted == name.as_str() || Some(wanted) == kind)
    }

    /// Looks at what is recorded as granted: before packs are made ready.
    pub(crate) async fn learn_grants(&mut self, store: &(dyn Grants + Sync)) -> Result<(), CliError> {
        self.recorded = store.grants().await?;
        Ok(())
    }

    /// The connections as they are configured: name and kind.
    pub(crate) fn configured(&self) -> Vec<Configured> {
        let all = self.config.connections.iter();
        all.map(|(name, connection)| (name.clone(), connection.settings.kind.clone())).collect()
    }

    /// The packs, only to be asked about grants: none of them reaches anything.
    pub(crate) async fn granted_packs(&self, store: Option<&SqliteStore>, simulate: bool) -> Result<Packs, CliError> {
        let recorded = match store {
            Some(store) => store.grants().await?,
            None => Vec::new(),
        };
        let (library, grants) = (self.library().0.clone(), self.config.grants.clone());
        let connections = Connections::none(&self.config.limits);
        let options = PacksOptions { library, grants, connections, simulate, archive: None };
        Ok(self.with_grants(Packs::new(options), recorded))
    }

    fn with_grants(&self, packs: Packs, recorded: Vec<GrantRecord>) -> Packs {
        let packs = packs.with_grants(recorded).with_configured(self.configured());
        if self.config.dev { packs.in_development() } else { packs }
    }

    /// The packs, ready to run; the library goes into them. Without `secrets` there is no store to have any.
    pub(crate) fn packs(&mut self, simulate: bool, secrets: Option<&StoredSecrets>) -> Result<Packs, CliError> {
        let (library, _) = self.library.take().unwrap_or_else(|| self.load_library());
        let connections = match &self.traffic {
            Some(Traffic::Replayed(player)) => self.replayed_connections(player, &library)?,
            _ if simulate => self.simulated_connections(&library)?,
            _ => self.connections(&library, secrets)?,
        };
        let connections = connections.with_traffic(self.traffic.clone());
        let archive = Some(self.config.data.join("packs"));
        let grants = self.config.grants.clone();
        let packs = Packs::new(PacksOptions { library, grants, connections, simulate, archive });
        Ok(self.with_grants(packs, self.recorded.clone()))
    }

    /// The processes that share the data directory.
    pub(crate) fn nodes(&self) -> Nodes {
        Nodes::of(&self.config.data)
    }

    /// The daemon that takes what is asked: the one that the user names, or the one that has the data directory.
    pub(crate) fn daemon(&self) -> Option<Remote> {
        self.remote.clone().or_else(|| Remote::local(self.nodes(), self.by()))
    }

    /// Who asks, as journals name it: the system's word for the user, which proves nothing.
    pub(crate) fn by(&self) -> String {
        self.environment.get("USER").unwrap_or_else(|| "the command line".to_owned())
    }

    /// Who changes something with this command, for the audit log.
    pub(crate) fn audited(&self) -> Audited {
        Audited { at: self.now(), actor: self.by(), origin: AuditOrigin::Cli }
    }

    /// Says that packs are granted whatever they ask for, if they are.
    pub(crate) fn warn_of_development(&self) {
        if self.config.dev {
            let message = "development mode: every pack is granted whatever it asks for";
            let hint = "leave out `--dev`, `RUNNER_DEV` and `dev = true` where it matters";
            self.output.warn(&Mistake::new(code::CLI_DEVELOPMENT, message).maybe_hint(Some(hint.to_owned())));
        }
    }

    /// What time it is.
    pub(crate) fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    /// The same mistakes, with the commands in them as the user would have to type them.
    pub(crate) fn respelled(&self, mut error: CliError) -> CliError {
        for mistake in &mut error.mistakes {
            mistake.hint = mistake.hint.take().map(|hint| self.spelled(&hint));
        }
        error
    }

    /// A command, or a sentence with commands in it, as the user would have to type it: with the options that name
    /// other places than the default ones.
    pub(crate) fn spelled(&self, text: &str) -> String {
        self.spelling.spell(text)
    }

    /// An executor on this store, with the guests of this host.
    pub(crate) fn executor(
        &mut self,
        store: Arc<SqliteStore>,
        host: Host,
        node: NodeId,
        simulate: bool,
    ) -> Result<Executor, CliError> {
        let secrets = self.stored_secrets(store.clone(), &node);
        let packs = Arc::new(self.packs(simulate, Some(&secrets))?);
        let clock = Arc::new(SystemClock);
        let guests = HostGuests::new(host, packs.clone(), store.clone(), clock.clone(), &self.config.limits);
        Ok(Executor::new(ExecutorOptions {
            node,
            guests: Arc::new(guests),
            store,
            packs,
            clock,
            entropy: Arc::new(SystemEntropy),
            verify: cfg!(debug_assertions),
            queue_max: self.config.daemon.queue_max,
        }))
    }

    /// A name for this process that no other has: the random part keeps it apart from an earlier one with its number.
    pub(crate) fn node() -> NodeId {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        // It names files, and a socket whose path must not be long.
        let is_plain = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        let host: String = host.trim().chars().filter(is_plain).take(NODE_HOST_CHARS_MAX).collect();
        let host = if host.is_empty() { "cli" } else { host.as_str() };
        let random: String = SystemEntropy.ten_bytes().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        NodeId(format!("{host}-{}-{random}", std::process::id()))
    }
}

/// A connection that would be a simulated one of another kind: the packs that name it would reach the wrong system.
fn taken_name(name: &ConnectionName, kind: &str, other: &str) -> CliError {
    let message = format!("`{name}` is to be a simulated `{other}`, but is a connection of the kind `{kind}`");
    CliError::new(Exit::Invalid, code::CONF_INVALID, message)
        .hint(format!("give `[connections.{name}]` another name in the configuration"))
}
