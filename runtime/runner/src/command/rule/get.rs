//! `runner rule get`.

use super::{RuleView, find};
use crate::app::App;
use crate::command::asked::Asked;
use crate::command::exec::{indented, readable};
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::printable;

/// Shows a rule.
pub(super) async fn run(app: &App, asked: &Asked, name: &str) -> Result<Exit, CliError> {
    show(app, &find::one(app, asked, name).await?);
    Ok(Exit::Succeeded)
}

/// Shows how a rule stands.
pub(super) fn show(app: &App, rule: &RuleView) {
    if app.output.json {
        app.output.value(rule);
    } else {
        app.output.line(shown(rule));
    }
}

fn shown(rule: &RuleView) -> String {
    let mut lines = vec![rule.reference.clone(), String::new()];
    if !rule.description.is_empty() {
        lines.extend([printable(rule.description.trim()), String::new()]);
    }
    let mut fact = |name: &str, value: &str| lines.push(format!("{name:<12} {}", printable(value)));
    fact("state", &rule.state());
    fact("type", &rule.kind);
    fact("pack", &format!("{} {}", rule.pack, rule.pack_version));
    fact("trigger", &rule.trigger.kind);
    fact("action", &rule.action);
    if let Some(when) = &rule.when {
        fact("when", when);
    }
    if let Some(next) = &rule.next {
        fact("next", &next.to_string());
    }
    let counts = &rule.counts;
    if counts.examined > 0 {
        fact("examined", &format!("{}, {} matched, {} failed", counts.examined, counts.matched, counts.failed));
    }
    if rule.trigger.parameters.as_object().is_some_and(|parameters| !parameters.is_empty()) {
        let parameters = readable(&rule.trigger.parameters, 0);
        lines.extend(["trigger parameters".to_owned(), indented(parameters.trim_end())]);
    }
    if !rule.criteria.is_empty() {
        lines.push("criteria".to_owned());
        lines.extend(rule.criteria.iter().map(|one| format!("  {} {}", printable(&one.key), one.operator)));
    }
    lines.join("\n")
}
