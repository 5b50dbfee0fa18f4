//! One change of a plan: what would be done, to what, and what that means.

use runner_model::PackRef;
use serde::Serialize;
use serde_json::Value;

use crate::mask::Mask;

/// Something that would be changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// What would become of it.
    pub kind: ChangeKind,
    /// What it is called; its place, if it has no name.
    pub name: String,
    /// The connection's name, or the origin of a URL; `kv` for key-value data.
    pub target: String,
    /// The action that would do it; empty for key-value data.
    pub action: String,
    /// The request's method, in capitals; empty for key-value data.
    pub method: String,
    /// Its path; the key, for key-value data.
    pub path: String,
    /// Its query.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
    /// Its body, if it is JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// What differs afterwards, by paths with dots.
    pub differences: Vec<Difference>,
}

/// What would become of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It would be made.
    Created,
    /// It would be another.
    Changed,
    /// It would be gone.
    Deleted,
}

/// One value that would differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Where it is, with dots.
    pub path: String,
    /// What it is now; none if there is nothing, or nothing that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it would be; none if it would be gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// Members that name a thing, the best first.
const NAMES: [&str; 4] = ["name", "display_name", "title", "id"];

impl Change {
    /// A change of a pack's key-value data.
    pub(super) fn of_kv(pack: &PackRef, key: &str, before: Option<Value>, after: Option<Value>) -> Self {
        let kind = match (&before, &after) {
            (None, _) => ChangeKind::Created,
            (_, None) => ChangeKind::Deleted,
            _ => ChangeKind::Changed,
        };
        Self {
            kind,
            name: key.to_owned(),
            target: "kv".to_owned(),
            action: String::new(),
            method: String::new(),
            path: format!("{pack}/{key}"),
            query: Vec::new(),
            body: None,
            differences: vec![Difference { path: String::new(), before, after }],
        }
    }

    /// The same without secrets.
    pub(super) fn masked(&self, mask: &Mask) -> Self {
        let difference = |difference: &Difference| {
            let last = difference.path.rsplit('.').next().unwrap_or_default();
            let shown = |value: &Value| match mask.json(&serde_json::json!({ last: value })) {
                Value::Object(mut map) => map.remove(last).unwrap_or_default(),
                other => other,
            };
            Difference {
                path: difference.path.clone(),
                before: difference.before.as_ref().map(shown),
                after: difference.after.as_ref().map(shown),
            }
        };
        Self {
            name: mask.text(&self.name),
            path: mask.text(&self.path),
            query: self.query.iter().map(|(name, value)| (name.clone(), mask.named(name, value))).collect(),
            body: self.body.as_ref().map(|body| mask.json(body)),
            differences: self.differences.iter().map(difference).collect(),
            ..self.clone()
        }
    }
}

/// What a thing is called, if it says so.
pub(super) fn name_of(value: &Value) -> Option<String> {
    let named = |key: &&str| value.get(*key).and_then(Value::as_str).map(str::to_owned);
    NAMES.iter().find_map(named)
}

/// What would differ: of everything that is written, what is not so already.
pub(super) fn differences(before: Option<&Value>, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    collect(String::new(), before, after, &mut found);
    found
}

fn collect(path: String, before: Option<&Value>, after: &Value, found: &mut Vec<Difference>) {
    match after {
        Value::Object(map) if !map.is_empty() => {
            for (key, after) in map {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                // Some systems take a path with dots for the members that it leads to.
                let before = before.and_then(|before| before.get(key).or_else(|| at(before, key)));
                collect(below, before, after, found);
            }
        }
        after if before == Some(after) => {}
        after => found.push(Difference { path, before: before.cloned(), after: Some(after.clone()) }),
    }
}

/// The member that a path with dots leads to.
pub(super) fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, key| value.get(key))
}
