//! `workflows/<name>.yaml`: metadata, variables, tasks and output in one file.

mod bindings;
mod inspection;
mod task;

use std::sync::Arc;

use indexmap::IndexMap;
use runner_engine::PlanBuilder;
use runner_model::{ActionRef, TaskName, code};

use crate::action::{Action, Body};
use crate::call::Call;
use crate::diagnostic::{Document, Mistake};
use crate::durability;
use crate::fields::{Fields, Foreign, wrong_type};
use crate::idempotent::Idempotent;
use crate::metadata;
use crate::parameters::Parameters;
use crate::yaml::{Entry, Node};

/// What was read of a workflow's file.
pub(crate) struct Read {
    pub(crate) reference: ActionRef,
    /// None if some of it could not be read; then calls of it cannot be checked.
    pub(crate) parameters: Option<Parameters>,
    pub(crate) action: Option<Action>,
    /// What it calls, to be checked when all packs are known.
    pub(crate) calls: Vec<Call>,
}

const FOREIGN: Foreign = Foreign {
    later: &["output_schema", "notify", "retry", "concurrency", "idempotent", "permissions"],
    instead: &[
        ("version", "remove it: Orquesta's `version` is not needed here"),
        ("input", "write `parameters:`, a map from names to schemas such as `{type: string}`"),
        ("runner_type", "remove it: what stands in `workflows/` is a workflow"),
        ("entry_point", "remove it: metadata and tasks stand in this one file"),
        ("pack", "remove it: the directory says which pack it is"),
        ("workflows", "one file holds one workflow: write its `tasks` at the top"),
        ("chain", "write `tasks:` with `next:`; see Orquesta's grammar"),
    ],
};

pub(crate) fn read(file: &Document<'_>, node: &Node, reference: ActionRef) -> Read {
    let Some(mut fields) = Fields::open_root(file, node, "the workflow") else {
        return Read { reference, parameters: None, action: None, calls: Vec::new() };
    };
    let metadata = metadata::read(file, &mut fields, reference);
    let vars = fields.get("vars").map(|node| bindings::read(file, node, "vars")).unwrap_or_default();
    let output = fields.get("output").map(|node| bindings::read(file, node, "output")).unwrap_or_default();
    let timeout = task::number(file, &mut fields, "timeout", &task::TIMEOUT);
    let mut calls = Vec::new();
    let on_cancel = task::cleanup(file, &mut fields, "on_cancel", &mut calls);
    let durability = durability::read(file, &mut fields);
    let tasks_place = fields.place_of("tasks");
    let tasks_node = fields.get("tasks");
    let tasks = fields.require("tasks", tasks_node.map(|node| tasks(file, node)), "{…}");
    if tasks_node.is_some_and(|node| node.as_map().is_some_and(<[Entry]>::is_empty)) {
        file.add(Mistake::new(code::PACK_BAD_VALUE, tasks_place, "the workflow has no tasks"));
    }
    let all_known = fields.finish(&FOREIGN);

    let read = tasks.unwrap_or_default();
    calls.extend(read.calls);
    let plan = PlanBuilder { vars, output, tasks: read.tasks, timeout, on_cancel, durability }.build();
    calls.iter_mut().for_each(|call| call.relaxed = plan.is_relaxed());
    let names: Vec<_> = metadata.parameters.names().collect();
    let doubt = inspection::Doubt { variables: !metadata.parameters_complete || !all_known, ..read.doubt };
    inspection::report(file, node, &plan, &names, &doubt);
    let parameters = (metadata.parameters_complete && all_known).then(|| metadata.parameters.clone());
    let action = Action {
        reference: metadata.reference.clone(),
        description: metadata.description,
        enabled: metadata.enabled,
        parameters: metadata.parameters,
        output_schema: None,
        secret_output: Vec::new(),
        tags: metadata.tags,
        idempotent: Idempotent::Never,
        permissions: None,
        timeout: None,
        body: Body::Workflow(Arc::new(plan)),
        source: file.source.path().to_owned(),
    };
    Read { reference: metadata.reference, parameters, action: Some(action), calls }
}

/// The tasks of a workflow.
#[derive(Default)]
struct Tasks {
    tasks: IndexMap<TaskName, runner_engine::Task>,
    calls: Vec<Call>,
    doubt: inspection::Doubt,
}

fn tasks(file: &Document<'_>, node: &Node) -> Tasks {
    let mut tasks = Tasks::default();
    let Some(entries) = node.as_map() else {
        file.add(wrong_type(node, "tasks", "a map from names to tasks"));
        tasks.doubt.transitions = true;
        return tasks;
    };
    for Entry { key, key_span, value } in entries {
        let before = file.findings.errors();
        let name = match TaskName::new(key) {
            Ok(name) => Some(name),
            Err(error) => {
                file.add(Mistake::new(code::PACK_BAD_VALUE, *key_span, error.to_string()));
                tasks.doubt.names.insert(key.clone());
                None
            }
        };
        let read = task::read(file, value, *key_span);
        // A transition that could not be read leaves holes in the graph that are no mistakes of their own.
        tasks.doubt.transitions |= file.findings.errors() > before && read.transitions_incomplete;
        tasks.calls.extend(read.calls);
        if let Some(name) = name {
            tasks.tasks.insert(name, read.task);
        }
    }
    tasks
}
