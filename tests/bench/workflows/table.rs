//! What was measured, as a table and as JSON.

use std::time::Duration;

use serde_json::{Value, json};

use crate::flow::Flow;
use crate::load::Measured;
use crate::parts::Times;

pub(crate) struct Table {
    flows: Vec<Flow>,
    rows: Vec<Row>,
}

struct Row {
    in_flight: usize,
    flow: Flow,
    measured: Measured,
    /// Of what the bare parts take, one after the other.
    of_parts: f64,
    /// Of the rate of the bare handler, a commit for each of its requests.
    of_handler: f64,
    times: Times,
}

impl Table {
    /// Of these workflows.
    pub(crate) const fn of(flows: Vec<Flow>) -> Self {
        Self { flows, rows: Vec::new() }
    }

    pub(crate) fn add(&mut self, in_flight: usize, times: &Times, measured: &[Measured]) {
        let bare = measured[0];
        println!(
            "{in_flight} in flight: flush {:.0} us, commit {:.0} us, guest call {:.0} us; bare handler {:.0}/s, p50 {:.2} ms",
            us(times.flush),
            us(times.commit),
            us(times.call),
            bare.rate,
            bare.p50_ms
        );
        for (flow, measured) in self.flows.iter().copied().zip(&measured[1..]) {
            let (steps, commits) = (flow.steps as f64, flow.commits() as f64);
            let parts = times.call.as_secs_f64() * steps + times.commit.as_secs_f64() * commits;
            let of_parts = measured.p50_ms / 1e3 / parts;
            let of_handler = measured.rate * commits / bare.rate;
            self.rows.push(Row { in_flight, flow, measured: *measured, of_parts, of_handler, times: *times });
        }
    }

    pub(crate) fn print(&self, sizes: &str) {
        println!(
            "| in flight | steps | time / bare parts | commits / bare handler's | workflows/s | steps/s | p50 ms | p99 ms | CPU us a step |"
        );
        println!("|---|---|---|---|---|---|---|---|---|");
        for Row { in_flight, flow, measured, of_parts, of_handler, .. } in &self.rows {
            let Measured { rate, p50_ms, p99_ms, cpu_us } = measured;
            // Beyond one in flight a time holds the waits for the others.
            let of_parts = if *in_flight == 1 { format!("{of_parts:.2}") } else { String::new() };
            let (each, cpu) = (rate * flow.steps as f64, cpu_us / flow.steps as f64);
            println!(
                "| {in_flight} | {} | {of_parts} | {of_handler:.2} | {rate:.0} | {each:.0} | {p50_ms:.2} | {p99_ms:.2} | {cpu:.0} |",
                flow.label()
            );
        }
        println!("{sizes}");
    }

    pub(crate) fn json(&self) -> Value {
        self.rows.iter().map(Row::json).collect()
    }
}

impl Row {
    fn json(&self) -> Value {
        let Self { flow, in_flight, of_parts, of_handler, .. } = *self;
        // One after the other a time can be compared; beyond that only what is done in a second.
        let (ratio, of) = match in_flight {
            1 => (of_parts, "its guest calls and commits, in time"),
            _ => (of_handler, "the bare handler's commits a second"),
        };
        let aim = match (flow.steps, in_flight) {
            _ if flow.relaxed => None,
            (10, 1) => Some("at most 2; p50 under 5 ms"),
            (10, 50) => Some("2,000 a second"),
            (1, 50) => Some("8,000 a second"),
            _ => None,
        };
        let what = format!(
            "workflow of {} over HTTP, {in_flight} in flight, p50 {:.2} ms",
            flow.label(),
            self.measured.p50_ms
        );
        json!({
            "what": what, "value": self.measured.rate, "unit": "/s", "ratio": ratio, "of": of, "aim": aim,
            "in_flight": self.in_flight, "steps": flow.steps, "relaxed": flow.relaxed, "workflows_per_second": self.measured.rate,
            "cpu_us": self.measured.cpu_us, "p50_ms": self.measured.p50_ms, "p99_ms": self.measured.p99_ms, "time_of_parts": self.of_parts,
            "commits_of_handler": self.of_handler, "flush_us": us(self.times.flush), "commit_us": us(self.times.commit),
            "call_us": us(self.times.call),
        })
    }
}

fn us(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
