//! Rules as they go over the wire.

use runner_engine::Condition;
use runner_engine::rule::Criterion;
use runner_model::Timestamp;
use runner_triggers::RuleState;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A rule, and how it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rule)]
pub(crate) struct RuleView {
    /// Its full name
    #[schema(example = "ops.deploy")]
    pub(crate) reference: String,
    /// Its pack
    pack: String,
    /// The version of its pack
    pack_version: String,
    /// What it is for
    description: String,
    /// Whether it is at work: what its file says, unless it was switched
    enabled: bool,
    /// How it was switched, against its file; null if it was not
    #[schema(required = true)]
    switched: Option<bool>,
    /// When it is looked at: `standard` (always), or `backstop` (when no standard rule of the trigger matched)
    #[serde(rename = "type")]
    kind: &'static str,
    /// What it waits for
    trigger: TriggerView,
    /// What must hold of the event, all of it
    criteria: Vec<CriterionView>,
    /// What must hold besides; null if nothing must
    #[schema(required = true)]
    when: Option<String>,
    /// What it runs
    action: String,
    /// Labels: names and what they say
    #[schema(value_type = Object)]
    tags: Map<String, Value>,
    /// What it has done since the process started
    counts: CountsView,
    /// When its schedule comes next; null if it has none, or is not at work
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    next: Option<Timestamp>,
}

/// What a rule waits for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RuleTrigger)]
struct TriggerView {
    /// The trigger
    #[serde(rename = "type")]
    #[schema(example = "core.webhook")]
    kind: String,
    /// What the rule says about it
    #[schema(value_type = Object)]
    parameters: Value,
}

/// Something that must hold of an event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Criterion)]
struct CriterionView {
    /// What is looked at
    #[schema(example = "trigger.body.ref")]
    key: String,
    /// How it is compared
    #[serde(rename = "type")]
    #[schema(example = "equals")]
    operator: &'static str,
}

/// What a rule has done since the process started.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RuleCounts)]
struct CountsView {
    /// Events that it looked at
    examined: u64,
    /// Events that it matched
    matched: u64,
    /// Events that it failed at: its condition or its parameters could not be evaluated
    failed: u64,
}

impl From<&RuleState> for RuleView {
    fn from(state: &RuleState) -> Self {
        let (rule, counts) = (&state.rule, state.counts);
        let tag = |tag: &runner_pack::Tag| (tag.name.clone(), Value::String(tag.value.clone()));
        Self {
            reference: rule.reference.to_string(),
            pack: rule.reference.pack().to_owned(),
            pack_version: state.pack.manifest.version.to_string(),
            description: rule.description.clone(),
            enabled: state.enabled,
            switched: state.switched,
            kind: rule.kind.as_str(),
            trigger: TriggerView { kind: rule.trigger.reference().to_string(), parameters: rule.trigger.parameters() },
            criteria: rule.plan.criteria.iter().map(CriterionView::from).collect(),
            when: rule.plan.when.as_ref().map(Condition::written),
            action: rule.action.to_string(),
            tags: rule.tags.iter().map(tag).collect(),
            counts: CountsView { examined: counts.examined, matched: counts.matched, failed: counts.failed },
            next: state.next,
        }
    }
}

impl From<&Criterion> for CriterionView {
    fn from(criterion: &Criterion) -> Self {
        Self { key: criterion.key().to_owned(), operator: criterion.operator().as_str() }
    }
}
