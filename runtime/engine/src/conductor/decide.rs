//! Starting tasks: the first ones, and those that transitions have arrived at.

use std::sync::Arc;

use runner_model::{ActionRef, AttemptNumber, Code, ErrorRecord, RouteId, Status, code, limits};
use serde_json::Value;

use super::context::{Context, Variables};
use super::state::{Arrivals, State, Step};
use super::{Mismatch, Stop};
use crate::expression::{EvaluationError, Frame, TaskResult};
use crate::plan::{Join, Plan, TransitionId};

/// The action of a task that names none.
const NO_ACTION: &str = "core.noop";

impl State {
    /// The first decision: variables, then the tasks that nothing leads to.
    pub(super) fn start(&mut self, plan: &Plan) -> Result<(), Stop> {
        let mut variables = match &self.parameters {
            Value::Object(map) => map.clone(),
            _ => Variables::new(),
        };
        for binding in &plan.vars {
            let frame = self.frame(&Arc::new(variables.clone()), None);
            match binding.value.render(&frame) {
                Ok(value) => {
                    variables.insert(binding.name.clone(), value);
                }
                Err(error) => {
                    self.deltas.begin(variables);
                    self.note(None, None, &error)?;
                    return self.settle(plan);
                }
            }
        }
        let context = self.deltas.begin(variables);
        for task in plan.starts() {
            self.start_step(plan, task, RouteId(0), context.clone())?;
        }
        self.settle(plan)
    }

    /// A transition arrived at a task: starts it, or waits for others where it joins them.
    pub(super) fn arrive(
        &mut self,
        plan: &Plan,
        transition: TransitionId,
        task: usize,
        route: RouteId,
        context: Context,
    ) -> Result<(), Stop> {
        let route = self.route_into(plan, transition, task, route);
        let Some(join) = plan.tasks.get_index(task).and_then(|(_, task)| task.join.as_ref()) else {
            return self.start_step(plan, task, route, context);
        };
        let arrivals = self.waiting.entry((task, route)).or_default();
        arrivals.contexts.push((transition, context));
        if arrivals.met || arrivals.tasks() < needed(plan, task, join) {
            return Ok(());
        }
        arrivals.met = true;
        let contexts = std::mem::take(&mut arrivals.contexts);
        if plan.in_cycle.get(task).copied().unwrap_or(false) {
            self.waiting.remove(&(task, route));
        }
        let context = self.deltas.join(contexts.iter().map(|(_, context)| context));
        self.start_step(plan, task, route, context)
    }

    /// The route on which a task is reached: a split task gets one of its own for each transition that leads to it.
    fn route_into(&mut self, plan: &Plan, transition: TransitionId, task: usize, route: RouteId) -> RouteId {
        let passed = usize::try_from(route.0).ok().and_then(|route| self.routes.get(route));
        if !plan.is_split(task) || passed.is_some_and(|passed| passed.contains(&transition)) {
            return route;
        }
        let longer = passed.into_iter().flatten().copied().chain([transition]).collect();
        self.routes.push(longer);
        RouteId(u32::try_from(self.routes.len() - 1).unwrap_or(u32::MAX))
    }

    fn start_step(&mut self, plan: &Plan, task: usize, route: RouteId, context: Context) -> Result<(), Stop> {
        let Some((name, written)) = plan.tasks.get_index(task) else {
            return Err(Mismatch { what: format!("there is no task number {task}") }.into());
        };
        if self.steps.len() >= limits::STEPS_MAX {
            let message = format!("the execution has made {} steps", limits::STEPS_MAX);
            self.fail(
                code::FLOW_TOO_MANY_STEPS,
                Some((name, route)),
                message,
                "a cycle needs a transition that leaves it",
            );
            return Ok(());
        }
        let frame = self.frame(context.variables(), None);
        let rendered = match &written.action {
            Some(action) => action.render(&frame),
            None => Ok(NO_ACTION.into()),
        };
        let start = match (rendered, written.input.render(&frame)) {
            (Err(error), _) | (_, Err(error)) => {
                self.ends.push(context);
                return self.note(Some((name, route)), None, &error);
            }
            (Ok(action), Ok(input)) => (action, if plan.single { self.parameters.clone() } else { input }),
        };
        let Some(action) = start.0.as_str().and_then(|text| text.parse::<ActionRef>().ok()) else {
            let message = format!("the task's action is {}, which is not an action's name", start.0);
            self.fail(code::FLOW_UNKNOWN_ACTION, Some((name, route)), message, "write it as `pack.action`");
            self.ends.push(context);
            return Ok(());
        };
        self.steps.push(Step {
            task,
            route,
            context,
            status: Status::Requested,
            attempt: AttemptNumber::default(),
            start: Some((action, start.1)),
        });
        self.active += 1;
        Ok(())
    }

    /// What an expression sees now.
    pub(super) fn frame(&self, variables: &Arc<Variables>, current: Option<TaskResult>) -> Frame {
        Frame {
            now: self.now,
            variables: variables.clone(),
            current,
            tasks: self.tasks.clone(),
            execution: Some(self.execution.clone()),
            config: self.config.clone(),
            kv: self.kv.clone(),
        }
    }

    /// Records that an expression failed, which nothing deals with; a value that is lacking stops the whole decision.
    pub(super) fn note(
        &mut self,
        task: Option<(&runner_model::TaskName, RouteId)>,
        transition: Option<usize>,
        error: &EvaluationError,
    ) -> Result<(), Stop> {
        match error {
            EvaluationError::NeedsKv { key } => Err(Stop::NeedsKv { key: key.clone() }),
            EvaluationError::Failed { code, hint, .. } => {
                self.failing = true;
                self.errors.push(ErrorRecord {
                    task: task.map(|(task, _)| task.clone()),
                    route: task.map(|(_, route)| route).filter(|route| route.0 > 0),
                    transition,
                    code: code.id().to_owned(),
                    message: error.to_string(),
                    hint: hint.clone(),
                    details: None,
                });
                Ok(())
            }
        }
    }

    /// Records that the execution fails.
    pub(super) fn fail(
        &mut self,
        code: Code,
        task: Option<(&runner_model::TaskName, RouteId)>,
        message: String,
        hint: &str,
    ) {
        self.failing = true;
        self.errors.push(ErrorRecord {
            task: task.map(|(task, _)| task.clone()),
            route: task.map(|(_, route)| route).filter(|route| route.0 > 0),
            transition: None,
            code: code.id().to_owned(),
            message,
            hint: (!hint.is_empty()).then(|| hint.to_owned()),
            details: None,
        });
    }
}

impl Arrivals {
    /// From how many tasks something has arrived: two transitions of one task count once.
    fn tasks(&self) -> usize {
        let mut tasks: Vec<_> = self.contexts.iter().map(|(transition, _)| transition.task).collect();
        tasks.sort_unstable();
        tasks.dedup();
        tasks.len()
    }
}

/// From how many tasks a join needs a transition.
pub(super) fn needed(plan: &Plan, task: usize, join: &Join) -> usize {
    match join {
        Join::Count(count) => *count,
        Join::All | Join::When(_) => {
            let mut tasks: Vec<_> = plan.inbound_of(task).iter().map(|transition| transition.task).collect();
            tasks.sort_unstable();
            tasks.dedup();
            tasks.len()
        }
    }
}
