//! Relaxed workflows: what runs ahead of the disk, what does not, and what a crash makes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use runner_executor::{Control, Execution, ExecutionRequest, Heard, Listener, Packs, Progress};
use runner_model::{ExecutionId, ExecutionView, NodeId, Origin, Status, Version, code, limits};
use runner_store::{Catalogue, Journal, Leases};

use super::door::Crash;
use super::node::Node;
use super::packs::pack;
use super::world::{Seen, World};

/// Steps one after another: for each the task and the action.
fn chain(durability: &str, steps: &[(&str, &str)]) -> String {
    let next =
        |at: usize| steps.get(at + 1).map(|(next, _)| format!(", next: [{{when: '<% succeeded() %>', do: {next}}}]"));
    let task = |(at, (name, action)): (usize, &(&str, &str))| {
        format!("  {name}: {{action: s.{action}, input: {{tag: sure}}{}}}\n", next(at).unwrap_or_default())
    };
    let tasks: String = steps.iter().enumerate().map(task).collect();
    format!("durability: {durability}\ntasks:\n{tasks}output: [{{done: true}}]\n")
}

const MIXED: [(&str, &str); 4] = [("a", "again"), ("b", "again"), ("c", "once"), ("d", "again")];
const TWICE: [(&str, &str); 3] = [("a", "again"), ("b", "again"), ("c", "again")];

struct Stage {
    world: Arc<World>,
    packs: Arc<Packs>,
    node: Node,
    told: Listener,
}

impl Stage {
    fn new(workflows: &[(&str, String)]) -> Self {
        let world = World::new(7);
        world.heal();
        let packs = pack(workflows.iter().map(|(name, text)| ((*name).to_owned(), text.clone())), false);
        let node = Node::start(&world, &packs, 0);
        let told = node.executor.listen();
        Self { world, packs, node, told }
    }

    async fn submit(&self, action: &str) -> Execution {
        let request = ExecutionRequest::new(action.parse().unwrap(), Default::default(), Origin::Api);
        self.node.executor.submit(request).await.unwrap()
    }

    /// Another process, after the first has died.
    async fn next(&mut self, number: usize) {
        self.world.disk.expire(&Node::name(number - 1)).await.unwrap();
        self.node = Node::start(&self.world, &self.packs, number);
        self.told = self.node.executor.listen();
        self.node.executor.recover_all().await.unwrap();
    }

    fn calls(&self) -> Vec<Seen> {
        self.world.calls.lock().values().flatten().cloned().collect()
    }

    /// The names of the steps that were called, by their keys.
    fn called(&self) -> Vec<String> {
        let mut names: Vec<_> =
            self.calls().iter().map(|seen| seen.key.split('/').nth(1).unwrap().to_owned()).collect();
        names.sort();
        names
    }

    /// Steps and executions of which it was told that they have ended.
    fn ends_told(&mut self) -> (usize, usize) {
        let (mut steps, mut executions) = (0, 0);
        while let Some(Heard::Event(event)) = self.told.try_recv() {
            match event.progress {
                Progress::StepFinished { .. } => steps += 1,
                Progress::Finished { .. } => executions += 1,
                _ => {}
            }
        }
        (steps, executions)
    }

    async fn status(&self, id: ExecutionId) -> Status {
        Catalogue::get(&*self.world.disk, id).await.unwrap().status
    }

    async fn ended(&self, id: ExecutionId) -> ExecutionView {
        for _ in 0..10_000 {
            if self.status(id).await.is_terminal() {
                let entries = self.world.disk.read(id, Version(0)).await.unwrap();
                return ExecutionView::fold(id, &entries).unwrap();
            }
            a_while().await;
        }
        panic!("it does not end:\n{}", self.world.take_trace());
    }

    fn nothing_is_wrong(&self) {
        assert_eq!(*self.world.wrong.lock(), Vec::<String>::new(), "{}", self.world.take_trace());
    }
}

/// Longer than any step takes that is sure.
async fn a_while() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn what_may_run_twice_begins_while_the_flush_is_held_back_and_nothing_else_does() {
    for (durability, begun) in [("relaxed", vec!["a", "b"]), ("strict", vec!["0"])] {
        let mut stage = Stage::new(&[("w", chain(durability, &MIXED))]);
        stage.world.door.hold(true);
        let execution = stage.submit("s.w").await;
        a_while().await;
        assert_eq!(stage.called(), begun, "{durability}");
        assert_eq!(stage.ends_told(), (0, 0), "nothing of it is on the disk");

        stage.world.door.hold(false);
        let view = execution.finished().await.unwrap();
        assert_eq!(view.record.status, Status::Succeeded);
        assert_eq!((stage.called().len(), stage.ends_told()), (4, (4, 1)));
        stage.nothing_is_wrong();
    }
}

#[tokio::test(start_paused = true)]
async fn no_acknowledgement_leaves_before_the_flush() {
    let outer = "tasks: {t: {action: s.w}}\n".to_owned();
    let mut stage = Stage::new(&[("w", chain("relaxed", &TWICE)), ("outer", outer)]);
    let mut waiting = Box::pin(stage.submit("s.outer").await.finished());
    tokio::time::sleep(Duration::from_millis(15)).await;
    stage.world.door.hold(true);
    a_while().await;
    assert_eq!(stage.called(), ["a", "b", "c"], "it has done all that it has to do");
    let child =
        super::client::all_executions(&stage.world).await.iter().find(|one| one.action.name() == "w").unwrap().id;
    assert_eq!((stage.status(child).await, stage.ends_told().1), (Status::Running, 0));
    assert!(tokio::time::timeout(Duration::from_secs(60), &mut waiting).await.is_err(), "its parent is not told");
    // Nor is whoever asks something of it.
    let control = Control::Cancel { by: "a test".to_owned() };
    let asked = tokio::time::timeout(Duration::from_secs(60), stage.node.executor.control(child, control)).await;
    assert!(asked.is_err(), "{asked:?}");

    stage.world.door.hold(false);
    assert_eq!(waiting.await.unwrap().record.status, Status::Succeeded);
    assert_eq!(stage.ended(child).await.record.status, Status::Succeeded, "the order came too late");
    assert_eq!(stage.ends_told().1, 2);
    stage.nothing_is_wrong();
}

#[tokio::test(start_paused = true)]
async fn an_order_is_answered_when_it_is_on_the_disk() {
    let stage = Stage::new(&[("w", chain("relaxed", &TWICE).replacen("sure", "slow", 1))]);
    let id = stage.submit("s.w").await.id;
    stage.world.door.hold(true);
    let pause = || stage.node.executor.control(id, Control::Pause { by: "a test".to_owned() });
    let asked = tokio::time::timeout(Duration::from_secs(60), pause()).await;
    assert!(asked.is_err(), "{asked:?}");
    stage.world.door.hold(false);
    assert_eq!(pause().await.unwrap(), Status::Pausing);
    assert_eq!(stage.status(id).await, Status::Pausing);
}

#[tokio::test(start_paused = true)]
async fn there_are_fewer_appends_than_steps_and_the_journal_is_the_same() {
    let mut journals = Vec::new();
    for (durability, appends) in [("strict", 4), ("relaxed", 2)] {
        let stage = Stage::new(&[("w", chain(durability, &[TWICE[0], TWICE[1], TWICE[2], ("d", "again")]))]);
        // Whatever was decided while the first is held rides in the second.
        let execution = stage.submit("s.w").await;
        let id = execution.id;
        tokio::time::sleep(Duration::from_millis(5)).await;
        stage.world.door.hold(durability == "relaxed");
        a_while().await;
        stage.world.door.hold(false);
        execution.finished().await.unwrap();
        assert_eq!(stage.world.door.count(), appends, "{durability}");
        let entries = stage.world.disk.read(id, Version(0)).await.unwrap();
        journals.push(entries.iter().map(|entry| std::mem::discriminant(&entry.fact)).collect::<Vec<_>>());
    }
    assert_eq!(journals[0], journals[1]);
}

#[tokio::test(start_paused = true)]
async fn it_runs_ahead_only_so_far() {
    let rounds = 400;
    let cycle = format!(
        "durability: relaxed\nvars: [{{n: 0}}]\ntasks:\n  f: {{action: s.noop, next: [{{do: t}}]}}\n  t:\n    action: s.again\n    input: {{tag: sure}}\n    next:\n      \
         - when: <% ctx(\"n\") < {rounds} %>\n        publish: [{{n: '<% ctx(\"n\") + 1 %>'}}]\n        do: t\n"
    );
    let stage = Stage::new(&[("w", cycle)]);
    stage.world.door.hold(true);
    let execution = stage.submit("s.w").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    // An outcome and the two entries of what follows from it.
    let begun = stage.called().len();
    assert!((10..=limits::AHEAD_ENTRIES_MAX / 3 + 3).contains(&begun), "{begun}");
    stage.world.door.hold(false);
    assert_eq!(execution.finished().await.unwrap().record.status, Status::Succeeded);
    assert_eq!(stage.called().len(), rounds + 1);
    stage.nothing_is_wrong();
}

#[tokio::test(start_paused = true)]
async fn while_the_disk_is_full_nothing_new_begins() {
    let mut stage = Stage::new(&[("w", chain("relaxed", &TWICE))]);
    stage.world.door.fill(true);
    let execution = stage.submit("s.w").await;
    a_while().await;
    assert_eq!((stage.called(), stage.ends_told()), (vec!["a".to_owned(), "b".to_owned()], (0, 0)), "`b` had begun");
    stage.world.door.fill(false);
    assert_eq!(execution.finished().await.unwrap().record.status, Status::Succeeded);
    assert_eq!(stage.called(), ["a", "b", "c"], "an outcome that is known is not given up");
    stage.nothing_is_wrong();
}

#[tokio::test(start_paused = true)]
async fn an_append_that_is_refused_stops_what_runs_ahead() {
    let mut stage =
        Stage::new(&[("w", chain("relaxed", &TWICE).replacen("sure", "slow", 2).replacen("slow", "sure", 1))]);
    stage.world.door.hold(true);
    let execution = stage.submit("s.w").await;
    a_while().await;
    assert_eq!((stage.called(), stage.world.running_now()), (vec!["a".to_owned(), "b".to_owned()], 1));
    // Somebody else takes the execution.
    stage.world.disk.expire(&Node::name(0)).await.unwrap();
    let (other, now) = (NodeId("other".to_owned()), runner_model::Timestamp::from_millis(1_800_000_002_000));
    stage.world.disk.claim(execution.id, &other, now, now.plus_ms(10_000_000)).await.unwrap().unwrap();
    stage.world.door.hold(false);
    a_while().await;
    assert_eq!(stage.world.running_now(), 0, "what ran ahead is stopped");
    let id = execution.id;
    let refused = execution.finished().await.unwrap_err();
    assert_eq!(refused.code(), code::EXEC_OWNED, "{refused}");
    assert_eq!((stage.ends_told(), stage.status(id).await), ((0, 0), Status::Running));
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_append_loses_nothing_that_was_told_and_does_nothing_twice_that_must_not() {
    for slow_disk in [false, true] {
        let mut crashes = 0;
        for (number, how) in (0..).flat_map(|number| [(number, Crash::Before), (number, Crash::After)]) {
            if !crash_at(number, how, slow_disk).await {
                break;
            }
            crashes += 1;
        }
        assert!(crashes >= 4, "{crashes}");
    }
}

/// Lets the process die of an append, if there are so many; says whether it did. On a slow disk much is decided while the
/// first append is on its way.
async fn crash_at(number: usize, how: Crash, slow_disk: bool) -> bool {
    let mut stage = Stage::new(&[("w", chain("relaxed", &MIXED))]);
    stage.world.door.crash_at(number, how);
    stage.world.door.hold(slow_disk);
    let id = stage.submit("s.w").await.id;
    a_while().await;
    stage.world.door.hold(false);
    a_while().await;
    let before = stage.ends_told();
    let crashed = stage.node.life.is_dead();
    if crashed {
        let on_disk = stage.world.disk.read(id, Version(0)).await.unwrap();
        let ended = ExecutionView::fold(id, &on_disk).unwrap();
        let ends = ended.steps.iter().filter(|step| step.status.is_terminal()).count();
        assert!(before.0 <= ends, "{number} {how:?}: {before:?} were told, {ends} are on the disk");
        stage.next(1).await;
    }
    let view = stage.ended(id).await;
    a_while().await;
    let after = stage.ends_told();
    let told = if crashed { before.1 + after.1 } else { before.1 };
    assert!(told <= 1, "{number} {how:?}: the end was told {told} times");
    // A crash while `c` runs leaves unknown what it did.
    if view.record.status != Status::Succeeded {
        assert_eq!(view.errors[0].code, code::EXEC_UNKNOWN_OUTCOME.id(), "{number} {how:?}");
    }
    check_calls(&stage.calls(), view.record.status, (number, how));
    stage.nothing_is_wrong();
    crashed
}

/// `c` is called once at the most, everything else with one key.
fn check_calls(calls: &[Seen], status: Status, at: (usize, Crash)) {
    let count = |name: &str| calls.iter().filter(|seen| seen.key.ends_with(&format!("/{name}"))).count();
    assert!(count("c") <= 1, "{at:?}: {calls:?}");
    let keys: BTreeSet<_> = calls.iter().map(|seen| seen.key.as_str()).collect();
    // Otherwise it is unknown what `c` did, if it began at all.
    let wanted = if status == Status::Succeeded { 4..=4 } else { 2..=3 };
    assert!(wanted.contains(&keys.len()), "{at:?}: {keys:?}");
}

#[tokio::test(start_paused = true)]
async fn a_step_that_runs_again_has_its_key_whatever_its_number_is_then() {
    // `l` ends before `r` in the first process, and after it in the second.
    let fork = "durability: relaxed\ntasks:\n  f: {action: s.again, input: {tag: sure}, next: [{do: 'l, r'}]}\n  \
                l: {action: s.again, input: {tag: early}, next: [{do: 'x, z'}]}\n  \
                r: {action: s.again, input: {tag: late}, next: [{do: 'y, z'}]}\n  \
                x: {action: s.again, input: {tag: sure}}\n  y: {action: s.again, input: {tag: sure}}\n  \
                z: {action: s.again, input: {tag: sure}, with: {items: '<% range(0, 2) %>'}}\n";
    let mut stage = Stage::new(&[("w", fork.to_owned())]);
    stage.world.door.hold(true);
    let id = stage.submit("s.w").await.id;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let first = by_key(&stage);
    assert_eq!(first.len(), 9, "{first:?}");
    stage.node.life.die();
    stage.world.door.hold(false);
    stage.next(1).await;
    assert_eq!(stage.ended(id).await.record.status, Status::Succeeded);
    let both = by_key(&stage);
    assert_eq!(both.keys().collect::<Vec<_>>(), first.keys().collect::<Vec<_>>(), "no new keys");
    let (x, y) = (&both["x"], &both["y"]);
    assert!(x.len() == 2 && y.len() == 2, "they ran as other steps the second time: {both:?}");
    stage.nothing_is_wrong();
}

/// The numbers under which steps were called, by what they are called in their keys.
fn by_key(stage: &Stage) -> BTreeMap<String, BTreeSet<u32>> {
    let mut all = BTreeMap::<String, BTreeSet<u32>>::new();
    for ((_, unit), seen) in stage.world.calls.lock().iter() {
        for seen in seen {
            let name = seen.key.split_once('/').unwrap().1.to_owned();
            all.entry(name).or_default().insert(unit.step.0);
        }
    }
    all
}
