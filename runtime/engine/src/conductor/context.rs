//! Contexts: which variables a step sees.
//!
//! A context is a list of deltas in the order in which they arrived; its variables are their merge. The first delta
//! (number 0) holds the parameters and the `vars`. Merging deltas rather than whole contexts is what keeps a branch
//! that never touched a variable from setting it back at a join.

use std::sync::Arc;

use serde_json::{Map, Value};

/// Variables by name.
pub(super) type Variables = Map<String, Value>;

/// The deltas of an execution, and how contexts are made of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Deltas(Vec<Arc<Variables>>);

/// Which deltas a branch has passed, and what they merge into.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Context {
    passed: Arc<[usize]>,
    variables: Arc<Variables>,
}

impl Context {
    pub(super) const fn variables(&self) -> &Arc<Variables> {
        &self.variables
    }
}

impl Deltas {
    /// The context at the start.
    pub(super) fn begin(&mut self, variables: Variables) -> Context {
        self.extend(&Context::default(), variables)
    }

    /// The context after `published` was published in `context`.
    pub(super) fn extend(&mut self, context: &Context, published: Variables) -> Context {
        if published.is_empty() && !context.passed.is_empty() {
            return context.clone();
        }
        let delta = self.0.len();
        let mut variables = Variables::clone(&context.variables);
        merge(&mut variables, &published);
        self.0.push(Arc::new(published));
        Context { passed: context.passed.iter().copied().chain([delta]).collect(), variables: Arc::new(variables) }
    }

    /// The context where branches meet: all their deltas, in the order of arrival, each once.
    pub(super) fn join<'a>(&self, arrived: impl IntoIterator<Item = &'a Context>) -> Context {
        let mut arrived = arrived.into_iter();
        let Some(first) = arrived.next() else { return Context::default() };
        let mut passed = first.passed.to_vec();
        let mut variables = None;
        for context in arrived {
            for &delta in context.passed.iter() {
                if passed.contains(&delta) {
                    continue;
                }
                passed.push(delta);
                if let Some(published) = self.0.get(delta) {
                    merge(variables.get_or_insert_with(|| Variables::clone(&first.variables)), published);
                }
            }
        }
        match variables {
            Some(variables) => Context { passed: passed.into(), variables: Arc::new(variables) },
            None => first.clone(),
        }
    }
}

/// Puts `from` over `into`: maps are merged key by key, anything else is replaced.
fn merge(into: &mut Variables, from: &Variables) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            (Some(slot), _) => *slot = value.clone(),
            (None, _) => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn variables(value: Value) -> Variables {
        match value {
            Value::Object(map) => map,
            _ => panic!("a map"),
        }
    }

    #[test]
    fn where_branches_meet_the_last_writer_wins_and_maps_are_merged() {
        let mut deltas = Deltas::default();
        let start = deltas.begin(variables(json!({"x": 1, "m": {"a": 1}, "kept": "start"})));
        let left = deltas.extend(&start, variables(json!({"x": 2, "m": {"b": 2}})));
        let right = deltas.extend(&start, variables(json!({"m": {"b": 3, "c": 3}})));
        let met = deltas.join([&left, &right]);
        assert_eq!(
            *met.variables().as_ref(),
            variables(json!({"x": 2, "m": {"a": 1, "b": 3, "c": 3}, "kept": "start"}))
        );
        let other_order = deltas.join([&right, &left]);
        assert_eq!(other_order.variables()["m"], json!({"a": 1, "b": 2, "c": 3}));
    }

    #[test]
    fn publishing_nothing_is_the_same_context() {
        let mut deltas = Deltas::default();
        let start = deltas.begin(Variables::new());
        let same = deltas.extend(&start, Variables::new());
        assert_eq!(start.passed, same.passed);
        assert_eq!(deltas.join([&start, &same]).passed, start.passed);
    }
}
