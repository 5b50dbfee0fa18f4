//! One pack, ready to run: its components compiled, its context for the host made once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use runner_host::{Component, Connections, CurrentGrant, Host, Kv, PackContext, World};
use runner_model::{Failure, Permissions, code};
use runner_pack::{Action, Pack, Sum};

pub(crate) struct LoadedPack {
    pub(crate) pack: Arc<Pack>,
    /// Where the archive has it, if there is one.
    copy: Option<PathBuf>,
    connections: Connections,
    components: Mutex<BTreeMap<String, Component>>,
    allowed: Mutex<Allowed>,
}

/// What a pack is granted as it is made ready, and the same as it is at any time.
pub(crate) type Grant = (Permissions, Option<CurrentGrant>);

struct Allowed {
    grant: Grant,
    /// By the name of the action, if it asks for less than the pack.
    contexts: BTreeMap<Option<String>, Arc<PackContext>>,
}

impl LoadedPack {
    pub(crate) fn new(pack: Arc<Pack>, copy: Option<PathBuf>, connections: Connections, grant: Grant) -> Self {
        let allowed = Mutex::new(Allowed { grant, contexts: BTreeMap::new() });
        Self { pack, copy, connections, components: Mutex::default(), allowed }
    }

    /// Changes what it is granted, for attempts that are still to begin.
    pub(crate) fn grant_anew(&self, grant: Grant) {
        *self.allowed.lock() = Allowed { grant, contexts: BTreeMap::new() };
    }

    /// Whether no execution holds the pack, and no attempt this.
    pub(crate) fn is_idle(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) == 1 && Arc::strong_count(&self.pack) == 1
    }

    /// A component of the pack. Two steps that need it first at the same time both load it, which the compile cache
    /// makes cheap.
    pub(crate) async fn component(&self, host: &Host, name: &str) -> Result<Component, Failure> {
        if let Some(component) = self.components.lock().get(name) {
            return Ok(component.clone());
        }
        let component = host.load(read_component(&self.pack, self.copy.as_deref(), name).await?, World::Action).await?;
        self.components.lock().insert(name.to_owned(), component.clone());
        Ok(component)
    }

    /// A component of the pack that holds sensors. The host's cache of compiled components makes it cheap.
    pub(crate) async fn sensors(&self, host: &Host, name: &str) -> Result<Component, Failure> {
        let kept = format!("{name} (sensors)");
        if let Some(component) = self.components.lock().get(&kept) {
            return Ok(component.clone());
        }
        let component = host.load(read_component(&self.pack, self.copy.as_deref(), name).await?, World::Sensor).await?;
        self.components.lock().insert(kept, component.clone());
        Ok(component)
    }

    /// What attempts of the pack have in common; of an action that asks for less than its pack, what its own attempts have.
    pub(crate) fn context(&self, kv: &Arc<dyn Kv>, action: Option<&Action>) -> Arc<PackContext> {
        let less = action.and_then(|action| Some((action.reference.name(), action.permissions.as_ref()?)));
        let mut allowed = self.allowed.lock();
        let (grant, current) = allowed.grant.clone();
        let make = || {
            let manifest = &self.pack.manifest;
            Arc::new(PackContext {
                pack: manifest.reference.clone(),
                version: manifest.version.to_string(),
                permissions: less.map_or(&manifest.permissions, |(_, wish)| wish).clone(),
                grant,
                current,
                config: self.pack.config.to_string(),
                kv: kv.clone(),
                connections: self.connections.clone(),
            })
        };
        allowed.contexts.entry(less.map(|(name, _)| name.to_owned())).or_insert_with(make).clone()
    }
}

/// The bytes of a pack's component: those that its digest was made of, from the pack's directory or else from a copy.
pub(crate) async fn read_component(pack: &Pack, copy: Option<&Path>, name: &str) -> Result<Arc<[u8]>, Failure> {
    let reference = pack.reference();
    let unreadable = |what: String, hint: String| Failure::new(code::EXEC_NO_ACTION_FILE, what).with_hint(hint);
    let build = || format!("build it with `runner pack build {reference}`");
    let Some(path) = pack.components.get(name) else {
        return Err(unreadable(format!("the pack `{reference}` has no component `{name}`"), build()));
    };
    let expected = component_sum(pack, name);
    let mut failure = None;
    for path in std::iter::once(path.clone()).chain(copy.map(|copy| copy.join(relative(name)))) {
        let what = match tokio::fs::read(&path).await {
            Ok(bytes) if expected == Some(&runner_pack::sum(&bytes)) => return Ok(bytes.into()),
            Ok(_) => {
                let what = format!("the component `{}` has changed since the pack was loaded", path.display());
                unreadable(what, "run the action again".to_owned())
            }
            Err(error) => unreadable(format!("the component `{}` cannot be read: {error}", path.display()), build()),
        };
        failure.get_or_insert(what);
    }
    Err(failure.unwrap_or_else(|| unreadable(format!("the pack `{reference}` has no component `{name}`"), build())))
}

/// The sum of the bytes of a pack's component.
pub(crate) fn component_sum<'a>(pack: &'a Pack, name: &str) -> Option<&'a Sum> {
    pack.contents.get(&relative(name))
}

fn relative(name: &str) -> String {
    format!("components/{name}.wasm")
}
