//! Packs beside the one that is used: the start of the daemon, throughput, `runner exec`.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::asked;
use crate::curve::Curve;
use crate::pack;
use crate::place::Place;
use crate::report::{Line, Report};
use crate::throughput::Bare;

const ACTIONS: usize = 10;
const WORKFLOWS: usize = 3;
const EXECS: usize = 15;
const STARTS: usize = 3;

pub(crate) fn measure(report: &mut Report) {
    report.title("packs, each with 10 actions, 3 workflows and a component");
    let bare = Bare::new();
    let mut exec = Curve::new("warm runner exec of a WASM action, packs", "ms", "about 1");
    let mut cpu = Curve::new("CPU of a workflow, packs", "us", "about 1");
    let mut rate = Curve::new("workflows, of the bare handler, packs", "x bare", "about 1");
    let mut first = None;
    for size in if asked::is_quick() { [1, 3, 10] } else { [1, 10, 100] } {
        let place = Place::new(&[]);
        for number in 1..size {
            write(place.path(), number);
        }
        run(&place);
        let mut times: Vec<_> = (0..EXECS).map(|_| run(&place)).collect();
        times.sort_unstable();
        exec.point(report, size, times[EXECS / 2].as_secs_f64() * 1e3);
        let start = (0..STARTS).map(|_| place.start().1).min().unwrap().as_secs_f64() * 1e3;
        let (first, of_one) = (*first.get_or_insert(start), size as f64);
        let line = Line::new(format!("the daemon listens after, packs: {size}"), start, "ms");
        report.add(line.beside(start / first, format!("the first point, for {of_one} x the packs")));
        let (mut daemon, _) = place.start();
        daemon.run("steps_1", &json!({}));
        let throughput = bare.measure(&daemon);
        cpu.point(report, size, throughput.cpu_us);
        rate.point(report, size, throughput.of_bare);
    }
}

/// `runner exec bench.echo`, from its start to its exit.
fn run(place: &Place) -> Duration {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command
        .args(["exec", "bench.echo", "--data", "of_exec", "--packs", "packs", "--packs"])
        .arg(repository.join("packs"));
    command.current_dir(place.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    assert!(command.status().unwrap().success(), "{command:?}");
    start.elapsed()
}

fn write(place: &Path, number: usize) {
    let pack = place.join(format!("packs/other_{number}"));
    for directory in ["actions", "components", "workflows"] {
        fs::create_dir_all(pack.join(directory)).unwrap();
    }
    fs::write(pack.join("pack.yaml"), format!("ref: other_{number}\nversion: 1.0.0\n")).unwrap();
    pack::component(&pack, &format!("other_{number}"));
    for action in 0..ACTIONS {
        let parameters =
            "parameters:\n  name: {type: string, default: vol1, maxLength: 200}\n  size: {type: integer, minimum: 1}\n";
        let text = format!("description: Does something\nrunner_type: wasm\n{parameters}");
        fs::write(pack.join(format!("actions/do_{action}.yaml")), text).unwrap();
    }
    for workflow in 0..WORKFLOWS {
        let next = "next: [{when: '<% succeeded() %>', do: ";
        let tasks = ["a", "b"].map(|task| {
            let then = if task == "a" { "b" } else { "c" };
            format!("  {task}:\n    action: other_{number}.do_0\n    input: {{name: x}}\n    {next}{then}}}]\n")
        });
        let text = format!("tasks:\n{}  c:\n    action: other_{number}.do_1\n", tasks.concat());
        fs::write(pack.join(format!("workflows/flow_{workflow}.yaml")), text).unwrap();
    }
}
