//! `runner pack permissions`: what a pack asks for, what of it is granted, by whom and when, and what is missing.

use runner_model::{GrantReport, HttpRule, KvAccess, Permissions};

use super::grants::Ledger;
use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::printable;

/// Shows it.
pub(crate) async fn run(app: &App, pack: &str) -> Result<Exit, CliError> {
    let ledger = Ledger::open(app).await?;
    let report = ledger.report(app, pack).await;
    ledger.close().await;
    let report = report?;
    if app.output.json {
        app.output.value(&report);
        return Ok(Exit::Succeeded);
    }
    ask(app, &report);
    granted(app, &report);
    Ok(Exit::Succeeded)
}

/// What it asks for; where it waits, what is more than before.
pub(super) fn ask(app: &App, report: &GrantReport) {
    let line = |text: String| app.output.line(printable(&text));
    let waits = report.in_use.as_ref().map(|used| format!(" (waits; {used} is in use)"));
    line(format!("{} {}{}", report.pack, report.version, waits.unwrap_or_default()));
    if report.asks == Permissions::default() {
        line("  asks for nothing".to_owned());
        return;
    }
    line("  asks for".to_owned());
    for rule in &report.rules {
        line(format!("  {:>3}  {}", rule.number, rule.asks));
    }
    if report.asks.kv != KvAccess::None {
        line(format!("       {}", report.asks.kv.phrase()));
    }
    if !report.difference.is_empty() {
        line("  compared with what was granted".to_owned());
        for difference in &report.difference {
            line(format!("       {difference}"));
        }
    }
}

/// What it is granted, by whom, and what is missing.
pub(super) fn granted(app: &App, report: &GrantReport) {
    let line = |text: String| app.output.line(printable(&text));
    let kinds: Vec<_> = report.asks.http.iter().filter_map(|rule| rule.connection.as_deref()).collect();
    let rules = |permissions: &Permissions| {
        let phrase = |rule: &HttpRule| rule.granted_phrase(|name| kinds.contains(&name));
        permissions.http.iter().for_each(|rule| line(format!("       {}", phrase(rule))));
        if permissions.kv != KvAccess::None {
            line(format!("       {}", permissions.kv.phrase()));
        }
    };
    if let Some(file) = &report.by_file {
        line(format!("  granted by [grants.{}] in the configuration", report.pack));
        rules(file);
    }
    if let Some(record) = &report.recorded {
        line(format!("  granted by {} at {}", record.by, record.at));
        rules(&record.granted);
    }
    match report.standing.as_str() {
        "development" => line("  granted whatever it asks for: development mode".to_owned()),
        "missing" => line("  granted nothing".to_owned()),
        _ => {}
    }
    if !report.missing.is_empty() {
        line("  missing".to_owned());
        report.missing.iter().for_each(|missing| line(format!("       {missing}")));
    }
    if let Some(command) = &report.command {
        app.output.note(format!("grant it: `{}`", app.spelled(command)));
    }
}
