//! Functions that stand where what they are about does not exist: items without a list, results before an end, an event.

use runner_model::code;

use super::{Finding, in_task, key};
use crate::plan::{Binding, Plan, Task, Transition};
use crate::{Expression, Place, Template};

/// Keys of a task whose expressions are about a step that has ended.
const AFTER_THE_END: [&str; 4] = ["retry", "poll", "compensate", "on_cancel"];

pub(super) fn inspect(plan: &Plan) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, task) in &plan.tasks {
        of_task(name.as_str(), task, &mut findings);
    }
    for (what, bindings) in [("vars", &plan.vars), ("output", &plan.output)] {
        for (number, Binding { name, value }) in bindings.iter().enumerate() {
            let place = [key(what), Place::Index(number), key(name)];
            items(value, &place, &mut findings);
            results(value, &place, &mut findings);
            events(value, &place, &mut findings);
        }
    }
    findings
}

fn of_task(name: &str, task: &Task, findings: &mut Vec<Finding>) {
    for site in task.sites() {
        let place = in_task(name, &site.place);
        if task.with.is_none() {
            items(site.template, &place, findings);
        }
        events(site.template, &place, findings);
        let is_after = matches!(site.place.first(), Some(Place::Key(key)) if AFTER_THE_END.contains(&key.as_str()));
        if !is_after {
            results(site.template, &place, findings);
        }
    }
    for (number, Transition { when, publish, .. }) in task.next.iter().enumerate() {
        let at = |rest: &[Place]| in_task(name, &[&[key("next"), Place::Index(number)], rest].concat());
        let mut look = |template, place: &[Place]| {
            if task.with.is_none() {
                items(template, place, findings);
            }
            events(template, place, findings);
        };
        if let Some(when) = when {
            look(when.template(), &at(&[key("when")]));
        }
        for (index, Binding { name, value }) in publish.iter().enumerate() {
            look(value, &at(&[key("publish"), Place::Index(index), key(name)]));
        }
    }
}

fn events(template: &Template, place: &[Place], findings: &mut Vec<Finding>) {
    template.visit(&mut |within: &[Place], expression: &Expression| {
        let call = expression.calls().iter().find(|call| matches!(call.name.as_str(), "event" | "event_info"));
        findings.extend(call.map(|call| Finding {
            code: code::EXPR_OUT_OF_PLACE,
            place: place.iter().chain(within).cloned().collect(),
            message: format!("there is no event here: `{}()` belongs to rules", call.name),
            hint: Some("let the rule pass what is needed as a parameter, and read it with `ctx(\"name\")`".to_owned()),
        }));
    });
}

fn items(template: &Template, place: &[Place], findings: &mut Vec<Finding>) {
    template.visit(&mut |within: &[Place], expression: &Expression| {
        findings.extend(expression.about_items().first().map(|_| Finding {
            code: code::EXPR_OUT_OF_PLACE,
            place: place.iter().chain(within).cloned().collect(),
            message: "there is no item here: `item()` belongs to a task with `with`".to_owned(),
            hint: Some("give the task `with: <% … %>`, or read a context variable".to_owned()),
        }));
    });
}

fn results(template: &Template, place: &[Place], findings: &mut Vec<Finding>) {
    template.visit(&mut |within: &[Place], expression: &Expression| {
        findings.extend(expression.about_completed().first().map(|call| Finding {
            code: code::EXPR_OUT_OF_PLACE,
            place: place.iter().chain(within).cloned().collect(),
            message: format!("`{}()` is about a task that has completed, and none has here", call.name),
            hint: Some(match call.name.as_str() {
                "result" | "status" => format!("name the task, such as `task(\"name\").{}`", call.name),
                test => format!("name the task, such as `{test}(\"name\")`"),
            }),
        }));
    });
}
