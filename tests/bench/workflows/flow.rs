//! The workflows that are measured, and what is asked.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::load::Target;
use crate::served::Served;

/// What is measured: a workflow of so many steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) steps: usize,
    pub(crate) relaxed: bool,
}

impl Flow {
    /// Strict ones of so many steps, and the relaxed one of ten.
    pub(crate) fn all(steps: &[usize]) -> Vec<Self> {
        let strict = steps.iter().map(|steps| Self { steps: *steps, relaxed: false });
        let relaxed = steps.iter().filter(|steps| **steps == 10).map(|steps| Self { steps: *steps, relaxed: true });
        strict.chain(relaxed).collect()
    }

    /// Commits that it waits for. Strict: the request with the first step's intent, then an outcome with the next intent each;
    /// relaxed: the request, and the end with whatever was not on the disk by then.
    pub(crate) const fn commits(self) -> usize {
        if self.relaxed { 2 } else { self.steps + 1 }
    }

    /// What it is called, where what is measured is listed.
    pub(crate) fn label(self) -> String {
        if self.relaxed { format!("{} relaxed", self.steps) } else { self.steps.to_string() }
    }

    fn name(self) -> String {
        if self.relaxed { format!("relaxed_{}", self.steps) } else { format!("steps_{}", self.steps) }
    }
}

/// A daemon with workflows of WASM steps that do nothing but give back their message, one after the other.
pub(crate) fn daemon(place: &Path) -> Served {
    let pack = place.join("packs/bench");
    fs::create_dir_all(pack.join("workflows")).unwrap();
    fs::write(pack.join("pack.yaml"), "ref: bench\nversion: 1.0.0\n").unwrap();
    for flow in Flow::all(&crate::STEPS) {
        fs::write(pack.join(format!("workflows/{}.yaml", flow.name())), chain(flow)).unwrap();
    }
    fs::write(place.join("runner.toml"), "").unwrap();
    Served::of(Served::daemon(place))
}

fn chain(flow: Flow) -> String {
    let durability = if flow.relaxed { "relaxed" } else { "strict" };
    let mut text = format!("durability: {durability}\ntasks:\n");
    for step in 1..=flow.steps {
        write!(text, "  step_{step}:\n    action: core.echo\n    input: {{message: vol1}}\n").unwrap();
        if step < flow.steps {
            write!(text, "    next:\n      - when: <% succeeded() %>\n        do: step_{}\n", step + 1).unwrap();
        }
    }
    text
}

/// Requests to run a workflow and wait for its end.
pub(crate) fn requests(served: &Served, flow: Flow) -> Target {
    let body = format!(r#"{{"action":"bench.{}"}}"#, flow.name());
    Target::post(served, ("/api/v1/executions?wait=60s", 200), |_| String::new(), &body)
}

/// Requests that commit one row.
pub(crate) fn row(served: &Served) -> Target {
    Target::post(served, ("/hook", 202), |_| String::new(), &"x".repeat(450))
}

/// What the daemon has taken, in words.
pub(crate) fn sizes(place: &Path, daemon: &Served) -> String {
    let journal = fs::metadata(place.join("data/runner.db")).map_or(0, |metadata| metadata.len());
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.child.id())).unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("?").trim().to_owned();
    format!("journal: {} MiB; memory of the daemon at the most: {resident}", journal / 1024 / 1024)
}
