//! Whether an action can do its work with what was granted, before anything of it is recorded.
//!
//! What is found is what the files show: the action itself, and through workflows every action that they name. An action whose
//! name is an expression is not followed; what it must not do is denied when it does it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use runner_engine::{Cleanup, Plan, Template};
use runner_host::Traffic;
use runner_model::{ActionRef, Code, HttpRule, PackRef, Standing, code, grant_command};
use runner_pack::{Action, Body, Library, Pack};

use super::Packs;
use crate::error::RequestError;

/// A pack that lacks a grant for what is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotGranted {
    /// The pack.
    pub pack: PackRef,
    /// The version that asks.
    pub version: String,
    /// What it asks for; if it was granted something, what it asks for beyond that. A phrase each.
    pub asks: Vec<String>,
    /// Whether it was granted something.
    pub is_beyond: bool,
    /// The command that grants it.
    pub command: String,
}

impl NotGranted {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        if self.is_beyond { code::PACK_GRANT_BEYOND } else { code::PACK_NOT_GRANTED }
    }
}

impl fmt::Display for NotGranted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pack, version, asks, is_beyond, .. } = self;
        let asks = asks.join("; ");
        match is_beyond {
            true => write!(f, "the pack `{pack}` {version} asks for more than was granted: {asks}"),
            false => write!(f, "the pack `{pack}` was granted nothing and asks for: {asks}"),
        }
    }
}

impl Packs {
    /// What a version of a pack lacks: none if it may run.
    #[must_use]
    pub fn not_granted(&self, pack: &Pack) -> Option<NotGranted> {
        let wish = &pack.manifest.permissions;
        let (asks, is_beyond) = match self.standing(pack) {
            Standing::Beyond(difference) => (difference.more(), true),
            Standing::Missing => (wish.http.iter().map(HttpRule::phrase).collect(), false),
            _ => return None,
        };
        Some(NotGranted {
            pack: pack.reference().clone(),
            version: pack.manifest.version.to_string(),
            asks,
            is_beyond,
            command: grant_command(pack.reference(), wish, &self.configured),
        })
    }

    /// The packs that an action of this pack needs and that lack a grant; none where nothing leaves.
    #[must_use]
    pub fn check_grants(&self, pack: &Arc<Pack>, action: &Arc<Action>) -> Vec<NotGranted> {
        let is_replayed = self.connections.traffic().is_some_and(Traffic::is_replayed);
        if self.simulate || is_replayed || self.is_development() {
            return Vec::new();
        }
        let library = self.library();
        let needed = packs_needed(&library, pack, action);
        needed.values().filter_map(|pack| self.not_granted(pack)).collect()
    }

    /// What the packs lack of which a version waits.
    #[must_use]
    pub fn waiting(&self) -> Vec<NotGranted> {
        self.library().waiting().filter_map(|pack| self.not_granted(pack)).collect()
    }

    /// Refuses an action that cannot do its work with what was granted.
    ///
    /// # Errors
    /// [`RequestError::NotGranted`].
    pub fn check(&self, pack: &Arc<Pack>, action: &Arc<Action>) -> Result<(), RequestError> {
        match self.check_grants(pack, action) {
            missing if missing.is_empty() => Ok(()),
            missing => Err(RequestError::NotGranted { action: action.reference.clone(), missing }),
        }
    }
}

/// The packs of which something is needed that only a grant allows.
fn packs_needed(library: &Library, pack: &Arc<Pack>, action: &Arc<Action>) -> BTreeMap<PackRef, Arc<Pack>> {
    let mut needed = BTreeMap::new();
    let mut seen = BTreeMap::from([(action.reference.clone(), ())]);
    let mut open = vec![(pack.clone(), action.clone())];
    while let Some((pack, action)) = open.pop() {
        match &action.body {
            Body::Wasm { .. } if !action.wish(&pack).http.is_empty() => {
                needed.insert(pack.reference().clone(), pack);
            }
            Body::Workflow(plan) => {
                for name in called(plan).filter_map(|called| called.parse::<ActionRef>().ok()) {
                    if seen.insert(name.clone(), ()).is_some() {
                        continue;
                    }
                    // The pack itself may be an earlier version than the library has.
                    let own = (name.pack() == pack.reference().as_str()).then_some(&pack);
                    let Some(pack) = own.or_else(|| library.pack(name.pack())) else { continue };
                    let action = pack.actions.get(name.name());
                    open.extend(action.map(|action| (pack.clone(), action.clone())));
                }
            }
            _ => {}
        }
    }
    needed
}

/// The actions that a workflow names, also those that undo and clean up.
fn called(plan: &Plan) -> impl Iterator<Item = &str> {
    let of_tasks = plan.tasks().values().flat_map(|task| {
        [task.action.as_ref(), undoing(task.on_cancel.as_ref()), undoing(task.compensate.as_ref())]
            .into_iter()
            .flatten()
    });
    let templates = of_tasks.chain(undoing(plan.on_cancel()));
    templates.filter_map(|template| template.as_literal()?.as_str())
}

fn undoing(cleanup: Option<&Cleanup>) -> Option<&Template> {
    cleanup.map(|cleanup| &cleanup.action)
}
