//! What happens in an execution and in those that its steps start, as one stream: each has server-sent events of its own.
//!
//! What happens in one comes in the order in which it was recorded. The end of a step that started another execution comes
//! after everything that happened in that one.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream, SelectAll};
use runner_model::{ActionRef, AttemptNumber, Entry, ExecutionId, Fact, ItemIndex, StepId};
use runner_server::control::Line;
use serde::Deserialize;
use tokio::time::Instant;

use super::{Event, Heard, Remote, segment};
use crate::error::CliError;
use crate::exit::Exit;

/// How long to wait for an execution that a step starts: the step is recorded before it.
const BEGINS: Duration = Duration::from_secs(5);
/// How often to look for it meanwhile.
const LOOK: Duration = Duration::from_millis(50);
/// How long the end of a step is kept back for that of the execution which it started.
const PATIENCE: Duration = Duration::from_secs(2);

/// Something that happened.
pub(crate) enum Happened {
    /// Something was recorded.
    Recorded {
        /// In which execution.
        execution: ExecutionId,
        /// How many steps start it, one in the other.
        depth: u32,
        /// What.
        entry: Box<Entry>,
    },
    /// A guest said something.
    Said(Box<Line>),
}

/// See the module.
pub(crate) struct Tree {
    remote: Remote,
    root: ExecutionId,
    streams: SelectAll<BoxStream<'static, (ExecutionId, Result<Heard, CliError>)>>,
    parts: BTreeMap<ExecutionId, Part>,
    /// What was heard and not yet looked at.
    heard: VecDeque<(ExecutionId, Event)>,
    /// What each action is that was asked for: whether it runs as an execution of its own.
    workflows: HashMap<ActionRef, bool>,
    is_alone: bool,
}

/// An execution.
struct Part {
    depth: u32,
    actions: HashMap<(StepId, Option<ItemIndex>), ActionRef>,
    attempts: HashMap<(StepId, Option<ItemIndex>), AttemptNumber>,
    has_ended: bool,
    /// Whether what happens in it is not heard just now.
    is_cut: bool,
    /// The execution whose end comes first, and what is kept back until then.
    waits_for: Option<(ExecutionId, Instant)>,
    kept: VecDeque<Event>,
}

impl Tree {
    /// The execution `root`, of which `seen` is known already.
    pub(crate) fn of(remote: &Remote, root: ExecutionId, seen: &[Entry]) -> Self {
        let (streams, parts) = (SelectAll::new(), BTreeMap::new());
        let mut tree = Self {
            remote: remote.clone(),
            root,
            streams,
            parts,
            heard: VecDeque::new(),
            workflows: HashMap::new(),
            is_alone: false,
        };
        tree.add(root, 0, seen);
        tree
    }

    /// The same without the executions that its steps start.
    pub(crate) fn alone(self) -> Self {
        Self { is_alone: true, ..self }
    }

    /// Another one, that is known already.
    pub(crate) fn add(&mut self, id: ExecutionId, depth: u32, seen: &[Entry]) {
        if self.parts.contains_key(&id) {
            return;
        }
        let mut part = Part {
            depth,
            actions: HashMap::new(),
            attempts: HashMap::new(),
            has_ended: false,
            is_cut: false,
            waits_for: None,
            kept: VecDeque::new(),
        };
        seen.iter().for_each(|entry| part.learn(&entry.fact));
        self.parts.insert(id, part);
        let after = (!seen.is_empty()).then(|| seen.len().to_string());
        self.streams.push(events_of(&self.remote, id, after, id != self.root));
    }

    /// What happens next; none when the root has ended. Nothing is lost if this is dropped.
    pub(crate) async fn next(&mut self) -> Result<Option<Happened>, CliError> {
        loop {
            // Looking an action up takes a while: until that is done the event stays where it is.
            while let Some((id, event)) = self.heard.front().cloned() {
                let looked = self.look(id, &event).await;
                self.heard.pop_front();
                if looked && let Some(happened) = self.take(id, event)? {
                    return Ok(Some(happened));
                }
            }
            if self.parts.get(&self.root).is_none_or(|root| root.has_ended) {
                return Ok(None);
            }
            let patience = self.parts.values().filter_map(|part| part.waits_for).map(|(_, until)| until).min();
            let forever = Instant::now() + BEGINS;
            tokio::select! {
                next = self.streams.next() => match next {
                    Some((id, Ok(Heard::Event(event)))) => self.heard.push_back((id, event)),
                    Some((id, Ok(Heard::Cut))) => self.set_cut(id, true),
                    Some((id, Ok(Heard::Joined))) => self.set_cut(id, false),
                    Some((id, Err(error))) if id == self.root => return Err(error),
                    Some((id, Err(_))) => self.end(id),
                    None => return Ok(None),
                },
                () = tokio::time::sleep_until(patience.unwrap_or(forever)) => self.release(Instant::now()),
            }
        }
    }

    /// Keeps an event back if it is not its turn; else sees to it that everything is known that it needs.
    async fn look(&mut self, id: ExecutionId, event: &Event) -> bool {
        let Some(part) = self.parts.get_mut(&id) else { return false };
        if part.waits_for.is_some() {
            part.kept.push_back(event.clone());
            return false;
        }
        let begins = match read(event) {
            Some(Entry { fact: Fact::AttemptStarted { step, item, .. }, .. }) => part.action(step, item),
            _ => None,
        };
        if let Some(action) = begins.filter(|_| !self.is_alone) {
            let is_known = self.workflows.contains_key(&action);
            if !is_known {
                let is_workflow = is_workflow(&self.remote, &action).await;
                self.workflows.insert(action, is_workflow);
            }
        }
        true
    }

    fn take(&mut self, id: ExecutionId, event: Event) -> Result<Option<Happened>, CliError> {
        match event.kind.as_str() {
            "end" => {
                self.end(id);
                Ok(None)
            }
            "log" | "heartbeat" | "request" | "lost" => {
                let line: Option<Line> = serde_json::from_str(&event.data).ok();
                // What others say that it started comes with them.
                Ok(line.filter(|line| line.execution == id).map(|line| Happened::Said(Box::new(line))))
            }
            // A newer daemon may record what this one does not know.
            _ => Ok(read(&event).and_then(|entry| self.recorded(id, entry, event))),
        }
    }

    fn recorded(&mut self, id: ExecutionId, entry: Entry, event: Event) -> Option<Happened> {
        if let Fact::AttemptFinished { step, item, .. } = &entry.fact
            && let Some(child) = self.parts.get(&id).and_then(|part| part.child(id, *step, *item))
            && self.parts.get(&child).is_some_and(|child| !child.has_ended)
        {
            let part = self.parts.get_mut(&id)?;
            part.waits_for = Some((child, Instant::now() + PATIENCE));
            part.kept.push_front(event);
            return None;
        }
        let part = self.parts.get_mut(&id)?;
        part.learn(&entry.fact);
        let depth = part.depth;
        if let Fact::AttemptStarted { step, item, attempt } = entry.fact
            && part.action(step, item).is_some_and(|action| self.workflows.get(&action) == Some(&true))
        {
            self.add(id.child(step, item, attempt), depth + 1, &[]);
        }
        Some(Happened::Recorded { execution: id, depth, entry: Box::new(entry) })
    }

    fn set_cut(&mut self, id: ExecutionId, is_cut: bool) {
        if let Some(part) = self.parts.get_mut(&id) {
            part.is_cut = is_cut;
        }
    }

    fn end(&mut self, id: ExecutionId) {
        if let Some(part) = self.parts.get_mut(&id) {
            part.has_ended = true;
        }
        self.release(Instant::now());
    }

    /// Lets go what was kept back for executions that have ended, or for too long.
    fn release(&mut self, now: Instant) {
        let those = |is: fn(&Part) -> bool| {
            let parts = self.parts.iter().filter(|(_, part)| is(part));
            parts.map(|(id, _)| *id).collect::<Vec<_>>()
        };
        let (ended, cut) = (those(|part| part.has_ended), those(|part| part.is_cut));
        for (id, part) in &mut self.parts {
            if let Some((child, until)) = &mut part.waits_for
                && cut.contains(child)
            {
                // Its end may have come, and is only not heard yet.
                *until = (*until).max(now + PATIENCE);
            }
            if part.waits_for.is_some_and(|(child, until)| until <= now || ended.contains(&child)) {
                if let Some((child, _)) = part.waits_for.take()
                    && !ended.contains(&child)
                {
                    // It is waited for no longer.
                    part.attempts.retain(|(step, item), attempt| id.child(*step, *item, *attempt) != child);
                }
                let kept = std::mem::take(&mut part.kept);
                // Before what came since.
                kept.into_iter().rev().for_each(|event| self.heard.push_front((*id, event)));
            }
        }
    }
}

impl Part {
    fn learn(&mut self, fact: &Fact) {
        match fact {
            Fact::StepScheduled { step, action, .. } => drop(self.actions.insert((*step, None), action.clone())),
            Fact::ItemScheduled { step, item, action, .. } => {
                self.actions.insert((*step, Some(*item)), action.clone());
            }
            Fact::AttemptStarted { step, item, attempt } => drop(self.attempts.insert((*step, *item), *attempt)),
            _ => {}
        }
    }

    fn action(&self, step: StepId, item: Option<ItemIndex>) -> Option<ActionRef> {
        self.actions.get(&(step, item)).cloned()
    }

    /// The execution that a step would have started.
    fn child(&self, id: ExecutionId, step: StepId, item: Option<ItemIndex>) -> Option<ExecutionId> {
        self.attempts.get(&(step, item)).map(|attempt| id.child(step, item, *attempt))
    }
}

fn read(event: &Event) -> Option<Entry> {
    serde_json::from_str(&event.data).ok()
}

/// Whether an action runs as an execution of its own. Of one that is gone nobody knows.
async fn is_workflow(remote: &Remote, action: &ActionRef) -> bool {
    #[derive(Deserialize)]
    struct Kind {
        runner_type: String,
    }
    let found = remote.get::<Kind>(&format!("/api/v1/actions/{}", segment(action.as_str())), &[]).await;
    found.is_ok_and(|kind| kind.runner_type == "workflow")
}

/// The events of one execution to its end; of a `child` also from before it is there.
fn events_of(
    remote: &Remote,
    id: ExecutionId,
    after: Option<String>,
    child: bool,
) -> BoxStream<'static, (ExecutionId, Result<Heard, CliError>)> {
    let remote = remote.clone();
    let new = move || remote.events(format!("/api/v1/executions/{id}/events"), after.clone());
    let begin = (new(), new, Instant::now() + BEGINS, false);
    let events = stream::unfold(begin, move |(mut events, new, until, is_over)| async move {
        if is_over {
            return None;
        }
        loop {
            match events.next().await {
                Err(error) if child && error.exit == Exit::NotFound && Instant::now() < until => {
                    tokio::time::sleep(LOOK).await;
                    events = new();
                }
                next => {
                    let is_end = |heard: &Heard| matches!(heard, Heard::Event(event) if event.kind == "end");
                    let is_over = next.as_ref().map_or(true, is_end);
                    return Some(((id, next), (events, new, until, is_over)));
                }
            }
        }
    });
    events.boxed()
}
