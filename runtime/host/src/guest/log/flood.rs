//! Which lines of an attempt are kept when there are too many: the first and the last, and not too many a second.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use runner_model::limits::GuestLimits;

use crate::attempt::{LogLevel, LogLine};

/// What a line costs beside its text, in bytes: empty ones are not free.
const LINE_BYTES: usize = 64;

/// The lines of one attempt.
pub(super) struct Flood {
    /// What may still be passed on at once.
    first: Room,
    /// The same for what waits for the end.
    last: Room,
    last_max: Room,
    waiting: VecDeque<LogLine>,
    /// Lines that nobody will see, apart from those that came too fast.
    left_out: u64,
    pace: Pace,
}

/// Lines and bytes.
#[derive(Clone, Copy)]
struct Room {
    lines: u64,
    bytes: usize,
}

/// Lines of this second, and those that came too fast since the last one that was taken.
struct Pace {
    since: Instant,
    lines: u64,
    lines_max: u64,
    too_fast: u64,
}

/// What becomes of a line.
pub(super) enum Verdict {
    /// It is passed on now, after a notice of those that were left out.
    Pass {
        /// The notice.
        left_out: Option<LogLine>,
        /// The line.
        line: LogLine,
    },
    /// It waits, or something older is left out for it.
    Keep,
}

impl Flood {
    pub(super) fn new(limits: &GuestLimits) -> Self {
        let half = Room { lines: limits.log_lines_max / 2, bytes: limits.log_bytes_max / 2 };
        let pace = Pace { since: Instant::now(), lines: 0, lines_max: limits.log_lines_per_second_max, too_fast: 0 };
        Self { first: half, last: half, last_max: half, waiting: VecDeque::new(), left_out: 0, pace }
    }

    /// Whether this second has had its lines. To be asked for each line, before any work is done for it.
    pub(super) fn is_too_fast(&mut self) -> bool {
        let pace = &mut self.pace;
        if pace.since.elapsed() >= Duration::from_secs(1) {
            (pace.since, pace.lines) = (Instant::now(), 0);
        }
        pace.lines += 1;
        let is_too_fast = pace.lines > pace.lines_max;
        pace.too_fast += u64::from(is_too_fast);
        is_too_fast
    }

    pub(super) fn take(&mut self, line: LogLine) -> Verdict {
        // Once one waits all do, or they would come in another order.
        if self.waiting.is_empty() && self.left_out == 0 && self.first.takes(&line) {
            return Verdict::Pass { left_out: self.too_fast(), line };
        }
        if let Some(notice) = self.too_fast() {
            self.wait(notice);
        }
        self.wait(line);
        Verdict::Keep
    }

    /// What is to be passed on at the end: what was left out, and the last lines.
    pub(super) fn rest(&mut self) -> impl Iterator<Item = LogLine> {
        let notice = (self.left_out > 0).then(|| {
            notice(format!("{} lines were not kept here: of many, the first and the last are", self.left_out))
        });
        let too_fast = self.too_fast();
        notice.into_iter().chain(std::mem::take(&mut self.waiting)).chain(too_fast)
    }

    fn wait(&mut self, line: LogLine) {
        while !self.last.takes(&line) {
            let Some(oldest) = self.waiting.pop_front() else {
                // Larger than everything that can wait.
                self.left_out += 1;
                return;
            };
            self.last.give_back(&oldest, self.last_max);
            self.left_out += 1;
        }
        self.waiting.push_back(line);
    }

    fn too_fast(&mut self) -> Option<LogLine> {
        let count = std::mem::take(&mut self.pace.too_fast);
        let most = self.pace.lines_max;
        (count > 0)
            .then(|| notice(format!("{count} lines were not kept here: there were more than {most} in a second")))
    }
}

impl Room {
    /// Takes up room, if there is enough.
    fn takes(&mut self, line: &LogLine) -> bool {
        let (Some(lines), Some(bytes)) = (self.lines.checked_sub(1), self.bytes.checked_sub(cost(line))) else {
            return false;
        };
        *self = Self { lines, bytes };
        true
    }

    fn give_back(&mut self, line: &LogLine, most: Self) {
        self.lines = (self.lines + 1).min(most.lines);
        self.bytes = (self.bytes + cost(line)).min(most.bytes);
    }
}

fn cost(line: &LogLine) -> usize {
    LINE_BYTES + line.message.len() + line.fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
}

fn notice(message: String) -> LogLine {
    LogLine { level: LogLevel::Warn, message, fields: Vec::new() }
}

#[cfg(test)]
mod tests {
    use runner_model::Limits;

    use super::*;

    fn limits(lines: u64, bytes: usize, per_second: u64) -> GuestLimits {
        let mut limits = Limits::default().guest;
        (limits.log_lines_max, limits.log_bytes_max, limits.log_lines_per_second_max) = (lines, bytes, per_second);
        limits
    }

    fn line(message: String) -> LogLine {
        LogLine { level: LogLevel::Info, message, fields: Vec::new() }
    }

    /// What is seen of so many lines.
    fn seen(limits: &GuestLimits, count: usize, text: impl Fn(usize) -> String) -> Vec<String> {
        let mut flood = Flood::new(limits);
        let mut seen = Vec::new();
        for number in 0..count {
            if flood.is_too_fast() {
                continue;
            }
            if let Verdict::Pass { left_out, line } = flood.take(line(text(number))) {
                seen.extend(left_out.into_iter().chain([line]).map(|line| line.message));
            }
        }
        seen.extend(flood.rest().map(|line| line.message));
        seen
    }

    #[test]
    fn of_too_many_lines_the_first_and_the_last_are_seen() {
        let seen = seen(&limits(6, 1 << 20, u64::MAX), 100, |number| number.to_string());
        let notice = "94 lines were not kept here: of many, the first and the last are";
        assert_eq!(seen, ["0", "1", "2", notice, "97", "98", "99"]);
    }

    #[test]
    fn few_lines_are_all_seen_in_their_order() {
        let expected: Vec<_> = (0..6).map(|number: usize| number.to_string()).collect();
        assert_eq!(seen(&limits(6, 1 << 20, u64::MAX), 6, |number| number.to_string()), expected);
    }

    #[test]
    fn what_is_kept_stays_under_256_kib_however_long_lines_are() {
        let limits = limits(1_000_000, Limits::default().guest.log_bytes_max, u64::MAX);
        assert_eq!(limits.log_bytes_max, 256 * 1024);
        for length in [0, 1, 100, 8 * 1024, 200 * 1024] {
            let seen = seen(&limits, 20_000, |_| "x".repeat(length));
            let bytes: usize = seen.iter().map(String::len).sum();
            assert!(bytes <= limits.log_bytes_max + 200, "{length}: {bytes}");
            assert!(seen.len() <= limits.log_bytes_max / LINE_BYTES + 1, "{length}: {} lines", seen.len());
        }
    }

    #[test]
    fn no_more_lines_are_taken_in_a_second_than_are_allowed() {
        let start = Instant::now();
        let seen = seen(&limits(1_000_000, 1 << 30, 1_000), 50_000, |number| number.to_string());
        let seconds = usize::try_from(start.elapsed().as_secs()).unwrap() + 2;
        assert!(seen.len() <= 1_001 * seconds, "{} lines in {seconds} s", seen.len());
        assert!(seen.last().unwrap().contains("more than 1000 in a second"), "{:?}", seen.last());
    }
}
