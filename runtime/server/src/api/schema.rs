//! The shapes of what is answered, for the document: `model` knows nothing of OpenAPI. A test holds what is really
//! answered against them.

#![allow(dead_code, reason = "they are read by a derive, and never made")]

use serde_json::Value;
use utoipa::ToSchema;

/// Where an execution or a step stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Status {
    Requested,
    Scheduled,
    Delayed,
    Running,
    Pending,
    Pausing,
    Paused,
    Resuming,
    Retrying,
    Canceling,
    Succeeded,
    Failed,
    Timeout,
    Canceled,
    Abandoned,
    Skipped,
}

/// What a key is good for. Each role can do what those before it can.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Role {
    Viewer,
    Operator,
    Admin,
}

/// Where a request came from.
#[derive(ToSchema)]
pub(crate) struct Origin {
    /// `cli`, `api`, `step` or `rule`.
    from: From,
    /// The execution whose step asked.
    #[schema(format = Uuid)]
    execution: Option<String>,
    /// That step.
    step: Option<u32>,
    /// The rule.
    rule: Option<String>,
    /// The event.
    #[schema(format = Uuid)]
    event: Option<String>,
    /// How many executions came one after the other from the end of another, before this one.
    chain: Option<u32>,
}

/// Who asked for an execution.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum From {
    Cli,
    Api,
    Step,
    Rule,
}

/// An execution, as lists show it.
#[derive(ToSchema)]
pub(crate) struct ExecutionRecord {
    /// Its identity.
    #[schema(format = Uuid)]
    id: String,
    /// What it runs.
    #[schema(example = "core.noop")]
    action: String,
    /// Where it stands.
    status: Status,
    /// Where the request came from.
    origin: Origin,
    /// When it was asked for.
    #[schema(format = DateTime)]
    created_at: String,
    /// When work on it began.
    #[schema(format = DateTime)]
    started_at: Option<String>,
    /// When it ended.
    #[schema(format = DateTime)]
    finished_at: Option<String>,
}

/// An execution with everything that may be shown of it. Secrets are masked.
#[derive(ToSchema)]
pub(crate) struct ExecutionView {
    #[schema(format = Uuid)]
    id: String,
    /// What it runs.
    action: String,
    /// Where it stands.
    status: Status,
    /// Where the request came from.
    origin: Origin,
    /// When it was asked for.
    #[schema(format = DateTime)]
    created_at: String,
    /// When work on it began.
    #[schema(format = DateTime)]
    started_at: Option<String>,
    /// When it ended.
    #[schema(format = DateTime)]
    finished_at: Option<String>,
    /// The version of its pack.
    pack_version: String,
    /// Its parameters, defaults included.
    #[schema(value_type = Object)]
    parameters: Value,
    /// What it returned, once it ended.
    result: Option<Value>,
    /// What went wrong, in order.
    #[schema(required = false)]
    errors: Vec<ErrorRecord>,
    /// Its steps, in the order of their start.
    steps: Vec<Step>,
    /// What of it waits for its turn, because of policies.
    #[schema(required = false)]
    delayed: Vec<super::executions::Turn>,
}

/// One thing that went wrong.
#[derive(ToSchema)]
pub(crate) struct ErrorRecord {
    /// The task it happened in.
    task: Option<String>,
    /// The task's route, if not the first.
    route: Option<u32>,
    /// The transition whose evaluation failed.
    transition: Option<u32>,
    /// A stable code.
    code: String,
    /// A lowercase sentence.
    message: String,
    /// What to do.
    hint: Option<String>,
    /// Data that belongs to it.
    details: Option<Value>,
}

/// Why something failed.
#[derive(ToSchema)]
pub(crate) struct Failure {
    /// A stable code, or whatever the action chose.
    code: String,
    /// A lowercase sentence.
    message: String,
    /// What to do.
    hint: Option<String>,
    /// Data that belongs to it.
    details: Option<Value>,
    /// Whether the same attempt may succeed later.
    retryable: Option<bool>,
}

/// One step of an execution.
#[derive(ToSchema)]
pub(crate) struct Step {
    /// Its number.
    step: u32,
    /// The task it runs.
    task: String,
    /// Its route.
    route: u32,
    /// What it is for, if not its task: `{"compensate": {…}}`, `{"on_cancel": {…}}`.
    purpose: Option<Value>,
    /// The action it calls; none if it was skipped.
    action: Option<String>,
    /// Where it stands.
    status: Status,
    /// Its rendered input; null if it runs over a list.
    input: Value,
    /// What it returned.
    result: Option<Value>,
    /// Why it did not succeed.
    failure: Option<Failure>,
    /// When it was decided on.
    #[schema(format = DateTime)]
    scheduled_at: String,
    /// When it goes on, if it is delayed.
    #[schema(format = DateTime)]
    until: Option<String>,
    /// Why it is tried again, if it is.
    delayed_for: Option<String>,
    /// What it waits for from outside.
    waits_for: Option<Value>,
    /// How far the last attempt that said so was.
    progress: Option<String>,
    /// Its tries.
    attempts: Vec<Attempt>,
    /// The list it runs over.
    items: Option<Vec<Item>>,
}

/// One item of a step that runs over a list.
#[derive(ToSchema)]
pub(crate) struct Item {
    /// Its place in the list.
    item: u32,
    /// Where it stands.
    status: Status,
    /// Its rendered input; null until it is its turn.
    input: Value,
    /// What it returned.
    result: Option<Value>,
    /// Why it did not succeed.
    failure: Option<Failure>,
    /// When it goes on, if it is delayed.
    #[schema(format = DateTime)]
    until: Option<String>,
    /// What it waits for from outside.
    waits_for: Option<Value>,
    /// Its tries.
    attempts: Vec<Attempt>,
}

/// One try of a step.
#[derive(ToSchema)]
pub(crate) struct Attempt {
    /// Which one, from 1.
    attempt: u32,
    /// Where it stands.
    status: Status,
    /// When it began.
    #[schema(format = DateTime)]
    started_at: String,
    /// When it ended.
    #[schema(format = DateTime)]
    finished_at: Option<String>,
}

/// An entry of a journal: when, what, and what belongs to that kind of fact.
#[derive(ToSchema)]
pub(crate) struct Entry {
    /// When it was recorded.
    #[schema(format = DateTime)]
    at: String,
    /// What happened.
    #[schema(example = "step_scheduled")]
    r#type: String,
}

/// An API key, without its secret.
#[derive(ToSchema)]
pub(crate) struct ApiKey {
    /// Its identity. It is no secret.
    #[schema(format = Uuid)]
    id: String,
    /// What people call it.
    name: String,
    /// What it is good for.
    role: Role,
    /// The packs that it may touch; none is all of them.
    packs: Option<Vec<String>>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it ends by itself.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// When it was taken back.
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
    /// When it was last used, to the minute.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
}

/// Where an execution stands after it was asked something.
#[derive(ToSchema)]
pub(crate) struct Stands {
    /// Which one.
    #[schema(format = Uuid)]
    id: String,
    /// How.
    status: Status,
}

/// Why a request was not done, after RFC 9457.
#[derive(ToSchema)]
pub(crate) struct Problem {
    /// Always `about:blank`: what kind of problem it is says `code`.
    r#type: String,
    /// The words of the HTTP status.
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// A lowercase sentence.
    detail: String,
    /// A stable code.
    #[schema(example = "E-API-0001")]
    code: String,
    /// What to do.
    hint: Option<String>,
    /// The id of the request, as in `x-request-id`.
    instance: String,
    /// What is wrong, one by one, if it is more than one thing can say.
    #[schema(required = false)]
    mistakes: Vec<super::problem::Mistake>,
}

/// What an operator granted a pack.
#[derive(ToSchema)]
pub(crate) struct Grant {
    /// The pack.
    pack: String,
    /// The digest of the version that was looked at.
    digest: String,
    /// What that version asks for.
    #[schema(value_type = Object)]
    wish: Value,
    /// What was granted of it.
    #[schema(value_type = Object)]
    granted: Value,
    /// By whom.
    by: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
}

/// What a pack asks for, and what it is granted.
#[derive(ToSchema)]
pub(crate) struct GrantReport {
    /// The pack.
    pack: String,
    /// The version.
    version: String,
    /// Its digest.
    digest: String,
    /// The version that is in use, if that is another one, because this one waits.
    in_use: Option<String>,
    /// How it stands: `nothing_asked`, `development`, `file`, `recorded`, `beyond` or `missing`.
    standing: String,
    /// What it asks for.
    #[schema(value_type = Object)]
    asks: Value,
    /// The rules of it, by number, with what is granted of each.
    rules: Vec<RuleReport>,
    /// What the daemon's file grants, if it says something of the pack.
    #[schema(value_type = Option<Object>)]
    by_file: Option<Value>,
    /// What is recorded.
    recorded: Option<Grant>,
    /// What it may do.
    #[schema(value_type = Object)]
    granted: Value,
    /// What it asks for and must not do, a phrase each.
    missing: Vec<String>,
    /// What differs from what was looked at when it was granted, a sentence each.
    difference: Vec<String>,
    /// The command that grants what it asks for, if something is missing.
    command: Option<String>,
}

/// A rule of what a pack asks for.
#[derive(ToSchema)]
pub(crate) struct RuleReport {
    /// Its number, from 1.
    #[schema(minimum = 1)]
    number: usize,
    /// What it asks for, in a phrase.
    asks: String,
    /// The connections on which all of it is granted; of a rule that names a URL, the URL.
    granted_on: Vec<String>,
    /// What of it is not granted, a phrase each.
    missing: Vec<String>,
}
