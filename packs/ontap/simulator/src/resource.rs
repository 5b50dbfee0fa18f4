//! What a collection is: one row of the resource table. The engine reads it; the families under `table` write it.

use serde_json::Value;

use crate::refusal::Refusal;
use crate::site::Site;

/// A collection of the API, or a single object if it has no keys.
pub(crate) struct Resource {
    /// The path of the collection below `/api`. `{volume.uuid}` stands for a field of the records.
    pub(crate) path: &'static str,
    /// The fields that follow in the path of an instance.
    pub(crate) keys: &'static [&'static str],
    /// What a listing shows beside the keys.
    pub(crate) brief: &'static [&'static str],
    /// What is shown only when it is asked for by name or with `**`.
    pub(crate) expensive: &'static [&'static str],
    /// How objects are made.
    pub(crate) post: Way,
    /// How objects are changed.
    pub(crate) patch: Way,
    /// How objects are deleted.
    pub(crate) delete: Way,
    /// Fields without which nothing is made.
    pub(crate) required: &'static [&'static str],
    /// Sets of fields, each of which no two objects have in common.
    pub(crate) unique: &'static [&'static [&'static str]],
    /// Fields that name other objects.
    pub(crate) links: &'static [Link],
    /// What a new object has if nothing else is said, in JSON.
    pub(crate) defaults: &'static str,
    /// Fields that are sizes: bytes, or a number with a suffix.
    pub(crate) sizes: &'static [&'static str],
    /// Fields with their only values.
    pub(crate) enums: &'static [(&'static str, &'static [&'static str])],
    /// Fields that cannot be changed.
    pub(crate) fixed: &'static [&'static str],
    /// Checks a new object before it is accepted, and completes it.
    pub(crate) check: fn(&mut Site<'_>, &mut Value) -> Result<(), Refusal>,
    /// Does what belongs to the making of an object, at the end of its job.
    pub(crate) create: fn(&mut Site<'_>, &mut Value) -> Result<(), Refusal>,
    /// Does what belongs to an object that is there now; if it fails, the object goes again.
    pub(crate) created: fn(&mut Site<'_>, &Value) -> Result<(), Refusal>,
    /// Checks a change before it is accepted.
    pub(crate) admit: fn(&mut Site<'_>, &Edit) -> Result<(), Refusal>,
    /// Does what belongs to a change, at the end of its job.
    pub(crate) change: fn(&mut Site<'_>, &mut Edit) -> Result<(), Refusal>,
    /// Checks whether an object may be deleted.
    pub(crate) spare: fn(&mut Site<'_>, &Value, &Params) -> Result<(), Refusal>,
    /// Does what belongs to a deletion, at the end of its job.
    pub(crate) delete_with: fn(&mut Site<'_>, &Value) -> Result<(), Refusal>,
    /// Adds what is computed when an object is read.
    pub(crate) view: fn(&Site<'_>, &mut Value),
    /// What the answer to a write always says of the object, whether the client asked or not.
    pub(crate) answer: fn(&Value) -> Option<Value>,
}

/// How a write is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Not at all.
    No,
    /// While the client waits.
    Now,
    /// In a job of so many milliseconds.
    Job(u64),
}

/// A field that names another object by its uuid or its name.
pub(crate) struct Link {
    /// The field: an object, or an array of them.
    pub(crate) field: &'static str,
    /// The collection of the other object.
    pub(crate) to: &'static str,
    /// Whether the other object has to be of the same SVM.
    pub(crate) of_svm: bool,
    /// The code if there is no such object.
    pub(crate) code: u64,
}

/// A change of one object.
pub(crate) struct Edit {
    /// What it was.
    pub(crate) before: Value,
    /// What the client asks for.
    pub(crate) patch: Value,
    /// What it will be.
    pub(crate) after: Value,
    /// The parameters of the request.
    pub(crate) params: Params,
}

/// Parameters of a request that are no filters.
pub(crate) type Params = Vec<(String, String)>;

/// Whether a parameter is set to true.
pub(crate) fn flag(params: &Params, name: &str) -> bool {
    params.iter().any(|(known, value)| known == name && value.eq_ignore_ascii_case("true"))
}

impl Resource {
    /// A row to start from: can be listed, nothing else.
    pub(crate) const BASE: Self = Self {
        path: "",
        keys: &["uuid"],
        brief: &["name"],
        expensive: &[],
        post: Way::No,
        patch: Way::No,
        delete: Way::No,
        required: &[],
        unique: &[],
        links: &[],
        defaults: "{}",
        sizes: &[],
        enums: &[],
        fixed: &[],
        check: |_, _| Ok(()),
        create: |_, _| Ok(()),
        created: |_, _| Ok(()),
        admit: |_, _| Ok(()),
        change: |_, _| Ok(()),
        spare: |_, _, _| Ok(()),
        delete_with: |_, _| Ok(()),
        view: |_, _| {},
        answer: |_| None,
    };

    /// The fields that the path of the collection holds.
    pub(crate) fn parents(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Whether records belong to an SVM.
    pub(crate) fn of_svm(&self) -> bool {
        self.links.iter().any(|link| link.field == "svm")
    }

    /// The path of a record, or of its collection if it has no keys.
    pub(crate) fn href(&self, record: &Value) -> String {
        let mut href = String::from("/api");
        for segment in self.path.split('/').skip(1) {
            href.push('/');
            match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some(field) => href.push_str(&key_text(record, field)),
                None => href.push_str(segment),
            }
        }
        for key in self.keys {
            href.push('/');
            href.push_str(&key_text(record, key));
        }
        href
    }
}

fn key_text(record: &Value, field: &str) -> String {
    crate::path::get(record, field).map(|value| crate::path::encoded(&crate::path::plain(value))).unwrap_or_default()
}

impl Link {
    /// A link to an object of the whole cluster.
    pub(crate) const fn to(field: &'static str, to: &'static str) -> Self {
        Self { field, to, of_svm: false, code: 4 }
    }

    /// A link to an object of the same SVM.
    pub(crate) const fn of_svm(field: &'static str, to: &'static str) -> Self {
        Self { field, to, of_svm: true, code: 4 }
    }

    /// The code if there is no such object.
    pub(crate) const fn code(self, code: u64) -> Self {
        Self { code, ..self }
    }

    /// The SVM of a record.
    pub(crate) const SVM: Self = Self { field: "svm", to: "/svm/svms", of_svm: false, code: 2_621_462 };
}
