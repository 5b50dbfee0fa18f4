//! The packs of a process, ready to run: what they hold, what they were granted, what their connections lead to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;
use runner_host::{Connections, Host, Simulator, World};
use runner_model::{ActionRef, ConnectionName, Failure, KvAccess, PackRef, Permissions, code};
use runner_pack::{Action, Library, Pack};

use crate::pack::{LoadedPack, read_component};

/// What the operator granted, by pack.
#[derive(Debug, Clone, Default)]
pub struct Grants(pub BTreeMap<PackRef, Permissions>);

impl Grants {
    /// The grant of a pack. A pack that the operator says nothing about may use its own key-value data and make no
    /// request.
    #[must_use]
    pub fn of(&self, pack: &PackRef) -> Permissions {
        let silent = || Permissions { http: Vec::new(), kv: KvAccess::ReadWrite };
        self.0.get(pack).cloned().unwrap_or_else(silent)
    }
}

/// What packs are made ready with.
pub struct PacksOptions {
    /// What the packs directories hold.
    pub library: Library,
    /// What the operator granted.
    pub grants: Grants,
    /// The operator's connections.
    pub connections: Connections,
    /// Whether connections lead to the simulators of the packs instead of the network.
    pub simulate: bool,
}

/// The packs of a process.
pub struct Packs {
    options: PacksOptions,
    loaded: Mutex<BTreeMap<PackRef, Arc<LoadedPack>>>,
    simulators: tokio::sync::Mutex<BTreeMap<ConnectionName, Simulator>>,
}

impl Packs {
    /// The packs with these options. Components are loaded when they are first needed.
    #[must_use]
    pub fn new(options: PacksOptions) -> Self {
        Self { options, loaded: Mutex::default(), simulators: tokio::sync::Mutex::default() }
    }

    /// What the packs directories hold.
    #[must_use]
    pub const fn library(&self) -> &Library {
        &self.options.library
    }

    /// Whether connections lead to simulators.
    #[must_use]
    pub const fn simulate(&self) -> bool {
        self.options.simulate
    }

    pub(crate) fn action(&self, action: &ActionRef) -> Option<(&Arc<Pack>, &Arc<Action>)> {
        self.options.library.action(action)
    }

    /// A pack, ready to run.
    pub(crate) async fn loaded(&self, host: &Host, pack: &Arc<Pack>) -> Result<Arc<LoadedPack>, Failure> {
        let reference = &pack.manifest.reference;
        if let Some(loaded) = self.loaded.lock().get(reference) {
            return Ok(loaded.clone());
        }
        let (connections, grant) = if self.options.simulate {
            self.simulated(host, pack).await?
        } else {
            (self.options.connections.clone(), self.options.grants.of(reference))
        };
        let loaded = Arc::new(LoadedPack::new(pack.clone(), connections, grant));
        // Another step may have been faster; what it made serves as well.
        Ok(self.loaded.lock().entry(reference.clone()).or_insert(loaded).clone())
    }

    /// The connections of a pack with simulators behind them, and its grant: whatever it asks for on them, since they
    /// reach nothing, and no request to an absolute URL, since that would leave.
    async fn simulated(&self, host: &Host, pack: &Pack) -> Result<(Connections, Permissions), Failure> {
        let mut connections = self.options.connections.clone();
        let mut grant = self.options.grants.of(&pack.manifest.reference);
        grant.http.clear();
        for rule in &pack.manifest.permissions.http {
            let Some(wanted) = &rule.connection else { continue };
            for (kind, simulator) in self.simulators_of(wanted) {
                for name in self.names_of(kind) {
                    let simulator = self.simulator(host, simulator, &name).await?;
                    connections = connections.with_simulator(name, kind, simulator);
                }
            }
            grant.http.push(rule.clone());
        }
        Ok((connections, grant))
    }

    /// The kinds of connection that a rule is about and that can be simulated, with the pack and the component that do.
    fn simulators_of(&self, wanted: &str) -> Vec<(&str, (&Arc<Pack>, &str))> {
        let kinds = self.options.library.packs().flat_map(|pack| pack.manifest.connections.keys());
        let kinds: BTreeSet<_> = kinds.filter(|kind| wanted == "*" || wanted == kind.as_str()).collect();
        kinds.into_iter().filter_map(|kind| Some((kind.as_str(), self.simulator_of(kind)?))).collect()
    }

    /// The pack and the component that simulate a kind of connection.
    fn simulator_of(&self, kind: &str) -> Option<(&Arc<Pack>, &str)> {
        self.options.library.packs().find_map(|pack| {
            let declared = pack.manifest.connections.get(kind)?;
            Some((pack, declared.simulator.as_deref()?))
        })
    }

    /// The connections of a kind: those that are configured, or one with the name of the kind.
    fn names_of(&self, kind: &str) -> Vec<ConnectionName> {
        let configured = self.options.connections.list().into_iter().filter(|info| info.kind == kind);
        let mut names: Vec<_> = configured.filter_map(|info| ConnectionName::new(&info.name).ok()).collect();
        if names.is_empty() {
            names.extend(ConnectionName::new(kind).ok());
        }
        names
    }

    /// The one simulator behind a connection: packs that use the same connection share its state.
    async fn simulator(
        &self,
        host: &Host,
        (pack, component): (&Arc<Pack>, &str),
        name: &ConnectionName,
    ) -> Result<Simulator, Failure> {
        let mut simulators = self.simulators.lock().await;
        if let Some(simulator) = simulators.get(name) {
            return Ok(simulator.clone());
        }
        let component = host.load(read_component(pack, component).await?, World::Simulator).await?;
        let simulator = host.simulator(&component, name.clone());
        simulators.insert(name.clone(), simulator.clone());
        Ok(simulator)
    }

    /// The simulator of a kind of connection, for serving it to foreign clients.
    ///
    /// # Errors
    /// No pack has one, or it cannot be loaded.
    pub async fn simulator_for(&self, host: &Host, kind: &str) -> Result<Simulator, Failure> {
        let Some(simulator) = self.simulator_of(kind) else {
            let kinds: Vec<_> = self
                .options
                .library
                .packs()
                .flat_map(|pack| pack.manifest.connections.iter().filter(|(_, kind)| kind.simulator.is_some()))
                .map(|(kind, _)| format!("`{kind}`"))
                .collect();
            let hint = if kinds.is_empty() {
                "no pack here has a simulator: name another directory with `--packs DIR`".to_owned()
            } else {
                format!("there are simulators for {}", kinds.join(", "))
            };
            let message = format!("no pack has a simulator for connections of the kind `{kind}`");
            return Err(Failure::new(code::NET_NO_SIMULATOR, message).with_hint(hint));
        };
        let name =
            ConnectionName::new(kind).map_err(|error| Failure::new(code::NET_NO_SIMULATOR, error.to_string()))?;
        self.simulator(host, simulator, &name).await
    }
}
