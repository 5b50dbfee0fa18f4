//! What rules and policies need of others: looked up when all packs are known.

use std::sync::Arc;

use runner_model::{ActionRef, PackRef, TriggerRef, code};
use serde_json::Value;

use super::finished::ActionPattern;
use super::webhook::Webhook;
use crate::diagnostic::{Document, Findings, Mistake};
use crate::known::Known;
use crate::source::{Source, Span};
use crate::suggest;
use crate::yaml::Node;

/// Something that is named, and where.
pub(crate) struct Need {
    source: Arc<Source>,
    place: Span,
    what: What,
}

enum What {
    /// A sensor's trigger, with the rule's parameters and the places of their names.
    Trigger { trigger: TriggerRef, parameters: Value, places: Vec<(String, Span)> },
    /// Actions of whose end a rule wants to know.
    Ended(ActionPattern),
    /// What a policy is about, and the parameters that it tells apart by.
    Resource { action: ActionRef, attributes: Vec<(String, Span)> },
    /// A path that only one pack may answer in one way.
    Webhook(Box<Webhook>),
}

impl Need {
    fn new(file: &Document<'_>, place: Span, what: What) -> Self {
        Self { source: Arc::clone(&file.source), place, what }
    }

    /// `node` is a map.
    pub(super) fn trigger(file: &Document<'_>, place: Span, trigger: TriggerRef, node: &Node) -> Self {
        let entries = node.as_map().unwrap_or_default();
        let places = entries.iter().map(|entry| (entry.key.clone(), entry.key_span)).collect();
        Self::new(file, place, What::Trigger { trigger, parameters: node.to_value(), places })
    }

    pub(super) fn finished(file: &Document<'_>, place: Span, pattern: ActionPattern) -> Self {
        Self::new(file, place, What::Ended(pattern))
    }

    pub(crate) fn resource(
        file: &Document<'_>,
        place: Span,
        action: ActionRef,
        attributes: Vec<(String, Span)>,
    ) -> Self {
        Self::new(file, place, What::Resource { action, attributes })
    }

    pub(crate) fn webhook(file: &Document<'_>, place: Span, webhook: Webhook) -> Self {
        Self::new(file, place, What::Webhook(Box::new(webhook)))
    }

    /// The pack that it names, if it names one.
    pub(crate) fn pack(&self) -> Option<&str> {
        match &self.what {
            What::Trigger { trigger, .. } => Some(trigger.pack()),
            What::Ended(ActionPattern::One(action)) | What::Resource { action, .. } => Some(action.pack()),
            // Looked up by its name only, which is known of all.
            What::Ended(ActionPattern::Pack(_)) | What::Webhook(_) => None,
        }
    }

    /// Reports it if it is not there.
    pub(crate) fn check(&self, own: Option<&PackRef>, known: &Known, findings: &Findings) {
        match &self.what {
            What::Trigger { trigger, parameters, places } => {
                self.check_trigger(trigger, parameters, places, own, known, findings);
            }
            What::Ended(ActionPattern::One(action)) => {
                if !known.actions.contains_key(action) {
                    findings.at(&self.source, known.unknown_action(code::RULE_UNKNOWN_ACTION, self.place, action));
                }
            }
            What::Ended(ActionPattern::Pack(pack)) => {
                if !known.packs.contains_key(pack) {
                    let near = suggest::nearest(pack.as_str(), known.packs.keys().map(PackRef::as_str));
                    let hint = near.map(|near| format!("did you mean `{near}.*`?"));
                    let message = format!("no pack is called `{pack}`");
                    let mistake = Mistake::new(code::RULE_UNKNOWN_ACTION, self.place, message);
                    findings.at(&self.source, mistake.maybe_hint(hint));
                }
            }
            What::Resource { action, attributes } => self.check_resource(action, attributes, known, findings),
            What::Webhook(webhook) => self.check_webhook(webhook, own, known, findings),
        }
    }

    fn check_trigger(
        &self,
        trigger: &TriggerRef,
        parameters: &Value,
        places: &[(String, Span)],
        own: Option<&PackRef>,
        known: &Known,
        findings: &Findings,
    ) {
        let Some(kind) = known.triggers.get(trigger) else {
            if !known.unread_sensors.contains(trigger.pack()) {
                findings.at(&self.source, known.unknown_trigger(self.place, trigger));
            }
            return;
        };
        let is_own = own.is_some_and(|own| own.as_str() == trigger.pack());
        if !is_own && known.packs.get(trigger.pack()) == Some(&false) {
            let message = format!("the pack `{}` has mistakes and cannot be used: nothing emits this", trigger.pack());
            findings.at(&self.source, Mistake::new(code::PACK_NOT_LOADED, self.place, message).warning());
        }
        for (parameter, message) in kind.check_parameters(parameters) {
            let place = places.iter().find(|(name, _)| *name == parameter).map_or(self.place, |(_, span)| *span);
            let message = format!("the parameters do not fit `{trigger}`: {message}");
            let hint = suggest::list(kind.parameter_names(), "its parameters are");
            let hint = hint.unwrap_or_else(|| "it has none: remove `parameters`".to_owned());
            findings.at(&self.source, Mistake::new(code::RULE_BAD_TRIGGER, place, message).hint(hint));
        }
    }

    fn check_resource(&self, action: &ActionRef, attributes: &[(String, Span)], known: &Known, findings: &Findings) {
        let Some(signature) = known.actions.get(action) else {
            findings.at(&self.source, known.unknown_action(code::RULE_UNKNOWN_ACTION, self.place, action));
            return;
        };
        let Some(signature) = signature else { return };
        for (name, place) in attributes.iter().filter(|(name, _)| signature.parameters.get(name).is_none()) {
            let message = format!("`{action}` has no parameter `{name}`");
            let hint = suggest::hint(name, signature.parameters.names(), "its parameters are");
            let mistake = Mistake::new(code::RULE_UNKNOWN_PARAMETER, *place, message);
            findings.at(&self.source, mistake.maybe_hint(hint));
        }
    }

    fn check_webhook(&self, webhook: &Webhook, own: Option<&PackRef>, known: &Known, findings: &Findings) {
        let Some((pack, first)) = known.webhooks.get(&webhook.path) else { return };
        if Some(pack) == own || webhook.behaves_as(first) {
            return;
        }
        let message = format!("the pack `{pack}` answers the webhook `{}` with other settings", webhook.path);
        let hint = "write another `path`, or the same settings";
        findings.at(&self.source, Mistake::new(code::RULE_WEBHOOK, self.place, message).hint(hint));
    }
}
