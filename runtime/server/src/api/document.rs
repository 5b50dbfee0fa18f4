//! The OpenAPI document: what the routes say of themselves, and a path for every action with its own parameters.
//!
//! What is the same everywhere (who may ask, how a request is refused) is written here, from the access rule and the
//! shape of the operation; so no route can forget it.

mod actions;

use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use runner_pack::Library;
use serde_json::{Map, Value, json};
use utoipa::openapi::path::Paths;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema as _, ToSchema as _};

use super::access::Principal;
use super::context::Context;
use super::problem::PROBLEM_JSON;
use super::route::Access;
use super::schema;

/// What the routes say of themselves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Document {
    paths: Map<String, Value>,
    schemas: Map<String, Value>,
}

impl Document {
    /// Adds the schemas that a route refers to.
    pub(crate) fn add_schemas(&mut self, schemas: Vec<(String, RefOr<Schema>)>) {
        for (name, schema) in schemas {
            self.schemas.insert(name, serde_json::to_value(schema).unwrap_or_default());
        }
    }

    /// Adds the operations of a route.
    pub(crate) fn add_paths(&mut self, access: Access, paths: &Paths) {
        let Ok(Value::Object(paths)) = serde_json::to_value(&paths.paths) else { return };
        for (path, item) in paths {
            // What axum writes as `{*path}` is a parameter like any other here.
            let path = path.replace("{*", "{");
            let Value::Object(operations) = item else { continue };
            for (method, mut operation) in operations {
                complete(&mut operation, access, &method, &path);
                let item = self.paths.entry(path.clone()).or_insert_with(|| json!({}));
                if let Some(item) = item.as_object_mut() {
                    item.insert(method, operation);
                }
            }
        }
    }

    fn whole(&self, version: &str, library: &Library) -> Value {
        let mut paths = self.paths.clone();
        if let Some(general) = paths.get(actions::GENERAL).cloned() {
            paths.extend(actions::paths(&general, library));
        }
        let mut schemas = self.schemas.clone();
        let mut shared = vec![(schema::Problem::name().into_owned(), schema::Problem::schema())];
        schema::Problem::schemas(&mut shared);
        for (name, schema) in shared {
            schemas.insert(name, serde_json::to_value(schema).unwrap_or_default());
        }
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "runner",
                "description": "Runs actions and workflows from packs, and says what became of them.",
                "version": version,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "paths": paths,
            "components": {
                "schemas": schemas,
                "securitySchemes": {
                    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key: `rk_…`."},
                    "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
                    "st2": {"type": "apiKey", "in": "header", "name": "St2-Api-Key"},
                },
            },
        })
    }
}

/// Adds what follows from the access rule and from the shape of the operation.
fn complete(operation: &mut Value, access: Access, method: &str, path: &str) {
    let Some(operation) = operation.as_object_mut() else { return };
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let id: Vec<_> = path.trim_start_matches("/api/v1").split(|c| !word(c)).filter(|part| !part.is_empty()).collect();
    operation.insert("operationId".to_owned(), format!("{method}_{}", id.join("_")).into());
    operation.insert("x-role".to_owned(), access.as_str().into());
    let security = match access {
        Access::Public => json!([]),
        _ => json!([{"bearer": []}, {"key": []}, {"st2": []}]),
    };
    operation.insert("security".to_owned(), security);
    let parameters = operation.get("parameters").and_then(Value::as_array);
    let has = |place: &str| parameters.is_some_and(|all| all.iter().any(|one| one["in"] == place));
    let (in_path, in_query) = (has("path"), has("query"));
    let has_body = operation.contains_key("requestBody");
    let writes = method != "get";
    let mut refusals = vec![("500", "A defect in runner.")];
    let mut when = |holds: bool, refusal| refusals.extend(holds.then_some(refusal));
    when(in_path || in_query || has_body, ("400", "The request cannot be understood."));
    when(access != Access::Public, ("401", "The key is missing, unknown, expired or revoked."));
    when(access != Access::Public, ("403", "The key does not allow this."));
    when(in_path, ("404", "There is no such thing, or none that the key may see."));
    when(has_body, ("408", "The body did not come in time."));
    // Whatever writes may meet what somebody else has written, or a key that does not fit what is sealed.
    when(writes, ("409", "What there is now stands in the way of it."));
    when(has_body, ("413", "The body is larger than allowed."));
    when(has_body, ("415", "The body is not said to be JSON."));
    when(has_body, ("422", "The body is JSON, and not what is expected."));
    when(true, ("503", "The process stops, or the store cannot be used now."));
    when(writes, ("507", "The disk is full."));
    let responses = operation.entry("responses").or_insert_with(|| json!({}));
    let Some(responses) = responses.as_object_mut() else { return };
    for (status, description) in refusals {
        responses.entry(status).or_insert_with(|| json!({"description": description}));
    }
    let refused = responses.iter_mut().filter(|(status, _)| status.starts_with(['4', '5']));
    for (_, response) in refused {
        if let Some(response) = response.as_object_mut() {
            response.entry("content").or_insert_with(problem);
        }
    }
}

/// The content of every refusal.
fn problem() -> Value {
    json!({(PROBLEM_JSON): {"schema": {"$ref": "#/components/schemas/Problem"}}})
}

/// The document of a process, made anew when its packs have changed.
pub(crate) struct Documents {
    routes: Document,
    made: Mutex<Option<(Weak<Library>, Arc<Value>)>>,
}

impl Documents {
    pub(crate) const fn new(routes: Document) -> Self {
        Self { routes, made: Mutex::new(None) }
    }

    fn of(&self, version: &str, library: &Arc<Library>) -> Arc<Value> {
        let present = Arc::downgrade(library);
        let mut made = self.made.lock();
        if let Some((of, document)) = made.as_ref().filter(|(of, _)| of.ptr_eq(&present)) {
            debug_assert!(of.strong_count() > 0, "the library is held by whoever asks");
            return document.clone();
        }
        let document = Arc::new(self.routes.whole(version, library));
        *made = Some((present, document.clone()));
        document
    }
}

/// The whole document.
pub(crate) fn whole(context: &Context) -> Value {
    Value::clone(&context.documents.of(context.options.version, &context.library()))
}

/// The document as somebody may see it: without the actions of packs that are not theirs.
pub(crate) fn shown(context: &Context, principal: &Principal) -> Arc<Value> {
    let whole = context.documents.of(context.options.version, &context.library());
    if principal.packs().is_none() {
        return whole;
    }
    let mut document = Value::clone(&whole);
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        paths.retain(|path, _| actions::pack_of(path).is_none_or(|pack| principal.may_touch(pack)));
    }
    Arc::new(document)
}
