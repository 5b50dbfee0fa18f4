//! One rehearsal, and the phases that run parts of it again.

use runner_model::{ActionRef, RerunTask, RouteId, TaskName, code};

use super::expected::{self, inspection};
use super::value::{items, map, whole};
use super::{Context, Phase, Rehearsal, mock, outside};
use crate::diagnostic::Mistake;
use crate::fields::{Fields, Foreign};
use crate::source::Span;
use crate::yaml::{Entry, Node};

const FOREIGN: Foreign = Foreign {
    later: &[],
    instead: &[
        ("workflow_state", "a rerun is a phase of the rehearsal that it follows: write `rerun: [{rerun_tasks: […]}]`"),
        ("rerun_tasks", "write `rerun: [{rerun_tasks: […]}]`"),
        ("input", "write `inputs`"),
        ("mocks", "write `mock_action_executions`"),
        ("expected_status", "write `expected_workflow_status`"),
        ("expected_sequence", "write `expected_task_sequence`"),
        ("start", "write `clock: {start: …}`"),
    ],
};

/// Reads a rehearsal; none if it has a mistake, which is reported. In a list each must have a name; alone it may have
/// that of its file.
pub(super) fn read(context: &Context<'_>, node: &Node, default_name: Option<&str>) -> Option<Rehearsal> {
    let file = context.file;
    let before = file.findings.errors();
    let mut fields = match default_name {
        Some(_) => Fields::open_root(file, node, "the rehearsal")?,
        None => Fields::open(file, node, "the rehearsal", start_of(node))?,
    };
    let name = name(&mut fields, default_name);
    let workflow = workflow(context, &mut fields);
    let inputs = fields.get("inputs").and_then(|node| map(file, node, "inputs")).unwrap_or_default();
    let mocks = fields.get("mock_action_executions").map(|node| mock::read(context, node)).unwrap_or_default();
    let expected = expected::read(file, &mut fields);
    let inspection = inspection(file, &mut fields);
    let simulate = fields.boolean("simulate").unwrap_or(false);
    let events = fields.get("events").map(|node| outside::events(file, node)).unwrap_or_default();
    let answers = fields.get("answers").map(|node| outside::answers(file, node)).unwrap_or_default();
    let start = fields.get("clock").and_then(|node| outside::clock(file, node));
    let reruns = fields.get("rerun").map(|node| phases(context, node)).unwrap_or_default();
    fields.finish(&FOREIGN);
    let rehearsal = Rehearsal {
        name: name.unwrap_or_default(),
        source: file.source.path().to_owned(),
        line: file.source.position(start_of(node).start).line,
        workflow: workflow?,
        inputs,
        mocks,
        expected,
        inspection,
        simulate,
        events,
        answers,
        start,
        reruns,
    };
    (file.findings.errors() == before).then_some(rehearsal)
}

/// Its name, which in a list it must have.
fn name(fields: &mut Fields<'_>, default: Option<&str>) -> Option<String> {
    let name = fields.text("name");
    let name = match default {
        Some(default) => Some(name.unwrap_or(default)),
        None => fields.require("name", name, "what_it_shows"),
    };
    name.map(str::to_owned)
}

fn workflow(context: &Context<'_>, fields: &mut Fields<'_>) -> Option<ActionRef> {
    let place = fields.place_of("workflow");
    let text = fields.text("workflow");
    let text = fields.require("workflow", text, "name_of_the_workflow")?;
    reference(context, text, place)
}

/// Where a map begins: at its first key.
fn start_of(node: &Node) -> Span {
    node.as_map().and_then(<[Entry]>::first).map_or(node.span, |entry| entry.key_span)
}

/// `pack.name`, or the name of a workflow of the same pack.
fn reference(context: &Context<'_>, text: &str, place: Span) -> Option<ActionRef> {
    let wrong = |message: String, hint: String| {
        context.file.add(Mistake::new(code::PACK_BAD_VALUE, place, message).hint(hint));
        None
    };
    if text.contains('/') || text.ends_with(".yaml") {
        let name = text.rsplit('/').next().unwrap_or(text).trim_end_matches(".yaml");
        let message = format!("`{text}` is a file, not the name of a workflow");
        return wrong(message, format!("write `workflow: {name}`"));
    }
    let read = match context.pack {
        Some(pack) if !text.contains('.') => ActionRef::new(pack, text),
        _ => text.parse(),
    };
    match read {
        Ok(reference) => Some(reference),
        Err(error) => wrong(error.to_string(), "write `workflow: pack.name`".to_owned()),
    }
}

fn phases(context: &Context<'_>, node: &Node) -> Vec<Phase> {
    items(context.file, node, "rerun", "{rerun_tasks: [{task_id: …}]}")
        .filter_map(|item| phase(context, item))
        .collect()
}

fn phase(context: &Context<'_>, node: &Node) -> Option<Phase> {
    let file = context.file;
    let mut fields = Fields::open(file, node, "the rerun", start_of(node))?;
    let tasks = fields.get("rerun_tasks");
    let phase = Phase {
        tasks: tasks
            .into_iter()
            .flat_map(|node| items(file, node, "rerun_tasks", "{task_id: …}"))
            .filter_map(|item| rerun_task(context, item))
            .collect(),
        mocks: fields.get("mock_action_executions").map(|node| mock::read(context, node)).unwrap_or_default(),
        expected: expected::read(file, &mut fields),
    };
    fields.finish(&Foreign::NONE);
    Some(phase)
}

fn rerun_task(context: &Context<'_>, node: &Node) -> Option<RerunTask> {
    let mut fields = Fields::open(context.file, node, "the task to run again", start_of(node))?;
    let task = task_id(context.file, &mut fields);
    // Orquesta's defaults: the first route, and only the items that failed.
    let route = whole(context.file, &mut fields, "route").unwrap_or(0);
    let reset_items = fields.boolean("reset_items").unwrap_or(false);
    fields.finish(&Foreign::NONE);
    Some(RerunTask { task: task?, route: Some(RouteId(route)), reset_items })
}

/// The name of a task, which must be there.
pub(super) fn task_id(file: &crate::diagnostic::Document<'_>, fields: &mut Fields<'_>) -> Option<TaskName> {
    let place = fields.place_of("task_id");
    let text = fields.text("task_id");
    let text = fields.require("task_id", text, "name_of_the_task")?;
    TaskName::new(text).map_err(|error| file.add(Mistake::new(code::PACK_BAD_VALUE, place, error.to_string()))).ok()
}
