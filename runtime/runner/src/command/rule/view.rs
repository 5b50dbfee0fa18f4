//! A rule as it is shown: what a daemon answers, and what the files here say in the same words.

use runner_engine::Condition;
use runner_model::Timestamp;
use runner_pack::{Pack, Rule, Tag};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A rule, and how it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RuleView {
    /// Its full name.
    pub(crate) reference: String,
    pub(crate) pack: String,
    pub(crate) pack_version: String,
    pub(crate) description: String,
    /// Whether it is at work: what its file says, unless it was switched.
    pub(crate) enabled: bool,
    /// How it was switched, against its file.
    pub(crate) switched: Option<bool>,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) trigger: TriggerView,
    pub(crate) criteria: Vec<CriterionView>,
    pub(crate) when: Option<String>,
    /// What it runs.
    pub(crate) action: String,
    pub(crate) tags: Map<String, Value>,
    /// What it has done since the daemon started: nothing, where there is none.
    pub(crate) counts: CountsView,
    /// When its schedule comes next.
    pub(crate) next: Option<Timestamp>,
}

/// What a rule waits for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TriggerView {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) parameters: Value,
}

/// Something that must hold of an event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CriterionView {
    pub(crate) key: String,
    #[serde(rename = "type")]
    pub(crate) operator: String,
}

/// What a rule has done.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct CountsView {
    pub(crate) examined: u64,
    pub(crate) matched: u64,
    pub(crate) failed: u64,
}

impl RuleView {
    /// A rule of the files here.
    pub(super) fn of(pack: &Pack, rule: &Rule, switched: Option<bool>, next: Option<Timestamp>) -> Self {
        let tag = |tag: &Tag| (tag.name.clone(), Value::String(tag.value.clone()));
        let criterion = |one: &runner_engine::rule::Criterion| CriterionView {
            key: one.key().to_owned(),
            operator: one.operator().as_str().to_owned(),
        };
        let enabled = switched.unwrap_or(rule.enabled);
        Self {
            reference: rule.reference.to_string(),
            pack: rule.reference.pack().to_owned(),
            pack_version: pack.manifest.version.to_string(),
            description: rule.description.clone(),
            enabled,
            switched,
            kind: rule.kind.as_str().to_owned(),
            trigger: TriggerView { kind: rule.trigger.reference().to_string(), parameters: rule.trigger.parameters() },
            criteria: rule.plan.criteria.iter().map(criterion).collect(),
            when: rule.plan.when.as_ref().map(Condition::written),
            action: rule.action.to_string(),
            tags: rule.tags.iter().map(tag).collect(),
            counts: CountsView::default(),
            next: next.filter(|_| enabled),
        }
    }

    /// Whether it is on, and who says so if not its file.
    pub(crate) fn state(&self) -> String {
        let word = if self.enabled { "on" } else { "off" };
        if self.switched.is_some() { format!("{word} (switched)") } else { word.to_owned() }
    }
}
