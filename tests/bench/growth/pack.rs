//! The pack that is measured.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const ACTION: &str = "runner_type: wasm\nidempotent: true\n";
const N: &str = "parameters: {n: {type: integer}}\n";

/// Writes it below `packs`: `echo` answers at once, `http` asks a server; workflows with one, ten and `tasks` steps, a list, a loop,
/// and one that waits. Servers are asked on this port.
pub(crate) fn write(packs: &Path, tasks: &[usize], port: u16) {
    let pack = packs.join("bench");
    for directory in ["actions", "components", "workflows"] {
        fs::create_dir_all(pack.join(directory)).unwrap();
    }
    let workflow = |name: &str, text: String| fs::write(pack.join(format!("workflows/{name}.yaml")), text).unwrap();
    let manifest = format!("ref: bench\nversion: 1.0.0\npermissions: {{http: [{{url: 'http://127.0.0.1:{port}'}}]}}\n");
    fs::write(pack.join("pack.yaml"), manifest).unwrap();
    let echo = format!("{ACTION}parameters: {{name: {{type: string, default: vol1}}}}\n");
    fs::write(pack.join("actions/echo.yaml"), echo).unwrap();
    let http = format!("{ACTION}timeout: 300\nparameters: {{url: {{type: string}}}}\n");
    fs::write(pack.join("actions/http.yaml"), http).unwrap();
    component(&pack, "bench");
    for count in [1, 10].iter().chain(tasks) {
        workflow(&format!("steps_{count}"), chain(*count));
    }
    for (name, action) in [("items", "bench.echo"), ("items_noop", "core.noop")] {
        let with = "with: {items: '<% range(0, ctx(\"n\")) %>', concurrency: 100}";
        workflow(name, format!("{N}tasks: {{a: {{{with}, action: {action}}}}}\n"));
    }
    let again =
        "next: [{when: '<% ctx(\"i\") + 1 < ctx(\"n\") %>', publish: [{i: '<% ctx(\"i\") + 1 %>'}], do: again}]";
    workflow(
        "loop",
        format!(
            "{N}vars: [{{i: 0}}]\ntasks: {{begin: {{action: core.noop, next: [{{do: again}}]}}, again: {{action: bench.echo, {again}}}}}\n"
        ),
    );
    workflow("waits", "tasks: {a: {action: core.noop, delay: 36000}}\n".to_owned());
    let asks = "tasks: {a: {action: bench.http, input: {url: '<% ctx(\"url\") %>'}}}\n";
    workflow("asks", format!("parameters: {{url: {{type: string}}}}\n{asks}"));
}

/// The test guest, as the component of this name.
pub(crate) fn component(pack: &Path, name: &str) {
    let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/components/host-guest.wasm");
    fs::copy(guest, pack.join(format!("components/{name}.wasm"))).unwrap();
}

fn chain(steps: usize) -> String {
    // All workflows can be asked in the same way.
    let mut text = "parameters: {n: {type: integer, default: 0}}\ntasks:\n".to_owned();
    for step in 1..=steps {
        write!(text, "  step_{step}:\n    action: bench.echo\n").unwrap();
        if step < steps {
            write!(text, "    next:\n      - when: <% succeeded() %>\n        do: step_{}\n", step + 1).unwrap();
        }
    }
    text
}
