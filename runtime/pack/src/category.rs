//! The five kinds of mistakes that an inspection tells apart: Orquesta's.

use std::fmt;

use runner_model::{Code, code};
use serde::Serialize;

/// What a mistake in a workflow is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// The file: its YAML, its keys, the types and ranges of values.
    Syntax,
    /// The tasks and how they lead to one another.
    Semantics,
    /// The text of an expression.
    Expressions,
    /// Variables that nothing has set where they are read.
    Context,
    /// The actions that are called, and what is passed to them.
    Contents,
}

impl Category {
    /// Every category, in the order of inspection.
    pub const ALL: [Self; 5] = [Self::Syntax, Self::Semantics, Self::Expressions, Self::Context, Self::Contents];

    /// The word, as written in rehearsals.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Semantics => "semantics",
            Self::Expressions => "expressions",
            Self::Context => "context",
            Self::Contents => "contents",
        }
    }

    /// The category of a mistake.
    #[must_use]
    pub fn of(code: Code) -> Self {
        const SEMANTICS: [Code; 7] = [
            code::FLOW_UNKNOWN_TASK,
            code::FLOW_RESERVED_NAME,
            code::FLOW_NO_START,
            code::FLOW_UNREACHABLE_TASK,
            code::FLOW_BAD_JOIN,
            code::FLOW_NO_ACTION,
            code::PACK_DUPLICATE_NAME,
        ];
        const CONTENTS: [Code; 5] = [
            code::FLOW_UNKNOWN_ACTION,
            code::FLOW_UNKNOWN_PARAMETER,
            code::FLOW_MISSING_PARAMETER,
            code::FLOW_BAD_PARAMETER,
            code::PACK_NOT_LOADED,
        ];
        match code {
            code::FLOW_UNKNOWN_VARIABLE => Self::Context,
            code if SEMANTICS.contains(&code) => Self::Semantics,
            code if CONTENTS.contains(&code) => Self::Contents,
            code if code.id().starts_with("E-EXPR-") => Self::Expressions,
            _ => Self::Syntax,
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_in_a_workflow_is_told_apart_as_orquesta_does() {
        for (code, category) in [
            (code::PACK_SYNTAX, Category::Syntax),
            (code::PACK_UNKNOWN_KEY, Category::Syntax),
            (code::FLOW_UNKNOWN_TASK, Category::Semantics),
            (code::FLOW_BAD_JOIN, Category::Semantics),
            (code::FLOW_NO_ACTION, Category::Semantics),
            (code::EXPR_UNKNOWN_FUNCTION, Category::Expressions),
            (code::FLOW_UNKNOWN_VARIABLE, Category::Context),
            (code::FLOW_UNKNOWN_ACTION, Category::Contents),
            (code::FLOW_MISSING_PARAMETER, Category::Contents),
        ] {
            assert_eq!(Category::of(code), category, "{code}");
        }
        assert!(Category::ALL.is_sorted());
    }
}
