//! `pack.yaml`: what a pack is called, what it needs, what it asks for.

mod connections;
mod manners;
pub(crate) mod permissions;

use std::collections::BTreeMap;

use runner_model::{ConnectionName, Manners, PackRef, Permissions, code};
use semver::{Version, VersionReq};

use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, Foreign, text, wrong_type};
use crate::files::Directory;
use crate::source::Span;
use crate::yaml::{Kind, Node};

/// What `pack.yaml` says.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The pack's reference, which is also the name of its directory.
    pub reference: PackRef,
    /// Its name for people.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its version.
    pub version: Version,
    /// Who wrote it.
    pub author: Option<String>,
    /// Where to reach them.
    pub email: Option<String>,
    /// Words to find it by.
    pub keywords: Vec<String>,
    /// Who else wrote it.
    pub contributors: Vec<String>,
    /// The versions of runner it works with.
    pub runner_version: Option<VersionReq>,
    /// The packs it needs.
    pub dependencies: Vec<Dependency>,
    /// What it asks for.
    pub permissions: Permissions,
    /// The kinds of connections it talks to.
    pub connections: BTreeMap<String, ConnectionKind>,
}

/// A pack that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Its reference.
    pub reference: PackRef,
    /// The versions of it that will do.
    pub version: VersionReq,
}

/// A kind of connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectionKind {
    /// What is on the other side.
    pub description: String,
    /// The component of this pack that can stand in for it.
    pub simulator: Option<String>,
    /// Connections that there are when it does, beside the one with the kind's own name.
    pub simulated_as: Vec<ConnectionName>,
    /// How it wants to be talked to.
    pub manners: Manners,
}

/// What was read, and where what is checked later stands.
pub(crate) struct Read {
    /// The reference, even if something else is wrong.
    pub(crate) reference: Option<PackRef>,
    /// Everything, if nothing that is required is missing.
    pub(crate) manifest: Option<Manifest>,
    pub(crate) dependencies: Vec<(Dependency, Span)>,
    /// Components that must exist.
    pub(crate) simulators: Vec<(String, Span)>,
}

const FOREIGN: Foreign = Foreign {
    later: &["files", "system"],
    instead: &[
        ("stackstorm_version", "write `runner_version`, with the versions of runner it works with"),
        ("python_versions", "remove it: actions are WebAssembly components"),
        ("capabilities", "write `permissions`"),
        ("path", "remove it: the directory is where the pack is"),
        ("uid", "remove it"),
    ],
};

pub(crate) fn read(file: &Document<'_>, node: &Node, directory: &Directory<'_>) -> Option<Read> {
    let mut fields = Fields::open_root(file, node, "pack.yaml")?;
    let reference = reference(file, &mut fields, directory);
    let version = version(file, &mut fields);
    let name = fields.text("name").map(str::to_owned);
    let description = fields.text("description").unwrap_or_default().to_owned();
    let author = fields.text("author").map(str::to_owned);
    let email = fields.text("email").map(str::to_owned);
    let keywords = owned(fields.texts("keywords"));
    let contributors = owned(fields.texts("contributors"));
    let runner_version = runner_version(file, &mut fields);
    let dependencies = dependencies(file, &mut fields);
    let (connections, simulators) = connections::read(file, &mut fields);
    let permissions = permissions::read(file, &mut fields, &connections);
    fields.finish(&FOREIGN);

    let manifest = reference.clone().zip(version).map(|(reference, version)| Manifest {
        name: name.unwrap_or_else(|| reference.to_string()),
        reference,
        description,
        version,
        author,
        email,
        keywords,
        contributors,
        runner_version,
        dependencies: dependencies.iter().map(|(dependency, _)| dependency.clone()).collect(),
        permissions,
        connections,
    });
    Some(Read { reference, manifest, dependencies, simulators })
}

fn owned(texts: Vec<(&str, Span)>) -> Vec<String> {
    texts.into_iter().map(|(text, _)| text.to_owned()).collect()
}

fn reference(file: &Document<'_>, fields: &mut Fields<'_>, directory: &Directory<'_>) -> Option<PackRef> {
    let place = fields.place_of("ref");
    let text = fields.text("ref");
    let text = fields.require("ref", text, directory.name().unwrap_or("my_pack"))?;
    let reference = match PackRef::new(text) {
        Ok(reference) => reference,
        Err(error) => {
            let better: String =
                text.to_ascii_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
            let hint = PackRef::new(&better).ok().map(|better| format!("write `ref: {better}`"));
            file.add(Mistake::new(code::PACK_BAD_VALUE, place, error.to_string()).maybe_hint(hint));
            return None;
        }
    };
    if let Some(name) = directory.name().filter(|name| *name != text) {
        let message = format!("the pack's ref is `{text}`, but its directory is called `{name}`");
        let hint = format!("rename the directory to `{text}`, or write `ref: {name}`");
        file.add(Mistake::new(code::PACK_BAD_VALUE, place, message).hint(hint));
    }
    Some(reference)
}

fn version(file: &Document<'_>, fields: &mut Fields<'_>) -> Option<Version> {
    let place = fields.place_of("version");
    let node = fields.get("version");
    if let Some(node) = node.filter(|node| matches!(node.kind, Kind::Number(_))) {
        let mistake = wrong_type(node, "version", "three numbers such as `1.2.0`");
        let number = file.source.slice(node.span);
        let padded = if number.contains('.') { format!("{number}.0") } else { format!("{number}.0.0") };
        file.add(mistake.hint(format!("write `version: {padded}`")));
        return None;
    }
    let text = node.and_then(|node| text(file, node, "version"));
    let text = fields.require("version", text, "0.1.0")?;
    match Version::parse(text) {
        Ok(version) => Some(version),
        Err(error) => {
            let parts: Vec<_> = text.trim_start_matches('v').split('.').collect();
            let numbers = parts.len() < 3 && parts.iter().all(|part| part.parse::<u64>().is_ok());
            let hint = numbers.then(|| {
                let padded: Vec<_> = parts.iter().copied().chain(["0"; 3]).take(3).collect();
                format!("write `version: {}`", padded.join("."))
            });
            let message = format!("`{text}` is not a version: {error}");
            let mistake = Mistake::new(code::PACK_BAD_VALUE, place, message);
            file.add(mistake.hint(hint.unwrap_or_else(|| "write three numbers, such as `1.2.0`".to_owned())));
            None
        }
    }
}

/// The version of this program.
fn running() -> Option<Version> {
    Version::parse(env!("CARGO_PKG_VERSION")).ok()
}

fn runner_version(file: &Document<'_>, fields: &mut Fields<'_>) -> Option<VersionReq> {
    let place = fields.place_of("runner_version");
    let text = fields.text("runner_version")?;
    match VersionReq::parse(text) {
        Ok(wanted) => {
            if let Some(running) = running().filter(|running| !wanted.matches(running)) {
                let message = format!("the pack needs runner {wanted}, this is {running}");
                file.add(Mistake::new(code::PACK_RUNNER_VERSION, place, message));
            }
            Some(wanted)
        }
        Err(error) => {
            let message = format!("`{text}` is not a range of versions: {error}");
            file.add(Mistake::new(code::PACK_BAD_VALUE, place, message).hint("write it as `\">=0.1.0, <1.0.0\"`"));
            None
        }
    }
}

fn dependencies(file: &Document<'_>, fields: &mut Fields<'_>) -> Vec<(Dependency, Span)> {
    let mut dependencies = Vec::new();
    for (text, span) in fields.texts("dependencies") {
        match dependency(text) {
            Ok(dependency) => dependencies.push((dependency, span)),
            Err(message) => {
                let hint = "write the ref of a pack, `core`, perhaps with versions: `core=1.2.0`, `core>=1.2, <2`";
                file.add(Mistake::new(code::PACK_BAD_VALUE, span, message).hint(hint));
            }
        }
    }
    dependencies
}

/// `name`, `name=1.2.0`, or `name` and a range.
fn dependency(text: &str) -> Result<Dependency, String> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (name, range) = text.split_at_checked(end).unwrap_or((text, ""));
    let reference = PackRef::new(name.trim())
        .map_err(|_| format!("`{text}` is not the ref of a pack: sources such as URLs are not supported"))?;
    let version = if range.trim().is_empty() {
        VersionReq::STAR
    } else {
        VersionReq::parse(range.trim())
            .map_err(|error| format!("`{}` is not a range of versions: {error}", range.trim()))?
    };
    Ok(Dependency { reference, version })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_has_a_name_and_perhaps_versions() {
        let version = |text: &str| dependency(text).unwrap().version.to_string();
        assert_eq!(version("core"), "*");
        assert_eq!(version("core=1.2.0"), "=1.2.0");
        assert_eq!(version("core >=1.2, <2"), ">=1.2, <2");
        assert!(dependency("https://example.com/pack.git").is_err());
        assert!(dependency("core=soon").is_err());
        assert!(dependency("").is_err());
    }
}
