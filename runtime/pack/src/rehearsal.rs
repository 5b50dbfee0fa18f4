//! Rehearsals: `tests/*.yaml` of a pack, each a workflow with what its steps are to give and what is to come of it.
//!
//! This room only reads them. Whether the tasks they name exist, and whether what they expect comes true, is known to
//! whoever runs them. A mistake in a rehearsal is one of that file; it never keeps a pack from loading.

mod case;
mod expected;
mod mock;
mod outside;
mod value;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use runner_model::{
    ActionRef, ConnectionName, ItemIndex, PackRef, RerunTask, RouteId, Status, TaskName, Timestamp, code,
};
use serde_json::{Map, Value};

use crate::Category;
use crate::diagnostic::{Document, Findings, Mistake, Report};
use crate::draft::MANIFEST_FILE;
use crate::files::Directory;
use crate::source::Span;
use crate::yaml::{Kind, Node};

/// The directory of a pack's rehearsals.
pub(crate) const DIRECTORY: &str = "tests";

/// One rehearsal: a first phase, and reruns of what it left.
#[derive(Debug, Clone, PartialEq)]
pub struct Rehearsal {
    /// Its name: unique in its file; that of the file if it is the only one and names none.
    pub name: String,
    /// The file it stands in.
    pub source: PathBuf,
    /// The line it begins at, from 1.
    pub line: usize,
    /// The workflow.
    pub workflow: ActionRef,
    /// The parameters it is run with.
    pub inputs: Map<String, Value>,
    /// What its steps give, in the order of the file.
    pub mocks: Vec<Mock>,
    /// What is to come of it.
    pub expected: Expected,
    /// What is wrong with the workflow. None: nothing may be. With any, the workflow is not run.
    pub inspection: BTreeMap<Category, Vec<Map<String, Value>>>,
    /// Whether what is not mocked runs against the simulators of the pack's connections.
    pub simulate: bool,
    /// Events that come while it runs.
    pub events: Vec<MockEvent>,
    /// Answers to its inquiries.
    pub answers: Vec<MockAnswer>,
    /// The time at which it begins; none is up to who runs it.
    pub start: Option<Timestamp>,
    /// What is run again afterwards, in order.
    pub reruns: Vec<Phase>,
}

/// A rerun of what the phase before it left.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// Which tasks; none of them means those that failed.
    pub tasks: Vec<RerunTask>,
    /// What its steps give, in the order of the file.
    pub mocks: Vec<Mock>,
    /// What is to come of it.
    pub expected: Expected,
}

/// How steps end instead of running: an item of `mock_action_executions`.
#[derive(Debug, Clone, PartialEq)]
pub struct Mock {
    /// Of which task.
    pub task: TaskName,
    /// On which route; none is on any.
    pub route: Option<RouteId>,
    /// For the step at this place of the sequence, counted from 0; none is for any.
    pub seq_id: Option<u32>,
    /// For which item; none is for any, or for a step without items.
    pub item: Option<ItemIndex>,
    /// Orquesta's `iter_id`: which of the attempts is the first that it serves, from 0.
    pub iter_id: u32,
    /// How many attempts it serves.
    pub num_iter: u32,
    /// How they end, or go on for ever.
    pub status: Status,
    /// With which result; of one that fails, the data of the failure.
    pub result: Value,
}

/// What is to come of a phase. What is none is not compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// The status at the end.
    pub status: Status,
    /// The steps and engine commands in the order of their start: `task`, or `task__rN` on another route than the first.
    pub sequence: Option<Vec<String>>,
    /// What the workflow returns.
    pub output: Option<Value>,
    /// What went wrong, in order. Of each, the fields that stand here.
    pub errors: Option<Vec<Map<String, Value>>>,
    /// The steps after which nothing followed, written as in `sequence`.
    pub term_tasks: Option<Vec<String>>,
    /// The routes, each a list of `task__tN`.
    pub routes: Option<Vec<Vec<String>>>,
    /// The requests that left the steps, in order.
    pub requests: Option<Vec<ExpectedRequest>>,
}

/// A request that is expected. What is none is not compared.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedRequest {
    /// In capitals.
    pub method: String,
    /// The path, with what it is asked for.
    pub path: String,
    /// On which connection.
    pub connection: Option<ConnectionName>,
    /// Its body, as JSON.
    pub body: Option<Value>,
}

/// An event that comes.
#[derive(Debug, Clone, PartialEq)]
pub struct MockEvent {
    /// What ties it to the step that waits.
    pub key: String,
    /// Its data.
    pub payload: Value,
    /// When, after the beginning.
    pub after: Duration,
}

/// An answer to an inquiry.
#[derive(Debug, Clone, PartialEq)]
pub struct MockAnswer {
    /// The task that asks.
    pub task: TaskName,
    /// The item that asks; none in a step without items.
    pub item: Option<ItemIndex>,
    /// The answer.
    pub answer: Value,
    /// Who answers; none is up to who runs it.
    pub by: Option<String>,
    /// When, after the inquiry was made.
    pub after: Duration,
}

/// The rehearsal files of a pack's directory, sorted, whether or not the pack loads.
#[must_use]
pub fn rehearsal_files(pack: &Path) -> Vec<PathBuf> {
    let findings = Findings::default();
    Directory::open(pack, &findings).map(|directory| directory.yaml_files(DIRECTORY)).unwrap_or_default()
}

/// Reads a file of rehearsals: all that have no mistakes, and every mistake.
///
/// `pack` is the one that a `workflow` without a pack's name belongs to; by default the one whose directory the file is
/// in. A `result_path` may lead to files of that directory only.
#[must_use]
pub fn read_rehearsals(path: &Path, pack: Option<&PackRef>) -> (Vec<Rehearsal>, Report) {
    let findings = Findings::default();
    let root = root(path);
    let rehearsals = Directory::open(&root, &findings).map(|directory| {
        let own = pack.cloned().or_else(|| reference(&directory));
        let read = directory.document(path);
        read.map(|(file, node)| all(&Context { file: &file, directory: &directory, pack: own.as_ref() }, &node))
    });
    (rehearsals.flatten().unwrap_or_default(), findings.report())
}

/// What every room of a rehearsal needs to know.
struct Context<'a> {
    file: &'a Document<'a>,
    directory: &'a Directory<'a>,
    pack: Option<&'a PackRef>,
}

/// The pack's directory that a file is in, or else its own.
fn root(path: &Path) -> PathBuf {
    let own = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // `.` has no parent by its name. Farther up than from a directory in `tests/`, a pack is not this file's.
    const LEVELS_MAX: usize = 3;
    let absolute = std::path::absolute(own).unwrap_or_else(|_| own.to_owned());
    let pack = absolute.ancestors().take(LEVELS_MAX).find(|above| above.join(MANIFEST_FILE).is_file());
    pack.filter(|pack| *pack != absolute).unwrap_or(own).to_owned()
}

/// What a pack's own file says it is called; its mistakes are reported where the pack is loaded.
fn reference(directory: &Directory<'_>) -> Option<PackRef> {
    let unheard = Findings::default();
    let directory = Directory::open(directory.path(), &unheard)?;
    if !directory.has(MANIFEST_FILE) {
        return None;
    }
    let (_, node) = directory.document(&directory.path().join(MANIFEST_FILE))?;
    let entry = node.as_map()?.iter().find(|entry| entry.key == "ref");
    let written = entry.and_then(|entry| entry.value.as_text());
    PackRef::new(written.or_else(|| directory.name())?).ok()
}

fn all(context: &Context<'_>, node: &Node) -> Vec<Rehearsal> {
    let file = context.file;
    let Kind::List(items) = &node.kind else {
        let stem = file.source.path().file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        return case::read(context, node, Some(stem)).into_iter().collect();
    };
    if items.is_empty() {
        let mistake = Mistake::new(code::PACK_BAD_VALUE, node.span, "the file has no rehearsals");
        file.add(mistake.hint("write `workflow: …`, or a list of them: `- name: …`"));
    }
    let mut names = BTreeMap::new();
    for item in items {
        let Some(rehearsal) = case::read(context, item, None) else { continue };
        if let Some(first) = names.get(&rehearsal.name).map(|first: &Rehearsal| first.line) {
            let message = format!("there is another rehearsal `{}`, in line {first}", rehearsal.name);
            let span = name_place(item);
            file.add(Mistake::new(code::PACK_DUPLICATE_NAME, span, message).hint("give each its own name"));
            continue;
        }
        names.insert(rehearsal.name.clone(), rehearsal);
    }
    let mut rehearsals: Vec<_> = names.into_values().collect();
    rehearsals.sort_by_key(|rehearsal| rehearsal.line);
    rehearsals
}

fn name_place(item: &Node) -> Span {
    let name = item.as_map().and_then(|entries| entries.iter().find(|entry| entry.key == "name"));
    name.map_or(item.span, |entry| entry.value.span)
}
