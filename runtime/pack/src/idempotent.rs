//! `idempotent` of an action: whether running it twice does no more than running it once. `true`, or for what it is given:
//! `idempotent: {method: [GET, HEAD]}` says that it is where each of these parameters has one of these values.

use std::collections::BTreeMap;

use runner_model::code;
use serde_json::Value;

use crate::diagnostic::{Document, Mistake};
use crate::fields::{boolean, wrong_type};
use crate::suggest;
use crate::yaml::{Kind, Node};
use crate::{Action, Parameters};

/// Whether running an action twice does no more than running it once.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Idempotent {
    /// It may do more.
    #[default]
    Never,
    /// It does not.
    Always,
    /// It does not where each of these parameters has one of these values.
    Where(BTreeMap<String, Vec<Value>>),
}

impl Idempotent {
    /// Whether it is, whatever the action is given.
    #[must_use]
    pub fn is_always(&self) -> bool {
        *self == Self::Always
    }

    /// The parameters that it depends on, each with the values for which it is.
    #[must_use]
    pub const fn condition(&self) -> Option<&BTreeMap<String, Vec<Value>>> {
        match self {
            Self::Where(values) => Some(values),
            Self::Never | Self::Always => None,
        }
    }
}

impl Action {
    /// Whether running it twice with this input does no more than running it once.
    #[must_use]
    pub fn is_idempotent_with(&self, input: &Value) -> bool {
        let has_one_of = |(name, values): (&String, &Vec<Value>)| {
            let default = || self.parameters.get(name)?.default.as_ref();
            input.get(name).or_else(default).is_some_and(|value| values.contains(value))
        };
        match &self.idempotent {
            Idempotent::Never => false,
            Idempotent::Always => true,
            Idempotent::Where(values) => values.iter().all(has_one_of),
        }
    }
}

/// What an action's file says.
pub(crate) fn read(file: &Document<'_>, node: &Node, parameters: &Parameters) -> Idempotent {
    let Some(entries) = node.as_map() else {
        return match boolean(file, node, "idempotent") {
            Some(true) => Idempotent::Always,
            Some(false) | None => Idempotent::Never,
        };
    };
    if entries.is_empty() {
        let mistake = Mistake::new(code::PACK_BAD_VALUE, node.span, "`idempotent` names no parameter");
        file.add(mistake.hint("write `idempotent: true`, or `idempotent: {method: [GET, HEAD]}`"));
    }
    let mut values = BTreeMap::new();
    for entry in entries {
        if parameters.get(&entry.key).is_none() {
            let message = format!("`idempotent` names the parameter `{}`, which the action does not have", entry.key);
            let hint = suggest::hint(&entry.key, parameters.names(), "its parameters are");
            file.add(Mistake::new(code::PACK_BAD_VALUE, entry.key_span, message).maybe_hint(hint));
        }
        match &entry.value.kind {
            Kind::List(items) if !items.is_empty() => {
                values.insert(entry.key.clone(), items.iter().map(Node::to_value).collect());
            }
            _ => {
                let mistake = wrong_type(&entry.value, &entry.key, "a list of values");
                file.add(mistake.hint(format!("write, for example, `{}: [GET, HEAD]`", entry.key)));
            }
        }
    }
    Idempotent::Where(values)
}
