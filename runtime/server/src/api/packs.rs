//! `/packs`: what is installed, what would be if it were sound, and what is wrong with it.

mod grant;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use runner_executor::NotGranted;
use runner_model::Permissions;
use runner_pack::{Broken, Diagnostic, Library, Pack};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::access::Principal;
use super::body::Query;
use super::context::Context;
use super::page::{self, Items, PageQuery};
use super::problem::{ApiProblem, Mistake};
use super::route::{Access, Routes};

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Access::Viewer, routes!(list))
        .add(Access::Viewer, routes!(get))
        .add(Access::Viewer, routes!(grant::permissions))
        .add(Access::Admin, routes!(grant::get_grant, grant::put_grant, grant::delete_grant))
}

/// A pack, in a line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PackLine)]
struct Line {
    /// Its reference; the name of its directory, if it has none that can be read.
    r#ref: String,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// The version that is in use; none if none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// How many actions and workflows it has.
    actions: usize,
    /// Where it is.
    directory: String,
    /// How many mistakes what is in its directory has; with any, an earlier version is in use, or none.
    mistakes: usize,
    /// How the version in use stands by its grants: `nothing_asked`, `development`, `file`, `recorded`, `beyond` or
    /// `missing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<&'static str>,
    /// The version that is there and waits for a grant; an earlier one is in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits: Option<Waits>,
}

/// A pack.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Pack)]
struct Described {
    /// Its reference; the name of its directory, if it has none that can be read.
    r#ref: String,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// The version that is in use; none if none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// Where it is.
    directory: String,
    /// How many mistakes what is in its directory has; with any, an earlier version is in use, or none.
    mistakes: usize,
    /// How the version in use stands by its grants: `nothing_asked`, `development`, `file`, `recorded`, `beyond` or
    /// `missing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<&'static str>,
    /// The version that is there and waits for a grant; an earlier one is in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits: Option<Waits>,
    /// SHA-256, in hexadecimal, over everything that matters for running it; none if no version is in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// Who wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    /// Where they are reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Who else wrote it.
    contributors: Vec<String>,
    /// Words by which it is found.
    keywords: Vec<String>,
    /// Which versions of runner it runs on; none is any.
    #[serde(skip_serializing_if = "Option::is_none")]
    runner_version: Option<String>,
    /// The packs that it needs, with their versions.
    dependencies: Vec<String>,
    /// What it asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    permissions: Option<Permissions>,
    /// The kinds of connections that it talks to.
    connections: BTreeMap<String, Kind>,
    /// Its actions and workflows.
    actions: Vec<String>,
    /// Its rules.
    rules: Vec<String>,
    /// Its sensors.
    sensors: Vec<String>,
    /// Its policies.
    policies: Vec<String>,
    /// Its components.
    components: Vec<String>,
    /// What is wrong with what is in its directory now.
    diagnostics: Vec<Mistake>,
}

/// A version that waits for a grant.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WaitingVersion)]
struct Waits {
    /// The version.
    version: String,
    /// What it asks for beyond what was granted.
    asks: Vec<String>,
    /// The command that grants it.
    command: String,
}

/// A kind of connections.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectionKind)]
struct Kind {
    /// What it is for.
    description: String,
    /// What stands in for it in simulations.
    #[serde(skip_serializing_if = "Option::is_none")]
    simulator: Option<String>,
}

/// A pack as it is found: in use, broken, or both.
struct Found<'a> {
    reference: String,
    used: Option<&'a Arc<Pack>>,
    broken: Option<&'a Broken>,
    standing: Option<&'static str>,
    waits: Option<Waits>,
}

/// Packs, by reference, broken ones included
#[utoipa::path(get, path = "/api/v1/packs", tag = "packs", params(PageQuery),
    responses((status = 200, description = "A page of packs.", body = Items<Line>)))]
async fn list(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Query(query): Query<PageQuery>,
) -> Result<Json<Items<Line>>, ApiProblem> {
    let limit = page::limit(query.limit)?;
    let library = context.library();
    let page = Items::among(found(&context, &library, &principal), limit, query.cursor.as_deref(), |one| {
        one.reference.clone()
    });
    Ok(Json(Items { items: page.items.iter().map(Found::line).collect(), next: page.next }))
}

/// A pack: its version, what it asks for, what it holds, what is wrong with it
#[utoipa::path(get, path = "/api/v1/packs/{pack}", tag = "packs",
    params(("pack" = String, Path, description = "Its reference.")),
    responses((status = 200, description = "The pack.", body = Described)))]
async fn get(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(pack): Path<String>,
) -> Result<Json<Described>, ApiProblem> {
    let library = context.library();
    match found(&context, &library, &principal).into_iter().find(|one| one.reference == pack) {
        Some(one) => Ok(Json(one.described())),
        None => Err(ApiProblem::missing("there is no such pack").hint("`GET /api/v1/packs` lists what there is")),
    }
}

/// Every pack that whoever asks may see, by reference.
fn found<'a>(context: &Context, library: &'a Library, principal: &Principal) -> Vec<Found<'a>> {
    let mut all: BTreeMap<String, Found<'a>> = BTreeMap::new();
    for pack in library.packs() {
        let reference = pack.reference().to_string();
        let standing = Some(context.options.packs.standing(pack).word());
        all.insert(reference.clone(), Found { reference, used: Some(pack), broken: None, standing, waits: None });
    }
    for broken in library.broken() {
        let directory = || broken.directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let reference = broken.reference.as_ref().map_or_else(directory, ToString::to_string);
        let one = all.entry(reference.clone()).or_insert_with(|| Found {
            reference,
            used: None,
            broken: None,
            standing: None,
            waits: None,
        });
        one.broken = Some(broken);
    }
    for NotGranted { pack, version, asks, command, .. } in context.options.packs.waiting() {
        if let Some(one) = all.get_mut(pack.as_str()) {
            one.waits = Some(Waits { version, asks, command });
        }
    }
    all.into_values().filter(|one| principal.may_touch(&one.reference)).collect()
}

impl Found<'_> {
    fn line(&self) -> Line {
        let manifest = self.used.map(|pack| &pack.manifest);
        let directory = match (self.broken, self.used) {
            (Some(broken), _) => broken.directory.display().to_string(),
            (None, Some(pack)) => pack.directory.display().to_string(),
            (None, None) => String::new(),
        };
        Line {
            r#ref: self.reference.clone(),
            name: manifest.map(|manifest| manifest.name.clone()),
            description: manifest.map(|manifest| manifest.description.clone()),
            version: manifest.map(|manifest| manifest.version.to_string()),
            actions: self.used.map_or(0, |pack| pack.actions.len()),
            directory,
            mistakes: self.broken.map_or(0, |broken| broken.mistakes),
            standing: self.standing,
            waits: self.waits.clone(),
        }
    }

    fn described(&self) -> Described {
        let manifest = self.used.map(|pack| &pack.manifest);
        let names = |of: fn(&Pack) -> Vec<String>| self.used.map(|pack| of(pack)).unwrap_or_default();
        let connections = manifest.into_iter().flat_map(|manifest| &manifest.connections).map(|(name, about)| {
            let kind = Kind { description: about.description.clone(), simulator: about.simulator.clone() };
            (name.clone(), kind)
        });
        let dependencies = manifest.into_iter().flat_map(|manifest| &manifest.dependencies);
        let Line { r#ref, name, description, version, directory, mistakes, standing, waits, actions: _ } = self.line();
        Described {
            r#ref,
            name,
            description,
            version,
            directory,
            mistakes,
            standing,
            waits,
            digest: self.used.map(|pack| pack.digest.clone()),
            author: manifest.and_then(|manifest| manifest.author.clone()),
            email: manifest.and_then(|manifest| manifest.email.clone()),
            contributors: manifest.map(|manifest| manifest.contributors.clone()).unwrap_or_default(),
            keywords: manifest.map(|manifest| manifest.keywords.clone()).unwrap_or_default(),
            runner_version: manifest.and_then(|manifest| Some(manifest.runner_version.as_ref()?.to_string())),
            dependencies: dependencies.map(|needed| format!("{} {}", needed.reference, needed.version)).collect(),
            permissions: manifest.map(|manifest| manifest.permissions.clone()),
            connections: connections.collect(),
            actions: names(|pack| pack.actions.values().map(|action| action.reference.to_string()).collect()),
            rules: names(|pack| pack.rules.values().map(|rule| rule.reference.to_string()).collect()),
            sensors: names(|pack| pack.sensors.values().map(|sensor| sensor.reference.to_string()).collect()),
            policies: names(|pack| pack.policies.values().map(|policy| policy.reference.to_string()).collect()),
            components: names(|pack| pack.components.keys().cloned().collect()),
            diagnostics: self.broken.iter().flat_map(|broken| &broken.report.diagnostics).map(mistake).collect(),
        }
    }
}

/// A diagnostic as the API says it.
fn mistake(found: &Diagnostic) -> Mistake {
    Mistake {
        code: found.code.id().to_owned(),
        message: found.message.clone(),
        hint: found.hint.clone(),
        place: Some(format!("{}:{}:{}", found.path.display(), found.line, found.column)),
    }
}
