//! The workflows that are measured, and what is asked.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::load::Target;
use crate::served::Served;

/// A daemon with workflows of WASM steps that do nothing but give back their input, one after the other.
pub(crate) fn daemon(place: &Path) -> Served {
    let pack = place.join("packs/bench");
    for directory in ["actions", "components", "workflows"] {
        fs::create_dir_all(pack.join(directory)).unwrap();
    }
    fs::write(pack.join("pack.yaml"), "ref: bench\nversion: 1.0.0\n").unwrap();
    let action = "runner_type: wasm\nidempotent: true\nparameters: {name: {type: string, default: vol1}}\n";
    fs::write(pack.join("actions/echo.yaml"), action).unwrap();
    let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/components/host-guest.wasm");
    fs::copy(guest, pack.join("components/bench.wasm")).unwrap();
    for steps in crate::STEPS {
        fs::write(pack.join(format!("workflows/steps_{steps}.yaml")), chain(steps)).unwrap();
    }
    fs::write(place.join("runner.toml"), "").unwrap();
    Served::daemon(place)
}

fn chain(steps: usize) -> String {
    let mut text = "tasks:\n".to_owned();
    for step in 1..=steps {
        write!(text, "  step_{step}:\n    action: bench.echo\n").unwrap();
        if step < steps {
            write!(text, "    next:\n      - when: <% succeeded() %>\n        do: step_{}\n", step + 1).unwrap();
        }
    }
    text
}

/// Requests to run a workflow and wait for its end.
pub(crate) fn requests(served: &Served, steps: usize) -> Target {
    let address = served.address;
    let body = format!(r#"{{"action":"bench.steps_{steps}"}}"#);
    let length = body.len();
    let request = move |_| {
        format!(
            "POST /api/v1/executions?wait=60s HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
    };
    Target { address, request: Box::new(request), status: 200, cpu: served.cpu() }
}

/// Requests that commit one row.
pub(crate) fn row(served: &Served) -> Target {
    let address = served.address;
    let body = "x".repeat(450);
    let length = body.len();
    let request = move |_| format!("POST /hook HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n\r\n{body}");
    Target { address, request: Box::new(request), status: 202, cpu: served.cpu() }
}

/// What the daemon has taken, in words.
pub(crate) fn sizes(place: &Path, daemon: &Served) -> String {
    let journal = fs::metadata(place.join("data/runner.db")).map_or(0, |metadata| metadata.len());
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.child.id())).unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("?").trim().to_owned();
    format!("journal: {} MiB; memory of the daemon at the most: {resident}", journal / 1024 / 1024)
}
