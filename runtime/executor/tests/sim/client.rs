//! Those who use it: they ask for executions, pause, answer, cancel, run again; sometimes twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use runner_executor::{Control, ExecutionRequest};
use runner_model::{ExecutionId, ExecutionRecord, Origin, SeededEntropy, Status, WaitKind};
use runner_store::{Catalogue, ExecutionFilter, Leases, WaitFilter, Waits};
use serde_json::{Value, json};

use super::node::Node;
use super::packs::WORKFLOWS;
use super::run::Cluster;
use super::store::short;
use super::world::{SimulatedClock, World};

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub(crate) struct Client {
    cluster: Cluster,
    /// Executions whose request was acknowledged.
    pub(crate) acknowledged: Arc<Mutex<BTreeSet<ExecutionId>>>,
    /// For everything that was asked, by its mark: of which execution, how often it was sent, how often acknowledged.
    pub(crate) asked: Arc<Mutex<BTreeMap<String, (ExecutionId, usize, usize)>>>,
}

impl Client {
    pub(crate) fn new(cluster: Cluster) -> Self {
        Self { cluster, acknowledged: Arc::default(), asked: Arc::default() }
    }

    fn world(&self) -> &Arc<World> {
        &self.cluster.world
    }

    /// Everybody does what they do, until faults stop.
    pub(crate) async fn works_until(&self, end: Duration) {
        let (requests, orders) = self.world().draw(|chance| (chance.between(3, 12), chance.between(0, 16)));
        for _ in 0..requests {
            let (at, number) = self.world().draw(|chance| (chance.between(100, 12_000), chance.below(WORKFLOWS)));
            let client = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(at)).await;
                client.request(number).await;
            });
        }
        for order in 0..orders {
            let at = self.world().draw(|chance| chance.between(200, 40_000));
            let client = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(at)).await;
                client.order(order).await;
            });
        }
        tokio::time::sleep(end.saturating_sub(self.world().elapsed())).await;
    }

    /// A process that answers; there is none while one starts.
    fn node(&self) -> Option<Arc<Node>> {
        self.cluster.last().filter(|node| !node.life.is_dead())
    }

    async fn request(&self, number: u64) {
        let Some(node) = self.node() else { return };
        let key = self.world().draw(|chance| chance.of(&["k", "l", "m"]));
        let parameters = [("key".to_owned(), json!(key))].into_iter().collect();
        let action = format!("s.w{number}").parse().unwrap();
        let mut request = ExecutionRequest::new(action, parameters, Origin::Api);
        if let Some(seed) = self.world().draw(|chance| chance.hits(3_000).then(|| chance.next())) {
            let clock = SimulatedClock(self.world().clone());
            request.id = Some(ExecutionId::new(&clock, &SeededEntropy::new(seed)));
            self.cluster.repeated.lock().push(request.clone());
        }
        match tokio::time::timeout(PATIENCE, node.executor.submit(request)).await {
            Ok(Ok(execution)) => {
                self.world().say(|| format!("client: w{number} is {}", short(execution.id)));
                self.acknowledged.lock().insert(execution.id);
            }
            Ok(Err(error)) => self.world().say(|| format!("client: w{number} refused: {error}")),
            Err(_) => self.world().say(|| format!("client: no answer about w{number}")),
        }
    }

    async fn order(&self, number: u64) {
        let all = all_executions(self.world()).await;
        if all.is_empty() {
            return;
        }
        let place = self.world().draw(|chance| chance.below(all.len() as u64));
        let record = &all[usize::try_from(place).unwrap()];
        let Some(node) = self.node_of(record.id).await else { return };
        let control = self.some_control(record, format!("c{number}")).await;
        let twice = {
            let rates = self.world().rates();
            self.world().draw(|chance| chance.hits(rates.twice))
        };
        self.send(&node, record.id, control.clone()).await;
        if twice {
            self.send(&node, record.id, control).await;
        }
    }

    async fn some_control(&self, record: &ExecutionRecord, by: String) -> Control {
        if record.status.is_terminal() {
            return Control::Rerun { by, tasks: Vec::new() };
        }
        match self.world().draw(|chance| chance.below(9)) {
            0..=2 => Control::Pause { by },
            3 | 4 => Control::Resume { by },
            5 => Control::Cancel { by },
            6 => {
                let key = self.world().draw(|chance| chance.of(&["k", "l", "m"])).to_owned();
                Control::Event { by, key, payload: json!({"came": true}) }
            }
            _ => match self.open_wait(record.id).await {
                Some((_, answer)) => Control::Respond { by, task: None, item: None, answer },
                None => Control::Pause { by },
            },
        }
    }

    /// Sends an order; what is acknowledged is counted.
    async fn send(&self, node: &Node, id: ExecutionId, control: Control) {
        let (by, what) = describe(&control);
        self.asked.lock().entry(by.clone()).or_insert((id, 0, 0)).1 += 1;
        match tokio::time::timeout(PATIENCE, node.executor.control(id, control)).await {
            Ok(Ok(status)) => {
                self.asked.lock().entry(by.clone()).and_modify(|(_, _, acknowledged)| *acknowledged += 1);
                self.world().say(|| format!("client: {what} {} by {by}: {status}", short(id)));
            }
            Ok(Err(error)) => self.world().say(|| format!("client: {what} {} by {by} refused: {error}", short(id))),
            Err(_) => self.world().say(|| format!("client: no answer about {what} {} by {by}", short(id))),
        }
    }

    /// What the first step waits for, and an answer that fits.
    async fn open_wait(&self, id: ExecutionId) -> Option<(WaitKind, Value)> {
        let filter = WaitFilter { execution: Some(id), ..WaitFilter::default() };
        let wait = self.world().disk.waits(&filter, 1).await.unwrap().pop()?.wait;
        let answer = match &wait.kind {
            WaitKind::Inquiry { .. } => json!({"approved": true}),
            WaitKind::Event { .. } => json!({"came": true}),
            WaitKind::Outcome { .. } => {
                let outcome = self.world().draw(|chance| chance.of(&["retry", "failed", "succeeded"]));
                json!({"outcome": outcome})
            }
        };
        Some((wait.kind, answer))
    }

    /// Answers every question and resumes what is paused, until all executions have ended.
    pub(crate) async fn finishes_all_until(&self, end: Duration) {
        let mut number = 0;
        while self.world().elapsed() < end {
            let open = ExecutionFilter { open: Some(true), ..ExecutionFilter::default() };
            let open = Catalogue::list(&*self.world().disk, &open, None, 10_000).await.unwrap();
            if open.is_empty() {
                return;
            }
            for record in open {
                number += 1;
                self.help(&record, format!("f{number}")).await;
            }
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    }

    /// The process that has an execution, or else any.
    async fn node_of(&self, id: ExecutionId) -> Option<Arc<Node>> {
        let owner = self.world().disk.owner(id).await.unwrap();
        let owns = |node: &Arc<Node>| owner.as_ref() == Some(&Node::name(node.life.number));
        self.cluster.alive().into_iter().find(owns).or_else(|| self.node())
    }

    async fn help(&self, record: &ExecutionRecord, by: String) {
        let Some(node) = self.node_of(record.id).await else { return };
        // What is resumed resumes what it started.
        let is_paused = |record: &ExecutionRecord| record.status == Status::Paused;
        let waits_for_parent = match record.origin.parent() {
            Some(parent) => is_paused(&Catalogue::get(&*self.world().disk, parent).await.unwrap()),
            None => false,
        };
        if is_paused(record) && !waits_for_parent {
            self.send(&node, record.id, Control::Resume { by }).await;
            return;
        }
        let filter = WaitFilter { execution: Some(record.id), ..WaitFilter::default() };
        let Some(open) = self.world().disk.waits(&filter, 1).await.unwrap().pop() else { return };
        let Some((_, answer)) = self.open_wait(record.id).await else { return };
        let entries =
            runner_store::Journal::read(&*self.world().disk, record.id, runner_model::Version(0)).await.unwrap();
        let task = entries.iter().find_map(|entry| match &entry.fact {
            runner_model::Fact::StepScheduled { step, task, .. } if *step == open.step => Some(task.clone()),
            _ => None,
        });
        self.send(&node, record.id, Control::Respond { by, task, item: open.item, answer }).await;
    }
}

fn describe(control: &Control) -> (String, &'static str) {
    match control {
        Control::Pause { by } => (by.clone(), "pause"),
        Control::Resume { by } => (by.clone(), "resume"),
        Control::Cancel { by } => (by.clone(), "cancel"),
        Control::Respond { by, .. } => (by.clone(), "respond"),
        Control::Event { by, .. } => (by.clone(), "event"),
        Control::Rerun { by, .. } => (by.clone(), "rerun"),
    }
}

/// All executions there are, oldest first.
pub(crate) async fn all_executions(world: &World) -> Vec<ExecutionRecord> {
    let mut all = super::run::list(world).await;
    all.sort_by_key(|record| record.id);
    all
}
