//! What others get done beside executions that wait, and what those take of memory.

use std::time::Duration;

use serde_json::json;

use crate::asked;
use crate::client::Client;
use crate::curve::Curve;
use crate::place::{Daemon, Place};
use crate::report::{Line, Report};
use crate::throughput::Bare;

/// Clients that ask for them at the same time.
const CLIENTS: usize = 32;
const SETTLES: Duration = Duration::from_secs(3);

pub(crate) fn measure(report: &mut Report) {
    report.title("executions that wait, and throughput beside them");
    let (place, bare) = (Place::new(&[]), Bare::new());
    let (mut daemon, _) = place.start();
    daemon.run("steps_1", &json!({}));
    let mut cpu = Curve::new("CPU of a workflow beside executions that wait", "us", "about 1");
    let mut rate = Curve::new("workflows beside executions that wait, of the bare handler", "x bare", "about 1");
    let (mut there, mut idle) = (0, None);
    let full = [0, 10_000, 100_000];
    for size in if asked::is_quick() { full.map(|size| size / 100) } else { full } {
        fill(&daemon, size - there);
        there = size;
        // Until what was asked for last is parked, and the log of the database tidied up.
        std::thread::sleep(SETTLES);
        let resident = daemon.resident_mb();
        let before = *idle.get_or_insert(resident);
        if size > 0 {
            let line = Line::new(format!("memory of the daemon over idle, {size} waiting"), resident - before, "MB");
            report.add(line.beside(resident / before, "the idle daemon").aim("100,000: under 50 MB"));
        }
        let throughput = bare.measure(&daemon);
        cpu.point(report, size, throughput.cpu_us);
        rate.point(report, size, throughput.of_bare);
    }
}

/// Asks for so many executions that wait.
fn fill(daemon: &Daemon, count: usize) {
    let address = daemon.served.address;
    let ask = |share: usize| {
        let mut client = Client::new(address);
        for _ in 0..share {
            let view = client.post("/api/v1/executions", &json!({ "action": "bench.waits" }));
            assert!(view["id"].is_string(), "{view}");
        }
    };
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let share = count / CLIENTS + usize::from(number < count % CLIENTS);
            scope.spawn(move || ask(share));
        }
    });
}
