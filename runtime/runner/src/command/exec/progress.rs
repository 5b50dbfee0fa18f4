//! What is shown of a running execution, on standard error: drawn on a terminal, plain stable lines in a pipe.

mod drawn;
mod lists;
mod notice;
mod plain;

use std::collections::HashMap;
use std::io::Write as _;
use std::time::Duration;

use drawn::Drawn;
use lists::Lists;
use notice::Notice;
use plain::Plain;
use runner_executor::{Progress, ProgressEvent, UnitId};
use runner_host::{LogLevel, LogLine, RequestSummary};
use runner_model::{ActionRef, ExecutionId, ExecutionView, Failure, StepId, TaskName, Timestamp};
use tracing::Level;

use crate::app::App;
use crate::output::{Output, elapsed, one_line};
use crate::spelling::Spelling;

/// How to show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Drawn, changing.
    Drawn,
    /// Lines.
    Plain,
    /// Not at all.
    Silent,
}

impl Style {
    /// What suits the output.
    const fn choose(output: &Output, silent: bool) -> Self {
        match () {
            // Standard error then holds nothing but the error document.
            () if silent || output.json => Self::Silent,
            () if output.error_terminal => Self::Drawn,
            () => Self::Plain,
        }
    }
}

/// A step that is at work.
#[derive(Debug, Clone)]
struct Step {
    task: TaskName,
    action: ActionRef,
    since: Timestamp,
}

/// Where it is shown.
enum Canvas {
    Drawn(Drawn),
    Plain(Plain),
    Silent,
}

/// Shows one execution, or several.
pub(crate) struct Display {
    canvas: Canvas,
    spelling: Spelling,
    /// A single action is its own only step: that one is not shown beside it.
    single: bool,
    steps: HashMap<(ExecutionId, UnitId), Step>,
    /// The tasks of steps that are known, also between two tries.
    tasks: HashMap<(ExecutionId, StepId), TaskName>,
    lists: Lists,
}

/// Something that happened at a step, for a canvas.
struct Happened<'a> {
    depth: u32,
    key: (ExecutionId, UnitId),
    step: &'a Step,
    /// Whether the step has a line of its own.
    shown: bool,
    /// If it is an item: how far its list is.
    list: Option<String>,
}

impl Happened<'_> {
    /// The task, with the item if it is one.
    fn place(&self) -> String {
        let task = &self.step.task;
        self.key.1.item.map_or_else(|| task.to_string(), |item| format!("{task}[{item}]"))
    }
}

impl Display {
    /// For one execution; `single` says that it is no workflow.
    pub(crate) fn new(app: &App, silent: bool, single: bool) -> Self {
        let canvas = match Style::choose(&app.output, silent) {
            Style::Drawn => Canvas::Drawn(Drawn::new(app.output)),
            Style::Plain => Canvas::Plain(Plain::new(app.output)),
            Style::Silent => Canvas::Silent,
        };
        let (steps, tasks, lists) = (HashMap::new(), HashMap::new(), Lists::default());
        Self { canvas, spelling: app.spelling.clone(), single, steps, tasks, lists }
    }

    /// For whatever happens in the process.
    pub(crate) fn of_many(app: &App) -> Self {
        Self::new(app, false, false)
    }

    /// Whether nothing is shown.
    pub(crate) const fn is_silent(&self) -> bool {
        matches!(self.canvas, Canvas::Silent)
    }

    /// It was recorded.
    pub(crate) fn begin(&self, id: ExecutionId, action: &ActionRef) {
        match &self.canvas {
            Canvas::Drawn(drawn) => drawn.begin(id, action),
            Canvas::Plain(plain) => plain.begin(id, action),
            Canvas::Silent => {}
        }
    }

    /// The step whose items are to be counted before this is shown.
    pub(crate) fn uncounted(&mut self, event: &ProgressEvent) -> Option<(ExecutionId, StepId)> {
        match (&event.progress, &self.canvas) {
            (_, Canvas::Silent) => None,
            (Progress::StepStarted { unit, .. }, _) if unit.item.is_some() => {
                self.lists.uncounted((event.execution, unit.step))
            }
            _ => None,
        }
    }

    /// A step runs over so many items.
    pub(crate) fn counted(&mut self, execution: ExecutionId, step: StepId, items: usize) {
        self.lists.counted((execution, step), items);
    }

    /// Something happened.
    pub(crate) fn event(&mut self, event: &ProgressEvent) {
        match &event.progress {
            Progress::StepStarted { unit, task, action } => {
                let begun = Step { task: task.clone(), action: action.clone(), since: event.at };
                self.steps.insert((event.execution, *unit), begun);
                self.tasks.insert((event.execution, unit.step), task.clone());
                self.at(event, *unit, |canvas, happened| match canvas {
                    Canvas::Drawn(drawn) => drawn.started(&happened),
                    Canvas::Plain(plain) => plain.started(&happened),
                    Canvas::Silent => {}
                });
            }
            Progress::Log { unit, line } => self.at(event, *unit, |canvas, happened| match canvas {
                Canvas::Drawn(drawn) => drawn.log(&happened, line),
                Canvas::Plain(plain) => plain.log(&happened, line),
                Canvas::Silent => {}
            }),
            Progress::Heartbeat { unit, progress } => self.at(event, *unit, |canvas, happened| {
                if let Canvas::Drawn(drawn) = canvas {
                    drawn.heartbeat(&happened, progress);
                }
            }),
            Progress::Request { unit, summary } => self.at(event, *unit, |canvas, happened| match canvas {
                Canvas::Drawn(drawn) => drawn.request(&happened, summary),
                Canvas::Plain(plain) => plain.request(&happened, summary),
                Canvas::Silent => {}
            }),
            Progress::StepFinished { unit, status, failure } => {
                let at = event.at;
                if unit.item.is_some() {
                    self.lists.ended((event.execution, unit.step));
                }
                self.at(event, *unit, |canvas, happened| {
                    let took = between(happened.step.since, at);
                    match canvas {
                        Canvas::Drawn(drawn) => drawn.finished(&happened, *status, failure.as_ref(), took),
                        Canvas::Plain(plain) => plain.finished(&happened, *status, failure.as_ref(), took),
                        Canvas::Silent => {}
                    }
                });
                self.steps.remove(&(event.execution, *unit));
            }
            Progress::StepDelayed { unit, .. } if unit.item.is_some() => {
                self.lists.again((event.execution, unit.step));
                self.notice(event);
            }
            Progress::StepSkipped { .. }
            | Progress::StepDelayed { .. }
            | Progress::WaitOpened { .. }
            | Progress::StatusChanged { .. }
            | Progress::CancelRequested { .. } => self.notice(event),
            // The end is shown when everything is written.
            Progress::Finished { .. } => {}
        }
    }

    /// Something that has no line of a step at work.
    fn notice(&mut self, event: &ProgressEvent) {
        let Some(notice) = Notice::of(event, &self.tasks, &self.spelling) else { return };
        match &mut self.canvas {
            Canvas::Drawn(drawn) => drawn.notice(event, &notice),
            Canvas::Plain(plain) => plain.notice(event.depth, &notice),
            Canvas::Silent => {}
        }
    }

    fn at(&mut self, event: &ProgressEvent, step: UnitId, show: impl FnOnce(&mut Canvas, Happened<'_>)) {
        let key = (event.execution, step);
        // A step whose start was lost to a slow terminal is not shown.
        let Some(known) = self.steps.get(&key) else { return };
        let shown = !(self.single && event.depth == 0);
        let list = step.item.map(|_| self.lists.far((event.execution, step.step)));
        show(&mut self.canvas, Happened { depth: event.depth, key, step: known, shown, list });
    }

    /// The terminal was too slow.
    pub(crate) fn lost(&self, events: u64) {
        tracing::warn!(events, "progress came faster than it could be shown; the record is complete");
    }

    /// Says that a signal has come, and what it does. Called from another task.
    pub(crate) fn stopping(&self) -> impl FnOnce() + Send + 'static {
        self.signalled("cancelling; once more to exit at once")
    }

    /// The same for a process that only leaves its executions.
    pub(crate) fn leaving(&self) -> impl FnOnce() + Send + 'static {
        self.signalled("leaving everything as it is recorded; once more to exit at once")
    }

    fn signalled(&self, text: &'static str) -> impl FnOnce() + Send + 'static + use<> {
        let silent = matches!(self.canvas, Canvas::Silent);
        let drawn = match &self.canvas {
            Canvas::Drawn(drawn) => Some(drawn.lines()),
            _ => None,
        };
        move || match drawn {
            Some(lines) => drop(lines.println(text)),
            // Whoever reads no more is not told; what was asked for is done all the same.
            None if !silent => drop(writeln!(std::io::stderr(), "{text}")),
            None => {}
        }
    }

    /// It ended, or is left as it is recorded.
    pub(crate) fn end(&mut self, view: Option<&ExecutionView>) {
        let Some(view) = view else {
            if let Canvas::Drawn(drawn) = &mut self.canvas {
                drawn.clear();
            }
            return;
        };
        match &mut self.canvas {
            Canvas::Drawn(drawn) => drawn.end(view),
            Canvas::Plain(plain) => plain.end(view),
            Canvas::Silent => {}
        }
    }
}

fn between(start: Timestamp, end: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(end.since_ms(start)).unwrap_or(0))
}

/// How long an execution took.
pub(crate) fn took(view: &ExecutionView) -> String {
    let start = view.record.started_at.unwrap_or(view.record.created_at);
    elapsed(view.record.finished_at.map(|end| between(start, end)).unwrap_or_default())
}

/// Whether a guest's line is to be seen, with as many `-v` as there are.
fn is_loud(line: &LogLine) -> bool {
    match line.level {
        LogLevel::Trace => tracing::enabled!(Level::TRACE),
        LogLevel::Debug => tracing::enabled!(Level::DEBUG),
        LogLevel::Info | LogLevel::Warn | LogLevel::Error => true,
    }
}

const fn level(line: &LogLine) -> &'static str {
    match line.level {
        LogLevel::Trace => "trace",
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}

/// A guest's line and its fields.
fn log_text(line: &LogLine) -> String {
    let fields: String = line.fields.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    crate::output::printable(&format!("{}{fields}", line.message))
}

fn request_text(summary: &RequestSummary) -> String {
    let RequestSummary { method, target, path, result, elapsed: took } = summary;
    let result = result.as_ref().map_or_else(Clone::clone, ToString::to_string);
    one_line(&format!("{method} {target} {path} → {result}, {}", elapsed(*took)), 200)
}

/// Why a step ended badly, in short: the whole of it comes at the end.
fn reason(failure: Option<&Failure>) -> String {
    failure.map(|failure| one_line(&format!("{}: {}", failure.code, failure.message), 160)).unwrap_or_default()
}
