//! A process: an executor that can die, or stand still for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use runner_executor::{Executor, ExecutorOptions, Packs};
use runner_model::{NodeId, SeededEntropy};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::guests::SimulatedGuests;
use super::store::SimulatedStore;
use super::world::{SimulatedClock, World};

/// What is known of a process from outside.
pub(crate) struct Life {
    pub(crate) number: usize,
    dead: AtomicBool,
    frozen_until: Mutex<Option<Instant>>,
    pub(crate) changed: Notify,
}

impl Life {
    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen_until.lock().is_some_and(|until| until > Instant::now())
    }

    /// At this very moment.
    pub(crate) fn die(&self) {
        self.dead.store(true, Ordering::SeqCst);
        self.changed.notify_one();
    }

    pub(crate) fn freeze(&self, time: Duration) {
        *self.frozen_until.lock() = Some(Instant::now() + time);
        self.changed.notify_one();
    }

    /// Returns when the process is alive and not frozen, so never if it is dead.
    pub(crate) async fn goes_on(&self) {
        loop {
            if self.is_dead() {
                std::future::pending::<()>().await;
            }
            let until = *self.frozen_until.lock();
            match until {
                Some(until) if until > Instant::now() => tokio::time::sleep_until(until).await,
                _ => return,
            }
        }
    }
}

pub(crate) struct Node {
    pub(crate) life: Arc<Life>,
    pub(crate) executor: Executor,
}

impl Node {
    pub(crate) fn start(world: &Arc<World>, packs: &Arc<Packs>, number: usize) -> Self {
        let life = Arc::new(Life {
            number,
            dead: AtomicBool::new(false),
            frozen_until: Mutex::default(),
            changed: Notify::new(),
        });
        world.say(|| format!("node {number} starts"));
        let entropy = world.draw(|chance| SeededEntropy::new(chance.next()));
        let executor = Executor::new(ExecutorOptions {
            node: Self::name(number),
            guests: Arc::new(SimulatedGuests { world: world.clone(), life: life.clone() }),
            store: Arc::new(SimulatedStore { world: world.clone(), life: life.clone() }),
            packs: packs.clone(),
            clock: Arc::new(SimulatedClock(world.clone())),
            entropy: Arc::new(entropy),
            verify: true,
            queue_max: runner_model::limits::QUEUE_MAX,
        });
        Self { life, executor }
    }

    pub(crate) fn name(number: usize) -> NodeId {
        NodeId(format!("node-{number}"))
    }
}
