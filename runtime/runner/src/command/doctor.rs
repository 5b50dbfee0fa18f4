//! `runner doctor`: whether everything that runner needs is there and works.

mod host;
mod place;

use clap::Args;
use runner_sdk_build::{Places, find};
use serde::Serialize;
use serde_json::json;

use super::pack::compare_with_lock;
use crate::app::App;
use crate::error::{CliError, Mistake};
use crate::exit::Exit;
use crate::output::{count, printable};

/// Check that everything runner needs is there and works
#[derive(Debug, Args)]
pub(crate) struct DoctorCommand;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// It works.
    Good,
    /// Something is missing that not everybody needs.
    Doubtful,
    /// It does not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
struct Finding {
    what: &'static str,
    verdict: Verdict,
    details: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Finding {
    fn good(what: &'static str, details: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Good, details: details.into(), code: None, hint: None }
    }

    fn of(what: &'static str, verdict: Verdict, mistake: &Mistake) -> Self {
        let (details, code) = (mistake.message.clone(), Some(mistake.code.clone()));
        Self { what, verdict, details, code, hint: mistake.hint.clone() }
    }

    fn bad(what: &'static str, error: &CliError) -> Vec<Self> {
        error.mistakes.iter().map(|mistake| Self::of(what, Verdict::Bad, mistake)).collect()
    }
}

impl DoctorCommand {
    /// Looks at everything.
    pub(crate) async fn run(&self, app: &App) -> Result<Exit, CliError> {
        let mut findings = vec![version(), configuration(app)];
        findings.extend(place::data(app).await);
        findings.push(place::clock(app).await);
        findings.extend(packs(app));
        findings.extend(installed(app));
        findings.extend(host::components(app).await);
        findings.extend(connections(app));
        findings.push(toolchain(app));
        show(app, &findings);
        let bad = findings.iter().any(|finding| finding.verdict == Verdict::Bad);
        Ok(if bad { Exit::Failed } else { Exit::Succeeded })
    }
}

fn version() -> Finding {
    let (version, os, arch) = (env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Finding::good("runner", format!("{version} ({os} {arch}, {cores} cores)"))
}

fn configuration(app: &App) -> Finding {
    let details = match &app.config.file {
        Some(file) => file.display().to_string(),
        None => "none (`runner.toml` does not exist; the defaults are used)".to_owned(),
    };
    Finding::good("configuration", details)
}

fn packs(app: &App) -> Vec<Finding> {
    let (library, report) = app.library();
    let names: Vec<_> = library.packs().map(|pack| pack.reference().to_string()).collect();
    let mut findings = Vec::new();
    if library.broken().is_empty() && report.has_errors() {
        let mistakes = report.diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
        findings.extend(mistakes.map(|diagnostic| {
            let message = format!("{}: {}", diagnostic.path.display(), diagnostic.message);
            Finding::of("packs", Verdict::Bad, &Mistake::new(diagnostic.code, message))
        }));
    }
    for broken in library.broken() {
        let message = format!("`{}` has {}", broken.directory.display(), count(broken.mistakes, "mistake"));
        let hint = format!("see them with `runner pack check {}`", broken.directory.display());
        let mistake = Mistake::new(runner_model::code::PACK_NOT_LOADED, message).maybe_hint(Some(hint));
        findings.push(Finding::of("packs", Verdict::Bad, &mistake));
    }
    if findings.is_empty() || !names.is_empty() {
        let details = if names.is_empty() { "none installed".to_owned() } else { names.join(", ") };
        findings.insert(0, Finding::good("packs", details));
    }
    findings
}

/// Installed packs that are not what was installed: somebody works on them, or somebody should not have.
fn installed(app: &App) -> Vec<Finding> {
    let mut findings = Vec::new();
    for packs in &app.config.packs {
        match compare_with_lock(packs, None) {
            Ok(installed) => findings.extend(installed.iter().filter(|one| !one.differences.is_empty()).map(|one| {
                let changes = count(one.differences.count(), "change");
                let message = format!("`{}` has {changes} since it was installed", one.reference);
                let hint = format!("see them with `runner pack verify {}`", one.reference);
                let mistake = Mistake::new(runner_model::code::PACK_CHANGED, message).maybe_hint(Some(hint));
                Finding::of("packs", Verdict::Doubtful, &mistake)
            })),
            Err(error) => findings.extend(Finding::bad("packs", &error)),
        }
    }
    findings
}

fn connections(app: &App) -> Vec<Finding> {
    if app.config.connections.is_empty() {
        return vec![Finding::good("connections", "none configured")];
    }
    let look = |(name, connection): (&runner_model::ConnectionName, &crate::config::Connection)| {
        match connection.resolve(&crate::config::Sources::shown(app.environment)) {
            Ok(config) => vec![Finding::good("connections", format!("{name} ({}, {})", config.kind, config.base_url))],
            // Whatever does not use it works without.
            Err(error) => {
                error.mistakes.iter().map(|mistake| Finding::of("connections", Verdict::Doubtful, mistake)).collect()
            }
        }
    };
    app.config.connections.iter().flat_map(look).collect()
}

fn toolchain(app: &App) -> Finding {
    let places = Places::from_environment(|name| app.environment.get(name));
    match find(&places).and_then(|toolchain| toolchain.version()) {
        Ok(version) => Finding::good("wasm toolchain", version),
        // Only who builds packs needs one.
        Err(error) => {
            let mistake = Mistake::new(runner_model::code::CLI_TOOLCHAIN, error.to_string()).maybe_hint(error.hint());
            Finding::of("wasm toolchain", Verdict::Doubtful, &mistake)
        }
    }
}

fn show(app: &App, findings: &[Finding]) {
    let bad = findings.iter().filter(|finding| finding.verdict == Verdict::Bad).count();
    if app.output.json {
        app.output.value(&json!({ "ok": bad == 0, "findings": findings }));
        return;
    }
    for finding in findings {
        let mark = match finding.verdict {
            Verdict::Good => console::style("✔").green(),
            Verdict::Doubtful => console::style("!").yellow(),
            Verdict::Bad => console::style("✖").red(),
        };
        let code = finding.code.as_ref().map(|code| format!("[{code}] ")).unwrap_or_default();
        app.output.line(format!("{mark} {:<15} {code}{}", finding.what, printable(&finding.details)));
        if let Some(hint) = &finding.hint {
            app.output.line(format!("  {:<15} hint: {}", "", printable(hint)));
        }
    }
}
