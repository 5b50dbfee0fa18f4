//! Registering routes: the one way in, which asks for an access rule and writes it into the document.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;
use runner_model::Role;
use utoipa::openapi::path::Paths;
use utoipa::openapi::{RefOr, Schema};

use super::access;
use super::context::Context;
use super::document::Document;

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody. The route sees to it itself, if it is not for everybody, or not while the process stops.
    Public,
    /// Whoever may look.
    Viewer,
    /// Whoever may run things.
    Operator,
    /// Whoever may do everything.
    Admin,
}

impl Access {
    /// The role that is needed; none for everybody.
    pub(crate) const fn role(self) -> Option<Role> {
        match self {
            Self::Public => None,
            Self::Viewer => Some(Role::Viewer),
            Self::Operator => Some(Role::Operator),
            Self::Admin => Some(Role::Admin),
        }
    }

    /// The word, as it stands in the document.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// What `utoipa_axum::routes!` makes of handlers.
type Described = (Vec<(String, RefOr<Schema>)>, Paths, MethodRouter<Arc<Context>>);

/// Routes with their access rules and their part of the document. Paths are written whole: `/api/v1/executions/{id}`.
///
/// ```text
/// Routes::default()
///     .add(Access::Viewer, routes!(list))
///     .add(Access::Operator, routes!(create))
/// ```
#[derive(Default)]
pub(crate) struct Routes(Vec<(Access, Described)>);

impl Routes {
    /// Adds handlers of one path, all with the same rule.
    pub(crate) fn add(mut self, access: Access, described: Described) -> Self {
        self.0.push((access, described));
        self
    }

    /// Adds the routes of another resource.
    pub(crate) fn and(mut self, mut others: Self) -> Self {
        self.0.append(&mut others.0);
        self
    }

    /// The router, and what the document says of it.
    pub(crate) fn finish(self) -> (Unguarded, Document) {
        let mut document = Document::default();
        let mut routes = Vec::new();
        for (access, (schemas, paths, methods)) in self.0 {
            document.add_schemas(schemas);
            routes.extend(paths.paths.keys().map(|path| (path.clone(), access, methods.clone())));
            document.add_paths(access, &paths);
        }
        (Unguarded(routes), document)
    }
}

/// Routes that have not met the one who knows the keys.
pub(crate) struct Unguarded(Vec<(String, Access, MethodRouter<Arc<Context>>)>);

impl Unguarded {
    /// The router, with everybody's rule enforced.
    pub(crate) fn guarded(self, context: &Arc<Context>) -> Router<Arc<Context>> {
        self.0.into_iter().fold(Router::new(), |router, (path, access, methods)| match access.role() {
            None => router.route(&path, methods),
            Some(needed) => {
                let guard = from_fn_with_state((context.clone(), needed), access::guard);
                router.route(&path, methods.route_layer(guard))
            }
        })
    }
}
