//! One pack, ready to run: its components compiled, its context for the host made once.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use runner_host::{Component, Connections, Host, Kv, PackContext, World};
use runner_model::{Failure, Permissions, code};
use runner_pack::Pack;

pub(crate) struct LoadedPack {
    pub(crate) pack: Arc<Pack>,
    connections: Connections,
    grant: Permissions,
    components: Mutex<BTreeMap<String, Component>>,
    context: Mutex<Option<Arc<PackContext>>>,
}

impl LoadedPack {
    pub(crate) fn new(pack: Arc<Pack>, connections: Connections, grant: Permissions) -> Self {
        Self { pack, connections, grant, components: Mutex::default(), context: Mutex::default() }
    }

    /// A component of the pack. Two steps that need it first at the same time both load it, which the compile cache
    /// makes cheap.
    pub(crate) async fn component(&self, host: &Host, name: &str) -> Result<Component, Failure> {
        if let Some(component) = self.components.lock().get(name) {
            return Ok(component.clone());
        }
        let component = host.load(read_component(&self.pack, name).await?, World::Action).await?;
        self.components.lock().insert(name.to_owned(), component.clone());
        Ok(component)
    }

    /// What attempts of the pack have in common.
    pub(crate) fn context(&self, kv: &Arc<dyn Kv>) -> Arc<PackContext> {
        let make = || {
            let manifest = &self.pack.manifest;
            Arc::new(PackContext {
                pack: manifest.reference.clone(),
                version: manifest.version.to_string(),
                permissions: manifest.permissions.clone(),
                grant: self.grant.clone(),
                config: self.pack.config.to_string(),
                kv: kv.clone(),
                connections: self.connections.clone(),
            })
        };
        self.context.lock().get_or_insert_with(make).clone()
    }
}

/// The bytes of a pack's component.
pub(crate) async fn read_component(pack: &Pack, name: &str) -> Result<Arc<[u8]>, Failure> {
    let unreadable = |what: String| {
        Failure::new(code::EXEC_NO_ACTION_FILE, what)
            .with_hint(format!("build it with `runner pack build {}`", pack.manifest.reference))
    };
    let Some(path) = pack.components.get(name) else {
        return Err(unreadable(format!("the pack `{}` has no component `{name}`", pack.manifest.reference)));
    };
    match tokio::fs::read(path).await {
        Ok(bytes) => Ok(bytes.into()),
        Err(error) => Err(unreadable(format!("the component `{}` cannot be read: {error}", path.display()))),
    }
}
