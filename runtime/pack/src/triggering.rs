//! What a pack does by itself: its rules, sensors and policies, as its own files show them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runner_model::{NameError, PackRef, TriggerRef, code};

use crate::call::{self, Call};
use crate::diagnostic::{Document, Findings, Mistake};
use crate::draft::Needed;
use crate::files::Directory;
use crate::known::Known;
use crate::metadata;
use crate::policy::{self, Policy};
use crate::rule::{self, Rule};
use crate::sensor::{self, Sensor, TriggerType};
use crate::source::{Source, Span};
use crate::trigger::{Need, Webhook};
use crate::yaml::Node;

/// What was read of them.
#[derive(Default)]
pub(crate) struct Triggering {
    pub(crate) rules: BTreeMap<String, Arc<Rule>>,
    pub(crate) sensors: BTreeMap<String, Arc<Sensor>>,
    pub(crate) policies: BTreeMap<String, Arc<Policy>>,
    /// What counts for the digest.
    pub(crate) files: Vec<PathBuf>,
    /// The components of the sensors.
    pub(crate) needed: Vec<Needed>,
    pub(crate) calls: Vec<Call>,
    pub(crate) needs: Vec<Need>,
    /// What the sensors emit, and where it is declared first.
    types: BTreeMap<TriggerRef, (TriggerType, Arc<Source>, Span)>,
    /// Whether some sensor could not be read, so that there may be more of them.
    types_incomplete: bool,
    /// The webhooks that are answered, and where that is said first.
    webhooks: BTreeMap<String, (Webhook, Arc<Source>, Span)>,
}

impl Triggering {
    /// Reads the three directories.
    pub(crate) fn read(directory: &Directory<'_>, pack: &PackRef) -> Self {
        let mut read = Self::default();
        for path in directory.yaml_files("sensors") {
            match read.begin(directory, &path, pack) {
                Some((file, root, reference)) => read.sensor(&file, &root, pack, reference),
                None => read.types_incomplete = true,
            }
        }
        for path in directory.yaml_files("rules") {
            let Some((file, root, reference)) = read.begin(directory, &path, pack) else { continue };
            let rule = rule::read(&file, &root, reference);
            read.calls.extend(rule.call);
            read.needs.extend(rule.needs);
            if let Some((webhook, place)) = rule.webhook {
                read.answer(&file, webhook, place);
            }
            read.rules.extend(rule.rule.map(|rule| (rule.reference.name().to_owned(), Arc::new(rule))));
        }
        for path in directory.yaml_files("policies") {
            let Some((file, root, reference)) = read.begin(directory, &path, pack) else { continue };
            let policy = policy::read(&file, &root, reference);
            read.needs.extend(policy.needs);
            read.policies.extend(policy.policy.map(|policy| (policy.reference.name().to_owned(), Arc::new(policy))));
        }
        read
    }

    fn begin<'a, R: std::str::FromStr<Err = NameError>>(
        &mut self,
        directory: &Directory<'a>,
        path: &Path,
        pack: &PackRef,
    ) -> Option<(Document<'a>, Node, R)> {
        let read = directory.document(path);
        self.files.push(path.to_owned());
        let (file, root) = read?;
        let reference = metadata::reference(&file, pack, path)?;
        Some((file, root, reference))
    }

    fn sensor(&mut self, file: &Document<'_>, root: &Node, pack: &PackRef, reference: runner_model::SensorRef) {
        let read = sensor::read(file, root, pack, reference);
        self.types_incomplete |= !read.is_whole;
        for (kind, place) in read.triggers {
            let Some((first, source, span)) = self.types.get(&kind.reference) else {
                self.types.insert(kind.reference.clone(), (kind, Arc::clone(&file.source), place));
                continue;
            };
            if !first.emits_the_same_as(&kind) {
                let at = told(source, *span);
                let message = format!("`{}` is declared otherwise in {at}", kind.reference.name());
                let hint = "write the same schemas, or another name";
                file.add(Mistake::new(code::PACK_DUPLICATE_NAME, place, message).hint(hint));
            }
        }
        let source = || Arc::clone(&file.source);
        self.needed.extend(read.component.map(|(component, span)| Needed { component, span, source: source() }));
        self.sensors.extend(read.sensor.map(|sensor| (sensor.reference.name().to_owned(), Arc::new(sensor))));
    }

    /// Rules may share a webhook, if they say the same about it.
    fn answer(&mut self, file: &Document<'_>, webhook: Webhook, place: Span) {
        let Some((first, source, span)) = self.webhooks.get(&webhook.path) else {
            self.webhooks.insert(webhook.path.clone(), (webhook, Arc::clone(&file.source), place));
            return;
        };
        if first.behaves_as(&webhook) {
            return;
        }
        let message = format!("the webhook `{}` has other settings here than in {}", webhook.path, told(source, *span));
        let hint = "write the same settings in both rules, or another `path`";
        file.add(Mistake::new(code::RULE_WEBHOOK, place, message).hint(hint));
        let message =
            format!("the webhook `{}` has other settings here than in {}", webhook.path, told(&file.source, place));
        file.findings.at(source, Mistake::new(code::RULE_WEBHOOK, *span, message).hint(hint));
    }

    /// Adds what is offered here to what is known.
    pub(crate) fn introduce(&self, pack: &PackRef, is_sound: bool, known: &mut Known) {
        for (kind, ..) in self.types.values() {
            known.triggers.insert(kind.reference.clone(), kind.clone());
        }
        if self.types_incomplete {
            known.unread_sensors.insert(pack.clone());
        }
        for (webhook, ..) in self.webhooks.values().filter(|_| is_sound) {
            known.webhooks.insert(webhook.path.clone(), (pack.clone(), webhook.clone()));
        }
    }

    /// Checks what is needed of others.
    pub(crate) fn link(&self, own: Option<&PackRef>, known: &Known, findings: &Findings) {
        for call in &self.calls {
            call::check(call, own, known, findings);
        }
        for need in &self.needs {
            need.check(own, known, findings);
        }
    }

    /// Leaves out what stands in these files.
    pub(crate) fn leave_out(&mut self, broken: &BTreeSet<PathBuf>) {
        self.rules.retain(|_, rule| !broken.contains(&rule.source));
        self.sensors.retain(|_, sensor| !broken.contains(&sensor.source));
        self.policies.retain(|_, policy| !broken.contains(&policy.source));
    }
}

/// A place in another file of the pack, for a message.
fn told(source: &Source, span: Span) -> String {
    let path = source.path();
    let below: PathBuf = path.iter().rev().take(2).collect::<Vec<_>>().into_iter().rev().collect();
    let position = source.position(span.start);
    format!("`{}:{}:{}`", below.display(), position.line, position.column)
}
