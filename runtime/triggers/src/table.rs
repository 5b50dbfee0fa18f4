//! The rules and sensors of one library, found by what they wait for. It is made anew whenever packs are swapped or a
//! rule is switched, and never changed: whoever looks at one sees all of it, and nothing of another.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use runner_model::{ActionRef, RuleRef, SensorRef, Status, TriggerRef, suggest};
use runner_pack::{ActionPattern, Library, Pack, Rule, RuleKind, Scheduled, Sensor, Trigger, TriggerType};
use serde_json::Value;

use crate::tally::{Tallies, Tally};
use crate::{Endpoint, endpoint};

/// A rule with what it needs to be examined.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) rule: Arc<Rule>,
    pub(crate) pack: Arc<Pack>,
    pub(crate) config: Arc<Value>,
    pub(crate) enabled: bool,
    pub(crate) switched: Option<bool>,
    pub(crate) tally: Arc<Tally>,
}

impl Member {
    pub(crate) fn name(&self) -> &RuleRef {
        &self.rule.reference
    }

    pub(crate) fn is_backstop(&self) -> bool {
        matches!(self.rule.kind, RuleKind::Backstop)
    }

    pub(crate) fn scheduled(&self) -> Option<&Scheduled> {
        match &self.rule.trigger {
            Trigger::Schedule(scheduled) => Some(scheduled),
            _ => None,
        }
    }
}

/// A sensor and its pack.
#[derive(Debug, Clone)]
pub(crate) struct Watcher {
    pub(crate) sensor: Arc<Sensor>,
    pub(crate) pack: Arc<Pack>,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rules: BTreeMap<RuleRef, Arc<Member>>,
    /// Those that are enabled, by what they wait for.
    by_trigger: HashMap<TriggerRef, Vec<Arc<Member>>>,
    endpoints: BTreeMap<String, Vec<Arc<Endpoint>>>,
    sensors: BTreeMap<SensorRef, Watcher>,
}

impl Table {
    pub(crate) fn new(library: &Library, switched: &BTreeMap<RuleRef, bool>, tallies: &Tallies) -> Self {
        let mut table = Self::default();
        for pack in library.packs() {
            let config = Arc::new(pack.config.clone());
            for rule in pack.rules.values() {
                let switched = switched.get(&rule.reference).copied();
                table.rules.insert(
                    rule.reference.clone(),
                    Arc::new(Member {
                        rule: rule.clone(),
                        pack: pack.clone(),
                        config: config.clone(),
                        enabled: switched.unwrap_or(rule.enabled),
                        switched,
                        tally: tallies.of(&rule.reference),
                    }),
                );
            }
            for sensor in pack.sensors.values() {
                let watcher = Watcher { sensor: sensor.clone(), pack: pack.clone() };
                table.sensors.insert(sensor.reference.clone(), watcher);
            }
        }
        for member in table.rules.values().filter(|member| member.enabled) {
            table.by_trigger.entry(member.rule.trigger.reference()).or_default().push(member.clone());
        }
        table.endpoints = endpoint::of(table.rules.values().filter(|member| member.enabled));
        table
    }

    pub(crate) fn rules(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.rules.values()
    }

    pub(crate) fn rule(&self, rule: &str) -> Option<&Arc<Member>> {
        self.rules.get(rule)
    }

    /// The rule whose name is nearest.
    pub(crate) fn suggest_rule(&self, rule: &str) -> Option<String> {
        let nearest = suggest::nearest(rule, self.rules.keys().map(RuleRef::as_str));
        nearest.map(|rule| format!("did you mean `{rule}`?"))
    }

    /// Those of `rules` that are enabled.
    pub(crate) fn enabled<'a>(&self, rules: impl IntoIterator<Item = &'a RuleRef>) -> Vec<Arc<Member>> {
        let found = rules.into_iter().filter_map(|rule| self.rules.get(rule));
        found.filter(|member| member.enabled).cloned().collect()
    }

    /// Enabled rules with a schedule.
    pub(crate) fn schedules(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.rules.values().filter(|member| member.enabled && member.scheduled().is_some())
    }

    pub(crate) fn endpoints(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.endpoints.values().flatten()
    }

    pub(crate) fn endpoints_at(&self, path: &str) -> Vec<Arc<Endpoint>> {
        self.endpoints.get(path.trim_matches('/')).cloned().unwrap_or_default()
    }

    pub(crate) fn sensors(&self) -> &BTreeMap<SensorRef, Watcher> {
        &self.sensors
    }

    /// A trigger that a sensor declares.
    pub(crate) fn declared(&self, trigger: &TriggerRef) -> Option<&TriggerType> {
        self.triggers().find(|declared| declared.reference == *trigger)
    }

    /// The declared trigger whose name is nearest.
    pub(crate) fn suggest_trigger(&self, trigger: &TriggerRef) -> Option<String> {
        let names = self.triggers().map(|declared| declared.reference.as_str());
        suggest::nearest(trigger.as_str(), names).map(|trigger| format!("did you mean `{trigger}`?"))
    }

    fn triggers(&self) -> impl Iterator<Item = &TriggerType> {
        self.sensors.values().flat_map(|watcher| &watcher.sensor.triggers)
    }

    /// Enabled rules that wait for what a sensor emits. What a rule says about the trigger must stand in the payload.
    pub(crate) fn waiting_for(&self, trigger: &TriggerRef, payload: &Value) -> Vec<Arc<Member>> {
        let fits = |member: &&Arc<Member>| match &member.rule.trigger {
            Trigger::Custom { parameters, .. } => {
                parameters.iter().all(|(name, wanted)| payload.get(name) == Some(wanted))
            }
            _ => false,
        };
        self.by_trigger.get(trigger).into_iter().flatten().filter(fits).cloned().collect()
    }

    /// Enabled rules that wait for the end of an execution, with the actions whose ends they wait for.
    fn finishers(&self) -> impl Iterator<Item = (&Arc<Member>, Option<&ActionPattern>, &[Status])> {
        self.rules.values().filter(|member| member.enabled).filter_map(|member| match &member.rule.trigger {
            Trigger::ExecutionFinished { action, statuses } => Some((member, action.as_ref(), statuses.as_slice())),
            _ => None,
        })
    }

    /// Enabled rules that wait for such an end.
    pub(crate) fn waiting_for_end(&self, action: &ActionRef, status: Status) -> Vec<Arc<Member>> {
        self.finishers()
            .filter(|(_, pattern, _)| pattern.is_none_or(|pattern| pattern.matches(action)))
            .filter(|(_, _, statuses)| statuses.is_empty() || statuses.contains(&status))
            .map(|(member, ..)| member.clone())
            .collect()
    }

    /// The actions whose ends somebody waits for; none if nobody waits for any, a `None` among them is all.
    pub(crate) fn awaited(&self) -> Option<Vec<Option<ActionPattern>>> {
        let awaited: Vec<_> = self.finishers().map(|(_, pattern, _)| pattern.cloned()).collect();
        (!awaited.is_empty()).then_some(awaited)
    }
}
