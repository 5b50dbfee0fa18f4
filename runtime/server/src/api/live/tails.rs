//! What guests said lately: the last lines of each execution, bounded in all.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use runner_executor::{Heard, Listener, Progress, ProgressEvent};
use runner_model::limits::{TAIL_BYTES_MAX, TAIL_LINES_MAX};
use runner_model::{ExecutionId, Timestamp};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::control::Line;

/// What an execution takes in memory beside its lines, roughly, in bytes.
const TAIL_BYTES: usize = 512;

/// See the module. A clone is the same.
#[derive(Clone, Default)]
pub(crate) struct Tails(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    of: HashMap<ExecutionId, Tail>,
    /// By when something was last said, the longest ago first.
    quiet: BTreeMap<u64, ExecutionId>,
    bytes: usize,
    turn: u64,
    number: u64,
}

struct Tail {
    lines: VecDeque<Said>,
    turn: u64,
    /// Whether the execution was heard to end.
    has_ended: bool,
    changed: watch::Sender<()>,
}

/// A line that was said.
#[derive(Debug, Clone)]
pub(super) struct Said {
    /// Larger than that of every line before it, also of other executions and of the process before this one.
    pub(super) number: u64,
    pub(super) at: Timestamp,
    /// `log`, `heartbeat` or `request`.
    pub(super) kind: &'static str,
    /// A [`Line`], as JSON.
    pub(super) data: Arc<str>,
}

impl Tails {
    /// Keeps what is said, until `end` or until nobody says anything any more.
    pub(crate) async fn keep(self, mut listener: Listener, end: CancellationToken) {
        loop {
            let heard = tokio::select! {
                heard = listener.recv() => heard,
                () = end.cancelled() => return,
            };
            match heard {
                Some(Heard::Event(event)) => self.note(&event),
                Some(Heard::Lost(_)) => self.wake_all(),
                None => return,
            }
        }
    }

    fn note(&self, event: &ProgressEvent) {
        let said = kind(&event.progress).and_then(|kind| {
            let data = serde_json::to_string(&Line::from(event)).ok()?;
            Some((kind, Arc::<str>::from(data)))
        });
        let mut kept = self.0.lock();
        let whose = [Some(event.execution), Some(event.root).filter(|root| *root != event.execution)];
        for id in whose.into_iter().flatten() {
            if let Some((kind, data)) = &said {
                kept.push(id, event.at, kind, data.clone());
            }
            if let Some(tail) = kept.of.get_mut(&id) {
                tail.has_ended = id == event.execution && matches!(event.progress, Progress::Finished { .. });
                tail.changed.send_replace(());
            }
        }
    }

    fn wake_all(&self) {
        self.0.lock().of.values().for_each(|tail| {
            tail.changed.send_replace(());
        });
    }

    /// Tells when something happens in an execution.
    pub(super) fn watch(&self, id: ExecutionId) -> watch::Receiver<()> {
        let mut kept = self.0.lock();
        kept.tail(id).changed.subscribe()
    }

    /// What was said in an execution after the line with this number.
    pub(super) fn after(&self, id: ExecutionId, number: u64) -> Vec<Said> {
        let kept = self.0.lock();
        let lines = kept.of.get(&id).map(|tail| tail.lines.iter());
        lines.into_iter().flatten().filter(|said| said.number > number).cloned().collect()
    }

    /// Whether everything was heard that was said before the end of an execution.
    pub(super) fn has_ended(&self, id: ExecutionId) -> bool {
        self.0.lock().of.get(&id).is_some_and(|tail| tail.has_ended)
    }
}

impl Kept {
    fn tail(&mut self, id: ExecutionId) -> &mut Tail {
        self.turn += 1;
        let turn = self.turn;
        let bytes = &mut self.bytes;
        let tail = self.of.entry(id).or_insert_with(|| {
            *bytes += TAIL_BYTES;
            Tail { lines: VecDeque::new(), turn, has_ended: false, changed: watch::Sender::new(()) }
        });
        self.quiet.remove(&tail.turn);
        tail.turn = turn;
        self.quiet.insert(turn, id);
        tail
    }

    fn push(&mut self, id: ExecutionId, at: Timestamp, kind: &'static str, data: Arc<str>) {
        // Numbers begin with the time, so that those of the next process are larger.
        let begin = u64::try_from(at.as_millis()).unwrap_or(0);
        self.number = if self.number == 0 { begin } else { self.number + 1 };
        let said = Said { number: self.number, at, kind, data };
        let bytes = said.data.len();
        let tail = self.tail(id);
        tail.lines.push_back(said);
        let mut gone = 0;
        if tail.lines.len() > TAIL_LINES_MAX {
            gone = tail.lines.pop_front().map_or(0, |said| said.data.len());
        }
        self.bytes = (self.bytes + bytes).saturating_sub(gone);
        self.shrink();
    }

    /// Forgets those that were quiet for longest, until the rest fits.
    fn shrink(&mut self) {
        while self.bytes > TAIL_BYTES_MAX {
            let Some((_, id)) = self.quiet.pop_first() else { return };
            let lines = self.of.remove(&id).map(|tail| tail.lines).unwrap_or_default();
            let bytes = lines.iter().map(|said| said.data.len()).sum::<usize>() + TAIL_BYTES;
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }
}

/// What is kept, and what it is called; none for what stands in the journal.
const fn kind(progress: &Progress) -> Option<&'static str> {
    match progress {
        Progress::Log { .. } => Some("log"),
        Progress::Heartbeat { .. } => Some("heartbeat"),
        Progress::Request { .. } => Some("request"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use runner_executor::UnitId;
    use runner_model::{Status, StepId};

    use super::*;

    fn id(n: u8) -> ExecutionId {
        ExecutionId::from_bytes([n; 16])
    }

    fn event(execution: u8, root: u8, progress: Progress) -> ProgressEvent {
        ProgressEvent { root: id(root), execution: id(execution), depth: 0, at: Timestamp::from_millis(7), progress }
    }

    fn said(text: &str) -> Progress {
        Progress::Heartbeat { unit: UnitId { step: StepId(0), item: None }, progress: text.to_owned() }
    }

    #[test]
    fn the_last_lines_of_an_execution_are_kept_and_numbered_upwards() {
        let tails = Tails::default();
        for n in 0..TAIL_LINES_MAX + 5 {
            tails.note(&event(1, 1, said(&n.to_string())));
        }
        let lines = tails.after(id(1), 0);
        assert_eq!(lines.len(), TAIL_LINES_MAX);
        assert!(lines.first().unwrap().data.contains("\"5\"") && lines.is_sorted_by(|a, b| a.number < b.number));
        let last = lines.last().unwrap().number;
        assert_eq!(tails.after(id(1), last - 1).len(), 1);
        assert_eq!(tails.after(id(2), 0).len(), 0);
    }

    #[test]
    fn what_a_part_says_is_heard_with_the_whole_and_facts_are_not_kept() {
        let tails = Tails::default();
        tails.note(&event(2, 1, said("x")));
        assert_eq!((tails.after(id(1), 0).len(), tails.after(id(2), 0).len()), (1, 1));
        tails.note(&event(2, 1, Progress::Finished { status: Status::Succeeded }));
        assert_eq!(tails.after(id(2), 0).len(), 1);
        assert!(tails.has_ended(id(2)) && !tails.has_ended(id(1)));
    }

    #[test]
    fn all_lines_together_are_bounded_and_the_quietest_go_first() {
        let tails = Tails::default();
        let long = "x".repeat(60_000);
        for n in 0..200_u8 {
            (0..10).for_each(|_| tails.note(&event(n, n, said(&long))));
        }
        assert!(tails.0.lock().bytes <= TAIL_BYTES_MAX);
        assert_eq!((tails.after(id(0), 0).len(), tails.after(id(199), 0).len()), (0, 10));
    }
}
