//! One simulation, from its seed to what is found wrong in it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use runner_executor::{ExecutionRequest, Packs};
use runner_store::{Catalogue, ExecutionFilter, Leases};

use super::client::Client;
use super::node::Node;
use super::world::World;
use super::{check, client};

/// How long things go wrong.
const FAULTS_LAST: Duration = Duration::from_secs(45);
/// When everything must have ended that nothing disturbs any more.
const ALL_ENDED_BY: Duration = Duration::from_secs(1_800);

/// What a simulation did.
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) trace: String,
    pub(crate) wrong: Vec<String>,
    pub(crate) executions: usize,
    pub(crate) processes: usize,
}

/// The processes there have been, in the order of their start.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) world: Arc<World>,
    packs: Arc<Packs>,
    nodes: Arc<Mutex<Vec<Arc<Node>>>>,
    /// What is asked of each process anew as it starts: nobody knows whether an earlier one has begun it.
    pub(crate) repeated: Arc<Mutex<Vec<ExecutionRequest>>>,
}

impl Cluster {
    pub(crate) fn last(&self) -> Option<Arc<Node>> {
        self.nodes.lock().last().cloned()
    }

    pub(crate) fn alive(&self) -> Vec<Arc<Node>> {
        self.nodes.lock().iter().filter(|node| !node.life.is_dead()).cloned().collect()
    }

    /// Starts a process; it takes up what is left. None if it died of that.
    async fn start(&self) -> Arc<Node> {
        let number = self.nodes.lock().len();
        let node = Arc::new(Node::start(&self.world, &self.packs, number));
        self.nodes.lock().push(node.clone());
        for request in self.repeated.lock().clone() {
            let (node, pause) = (node.clone(), self.world.draw(|chance| chance.between(0, 12)));
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(pause)).await;
                let _ = node.executor.submit(request).await;
            });
        }
        let recovered = tokio::select! {
            biased;
            () = died(&node) => return node,
            recovered = node.executor.recover_all() => recovered,
        };
        match recovered {
            Ok(count) => self.world.say(|| format!("node {number} takes up {count}")),
            // What it had claimed then is unknown: a process that cannot start ends.
            Err(error) => {
                self.world.say(|| format!("node {number} cannot take up: {error}"));
                node.life.die();
            }
        }
        node
    }

    /// Keeps a process running, whatever becomes of the last.
    async fn operate(&self) {
        loop {
            let node = self.start().await;
            while !node.life.is_dead() && !node.life.is_frozen() {
                tokio::select! {
                    () = node.life.changed.notified() => {}
                    () = tokio::time::sleep(Duration::from_secs(20)) => {
                        // Whoever freezes and thaws loses what it owned: somebody looks now and then.
                        tokio::select! {
                            biased;
                            () = died(&node) => {}
                            taken = node.executor.recover_all() => if taken.is_err() { node.life.die() },
                        }
                    }
                }
            }
            let number = node.life.number;
            let (pause, knows) = self.world.draw(|chance| (chance.between(10, 20_000), chance.hits(5_000)));
            if node.life.is_dead() {
                self.world.say(|| format!("node {number} is dead"));
                // What it was doing is gone with it; nobody waits for what it asked of the disk.
                let gone = node.executor.clone();
                tokio::spawn(async move { gone.shutdown().await });
                if knows {
                    self.world.disk.expire(&Node::name(number)).await.unwrap();
                }
            }
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }
}

async fn died(node: &Node) {
    while !node.life.is_dead() {
        node.life.changed.notified().await;
    }
    // Whoever else waits is told as well.
    node.life.changed.notify_one();
}

/// Runs the simulation of a seed.
pub(crate) fn run(seed: u64, packs: Arc<Packs>) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async move {
        let world = World::new(seed);
        let cluster =
            Cluster { world: world.clone(), packs: packs.clone(), nodes: Arc::default(), repeated: Arc::default() };
        let operator = tokio::spawn({
            let cluster = cluster.clone();
            async move { cluster.operate().await }
        });
        let client = Client::new(cluster.clone());
        client.works_until(FAULTS_LAST).await;
        world.heal();
        client.finishes_all_until(ALL_ENDED_BY).await;
        operator.abort();
        // What a process was asked before it froze it does when it thaws.
        while cluster.last().is_some_and(|node| !node.life.is_dead() && node.life.is_frozen()) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        check::all(&world, &packs, &client, &cluster).await;
        let executions = client::all_executions(&world).await.len();
        let wrong = std::mem::take(&mut *world.wrong.lock());
        let processes = cluster.nodes.lock().len();
        Report { seed, trace: world.take_trace(), wrong, executions, processes }
    })
}

/// What a filter that admits everything finds.
pub(crate) async fn list(world: &World) -> Vec<runner_model::ExecutionRecord> {
    Catalogue::list(&*world.disk, &ExecutionFilter::default(), None, 10_000).await.unwrap()
}
