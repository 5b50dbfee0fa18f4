//! What is remarkable about a task, each in a few words.

use runner_engine::{Cleanup, Join, OnUnknown, Plan, Poll, Retry, Task, Template, With};

use crate::label::{self, of_template};

/// Something remarkable about a task or a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The key in the file.
    pub key: &'static str,
    /// What it says, in a few words.
    pub text: String,
}

impl Mark {
    fn new(key: &'static str, text: impl Into<String>) -> Self {
        Self { key, text: text.into() }
    }
}

/// The marks of a task to which `sources` tasks lead.
pub(super) fn of_task(task: &Task, sources: usize) -> Vec<Mark> {
    let seconds = |key, template: &Option<Template>| template.as_ref().map(|value| Mark::new(key, seconds(value)));
    let on_unknown = match task.on_unknown {
        OnUnknown::Fail => None,
        OnUnknown::Retry => Some(Mark::new("on_unknown", "retry")),
        OnUnknown::Ask => Some(Mark::new("on_unknown", "ask")),
    };
    let condition = task.condition.as_ref().map(|condition| Mark::new("if", label::source(condition)));
    let marks = [
        task.join.as_ref().map(|join| of_join(join, sources)),
        condition,
        task.with.as_ref().map(of_with),
        seconds("delay", &task.delay),
        task.retry.as_ref().map(|retry| Mark::new("retry", of_retry(retry))),
        task.poll.as_ref().map(of_poll),
        seconds("timeout", &task.timeout),
        seconds("heartbeat", &task.heartbeat_timeout),
        on_unknown,
        task.on_cancel.as_ref().map(|cleanup| of_cleanup("on_cancel", cleanup)),
        task.compensate.as_ref().map(|cleanup| of_cleanup("compensate", cleanup)),
    ];
    marks.into_iter().flatten().collect()
}

/// The marks of a whole workflow.
pub(super) fn of_workflow(plan: &Plan) -> Vec<Mark> {
    let timeout = plan.timeout().map(|timeout| Mark::new("timeout", seconds(timeout)));
    let on_cancel = plan.on_cancel().map(|cleanup| of_cleanup("on_cancel", cleanup));
    timeout.into_iter().chain(on_cancel).collect()
}

fn of_join(join: &Join, sources: usize) -> Mark {
    let text = match join {
        Join::All => format!("all {sources}"),
        Join::Count(count) => format!("{count} of {sources}"),
        Join::When(condition) => format!("when {}", label::source(condition)),
    };
    Mark::new("join", text)
}

fn of_with(with: &With) -> Mark {
    let names = with.names.join(", ");
    let list = label::bare(&with.items);
    let mut text = if names.is_empty() { list } else { format!("{names} in {list}") };
    if let Some(concurrency) = &with.concurrency {
        text = format!("{text}, {} at a time", label::bare(concurrency));
    }
    Mark::new("with", text)
}

fn of_retry(retry: &Retry) -> String {
    let count = retry.count.as_ref().map(|count| format!("{}×", of_template(count)));
    let delay = retry.delay.as_ref().map(|delay| format!("after {}", seconds(delay)));
    let backoff = retry.backoff.as_ref().map(|backoff| format!("backoff {}", of_template(backoff)));
    let until = retry.until.as_ref().map(|until| format!("for {}", seconds(until)));
    let when = retry.when.as_ref().map(|when| format!("when {}", label::source(when)));
    let unless = (!retry.unless.is_empty()).then(|| format!("unless {}", retry.unless.join(", ")));
    let parts: Vec<_> = [count, delay, backoff, until, when, unless].into_iter().flatten().collect();
    parts.join(", ")
}

fn of_poll(poll: &Poll) -> Mark {
    let mut text = format!("every {} until {}", seconds(&poll.interval), label::source(&poll.until));
    if let Some(timeout) = &poll.timeout {
        text = format!("{text}, for {}", seconds(timeout));
    }
    Mark::new("poll", text)
}

fn of_cleanup(key: &'static str, cleanup: &Cleanup) -> Mark {
    Mark::new(key, of_template(&cleanup.action))
}

/// A number of seconds as written.
fn seconds(template: &Template) -> String {
    match template.as_literal() {
        Some(_) => format!("{} s", of_template(template)),
        None => of_template(template),
    }
}
