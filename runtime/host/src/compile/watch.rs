//! Waits for a child to end, and ends it when its time is over or nobody wants what it does.

use std::io;
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// How often is looked whether a child has ended: far less than it takes to compile anything.
const LOOK: Duration = Duration::from_millis(2);
/// The same for one that works for long.
const LOOK_LATER: Duration = Duration::from_millis(20);

/// Why a child was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// Its time was over.
    Late,
    /// It said more than is listened to.
    TooLarge,
    /// Whoever asked is gone.
    Unwanted,
}

/// Holds the reason to end a child, once there is one.
#[derive(Default)]
pub(super) struct Watch {
    cut: Mutex<Option<Cut>>,
    changed: Condvar,
}

impl Watch {
    /// Ends the child, unless it has ended.
    pub(super) fn cut(&self, why: Cut) {
        self.cut.lock().get_or_insert(why);
        self.changed.notify_all();
    }

    /// Does so when the result is dropped.
    pub(super) fn cut_on_drop(self: &Arc<Self>) -> CutOnDrop {
        CutOnDrop(Arc::clone(self))
    }

    /// Waits for the end, at the most for this time.
    pub(super) fn end(&self, child: &mut Child, time: Duration) -> io::Result<(ExitStatus, Option<Cut>)> {
        let start = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok((status, None));
            }
            if start.elapsed() >= time {
                self.cut(Cut::Late);
            }
            let mut cut = self.cut.lock();
            if cut.is_none() {
                let look = if start.elapsed() < LOOK_LATER * 10 { LOOK } else { LOOK_LATER };
                self.changed.wait_for(&mut cut, look);
            }
            if let Some(why) = *cut {
                // It may have ended by itself meanwhile.
                child.kill().ok();
                return Ok((child.wait()?, Some(why)));
            }
        }
    }
}

/// See [`Watch::cut_on_drop`].
pub(super) struct CutOnDrop(Arc<Watch>);

impl Drop for CutOnDrop {
    fn drop(&mut self) {
        self.0.cut(Cut::Unwanted);
    }
}
