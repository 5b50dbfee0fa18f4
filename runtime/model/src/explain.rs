//! What an execution waits for, or why it ended as it did, in one sentence.

use serde_json::Value;

use crate::{DelayReason, ErrorRecord, ExecutionId, ExecutionView, ItemIndex, Purpose, Status, StepView};
use crate::{Failure, TaskName, Timestamp, Wait, WaitKind, WaitView};

/// Texts of others are cut after so many characters: the sentence is to stay one.
const QUOTE_CHARS_MAX: usize = 200;
/// Steps that are named before the rest is counted.
const NAMED_MAX: usize = 3;

/// A step, or an item of one, as far as the sentence needs it.
struct Part<'a> {
    step: &'a StepView,
    item: Option<ItemIndex>,
    status: Status,
    until: Option<Timestamp>,
    waits_for: Option<&'a WaitView>,
    attempts: usize,
    since: Option<Timestamp>,
    failure: Option<&'a Failure>,
}

impl ExecutionView {
    /// What it waits for, or why it ended as it did: one lowercase sentence without its full stop, with the command that
    /// helps, if one does.
    #[must_use]
    pub fn explain(&self, now: Timestamp) -> String {
        let record = &self.record;
        let parts: Vec<_> = self.steps.iter().flat_map(Part::of).collect();
        match record.status {
            Status::Requested | Status::Scheduled => {
                format!("it was asked for {}, and nothing of it has begun", at(record.created_at, now))
            }
            Status::Delayed | Status::Running | Status::Resuming | Status::Retrying | Status::Pending => {
                self.under_way(&parts, now)
            }
            Status::Pausing => match at_work(&parts, now) {
                Some(work) => format!("it pauses as soon as what runs has ended: {work}"),
                None => "it is being paused".to_owned(),
            },
            Status::Paused => {
                format!("it is paused, until somebody lets it go on: `runner execution resume {}`", record.id)
            }
            Status::Canceling => match at_work(&parts, now) {
                Some(work) => format!("it was cancelled and cleans up: {work}"),
                None => "it was cancelled, and what runs is being stopped".to_owned(),
            },
            Status::Succeeded => format!("it succeeded {}{}", self.took(), self.tolerated(&parts)),
            Status::Skipped => "it was skipped: its condition was false".to_owned(),
            Status::Canceled => format!("it was cancelled {}{}", self.when(now), self.undone(&parts)),
            Status::Timeout => format!("it ran out of time {}{}{}", self.took(), self.reason(), self.undone(&parts)),
            Status::Failed => format!("it failed{}{}", self.reason(), self.undone(&parts)),
            Status::Abandoned => {
                format!("it was given up, because what a step did is unknown{}{}", self.reason(), self.undone(&parts))
            }
        }
    }

    fn under_way(&self, parts: &[Part<'_>], now: Timestamp) -> String {
        let waits: Vec<_> = parts.iter().filter(|part| part.waits_for.is_some()).collect();
        let delayed = parts.iter().filter(|part| part.status == Status::Delayed && part.until.is_some());
        let next = delayed.min_by_key(|part| part.until);
        let paused = parts.iter().find(|part| part.status == Status::Paused);
        match (at_work(parts, now), waits.split_first(), next, paused) {
            (Some(work), None, _, _) => work,
            (work, Some((first, rest)), _, _) => {
                let more = match rest.len() {
                    0 => String::new(),
                    more => format!(", and {more} more like it"),
                };
                let meanwhile = work.map(|work| format!("; meanwhile {work}")).unwrap_or_default();
                format!("{}{more}{meanwhile}", first.waits(self.record.id, now))
            }
            (None, None, Some(part), _) => part.delayed(now),
            (None, None, None, Some(part)) => {
                format!("it waits for the workflow that {} runs, which is paused", part.name())
            }
            (None, None, None, None) => "it is at work, and decides what is next".to_owned(),
        }
    }

    fn took(&self) -> String {
        let start = self.record.started_at.unwrap_or(self.record.created_at);
        self.record.finished_at.map_or_else(String::new, |end| format!("after {}", span(end.since_ms(start))))
    }

    fn when(&self, now: Timestamp) -> String {
        self.record.finished_at.map_or_else(String::new, |end| at(end, now))
    }

    /// Because of which error.
    fn reason(&self) -> String {
        let Some((first, rest)) = self.errors.split_first() else { return String::new() };
        let more = match rest.len() {
            0 => String::new(),
            1 => ", and one more error".to_owned(),
            more => format!(", and {more} more errors"),
        };
        format!("{}{more}", self.because(first))
    }

    fn because(&self, error: &ErrorRecord) -> String {
        let message = quote(&error.message);
        // A single action is its own only step, whose name says nothing.
        let single = matches!(self.steps.as_slice(), [step] if step.action.as_ref() == Some(&self.record.action));
        match (&error.task, error.transition) {
            (Some(task), Some(transition)) => {
                format!(
                    " because the transition {transition} of `{task}` cannot be evaluated: {} {message}",
                    error.code
                )
            }
            (Some(task), None) if !single => {
                let step = self.steps.iter().rev().find(|step| step.task == *task);
                let how = match step.map(|step| step.status) {
                    // It is not the step that went wrong, but what the workflow makes of it.
                    Some(Status::Succeeded | Status::Skipped) => return format!(": {} {message}", error.code),
                    Some(Status::Timeout) => "ran out of time",
                    Some(Status::Abandoned) => "was given up",
                    _ => "failed",
                };
                format!(" because the step `{task}` {how}: {} {message}", error.code)
            }
            _ => format!(": {} {message}", error.code),
        }
    }

    /// What was undone after it went wrong.
    fn undone(&self, parts: &[Part<'_>]) -> String {
        let mut undoing = parts.iter().filter(|part| matches!(part.step.purpose, Purpose::Compensate { .. }));
        let count = undoing.clone().count();
        let failed = undoing.find(|part| part.status.is_failure());
        match (count, failed) {
            (0, _) => String::new(),
            (_, Some(part)) => format!("; undoing `{}` failed too", part.step.task),
            (1, None) => "; one step was undone".to_owned(),
            (count, None) => format!("; {count} steps were undone"),
        }
    }

    /// Steps that failed without the execution failing.
    fn tolerated(&self, parts: &[Part<'_>]) -> String {
        let failed: Vec<_> = parts.iter().filter(|part| part.status.is_failure() && part.item.is_none()).collect();
        match failed.as_slice() {
            [] => String::new(),
            failed => format!(", though {} failed, which the workflow deals with", names(failed)),
        }
    }
}

impl<'a> Part<'a> {
    fn of(step: &'a StepView) -> Vec<Self> {
        let items = step.items.as_deref().unwrap_or_default();
        if items.is_empty() || step.status == Status::Delayed {
            let since = step.attempts.last().map(|attempt| attempt.started_at);
            return vec![Self {
                step,
                item: None,
                status: step.status,
                until: step.until,
                waits_for: step.waits_for.as_ref(),
                attempts: step.attempts.len(),
                since,
                failure: step.failure.as_ref(),
            }];
        }
        let part = |item: &'a crate::ItemView| Self {
            step,
            item: Some(item.item),
            status: item.status,
            until: item.until,
            waits_for: item.waits_for.as_ref(),
            attempts: item.attempts.len(),
            since: item.attempts.last().map(|attempt| attempt.started_at),
            failure: item.failure.as_ref(),
        };
        items.iter().map(part).collect()
    }

    fn name(&self) -> String {
        let item = self.item.map(|item| format!(" (item {item})")).unwrap_or_default();
        let task = match self.step.purpose {
            Purpose::Task => format!("`{}`", self.step.task),
            Purpose::Compensate { .. } => format!("what undoes `{}`", self.step.task),
            Purpose::OnCancel { .. } => format!("what cleans up `{}`", self.step.task),
        };
        format!("{task}{item}")
    }

    fn delayed(&self, now: Timestamp) -> String {
        let until = self.until.unwrap_or(now);
        let attempt = self.attempts + 1;
        let last = self.failure.map(|failure| format!(", after {} {}", failure.code, quote(&failure.message)));
        let what = match self.step.delayed_for.filter(|_| self.attempts > 0 || self.item.is_some()) {
            None => format!("to begin {}", self.name()),
            Some(DelayReason::Poll) => format!("to look again at {}: attempt {attempt}", self.name()),
            Some(DelayReason::Retry | DelayReason::Unknown) => {
                format!("to try {} again: attempt {attempt}{}", self.name(), last.unwrap_or_default())
            }
        };
        format!("it waits until {} {what}", moment(until, now))
    }

    fn waits(&self, id: ExecutionId, now: Timestamp) -> String {
        let Some(WaitView { wait, since }) = self.waits_for else { return String::new() };
        let until = wait.expires_at.map(|end| format!(", until {}", moment(end, now))).unwrap_or_default();
        let since = moment(*since, now);
        let (name, command) = (self.name(), answering(id, &self.step.task, self.item, wait));
        match &wait.kind {
            WaitKind::Inquiry { prompt, .. } => {
                let prompt = if prompt.is_empty() { String::new() } else { format!(" (“{}”)", quote(prompt)) };
                format!("it waits for an answer to {name}{prompt}, since {since}{until}: `{command}`")
            }
            WaitKind::Event { key } => {
                format!("it waits in {name} for the event `{}`, since {since}{until}: `{command}`", quote(key))
            }
            WaitKind::Outcome { .. } => {
                format!(
                    "it waits for somebody to say what {name} did before the process ended, since {since}{until}: `{command}`"
                )
            }
        }
    }
}

/// What runs; none if nothing does.
fn at_work(parts: &[Part<'_>], now: Timestamp) -> Option<String> {
    let running: Vec<_> = parts.iter().filter(|part| part.status == Status::Running && part.since.is_some()).collect();
    let first = running.first()?;
    let since = running.iter().filter_map(|part| part.since).min().unwrap_or(now);
    let attempt =
        if first.attempts > 1 && running.len() == 1 { format!(" (attempt {})", first.attempts) } else { String::new() };
    let progress = match (&first.step.progress, running.len()) {
        (Some(progress), 1) => format!(", and is at {}", quote(progress)),
        _ => String::new(),
    };
    Some(format!("it runs {}{attempt}, for {}{progress}", names(&running), span(now.since_ms(since))))
}

fn names(parts: &[&Part<'_>]) -> String {
    let named: Vec<_> = parts.iter().take(NAMED_MAX).map(|part| part.name()).collect();
    match (named.as_slice(), parts.len().saturating_sub(NAMED_MAX)) {
        ([one], 0) => one.clone(),
        ([first @ .., last], 0) => format!("{} and {last}", first.join(", ")),
        (named, more) => format!("{} and {more} more", named.join(", ")),
    }
}

/// The command that gives what a step waits for, with an example of what it takes.
#[must_use]
pub fn answering(id: ExecutionId, task: &TaskName, item: Option<ItemIndex>, wait: &Wait) -> String {
    let item = item.map(|item| format!(" --item {item}")).unwrap_or_default();
    match &wait.kind {
        WaitKind::Event { key } => format!("runner event send {}", shell(key)),
        WaitKind::Inquiry { schema, .. } => {
            format!("runner execution respond {id} --task {task}{item} {}", example(schema))
        }
        WaitKind::Outcome { .. } => {
            format!("runner execution respond {id} --task {task}{item} outcome=succeeded|failed|retry")
        }
    }
}

/// What an answer looks like: the keys that must be there, with what they take.
fn example(schema: &Value) -> String {
    let Some(properties) = schema.get("properties").and_then(Value::as_object).filter(|map| !map.is_empty()) else {
        return "ANSWER".to_owned();
    };
    let required = schema.get("required").and_then(Value::as_array);
    let must = |name: &str| required.is_some_and(|names| names.iter().any(|other| other == name));
    let any = properties.keys().any(|name| must(name));
    let one = |(name, inner): (&String, &Value)| {
        let listed = inner.get("enum").and_then(Value::as_array);
        let words = listed.map(|values| values.iter().map(word).collect::<Vec<_>>().join("|"));
        let takes = match (words, inner.get("type").and_then(Value::as_str)) {
            (Some(words), _) => words,
            (None, Some("boolean")) => "true|false".to_owned(),
            (None, kind) => kind.unwrap_or("value").to_uppercase(),
        };
        format!("{name}={takes}")
    };
    let shown: Vec<_> = properties.iter().filter(|(name, _)| !any || must(name)).map(one).collect();
    quote(&shown.join(" "))
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text as one word of a command line.
fn shell(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:@%+,=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A text of others: on one line, and not too long.
fn quote(text: &str) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= QUOTE_CHARS_MAX {
        return flat;
    }
    flat.chars().take(QUOTE_CHARS_MAX - 1).chain(['…']).collect()
}

/// A moment of the past or the future, and how far away it is: `14:05:00 UTC (in 3 min)`.
fn moment(moment: Timestamp, now: Timestamp) -> String {
    let away = moment.since_ms(now);
    let away = if away >= 0 { format!("in {}", span(away)) } else { format!("{} ago", span(-away)) };
    format!("{} ({away})", clock(moment, now))
}

/// A moment of the past: `at 14:05:00 UTC (3 min ago)`.
fn at(past: Timestamp, now: Timestamp) -> String {
    format!("at {}", moment(past, now))
}

/// The time of day, with the date if it is another day.
fn clock(moment: Timestamp, now: Timestamp) -> String {
    let (text, today) = (moment.to_string(), now.to_string());
    let (Some((day, time)), Some((this_day, _))) = (text.split_once('T'), today.split_once('T')) else { return text };
    let time = time.split('.').next().unwrap_or(time);
    if day == this_day { format!("{time} UTC") } else { format!("{day} {time} UTC") }
}

/// A duration, in the unit that fits.
fn span(millis: i64) -> String {
    let seconds = millis.max(0) / 1_000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests;
