//! Executions, entries and moments for the tests to begin with.

use std::path::Path;

use runner_model::{
    AttemptNumber, Entry, Event, EventId, ExecutionId, Fact, ItemIndex, Match, MatchState, NodeId, OnExpiry, Origin,
    Outcome, PackRef, Purpose, Requested, RouteId, RuleRef, Status, StepId, TaskName, Timestamp, Version, Wait,
    WaitKind,
};
use runner_store::{
    Append, AuditOrigin, Audited, KeySource, Keyring, Lease, NewEvent, NewExecution, SEAL_KEY_BYTES, SealKey,
    SqliteOptions, SqliteStore,
};
use serde_json::{Value, json};

pub(crate) async fn sqlite(dir: &Path) -> SqliteStore {
    with_keys(dir, Some(keys(1, &[]))).await
}

pub(crate) async fn with_keys(dir: &Path, keys: Option<KeySource>) -> SqliteStore {
    SqliteStore::open(dir, SqliteOptions { keys, ..SqliteOptions::default() }).await.unwrap()
}

/// A current key, and earlier ones.
pub(crate) fn keys(current: u8, earlier: &[u8]) -> KeySource {
    let key = |byte: &u8| SealKey::new([*byte; SEAL_KEY_BYTES]);
    KeySource::of(Keyring::new(key(&current), earlier.iter().map(key).collect()))
}

/// The same execution, sealed.
pub(crate) fn sealed(mut new: NewExecution) -> NewExecution {
    if let Fact::Requested(requested) = &mut new.entries[0].fact {
        requested.sealed = true;
    }
    new
}

/// The same append, to an execution that is sealed.
pub(crate) fn sealed_append(append: Append) -> Append {
    Append { sealed: true, ..append }
}

/// A keyring with this key, and these that still open.
pub(crate) fn keyring(key: u8, earlier: &[u8]) -> KeySource {
    let sealing = |byte: u8| SealKey::new([byte; SEAL_KEY_BYTES]);
    KeySource::of(Keyring::new(sealing(key), earlier.iter().copied().map(sealing).collect()))
}

/// Somebody who changes something at this moment.
pub(crate) fn by(millis: i64) -> Audited {
    Audited { at: at(millis), actor: "carol".to_owned(), origin: AuditOrigin::Cli }
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
    requested_by(millis, action, Origin::Cli)
}

pub(crate) fn requested_by(millis: i64, action: &str, origin: Origin) -> Entry {
    let requested = Requested {
        action: action.parse().unwrap(),
        pack_version: "0.1.0".into(),
        pack_digest: "00".into(),
        parameters: json!({"message": "grüße"}),
        secret: vec![],
        secret_output: Vec::new(),
        sealed: false,
        origin,
        depth: 0,
        simulate: false,
        trace_parent: None,
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
        purpose: Purpose::Task,
        action: "core.noop".parse().unwrap(),
        input: json!({"n": step}),
        secret: vec!["n".into()],
        items: None,
        keeps: None,
        until: None,
    };
    Entry::new(at(millis), fact)
}

pub(crate) fn result(millis: i64, step: u32, result: Value) -> Entry {
    item_result(millis, step, None, result)
}

pub(crate) fn item_result(millis: i64, step: u32, item: Option<u32>, result: Value) -> Entry {
    let (item, attempt, outcome) = (item.map(ItemIndex), AttemptNumber::FIRST, Outcome::Succeeded { result });
    Entry::new(at(millis), Fact::AttemptFinished { step: StepId(step), item, attempt, outcome })
}

/// A step, or an item of one, waits for an event with this key; without one, for a person.
pub(crate) fn waiting(millis: i64, step: u32, item: Option<u32>, key: Option<&str>) -> Entry {
    let kind = match key {
        Some(key) => WaitKind::Event { key: key.to_owned() },
        None => WaitKind::Inquiry {
            prompt: "grow it?".into(),
            schema: json!({"type": "boolean"}),
            roles: vec!["operator".into()],
            users: vec![],
            route: String::new(),
        },
    };
    let wait = Box::new(Wait { kind, expires_at: Some(at(millis + 1000)), on_expiry: OnExpiry::Fail });
    Entry::new(at(millis), Fact::WaitOpened { step: StepId(step), item: item.map(ItemIndex), wait })
}

pub(crate) fn answered(millis: i64, step: u32, item: Option<u32>, answer: Value) -> Entry {
    Entry::new(at(millis), Fact::Answered { step: StepId(step), item: item.map(ItemIndex), by: "me".into(), answer })
}

pub(crate) fn finished(millis: i64, status: Status) -> Entry {
    Entry::new(at(millis), Fact::Finished { status, result: Value::Null, errors: vec![] })
}

/// A text of so many bytes that cannot be compressed to much less than three quarters, another one for each seed.
pub(crate) fn noise(seed: u64, bytes: usize) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut state = seed.wrapping_mul(2).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let letter = |_| {
        // xorshift64*: the high bits are good.
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        char::from(LETTERS[usize::try_from(state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 58).unwrap()])
    };
    (0..bytes).map(letter).collect()
}

/// Execution `number`, asked for and started at `number` ms, held by node `a` until 1000 ms.
pub(crate) fn new(number: u128) -> NewExecution {
    let millis = i64::try_from(number).unwrap();
    let entries = vec![requested(millis, "core.noop"), started(millis)];
    NewExecution { id: id(number), entries, owner: node("a"), lease_until: at(1000) }
}

/// The same, with that version of the action's pack.
pub(crate) fn of_version(number: u128, action: &str, digest: &str) -> NewExecution {
    let mut new = new(number);
    new.entries[0] = with_digest(requested(i64::try_from(number).unwrap(), action), digest);
    new
}

/// The same request, for that version of the pack.
pub(crate) fn with_digest(mut request: Entry, digest: &str) -> Entry {
    if let Fact::Requested(requested) = &mut request.fact {
        requested.pack_digest = digest.to_owned();
    }
    request
}

/// The same, started by a step of another.
pub(crate) fn child(number: u128, parent: u128) -> NewExecution {
    let mut new = new(number);
    let millis = i64::try_from(number).unwrap();
    new.entries[0] = requested_by(millis, "core.noop", Origin::Step { execution: id(parent), step: StepId(0) });
    new
}

pub(crate) fn append(lease: &Lease, entries: Vec<Entry>) -> Append {
    Append { id: lease.id, token: lease.token, expected: lease.version, entries, sealed: false, announce: false }
}

pub(crate) fn append_at(lease: &Lease, version: Version, entries: Vec<Entry>) -> Append {
    Append { expected: version, ..append(lease, entries) }
}

/// The same, started by a rule because of an event.
pub(crate) fn by_rule(number: u128, name: &str, event: u128) -> NewExecution {
    let mut new = new(number);
    let millis = i64::try_from(number).unwrap();
    let origin = Origin::Rule { rule: rule(name), event: event_id(event), chain: 2 };
    new.entries[0] = requested_by(millis, "core.noop", origin);
    new
}

/// The event with this number; a larger number is a newer one.
pub(crate) fn event_id(number: u128) -> EventId {
    EventId::from_bytes(number.to_be_bytes())
}

/// A rule of the pack `core`.
pub(crate) fn rule(name: &str) -> RuleRef {
    RuleRef::new(&pack("core"), name).unwrap()
}

/// Event `number`, a delivery to a webhook, recorded at `number` ms and matched by these rules.
pub(crate) fn event(number: u128, key: Option<&str>, rules: &[&str]) -> Event {
    let received_at = at(i64::try_from(number).unwrap());
    let matched = |name: &&str| Match {
        rule: rule(name),
        action: "core.noop".parse().unwrap(),
        parameters: [("name".to_owned(), json!(name))].into_iter().collect(),
        execution: event_id(number).execution(&rule(name)),
        state: MatchState::Pending,
    };
    Event {
        id: event_id(number),
        trigger: "core.webhook".parse().unwrap(),
        source: "github".to_owned(),
        key: key.map(str::to_owned),
        occurred_at: at(0),
        received_at,
        payload: json!({"n": i64::try_from(number).unwrap(), "text": "grüße"}),
        chain: 1,
        trace_parent: None,
        sealed: false,
        secrets: Vec::new(),
        matches: rules.iter().map(matched).collect(),
    }
}

pub(crate) fn plain(event: Event) -> NewEvent {
    NewEvent { event, once: vec![] }
}
