//! Drawn on a terminal: a spinner for each step at work, a line for each that ended.

use std::collections::HashMap;
use std::time::Duration;

use console::Style;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use runner_executor::{Progress, ProgressEvent, UnitId};
use runner_host::{LogLevel, LogLine, RequestSummary};
use runner_model::{ActionRef, ExecutionId, ExecutionView, Failure, Status};

use super::notice::Notice;
use super::{Happened, is_loud, level, log_text, reason, request_text, took};
use crate::output::{Output, above_progress, elapsed, one_line};

/// Fast enough to look alive, slow enough to cost nothing.
const TICK: Duration = Duration::from_millis(100);

pub(super) struct Drawn {
    output: Output,
    lines: MultiProgress,
    spinners: HashMap<(ExecutionId, UnitId), ProgressBar>,
}

impl Drawn {
    pub(super) fn new(output: Output) -> Self {
        let lines = MultiProgress::new();
        above_progress(lines.clone());
        Self { output, lines, spinners: HashMap::new() }
    }

    /// To write above the spinners.
    pub(super) fn lines(&self) -> MultiProgress {
        self.lines.clone()
    }

    fn line(&self, happened: &Happened<'_>, text: &str) {
        // A terminal that went away has nobody to tell.
        let _ = self.lines.println(format!("{}{text}", indent(happened)));
    }

    fn styled(&self, style: Style, text: &str) -> String {
        self.output.error_style(style, text).to_string()
    }

    fn dim(&self, text: &str) -> String {
        self.styled(Style::new().dim(), text)
    }

    pub(super) fn begin(&self, id: ExecutionId, action: &ActionRef) {
        let _ = self.lines.println(format!(
            "{} {}",
            self.styled(Style::new().bold(), action.as_str()),
            self.dim(&id.to_string())
        ));
    }

    pub(super) fn started(&mut self, happened: &Happened<'_>) {
        let key = line_of(happened);
        if let Some(spinner) = self.spinners.get(&key) {
            spinner.set_message(self.name(happened));
            return;
        }
        let spinner = self.lines.add(ProgressBar::new_spinner());
        let template = format!("{}{{spinner}} {{msg}} {{elapsed}}", indent(happened));
        if let Ok(style) = ProgressStyle::with_template(&template) {
            spinner.set_style(style.tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "));
        }
        spinner.set_message(self.name(happened));
        spinner.enable_steady_tick(TICK);
        self.spinners.insert(key, spinner);
    }

    fn name(&self, happened: &Happened<'_>) -> String {
        let action = happened.step.action.as_str();
        let far = happened.list.as_ref().map(|far| format!(" {far}")).unwrap_or_default();
        if happened.shown { format!("{} {}{far}", happened.step.task, self.dim(action)) } else { action.to_owned() }
    }

    pub(super) fn log(&self, happened: &Happened<'_>, line: &LogLine) {
        if is_loud(line) {
            let style = match line.level {
                LogLevel::Error => Style::new().red(),
                LogLevel::Warn => Style::new().yellow(),
                LogLevel::Info => Style::new().green(),
                LogLevel::Debug | LogLevel::Trace => Style::new().dim(),
            };
            self.line(happened, &format!("  {} {}", self.styled(style, level(line)), log_text(line)));
        }
    }

    pub(super) fn heartbeat(&self, happened: &Happened<'_>, progress: &str) {
        if let Some(spinner) = self.spinners.get(&line_of(happened)) {
            spinner.set_message(format!("{} {}", self.name(happened), self.dim(&one_line(progress, 60))));
        }
    }

    pub(super) fn request(&self, happened: &Happened<'_>, summary: &RequestSummary) {
        if tracing::enabled!(tracing::Level::INFO) {
            self.line(happened, &self.dim(&format!("  {}", request_text(summary))));
        }
    }

    pub(super) fn finished(
        &mut self,
        happened: &Happened<'_>,
        status: Status,
        failure: Option<&Failure>,
        took: Duration,
    ) {
        let is_over = happened.list.as_ref().is_none_or(|far| is_all(far));
        if is_over {
            self.clear_line(line_of(happened));
        } else if let Some(spinner) = self.spinners.get(&line_of(happened)) {
            spinner.set_message(self.name(happened));
        }
        // Of items, those that went wrong have a line, and the list has one when it is done.
        if happened.shown && (is_over || status != Status::Succeeded) {
            let took = self.dim(&elapsed(took));
            let name = if status == Status::Succeeded { self.name(happened) } else { happened.place() };
            let text = format!("{} {name} {took} {}", self.mark(status), reason(failure));
            self.line(happened, text.trim_end());
        }
    }

    fn clear_line(&mut self, key: (ExecutionId, UnitId)) {
        if let Some(spinner) = self.spinners.remove(&key) {
            spinner.finish_and_clear();
            self.lines.remove(&spinner);
        }
    }

    pub(super) fn notice(&mut self, event: &ProgressEvent, notice: &Notice) {
        if let Progress::WaitOpened { unit, .. } = &event.progress {
            // What waits does not turn.
            self.clear_line((event.execution, UnitId { step: unit.step, item: None }));
        }
        let indent = "  ".repeat(usize::try_from(event.depth).unwrap_or_default());
        let _ = self.lines.println(format!("{indent}{} {} {}", notice.mark, self.dim(notice.word), notice.text));
    }

    fn mark(&self, status: Status) -> String {
        match status {
            Status::Succeeded => self.styled(Style::new().green(), "✔"),
            Status::Skipped => self.dim("-"),
            Status::Canceled => self.styled(Style::new().yellow(), "■"),
            _ => self.styled(Style::new().red(), "✖"),
        }
    }

    pub(super) fn clear(&mut self) {
        for (_, spinner) in self.spinners.drain() {
            spinner.finish_and_clear();
        }
    }

    pub(super) fn end(&mut self, view: &ExecutionView) {
        self.clear();
        let (status, action) = (view.record.status, &view.record.action);
        let text = format!("{} {action} {} {}", self.mark(status), status.as_str(), self.dim(&took(view)));
        let _ = self.lines.println(text);
    }
}

/// The line of a step; its items share one.
const fn line_of(happened: &Happened<'_>) -> (ExecutionId, UnitId) {
    (happened.key.0, UnitId { step: happened.key.1.step, item: None })
}

/// Whether `3 of 3` says that nothing is left.
fn is_all(far: &str) -> bool {
    far.split_once(" of ").is_some_and(|(done, all)| done == all)
}

fn indent(happened: &Happened<'_>) -> String {
    "  ".repeat(usize::try_from(happened.depth).unwrap_or_default())
}
