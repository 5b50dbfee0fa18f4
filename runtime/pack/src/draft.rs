//! A pack as its own files show it, before it is known whether what it calls exists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runner_model::{ActionRef, PackRef, code};
use serde_json::Value;

use crate::action::{self, Action};
use crate::call::{self, Call};
use crate::config;
use crate::diagnostic::{Document, Findings, Mistake, Report};
use crate::digest::{Contents, Sum, relative, sum_of};
use crate::durability::Hold;
use crate::files::Directory;
use crate::known::{Known, Signature};
use crate::manifest::{self, Dependency, Manifest};
use crate::metadata;
use crate::pack::{Pack, config_bytes};
use crate::parameters::Parameters;
use crate::rehearsal;
use crate::rule::Rule;
use crate::source::{Source, Span};
use crate::trigger::Need;
use crate::triggering::Triggering;
use crate::wait;
use crate::workflow;
use crate::yaml::Node;

/// The name of a pack's own file.
pub(crate) const MANIFEST_FILE: &str = "pack.yaml";

/// What was read of one pack.
pub(crate) struct Draft {
    pub(crate) directory: PathBuf,
    /// Its reference, if it has one.
    pub(crate) reference: Option<PackRef>,
    pub(crate) findings: Findings,
    manifest: Option<Manifest>,
    manifest_source: Option<Arc<Source>>,
    dependencies: Vec<(Dependency, Span)>,
    actions: BTreeMap<String, Arc<Action>>,
    /// Every action that a file describes; none for one whose parameters could not be read.
    signatures: BTreeMap<ActionRef, Option<Signature>>,
    calls: Vec<Call>,
    triggering: Triggering,
    components: BTreeMap<String, PathBuf>,
    config_schema: Option<Parameters>,
    config: Value,
    rehearsals: Vec<PathBuf>,
    /// What counts for the digest.
    files: Vec<PathBuf>,
    /// The sums of the files that were read.
    sums: BTreeMap<PathBuf, Sum>,
}

impl Draft {
    /// Reads everything there is in a directory.
    pub(crate) fn read(path: &Path, config_directory: Option<&Path>) -> Self {
        Self::read_with(path, |draft, directory, findings| draft.fill(directory, config_directory, findings))
    }

    /// Reads what the pack says of itself, and nothing else.
    pub(crate) fn glance(path: &Path) -> Self {
        Self::read_with(path, |draft, directory, findings| {
            draft.read_manifest(directory, findings);
        })
    }

    fn read_with(path: &Path, read: impl FnOnce(&mut Self, &Directory<'_>, &Findings)) -> Self {
        let mut draft = Self {
            directory: path.to_owned(),
            reference: None,
            findings: Findings::default(),
            manifest: None,
            manifest_source: None,
            dependencies: Vec::new(),
            actions: BTreeMap::new(),
            signatures: BTreeMap::new(),
            calls: Vec::new(),
            triggering: Triggering::default(),
            components: BTreeMap::new(),
            config_schema: None,
            config: Value::Object(serde_json::Map::new()),
            rehearsals: Vec::new(),
            files: Vec::new(),
            sums: BTreeMap::new(),
        };
        // The list of mistakes is lent out while the draft is filled.
        let findings = std::mem::take(&mut draft.findings);
        if let Some(directory) = Directory::open(path, &findings) {
            read(&mut draft, &directory, &findings);
            draft.sums = directory.sums();
        }
        draft.findings = findings;
        draft
    }

    fn fill(&mut self, directory: &Directory<'_>, config_directory: Option<&Path>, findings: &Findings) {
        self.components = directory.components();
        self.files.extend(self.components.values().cloned());
        let mut needed = self.read_manifest(directory, findings);
        let Some(pack) = self.reference.clone().or_else(|| PackRef::new(directory.name()?).ok()) else { return };
        self.config_schema = config::schema(directory);
        if directory.has(config::SCHEMA_FILE) {
            self.files.push(self.directory.join(config::SCHEMA_FILE));
        }
        self.config = config::values(self.config_schema.as_ref(), config_directory, &pack, findings);
        for path in directory.yaml_files("actions") {
            needed.extend(self.read_action(directory, &path, &pack));
        }
        for path in directory.yaml_files("workflows") {
            self.read_workflow(directory, &path, &pack);
        }
        self.triggering = Triggering::read(directory, &pack);
        self.files.extend(self.triggering.files.iter().cloned());
        needed.append(&mut self.triggering.needed);
        self.rehearsals = rehearsal::rehearsal_files(&self.directory);
        self.check_components(&needed, &pack, findings);
        self.reference.get_or_insert(pack);
    }

    /// Reads `pack.yaml` and returns the components it needs.
    fn read_manifest(&mut self, directory: &Directory<'_>, findings: &Findings) -> Vec<Needed> {
        let path = self.directory.join(MANIFEST_FILE);
        if !directory.has(MANIFEST_FILE) {
            let mistake = Mistake::new(code::PACK_MISSING_FILE, Span::default(), "the pack has no `pack.yaml`");
            let hint = match directory.has("pack.yml") {
                true => "rename `pack.yml` to `pack.yaml`".to_owned(),
                false => format!("write one: `ref: {}`, `version: 0.1.0`", directory.name().unwrap_or("my_pack")),
            };
            findings.about(&path, mistake.hint(hint));
            return Vec::new();
        }
        self.files.push(path.clone());
        let Some((file, root)) = directory.document(&path) else { return Vec::new() };
        self.manifest_source = Some(Arc::clone(&file.source));
        let Some(read) = manifest::read(&file, &root, directory) else { return Vec::new() };
        self.reference = read.reference;
        self.manifest = read.manifest;
        self.dependencies = read.dependencies;
        let needed = |(component, span)| Needed { component, span, source: Arc::clone(&file.source) };
        read.simulators.into_iter().map(needed).collect()
    }

    fn read_action(&mut self, directory: &Directory<'_>, path: &Path, pack: &PackRef) -> Option<Needed> {
        self.files.push(path.to_owned());
        let (file, root, reference) = self.begin(directory, path, pack)?;
        let read = action::read(&file, &root, pack, self.manifest.as_ref(), reference);
        let waits = read.action.as_ref().and_then(|action| wait::Kind::of(&action.body));
        let hold = read.action.as_ref().and_then(Hold::of);
        self.signatures
            .insert(read.reference.clone(), read.parameters.map(|parameters| Signature { parameters, waits, hold }));
        if let Some(action) = read.action {
            self.actions.insert(read.reference.name().to_owned(), Arc::new(action));
        }
        read.component.map(|(component, span)| Needed { component, span, source: Arc::clone(&file.source) })
    }

    fn read_workflow(&mut self, directory: &Directory<'_>, path: &Path, pack: &PackRef) {
        self.files.push(path.to_owned());
        let Some((file, root, reference)) = self.begin(directory, path, pack) else { return };
        if self.signatures.contains_key(&reference) {
            let message = format!("`actions/` has an action of the same name, `{reference}`");
            file.add(
                Mistake::new(code::PACK_DUPLICATE_NAME, Span::default(), message).hint("rename one of the two files"),
            );
            return;
        }
        let read = workflow::read(&file, &root, reference);
        let hold = Some(Hold::Workflow);
        let signature = read.parameters.map(|parameters| Signature { parameters, waits: None, hold });
        self.signatures.insert(read.reference.clone(), signature);
        if let Some(action) = read.action {
            self.actions.insert(read.reference.name().to_owned(), Arc::new(action));
        }
        self.calls.extend(read.calls);
    }

    /// A file's tree and the action it is about. The action is known from here on, even if the file has no tree.
    fn begin<'a>(
        &mut self,
        directory: &Directory<'a>,
        path: &Path,
        pack: &PackRef,
    ) -> Option<(Document<'a>, Node, ActionRef)> {
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let read = directory.document(path);
        if read.is_none()
            && let Ok(reference) = ActionRef::new(pack, name)
        {
            self.signatures.entry(reference).or_insert(None);
        }
        let (file, root) = read?;
        let reference = metadata::reference(&file, pack, path)?;
        Some((file, root, reference))
    }

    /// Reports each component that does not exist, once, where it is first needed.
    fn check_components(&self, needed: &[Needed], pack: &PackRef, findings: &Findings) {
        let mut reported = BTreeSet::new();
        for Needed { component, span, source } in needed {
            if self.components.contains_key(component) || !reported.insert(component) {
                continue;
            }
            let path = self.directory.join("components").join(format!("{component}.wasm"));
            let message = format!("there is no component `{}`", path.display());
            let near = crate::suggest::nearest(component, self.components.keys().map(String::as_str));
            let hint = near.map_or_else(
                || format!("build it: `runner pack build {pack}`"),
                |near| format!("did you mean `{near}`? otherwise build it: `runner pack build {pack}`"),
            );
            findings.at(source, Mistake::new(code::PACK_MISSING_FILE, *span, message).hint(hint));
        }
    }

    /// Adds what this pack offers to what is known.
    pub(crate) fn introduce(&self, known: &mut Known) {
        known.actions.extend(self.signatures.clone());
        if let Some(reference) = &self.reference {
            let is_sound = self.findings.errors() == 0;
            known.packs.insert(reference.clone(), is_sound);
            self.triggering.introduce(reference, is_sound, known);
        }
    }

    /// Checks what this pack needs of others.
    pub(crate) fn link(&self, known: &Known, versions: &BTreeMap<PackRef, semver::Version>) {
        for call in &self.calls {
            call::check(call, self.reference.as_ref(), known, &self.findings);
        }
        self.triggering.link(self.reference.as_ref(), known, &self.findings);
        let Some(source) = &self.manifest_source else { return };
        for (dependency, span) in &self.dependencies {
            let Dependency { reference, version } = dependency;
            let mistake = match versions.get(reference) {
                Some(found) if version.matches(found) => continue,
                Some(found) => {
                    let message = format!("the pack needs `{reference}` {version}, but {found} is there");
                    Mistake::new(code::PACK_DEPENDENCY, *span, message)
                }
                None if known.packs.contains_key(reference) => continue,
                None => {
                    let message = format!("the pack needs the pack `{reference}`, which is not there");
                    let hint = format!("put the pack `{reference}` into the packs directory");
                    Mistake::new(code::PACK_DEPENDENCY, *span, message).hint(hint)
                }
            };
            self.findings.at(source, mistake);
        }
    }

    /// Its rules, those with mistakes elsewhere than in their shape included.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.triggering.rules.values()
    }

    /// What it may be called by others: its reference, or the name of its directory.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let directory = self.directory.file_name().and_then(|name| name.to_str());
        self.reference.as_ref().map(PackRef::as_str).into_iter().chain(directory)
    }

    /// Whether it has policies, which may be about actions of any pack.
    pub(crate) fn has_policies(&self) -> bool {
        self.directory.join("policies").is_dir()
    }

    /// The packs that something in it names.
    pub(crate) fn named_packs(&self) -> impl Iterator<Item = String> {
        let calls = self.calls.iter().chain(&self.triggering.calls).map(|call| call.action().pack());
        let dependencies = self.dependencies.iter().map(|(dependency, _)| dependency.reference.as_str());
        let needs = self.triggering.needs.iter().filter_map(Need::pack);
        calls.chain(dependencies).chain(needs).map(str::to_owned)
    }

    /// What it says of itself.
    pub(crate) fn into_manifest(self) -> Option<Manifest> {
        self.manifest
    }

    /// Its version, if that could be read.
    pub(crate) fn version(&self) -> Option<(PackRef, semver::Version)> {
        let manifest = self.manifest.as_ref()?;
        Some((manifest.reference.clone(), manifest.version.clone()))
    }

    /// Leaves out every action, rule, sensor and policy whose file has mistakes, if the rest makes a pack: whatever else is
    /// wrong, nothing is left out. Says whether that is so.
    fn leave_out_broken(&mut self) -> bool {
        let Some(broken) = self.findings.files_with_errors() else { return false };
        let own = ["actions", "workflows", "rules", "sensors", "policies"];
        let own = own.map(|directory| self.directory.join(directory));
        if !broken.iter().all(|path| path.parent().is_some_and(|parent| own.iter().any(|own| own == parent))) {
            return false;
        }
        self.actions.retain(|_, action| !broken.contains(&action.source));
        self.triggering.leave_out(&broken);
        true
    }

    /// As [`Draft::finish`]; but mistakes in actions, workflows, rules, sensors and policies only cost the pack these.
    pub(crate) fn finish_sound(mut self) -> (Option<Arc<Pack>>, Report) {
        let sound = self.leave_out_broken();
        self.finish_if(sound)
    }

    /// The pack, if nothing is wrong with it, and everything that was found.
    pub(crate) fn finish(self) -> (Option<Arc<Pack>>, Report) {
        let sound = self.findings.errors() == 0;
        self.finish_if(sound)
    }

    /// The sums of what was read, and of the components, which are only read when they run.
    fn contents(&self) -> std::io::Result<Contents> {
        let mut contents = Contents::default();
        for path in &self.files {
            let read = self.sums.get(path).copied();
            contents.insert(relative(&self.directory, path), read.map_or_else(|| sum_of(path), Ok)?);
        }
        Ok(contents)
    }

    fn finish_if(self, sound: bool) -> (Option<Arc<Pack>>, Report) {
        let contents = match sound.then(|| self.contents()) {
            Some(Err(error)) => {
                let message = format!("a file of the pack cannot be read: {error}");
                self.findings.about(&self.directory, Mistake::new(code::PACK_UNREADABLE, Span::default(), message));
                None
            }
            Some(Ok(contents)) => Some(contents),
            None => None,
        };
        let report = self.findings.report();
        let pack = self.manifest.zip(contents).map(|(manifest, contents)| {
            Arc::new(Pack {
                manifest,
                digest: contents.digest(&config_bytes(&self.config)),
                contents,
                directory: self.directory,
                actions: self.actions,
                components: self.components,
                rules: self.triggering.rules,
                sensors: self.triggering.sensors,
                policies: self.triggering.policies,
                config_schema: self.config_schema,
                config: self.config,
                rehearsals: self.rehearsals,
                warnings: report.diagnostics.clone(),
            })
        });
        (pack, report)
    }
}

/// A component that must exist, and who says so.
pub(crate) struct Needed {
    pub(crate) component: String,
    pub(crate) span: Span,
    pub(crate) source: Arc<Source>,
}
