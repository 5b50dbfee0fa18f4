//! The inspection of one workflow: what is wrong with it, in the five categories, whether or not its pack loads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::library::linked;
use crate::{Category, Diagnostic, Library};

/// What was found in the file of one workflow.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// The file.
    pub path: PathBuf,
    /// What keeps the workflow from being run, in the order of the file.
    pub errors: Vec<Diagnostic>,
    /// What is doubtful about it, in the order of the file.
    pub warnings: Vec<Diagnostic>,
}

impl Inspection {
    /// The errors of each category that has any.
    #[must_use]
    pub fn by_category(&self) -> BTreeMap<Category, Vec<&Diagnostic>> {
        let mut categories: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for diagnostic in &self.errors {
            categories.entry(diagnostic.category()).or_default().push(diagnostic);
        }
        categories
    }
}

/// Inspects the workflow `name` of the pack in `pack`; none if there is no such file. `others` are the packs that it may
/// call, this pack's own actions are known without them.
#[must_use]
pub fn inspect_workflow(pack: &Path, name: &str, others: &Library) -> Option<Inspection> {
    let path = pack.join("workflows").join(format!("{name}.yaml"));
    // A name is no way out of the directory.
    if name.contains(['/', '\\']) || !path.is_file() {
        return None;
    }
    let report = linked(pack, others).findings.report_of(&path);
    let (errors, warnings) = report.diagnostics.into_iter().partition(Diagnostic::is_error);
    Some(Inspection { path, errors, warnings })
}
