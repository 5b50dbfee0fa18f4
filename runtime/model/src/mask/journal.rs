//! What is secret in a journal, and the journal without it.
//!
//! Secret are the values of parameters that are named so, and what [`Fact::SecretsLearned`] says.

use serde_json::Value;

use super::{Mask, hide_places};
use crate::view::{MASK, masked_names};
use crate::{Entry, Fact, Wait, WaitKind};

/// The mask of one execution. It has to see every entry once, in order, before it masks what follows from it.
#[derive(Debug, Default)]
pub struct JournalMask {
    mask: Mask,
    /// Where in the execution's own result secrets stand.
    places: Vec<String>,
}

impl JournalMask {
    /// The mask of these entries.
    #[must_use]
    pub fn of(entries: &[Entry]) -> Self {
        let mut mask = Self::default();
        mask.learn(entries);
        mask
    }

    /// Takes further entries into account.
    pub fn learn(&mut self, entries: &[Entry]) {
        for entry in entries {
            self.mask.learn_fact(&entry.fact);
            if let Fact::Requested(requested) = &entry.fact {
                self.places.clone_from(&requested.secret_output);
            }
        }
    }

    /// What is known as secret.
    #[must_use]
    pub const fn mask(&self) -> &Mask {
        &self.mask
    }

    /// Masks what a result shows of secrets; `own` is one of the execution itself.
    pub fn hide_result(&self, result: &mut Value, own: bool) {
        if own {
            hide_places(result, &self.places);
        }
        self.mask.hide(result);
    }

    /// An entry as it may be shown.
    #[must_use]
    pub fn entry(&self, entry: &Entry) -> Entry {
        let mut entry = entry.clone();
        self.hide(&mut entry.fact);
        entry
    }

    fn hide(&self, fact: &mut Fact) {
        let mask = &self.mask;
        match fact {
            Fact::Requested(requested) => {
                masked_names(&mut requested.parameters, &requested.secret);
                mask.hide(&mut requested.parameters);
            }
            Fact::StepScheduled { input, secret, items, .. } => {
                masked_names(input, secret);
                mask.hide(input);
                items.iter_mut().flatten().for_each(|item| mask.hide(item));
            }
            Fact::ItemScheduled { input, secret, .. } => {
                masked_names(input, secret);
                mask.hide(input);
            }
            Fact::SecretsLearned { texts } => texts.iter_mut().for_each(|text| MASK.clone_into(text)),
            Fact::ValuesRead { kv } => kv.values_mut().for_each(|value| mask.hide(value)),
            Fact::AttemptProgressed { progress, .. } => mask.hide_text(progress),
            Fact::AttemptFinished { outcome, .. } | Fact::PollEnded { outcome, .. } => mask.hide_outcome(outcome),
            Fact::WaitOpened { wait, .. } => mask.hide_wait(wait),
            Fact::Answered { answer, .. } => mask.hide(answer),
            Fact::Finished { result, errors, .. } => {
                self.hide_result(result, true);
                errors.iter_mut().for_each(|error| mask.hide_error(error));
            }
            _ => {}
        }
    }
}

/// A whole journal as it may be shown.
#[must_use]
pub fn masked(entries: &[Entry]) -> Vec<Entry> {
    let mask = JournalMask::of(entries);
    entries.iter().map(|entry| mask.entry(entry)).collect()
}

impl Mask {
    /// Learns what a fact says is secret.
    pub fn learn_fact(&self, fact: &Fact) {
        let named = |value: &Value, names: &[String]| {
            names.iter().filter_map(|name| value.get(name)).for_each(|value| self.learn_all(value));
        };
        match fact {
            Fact::Requested(requested) => named(&requested.parameters, &requested.secret),
            Fact::StepScheduled { input, secret, .. } | Fact::ItemScheduled { input, secret, .. } => {
                named(input, secret);
            }
            Fact::SecretsLearned { texts } => texts.iter().for_each(|text| self.learn(text)),
            _ => {}
        }
    }

    /// Masks the secrets in what a step waits for.
    pub fn hide_wait(&self, wait: &mut Wait) {
        match &mut wait.kind {
            WaitKind::Inquiry { prompt, schema, route, .. } => {
                self.hide_text(prompt);
                self.hide(schema);
                self.hide_text(route);
            }
            WaitKind::Event { key } => self.hide_text(key),
            WaitKind::Outcome { failure, .. } => self.hide_failure(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{AttemptNumber, Outcome, StepId, Timestamp};

    #[test]
    fn a_shown_journal_holds_nothing_that_is_secret() {
        let entry = |fact| Entry::new(Timestamp::from_millis(0), fact);
        let scheduled = Fact::StepScheduled {
            step: StepId(0),
            task: "a".parse().unwrap(),
            route: crate::RouteId(0),
            purpose: crate::Purpose::Task,
            action: "core.echo".parse().unwrap(),
            input: json!({"password": "hunter22", "text": "it is hunter22!"}),
            secret: vec!["password".into()],
            items: Some(vec![json!("hunter22")]),
            keeps: None,
            until: None,
        };
        let finished = Fact::AttemptFinished {
            step: StepId(0),
            item: None,
            attempt: AttemptNumber::FIRST,
            outcome: Outcome::Succeeded { result: json!({"echo": "aHVudGVyMjI=", "token": "tok-en-77"}) },
        };
        let learned = Fact::SecretsLearned { texts: vec!["tok-en-77".into()] };
        let shown = masked(&[entry(scheduled), entry(learned), entry(finished)]);
        let text = serde_json::to_string(&shown).unwrap();
        for secret in ["hunter22", "aHVudGVyMjI", "tok-en-77"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(text.contains("it is ********!"));
    }
}
