//! What came of rehearsals: for each what differed, and which transitions none of them took.

use std::path::PathBuf;

use runner_model::{ActionRef, TaskName};
use serde::Serialize;
use serde::ser::SerializeStruct as _;
use serde_json::Value;

/// What came of a run of rehearsals.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The rehearsals, in the order in which they were given.
    pub rehearsals: Vec<Case>,
    /// The workflows that were played, by name.
    pub coverage: Vec<Coverage>,
}

/// What came of one rehearsal.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// The file it stands in.
    pub file: PathBuf,
    /// The line it begins at, from 1.
    pub line: usize,
    /// The workflow.
    pub workflow: ActionRef,
    /// What was not as expected; nothing if it passed.
    pub differences: Vec<Difference>,
}

/// Something that was not as expected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The phase: 0 is the first run, 1 the first rerun.
    pub phase: usize,
    /// The key of the rehearsal that is about it.
    pub field: &'static str,
    /// What is wrong, in a lowercase sentence.
    pub message: String,
    /// What was expected, where two values were compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Value>,
    /// What came instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<Value>,
    /// What can be done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// The transitions of a workflow, over all its rehearsals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// The workflow.
    pub workflow: ActionRef,
    /// How many rehearsals played it.
    pub rehearsals: usize,
    /// How many transitions it has.
    pub transitions: usize,
    /// Those that were never taken, in the order of the file.
    pub never_taken: Vec<Untaken>,
}

/// A transition that was never taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Untaken {
    /// The task it leads from.
    pub task: TaskName,
    /// Its place in the task's `next`, from 0.
    pub index: usize,
    /// Its condition, as written; none if it is always taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Where it leads.
    #[serde(rename = "do")]
    pub targets: Vec<String>,
}

impl Report {
    /// Whether every rehearsal passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.rehearsals.iter().all(Case::passed)
    }

    /// Those that did not pass.
    pub fn failed(&self) -> impl Iterator<Item = &Case> {
        self.rehearsals.iter().filter(|case| !case.passed())
    }
}

impl Case {
    /// Whether everything was as expected.
    #[must_use]
    pub const fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

impl Serialize for Case {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_struct("Case", 6)?;
        map.serialize_field("name", &self.name)?;
        map.serialize_field("file", &self.file.to_string_lossy())?;
        map.serialize_field("line", &self.line)?;
        map.serialize_field("workflow", &self.workflow)?;
        map.serialize_field("passed", &self.passed())?;
        map.serialize_field("differences", &self.differences)?;
        map.end()
    }
}

impl Difference {
    /// Two values that are not the same.
    pub(super) fn between(phase: usize, field: &'static str, expected: Value, actual: Value) -> Self {
        let message = format!("`{field}` is not what came");
        Self { phase, field, message, expected: Some(expected), actual: Some(actual), hint: None }
    }

    /// Something that is wrong about the rehearsal itself, or that kept it from going on.
    pub(super) fn trouble(phase: usize, field: &'static str, message: impl Into<String>) -> Self {
        Self { phase, field, message: message.into(), expected: None, actual: None, hint: None }
    }

    pub(super) fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}
