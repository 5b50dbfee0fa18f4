//! What a rule's condition means: whether it matches an event, why not, and what it makes of it.
//!
//! **A pattern or a parameter is compiled when its pack loads; what an event brings is only ever compared.** The moment
//! of the decision comes in with the occasion.

mod compare;
mod criterion;
mod decide;
mod operator;
mod place;
mod text;
mod view;

use std::sync::Arc;

use runner_model::{EventId, Timestamp, TriggerRef, code};
use serde_json::{Map, Value};

use crate::expression::{EvaluationError, Frame, Happened};
use crate::template::{Condition, Template, kind_name};

pub use criterion::{Criterion, Judged};
pub use operator::Operator;
pub use place::{condition, out_of_place, template};
use view::View;

/// What a rule asks of an event, and what it makes of one.
#[derive(Debug, Clone)]
pub struct RulePlan {
    /// All of them must hold, and none does for an event without a payload.
    pub criteria: Vec<Criterion>,
    /// What must hold besides. Make it with [`condition`].
    pub when: Option<Condition>,
    /// The action's parameters, a map. Make it with [`template`].
    pub parameters: Template,
    /// What makes two events the same for this rule.
    pub once: Option<OncePlan>,
}

/// What makes two events the same for a rule.
#[derive(Debug, Clone)]
pub struct OncePlan {
    /// Events with the same key are the same; null is the same as nothing.
    pub key: Template,
    /// For how long, in milliseconds.
    pub window_ms: i64,
}

/// The event, apart from what it brought.
#[derive(Debug, Clone, PartialEq)]
pub struct EventInfo {
    /// What kind of occurrence.
    pub trigger: TriggerRef,
    /// Of what: the path of a webhook, the rule of a schedule, a sensor.
    pub source: String,
    /// Its identity.
    pub id: EventId,
    /// When it happened.
    pub occurred_at: Timestamp,
}

/// An event that rules look at. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Occasion {
    /// The event.
    pub event: EventInfo,
    /// What it brought.
    pub payload: Arc<Value>,
    /// The configuration of the rule's pack.
    pub config: Arc<Value>,
    /// The moment of the decision.
    pub now: Timestamp,
}

/// Whether a rule matches, and why not.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Whether it does.
    pub matched: bool,
    /// What was found for each criterion, in their order.
    pub criteria: Vec<Judged>,
    /// What `when` gave, or why it gave nothing; none if there is no `when`, or a criterion does not hold.
    pub when: Option<Result<bool, String>>,
}

/// What a rule says of an event that it is tried with.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Whether it matches, and why not.
    pub verdict: Verdict,
    /// What would be run then, or why the parameters cannot be made; none if it does not match.
    pub rendered: Option<Result<Rendered, String>>,
}

/// What a rule makes of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// The parameters of its action.
    pub parameters: Map<String, Value>,
    /// What makes the event the same as another for the rule.
    pub key: Option<String>,
}

impl RulePlan {
    /// Whether the rule matches, and what it would make of the event then.
    #[must_use]
    pub fn try_on(&self, occasion: &Occasion) -> Trial {
        let verdict = self.examine(occasion);
        let rendered = verdict.matched.then(|| self.render(occasion));
        let rendered = rendered.map(|rendered| match rendered {
            Ok((parameters, once)) => Ok(Rendered { parameters, key: once.map(|(key, _)| key) }),
            Err(error) => Err(error.to_string()),
        });
        Trial { verdict, rendered }
    }

    /// Whether the rule matches, and why not: every criterion is looked at, and `when` if all of them hold.
    #[must_use]
    pub fn examine(&self, occasion: &Occasion) -> Verdict {
        let view = View::of(occasion);
        let mut criteria: Vec<_> =
            self.criteria.iter().map(|criterion| criterion.judge(&occasion.payload, &view)).collect();
        if is_empty(&occasion.payload) {
            for judged in &mut criteria {
                judged.passed = false;
                judged.why.get_or_insert_with(|| "the event has no payload".to_owned());
            }
        }
        let all = criteria.iter().all(|judged| judged.passed);
        let when = if all { self.condition(&view) } else { None };
        let matched = all && when.as_ref().is_none_or(|when| *when == Ok(true));
        Verdict { matched, criteria, when }
    }

    /// Whether the rule matches. What it says is what [`examine`](Self::examine) finds, without saying why not: nothing is
    /// looked at after the first criterion that does not hold.
    ///
    /// # Errors
    /// All criteria hold, and `when` gives nothing that is true or false.
    pub fn matches(&self, occasion: &Occasion) -> Result<bool, String> {
        let (view, payload) = (View::of(occasion), &*occasion.payload);
        let has_nothing = !self.criteria.is_empty() && is_empty(payload);
        if has_nothing || !self.criteria.iter().all(|criterion| criterion.decide(payload, &view) == Ok(true)) {
            return Ok(false);
        }
        self.condition(&view).unwrap_or(Ok(true))
    }

    /// What `when` gives, if there is one.
    fn condition(&self, view: &View<'_>) -> Option<Result<bool, String>> {
        self.when.as_ref().map(|when| when.holds(view.frame()).map_err(|error| error.to_string()))
    }

    /// The action's parameters, and the key under which the event is the same as another, with the time for which it
    /// is, in milliseconds.
    pub fn render(&self, occasion: &Occasion) -> Result<(Map<String, Value>, Option<(String, i64)>), EvaluationError> {
        let frame = frame(occasion);
        let parameters = match self.parameters.render(&frame)? {
            Value::Object(parameters) => parameters,
            Value::Null => Map::new(),
            other => return Err(not_a_map(&self.parameters, &other)),
        };
        let Some(once) = &self.once else { return Ok((parameters, None)) };
        let key = match once.key.render(&frame)? {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        };
        Ok((parameters, key.map(|key| (key, once.window_ms))))
    }
}

/// What expressions of a rule can see: `event()`, `config()`, `now()`.
#[must_use]
pub fn frame(occasion: &Occasion) -> Frame {
    Frame {
        now: occasion.now,
        config: Arc::clone(&occasion.config),
        event: Some(Arc::new(Happened { about: occasion.event.clone(), payload: Arc::clone(&occasion.payload) })),
        ..Frame::default()
    }
}

/// What StackStorm takes for no payload.
fn is_empty(payload: &Value) -> bool {
    match payload {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

fn not_a_map(template: &Template, found: &Value) -> EvaluationError {
    let mut source = String::new();
    template.visit(&mut |_, expression| source = expression.source().to_owned());
    let message = format!("the parameters of an action are a map, not {}", kind_name(found));
    EvaluationError::failed(code::EXPR_WRONG_TYPE, source, message, None)
}

#[cfg(test)]
mod tests;
