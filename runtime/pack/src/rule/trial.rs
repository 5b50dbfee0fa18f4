//! The file of one rule, to be tried out: also one that stands in no pack yet, or in a pack that is broken elsewhere.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use runner_model::{PackRef, code, limits};

use super::Rule;
use crate::call;
use crate::diagnostic::{Document, Findings, Mistake, Report};
use crate::draft::{Draft, MANIFEST_FILE};
use crate::files::unreadable;
use crate::known::Known;
use crate::library::{Library, linked};
use crate::metadata;
use crate::source::{Source, Span, read};
use crate::yaml;

/// The pack of a rule that stands in none.
const NO_PACK: &str = "draft";

/// Reads the file of one rule. What it needs is looked up in its own pack, if it stands in one, and in `others`; without
/// these only the file itself is checked. The report is about this file only; without a rule it says why.
#[must_use]
pub fn read_rule(path: &Path, others: Option<&Library>) -> (Option<Arc<Rule>>, Report) {
    match pack_of(path) {
        Some(directory) => read_in(&directory, path, others),
        None => read_alone(path, others),
    }
}

/// The directory of the pack that a file is a rule of.
fn pack_of(path: &Path) -> Option<PathBuf> {
    let rules = path.parent().filter(|parent| parent.file_name().is_some_and(|name| name == "rules"))?;
    let above = rules.parent()?;
    let directory = if above.as_os_str().is_empty() { Path::new(".") } else { above };
    directory.join(MANIFEST_FILE).is_file().then(|| directory.to_owned())
}

fn read_in(directory: &Path, path: &Path, others: Option<&Library>) -> (Option<Arc<Rule>>, Report) {
    let draft = match others {
        Some(others) => linked(directory, others),
        None => Draft::read(directory, None),
    };
    // As the draft spells it.
    let path = directory.join("rules").join(path.file_name().unwrap_or_default());
    let rule = draft.rules().find(|rule| rule.source == path).cloned();
    if rule.is_none() && draft.findings.report_of(&path).diagnostics.is_empty() {
        let mistake = Mistake::new(code::PACK_UNREADABLE, Span::default(), "the pack has no such rule");
        draft.findings.about(&path, mistake.hint("the files of rules end in `.yaml`"));
    }
    let report = draft.findings.report_of(&path);
    (rule, report)
}

fn read_alone(path: &Path, others: Option<&Library>) -> (Option<Arc<Rule>>, Report) {
    let findings = Findings::default();
    let rule = rule_of(path, others, &findings);
    (rule.map(Arc::new), findings.report())
}

fn rule_of(path: &Path, others: Option<&Library>, findings: &Findings) -> Option<Rule> {
    let text = read(path, limits::YAML_BYTES_MAX).map_err(|error| findings.about(path, unreadable(&error))).ok()?;
    let file = Document { source: Arc::new(Source::new(path.to_owned(), text)), findings };
    let root = yaml::parse(&file)?;
    let reference = metadata::reference(&file, &PackRef::new(NO_PACK).ok()?, path)?;
    let found = super::read(&file, &root, reference);
    if let Some(others) = others {
        let mut known = Known::default();
        others.packs().for_each(|pack| known.offer(pack));
        if let Some(called) = &found.call {
            call::check(called, None, &known, findings);
        }
        for need in &found.needs {
            need.check(None, &known, findings);
        }
    }
    found.rule
}
