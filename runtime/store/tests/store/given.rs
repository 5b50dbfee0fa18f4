//! Executions, entries and moments for the tests to begin with.

use std::path::Path;

use runner_model::{
    AttemptNumber, Entry, ExecutionId, Fact, NodeId, Origin, Outcome, PackRef, Requested, RouteId, Status, StepId,
    TaskName, Timestamp, Version,
};
use runner_store::{Append, Lease, NewExecution, SqliteOptions, SqliteStore};
use serde_json::{Value, json};

pub(crate) async fn sqlite(dir: &Path) -> SqliteStore {
    SqliteStore::open(dir, SqliteOptions::default()).await.unwrap()
}

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// The execution with this number; a larger number is a newer one.
pub(crate) fn id(number: u128) -> ExecutionId {
    ExecutionId::from_bytes(number.to_be_bytes())
}

pub(crate) fn node(name: &str) -> NodeId {
    NodeId(name.to_owned())
}

pub(crate) fn pack(name: &str) -> PackRef {
    PackRef::new(name).unwrap()
}

pub(crate) fn requested(millis: i64, action: &str) -> Entry {
    let requested = Requested {
        action: action.parse().unwrap(),
        pack_version: "0.1.0".into(),
        pack_digest: "00".into(),
        parameters: json!({"message": "grüße"}),
        secret: vec![],
        origin: Origin::Cli,
        depth: 0,
        simulate: false,
    };
    Entry::new(at(millis), Fact::Requested(Box::new(requested)))
}

pub(crate) fn started(millis: i64) -> Entry {
    Entry::new(at(millis), Fact::Started)
}

pub(crate) fn scheduled(millis: i64, step: u32) -> Entry {
    let fact = Fact::StepScheduled {
        step: StepId(step),
        task: TaskName::new("a_task").unwrap(),
        route: RouteId(0),
        action: "core.noop".parse().unwrap(),
        input: json!({"n": step}),
        secret: vec!["n".into()],
    };
    Entry::new(at(millis), fact)
}

pub(crate) fn result(millis: i64, step: u32, result: Value) -> Entry {
    let outcome = Outcome::Succeeded { result };
    Entry::new(at(millis), Fact::AttemptFinished { step: StepId(step), attempt: AttemptNumber::FIRST, outcome })
}

pub(crate) fn finished(millis: i64, status: Status) -> Entry {
    Entry::new(at(millis), Fact::Finished { status, result: Value::Null, errors: vec![] })
}

/// Execution `number`, asked for and started at `number` ms, held by node `a` until 1000 ms.
pub(crate) fn new(number: u128) -> NewExecution {
    let millis = i64::try_from(number).unwrap();
    let entries = vec![requested(millis, "core.noop"), started(millis)];
    NewExecution { id: id(number), entries, owner: node("a"), lease_until: at(1000) }
}

pub(crate) fn append(lease: &Lease, entries: Vec<Entry>) -> Append {
    Append { id: lease.id, token: lease.token, expected: lease.version, entries }
}

pub(crate) fn append_at(lease: &Lease, version: Version, entries: Vec<Entry>) -> Append {
    Append { expected: version, ..append(lease, entries) }
}
