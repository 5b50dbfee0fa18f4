//! Actions: what `#[action]` makes of a function, and how a component finds the one that is called.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::{Failure, Result, json};

/// The reserved name that a component answers with the description of its actions.
pub const DESCRIBE: &str = "runner:describe";

/// An action. Written by `#[action]`, for a type that has the name of the function.
pub trait Action {
    /// Its own name, without the pack.
    const NAME: &'static str;
    /// What it does.
    const DESCRIPTION: &'static str;

    /// Runs it: from the input as JSON to the output as JSON.
    ///
    /// # Errors
    /// `bad-input`, or what the function returned.
    fn run(input: &str) -> Result<String>;

    /// Its description and the schemas of its input and output.
    fn describe() -> Value;
}

/// An action in the list that `export!` makes.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The action's own name.
    pub name: &'static str,
    /// Runs it.
    pub run: fn(&str) -> Result<String>,
    /// Describes it.
    pub describe: fn() -> Value,
}

impl Entry {
    /// The entry of an action.
    #[must_use]
    pub const fn of<A: Action>() -> Self {
        Self { name: A::NAME, run: A::run, describe: A::describe }
    }
}

/// Runs the action of this name.
///
/// # Errors
/// `unknown-action`, or what the action returned.
pub fn dispatch(actions: &[Entry], name: &str, input: &str) -> Result<String> {
    if let Some(entry) = actions.iter().find(|entry| entry.name == name) {
        return (entry.run)(input);
    }
    if name == DESCRIBE {
        let described = actions.iter().map(|entry| (entry.name.to_owned(), (entry.describe)()));
        return output(&described.collect::<Map<_, _>>());
    }
    let names: Vec<_> = actions.iter().map(|entry| entry.name).collect();
    Err(Failure::new("unknown-action", format!("this component has no action `{name}`, only {}", names.join(", "))))
}

/// Calls an action's function with its input read from JSON.
///
/// # Errors
/// `bad-input`, or what the function returned.
pub fn run<I: DeserializeOwned, O: Serialize>(function: impl FnOnce(I) -> Result<O>, input: &str) -> Result<String> {
    let input = json::read(input.as_bytes()).map_err(|misfit| bad_input(&misfit))?;
    output(&function(input)?)
}

/// Calls the function of an action that has no parameters.
///
/// # Errors
/// What the function returned.
pub fn run_without_input<O: Serialize>(function: impl FnOnce() -> Result<O>, _input: &str) -> Result<String> {
    output(&function()?)
}

/// The description of an action with an input.
pub fn describe<I: DeserializeOwned + JsonSchema, O: Serialize + JsonSchema>(
    _function: impl FnOnce(I) -> Result<O>,
    description: &str,
) -> Value {
    let input = SchemaSettings::default().for_deserialize().into_generator().into_root_schema_for::<I>();
    json!({ "description": description, "input": input, "output": output_schema::<O>() })
}

/// The description of an action without parameters.
pub fn describe_without_input<O: Serialize + JsonSchema>(
    _function: impl FnOnce() -> Result<O>,
    description: &str,
) -> Value {
    let input = json!({ "type": "object", "properties": {} });
    json!({ "description": description, "input": input, "output": output_schema::<O>() })
}

fn output_schema<O: JsonSchema>() -> schemars::Schema {
    SchemaSettings::default().for_serialize().into_generator().into_root_schema_for::<O>()
}

fn bad_input(misfit: &json::Misfit) -> Failure {
    Failure::new("bad-input", misfit.to_string()).with_details(json!({ "path": misfit.path }))
}

fn output(value: &impl Serialize) -> Result<String> {
    json::write(value)
        .map_err(|error| Failure::new("bad-output", format!("the output cannot be written as JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[derive(Deserialize, JsonSchema)]
    struct Input {
        /// How large.
        size: Size,
    }

    #[derive(Deserialize, JsonSchema)]
    struct Size {
        bytes: u64,
    }

    /// Doubles a size,
    /// whatever it is.
    ///
    /// Never overflows.
    #[action]
    fn double(input: Input) -> Result<u64> {
        Ok(input.size.bytes.saturating_mul(2))
    }

    #[action(name = "always-one")]
    fn one() -> Result<u64> {
        Ok(1)
    }

    const ACTIONS: &[Entry] = &[Entry::of::<double>(), Entry::of::<one>()];

    #[test]
    fn an_action_is_found_by_its_name() {
        assert_eq!(dispatch(ACTIONS, "double", r#"{"size":{"bytes":21}}"#).unwrap(), "42");
        assert_eq!(dispatch(ACTIONS, "always-one", "{}").unwrap(), "1");
        let failure = dispatch(ACTIONS, "one", "{}").unwrap_err();
        assert_eq!(failure.code, "unknown-action");
        assert!(failure.message.contains("`one`, only double, always-one"));
    }

    #[test]
    fn bad_input_says_where() {
        let failure = dispatch(ACTIONS, "double", r#"{"size":{"bytes":"many"}}"#).unwrap_err();
        assert_eq!(failure.code, "bad-input");
        assert!(failure.message.starts_with("`size.bytes`: invalid type: string \"many\""), "{failure}");
        assert_eq!(failure.details(), Some(&json!({ "path": "size.bytes" })));
    }

    #[test]
    fn a_component_describes_its_actions() {
        let described: Value = serde_json::from_str(&dispatch(ACTIONS, DESCRIBE, "{}").unwrap()).unwrap();
        assert_eq!(described["double"]["description"], "Doubles a size, whatever it is.\n\nNever overflows.");
        assert_eq!(described["double"]["input"]["properties"]["size"]["description"], "How large.");
        assert_eq!(described["double"]["input"]["required"], json!(["size"]));
        assert_eq!(described["always-one"]["input"]["properties"], json!({}));
        assert_eq!(described["always-one"]["output"]["type"], "integer");
    }
}
