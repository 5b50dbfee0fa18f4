//! All packs of the packs directories.

mod part;
mod secrecy;
mod succession;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runner_model::{ActionRef, PackRef, code};
use semver::Version;

use crate::diagnostic::{Mistake, Report};
use crate::draft::{Draft, MANIFEST_FILE};
use crate::known::Known;
use crate::source::Span;
use crate::suggest;
use crate::{Action, Manifest, Pack, Policy, Rule, Sensor};

pub use succession::Changes;

/// What the packs directories hold.
#[derive(Debug, Clone, Default)]
pub struct Library {
    packs: BTreeMap<PackRef, Arc<Pack>>,
    broken: Vec<Broken>,
    /// Of packs that were not read: see [`Library::load_part`].
    glanced: Vec<Manifest>,
    /// Versions in the place of which an earlier one stays, until somebody grants what they ask for.
    waiting: BTreeMap<PackRef, Arc<Pack>>,
}

/// How a draft becomes a pack.
type Finish = fn(Draft) -> (Option<Arc<Pack>>, Report);

/// A pack with mistakes.
#[derive(Debug, Clone)]
pub struct Broken {
    /// Where it is.
    pub directory: PathBuf,
    /// Its reference, if that could be read.
    pub reference: Option<PackRef>,
    /// How many mistakes it has.
    pub mistakes: usize,
    /// The version of it that stays in use, because it was good before: only in what [`Library::succeed`] gives.
    pub kept: Option<String>,
    /// What is wrong with it.
    pub report: Report,
}

impl Library {
    /// Loads every pack below `dirs`. A pack with mistakes is in the report and in [`Library::broken`], and does not keep the
    /// others from being loaded. `config_dir` holds the values for the packs' configurations; without it their
    /// configurations have only defaults.
    #[must_use]
    pub fn load(dirs: &[PathBuf], config_dir: Option<&Path>) -> (Self, Report) {
        Self::load_with(dirs, config_dir, Draft::finish)
    }

    /// As [`Library::load`]; but a pack whose only mistakes are in actions and workflows is there without these. For
    /// rehearsals: a workflow may be rehearsed while its neighbour is broken, or is meant to be.
    #[must_use]
    pub fn load_sound(dirs: &[PathBuf], config_dir: Option<&Path>) -> (Self, Report) {
        Self::load_with(dirs, config_dir, Draft::finish_sound)
    }

    fn load_with(dirs: &[PathBuf], config_dir: Option<&Path>, finish: Finish) -> (Self, Report) {
        let Found { drafts, mut report, .. } = Found::read(dirs, config_dir);
        let known = introduce(&drafts);
        let versions: BTreeMap<_, _> = drafts.iter().filter_map(Draft::version).collect();
        let mut library = Self::default();
        for draft in drafts {
            draft.link(&known, &versions);
            report.append(library.take(draft, finish));
        }
        (library, report)
    }

    fn take(&mut self, draft: Draft, finish: Finish) -> Report {
        let (directory, reference) = (draft.directory.clone(), draft.reference.clone());
        let (pack, report) = finish(draft);
        match pack {
            Some(pack) => {
                self.packs.insert(pack.reference().clone(), pack);
            }
            None => {
                let (mistakes, report) = (report.errors(), report.clone());
                self.broken.push(Broken { directory, reference, mistakes, kept: None, report });
            }
        }
        report
    }

    /// The same, with these packs too.
    pub(crate) fn with(&self, packs: Vec<Arc<Pack>>) -> Self {
        let mut library = self.clone();
        library.packs.extend(packs.into_iter().map(|pack| (pack.reference().clone(), pack)));
        library
    }

    /// The same, without this pack.
    #[must_use]
    pub fn without(&self, reference: &PackRef) -> Self {
        let mut library = self.clone();
        library.packs.remove(reference);
        library
    }

    /// The packs, by name.
    pub fn packs(&self) -> impl Iterator<Item = &Arc<Pack>> {
        self.packs.values()
    }

    /// What the packs say of themselves, in the order of their names, those included of which nothing else was read.
    pub fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        let read = self.packs().map(|pack| &pack.manifest);
        let all: BTreeMap<_, _> = self.glanced.iter().chain(read).map(|one| (&one.reference, one)).collect();
        all.into_values()
    }

    /// The pack with this reference.
    #[must_use]
    pub fn pack(&self, reference: &str) -> Option<&Arc<Pack>> {
        self.packs.get(reference)
    }

    /// An action and its pack.
    #[must_use]
    pub fn action(&self, reference: &ActionRef) -> Option<(&Arc<Pack>, &Arc<Action>)> {
        let pack = self.pack(reference.pack())?;
        Some((pack, pack.actions.get(reference.name())?))
    }

    /// The rules of all packs, with their packs.
    pub fn rules(&self) -> impl Iterator<Item = (&Arc<Pack>, &Arc<Rule>)> {
        self.packs().flat_map(|pack| pack.rules.values().map(move |rule| (pack, rule)))
    }

    /// The sensors of all packs, with their packs.
    pub fn sensors(&self) -> impl Iterator<Item = (&Arc<Pack>, &Arc<Sensor>)> {
        self.packs().flat_map(|pack| pack.sensors.values().map(move |sensor| (pack, sensor)))
    }

    /// The policies of all packs, with their packs.
    pub fn policies(&self) -> impl Iterator<Item = (&Arc<Pack>, &Arc<Policy>)> {
        self.packs().flat_map(|pack| pack.policies.values().map(move |policy| (pack, policy)))
    }

    /// The versions that are there and not in use, because they wait for a grant.
    pub fn waiting(&self) -> impl Iterator<Item = &Arc<Pack>> {
        self.waiting.values()
    }

    /// The packs with mistakes.
    #[must_use]
    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }

    /// The action whose name is nearest to `text`, or else the pack: what may have been meant.
    #[must_use]
    pub fn suggest(&self, text: &str) -> Option<String> {
        let actions = || self.packs().flat_map(|pack| pack.actions.values()).map(|action| action.reference.as_str());
        // A name without its pack is the most frequent slip of all.
        let bare = || actions().find(|action| action.split_once('.').is_some_and(|(_, name)| name == text));
        let nearest = suggest::nearest(text, actions()).or_else(bare);
        let pack = || suggest::nearest(text, self.packs.keys().map(PackRef::as_str));
        nearest.or_else(pack).map(str::to_owned)
    }
}

/// What was read of the packs directories, before it is known whether what the packs call exists.
struct Found {
    drafts: Vec<Draft>,
    /// What is wrong with the directories themselves.
    report: Report,
    /// Those that cannot be read, though they may be there.
    unreadable: Vec<PathBuf>,
}

impl Found {
    fn read(dirs: &[PathBuf], config_dir: Option<&Path>) -> Self {
        let found = Self::gather(dirs, |pack| Draft::read(pack, config_dir));
        refuse_doubles(&found.drafts);
        found
    }

    fn gather(dirs: &[PathBuf], read: impl Fn(&Path) -> Draft) -> Self {
        let mut found = Self { drafts: Vec::new(), report: Report::default(), unreadable: Vec::new() };
        for dir in dirs {
            match pack_directories(dir) {
                Ok(packs) => found.drafts.extend(packs.iter().map(|pack| read(pack))),
                Err(error) => {
                    let findings = crate::diagnostic::Findings::default();
                    let message = format!("the packs directory cannot be read: {error}");
                    findings.about(dir, Mistake::new(code::PACK_UNREADABLE, Span::default(), message));
                    found.report.append(findings.report());
                    if error.kind() != std::io::ErrorKind::NotFound {
                        found.unreadable.push(dir.clone());
                    }
                }
            }
        }
        found
    }
}

/// The directories in `dir` that are packs or look as if they were meant to be, sorted.
fn pack_directories(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let is_pack = |path: &PathBuf| {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let signs = [MANIFEST_FILE, "pack.yml", "actions", "workflows", "rules", "sensors"];
        // One that cannot be looked into may be a pack, and is not gone.
        !hidden && path.is_dir() && signs.iter().any(|sign| path.join(sign).try_exists().unwrap_or(true))
    };
    let mut found: Vec<_> = std::fs::read_dir(dir)?.flatten().map(|entry| entry.path()).filter(is_pack).collect();
    found.sort();
    Ok(found)
}

/// Of two packs with the same reference the first stays.
fn refuse_doubles(drafts: &[Draft]) {
    let mut first: BTreeMap<&PackRef, &Path> = BTreeMap::new();
    for draft in drafts {
        let Some(reference) = &draft.reference else { continue };
        if let Some(other) = first.get(reference) {
            let message = format!("there is another pack `{reference}` in `{}`", other.display());
            let mistake = Mistake::new(code::PACK_DUPLICATE_NAME, Span::default(), message);
            draft.findings.about(&draft.directory, mistake.hint("remove one of the two"));
        } else {
            first.insert(reference, &draft.directory);
        }
    }
}

fn introduce(drafts: &[Draft]) -> Known {
    let mut known = Known::default();
    // Of doubles the first counts, so it comes last.
    for draft in drafts.iter().rev() {
        draft.introduce(&mut known);
    }
    known
}

/// Adds what a checked pack offers to what is known.
fn introduce_pack(pack: &Pack, known: &mut Known, versions: &mut BTreeMap<PackRef, Version>) {
    known.offer(pack);
    versions.insert(pack.reference().clone(), pack.manifest.version.clone());
}

/// Checks one pack; `others` are the packs that it may call and depend on.
#[must_use]
pub fn check(dir: &Path, others: &Library) -> (Option<Arc<Pack>>, Report) {
    linked(dir, others).finish()
}

/// What a pack's files show, with what was found when it was compared with the other packs.
pub(crate) fn linked(dir: &Path, others: &Library) -> Draft {
    let draft = Draft::read(dir, None);
    let mut known = Known::default();
    let mut versions: BTreeMap<PackRef, Version> = BTreeMap::new();
    draft.introduce(&mut known);
    versions.extend(draft.version());
    // The pack itself may be among the others, in another state.
    for pack in others.packs().filter(|pack| Some(pack.reference()) != draft.reference.as_ref()) {
        introduce_pack(pack, &mut known, &mut versions);
    }
    draft.link(&known, &versions);
    draft
}
