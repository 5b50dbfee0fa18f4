//! What holds of the table as a whole, and of what is made from it.

mod jobs;
mod peers;
mod simulated;
mod writes;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use runner_sdk::prelude::{Result, Value};
use runner_sdk::serde_json;
use runner_sdk::testing::{Host, Run};

use crate::action::{self, Does};
use crate::{ACTIONS, metadata, resources};

/// Runs an action of the component.
pub(crate) fn run(host: Host, name: &'static str, input: Value) -> Run {
    let action = move |input: Value| -> Result<Value> {
        let output = action::run(name, &input.to_string())?;
        Ok(serde_json::from_str(&output)?)
    };
    host.run(action, input)
}

/// The methods of the requests that left it.
pub(crate) fn methods(run: &Run) -> Vec<&str> {
    run.requests.iter().map(|request| request.method.as_str()).collect()
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// With `UPDATE=1` the files are written, otherwise they must be what would be written.
fn same(path: &Path, wanted: &str) -> bool {
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, wanted).unwrap();
    }
    fs::read_to_string(path).is_ok_and(|there| there == wanted)
}

#[test]
fn the_component_has_the_actions_of_the_table() {
    let exported: Vec<_> = ACTIONS.iter().map(|action| action.name.to_owned()).collect();
    let named: Vec<_> = action::all().map(|does| does.name()).collect();
    assert_eq!(exported, named, "write this into `exported.rs`: {}", named.join(" "));
    assert_eq!(exported.iter().collect::<BTreeSet<_>>().len(), exported.len(), "two actions have one name");
}

#[test]
fn the_metadata_is_what_the_table_makes() {
    let mut differ = Vec::new();
    for does in action::all() {
        let path = here(&format!("actions/{}.yaml", does.name()));
        if !same(&path, &metadata::yaml(&does)) {
            differ.push(does.name());
        }
    }
    let known: BTreeSet<_> = action::all().map(|does| format!("{}.yaml", does.name())).collect();
    let files = fs::read_dir(here("actions")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let foreign: Vec<_> = files.filter(|name| !known.contains(name)).collect();
    assert!(
        differ.is_empty() && foreign.is_empty(),
        "run with UPDATE=1: {differ:?} differ; {foreign:?} belong to nothing"
    );
}

#[test]
fn the_readme_lists_the_actions() {
    let path = here("README.md");
    let text = fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- actions: made from the table -->\n", "<!-- end of actions -->");
    let (before, rest) = text.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let wanted = format!("{before}{begin}{}{end}{after}", metadata::table());
    assert!(same(&path, &wanted), "run with UPDATE=1");
}

#[test]
fn every_parameter_has_one_name_and_a_default_of_its_kind() {
    for does in action::all() {
        let mut names = BTreeSet::new();
        for field in does.parameters() {
            assert!(names.insert(field.name), "`{}` has two parameters `{}`", does.name(), field.name);
            assert!(field.default.is_none() || field.default_value().is_some(), "{}: {}", does.name(), field.name);
            assert!(field.about.ends_with('.'), "{}: {}", does.name(), field.name);
        }
        assert!(does.name().contains('_') || matches!(does.name().as_str(), "request" | "find"), "{}", does.name());
    }
}

#[test]
fn what_stands_in_a_path_is_found() {
    for resource in resources::ALL {
        match &resource.parent {
            Some(parent) => {
                assert!(resource.path.contains(&format!("{{{}}}", parent.key)), "{}", resource.name);
                for (own, of_parent) in parent.by {
                    assert!(resource.identity.iter().any(|field| field.name == *own), "{}", resource.name);
                    assert!(parent.resource.identity.iter().any(|field| field.name == *of_parent), "{}", resource.name);
                }
            }
            None => assert!(!resource.path.contains('{'), "{}", resource.name),
        }
    }
}

#[test]
fn secrets_are_marked() {
    let hides = |does: &Does| does.parameters().iter().filter(|field| field.secret).count();
    let with: Vec<_> = action::all().filter(|does| hides(does) > 0).map(|does| does.name()).collect();
    assert_eq!(with, ["create_cluster_peer", "update_cluster_peer"]);
    let looks_secret = |name: &str| name.contains("password") || name == "passphrase";
    for does in action::all() {
        for field in does.parameters().iter().filter(|field| looks_secret(field.name)) {
            assert!(field.secret, "{}: {}", does.name(), field.name);
        }
    }
}
