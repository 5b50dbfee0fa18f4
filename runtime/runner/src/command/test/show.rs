//! What came of rehearsals, on the terminal or as JSON.

use std::path::Path;

use console::style;
use runner_executor::rehearsal::{Case, Coverage, Difference, Untaken};
use serde_json::json;

use super::Outcome;
use super::difference::{headline, lines};
use crate::app::App;
use crate::output::{count, printable};

/// Shows it; every rehearsal by name, if that is wanted.
pub(super) fn show(app: &App, outcome: &Outcome, names_all: bool) {
    let Outcome { report, mistakes, .. } = outcome;
    let failed = report.failed().count();
    if app.output.json {
        app.output.value(&json!({
            "passed": report.rehearsals.len() - failed, "failed": failed,
            "rehearsals": report.rehearsals, "coverage": report.coverage,
            "diagnostics": mistakes.diagnostics, "omitted": mistakes.omitted,
        }));
        return;
    }
    let drawn = match app.output.terminal {
        true => mistakes.graphical(app.output.width(), app.output.color()),
        false => mistakes.plain(),
    };
    if !drawn.is_empty() {
        app.output.line(drawn.trim_end());
    }
    for of_file in report.rehearsals.chunk_by(|one, other| one.file == other.file) {
        file(app, of_file, names_all);
    }
    if !outcome.is_part {
        coverage(app, &report.coverage);
    }
    summary(app, outcome, failed);
}

/// The rehearsals of a file: how many passed, and each one that did not.
fn file(app: &App, cases: &[Case], names_all: bool) {
    let Some(first) = cases.first() else { return };
    let failed = cases.iter().filter(|case| !case.passed()).count();
    let mark = if failed == 0 { style("✔").green() } else { style("✖").red() };
    let path = path(&first.file);
    let of = match failed {
        0 => count(cases.len(), "rehearsal"),
        failed => format!("{failed} of {} failed", count(cases.len(), "rehearsal")),
    };
    app.output.line(format!("{mark} {path}: {of}"));
    for case in cases {
        if !case.passed() {
            app.output.line(format!("  {} {}", style("✖").red(), printable(&case.name)));
            let place = format!("{path}:{}, workflow {}", case.line, case.workflow);
            app.output.line(format!("    {}", style(place).dim()));
            case.differences.iter().for_each(|found| difference(app, found));
        } else if names_all {
            app.output.line(format!("  {} {}", style("✔").green(), printable(&case.name)));
        }
    }
}

fn difference(app: &App, difference: &Difference) {
    app.output.line(format!("    {}", printable(&headline(difference))));
    for line in lines(difference) {
        let text = format!("{} {}", line.sign, printable(&line.text));
        let text = match line.sign {
            '-' => style(text).red(),
            '+' => style(text).green(),
            _ => style(text).dim(),
        };
        app.output.line(format!("      {text}"));
    }
    if let Some(hint) = &difference.hint {
        app.output.line(format!("      {}: {}", style("hint").cyan(), printable(hint)));
    }
}

/// The transitions that no rehearsal takes.
fn coverage(app: &App, coverage: &[Coverage]) {
    let open: Vec<_> = coverage.iter().filter(|workflow| !workflow.never_taken.is_empty()).collect();
    if open.is_empty() {
        return;
    }
    app.output.line("\nTransitions that no rehearsal takes:");
    for workflow in open {
        let of = match workflow.rehearsals {
            0 => "no rehearsal".to_owned(),
            _ => format!("{} of {}", workflow.never_taken.len(), workflow.transitions),
        };
        app.output.line(format!("  {}: {of}", workflow.workflow));
        if workflow.rehearsals > 0 {
            workflow.never_taken.iter().for_each(|transition| app.output.line(format!("    {}", untaken(transition))));
        }
    }
}

fn untaken(transition: &Untaken) -> String {
    let when = transition.when.as_ref().map(|when| format!(" when {}", printable(when))).unwrap_or_default();
    format!("{}{when} do {}", transition.task, transition.targets.join(", "))
}

fn summary(app: &App, outcome: &Outcome, failed: usize) {
    let Outcome { report, mistakes, is_part } = outcome;
    let all = report.rehearsals.len();
    let mut text = format!("{}: {} passed, {failed} failed", count(all, "rehearsal"), all - failed);
    if mistakes.has_errors() {
        text.push_str(&format!("; {} in their files", count(mistakes.errors(), "mistake")));
    }
    let transitions: usize = report.coverage.iter().map(|workflow| workflow.transitions).sum();
    if !is_part && transitions > 0 {
        let open: usize = report.coverage.iter().map(|workflow| workflow.never_taken.len()).sum();
        text.push_str(&format!("; {} of {} taken", transitions - open, count(transitions, "transition")));
    }
    app.output.note(text);
}

/// A file, fit to be printed.
fn path(path: &Path) -> String {
    printable(&path.display().to_string())
}
