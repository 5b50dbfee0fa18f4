//! What can be done with every kind of object, in the same way.

mod create;
mod delete;
mod read;
mod update;

pub use create::{create, make};
pub use delete::{delete, remove};
pub use update::{change, update};

use runner_sdk::prelude::{Result, Value, json};

use crate::call::Call;
use crate::field::{Field, Kind, When};
use crate::resource::Resource;

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Make one, unless it is there.
    Create,
    /// Read one that must be there.
    Get,
    /// Read several.
    List,
    /// Read one if it is there.
    Find,
    /// Change one.
    Update,
    /// Remove one, if it is there.
    Delete,
}

/// All verbs.
pub const ALL: &[Verb] = &[Verb::Create, Verb::Get, Verb::List, Verb::Find, Verb::Update, Verb::Delete];

/// The parameter that every action has.
pub const CONNECTION: Field =
    Field::text("connection", "", "The cluster: the name of a connection.").default("\"ontap\"");
/// How long ONTAP may take to end a job before it answers.
pub const RETURN_TIMEOUT: Field = Field::number(
    "return_timeout",
    "",
    "Seconds that ONTAP may take to finish before it answers with a job, at most 120.",
)
.default("0");
const UUID: Field = Field::text("uuid", "", "Its UUID, instead of its name.");
const SHOWN: Field = Field::text("fields", "", "What to read: ONTAP's `fields`, such as `size,nas.path`, or `*`.");
const MORE: Field = Field::new(
    "fields",
    "",
    Kind::Object,
    "Any other fields, as the API has them: an object that is merged into the body; keys may be dotted.",
);
const QUERY: Field = Field::new(
    "query",
    "",
    Kind::Object,
    "ONTAP's filters: fields and what they must be, such as `{state: \"!online\", size: \">1TB\"}`.",
);
const ON_DIFFERENCE: Field = Field::new(
    "on_difference",
    "",
    Kind::Choice(&["fail", "update", "ignore"]),
    "What to do if it is there, but not as it is described here.",
)
.default("\"fail\"");
const ONLY_IF: Field = Field::flag(
    "only_if",
    "",
    "False: nothing is done. A `compensate` says `<% result().created %>` here, to undo only what was done.",
)
.default("true");

impl Verb {
    /// Its word in the names of actions.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Get => "get",
            Self::List => "list",
            Self::Find => "find",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    /// What the action does.
    #[must_use]
    pub fn about(self, resource: &Resource) -> String {
        let what = resource.what;
        let one = what.split_once(' ').map_or(what, |(_, one)| one);
        let several = one.strip_suffix('y').map_or_else(|| format!("{one}s"), |stem| format!("{stem}ies"));
        match self {
            Self::Create => format!("Creates {what}, unless it is there already."),
            Self::Get => format!("Reads {what}, which must be there."),
            Self::List => format!("Lists {several}."),
            Self::Find => format!("Looks for {what}, which may not be there."),
            Self::Update => format!("Changes {what} where it is not yet as it shall be."),
            Self::Delete => format!("Deletes {what}, if it is there."),
        }
    }

    /// Its parameters.
    #[must_use]
    pub fn parameters(self, resource: &Resource) -> Vec<Field> {
        let mut list: Vec<Field> = resource.identity.iter().map(|field| self.identity(resource, *field)).collect();
        let with_uuid = resource.has_uuid() && resource.identity.iter().all(|field| field.name != "uuid");
        if with_uuid && matches!(self, Self::Get | Self::Find | Self::Update | Self::Delete) {
            list.push(UUID);
        }
        match self {
            Self::Create => {
                list.extend(resource.fields.iter().filter(|field| field.when != When::Changed));
                list.extend([MORE, ON_DIFFERENCE, RETURN_TIMEOUT]);
            }
            Self::Get => list.push(SHOWN.default("\"*\"")),
            Self::Find => list.extend([QUERY, SHOWN.default("\"*\"")]),
            Self::List => list.extend([
                QUERY,
                SHOWN,
                Field::text("order_by", "", "ONTAP's order, such as `size desc,name`."),
                Field::number("limit", "", "How many at most.").default("1000"),
                Field::number("max_records", "", "How many on one page; none leaves it to ONTAP."),
            ]),
            Self::Update => {
                let fields = resource.fields.iter().filter(|field| field.when != When::Created);
                list.extend(fields.map(|field| Field { required: false, ..*field }));
                list.extend([MORE, RETURN_TIMEOUT]);
            }
            Self::Delete => list.extend([ONLY_IF, RETURN_TIMEOUT]),
        }
        list.push(CONNECTION);
        list
    }

    /// A parameter that tells one object from another: needed where there is no other way.
    fn identity(self, resource: &Resource, field: Field) -> Field {
        let required = match self {
            Self::Create => field.required,
            // Without the SVM a name may be that of several objects, which is then said.
            Self::Get | Self::Update | Self::Delete => {
                field.required && field.name != "svm" && (!resource.has_uuid() || field.when == When::Parent)
            }
            Self::List | Self::Find => field.required && field.when == When::Parent && field.name != "svm",
        };
        Field { required: required || (self.alone(resource) && field.required), ..field }
    }

    /// Whether the SVM is all that tells one from another.
    fn alone(self, resource: &Resource) -> bool {
        matches!(self, Self::Get | Self::Update | Self::Delete) && resource.identity.len() == 1 && !resource.has_uuid()
    }

    /// Whether doing it twice is no more than doing it once.
    #[must_use]
    pub fn is_idempotent(self, resource: &Resource) -> bool {
        match self {
            // Without a name an offer to peer cannot be told from another one.
            Self::Create => resource.name != "cluster_peer",
            _ => true,
        }
    }

    /// What it gives.
    #[must_use]
    pub fn output(self, resource: &Resource) -> Value {
        let record = json!({ "type": "object", "description": format!("What ONTAP shows of {}.", resource.what) });
        match self {
            Self::Get => json!({ "type": "object", "properties": { "record": record }, "required": ["record"] }),
            Self::Find => json!({
                "type": "object",
                "properties": {
                    "found": { "type": "boolean", "description": "Whether it is there." },
                    "record": { "anyOf": [record, { "type": "null" }], "description": "What ONTAP shows of it; null if it is not there." },
                },
                "required": ["found", "record"],
            }),
            Self::List => json!({
                "type": "object",
                "properties": {
                    "records": { "type": "array", "items": record, "description": "What ONTAP shows of each." },
                    "num_records": { "type": "integer", "description": "How many they are." },
                    "complete": { "type": "boolean", "description": "Whether these are all." },
                },
                "required": ["records", "num_records", "complete"],
            }),
            Self::Create | Self::Update | Self::Delete => written(),
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// What ONTAP said, or what was wrong with the call.
    pub fn run(self, resource: &'static Resource, call: &Call) -> Result<Value> {
        match self {
            Self::Create => create(resource, call),
            Self::Get => read::get(resource, call),
            Self::List => read::list(resource, call),
            Self::Find => read::find(resource, call),
            Self::Update => update(resource, call),
            Self::Delete => delete(resource, call),
        }
    }
}

/// What everything that writes gives.
#[must_use]
pub fn written() -> Value {
    json!({
        "type": "object",
        "properties": {
            "changed": { "type": "boolean", "description": "Whether anything was changed." },
            "created": { "type": "boolean", "description": "Whether the object is new: then a `compensate` may delete it." },
            "record": { "type": "object", "description": "What is known of the object: its keys at least." },
            "job": {
                "anyOf": [{ "type": "object" }, { "type": "null" }],
                "description": "The job that goes on with it, for `ontap.check_job`; null if it is done.",
            },
        },
        "required": ["changed", "created", "record", "job"],
    })
}

/// The result of something that wrote.
#[must_use]
pub fn result(changed: bool, mut record: Value, job: Value) -> Value {
    crate::api::without_links(&mut record);
    // A passphrase that ONTAP made must not end up in the history of executions.
    crate::body::remove(&mut record, "authentication.passphrase");
    json!({ "changed": changed, "created": false, "record": record, "job": job })
}
