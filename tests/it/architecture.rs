//! The arrows between the crates, read from what cargo knows.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// What each crate of `runtime/` may use of the others.
const ARROWS: [(&str, &[&str]); 10] = [
    ("runner-model", &[]),
    ("runner-engine", &["runner-model"]),
    ("runner-graph", &["runner-engine", "runner-model"]),
    ("runner-pack", &["runner-engine", "runner-model"]),
    ("runner-store", &["runner-model"]),
    ("runner-host", &["runner-model"]),
    ("runner-executor", &["runner-engine", "runner-host", "runner-model", "runner-pack", "runner-store"]),
    (
        "runner-triggers",
        &["runner-engine", "runner-executor", "runner-host", "runner-model", "runner-pack", "runner-store"],
    ),
    (
        "runner-server",
        &[
            "runner-engine",
            "runner-executor",
            "runner-graph",
            "runner-host",
            "runner-model",
            "runner-pack",
            "runner-store",
            "runner-triggers",
        ],
    ),
    (
        "runner",
        &[
            "runner-engine",
            "runner-executor",
            "runner-graph",
            "runner-host",
            "runner-model",
            "runner-pack",
            "runner-sdk-build",
            "runner-server",
            "runner-store",
            "runner-triggers",
        ],
    ),
];

/// Packages that these crates alone may name: one each, except that commands ask another daemon with the client that
/// guests' requests leave with.
const NAMED_BY: [(&str, &[&str]); 11] = [
    ("wasmtime", &["runner-host"]),
    ("wasmtime-wasi", &["runner-host"]),
    ("reqwest", &["runner-host", "runner"]),
    ("rusqlite", &["runner-store"]),
    ("tokio-postgres", &["runner-store"]),
    ("rhai", &["runner-engine"]),
    ("croner", &["runner-engine"]),
    ("granit-parser", &["runner-pack"]),
    ("tar", &["runner-pack"]),
    ("axum", &["runner-server"]),
    ("clap", &["runner"]),
];

/// What must not be in a crate even through others.
const NEVER_IN: [(&str, &[&str]); 6] = [
    ("runner-model", &["tokio", "wasmtime", "rusqlite", "rhai", "reqwest"]),
    ("runner-engine", &["tokio", "wasmtime", "rusqlite", "reqwest", "granit-parser"]),
    ("runner-graph", &["tokio", "wasmtime", "rusqlite", "reqwest", "granit-parser"]),
    ("runner-pack", &["tokio", "wasmtime", "rusqlite", "reqwest"]),
    ("runner-store", &["wasmtime", "rhai", "reqwest", "hyper"]),
    // Behind the feature `otlp`.
    ("runner", &["opentelemetry", "opentelemetry-otlp", "tonic"]),
];

/// What each package uses of others, development and build time left out.
fn uses() -> (BTreeMap<String, BTreeSet<String>>, BTreeSet<String>) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(root).other_options(["--locked".to_owned()]).exec().unwrap();
    let names: BTreeMap<_, _> = metadata.packages.iter().map(|p| (p.id.clone(), p.name.to_string())).collect();
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in metadata.resolve.unwrap().nodes {
        let of = uses.entry(names[&node.id].clone()).or_default();
        for dependency in node.deps {
            if dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal) {
                of.insert(names[&dependency.pkg].clone());
            }
        }
    }
    let ours = metadata.workspace_members.iter().map(|id| names[id].clone()).collect();
    (uses, ours)
}

#[test]
fn crates_use_one_another_only_in_the_directions_of_the_architecture() {
    let (uses, ours) = uses();
    for (name, allowed) in ARROWS {
        let allowed: BTreeSet<_> = allowed.iter().map(ToString::to_string).collect();
        let used: BTreeSet<_> = uses[name].intersection(&ours).cloned().collect();
        let wrong: Vec<_> = used.difference(&allowed).collect();
        assert!(wrong.is_empty(), "{name} must not use {wrong:?}");
    }
    let listed: BTreeSet<_> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let runtime: BTreeSet<_> =
        ours.iter().filter(|name| *name == "runner" || name.starts_with("runner-")).cloned().collect();
    let outside = ["runner-sdk", "runner-sdk-macros", "runner-sdk-build"].map(str::to_owned).into_iter().collect();
    let unknown: Vec<_> = runtime.difference(&listed).filter(|name| !BTreeSet::contains(&outside, *name)).collect();
    assert!(unknown.is_empty(), "{unknown:?} are in no rule");
}

#[test]
fn each_heavy_package_is_named_by_one_crate() {
    let (uses, ours) = uses();
    for (package, only) in NAMED_BY {
        let namers: Vec<_> = ours.iter().filter(|name| uses[*name].contains(package)).collect();
        let may = |name: &str| only.contains(&name) || name == "xtask";
        let others: Vec<_> = namers.iter().filter(|name| !may(name)).collect();
        assert!(others.is_empty(), "{package} is named by {others:?}, and only {only:?} may");
    }
}

#[test]
fn light_crates_stay_light_also_through_others() {
    let (uses, _) = uses();
    for (name, forbidden) in NEVER_IN {
        let mut reached = BTreeSet::from([name.to_owned()]);
        let mut open = vec![name.to_owned()];
        while let Some(package) = open.pop() {
            open.extend(uses[&package].iter().filter(|next| reached.insert((*next).clone())).cloned());
        }
        let found: Vec<_> = forbidden.iter().filter(|package| reached.contains(**package)).collect();
        assert!(found.is_empty(), "{name} builds {found:?}");
    }
}
