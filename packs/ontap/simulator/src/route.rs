//! From a path to a collection or to one object of it.

use serde_json::{Map, Value};

use crate::path;
use crate::resource::Resource;
use crate::table;

/// Where a path leads.
pub(crate) struct Place {
    /// The collection.
    pub(crate) resource: &'static Resource,
    /// The fields that the path of the collection holds, as an object.
    pub(crate) parent: Value,
    /// The keys of the object, if the path leads to one.
    pub(crate) keys: Option<Vec<(&'static str, String)>>,
}

/// Finds where a path leads. Trailing slashes and the version `v1` are nothing.
pub(crate) fn find(request_path: &str) -> Option<Place> {
    let path = request_path.strip_prefix("/api").filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
    let path = path.strip_prefix("/v1").filter(|rest| rest.starts_with('/')).unwrap_or(path);
    let segments: Vec<String> = path.split('/').filter(|segment| !segment.is_empty()).map(path::decoded).collect();
    table::all().iter().find_map(|resource| place(resource, &segments))
}

fn place(resource: &'static Resource, segments: &[String]) -> Option<Place> {
    let mut rest = segments.iter();
    let mut parent = Value::Object(Map::new());
    for wanted in resource.path.split('/').skip(1) {
        let segment = rest.next()?;
        match wanted.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(field) => path::set(&mut parent, field, segment.as_str()),
            None if wanted == segment => {}
            None => return None,
        }
    }
    let rest: Vec<&String> = rest.collect();
    if rest.is_empty() {
        return Some(Place { resource, parent, keys: None });
    }
    let keys = || resource.keys.iter().copied().zip(rest.iter().map(|text| (*text).clone())).collect();
    (rest.len() == resource.keys.len()).then(|| Place { resource, parent, keys: Some(keys()) })
}

impl Place {
    /// Whether a record lies here.
    pub(crate) fn holds(&self, record: &Value) -> bool {
        let same = |field: &str, text: &str| path::get(record, field).is_some_and(|value| path::plain(value) == text);
        let in_parent =
            self.resource.parents().all(|field| path::text(&self.parent, field).is_some_and(|text| same(field, text)));
        in_parent && self.keys.iter().flatten().all(|(field, text)| same(field, text))
    }
}
