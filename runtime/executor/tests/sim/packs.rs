//! The pack of a simulation: a few actions, and random workflows over them.

use std::path::Path;
use std::sync::Arc;

use runner_executor::{Grants, Packs, PacksOptions};
use runner_host::Connections;
use runner_model::Limits;
use runner_pack::Library;

use super::chance::Chance;
use super::workflow::workflow;

/// Workflows of a pack.
pub(crate) const WORKFLOWS: u64 = 24;
/// Seeds that share a pack: to load one takes longer than to run a simulation.
pub(crate) const SEEDS_OF_A_PACK: u64 = 50;

const ACTIONS: [(&str, &str); 7] = [
    ("noop", "runner_type: noop"),
    ("once", "runner_type: wasm\nparameters: {tag: {type: string}}"),
    ("again", "runner_type: wasm\nidempotent: true\nparameters: {tag: {type: string}}"),
    ("once_retry", "runner_type: wasm\nparameters: {tag: {type: string}}"),
    ("once_ask", "runner_type: wasm\nparameters: {tag: {type: string}}"),
    ("ask", include_str!("../../../../packs/core/actions/ask.yaml")),
    ("wait", include_str!("../../../../packs/core/actions/wait_for.yaml")),
];

/// Policies of every other group of seeds: the action, the type, the parameters.
const POLICIES: [(&str, &str, &str); 6] = [
    ("again", "action.concurrency", "{threshold: 2}"),
    ("once", "action.concurrency", "{threshold: 1}"),
    ("once_retry", "action.rate", "{limit: 6, per: 60, burst: 2}"),
    ("once_ask", "action.concurrency", "{threshold: 1, action: cancel}"),
    ("w0", "action.concurrency", "{threshold: 1}"),
    ("w2", "action.concurrency.attr", "{threshold: 1, attributes: [key]}"),
];

/// The packs of one group of seeds, as long as that group lasts.
#[derive(Default)]
pub(crate) struct PacksBySeed {
    group: Option<(u64, Arc<Packs>)>,
}

impl PacksBySeed {
    pub(crate) fn of(&mut self, seed: u64) -> Arc<Packs> {
        let group = seed / SEEDS_OF_A_PACK;
        match &self.group {
            Some((loaded, packs)) if *loaded == group => packs.clone(),
            _ => {
                let packs = load(group);
                self.group = Some((group, packs.clone()));
                packs
            }
        }
    }
}

/// Every third group of seeds has relaxed workflows among its own.
fn load(group: u64) -> Arc<Packs> {
    let mut chance = Chance::new(0xBEEF ^ group);
    let workflows = (0..WORKFLOWS).map(|number| {
        let relaxed = if group % 3 == 1 && number % 3 != 0 { "durability: relaxed\n" } else { "" };
        (format!("w{number}"), workflow(&mut chance, number) + relaxed)
    });
    pack(workflows, group % 2 == 1)
}

/// A pack with these workflows: for each its name, and what stands below that.
pub(crate) fn pack(workflows: impl Iterator<Item = (String, String)>, policies: bool) -> Arc<Packs> {
    let directory = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = directory.path().join("s").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("pack.yaml", "ref: s\nname: Simulated\ndescription: x\nversion: 1.0.0\nauthor: The project\n");
    for (name, body) in ACTIONS {
        // Those of the core pack come with everything but another name.
        let rest: Vec<_> =
            body.lines().filter(|line| !line.starts_with("name:") && !line.starts_with("description:")).collect();
        write(&format!("actions/{name}.yaml"), &format!("name: {name}\ndescription: x\n{}\n", rest.join("\n")));
    }
    for (action, kind, parameters) in POLICIES.iter().filter(|_| policies) {
        let text = format!("description: x\nresource_ref: s.{action}\npolicy_type: {kind}\nparameters: {parameters}\n");
        write(&format!("policies/{action}.yaml"), &format!("name: {action}\n{text}"));
    }
    for (name, text) in workflows {
        write(&format!("workflows/{name}.yaml"), &format!("name: {name}\ndescription: x\n{text}"));
    }
    let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/components/host-guest.wasm");
    std::fs::create_dir_all(directory.path().join("s/components")).unwrap();
    std::fs::copy(guest, directory.path().join("s/components/s.wasm")).unwrap();
    let (library, report) = Library::load(&[directory.path().to_owned()], None);
    assert!(!report.has_errors(), "{}", report.plain());
    Arc::new(Packs::new(PacksOptions {
        library,
        grants: Grants::default(),
        connections: Connections::none(&Limits::default()),
        simulate: false,
        archive: None,
    }))
}
