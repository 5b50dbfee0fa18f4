//! Plain lines: a word, the task, and what there is to say. Programs may read them.

use std::time::Duration;

use runner_host::{LogLine, RequestSummary};
use runner_model::{ActionRef, ExecutionId, ExecutionView, Failure, Status};

use super::notice::Notice;
use super::{Happened, is_loud, level, log_text, reason, request_text, took};
use crate::output::{Output, elapsed};

pub(super) struct Plain {
    output: Output,
}

impl Plain {
    pub(super) const fn new(output: Output) -> Self {
        Self { output }
    }

    pub(super) fn begin(&self, id: ExecutionId, action: &ActionRef) {
        self.output.note(format!("execution {id} {action}"));
    }

    fn line(&self, happened: &Happened<'_>, word: &str, text: &str) {
        let indent = "  ".repeat(usize::try_from(happened.depth).unwrap_or_default());
        let task = if happened.shown { format!("{} ", happened.place()) } else { String::new() };
        self.output.note(format!("{indent}{word:<9} {task}{text}").trim_end());
    }

    pub(super) fn started(&self, happened: &Happened<'_>) {
        if happened.shown {
            self.line(happened, "started", happened.step.action.as_str());
        }
    }

    pub(super) fn log(&self, happened: &Happened<'_>, line: &LogLine) {
        if is_loud(line) {
            self.line(happened, "log", &format!("{} {}", level(line), log_text(line)));
        }
    }

    pub(super) fn request(&self, happened: &Happened<'_>, summary: &RequestSummary) {
        if tracing::enabled!(tracing::Level::INFO) {
            self.line(happened, "request", &request_text(summary));
        }
    }

    pub(super) fn finished(&self, happened: &Happened<'_>, status: Status, failure: Option<&Failure>, took: Duration) {
        if happened.shown {
            let far = happened.list.as_ref().map(|far| format!("({far}) ")).unwrap_or_default();
            let text = format!("{} {far}{}", elapsed(took), reason(failure));
            self.line(happened, status.as_str(), &text);
        }
    }

    pub(super) fn notice(&self, depth: u32, notice: &Notice) {
        let indent = "  ".repeat(usize::try_from(depth).unwrap_or_default());
        self.output.note(format!("{indent}{:<9} {}", notice.word, notice.text).trim_end());
    }

    pub(super) fn end(&self, view: &ExecutionView) {
        self.output.note(format!("{:<9} {} {}", view.record.status.as_str(), view.record.action, took(view)));
    }
}
