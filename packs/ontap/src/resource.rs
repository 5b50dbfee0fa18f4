//! A kind of ONTAP object: where it is, how one is told from another, what can be said of it.

use runner_sdk::prelude::{Result, Value};

use crate::field::{Field, When};
use crate::verbs::Verb;

/// Refuses or completes a body.
pub type Check = fn(&mut Value, When) -> Result<()>;

/// A kind of object.
#[derive(Debug)]
pub struct Resource {
    /// Its name in the names of actions: `volume`.
    pub name: &'static str,
    /// Several of it: `volumes`.
    pub plural: &'static str,
    /// What it is called in a sentence, with its article: `a volume`.
    pub what: &'static str,
    /// The collection; `{volume.uuid}` stands for a key of the object that it belongs to.
    pub path: &'static str,
    /// Its keys, in the order in which they follow in the path of one; none for the one cluster.
    pub keys: &'static [&'static str],
    /// The object that it belongs to, if that stands in the path.
    pub parent: Option<Parent>,
    /// What people tell it by.
    pub identity: &'static [Field],
    /// What else can be said of it.
    pub fields: &'static [Field],
    /// What must hold of a body beyond the types of its fields, looked at before anything is sent.
    pub check: Option<Check>,
    /// What a list shows of each.
    pub listed: &'static str,
    /// What can be done with it, and how the action is called.
    pub verbs: &'static [Verb],
}

/// The object that another one belongs to.
#[derive(Debug)]
pub struct Parent {
    /// Its kind.
    pub resource: &'static Resource,
    /// The key that stands in the path, as it is written there.
    pub key: &'static str,
    /// The same key in the parent's own record.
    pub from: &'static str,
    /// Parameters of the child, and those of the parent that they stand for.
    pub by: &'static [(&'static str, &'static str)],
}

impl Resource {
    /// Whether one of them has a key of its own that anybody could know: a `uuid`.
    #[must_use]
    pub fn has_uuid(&self) -> bool {
        self.keys == ["uuid"]
    }

    /// Its parameters, with which one is told from another first.
    pub fn all_fields(&self) -> impl Iterator<Item = &'static Field> {
        self.identity.iter().chain(self.fields)
    }

    /// What tells one of them from another within its collection.
    pub fn own_identity(&self) -> impl Iterator<Item = &'static Field> {
        self.identity.iter().filter(|field| field.when != When::Parent)
    }

    /// How the action for a verb is called.
    #[must_use]
    pub fn action(&self, verb: Verb) -> String {
        match verb {
            Verb::List => format!("list_{}", self.plural),
            Verb::Update => match self.name {
                // `snapmirror update` is a transfer to everybody who knows ONTAP.
                "snapmirror" => "modify_snapmirror".to_owned(),
                name => format!("update_{name}"),
            },
            verb => format!("{}_{}", verb.word(), self.name),
        }
    }
}
