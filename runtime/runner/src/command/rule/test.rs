//! `runner rule test`: whether a rule would match, and if not which criterion fails.

use std::path::Path;
use std::sync::Arc;

use clap::Args;
use runner_engine::Condition;
use runner_engine::rule::{EventInfo, Occasion};
use runner_model::{ActionRef, Event, EventId, SystemClock, SystemEntropy, code};
use runner_pack::{Diagnostic, Report, Rule, read_rule};
use serde_json::{Map, Value, json};

use super::verdict::VerdictView;
use super::{find, payload};
use crate::app::App;
use crate::command::asked::Asked;
use crate::command::event;
use crate::error::{CliError, Mistake};
use crate::exit::Exit;
use crate::remote::segment;

/// Which rule, and with what.
#[derive(Debug, Args)]
pub(super) struct TestCommand {
    /// The rule, `pack.rule`; or the file of one, which may stand in no pack yet
    rule: String,
    /// What the event brings
    #[arg(value_name = "PAYLOAD", required_unless_present = "event")]
    payload: Vec<String>,
    /// Take what an event brought that is recorded: its id, or `last`
    #[arg(long, value_name = "ID", conflicts_with = "payload")]
    event: Option<String>,
}

impl TestCommand {
    /// Tries it.
    pub(super) async fn run(&self, app: &App, asked: &Asked) -> Result<Exit, CliError> {
        let event = match &self.event {
            Some(id) => Some(event::find(app, asked, id).await?),
            None => None,
        };
        let payload = match &event {
            Some(event) => event.payload.clone(),
            None => payload::read(&self.payload)?,
        };
        if is_file(&self.rule) {
            return self.try_file(app, event, payload);
        }
        let rule = find::one(app, asked, &self.rule).await?;
        let verdict = match asked {
            Asked::Daemon(daemon) => {
                let path = format!("/api/v1/rules/{}/test", segment(&rule.reference));
                daemon.post(&path, &json!({ "payload": payload })).await?
            }
            Asked::Here(_) => {
                let known = app.library().0.rules().find(|(_, known)| known.reference.as_str() == rule.reference);
                let Some((pack, known)) = known else { return Err(find::unknown(&self.rule, &[])) };
                let config = Arc::new(pack.config.clone());
                judge(app, &rule.reference, known, config, event, payload.clone())
            }
        };
        doubt(app, &rule.trigger.kind, &payload);
        verdict.show(app, rule.when.as_deref(), &rule.action);
        Ok(exit(&verdict))
    }

    /// A file is read here, whoever is asked; only who asks no other machine has packs to look its action up in.
    fn try_file(&self, app: &App, event: Option<Event>, payload: Value) -> Result<Exit, CliError> {
        let others = app.remote.is_none().then(|| &app.library().0);
        let (rule, report) = read_rule(Path::new(&self.rule), others);
        let Some(rule) = rule.filter(|_| !report.has_errors()) else {
            return Err(broken(&report));
        };
        let own = others.and_then(|others| others.pack(rule.reference.pack()));
        let config = own.map_or_else(|| Value::Object(Map::new()), |pack| pack.config.clone());
        doubt(app, rule.trigger.reference().as_str(), &payload);
        let verdict = judge(app, &self.rule, &rule, Arc::new(config), event, payload);
        let when = rule.plan.when.as_ref().map(Condition::written);
        verdict.show(app, when.as_deref(), rule.action.as_str());
        Ok(exit(&verdict))
    }
}

/// Whether a word names a file rather than a rule: names have neither of these.
fn is_file(word: &str) -> bool {
    word.contains(['/', '\\']) || word.ends_with(".yaml") || word.ends_with(".yml")
}

/// What the rule says here, of an event that is recorded or of one that would come now.
fn judge(app: &App, name: &str, rule: &Rule, config: Arc<Value>, event: Option<Event>, payload: Value) -> VerdictView {
    let now = app.now();
    let event = event.map_or_else(
        || EventInfo {
            trigger: rule.trigger.reference(),
            source: rule.reference.to_string(),
            id: EventId::new(&SystemClock, &SystemEntropy),
            occurred_at: now,
        },
        |event| EventInfo {
            trigger: event.trigger,
            source: event.source,
            id: event.id,
            occurred_at: event.occurred_at,
        },
    );
    let secret = secrets(app, &rule.action);
    VerdictView::of(name, rule, &Occasion { event, payload: Arc::new(payload), config, now }, &secret)
}

/// What of an action's parameters is not shown.
fn secrets(app: &App, action: &ActionRef) -> Vec<String> {
    if app.remote.is_some() {
        return Vec::new();
    }
    app.library().0.action(action).map(|(_, action)| action.parameters.secret_names()).unwrap_or_default()
}

/// What a webhook brings is more than its body.
fn doubt(app: &App, trigger: &str, payload: &Value) {
    let has_parts = ["body", "headers", "headers_lower", "query"].iter().any(|part| payload.get(part).is_some());
    if trigger == "core.webhook" && !has_parts {
        let message = "the event of a webhook has its body below `body`, and this payload has none";
        let hint = "write `{\"body\": …}`, and `headers` beside it if the rule looks at them".to_owned();
        app.output.warn(&Mistake::new(code::EVENT_PAYLOAD, message).maybe_hint(Some(hint)));
    }
}

/// The file has mistakes.
fn broken(report: &Report) -> CliError {
    let mistake = |found: &Diagnostic| {
        let place = format!("{}:{}:{}", found.path.display(), found.line, found.column);
        Mistake::new(found.code, format!("{place}: {}", found.message)).maybe_hint(found.hint.clone())
    };
    let mistakes = report.diagnostics.iter().filter(|found| found.is_error()).map(mistake).collect();
    CliError { exit: Exit::Invalid, mistakes }
}

const fn exit(verdict: &VerdictView) -> Exit {
    if verdict.succeeded() { Exit::Succeeded } else { Exit::Failed }
}
