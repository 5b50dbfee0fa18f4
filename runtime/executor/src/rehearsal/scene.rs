//! A workflow on the stage: the engine's conductor, with somebody who says how its steps end.

use std::sync::Arc;

use parking_lot::Mutex;
use runner_engine::rehearsal::{Call, Next, Play, PlayError};
use runner_engine::{Mismatch, Plan, RerunError};
use runner_model::{
    ErrorRecord, ExecutionId, ExecutionView, Failure, OnExpiry, Origin, Outcome, Requested, TaskName, Timestamp, Wait,
    WaitKind, code, limits,
};
use runner_pack::{Action, Asked, Body, Library, Mock, MockAnswer, MockEvent, Pack, Phase};
use serde_json::{Map, Value, json};

use super::coverage::Taken;
use super::errors;
use super::live::{Live, SentRequest};
use super::mocks::{Ending, Mocks, Wanted, ending, unmocked};
use super::observed::Observed;
use super::outside::{Arrival, Outside};
use super::preview::Approval;
use super::report::Difference;
use crate::attempt::{misfit, of_workflow, refused};
use crate::error::RequestError;

/// What all workflows of a rehearsal have in common.
pub(super) struct Stage<'a> {
    pub(super) library: &'a Library,
    /// What runs the steps that are not mocked; none lets them succeed.
    pub(super) live: Option<&'a Live>,
    pub(super) answers: &'a [MockAnswer],
    pub(super) events: &'a [MockEvent],
    /// When the rehearsal began.
    pub(super) start: Timestamp,
    /// Questions that nobody answers are answered as if people agreed, and put here.
    pub(super) approvals: Option<&'a Mutex<Vec<Approval>>>,
}

/// The workflow that is played.
pub(super) struct Role<'a> {
    pub(super) plan: Arc<Plan>,
    pub(super) pack: &'a Pack,
    pub(super) requested: Requested,
    pub(super) id: ExecutionId,
}

/// A workflow that is played.
pub(super) struct Scene<'a> {
    stage: &'a Stage<'a>,
    play: Play,
    outside: Outside<'a>,
    id: ExecutionId,
    depth: u32,
    /// The requests of this phase.
    requests: Vec<SentRequest>,
    /// Answers that did not fit, with the reason.
    refused: Vec<String>,
}

/// Why a phase could not be played.
pub(super) enum Refusal {
    /// It cannot be run again from there.
    Rerun(ErrorRecord),
    /// A defect of the engine.
    Mismatch(Mismatch),
}

impl From<Mismatch> for Refusal {
    fn from(mismatch: Mismatch) -> Self {
        Self::Mismatch(mismatch)
    }
}

impl<'a> Scene<'a> {
    pub(super) fn begin(stage: &'a Stage<'a>, role: Role<'_>, now: Timestamp) -> Result<Self, Mismatch> {
        let Role { plan, pack, requested, id } = role;
        let depth = requested.depth;
        let play = Play::new(plan, id, requested, Arc::new(pack.config.clone()), now)?;
        let outside = Outside::new(stage.answers, stage.events, stage.start, stage.approvals);
        Ok(Self { stage, play, outside, id, depth, requests: Vec::new(), refused: Vec::new() })
    }

    /// Plays until it ends, or until nothing more happens.
    pub(super) async fn play(&mut self, mocks: &[Mock], taken: &mut Taken) -> Result<(), Mismatch> {
        let mut mocks = Mocks::new(mocks);
        loop {
            match self.next()? {
                Next::Call(call) => self.act(*call, &mut mocks, taken).await?,
                Next::Idle { .. } if self.deliver()? => {}
                Next::Idle { .. } | Next::Ended => return Ok(()),
            }
        }
    }

    /// Runs parts of what was played again.
    pub(super) async fn rerun(&mut self, phase: &Phase, taken: &mut Taken) -> Result<(), Refusal> {
        self.requests.clear();
        self.refused.clear();
        match self.play.rerun("rehearsal", phase.tasks.clone()) {
            Ok(()) => Ok(self.play(&phase.mocks, taken).await?),
            Err(PlayError::Rerun(error)) => Err(Refusal::Rerun(record(&error))),
            Err(PlayError::Mismatch(mismatch)) => Err(Refusal::Mismatch(mismatch)),
        }
    }

    /// What has come of it so far.
    pub(super) fn observed(&self) -> Observed {
        Observed {
            status: self.play.status(),
            passages: self.play.sequence(),
            routes: self.play.routes(),
            output: self.play.output().cloned().unwrap_or(Value::Null),
            errors: errors::all(self.play.entries(), self.play.errors()),
            requests: self.requests.clone(),
        }
    }

    pub(super) fn taken(&self) -> Vec<(TaskName, usize)> {
        self.play.taken()
    }

    /// The execution, as it would be recorded.
    pub(super) fn view(&self) -> Option<ExecutionView> {
        ExecutionView::fold(self.id, self.play.entries())
    }

    /// Answers that did not fit, with the reason.
    pub(super) fn refused(&self) -> &[String] {
        &self.refused
    }

    /// The answers of the phase that could not be given.
    pub(super) fn refused_answers(&self, phase: usize) -> Vec<Difference> {
        self.refused.iter().map(|reason| Difference::trouble(phase, "answers", reason)).collect()
    }

    /// What happens next. Time moves only when nothing is left to do now, and not past what comes from outside.
    fn next(&mut self) -> Result<Next, Mismatch> {
        let now = self.play.next_until(Some(self.play.now()))?;
        if !matches!(now, Next::Idle { .. }) {
            return Ok(now);
        }
        self.outside.look(self.play.entries());
        self.play.next_until(self.outside.next())
    }

    /// Hands over what has come from outside; says whether there was anything.
    fn deliver(&mut self) -> Result<bool, Mismatch> {
        let mut any = false;
        while let Some(arrival) = self.outside.arrived(self.play.now()) {
            any = true;
            match arrival {
                Ok(Arrival::Answer { unit, by, answer }) => self.play.answer(unit, &by, answer)?,
                Ok(Arrival::End(call, outcome)) => self.play.finish(&call, outcome)?,
                Err(reason) => self.refused.push(reason),
            }
        }
        Ok(any)
    }

    /// Says how an attempt ends.
    async fn act(&mut self, call: Call, mocks: &mut Mocks<'_>, taken: &mut Taken) -> Result<(), Mismatch> {
        let wanted = Wanted { task: &call.name, route: call.route, place: call.seq, item: call.unit.item };
        match mocks.take(wanted).map(ending) {
            Some(Ending::Ends(outcome)) => self.play.finish(&call, outcome),
            Some(Ending::Waits) => self.play.wait(&call, for_ever()),
            Some(Ending::Runs) => Ok(()),
            None => self.unmocked(call, taken).await,
        }
    }

    async fn unmocked(&mut self, call: Call, taken: &mut Taken) -> Result<(), Mismatch> {
        let found = self.stage.library.action(&call.action);
        if let Some((_, action)) = found {
            match waits(action, &call.input, self.play.now()) {
                Ok(Some(wait)) => return self.play.wait(&call, wait),
                Err(outcome) => return self.play.finish(&call, outcome),
                Ok(None) => {}
            }
        }
        match (self.stage.live, found) {
            (None, _) => self.play.finish(&call, unmocked()),
            (Some(_), None) => {
                let hint = self.stage.library.suggest(call.action.as_str());
                let error = RequestError::UnknownAction { action: call.action.clone(), hint };
                self.play.finish(&call, refused(&error))
            }
            (Some(live), Some((pack, action))) => match &action.body {
                Body::Workflow(plan) => self.below(call, (pack, action, plan), taken).await,
                _ => {
                    let (outcome, sent) = live.run(self.id, &call, (pack, action), self.play.now()).await;
                    self.requests.extend(sent);
                    self.play.finish(&call, outcome)
                }
            },
        }
    }

    /// Plays a sub-workflow: it begins now, and the step ends when it has.
    async fn below(
        &mut self,
        call: Call,
        (pack, action, plan): (&Pack, &Action, &Arc<Plan>),
        taken: &mut Taken,
    ) -> Result<(), Mismatch> {
        let depth = self.depth + 1;
        if depth > limits::WORKFLOW_DEPTH_MAX {
            let message = format!("workflows are nested deeper than {}", limits::WORKFLOW_DEPTH_MAX);
            let failure = Failure::new(code::EXEC_DEPTH, message);
            return self.play.finish(&call, Outcome::Failed { failure });
        }
        let asked = Asked { depth, simulate: true, ..Asked::by(Origin::Cli) };
        let requested = match action.request(pack, members(&call.input), asked) {
            Ok(requested) => requested,
            Err(mistakes) => return self.play.finish(&call, misfit(action, mistakes)),
        };
        let id = self.id.child(call.unit.step, call.unit.item, call.attempt);
        let mut scene = Scene::begin(self.stage, Role { plan: plan.clone(), pack, requested, id }, self.play.now())?;
        Box::pin(scene.play(&[], taken)).await?;
        taken.take(&action.reference, plan, scene.taken());
        self.requests.append(&mut scene.requests);
        self.refused.append(&mut scene.refused);
        let Some(outcome) = scene.outcome() else { return self.play.child_paused(&call, true) };
        if scene.play.now() > self.play.now() {
            self.outside.end_later(scene.play.now(), call, outcome);
            return Ok(());
        }
        self.play.finish(&call, outcome)
    }

    /// What it comes to for a step that called it; none if it has not ended.
    fn outcome(&self) -> Option<Outcome> {
        let view = ExecutionView::fold(self.id, self.play.entries())?;
        self.play.status().is_terminal().then(|| of_workflow(view))
    }
}

/// What an action waits for, if it does nothing else; how it ends, if it is not asked properly.
fn waits(action: &Action, input: &Value, now: Timestamp) -> Result<Option<Wait>, Outcome> {
    if !matches!(action.body, Body::Inquiry | Body::WaitFor) {
        return Ok(None);
    }
    let bound = action.parameters.bind(members(input));
    bound.and_then(|bound| action.wait(&bound, now)).map_err(|mistakes| misfit(action, mistakes))
}

fn members(input: &Value) -> Map<String, Value> {
    input.as_object().cloned().unwrap_or_default()
}

/// What a step waits for whose mock says no more than that it waits.
fn for_ever() -> Wait {
    let kind = WaitKind::Inquiry {
        prompt: String::new(),
        schema: json!(true),
        roles: Vec::new(),
        users: Vec::new(),
        route: String::new(),
    };
    Wait { kind, expires_at: None, on_expiry: OnExpiry::Timeout }
}

/// A rerun that is refused, as an error of the execution.
fn record(error: &RerunError) -> ErrorRecord {
    let task = match error {
        RerunError::NotRun { task } => Some(task.clone()),
        _ => None,
    };
    ErrorRecord {
        task,
        route: None,
        transition: None,
        code: code::EXEC_RERUN.id().to_owned(),
        message: error.to_string(),
        hint: None,
        details: None,
    }
}
