//! A place where time passes only when nothing else happens, with guests that do what their input says.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use runner_executor::{
    Call, Control, ControlError, Execution, ExecutionRequest, Executor, ExecutorOptions, Grants, Guests, Packs,
    PacksOptions,
};
use runner_host::Connections;
use runner_model::{
    Clock, ExecutionId, ExecutionView, Failure, Limits, NodeId, Origin, Outcome, SeededEntropy, Status, Timestamp,
    Version, code,
};
use runner_pack::Library;
use runner_store::{Catalogue, Journal, Leases, MemoryStore};
use serde_json::{Value, json};
use tokio::time::Instant;

/// The time of day, as tokio's simulated time has it.
struct PausedClock(Instant);

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + i64::try_from(self.0.elapsed().as_millis()).unwrap())
    }
}

/// What the guests were asked, by their tag: how often, and what they were told about an earlier attempt.
#[derive(Default)]
pub(crate) struct Asked(Mutex<BTreeMap<String, Vec<Option<String>>>>, Mutex<Seen>);

/// What was seen of all guests.
#[derive(Default)]
struct Seen {
    /// Tags, in the order in which guests began.
    order: Vec<String>,
    /// How many of an action run, and how many have run at once.
    running: BTreeMap<String, (usize, usize)>,
    traces: Vec<String>,
}

/// A guest among those that run.
struct Running<'a>(&'a Asked, String);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.1.lock().running.get_mut(&self.1).unwrap().0 -= 1;
    }
}

impl Asked {
    fn begins(&self, call: &Call, tag: &str) -> Running<'_> {
        let mut seen = self.1.lock();
        seen.order.push(tag.to_owned());
        seen.traces.push(call.trace.map(|trace| trace.to_string()).unwrap_or_default());
        let name = call.action.reference.to_string();
        let (now, peak) = seen.running.entry(name.clone()).or_default();
        *now += 1;
        *peak = (*peak).max(*now);
        Running(self, name)
    }
}

struct Actors(Arc<Asked>);

#[async_trait]
impl Guests for Actors {
    async fn run(&self, call: Call) -> Outcome {
        let input = Value::Object(call.input.clone());
        let tag = input["tag"].as_str().unwrap_or("").to_owned();
        let _running = self.0.begins(&call, &tag);
        let tries = {
            let mut asked = self.0.0.lock();
            let all = asked.entry(tag).or_default();
            all.push(call.last_heartbeat);
            all.len()
        };
        for beat in 0..input["beats"].as_u64().unwrap_or(0) {
            call.observer.heartbeat(&json!({"beat": beat}).to_string());
            tokio::time::sleep(Duration::from_millis(1_100)).await;
        }
        let takes = match input["takes"].as_f64() {
            Some(seconds) => Duration::from_secs_f64(seconds),
            None => Duration::from_millis(10),
        };
        let timeout = call.timeout.unwrap_or(Duration::MAX);
        tokio::select! {
            biased;
            () = call.cancel.cancelled() => return Outcome::Canceled,
            () = tokio::time::sleep(takes.min(timeout)) => {}
        }
        if takes > timeout {
            return Outcome::Timeout { failure: Failure::new(code::HOST_TIMEOUT, "too long") };
        }
        if (tries as u64) <= input["fails"].as_u64().unwrap_or(0) {
            return Outcome::Failed { failure: Failure::new(code::HOST_OTHER, "as it was told") };
        }
        Outcome::Succeeded { result: json!({"tries": tries}) }
    }
}

pub(crate) struct Stage {
    directory: tempfile::TempDir,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) asked: Arc<Asked>,
    began: Instant,
}

const PARAMETERS: &str =
    "parameters: {tag: {type: string}, takes: {type: number}, fails: {type: integer}, beats: {type: integer}}";

impl Stage {
    /// A stage with these workflows, by name: what stands below their names.
    pub(crate) fn with(workflows: &[(&str, &str)]) -> Self {
        Self::with_policies(workflows, &[])
    }

    /// And with these policies: for each its action, its type and its parameters.
    pub(crate) fn with_policies(workflows: &[(&str, &str)], policies: &[(&str, &str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = directory.path().join("p").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("pack.yaml", "ref: p\nname: Plays\ndescription: x\nversion: 1.0.0\nauthor: The project\n");
        write("actions/once.yaml", &format!("name: once\ndescription: x\nrunner_type: wasm\n{PARAMETERS}\n"));
        write(
            "actions/again.yaml",
            &format!("name: again\ndescription: x\nrunner_type: wasm\nidempotent: true\n{PARAMETERS}\n"),
        );
        write("actions/noop.yaml", "name: noop\ndescription: x\nrunner_type: noop\n");
        for (name, body) in workflows {
            write(&format!("workflows/{name}.yaml"), &format!("name: {name}\ndescription: x\n{body}\n"));
        }
        for (number, (action, kind, parameters)) in policies.iter().enumerate() {
            let text = format!(
                "name: policy{number}\ndescription: x\nresource_ref: {action}\npolicy_type: {kind}\nparameters: {parameters}\n"
            );
            write(&format!("policies/policy{number}.yaml"), &text);
        }
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for name in ["ask", "wait_for"] {
            let text = std::fs::read_to_string(repository.join(format!("packs/core/actions/{name}.yaml"))).unwrap();
            write(&format!("actions/{name}.yaml"), &text);
        }
        std::fs::create_dir_all(directory.path().join("p/components")).unwrap();
        let guest = repository.join("tests/guests/components/host-guest.wasm");
        std::fs::copy(guest, directory.path().join("p/components/p.wasm")).unwrap();
        Self { directory, store: Arc::default(), asked: Arc::default(), began: Instant::now() }
    }

    /// A process.
    pub(crate) fn executor(&self, node: &str) -> Executor {
        self.executor_with(node, runner_model::limits::QUEUE_MAX)
    }

    /// The packs as they are now.
    pub(crate) fn library(&self) -> Library {
        let (library, report) = Library::load(&[self.directory.path().to_owned()], None);
        assert!(!report.has_errors(), "{}", report.plain());
        library
    }

    /// Removes a policy's file.
    pub(crate) fn remove_policy(&self, number: usize) {
        std::fs::remove_file(self.directory.path().join(format!("p/policies/policy{number}.yaml"))).unwrap();
    }

    /// A process that has so much to do at the most.
    pub(crate) fn executor_with(&self, node: &str, queue_max: usize) -> Executor {
        let packs = Packs::new(PacksOptions {
            library: self.library(),
            grants: Grants::default(),
            connections: Connections::none(&Limits::default()),
            simulate: false,
            archive: None,
        });
        Executor::new(ExecutorOptions {
            node: NodeId(node.to_owned()),
            guests: Arc::new(Actors(self.asked.clone())),
            store: self.store.clone(),
            packs: Arc::new(packs),
            clock: Arc::new(PausedClock(self.began)),
            entropy: Arc::new(SeededEntropy::new(node.len() as u64)),
            verify: true,
            queue_max,
        })
    }

    /// Another process, after the end of one, which is known to be dead.
    pub(crate) async fn after(&self, dead: &str, node: &str) -> Executor {
        self.store.expire(&NodeId(dead.to_owned())).await.unwrap();
        let executor = self.executor(node);
        executor.recover_all().await.unwrap();
        executor
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.began.elapsed().as_secs()
    }

    /// What guests with this tag were told, attempt by attempt.
    pub(crate) fn asked(&self, tag: &str) -> Vec<Option<String>> {
        self.asked.0.lock().get(tag).cloned().unwrap_or_default()
    }

    /// Tags of guests, in the order in which they began.
    pub(crate) fn order(&self) -> Vec<String> {
        self.asked.1.lock().order.clone()
    }

    /// How many attempts of an action have run at once.
    pub(crate) fn peak(&self, action: &str) -> usize {
        self.asked.1.lock().running.get(action).map_or(0, |(_, peak)| *peak)
    }

    /// The traces that guests were told, in the order in which they began.
    pub(crate) fn traces(&self) -> Vec<String> {
        self.asked.1.lock().traces.clone()
    }

    pub(crate) async fn status(&self, id: ExecutionId) -> Status {
        Catalogue::get(&*self.store, id).await.unwrap().status
    }

    /// Waits until an execution stands like this.
    pub(crate) async fn becomes(&self, id: ExecutionId, status: Status) {
        for _ in 0..10_000 {
            if self.status(id).await == status {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{id} is {} and does not become {status}", self.status(id).await);
    }

    /// Waits for the end of an execution, whoever brings it there.
    pub(crate) async fn ended(&self, id: ExecutionId) -> ExecutionView {
        for _ in 0..100_000 {
            if self.status(id).await.is_terminal() {
                return self.view(id).await;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{id} does not end: {:#?}", self.view(id).await);
    }

    pub(crate) async fn view(&self, id: ExecutionId) -> ExecutionView {
        ExecutionView::fold(id, &self.store.read(id, Version(0)).await.unwrap()).unwrap()
    }

    /// The executions that steps of this one started.
    pub(crate) async fn children(&self, id: ExecutionId) -> Vec<ExecutionId> {
        self.store.children(id).await.unwrap().iter().map(|record| record.id).collect()
    }
}

pub(crate) async fn submit(executor: &Executor, action: &str) -> Execution {
    let request = ExecutionRequest::new(action.parse().unwrap(), Default::default(), Origin::Cli);
    executor.submit(request).await.unwrap()
}

pub(crate) async fn submit_with(executor: &Executor, action: &str, parameters: Value) -> Execution {
    let Value::Object(parameters) = parameters else { panic!("parameters are a map") };
    let request = ExecutionRequest::new(action.parse().unwrap(), parameters, Origin::Cli);
    executor.submit(request).await.unwrap()
}

/// Waits until something holds.
pub(crate) async fn until(what: impl Fn() -> bool) {
    for _ in 0..100_000 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("it does not come to that");
}

/// Waits until nothing is at work.
pub(crate) async fn parked(executor: &Executor, count: usize) {
    for _ in 0..10_000 {
        if executor.count() == (0, count) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("{:?} are at work and parked, not {count}", executor.count());
}

pub(crate) async fn pause(executor: &Executor, id: ExecutionId) -> Result<Status, ControlError> {
    executor.control(id, Control::Pause { by: "a test".into() }).await
}

pub(crate) async fn resume(executor: &Executor, id: ExecutionId) -> Result<Status, ControlError> {
    executor.control(id, Control::Resume { by: "a test".into() }).await
}

pub(crate) async fn cancel(executor: &Executor, id: ExecutionId) -> Result<Status, ControlError> {
    executor.control(id, Control::Cancel { by: "a test".into() }).await
}

pub(crate) async fn respond(executor: &Executor, id: ExecutionId, answer: Value) -> Result<Status, ControlError> {
    executor.control(id, Control::Respond { by: "a test".into(), task: None, item: None, answer }).await
}
