//! What the packs' policies say, in the terms of the line.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use runner_model::{ActionRef, PolicyRef};
use runner_pack::{Library, Over, Policy, PolicyKind};
use serde_json::{Map, Value};

use super::line::{Claim, Key, Limit};

/// The policies that are enabled, by the action that they are about.
#[derive(Default)]
pub(crate) struct Policies {
    by_action: HashMap<ActionRef, Vec<Arc<Policy>>>,
    by_name: BTreeMap<PolicyRef, Arc<Policy>>,
}

impl Policies {
    pub(crate) fn of(library: &Library) -> Self {
        let mut policies = Self::default();
        for policy in library.policies().map(|(_, policy)| policy).filter(|policy| policy.enabled) {
            policies.by_action.entry(policy.resource.clone()).or_default().push(policy.clone());
            policies.by_name.insert(policy.reference.clone(), policy.clone());
        }
        policies
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_action.is_empty()
    }

    pub(super) fn govern(&self, action: &ActionRef) -> bool {
        self.by_action.contains_key(action)
    }

    /// What a run of an action with this input needs.
    pub(super) fn claims(&self, action: &ActionRef, input: &Value) -> Vec<Claim> {
        let policies = self.by_action.get(action).into_iter().flatten();
        policies.map(|policy| claim(policy, input)).collect()
    }

    /// The action of a policy, and what it allows: `2 at a time`.
    pub(super) fn in_words(&self, policy: &PolicyRef) -> (String, String) {
        let Some(policy) = self.by_name.get(policy) else { return Default::default() };
        let allows = match &policy.kind {
            PolicyKind::Concurrency { threshold, .. } => format!("{threshold} at a time"),
            PolicyKind::Rate { limit, per, .. } => format!("{limit} in {} s", per.as_secs_f64()),
        };
        (policy.resource.to_string(), allows)
    }

    /// What is allowed of a key now; none if its policy is gone, or counts by other parameters.
    pub(super) fn limit(&self, key: &Key) -> Option<Limit> {
        let policy = self.by_name.get(&key.policy)?;
        let values: Map<String, Value> = serde_json::from_str(&key.values).ok()?;
        let attributes = attributes(policy);
        let is_same = values.len() == attributes.len() && attributes.iter().all(|name| values.contains_key(name));
        is_same.then(|| limit(policy))
    }
}

fn claim(policy: &Policy, input: &Value) -> Claim {
    let value = |name: &String| (name.clone(), input.get(name).cloned().unwrap_or(Value::Null));
    let values = attributes(policy).iter().map(value).collect();
    let refuses = match &policy.kind {
        PolicyKind::Concurrency { over, .. } | PolicyKind::Rate { over, .. } => matches!(over, Over::Cancel),
    };
    let key = Key { policy: policy.reference.clone(), values: Value::Object(values).to_string() };
    Claim { key, limit: limit(policy), refuses }
}

fn attributes(policy: &Policy) -> &[String] {
    match &policy.kind {
        PolicyKind::Concurrency { attributes, .. } | PolicyKind::Rate { attributes, .. } => attributes,
    }
}

fn limit(policy: &Policy) -> Limit {
    match &policy.kind {
        PolicyKind::Concurrency { threshold, .. } => Limit::Places(*threshold),
        PolicyKind::Rate { limit, per, burst, .. } => {
            let interval = per.as_micros() / u128::from((*limit).max(1));
            Limit::Pace { interval_us: i64::try_from(interval).unwrap_or(i64::MAX).max(1), burst: *burst }
        }
    }
}
