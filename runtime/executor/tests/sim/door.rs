//! The way to the disk of appends, where a test wants to hold them up, to refuse them, or to crash at one.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;

/// When a process dies of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crash {
    Before,
    After,
}

#[derive(Default)]
pub(crate) struct Door {
    held: watch::Sender<bool>,
    full: AtomicBool,
    count: AtomicUsize,
    crash: Mutex<Option<(usize, Crash)>>,
}

impl Door {
    /// Holds up what comes from now on, or lets it go.
    pub(crate) fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    /// Whether the disk is full.
    pub(crate) fn fill(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    /// Lets the process die of the append with this number, counted from 0.
    pub(crate) fn crash_at(&self, number: usize, how: Crash) {
        *self.crash.lock() = Some((number, how));
    }

    /// How many appends there were.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::SeqCst)
    }

    /// An append comes by; says whether its process dies of it.
    pub(crate) async fn passes(&self) -> Option<Crash> {
        let mut held = self.held.subscribe();
        held.wait_for(|held| !*held).await.unwrap();
        let number = self.count.fetch_add(1, Ordering::SeqCst);
        self.crash.lock().take_if(|(at, _)| *at == number).map(|(_, how)| how)
    }
}
