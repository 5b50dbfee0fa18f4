//! Says when something in the packs directories has changed.
//!
//! A thread that blocks until the system tells of a change ([`notify`]). **What can be read is watched before it is read**:
//! so a change is either in what is read, or told of afterwards, also while a directory is being copied. Only the directories
//! that packs are made of are watched, since builds write thousands of files beside them. Where the system cannot tell, the
//! files are looked at instead.

mod place;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use runner_model::limits;

use place::{Identity, Look, Root};

/// Watches packs directories until it is dropped.
#[derive(Debug)]
pub struct Watch {
    messages: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

/// Why nothing is watched.
#[derive(Debug, thiserror::Error)]
#[error("the thread that watches the packs directories cannot start")]
pub struct WatchError(#[from] std::io::Error);

impl Watch {
    /// Watches these directories, which need not exist yet. `changed` is called when nothing has changed for 200 ms, and at
    /// the latest a second after the first change. It may be called without a change.
    ///
    /// # Errors
    /// There can be no further thread.
    pub fn start(dirs: &[PathBuf], changed: impl Fn() + Send + 'static) -> Result<Self, WatchError> {
        let (messages, received) = mpsc::channel();
        let mut watcher = Watcher::new(dirs.to_vec(), messages.clone());
        // Whoever reads the directories after this has returned misses nothing.
        watcher.follow();
        watcher.look();
        let run = move || watcher.run(&received, &changed);
        let thread = std::thread::Builder::new().name("packs".to_owned()).spawn(run)?;
        Ok(Self { messages, thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.messages.send(Message::Stop);
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != std::thread::current().id()) {
            // A panic of what is called back ends the watching; it was reported when it happened.
            let _ = thread.join();
        }
    }
}

enum Message {
    Changed,
    /// Changed; and what was here is here no more.
    Gone(Vec<PathBuf>),
    Stop,
}

/// What an event means; none if it is one of reading.
fn message(event: notify::Result<Event>) -> Option<Message> {
    // Where the system lost count, or does not know, something may have changed.
    let Ok(event) = event else { return Some(Message::Changed) };
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Message::Changed),
        EventKind::Access(_) => None,
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => Some(Message::Gone(event.paths)),
        _ => Some(Message::Changed),
    }
}

struct Watcher {
    dirs: Vec<PathBuf>,
    /// None where the system cannot tell of changes.
    system: Option<RecommendedWatcher>,
    /// What is watched.
    followed: BTreeMap<PathBuf, Identity>,
    /// What was there when it was last looked at, and when that was.
    roots: Vec<Option<Root>>,
    seen: Look,
    looked_at: Instant,
}

impl Watcher {
    fn new(dirs: Vec<PathBuf>, messages: Sender<Message>) -> Self {
        let tell = move |event| {
            // Nobody may listen any more.
            let _ = message(event).map(|message| messages.send(message));
        };
        let system = notify::recommended_watcher(tell).ok();
        let (roots, seen, looked_at) = (Vec::new(), Look::default(), Instant::now());
        Self { dirs, system, followed: BTreeMap::new(), roots, seen, looked_at }
    }

    fn run(mut self, received: &Receiver<Message>, changed: &impl Fn()) {
        loop {
            match received.recv_timeout(limits::PACKS_LOOK) {
                Err(RecvTimeoutError::Timeout) if !self.has_changed() => continue,
                Err(RecvTimeoutError::Timeout) => {}
                Ok(message) if self.take(&message) => {}
                Ok(_) | Err(RecvTimeoutError::Disconnected) => return,
            }
            if !self.settle(received) {
                return;
            }
            changed();
        }
    }

    /// Takes a message; says whether to go on.
    fn take(&mut self, message: &Message) -> bool {
        match message {
            Message::Changed => true,
            Message::Gone(paths) => {
                self.forget(paths);
                true
            }
            Message::Stop => false,
        }
    }

    /// Watches nothing that was in these places: another directory there has to be watched anew.
    fn forget(&mut self, places: &[PathBuf]) {
        let Self { system, followed, .. } = self;
        followed.retain(|path, _| {
            let stays = !places.iter().any(|place| path.starts_with(place));
            if let Some(system) = system.as_mut().filter(|_| !stays) {
                // What was removed the system has forgotten by itself; what was moved it still watches.
                let _ = system.unwatch(path);
            }
            stays
        });
    }

    /// Waits until nothing changes any more, or until it has taken too long; says whether to go on.
    fn settle(&mut self, received: &Receiver<Message>) -> bool {
        let first = Instant::now();
        loop {
            self.follow();
            let left = limits::PACKS_PATIENCE.saturating_sub(first.elapsed());
            match received.recv_timeout(left.min(limits::PACKS_QUIET)) {
                Ok(message) if !self.take(&message) => return false,
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => break,
            }
            // Thousands of files tell of themselves one by one; it is enough to follow once.
            while let Ok(message) = received.try_recv() {
                if !self.take(&message) {
                    return false;
                }
            }
            if left.is_zero() {
                break;
            }
        }
        // What was told last may have been a directory.
        self.follow();
        self.look();
        true
    }

    /// Watches what is there now, and nothing else.
    fn follow(&mut self) {
        // A directory shows what is in it, to be watched too, only after it is watched itself.
        while self.follow_found() {}
    }

    /// Watches what is found; says whether there was something new.
    fn follow_found(&mut self) -> bool {
        let Some(system) = &mut self.system else { return false };
        let there = place::directories(&self.dirs);
        self.followed.retain(|path, identity| {
            let stays = there.get(path) == Some(identity);
            if !stays {
                // What is gone the system has forgotten by itself.
                let _ = system.unwatch(path);
            }
            stays
        });
        let mut found = false;
        for (path, identity) in there {
            if self.followed.contains_key(&path) {
                continue;
            }
            match system.watch(&path, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.followed.insert(path, identity);
                    found = true;
                }
                // It went while it was being watched.
                Err(_) if !path.is_dir() => {}
                Err(_) => {
                    // There is an end to how much a system watches; then the files are looked at.
                    self.system = None;
                    self.followed.clear();
                    return false;
                }
            }
        }
        found
    }

    fn look(&mut self) {
        self.roots = place::roots(&self.dirs);
        self.seen = Look::at(&self.dirs);
        self.looked_at = Instant::now();
    }

    /// Looks whether anything is other than it was.
    fn has_changed(&self) -> bool {
        // A directory that is made, replaced, or reached by another link, tells of nothing itself.
        if self.roots != place::roots(&self.dirs) {
            return true;
        }
        let every = if self.system.is_some() { limits::PACKS_LOOK_ANYWAY } else { Duration::ZERO };
        self.looked_at.elapsed() >= every && self.seen != Look::at(&self.dirs)
    }
}
