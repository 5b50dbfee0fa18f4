//! The actions: one for each verb of each kind of object, and some of their own. Their metadata is made from here.

use runner_sdk::prelude::{Result, Value, bail, json};
use runner_sdk::serde_json::{self, Map};

use crate::call::Call;
use crate::field::Field;
use crate::resource::Resource;
use crate::resources;
use crate::special::{self, Special};
use crate::verbs::{CONNECTION, Verb};

/// What an action does.
#[derive(Debug, Clone, Copy)]
pub enum Does {
    /// A verb to a kind of object.
    Verb(&'static Resource, Verb),
    /// Something of its own.
    Special(&'static Special),
}

/// All actions, in the order in which they are described.
pub fn all() -> impl Iterator<Item = Does> {
    let verbs = |resource: &&'static Resource| {
        let resource = *resource;
        resource.verbs.iter().map(move |verb| Does::Verb(resource, *verb))
    };
    special::all().map(Does::Special).chain(resources::ALL.iter().flat_map(verbs))
}

/// The action of this name.
#[must_use]
pub fn find(name: &str) -> Option<Does> {
    all().find(|does| does.name() == name)
}

impl Does {
    /// The action's name.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Verb(resource, verb) => resource.action(*verb),
            Self::Special(special) => special.name.to_owned(),
        }
    }

    /// What it does.
    #[must_use]
    pub fn about(&self) -> String {
        match self {
            Self::Verb(resource, verb) => verb.about(resource),
            Self::Special(special) => special.about.to_owned(),
        }
    }

    /// Its parameters.
    #[must_use]
    pub fn parameters(&self) -> Vec<Field> {
        match self {
            Self::Verb(resource, verb) => verb.parameters(resource),
            Self::Special(special) => {
                let connection = special.connected.then_some(CONNECTION);
                special.fields.iter().copied().chain(connection).collect()
            }
        }
    }

    /// What it gives, as a JSON Schema.
    #[must_use]
    pub fn output(&self) -> Value {
        match self {
            Self::Verb(resource, verb) => verb.output(resource),
            Self::Special(special) => (special.output)(),
        }
    }

    /// Whether doing it twice is no more than doing it once.
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        match self {
            Self::Verb(resource, verb) => verb.is_idempotent(resource),
            Self::Special(special) => special.idempotent,
        }
    }

    /// Seconds that an attempt may take: ONTAP may be told to answer only after 120 of them.
    #[must_use]
    pub fn timeout(&self) -> u32 {
        match self {
            Self::Verb(_, Verb::Create | Verb::Update | Verb::Delete) => 180,
            Self::Verb(..) => 60,
            Self::Special(special) => special.timeout,
        }
    }

    /// Its description, as the component gives it.
    #[must_use]
    pub fn describe(&self) -> Value {
        let parameters = self.parameters();
        let properties: Map<_, _> = parameters.iter().map(|field| (field.name.to_owned(), field.schema())).collect();
        let required: Vec<_> = parameters.iter().filter(|field| field.required).map(|field| field.name).collect();
        json!({
            "description": self.about(),
            "input": { "type": "object", "properties": properties, "required": required },
            "output": self.output(),
        })
    }
}

/// Runs the action of this name.
///
/// # Errors
/// What the action returned.
pub fn run(name: &str, input: &str) -> Result<String> {
    let Some(does) = find(name) else { bail!("unknown-action", "this component has no action `{name}`") };
    let call = Call::parse(input, &does.parameters())?;
    let output = match does {
        Does::Verb(resource, verb) => verb.run(resource, &call)?,
        Does::Special(special) => (special.run)(&call)?,
    };
    Ok(serde_json::to_string(&output)?)
}

/// Describes the action of this name.
#[must_use]
pub fn describe(name: &str) -> Value {
    find(name).map_or(Value::Null, |does| does.describe())
}
