//! What is known of all packs when what one of them names is looked up in the others.

use std::collections::{BTreeMap, BTreeSet};

use runner_model::{ActionRef, Code, PackRef, TriggerRef, code};

use crate::Pack;
use crate::diagnostic::Mistake;
use crate::durability::Hold;
use crate::parameters::Parameters;
use crate::sensor::TriggerType;
use crate::source::Span;
use crate::suggest;
use crate::trigger::{Trigger, Webhook};
use crate::wait;

/// What a caller has to know of an action.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    pub(crate) parameters: Parameters,
    /// What it waits for, if it runs nothing.
    pub(crate) waits: Option<wait::Kind>,
    /// Why a relaxed workflow's step waits for the disk before it begins.
    pub(crate) hold: Option<Hold>,
}

/// What is known of all packs.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Every action; none for one whose parameters could not be read.
    pub(crate) actions: BTreeMap<ActionRef, Option<Signature>>,
    /// Every pack; false for one with mistakes.
    pub(crate) packs: BTreeMap<PackRef, bool>,
    /// What sensors emit.
    pub(crate) triggers: BTreeMap<TriggerRef, TriggerType>,
    /// Packs of whose sensors some could not be read: they may emit more.
    pub(crate) unread_sensors: BTreeSet<PackRef>,
    /// The webhooks that packs without mistakes answer, by path: the first pack that does.
    pub(crate) webhooks: BTreeMap<String, (PackRef, Webhook)>,
}

impl Known {
    /// Adds a pack that was checked before.
    pub(crate) fn offer(&mut self, pack: &Pack) {
        self.packs.insert(pack.reference().clone(), true);
        for action in pack.actions.values() {
            let (parameters, waits) = (action.parameters.clone(), wait::Kind::of(&action.body));
            let signature = Signature { parameters, waits, hold: Hold::of(action) };
            self.actions.insert(action.reference.clone(), Some(signature));
        }
        for kind in pack.sensors.values().flat_map(|sensor| &sensor.triggers) {
            self.triggers.insert(kind.reference.clone(), kind.clone());
        }
        for rule in pack.rules.values() {
            if let Trigger::Webhook(webhook) = &rule.trigger {
                let entry = (pack.reference().clone(), webhook.clone());
                self.webhooks.insert(webhook.path.clone(), entry);
            }
        }
    }

    /// The mistake that naming this action is, with what may have been meant.
    pub(crate) fn unknown_action(&self, code: Code, place: Span, action: &ActionRef) -> Mistake {
        let (pack, name) = (action.pack(), action.as_str());
        if !self.packs.contains_key(pack) {
            let message = format!("there is no action `{name}`: no pack is called `{pack}`");
            return Mistake::new(code, place, message).hint(self.other_pack(pack, action.name()));
        }
        let of_pack = || self.actions.keys().filter(|action| action.pack() == pack);
        // The pack's name is right; compared with it, any two short names would look alike.
        let near = suggest::nearest(action.name(), of_pack().map(ActionRef::name));
        let near = near.map(|near| format!("did you mean `{pack}.{near}`?"));
        let hint = near.or_else(|| suggest::list(of_pack().map(ActionRef::as_str), "the pack's actions are"));
        Mistake::new(code, place, format!("there is no action `{name}`")).maybe_hint(hint)
    }

    /// The mistake that naming this trigger is, with what may have been meant.
    pub(crate) fn unknown_trigger(&self, place: Span, trigger: &TriggerRef) -> Mistake {
        let (pack, name) = (trigger.pack(), trigger.as_str());
        let code = code::RULE_UNKNOWN_TRIGGER;
        if !self.packs.contains_key(pack) {
            let message = format!("there is no trigger `{name}`: no pack is called `{pack}`");
            return Mistake::new(code, place, message).hint(self.other_pack(pack, trigger.name()));
        }
        let of_pack = || self.triggers.keys().filter(|trigger| trigger.pack() == pack);
        let near = suggest::nearest(trigger.name(), of_pack().map(TriggerRef::name));
        let near = near.map(|near| format!("did you mean `{pack}.{near}`?"));
        let hint = near.or_else(|| suggest::list(of_pack().map(TriggerRef::as_str), "its sensors emit"));
        let hint = hint.unwrap_or_else(|| {
            format!(
                "the pack emits none: name it in the `trigger_types` of a file in its `sensors/`, `- name: {}`",
                trigger.name()
            )
        });
        Mistake::new(code, place, format!("no sensor of the pack `{pack}` emits `{name}`")).hint(hint)
    }

    fn other_pack(&self, pack: &str, name: &str) -> String {
        let near = suggest::nearest(pack, self.packs.keys().map(PackRef::as_str));
        let hint = near.map(|near| format!("did you mean `{near}.{name}`?"));
        hint.unwrap_or_else(|| format!("put the pack `{pack}` into the packs directory"))
    }
}
