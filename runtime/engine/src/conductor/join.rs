//! Where branches meet: arrivals at tasks, routes into split tasks, joins.

use runner_model::{ErrorRecord, Purpose, RouteId, code};

use super::Stop;
use super::context::Context;
use super::state::{End, Held, Source, State};
use super::step::Work;
use crate::expression::EvaluationError;
use crate::plan::{Join, Plan, Target, TransitionId};

/// Transitions that have arrived at a task that joins them, with the context that each brings, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Arrivals {
    pub(super) contexts: Vec<(TransitionId, Context)>,
    /// Whether the join has started its task: it does so once, unless it is in a cycle.
    pub(super) met: bool,
}

impl State {
    /// A transition arrived at a task: starts it, or waits for others where it joins them.
    pub(super) fn arrive(
        &mut self,
        plan: &Plan,
        transition: TransitionId,
        target: &Target,
        of: RouteId,
        context: Context,
    ) -> Result<(), Stop> {
        let Target::Task(name) = target else { return Ok(()) };
        let Some((task, _, written)) = plan.tasks.get_full(name) else {
            return Err(Stop::mismatch(format!("there is no task `{name}`")));
        };
        let route = self.route_into(plan, transition, target, of);
        let from = Some(Source { task: transition.task, route: of });
        let Some(join) = &written.join else {
            return self.begin_step(plan, Held { task, from, route, context });
        };
        let in_cycle = plan.in_cycle.get(task).copied().unwrap_or(false);
        let mut decided = self.decided.iter().filter_map(|number| self.steps.get(*number));
        let is_decided = decided.any(|step| step.purpose.is_task() && step.task == task && step.route == route);
        let arrivals = self.arrivals.entry((task, route)).or_default();
        let is_waiting = arrivals.met && is_decided;
        if arrivals.met && in_cycle && !is_waiting {
            *arrivals = Arrivals::default();
        }
        arrivals.contexts.push((transition, context.clone()));
        if is_waiting {
            // What comes before the task was recorded goes with it.
            return self.begin_step(plan, Held { task, from, route, context });
        }
        // A join on a condition is looked at when nothing more can come.
        if arrivals.met || matches!(join, Join::When(_)) || arrivals.sources().len() < needed(plan, task, join) {
            return Ok(());
        }
        arrivals.met = true;
        let context = self.deltas.join(arrivals.contexts.iter().map(|(_, context)| context));
        self.begin_step(plan, Held { task, from, route, context })
    }

    /// The route on which a target is reached: a split gets one of its own for each transition that leads to it.
    pub(super) fn route_into(
        &mut self,
        plan: &Plan,
        transition: TransitionId,
        target: &Target,
        route: RouteId,
    ) -> RouteId {
        if !plan.splits(target) {
            return route;
        }
        let crossing = plan.crossing(transition, target);
        let passed = usize::try_from(route.0).ok().and_then(|route| self.routes.get(route));
        if passed.is_some_and(|passed| passed.contains(&crossing)) {
            return route;
        }
        let longer = passed.into_iter().flatten().copied().chain([crossing]).collect();
        self.routes.push(longer);
        RouteId(u32::try_from(self.routes.len() - 1).unwrap_or(u32::MAX))
    }

    /// Looks at joins on conditions: one at which nothing more can arrive starts its task, or skips it.
    pub(super) fn decide_conditional_joins(&mut self, plan: &Plan) -> Result<(), Stop> {
        while !self.is_stopping() {
            let Some((task, route)) = self.decidable_join(plan) else { return Ok(()) };
            let Some((name, written)) = plan.tasks.get_index(task) else { return Ok(()) };
            let Some(Join::When(condition)) = &written.join else { return Ok(()) };
            let Some(arrivals) = self.arrivals.get_mut(&(task, route)) else { return Ok(()) };
            arrivals.met = true;
            let context = self.deltas.join(arrivals.contexts.iter().map(|(_, context)| context));
            let from = arrivals.contexts.last().map(|(transition, _)| Source { task: transition.task, route });
            let frame = self.frame(context.variables(), None);
            let held = Held { task, from, route, context };
            match condition.holds(&frame) {
                Ok(true) => self.begin_step(plan, held)?,
                Ok(false) => {
                    self.add_step(held, Purpose::Task, Work::Skip, None);
                }
                Err(error @ EvaluationError::NeedsKv { .. }) => {
                    if let Some(arrivals) = self.arrivals.get_mut(&(task, route)) {
                        arrivals.met = false;
                    }
                    self.note(None, None, &error)?;
                }
                Err(error) => {
                    self.end_branch(&held);
                    self.note(Some((name, route)), None, &error)?;
                }
            }
        }
        Ok(())
    }

    /// A join on a condition at which something has arrived and nothing more can: no step that has not ended leads, by
    /// whatever way, to a task that has not arrived.
    fn decidable_join(&self, plan: &Plan) -> Option<(usize, RouteId)> {
        let is_open = |task: usize, arrivals: &Arrivals| {
            let joins = plan.tasks.get_index(task).and_then(|(_, task)| task.join.as_ref());
            !arrivals.met && !arrivals.contexts.is_empty() && matches!(joins, Some(Join::When(_)))
        };
        let open: Vec<_> = self.arrivals.iter().filter(|((task, _), arrivals)| is_open(*task, arrivals)).collect();
        if open.is_empty() {
            return None;
        }
        let under_way = self.open.iter().chain(&self.decided).filter_map(|step| self.steps.get(*step));
        let tasks: Vec<usize> = under_way.map(|step| step.task).collect();
        let by_itself = |key: &(usize, RouteId), arrivals: &Arrivals, with_joins: bool| {
            let others = open.iter().filter(|(other, _)| with_joins && *other != key).map(|((task, _), _)| *task);
            let live = plan.reachable(tasks.iter().copied().chain(others));
            let arrived = arrivals.sources();
            plan.inbound_of(key.0)
                .iter()
                .all(|inbound| arrived.contains(&inbound.task) || !live.get(inbound.task).copied().unwrap_or(false))
        };
        let clear = open.iter().find(|(key, arrivals)| by_itself(key, arrivals, true));
        // Joins that wait for one another: nothing but the first of them can break the circle.
        let first = || open.iter().find(|(key, arrivals)| by_itself(key, arrivals, false));
        clear.or_else(first).map(|(key, _)| **key)
    }

    /// Joins that something arrived at and that can no longer be met.
    pub(super) fn check_joins(&mut self, plan: &Plan) {
        let stopped = self.is_stopping();
        let mut unreachable = Vec::new();
        for ((task, route), arrivals) in self.arrivals.iter().filter(|(_, arrivals)| !arrivals.met) {
            let end = |(transition, context): &(TransitionId, Context)| End {
                at: Source { task: transition.task, route: *route },
                context: context.clone(),
            };
            self.ends.extend(arrivals.contexts.iter().map(end));
            let Some((name, written)) = plan.tasks.get_index(*task).filter(|_| !stopped) else { continue };
            let (Some(join), false) = (&written.join, arrivals.contexts.is_empty()) else { continue };
            let name_of = |task: &usize| plan.tasks.get_index(*task).map_or("", |(name, _)| name.as_str());
            let arrived: Vec<_> = arrivals.sources().iter().map(name_of).collect();
            unreachable.push(ErrorRecord {
                task: Some(name.clone()),
                route: Some(*route).filter(|route| *route > RouteId(0)),
                transition: None,
                code: code::FLOW_UNREACHABLE_JOIN.id().to_owned(),
                message: format!(
                    "the join at `{name}` needs transitions from {} tasks and got them from {} ({})",
                    needed(plan, *task, join),
                    arrived.len(),
                    arrived.join(", ")
                ),
                hint: Some(
                    "give the missing tasks a transition for every outcome, or join fewer with `join: N`".to_owned(),
                ),
                details: None,
            });
        }
        self.failing |= !unreachable.is_empty();
        self.errors.extend(unreachable);
    }
}

impl Arrivals {
    /// The tasks from which something has arrived, in the order of arrival: two transitions of one task count once.
    pub(super) fn sources(&self) -> Vec<usize> {
        let mut tasks = Vec::new();
        for (transition, _) in &self.contexts {
            if !tasks.contains(&transition.task) {
                tasks.push(transition.task);
            }
        }
        tasks
    }
}

/// From how many tasks a join needs a transition.
fn needed(plan: &Plan, task: usize, join: &Join) -> usize {
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
