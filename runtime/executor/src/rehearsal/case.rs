//! One rehearsal, from its workflow to what differs.

use std::path::PathBuf;
use std::sync::Arc;

use runner_engine::Plan;
use runner_model::{ErrorRecord, ExecutionId, Origin, Requested, Status, TaskName, Timestamp};
use runner_pack::{
    Action, Asked, Body, Inspection, Library, Pack, ParameterError, Phase, Rehearsal, inspect_workflow, suggest,
};

use super::coverage::Taken;
use super::live::Live;
use super::report::Difference;
use super::scene::{Refusal, Role, Scene, Stage};
use super::{Rehearsing, expect, inspection};

/// When a rehearsal begins that does not say: 2026-01-01T00:00:00Z, in milliseconds. Always the same, so that what
/// `now()` leads to is.
const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// The id of every execution that is played: none of them is ever beside another.
pub(super) const ID: ExecutionId = ExecutionId::from_bytes(*b"\x01\x9b\x76\xda\xa8\x00\x70rehearsed");

/// Plays a rehearsal; gives everything that is not as expected.
pub(super) async fn differences(with: &Rehearsing<'_>, rehearsal: &Rehearsal, taken: &mut Taken) -> Vec<Difference> {
    if !rehearsal.inspection.is_empty() {
        return match inspect(with.library, rehearsal) {
            Ok(inspected) => inspection::differences(&rehearsal.inspection, &inspected),
            Err(missing) => missing,
        };
    }
    let (pack, action, plan) = match workflow(with.library, rehearsal) {
        Ok(found) => found,
        Err(differences) => return differences,
    };
    let mut found = unknown_tasks(rehearsal, &plan);
    let requested = match requested(pack, action, rehearsal) {
        Ok(requested) => requested,
        Err(mistakes) => {
            found.extend(mistakes);
            return found;
        }
    };
    if !found.is_empty() {
        return found;
    }
    let live = match live(with, rehearsal) {
        Ok(live) => live,
        Err(trouble) => return trouble,
    };
    let Rehearsal { answers, events, .. } = rehearsal;
    let start = rehearsal.start.unwrap_or(START);
    let stage = Stage { library: with.library, live: live.as_ref(), answers, events, start, approvals: None };
    match Scene::begin(&stage, Role { plan: plan.clone(), pack, requested, id: ID }, start) {
        Ok(scene) => phases(scene, &plan, rehearsal, taken).await,
        Err(mismatch) => vec![defect(0, &mismatch)],
    }
}

/// What runs the steps of a rehearsal that simulates.
fn live(with: &Rehearsing<'_>, rehearsal: &Rehearsal) -> Result<Option<Live>, Vec<Difference>> {
    match with.simulation {
        _ if !rehearsal.simulate => Ok(None),
        Some(simulation) => Ok(Some(simulation.begin())),
        None => Err(vec![Difference::trouble(0, "simulate", "nothing is here that could run actions")]),
    }
}

async fn phases(mut scene: Scene<'_>, plan: &Arc<Plan>, rehearsal: &Rehearsal, taken: &mut Taken) -> Vec<Difference> {
    let mut found = Vec::new();
    if let Err(mismatch) = scene.play(&rehearsal.mocks, taken).await {
        return vec![defect(0, &mismatch)];
    }
    found.extend(scene.refused_answers(0));
    found.extend(expect::differences(0, plan, &rehearsal.expected, &scene.observed()));
    for (number, phase) in (1..).zip(&rehearsal.reruns) {
        match scene.rerun(phase, taken).await {
            Ok(()) => {
                found.extend(scene.refused_answers(number));
                found.extend(expect::differences(number, plan, &phase.expected, &scene.observed()));
            }
            Err(Refusal::Rerun(error)) => found.extend(refused(number, plan, phase, error, &scene)),
            Err(Refusal::Mismatch(mismatch)) => {
                found.push(defect(number, &mismatch));
                break;
            }
        }
    }
    taken.take(&rehearsal.workflow, plan, scene.taken());
    found
}

/// A rerun that is refused may be what was expected: then its error is the phase's only one, and the status stays what
/// it was.
fn refused(number: usize, plan: &Plan, phase: &Phase, error: ErrorRecord, scene: &Scene<'_>) -> Vec<Difference> {
    let mut observed = scene.observed();
    let mut expected = phase.expected.clone();
    if expected.errors.as_ref().is_none_or(Vec::is_empty) {
        let hint = "if that is meant, expect it: `expected_errors: [{code: E-EXEC-0013}]`".to_owned();
        return vec![Difference::trouble(number, "rerun_tasks", error.message).hint(Some(hint))];
    }
    if expected.status == Status::Succeeded {
        expected.status = observed.status;
    }
    observed.errors = vec![error];
    expect::differences(number, plan, &expected, &observed)
}

fn defect(phase: usize, mismatch: &runner_engine::Mismatch) -> Difference {
    let hint = "this is a defect of runner: please report it with the workflow".to_owned();
    Difference::trouble(phase, "workflow", mismatch.to_string()).hint(Some(hint))
}

/// The workflow that is rehearsed, without mistakes.
fn workflow<'a>(
    library: &'a Library,
    rehearsal: &Rehearsal,
) -> Result<(&'a Arc<Pack>, &'a Arc<Action>, Arc<Plan>), Vec<Difference>> {
    match library.action(&rehearsal.workflow) {
        Some((pack, action)) => match &action.body {
            Body::Workflow(plan) => Ok((pack, action, plan.clone())),
            _ => {
                let message = format!("`{}` is a single action, and rehearsals are of workflows", rehearsal.workflow);
                Err(vec![Difference::trouble(0, "workflow", message)])
            }
        },
        None => match inspect(library, rehearsal) {
            Err(missing) => Err(missing),
            Ok(inspected) if !inspected.errors.is_empty() => {
                let expected = rehearsal.inspection.clone();
                Err(inspection::differences(&expected, &inspected))
            }
            Ok(_) => {
                let message = format!("the pack `{}` has mistakes and cannot be used", rehearsal.workflow.pack());
                let hint = format!("see them with `runner pack check {}`", rehearsal.workflow.pack());
                Err(vec![Difference::trouble(0, "workflow", message).hint(Some(hint))])
            }
        },
    }
}

fn inspect(library: &Library, rehearsal: &Rehearsal) -> Result<Inspection, Vec<Difference>> {
    let name = &rehearsal.workflow;
    let directory = directory(library, name.pack());
    directory.and_then(|directory| inspect_workflow(&directory, name.name(), library)).ok_or_else(|| {
        let hint = library.suggest(name.as_str()).map(|nearest| format!("did you mean `{nearest}`?"));
        vec![Difference::trouble(0, "workflow", format!("there is no workflow `{name}`")).hint(hint)]
    })
}

/// Where a pack is, sound or not.
fn directory(library: &Library, pack: &str) -> Option<PathBuf> {
    let is_it = |broken: &&runner_pack::Broken| match &broken.reference {
        Some(reference) => reference.as_str() == pack,
        None => broken.directory.file_name().is_some_and(|name| name == pack),
    };
    let sound = library.pack(pack).map(|pack| pack.directory.clone());
    sound.or_else(|| library.broken().iter().find(is_it).map(|broken| broken.directory.clone()))
}

/// Mocks and answers for tasks that the workflow does not have: a slip that would pass unseen.
fn unknown_tasks(rehearsal: &Rehearsal, plan: &Plan) -> Vec<Difference> {
    const MOCKS: &str = "mock_action_executions";
    let known = |name: &TaskName| {
        let bare = name.as_str();
        let bare = bare.strip_suffix("__compensate").or_else(|| bare.strip_suffix("__on_cancel")).unwrap_or(bare);
        plan.tasks().contains_key(bare) || *name == TaskName::on_cancel()
    };
    let first = rehearsal.mocks.iter().map(|mock| (0, MOCKS, &mock.task));
    let reruns = (1..).zip(&rehearsal.reruns);
    let reruns = reruns.flat_map(|(number, phase)| phase.mocks.iter().map(move |mock| (number, MOCKS, &mock.task)));
    let answers = rehearsal.answers.iter().filter(|_| !rehearsal.simulate).map(|answer| (0, "answers", &answer.task));
    let unknown = first.chain(reruns).chain(answers).filter(|(_, _, task)| !known(task));
    let trouble = |(phase, field, task): (usize, &'static str, &TaskName)| {
        let names = plan.tasks().keys().map(TaskName::as_str);
        Difference::trouble(phase, field, format!("the workflow has no task `{task}`")).hint(suggest::hint(
            task.as_str(),
            names,
            "its tasks are",
        ))
    };
    unknown.map(trouble).collect()
}

/// The request that the execution begins with.
fn requested(pack: &Pack, action: &Action, rehearsal: &Rehearsal) -> Result<Requested, Vec<Difference>> {
    let asked = Asked { simulate: rehearsal.simulate, ..Asked::by(Origin::Cli) };
    action.request(pack, rehearsal.inputs.clone(), asked).map_err(|mistakes| {
        let trouble = |mistake: &ParameterError| {
            Difference::trouble(0, "inputs", mistake.message.clone()).hint(mistake.hint.clone())
        };
        mistakes.iter().map(trouble).collect()
    })
}
