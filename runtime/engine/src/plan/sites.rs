//! Where expressions stand in a workflow: every template with the way to it through the file.

use super::{Binding, Cleanup, Join, Plan, Poll, Retry, Task, With};
use crate::{Condition, Expression, Place, Template};

/// A template and the keys that lead to it from the task (or the file) it belongs to.
#[derive(Debug, Clone)]
pub struct Site<'a> {
    /// The keys.
    pub place: Vec<Place>,
    /// What stands there.
    pub template: &'a Template,
}

impl Plan {
    /// Calls `visit` with every expression and the way to it through the workflow file.
    pub fn visit<'a>(&'a self, visit: &mut dyn FnMut(&[Place], &'a Expression)) {
        visit_bindings(&self.vars, &[key("vars")], visit);
        for (name, task) in &self.tasks {
            let at = [key("tasks"), key(name.as_str())];
            for Site { place, template } in task.sites() {
                visit_at(template, &[&at[..], &place].concat(), visit);
            }
            for (index, transition) in task.next.iter().enumerate() {
                let at = [&at[..], &[key("next"), Place::Index(index)]].concat();
                if let Some(when) = &transition.when {
                    visit_at(when.template(), &[&at[..], &[key("when")]].concat(), visit);
                }
                visit_bindings(&transition.publish, &[&at[..], &[key("publish")]].concat(), visit);
            }
        }
        for Site { place, template } in self.sites() {
            visit_at(template, &place, visit);
        }
        visit_bindings(&self.output, &[key("output")], visit);
    }

    /// Templates of the workflow itself, without `vars` and `output`.
    #[must_use]
    pub fn sites(&self) -> Vec<Site<'_>> {
        let mut sites = Vec::new();
        push(&mut sites, &["timeout"], self.timeout.as_ref());
        if let Some(cleanup) = &self.on_cancel {
            self::cleanup(&mut sites, "on_cancel", cleanup);
        }
        sites
    }
}

impl Task {
    /// Templates of a task that see the variables it starts with; those of its `next` are not among them.
    #[must_use]
    pub fn sites(&self) -> Vec<Site<'_>> {
        let mut sites = Vec::new();
        push(&mut sites, &["action"], self.action.as_ref());
        push(&mut sites, &["input"], Some(&self.input));
        push(&mut sites, &["if"], self.condition.as_ref().map(Condition::template));
        if let Some(With { items, concurrency, .. }) = &self.with {
            push(&mut sites, &["with", "items"], Some(items));
            push(&mut sites, &["with", "concurrency"], concurrency.as_ref());
        }
        push(&mut sites, &["delay"], self.delay.as_ref());
        push(&mut sites, &["timeout"], self.timeout.as_ref());
        push(&mut sites, &["heartbeat_timeout"], self.heartbeat_timeout.as_ref());
        if let Some(retry) = &self.retry {
            self::retry(&mut sites, &["retry"], retry);
        }
        if let Some(poll) = &self.poll {
            self::poll(&mut sites, poll);
        }
        if let Some(cleanup) = &self.on_cancel {
            self::cleanup(&mut sites, "on_cancel", cleanup);
        }
        if let Some(cleanup) = &self.compensate {
            self::cleanup(&mut sites, "compensate", cleanup);
        }
        if let Some(Join::When(condition)) = &self.join {
            push(&mut sites, &["join", "needs"], Some(condition.template()));
        }
        sites
    }
}

fn retry<'a>(sites: &mut Vec<Site<'a>>, at: &[&str], retry: &'a Retry) {
    let Retry { count, when, unless: _, delay, backoff, max_delay, jitter, until } = retry;
    push(sites, &[at, &["when"]].concat(), when.as_ref().map(Condition::template));
    let numbers = [
        ("count", count),
        ("delay", delay),
        ("backoff", backoff),
        ("max_delay", max_delay),
        ("jitter", jitter),
        ("until", until),
    ];
    for (name, template) in numbers {
        push(sites, &[at, &[name]].concat(), template.as_ref());
    }
}

fn poll<'a>(sites: &mut Vec<Site<'a>>, poll: &'a Poll) {
    let Poll { until, fail_when, interval, backoff, max_interval, timeout } = poll;
    push(sites, &["poll", "until"], Some(until.template()));
    push(sites, &["poll", "fail_when"], fail_when.as_ref().map(Condition::template));
    push(sites, &["poll", "interval"], Some(interval));
    for (name, template) in [("backoff", backoff), ("max_interval", max_interval), ("timeout", timeout)] {
        push(sites, &["poll", name], template.as_ref());
    }
}

fn cleanup<'a>(sites: &mut Vec<Site<'a>>, name: &str, cleanup: &'a Cleanup) {
    push(sites, &[name, "action"], Some(&cleanup.action));
    push(sites, &[name, "input"], Some(&cleanup.input));
    push(sites, &[name, "timeout"], cleanup.timeout.as_ref());
    if let Some(retry) = &cleanup.retry {
        self::retry(sites, &[name, "retry"], retry);
    }
}

fn push<'a>(sites: &mut Vec<Site<'a>>, place: &[&str], template: Option<&'a Template>) {
    let place = place.iter().map(|name| key(name)).collect();
    sites.extend(template.map(|template| Site { place, template }));
}

fn key(text: &str) -> Place {
    Place::Key(text.to_owned())
}

fn visit_bindings<'a>(bindings: &'a [Binding], at: &[Place], visit: &mut dyn FnMut(&[Place], &'a Expression)) {
    for (index, binding) in bindings.iter().enumerate() {
        visit_at(&binding.value, &[at, &[Place::Index(index), key(&binding.name)]].concat(), visit);
    }
}

fn visit_at<'a>(template: &'a Template, at: &[Place], visit: &mut dyn FnMut(&[Place], &'a Expression)) {
    template.visit(&mut |within, expression| visit(&[at, within].concat(), expression));
}
