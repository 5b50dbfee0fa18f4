//! Packs that are swapped while executions run: each ends on the version that it began with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use runner_executor::{
    Call, Control, Execution, ExecutionRequest, Executor, ExecutorError, ExecutorOptions, Grants, Guests, Packs,
    PacksOptions, RequestError,
};
use runner_host::Connections;
use runner_model::{
    ActionRef, Clock as _, ExecutionId, ExecutionView, Limits, NodeId, Origin, Outcome, PackRef, SeededEntropy, Status,
    SystemClock, Version, limits,
};
use runner_pack::{Changes, Library};
use runner_store::{Catalogue, Expiry, Journal, Leases, MemoryStore, Upkeep as _};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// What ran: of each outermost or inner execution the versions of the pack, call by call.
#[derive(Default)]
struct Seen(Mutex<BTreeMap<ExecutionId, Vec<String>>>);

/// Guests that say which version they are of, and wait to be let through where they are told to.
struct Actors {
    seen: Arc<Seen>,
    gate: Arc<Semaphore>,
}

#[async_trait]
impl Guests for Actors {
    async fn run(&self, call: Call) -> Outcome {
        let version = call.pack.manifest.version.to_string();
        // The action and its defaults belong to the same version.
        assert_eq!(call.input["v"], json!(version));
        self.seen.0.lock().entry(call.execution).or_default().push(version.clone());
        if call.input.get("wait") == Some(&json!(true)) {
            self.gate.acquire().await.unwrap().forget();
        }
        Outcome::Succeeded { result: json!(version) }
    }
}

/// A packs directory, and what outlives a process.
struct Place {
    directory: tempfile::TempDir,
    store: Arc<MemoryStore>,
    seen: Arc<Seen>,
    gate: Arc<Semaphore>,
    archive: bool,
}

/// One process.
struct Process {
    packs: Arc<Packs>,
    executor: Executor,
}

const MANIFEST: &str = "ref: p\nname: Plays\ndescription: x\nauthor: The project\n";

impl Place {
    fn new() -> Self {
        let place = Self {
            directory: tempfile::tempdir().unwrap(),
            store: Arc::default(),
            seen: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
            archive: true,
        };
        place.write("components/p.wasm", "never opened");
        place.write("actions/ask.yaml", &std::fs::read_to_string("../../packs/core/actions/ask.yaml").unwrap());
        place
    }

    fn without_archive() -> Self {
        Self { archive: false, ..Self::new() }
    }

    fn dirs(&self) -> [PathBuf; 1] {
        [self.directory.path().join("packs")]
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.dirs()[0].join("p").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Makes it another version, in every file: other tasks, other defaults, other values.
    fn version(&self, number: u64) {
        let version = format!("{number}.0.0");
        self.write("pack.yaml", &format!("{MANIFEST}version: {version}\n"));
        let parameters = format!("parameters: {{wait: {{type: boolean}}, v: {{type: string, default: {version}}}}}");
        self.write("actions/step.yaml", &format!("name: step\ndescription: x\nrunner_type: wasm\n{parameters}\n"));
        let flow = |name: &str, first: &str| {
            let text = format!(
                "name: {name}\ndescription: x\nvars: [{{own: {version}}}]\noutput: [{{own: <% ctx().own %>}}]\ntasks:\n  \
                 one_{number}: {{{first}, next: [{{when: <% succeeded() %>, do: inner_{number}}}]}}\n  \
                 inner_{number}: {{action: p.inner, next: [{{do: last_{number}}}]}}\n  \
                 last_{number}: {{action: p.step}}\n"
            );
            self.write(&format!("workflows/{name}.yaml"), &text);
        };
        flow("quick", "action: p.step");
        flow("held", "action: p.step, input: {wait: true}");
        flow("asks", "action: p.ask, input: {schema: {}}");
        let inner = format!(
            "tasks:\n  in_{number}: {{action: p.step, next: [{{do: in_too_{number}}}]}}\n  in_too_{number}: {{action: p.step}}\n"
        );
        self.write("workflows/inner.yaml", &format!("name: inner\ndescription: x\n{inner}"));
    }

    fn process(&self, node: &str) -> Process {
        let (library, _) = Library::load(&self.dirs(), None);
        let packs = Arc::new(Packs::new(PacksOptions {
            library,
            grants: Grants::default(),
            connections: Connections::none(&Limits::default()),
            simulate: false,
            archive: self.archive.then(|| self.directory.path().join("data/packs")),
        }));
        let executor = Executor::new(ExecutorOptions {
            node: NodeId(node.to_owned()),
            guests: Arc::new(Actors { seen: self.seen.clone(), gate: self.gate.clone() }),
            store: self.store.clone(),
            packs: packs.clone(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SeededEntropy::new(node.len() as u64)),
            verify: true,
            queue_max: limits::QUEUE_MAX,
        });
        Process { packs, executor }
    }

    /// Another process, after one was killed.
    async fn after(&self, dead: &str, node: &str) -> Process {
        self.store.expire(&NodeId(dead.to_owned())).await.unwrap();
        let process = self.process(node);
        process.executor.recover_all().await.unwrap();
        process
    }

    /// The packs directory is read again, as the daemon does.
    fn swap(&self, process: &Process) -> Changes {
        let (library, _) = Library::succeed(&process.packs.library(), &self.dirs(), None);
        process.packs.swap(library)
    }

    async fn becomes(&self, id: ExecutionId, status: Status) -> ExecutionView {
        for _ in 0..6_000 {
            let view = ExecutionView::fold(id, &self.store.read(id, Version(0)).await.unwrap()).unwrap();
            if view.record.status == status {
                return view;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let entries = self.store.read(id, Version(0)).await.unwrap();
        panic!("{id} does not become {status}: {entries:#?}");
    }

    /// Waits until a guest runs for an execution.
    async fn runs(&self, id: ExecutionId) {
        for _ in 0..6_000 {
            if self.seen.0.lock().contains_key(&id) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nothing runs for {id}");
    }

    /// The versions that an execution used, in itself and in what it started.
    async fn versions(&self, id: ExecutionId) -> BTreeSet<String> {
        let children = self.store.children(id).await.unwrap();
        let ids = children.iter().map(|record| record.id).chain([id]);
        let seen = self.seen.0.lock();
        ids.flat_map(|id| seen.get(&id).cloned().unwrap_or_default()).collect()
    }
}

async fn submit(process: &Process, action: &str) -> Execution {
    let request = ExecutionRequest::new(action.parse().unwrap(), Default::default(), Origin::Cli);
    process.executor.submit(request).await.unwrap()
}

async fn answer(process: &Process, id: ExecutionId) {
    let control = Control::Respond { by: "a test".into(), task: None, item: None, answer: json!({}) };
    process.executor.control(id, control).await.unwrap();
}

fn own(view: &ExecutionView) -> Value {
    view.result.clone().unwrap()["own"].clone()
}

fn only(version: &str) -> BTreeSet<String> {
    BTreeSet::from([version.to_owned()])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_that_is_put_there_can_be_run_at_once_and_one_that_is_deleted_cannot() {
    let place = Place::new();
    let process = place.process("one");
    let mut generation = process.packs.generation();
    place.version(1);
    let changes = place.swap(&process);
    assert_eq!(changes.added, [PackRef::new("p").unwrap()]);
    assert!(generation.has_changed().unwrap());
    generation.mark_unchanged();
    let view = submit(&process, "p.quick").await.finished().await.unwrap();
    assert_eq!((view.record.status, own(&view)), (Status::Succeeded, json!("1.0.0")));

    let running = submit(&process, "p.held").await;
    place.runs(running.id).await;
    std::fs::remove_dir_all(place.dirs()[0].join("p")).unwrap();
    assert_eq!(place.swap(&process).removed, [PackRef::new("p").unwrap()]);
    assert!(generation.has_changed().unwrap());
    let request = ExecutionRequest::new("p.quick".parse().unwrap(), Default::default(), Origin::Cli);
    assert!(matches!(process.executor.submit(request).await, Err(RequestError::UnknownAction { .. })));
    // What runs still ends, with all that it calls.
    place.gate.add_permits(1);
    let view = running.finished().await.unwrap();
    assert_eq!((view.record.status, own(&view)), (Status::Succeeded, json!("1.0.0")));
    assert_eq!(place.versions(view.record.id).await, only("1.0.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_ends_on_the_version_that_it_began_with_and_a_new_one_has_the_new() {
    let place = Place::new();
    place.version(1);
    let process = place.process("one");
    let old = submit(&process, "p.held").await;
    place.runs(old.id).await;
    place.version(2);
    place.swap(&process);
    let new = submit(&process, "p.quick").await.finished().await.unwrap();
    place.gate.add_permits(1);
    let old = old.finished().await.unwrap();
    assert_eq!((own(&old), own(&new)), (json!("1.0.0"), json!("2.0.0")));
    assert_eq!(place.versions(old.record.id).await, only("1.0.0"));
    assert_eq!(place.versions(new.record.id).await, only("2.0.0"));
    assert!(old.steps.iter().any(|step| step.task.as_str() == "last_1"), "{:#?}", old.steps);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_broken_pack_the_old_version_runs() {
    let place = Place::new();
    place.version(1);
    let process = place.process("one");
    place.version(2);
    place.write("actions/step.yaml", "runner_type: [");
    let changes = place.swap(&process);
    assert_eq!(changes.broken, [PackRef::new("p").unwrap()]);
    assert_eq!(process.packs.library().broken()[0].kept.as_deref(), Some("1.0.0"));
    let view = submit(&process, "p.quick").await.finished().await.unwrap();
    assert_eq!(own(&view), json!("1.0.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_parked_or_killed_ends_on_its_version_in_another_process() {
    let place = Place::new();
    place.version(1);
    let first = place.process("one");
    let parked = submit(&first, "p.asks").await.id;
    place.becomes(parked, Status::Pending).await;
    let killed = submit(&first, "p.held").await.id;
    place.runs(killed).await;
    // It is parked over a swap, killed, and found by a process that has never seen its version.
    place.version(2);
    place.swap(&first);
    first.executor.shutdown().await;
    drop(first);
    place.version(3);
    let second = place.after("one", "second").await;
    answer(&second, parked).await;
    let view = place.becomes(parked, Status::Succeeded).await;
    assert_eq!(own(&view), json!("1.0.0"));
    assert_eq!(place.versions(parked).await, only("1.0.0"));
    // An action that must not run twice is given up, by the plan of its own version.
    let view = place.becomes(killed, Status::Failed).await;
    assert!(view.steps.iter().all(|step| step.task.as_str().ends_with("_1")), "{:#?}", view.steps);
    // Run again it still is of that version.
    place.gate.add_permits(1);
    second.executor.control(killed, Control::Rerun { by: "a test".into(), tasks: Vec::new() }).await.unwrap();
    let view = place.becomes(killed, Status::Succeeded).await;
    assert_eq!((own(&view), place.versions(killed).await), (json!("1.0.0"), only("1.0.0")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_while_an_execution_waited_is_found_in_the_archive() {
    let place = Place::new();
    place.version(1);
    let first = place.process("one");
    let id = submit(&first, "p.asks").await.id;
    place.becomes(id, Status::Pending).await;
    first.executor.shutdown().await;
    std::fs::remove_dir_all(place.dirs()[0].join("p")).unwrap();
    let second = place.after("one", "second").await;
    assert!(second.packs.action(&"p.asks".parse::<ActionRef>().unwrap()).is_none());
    answer(&second, id).await;
    assert_eq!(own(&place.becomes(id, Status::Succeeded).await), json!("1.0.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_lost_is_an_error_that_says_so() {
    let place = Place::without_archive();
    place.version(1);
    let first = place.process("one");
    let id = submit(&first, "p.asks").await.id;
    place.becomes(id, Status::Pending).await;
    first.executor.shutdown().await;
    place.version(2);
    place.store.expire(&NodeId("one".to_owned())).await.unwrap();
    let second = place.process("second");
    let error = second.executor.recover(id).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, ExecutorError::Mismatch(_)), "{error}");
    // Nothing is lost with it: once the version is back, it goes on.
    place.version(1);
    place.swap(&second);
    second.executor.recover(id).await.unwrap();
    answer(&second, id).await;
    assert_eq!(own(&place.becomes(id, Status::Succeeded).await), json!("1.0.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_nobody_needs_is_removed_from_the_archive() {
    let place = Place::new();
    place.version(1);
    let process = place.process("one");
    process.packs.keep_all();
    let digest = |process: &Process| process.packs.library().pack("p").unwrap().digest.clone();
    let mut versions = vec![digest(&process)];
    for number in 2..=4 {
        place.version(number);
        place.swap(&process);
        versions.push(digest(&process));
    }
    let archive = place.directory.path().join("data/packs");
    age(&archive);
    let pack = PackRef::new("p").unwrap();
    let needed = BTreeSet::from([(pack.clone(), versions[0].clone())]);
    assert_eq!(process.packs.prune(&needed).unwrap(), 2);
    let there: Vec<_> = versions.iter().map(|digest| process.packs.pinned(&pack, digest).is_some()).collect();
    assert_eq!(there, [true, false, false, true]);
    // What is removed is put there again when it is current again.
    place.version(2);
    place.swap(&process);
    assert!(process.packs.pinned(&pack, &versions[1]).is_some());
    assert_eq!(versions_in(&archive), 3);
}

/// Makes everything in the archive look as if it had been asked for long ago.
fn age(archive: &Path) {
    for entry in std::fs::read_dir(archive).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir()) {
        std::fs::File::open(entry.path()).unwrap().set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    }
}

fn current(process: &Process) -> String {
    process.packs.library().pack("p").unwrap().digest.clone()
}

/// How many versions are in the archive.
fn versions_in(archive: &Path) -> usize {
    std::fs::read_dir(archive).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_versions_those_stay_that_executions_need() {
    let place = Place::new();
    place.version(1);
    let process = place.process("one");
    process.packs.keep_all();
    let (mut open, mut late) = (Vec::new(), None);
    for number in 1..=20 {
        if number > 1 {
            place.version(number);
            place.swap(&process);
        }
        assert_eq!(submit(&process, "p.quick").await.finished().await.unwrap().record.status, Status::Succeeded);
        if number % 5 == 0 {
            let id = submit(&process, "p.asks").await.id;
            place.becomes(id, Status::Pending).await;
            open.push((number, id));
        }
        late = Some(SystemClock.now());
    }
    let archive = place.directory.path().join("data/packs");
    let prune = async || {
        age(&archive);
        process.packs.prune_unneeded(&*place.store).await.unwrap();
        versions_in(&archive)
    };
    // Who has just ended may hold its version a moment longer.
    let comes_to = async |expected: usize| {
        for _ in 0..6_000 {
            if prune().await == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{} versions stay", prune().await);
    };
    // What has ended may be run again, and needs its version.
    assert_eq!(prune().await, 20);
    let forget = async || {
        let expiry = Expiry {
            executions_before: late.map(|late| late.plus_ms(1_000_000)),
            executions_max: None,
            events_before: None,
            now: SystemClock.now(),
        };
        place.store.prune(expiry, 1_000).await.unwrap().executions
    };
    // With the executions that its step began, each is two.
    assert_eq!(forget().await, 40);
    comes_to(4).await;
    for (number, id) in open {
        answer(&process, id).await;
        assert_eq!(own(&place.becomes(id, Status::Succeeded).await), json!(format!("{number}.0.0")));
    }
    forget().await;
    comes_to(1).await;
    assert!(process.packs.pinned(&PackRef::new("p").unwrap(), &current(&process)).is_some(), "the current one stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_that_is_broken_after_a_restart_is_used_as_it_was_last() {
    let place = Place::new();
    place.version(1);
    let first = place.process("one");
    first.packs.keep_all();
    place.version(2);
    place.swap(&first);
    place.write("workflows/quick.yaml", "tasks: 7");

    let second = place.process("second");
    assert!(second.packs.library().pack("p").is_none());
    let bring_back = |process: &Process| {
        let (library, _) = Library::succeed(&process.packs.last().unwrap(), &place.dirs(), None);
        process.packs.swap(library)
    };
    bring_back(&second);
    let kept: Vec<_> = second.packs.library().broken().iter().map(|broken| broken.kept.clone()).collect();
    assert_eq!(kept, [Some("2.0.0".to_owned())]);
    assert_eq!(own(&submit(&second, "p.quick").await.finished().await.unwrap()), json!("2.0.0"));
    // It stays while the files are read again, and nobody needs it, and over another restart.
    age(&place.directory.path().join("data/packs"));
    assert!(place.swap(&second).is_empty());
    second.packs.prune(&BTreeSet::new()).unwrap();
    let third = place.process("three");
    bring_back(&third);
    assert_eq!(own(&submit(&third, "p.quick").await.finished().await.unwrap()), json!("2.0.0"));
    place.version(3);
    place.swap(&third);
    assert_eq!(own(&submit(&third, "p.quick").await.finished().await.unwrap()), json!("3.0.0"));
    assert!(place.process("four").packs.last().is_none(), "nothing is missing");

    std::fs::remove_dir_all(place.dirs()[0].join("p")).unwrap();
    let after = place.process("after");
    bring_back(&after);
    assert!(after.packs.library().pack("p").is_none(), "what was deleted is gone");
    assert!(after.packs.last().is_none(), "and forgotten");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn over_two_hundred_swaps_every_execution_is_of_one_version() {
    let place = Arc::new(Place::new());
    place.version(1);
    let process = Arc::new(place.process("one"));
    let swapper = {
        let (place, process) = (place.clone(), process.clone());
        tokio::task::spawn_blocking(move || {
            for number in 2..=201 {
                place.version(number);
                let changes = place.swap(&process);
                assert_eq!(changes.changed, [PackRef::new("p").unwrap()], "{number}");
            }
        })
    };
    let mut views = Vec::new();
    while !swapper.is_finished() {
        let batch: Vec<_> = futures::future::join_all((0..8).map(|_| submit(&process, "p.quick"))).await;
        for execution in batch {
            views.push(execution.finished().await.unwrap());
        }
    }
    swapper.await.unwrap();
    let mut used = BTreeSet::new();
    for view in &views {
        assert_eq!(view.record.status, Status::Succeeded, "{view:#?}");
        let version = own(view);
        assert_eq!(place.versions(view.record.id).await, only(version.as_str().unwrap()), "{view:#?}");
        used.insert(version.to_string());
    }
    assert!(used.len() > 5, "{} executions met {} versions", views.len(), used.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn code_is_that_of_the_version_also_when_its_file_has_changed() {
    let setup = crate::it::kit::Setup::in_memory(&[]);
    let kept = setup.packs(true);
    kept.keep_all();
    let lost = setup.packs(false);
    let component = kept.library().pack("t").unwrap().components["t"].clone();
    let whole = std::fs::read(&component).unwrap();
    std::fs::write(&component, &whole[..whole.len() / 2]).unwrap();
    let run = async |node, packs| {
        let executor = setup.executor_over(node, packs, Arc::new(SystemClock));
        crate::it::kit::submit(&executor, "t.echo", json!({})).await.finished().await.unwrap()
    };
    let view = run("kept", kept).await;
    assert_eq!(view.record.status, Status::Succeeded, "{view:#?}");
    // Where nothing keeps the version, half of a file is not taken for it.
    let view = run("lost", lost).await;
    assert_eq!(view.record.status, Status::Failed);
    assert!(view.errors[0].message.contains("has changed since the pack was loaded"), "{:?}", view.errors);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_that_nothing_needs_any_more_leave_the_memory() {
    let setup = crate::it::kit::Setup::in_memory(&[]);
    let packs = setup.packs(true);
    let executor = setup.executor_over("one", packs.clone(), Arc::new(SystemClock));
    let directory = packs.library().pack("t").unwrap().directory.clone();
    let manifest = std::fs::read_to_string(directory.join("pack.yaml")).unwrap();
    let mut versions = Vec::new();
    for number in 2..=6 {
        std::fs::write(directory.join("pack.yaml"), manifest.replace("1.0.0", &format!("{number}.0.0"))).unwrap();
        let (library, _) = Library::succeed(&packs.library(), &[directory.parent().unwrap().to_owned()], None);
        versions.push(Arc::downgrade(library.pack("t").unwrap()));
        packs.swap(library);
        let view = crate::it::kit::submit(&executor, "t.echo", json!({})).await.finished().await.unwrap();
        assert_eq!(view.record.status, Status::Succeeded, "{view:#?}");
    }
    executor.shutdown().await;
    let (library, _) = Library::succeed(&packs.library(), &[directory.parent().unwrap().to_owned()], None);
    packs.swap(library);
    let alive = versions.iter().filter(|version| version.strong_count() > 0).count();
    assert_eq!(alive, 1, "only the current one is ready to run");
}
