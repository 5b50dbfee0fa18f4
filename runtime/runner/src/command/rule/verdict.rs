//! What a rule says of a payload: what a daemon answers, and what is found here in the same words.

use runner_engine::rule::{Judged, Occasion, Rendered, Trial, Verdict};
use runner_model::view::masked;
use runner_pack::Rule;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::App;
use crate::command::exec::{indented, readable};
use crate::output::{one_line, printable, table};

/// What a rule says of a payload.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct VerdictView {
    pub(super) rule: String,
    pub(super) matched: bool,
    pub(super) criteria: Vec<JudgedView>,
    /// None if there is no `when`, or a criterion does not hold.
    pub(super) when: Option<WhenView>,
    /// What the action would get; none if the rule does not match.
    pub(super) parameters: Option<Value>,
    /// Why the parameters could not be made.
    pub(super) failure: Option<String>,
    /// What would make the event the same as another for the rule.
    pub(super) key: Option<String>,
}

/// What was found for a criterion.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct JudgedView {
    key: String,
    #[serde(rename = "type")]
    operator: String,
    passed: bool,
    found: Value,
    pattern: Value,
    why: Option<String>,
}

/// What `when` gave.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WhenView {
    passed: bool,
    error: Option<String>,
}

impl From<Judged> for JudgedView {
    fn from(judged: Judged) -> Self {
        Self {
            key: judged.key,
            operator: judged.operator.as_str().to_owned(),
            passed: judged.passed,
            found: judged.found.unwrap_or_default(),
            pattern: judged.pattern.unwrap_or_default(),
            why: judged.why,
        }
    }
}

impl VerdictView {
    /// What a rule says, found here; parameters that are `secret` are masked.
    pub(super) fn of(name: &str, rule: &Rule, occasion: &Occasion, secret: &[String]) -> Self {
        let Trial { verdict: Verdict { matched, criteria, when }, rendered } = rule.plan.try_on(occasion);
        let when = when.map(|when| match when {
            Ok(passed) => WhenView { passed, error: None },
            Err(error) => WhenView { passed: false, error: Some(error) },
        });
        let (parameters, failure, key) = match rendered {
            None => (None, None, None),
            Some(Err(failure)) => (None, Some(failure), None),
            Some(Ok(Rendered { parameters, key })) => (Some(masked(&Value::Object(parameters), secret)), None, key),
        };
        let criteria = criteria.into_iter().map(JudgedView::from).collect();
        Self { rule: name.to_owned(), matched, criteria, when, parameters, failure, key }
    }

    /// Whether an execution would be made.
    pub(super) const fn succeeded(&self) -> bool {
        self.matched && self.failure.is_none()
    }

    /// Shows it; `when` is the condition as written, `action` what would be run.
    pub(super) fn show(&self, app: &App, when: Option<&str>, action: &str) {
        if app.output.json {
            return app.output.value(self);
        }
        let rows: Vec<_> = self.criteria.iter().map(judged).chain(when.map(|when| self.condition(when))).collect();
        if !rows.is_empty() {
            app.output.line(table(&app.output, &["holds", "criterion", "type", "pattern", "found", "why"], rows));
        }
        if let Some(parameters) = &self.parameters {
            let is_empty = parameters.as_object().is_none_or(serde_json::Map::is_empty);
            let parameters = if is_empty { "none".to_owned() } else { readable(parameters, 0) };
            app.output.line(format!("parameters of {action}\n{}", indented(parameters.trim_end())));
        }
        if let Some(key) = &self.key {
            app.output.line(format!("deduplicated by {}", printable(key)));
        }
        if let Some(failure) = &self.failure {
            app.output.line(format!("the parameters cannot be made: {}", printable(failure)));
        }
        let verdict = if self.matched { "matches" } else { "does not match" };
        app.output.line(format!("{} {verdict}", printable(&self.rule)));
    }

    fn condition(&self, when: &str) -> Vec<String> {
        let (holds, why) = match &self.when {
            Some(found) => (yes(found.passed), found.error.clone().unwrap_or_default()),
            None => ("-".to_owned(), "not looked at: a criterion does not hold".to_owned()),
        };
        let nothing = String::new;
        vec![holds, one_line(&format!("when {when}"), CELL_CHARS_MAX), nothing(), nothing(), nothing(), why]
    }
}

/// What fits into a column beside others.
const CELL_CHARS_MAX: usize = 60;

fn judged(one: &JudgedView) -> Vec<String> {
    // An operator such as `exists` is compared with nothing.
    let shown =
        |value: &Value| if value.is_null() { String::new() } else { one_line(&value.to_string(), CELL_CHARS_MAX) };
    vec![
        yes(one.passed),
        one.key.clone(),
        one.operator.clone(),
        shown(&one.pattern),
        shown(&one.found),
        one.why.clone().unwrap_or_default(),
    ]
}

fn yes(holds: bool) -> String {
    if holds { "yes" } else { "no" }.to_owned()
}
