//! The packs of a process, ready to run: what they hold, what they were granted, what their connections lead to.

mod granted;
mod hold;
mod need;
mod versions;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use runner_host::{ConnectionInfo, Connections, Host, Simulator, Traffic, World};
use runner_model::{ActionRef, Configured, ConnectionName, Failure, PackRef, Permissions, code};
use runner_pack::{Action, Archive, Changes, Library, Pack, Sum};
use runner_store::{Catalogue, StoreError};
use tokio::sync::watch;

use crate::pack::{LoadedPack, component_sum, read_component};
use granted::Granted;
pub use need::NotGranted;
use versions::Versions;

/// What the operator granted, by pack.
#[derive(Debug, Clone, Default)]
pub struct Grants(pub BTreeMap<PackRef, Permissions>);

impl Grants {
    /// The grant of a pack. A pack that the operator says nothing about may use its own key-value data and make no
    /// request.
    #[must_use]
    pub fn of(&self, pack: &PackRef) -> Permissions {
        self.0.get(pack).cloned().unwrap_or_else(Permissions::silent)
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
    /// Where versions are kept that executions may still need: `<data>/packs`. Without it an execution whose pack has
    /// changed is only ended as it began while its version is in memory.
    pub archive: Option<PathBuf>,
}

/// Why versions of packs were not removed.
#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    /// It is not known which are needed.
    #[error("the executions that need versions of packs cannot be read")]
    Store(#[from] StoreError),
    /// The archive does not let them be removed.
    #[error("the kept versions of packs cannot be removed")]
    Archive(#[from] io::Error),
}

/// The packs of a process.
///
/// **An execution stays with the version of its pack that it began with**: new ones see the library that was swapped in
/// last, those that are under way ask for theirs by its digest ([`Packs::pinned`]).
pub struct Packs {
    granted: Granted,
    connections: Connections,
    /// The connections that the operator configured, those included that cannot be used.
    configured: Vec<Configured>,
    simulate: bool,
    archive: Option<Archive>,
    current: RwLock<Arc<Library>>,
    versions: Mutex<Versions>,
    /// Held while one library follows another.
    swapping: Mutex<()>,
    generation: watch::Sender<u64>,
    /// Whether executions of an action, in a version of its pack, may hold something secret.
    secret: Mutex<HashMap<(String, ActionRef), bool>>,
    regranted: watch::Sender<u64>,
    /// By pack and component: all connections that one stands behind lead into the same world.
    simulators: tokio::sync::Mutex<BTreeMap<(PackRef, String), (Sum, Simulator)>>,
}

impl Packs {
    /// The packs with these options. Components are loaded when they are first needed.
    #[must_use]
    pub fn new(options: PacksOptions) -> Self {
        let PacksOptions { library, grants, connections, simulate, archive } = options;
        let mut versions = Versions::default();
        versions.follow(&library);
        Self {
            granted: Granted::of_file(grants),
            configured: configured(&connections),
            connections,
            simulate,
            archive: archive.map(Archive::at),
            current: RwLock::new(Arc::new(library)),
            versions: Mutex::new(versions),
            swapping: Mutex::default(),
            generation: watch::channel(0).0,
            secret: Mutex::default(),
            regranted: watch::channel(0).0,
            simulators: tokio::sync::Mutex::default(),
        }
    }

    /// What the packs directories held when they were last read.
    #[must_use]
    pub fn library(&self) -> Arc<Library> {
        self.current.read().clone()
    }

    /// The operator's connections.
    #[must_use]
    pub const fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Whether connections lead to simulators.
    #[must_use]
    pub const fn simulate(&self) -> bool {
        self.simulate
    }

    /// Puts a library in the place of the one that is there. What is not in the archive is put there first; a pack whose
    /// files have changed meanwhile stays as it was, and so does one that waits for a grant. Blocks while files are copied.
    pub fn swap(&self, library: Library) -> Changes {
        self.exchange(|_| library)
    }

    /// The same with a library that follows from the one that is there.
    fn exchange(&self, next: impl FnOnce(&Library) -> Library) -> Changes {
        let _one = self.swapping.lock();
        let previous = self.library();
        let mut library = next(&previous);
        self.hold_back(&mut library, &previous);
        let packs: Vec<_> = library.packs().cloned().collect();
        for pack in packs {
            if self.archive(&pack).is_err_and(|error| error.kind() == io::ErrorKind::InvalidData) {
                library.take_back(pack.reference(), &previous);
            }
        }
        let changes = library.changes(&previous);
        drop(previous);
        let library = Arc::new(library);
        // What holds the old library up goes before what is left of it is looked for.
        drop(std::mem::replace(&mut *self.current.write(), library.clone()));
        self.versions.lock().follow(&library);
        // Actions of other packs may be other ones now.
        self.secret.lock().clear();
        if self.simulate {
            self.versions.lock().unload();
        }
        self.mark(&library);
        self.generation.send_modify(|generation| *generation += 1);
        changes
    }

    /// Says how many libraries there have been; a new number each time one is swapped in.
    #[must_use]
    pub fn generation(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// An action and its pack, as they are now.
    #[must_use]
    pub fn action(&self, action: &ActionRef) -> Option<(Arc<Pack>, Arc<Action>)> {
        let library = self.library();
        library.action(action).map(|(pack, action)| (pack.clone(), action.clone()))
    }

    /// The same, as a workflow of the pack `caller` calls it: one of its own pack in that very version.
    pub(crate) fn action_for(
        &self,
        caller: Option<&Arc<Pack>>,
        action: &ActionRef,
    ) -> Option<(Arc<Pack>, Arc<Action>)> {
        match caller.filter(|pack| pack.reference().as_str() == action.pack()) {
            Some(pack) => Some((pack.clone(), pack.actions.get(action.name())?.clone())),
            None => self.action(action),
        }
    }

    /// The very version of a pack: the current one, one that is still in memory, or from the archive, which blocks.
    #[must_use]
    pub fn pinned(&self, pack: &PackRef, digest: &str) -> Option<Arc<Pack>> {
        self.in_memory(pack, digest).or_else(|| self.archived(pack, digest))
    }

    /// As [`Packs::pinned`], without holding up the tasks of the same thread.
    pub(crate) async fn pinned_version(self: &Arc<Self>, pack: &PackRef, digest: &str) -> Option<Arc<Pack>> {
        if self.archive.is_none() || self.in_memory(pack, digest).is_some() {
            return self.in_memory(pack, digest);
        }
        let (packs, pack, digest) = (self.clone(), pack.clone(), digest.to_owned());
        tokio::task::spawn_blocking(move || packs.pinned(&pack, &digest)).await.ok().flatten()
    }

    fn in_memory(&self, pack: &PackRef, digest: &str) -> Option<Arc<Pack>> {
        self.versions.lock().get(pack, digest)
    }

    fn archived(&self, pack: &PackRef, digest: &str) -> Option<Arc<Pack>> {
        let found = self.archive.as_ref()?.find(pack, digest, &self.library());
        let found = found.unwrap_or_else(|error| {
            tracing::warn!(%pack, digest, error = &error as &dyn std::error::Error, "version of a pack not found");
            None
        });
        // Another may have been faster; what is made ready for that one serves for all.
        found.map(|pack| self.versions.lock().enter(pack))
    }

    /// Whether an execution of an action may hold something secret, so that it is to be sealed
    /// ([`Library::may_hold_secrets`]). Worked out once a version of its pack.
    pub(crate) fn may_hold_secrets(&self, pack: &Pack, action: &Action) -> bool {
        if action.has_secrets() {
            return true;
        }
        let key = (pack.digest.clone(), action.reference.clone());
        // Held meanwhile: what is worked out from a library that was swapped out must not stay.
        let mut known = self.secret.lock();
        *known.entry(key).or_insert_with(|| self.library().may_hold_secrets(pack, action))
    }

    /// The same of an action as it is now, and the parameters of it that must not be shown; one that is not there has
    /// nothing to hide.
    #[must_use]
    pub fn secrecy(&self, action: &ActionRef) -> (bool, Vec<String>) {
        let Some((pack, action)) = self.action(action) else { return (false, Vec::new()) };
        (self.may_hold_secrets(&pack, &action), action.parameters.secret_names())
    }

    /// Puts a version into the archive, if it is not there: before an execution of it is recorded. That it cannot be kept
    /// is no reason not to run it.
    pub(crate) async fn keep(self: &Arc<Self>, pack: &Arc<Pack>) {
        if self.archive.is_none() || self.versions.lock().is_kept(pack) {
            return;
        }
        let (packs, pack) = (self.clone(), pack.clone());
        // A panic there is reported when it happens.
        let _ = tokio::task::spawn_blocking(move || packs.archive(&pack)).await;
    }

    /// Puts every pack that is current into the archive. Blocks while files are copied.
    pub fn keep_all(&self) {
        for pack in self.library().packs() {
            // What went wrong was said; it is tried again before an execution is recorded.
            let _ = self.archive(pack);
        }
        self.mark(&self.library());
    }

    /// Notes in the archive what is in use, for the process after this one.
    fn mark(&self, library: &Library) {
        if let Some(archive) = &self.archive {
            let marked = archive.mark(library);
            marked.unwrap_or_else(|error| tracing::warn!(%error, "the versions of packs in use not noted"));
        }
    }

    /// What the packs directories held, with the version that was in use last, in the process before this one, of each
    /// pack that is not there; none if nothing is missing. Whether a pack is gone or broken says the library that follows
    /// ([`Library::succeed`]). Blocks.
    #[must_use]
    pub fn last(&self) -> Option<Library> {
        let (library, errors) = self.archive.as_ref()?.last(&self.library());
        for error in errors {
            tracing::warn!(error = &error as &dyn std::error::Error, "the last good version of a pack cannot be used");
        }
        library
    }

    fn archive(&self, pack: &Arc<Pack>) -> io::Result<()> {
        let Some(archive) = self.archive.as_ref().filter(|_| !self.versions.lock().is_kept(pack)) else {
            return Ok(());
        };
        match archive.keep(pack) {
            Ok(_) => self.versions.lock().set_kept(pack),
            Err(error) => {
                let reference = pack.reference();
                tracing::warn!(pack = %reference, digest = pack.digest, %error, "version of a pack not kept");
                return Err(error);
            }
        }
        Ok(())
    }

    /// Removes the versions from the archive that nobody needs: that are not among these, not current, not in memory, and
    /// were not asked for a short while ago. Gives how many. Blocks.
    ///
    /// # Errors
    /// The archive cannot be read, or something cannot be removed.
    pub fn prune(&self, needed: &BTreeSet<(PackRef, String)>) -> io::Result<usize> {
        let Some(archive) = &self.archive else { return Ok(0) };
        // No version becomes current while it is decided what goes.
        let _one = self.swapping.lock();
        let mut needed = needed.clone();
        {
            let library = self.library();
            let mut versions = self.versions.lock();
            // What is only ready to run, and what nobody will run, is not held on to.
            versions.follow(&library);
            needed.extend(versions.in_use());
            versions.forget_kept();
        }
        archive.prune(&needed)
    }

    /// The same for those that no execution needs: neither to end, nor to be run again. Gives how many.
    ///
    /// # Errors
    /// The executions cannot be read, or the archive cannot be pruned.
    pub async fn prune_unneeded(self: &Arc<Self>, executions: &(dyn Catalogue + Sync)) -> Result<usize, PruneError> {
        if self.archive.is_none() {
            return Ok(0);
        }
        // First: an execution of one of these may begin and end while the others are being read.
        let mut needed: BTreeSet<_> = self.versions.lock().in_use().collect();
        needed.extend(executions.versions().await?);
        let packs = self.clone();
        let pruned = tokio::task::spawn_blocking(move || packs.prune(&needed)).await;
        Ok(pruned.map_err(io::Error::other)??)
    }

    /// Where the archive has a pack, if it has it.
    fn copy_of(&self, pack: &Pack) -> Option<PathBuf> {
        self.archive.as_ref().map(|archive| archive.copy_of(pack))
    }

    /// A pack, ready to run.
    pub(crate) async fn loaded(&self, host: &Host, pack: &Arc<Pack>) -> Result<Arc<LoadedPack>, Failure> {
        if let Some(loaded) = self.versions.lock().loaded(pack) {
            return Ok(loaded);
        }
        let is_replayed = self.connections.traffic().is_some_and(Traffic::is_replayed);
        let (connections, grant) = match self.simulate {
            _ if is_replayed => (self.connections.clone(), self.harmless(pack)),
            true => self.simulated(host, pack).await?,
            false => {
                let copy = self.copy_of(pack);
                // What is granted meanwhile finds the pack here, or is found by it.
                let mut versions = self.versions.lock();
                let grant = (self.granted.of(pack), self.granted.current(pack));
                let loaded = LoadedPack::new(pack.clone(), copy, self.connections.clone(), grant);
                return Ok(versions.load(Arc::new(loaded)));
            }
        };
        let loaded = Arc::new(LoadedPack::new(pack.clone(), self.copy_of(pack), connections, (grant, None)));
        // Another step may have been faster; what it made serves as well.
        Ok(self.versions.lock().load(loaded))
    }

    /// The grant of a pack whose requests are all answered from a cassette: whatever it asks for.
    fn harmless(&self, pack: &Pack) -> Permissions {
        let manifest = &pack.manifest;
        Permissions { http: manifest.permissions.http.clone(), ..self.granted.of(pack) }
    }

    /// The connections of a pack with simulators behind them, and its grant: whatever it asks for on them, since they
    /// reach nothing, and no request to an absolute URL, since that would leave.
    async fn simulated(&self, host: &Host, pack: &Pack) -> Result<(Connections, Permissions), Failure> {
        let mut connections = self.connections.clone();
        let mut grant = self.granted.of(pack);
        grant.http.clear();
        let library = self.library();
        for rule in &pack.manifest.permissions.http {
            let Some(wanted) = &rule.connection else { continue };
            for kind in simulated_kinds(&library, wanted) {
                let Some(world) = self.world(host, &library, kind).await? else { continue };
                for name in self.names_of(&library, kind)? {
                    connections = connections.with_simulator(name.clone(), kind, world.behind(name));
                }
            }
            grant.http.push(rule.clone());
        }
        Ok((connections, grant))
    }

    /// The connections of a kind: those that are configured, one with the name of the kind, and those that its pack names
    /// for simulations.
    fn names_of(&self, library: &Library, kind: &str) -> Result<BTreeSet<ConnectionName>, Failure> {
        let configured = self.connections.list().into_iter().filter(|info| info.kind == kind);
        let mut names: BTreeSet<_> = configured.filter_map(|info| ConnectionName::new(&info.name).ok()).collect();
        for name in simulated_names(library, kind) {
            match self.connections.get(name.as_str()).filter(|info| info.kind != kind) {
                Some(other) => return Err(taken(&name, kind, &other.kind)),
                None => names.insert(name),
            };
        }
        Ok(names)
    }

    /// The one instance that simulates a kind of connection, if there is a pack that has one: whatever uses it shares its
    /// state. When the component has changed another takes its place, with no state.
    async fn world(&self, host: &Host, library: &Library, kind: &str) -> Result<Option<Simulator>, Failure> {
        let Some((pack, component)) = simulator_of(library, kind) else { return Ok(None) };
        let mut simulators = self.simulators.lock().await;
        let sum = component_sum(pack, component);
        let key = (pack.reference().clone(), component.to_owned());
        if let Some((_, simulator)) = simulators.get(&key).filter(|(of, _)| Some(of) == sum) {
            return Ok(Some(simulator.clone()));
        }
        let bytes = read_component(pack, self.copy_of(pack).as_deref(), component).await?;
        let sum = runner_pack::sum(&bytes);
        let component = host.load(bytes, World::Simulator).await?;
        let simulator = host.simulator(&component, named(kind)?);
        simulators.insert(key, (sum, simulator.clone()));
        Ok(Some(simulator))
    }

    /// The simulated systems behind connections of a kind, by the names of the connections, for serving them to foreign
    /// clients: all in one world.
    ///
    /// # Errors
    /// No pack simulates the kind, the simulator cannot be loaded, or a name is taken by another kind.
    pub async fn simulators(&self, host: &Host, kind: &str) -> Result<BTreeMap<ConnectionName, Simulator>, Failure> {
        let library = self.library();
        let Some(world) = self.world(host, &library, kind).await? else { return Err(not_simulated(&library, kind)) };
        let names = self.names_of(&library, kind)?;
        Ok(names.into_iter().map(|name| (name.clone(), world.behind(name))).collect())
    }
}

/// Connections by name and kind.
fn configured(connections: &Connections) -> Vec<Configured> {
    let named = |info: ConnectionInfo| Some((info.name.parse().ok()?, info.kind));
    connections.list().into_iter().filter_map(named).collect()
}

/// The kinds of connection that a rule is about and that can be simulated.
fn simulated_kinds<'a>(library: &'a Library, wanted: &str) -> BTreeSet<&'a str> {
    let kinds = library.packs().flat_map(|pack| &pack.manifest.connections);
    let simulated = kinds.filter(|(_, about)| about.simulator.is_some()).map(|(kind, _)| kind.as_str());
    simulated.filter(|kind| wanted == "*" || wanted == *kind).collect()
}

/// The pack and the component that simulate a kind of connection.
fn simulator_of<'a>(library: &'a Library, kind: &str) -> Option<(&'a Arc<Pack>, &'a str)> {
    library.packs().find_map(|pack| {
        let declared = pack.manifest.connections.get(kind)?;
        Some((pack, declared.simulator.as_deref()?))
    })
}

/// The connections that there are of a kind where it is simulated, whatever the operator configured: one with the name of
/// the kind, and those that the pack with the simulator names.
#[must_use]
pub fn simulated_names(library: &Library, kind: &str) -> Vec<ConnectionName> {
    let declared = simulator_of(library, kind).and_then(|(pack, _)| pack.manifest.connections.get(kind));
    let further = declared.map(|declared| declared.simulated_as.clone()).unwrap_or_default();
    ConnectionName::new(kind).into_iter().chain(further).collect()
}

fn named(kind: &str) -> Result<ConnectionName, Failure> {
    ConnectionName::new(kind).map_err(|error| Failure::new(code::NET_NO_SIMULATOR, error.to_string()))
}

/// What is to be simulated has the name of a connection to something else.
fn taken(name: &ConnectionName, kind: &str, other: &str) -> Failure {
    let message =
        format!("`{name}` is to be a simulated `{kind}`, but is configured as a connection of the kind `{other}`");
    Failure::new(code::CONF_INVALID, message)
        .with_hint(format!("give the connection `{name}` another name in the configuration"))
}

fn not_simulated(library: &Library, kind: &str) -> Failure {
    let kinds: Vec<_> = simulated_kinds(library, "*").into_iter().map(|kind| format!("`{kind}`")).collect();
    let hint = if kinds.is_empty() {
        "no pack here has a simulator: name another directory with `--packs DIR`".to_owned()
    } else {
        format!("there are simulators for {}", kinds.join(", "))
    };
    let message = format!("no pack has a simulator for connections of the kind `{kind}`");
    Failure::new(code::NET_NO_SIMULATOR, message).with_hint(hint)
}
