//! Contexts: which variables a step sees.
//!
//! A branch passes deltas, one after the other; its variables are their merge, in the order in which it passed them. The first
//! delta holds the parameters and the `vars`. Merging deltas rather than whole contexts is what keeps a branch that never
//! touched a variable from setting it back at a join.
//!
//! A context is the last delta that its branch has passed. Each delta knows the one before it, so that a long execution
//! keeps no list of all of them for each of its steps.

use std::sync::Arc;

use serde_json::{Map, Value};

/// Variables by name.
pub(super) type Variables = Map<String, Value>;

/// The deltas of an execution, and how contexts are made of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Deltas(Vec<Delta>);

/// What was published, or a place where branches met.
#[derive(Debug, Clone, PartialEq)]
struct Delta {
    published: Arc<Variables>,
    /// The one that its branch passed before it.
    before: Option<usize>,
    /// Where branches met: what the first one had not passed and others had, in the order of arrival.
    met: Box<[usize]>,
}

/// Which deltas a branch has passed, and what they merge into.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Context {
    last: Option<usize>,
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
        if published.is_empty() && context.last.is_some() {
            return context.clone();
        }
        let mut variables = Variables::clone(&context.variables);
        merge(&mut variables, &published);
        self.add(context.last, published, Box::default(), variables)
    }

    /// The context where branches meet: all their deltas, in the order of arrival, each once.
    pub(super) fn join<'a>(&mut self, arrived: impl IntoIterator<Item = &'a Context>) -> Context {
        let mut arrived = arrived.into_iter();
        let Some(first) = arrived.next() else { return Context::default() };
        let mut passed = vec![false; self.0.len()];
        self.take_passed(first, &mut passed);
        let met: Vec<_> = arrived.flat_map(|context| self.take_passed(context, &mut passed)).collect();
        if met.is_empty() {
            return first.clone();
        }
        let mut variables = Variables::clone(&first.variables);
        for delta in met.iter().filter_map(|delta| self.0.get(*delta)) {
            merge(&mut variables, &delta.published);
        }
        self.add(first.last, Variables::new(), met.into(), variables)
    }

    fn add(&mut self, before: Option<usize>, published: Variables, met: Box<[usize]>, variables: Variables) -> Context {
        let last = self.0.len();
        self.0.push(Delta { published: Arc::new(published), before, met });
        Context { last: Some(last), variables: Arc::new(variables) }
    }

    /// Marks what a context has passed; gives what was not marked before, in the order in which it passed it.
    fn take_passed(&self, context: &Context, passed: &mut [bool]) -> Vec<usize> {
        let mut fresh = Vec::new();
        let mut next = context.last;
        // Whoever has passed a delta has passed all before it.
        while let Some((number, delta)) = next.and_then(|number| Some((number, self.0.get(number)?)))
            && !passed.get(number).is_some_and(|is_passed| *is_passed)
        {
            for number in [number].iter().chain(delta.met.iter().rev()) {
                if let Some(is_passed) = passed.get_mut(*number).filter(|is_passed| !**is_passed) {
                    *is_passed = true;
                    fresh.push(*number);
                }
            }
            next = delta.before;
        }
        fresh.reverse();
        fresh
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
        assert_eq!(start, same);
        assert_eq!(deltas.join([&start, &same]), start);
    }

    #[test]
    fn what_several_joins_have_passed_is_merged_once_and_in_order() {
        let mut deltas = Deltas::default();
        let start = deltas.begin(variables(json!({"x": 0})));
        let a = deltas.extend(&start, variables(json!({"x": 1, "a": 1})));
        let b = deltas.extend(&start, variables(json!({"x": 2, "b": 1})));
        let c = deltas.extend(&start, variables(json!({"x": 3, "c": 1})));
        let ba = deltas.join([&b, &a]);
        assert_eq!(ba.variables()["x"], 1);
        // `c` comes before what `ba` has passed, and `a` after `b` as in `ba`.
        let all = deltas.join([&c, &ba]);
        assert_eq!(*all.variables().as_ref(), variables(json!({"x": 1, "a": 1, "b": 1, "c": 1})));
        // What is published later is kept where an older branch arrives again.
        let later = deltas.extend(&all, variables(json!({"x": 4})));
        assert_eq!(deltas.join([&later, &ba, &a, &start]), later);
        assert_eq!(deltas.join([&ba, &later]).variables()["x"], 4);
    }
}
