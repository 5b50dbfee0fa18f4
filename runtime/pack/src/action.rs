//! `actions/<name>.yaml`: an action's metadata, and what it runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use runner_engine::Plan;
use runner_engine::template::Place;
use runner_model::{ActionRef, Origin, PackRef, Permissions, Requested, code, limits};
use serde_json::{Map, Value};

use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, Foreign, wrong_type};
use crate::idempotent::{self, Idempotent};
use crate::manifest::{Manifest, permissions};
use crate::metadata::{self, Tag};
use crate::pack::Pack;
use crate::parameters::{ParameterError, Parameters, compile_schema, read_schema};
use crate::source::Span;
use crate::suggest;
use crate::wait;
use crate::yaml::{Kind, Node};

/// Something runnable.
#[derive(Debug, Clone)]
pub struct Action {
    /// Its full name.
    pub reference: ActionRef,
    /// What it does.
    pub description: String,
    /// Whether it may be run.
    pub enabled: bool,
    /// What it takes.
    pub parameters: Parameters,
    /// What it returns, as a JSON Schema.
    pub output_schema: Option<Value>,
    /// Where in what it returns stands what must not be shown: JSON pointers, in which `*` is any key or index.
    pub secret_output: Vec<String>,
    /// Labels.
    pub tags: Vec<Tag>,
    /// Whether running it twice does no more than running it once.
    pub idempotent: Idempotent,
    /// How long an attempt may take; none is the operator's limit.
    pub timeout: Option<Duration>,
    /// What it asks for, if that is less than its pack does; none is all of that.
    pub permissions: Option<Permissions>,
    /// What it runs.
    pub body: Body,
    /// The file that describes it.
    pub source: PathBuf,
}

/// What an action runs.
#[derive(Debug, Clone)]
pub enum Body {
    /// A function of a component.
    Wasm {
        /// The component's name: a key of [`crate::Pack::components`].
        component: String,
        /// The name of the action within the component.
        function: String,
    },
    /// Nothing.
    Noop,
    /// A question to people: what it asks stands in its parameters ([`Action::wait`]).
    Inquiry,
    /// Waiting for an event: which one stands in its parameters ([`Action::wait`]).
    WaitFor,
    /// A graph of tasks.
    Workflow(Arc<Plan>),
}

impl Action {
    /// What it asks for, as an action of this pack.
    #[must_use]
    pub fn wish<'a>(&'a self, pack: &'a Pack) -> &'a Permissions {
        self.permissions.as_ref().unwrap_or(&pack.manifest.permissions)
    }

    /// What the conductor follows: a workflow's own plan, or the plan of a single action.
    #[must_use]
    pub fn plan(&self) -> Arc<Plan> {
        match &self.body {
            Body::Workflow(plan) => plan.clone(),
            _ => Arc::new(Plan::single(self.reference.as_str())),
        }
    }

    /// Whether something that it takes or returns must not be shown.
    #[must_use]
    pub fn has_secrets(&self) -> bool {
        !self.secret_output.is_empty() || self.parameters.iter().any(|parameter| parameter.secret)
    }

    /// The request that an execution of it begins with: the parameters checked, with their defaults.
    ///
    /// # Errors
    /// Every parameter that does not fit.
    pub fn request(
        &self,
        pack: &Pack,
        given: Map<String, Value>,
        asked: Asked,
    ) -> Result<Requested, Vec<ParameterError>> {
        let mut bound = self.parameters.bind(given)?;
        if let Body::Workflow(_) = self.body {
            // Every parameter is a context variable, also one that nobody gave.
            for name in self.parameters.names() {
                bound.entry(name).or_insert(Value::Null);
            }
        }
        Ok(Requested {
            action: self.reference.clone(),
            pack_version: pack.manifest.version.to_string(),
            pack_digest: pack.digest.clone(),
            parameters: Value::Object(bound),
            secret: self.parameters.secret_names(),
            secret_output: self.secret_output.clone(),
            sealed: asked.sealed,
            origin: asked.origin,
            depth: asked.depth,
            simulate: asked.simulate,
            trace_parent: asked.trace_parent,
        })
    }
}

/// How an action is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// By whom.
    pub origin: Origin,
    /// How many workflows it is nested in.
    pub depth: u32,
    /// Whether connections lead to simulators.
    pub simulate: bool,
    /// Whether something secret may come up in it ([`crate::Library::may_hold_secrets`]).
    pub sealed: bool,
    /// The trace that it belongs to: a W3C `traceparent`.
    pub trace_parent: Option<String>,
}

impl Asked {
    /// By itself, against the real systems.
    #[must_use]
    pub const fn by(origin: Origin) -> Self {
        Self { origin, depth: 0, simulate: false, sealed: false, trace_parent: None }
    }
}

/// What was read of an action's file.
pub(crate) struct Read {
    pub(crate) reference: ActionRef,
    /// None if some of it could not be read; then calls of it cannot be checked.
    pub(crate) parameters: Option<Parameters>,
    pub(crate) action: Option<Action>,
    /// The component it needs, and where to point if there is none.
    pub(crate) component: Option<(String, Span)>,
}

const FOREIGN: Foreign = Foreign {
    later: &["retry", "concurrency", "notify"],
    instead: &[
        ("pack", "remove it: the directory says which pack it is"),
        ("ref", "remove it: the directory and the file's name are the reference"),
        ("uid", "remove it"),
        ("metadata_file", "remove it"),
        ("tasks", "a workflow belongs into `workflows/`, not `actions/`"),
        ("input", "write `parameters:`, a map from names to schemas"),
    ],
};

/// Runner types of this format that come later.
const LATER: [&str; 5] = ["http", "script", "python", "javascript", "command"];

/// Runner types that this version carries out.
const RUNNER_TYPES: [&str; 4] = ["wasm", "noop", "inquiry", "wait_for"];

pub(crate) fn read(
    file: &Document<'_>,
    node: &Node,
    pack: &PackRef,
    manifest: Option<&Manifest>,
    reference: ActionRef,
) -> Read {
    let nothing = |reference| Read { reference, parameters: None, action: None, component: None };
    let Some(mut fields) = Fields::open_root(file, node, "the action") else { return nothing(reference) };
    let metadata = metadata::read(file, &mut fields, reference);
    let idempotent = fields.get("idempotent").map(|node| idempotent::read(file, node, &metadata.parameters));
    let timeout = fields.get("timeout").and_then(|node| timeout(file, node));
    let output = fields.get("output_schema").and_then(|node| output_schema(file, node));
    let (output_schema, secret_output) = output.unzip();
    let permissions = permissions::of_action(file, &mut fields, manifest);
    let body = body(file, &mut fields, pack, metadata.reference.name());
    let all_known = fields.finish(&FOREIGN);
    if let Some((body, _)) = &body {
        check_wait(file, node, body, &metadata.parameters);
    }

    let component = match &body {
        Some((Body::Wasm { component, .. }, place)) => Some((component.clone(), *place)),
        _ => None,
    };
    let action = body.map(|(body, _)| Action {
        reference: metadata.reference.clone(),
        description: metadata.description,
        enabled: metadata.enabled,
        parameters: metadata.parameters.clone(),
        output_schema,
        secret_output: secret_output.unwrap_or_default(),
        tags: metadata.tags,
        idempotent: idempotent.unwrap_or_default(),
        timeout,
        permissions,
        body,
        source: file.source.path().to_owned(),
    });
    let parameters = (metadata.parameters_complete && all_known).then_some(metadata.parameters);
    Read { reference: metadata.reference, parameters, action, component }
}

fn timeout(file: &Document<'_>, node: &Node) -> Option<Duration> {
    let seconds = match &node.kind {
        Kind::Number(number) => number.as_f64(),
        _ => {
            file.add(wrong_type(node, "timeout", "a number of seconds").hint("write, for example, `timeout: 30`"));
            return None;
        }
    };
    let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let timeout = timeout.filter(|timeout| !timeout.is_zero() && *timeout <= limits::ACTION_TIMEOUT_MAX);
    if timeout.is_none() {
        let max = limits::ACTION_TIMEOUT_MAX.as_secs();
        let message = format!("`timeout` must be more than 0 and at most {max} seconds");
        file.add(Mistake::new(code::PACK_BAD_VALUE, node.span, message));
    }
    timeout
}

/// The schema, and where it says that something is secret.
fn output_schema(file: &Document<'_>, node: &Node) -> Option<(Value, Vec<String>)> {
    let read = read_schema(file, node, &[]);
    let schema = Value::Object(read.schema);
    compile_schema(file, node, &schema).map(|_| (schema, read.places))
}

/// The body, and where to point if its component does not exist.
fn body(file: &Document<'_>, fields: &mut Fields<'_>, pack: &PackRef, name: &str) -> Option<(Body, Span)> {
    let type_place = fields.place_of("runner_type");
    let entry_place = fields.place_of("entry_point");
    let has_entry_point = fields.entry("entry_point").is_some();
    let entry_point = fields.text("entry_point");
    let runner_type = fields.text("runner_type");
    let word = fields.require("runner_type", runner_type, "wasm")?;
    let body = match word {
        "wasm" => {
            let place = if has_entry_point { entry_place } else { type_place };
            return wasm_body(file, pack, entry_point.unwrap_or(name), place).map(|body| (body, place));
        }
        "noop" => Some(Body::Noop),
        "inquiry" => Some(Body::Inquiry),
        "wait_for" => Some(Body::WaitFor),
        other => {
            file.add(unknown_runner_type(other, type_place));
            None
        }
    };
    if body.is_some() && entry_point.is_some_and(|entry_point| !entry_point.is_empty()) {
        let message = format!("an action of the runner type `{word}` runs no code and has no entry point");
        file.add(Mistake::new(code::PACK_BAD_VALUE, entry_place, message).hint("remove `entry_point`"));
    }
    body.map(|body| (body, type_place))
}

/// What an inquiry or a wait cannot make use of is no parameter of it.
fn check_wait(file: &Document<'_>, node: &Node, body: &Body, parameters: &Parameters) {
    let Some(known) = wait::Kind::of(body).map(wait::Kind::parameters) else { return };
    let Some(name) = parameters.names().find(|name| !known.contains(name)) else { return };
    let (_, span, _) = node.at(&[Place::Key("parameters".to_owned()), Place::Key(name.to_owned())]);
    let message = format!("an action of this runner type makes no use of a parameter `{name}`");
    let hint = suggest::hint(name, known.iter().copied(), "it knows");
    file.add(Mistake::new(code::PACK_BAD_VALUE, span, message).maybe_hint(hint));
}

fn unknown_runner_type(word: &str, place: Span) -> Mistake {
    if LATER.contains(&word) {
        let message = format!("the runner type `{word}` is not supported by this version of runner");
        return Mistake::new(code::PACK_NOT_SUPPORTED, place, message).hint("write `runner_type: wasm`");
    }
    let mistake = Mistake::new(code::PACK_BAD_VALUE, place, format!("there is no runner type `{word}`"));
    match word {
        "orquesta" | "action-chain" | "mistral-v2" | "workflow" => {
            mistake.hint("put the workflow into `workflows/`, metadata and tasks in one file, without `runner_type`")
        }
        "python-script"
        | "http-request"
        | "local-shell-cmd"
        | "local-shell-script"
        | "remote-shell-cmd"
        | "remote-shell-script" => {
            mistake.hint("actions run as WebAssembly: build a component and write `runner_type: wasm`")
        }
        "inquirer" => mistake.hint("write `runner_type: inquiry`"),
        _ => mistake.maybe_hint(suggest::hint(word, RUNNER_TYPES, "runner types are")),
    }
}

/// `function`, or `component#function`.
fn wasm_body(file: &Document<'_>, pack: &PackRef, entry_point: &str, place: Span) -> Option<Body> {
    let Some((component, function)) = split_entry_point(pack, entry_point) else {
        let message = format!("`{entry_point}` is not an entry point");
        let hint = "write the name of a function, or `component#function` for `components/component.wasm`";
        file.add(Mistake::new(code::PACK_BAD_VALUE, place, message).hint(hint));
        return None;
    };
    Some(Body::Wasm { component, function })
}

/// The component, by default that of the pack's name, and the function; none if the text cannot name them.
pub(crate) fn split_entry_point(pack: &PackRef, entry_point: &str) -> Option<(String, String)> {
    let (component, function) = entry_point.split_once('#').unwrap_or((pack.as_str(), entry_point));
    let component = component.strip_suffix(".wasm").unwrap_or(component);
    let component_legal = !component.is_empty()
        && !component.starts_with('.')
        && component.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let function_legal = !function.is_empty()
        && function.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'));
    (component_legal && function_legal).then(|| (component.to_owned(), function.to_owned()))
}
