//! The requests that came, so that tests can count what was done.

use std::collections::VecDeque;

use runner_sdk::simulator::{Ending, Reply, Request};
use serde_json::{Value, json};

/// Requests that are remembered one by one; all are counted.
const KEPT: usize = 10_000;

/// The requests that came.
#[derive(Default)]
pub(crate) struct Log {
    counts: Vec<(Line, u64)>,
    lines: VecDeque<Line>,
}

#[derive(Clone, PartialEq)]
struct Line {
    method: String,
    path: String,
    status: u16,
}

impl Log {
    /// Notes a request and its answer.
    pub(crate) fn note(&mut self, request: &Request, reply: &Reply) {
        // A dropped connection has no status: zero stands for it.
        let status = if let Ending::Response { status, .. } = &reply.ending { *status } else { 0 };
        let line = Line { method: request.method.clone(), path: request.path.clone(), status };
        match self.counts.iter_mut().find(|(known, _)| *known == line) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((line.clone(), 1)),
        }
        self.lines.push_back(line);
        if self.lines.len() > KEPT {
            self.lines.pop_front();
        }
    }

    /// All of it: the sum, counts by method, path and status, and the last requests in their order.
    pub(crate) fn record(&self) -> Value {
        let total: u64 = self.counts.iter().map(|(_, count)| count).sum();
        let counts = self.counts.iter().map(|(line, count)| {
            let mut value = line.record();
            crate::path::set(&mut value, "count", *count);
            value
        });
        let lines = self.lines.iter().map(Line::record);
        json!({ "total": total, "counts": counts.collect::<Vec<_>>(), "requests": lines.collect::<Vec<_>>() })
    }
}

impl Line {
    fn record(&self) -> Value {
        json!({ "method": self.method, "path": self.path, "status": self.status })
    }
}
