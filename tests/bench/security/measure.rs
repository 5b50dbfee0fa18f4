//! The measurements, one for each goal.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Row;
use crate::bombs;
use crate::daemon::Daemon;
use crate::guests::Bad;

/// Poisoned calls, and their loops.
const POISONED: usize = 1_000;

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

fn spread(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 100];
    format!("{} / {}", ms(at(50)), ms(at(99)))
}

/// `runner exec` with nothing compiled, and with everything.
pub(crate) fn cold_start(root: &Path, directory: &Path) -> Vec<Row> {
    let exec = |data: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        command.args(["exec", "core.echo", "message=x", "--packs"]).arg(root.join("packs")).arg("--data").arg(data);
        let start = Instant::now();
        assert!(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
        start.elapsed()
    };
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for turn in 0..10 {
        let data = directory.join(format!("cold-{turn}"));
        cold.push(exec(&data));
        warm.push(exec(&data));
    }
    vec![
        Row("exec with an empty cache, median / p99", spread(cold), ""),
        Row("exec with a full one, median / p99", spread(warm), ""),
    ]
}

/// S1: how long after its deadline a loop ends.
pub(crate) async fn deadlines(daemon: &Daemon) -> Vec<Row> {
    daemon.run("bad.loop_forever").await;
    let mut late = Vec::new();
    for _ in 0..50 {
        late.push(daemon.run("bad.loop_forever").await.1.saturating_sub(Duration::from_millis(50)));
    }
    vec![Row("S1 a loop ends after its deadline, median / p99", spread(late), "<= 100 ms")]
}

/// S1: the health endpoint beside twice as many loops as there are cores.
pub(crate) async fn loops(daemon: &Daemon) -> Vec<Row> {
    let loops = 2 * std::thread::available_parallelism().unwrap().get();
    let running = futures::future::join_all((0..loops).map(|_| daemon.run("bad.loop_for_5_s")));
    let asking = async {
        let (start, mut times) = (Instant::now(), Vec::new());
        while start.elapsed() < Duration::from_secs(4) {
            times.push(daemon.health().await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        times
    };
    let (_, times) = tokio::join!(running, asking);
    vec![Row("S1 /healthz beside 2 x cores loops, median / p99", spread(times), "p99 <= 250 ms")]
}

/// S2: what memory bombs leave.
pub(crate) async fn memory(daemon: &Daemon) -> Vec<Row> {
    daemon.run("bad.allocate_forever").await;
    let before = daemon.resident();
    let mut peak = before;
    for _ in 0..20 {
        let (bomb, looking) = (daemon.run("bad.allocate_forever"), async {
            let mut peak = 0.0_f64;
            for _ in 0..40 {
                peak = peak.max(daemon.resident());
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            peak
        });
        peak = peak.max(tokio::join!(bomb, looking).1);
    }
    vec![Row("S2 memory over the base during a bomb of 64 MiB", format!("{:.1} MiB", peak - before), "<= 80 MiB")]
}

/// S5: other executions beside a component that takes the compiler its whole time.
pub(crate) async fn compile_bomb(daemon: &Daemon, packs: &Path) -> Vec<Row> {
    let component = bombs::of_time(6_000);
    let size = component.len() as f64 / (1024.0 * 1024.0);
    std::fs::write(packs.join("bad/components/bomb.wasm"), component).unwrap();
    // Packs are read again when their files change.
    tokio::time::sleep(Duration::from_secs(3)).await;
    daemon.run("core.noop").await;
    let mut alone = Vec::new();
    for _ in 0..200 {
        alone.push(daemon.run("core.uuid").await.1);
    }
    let bomb = async {
        let (execution, time) = daemon.run("bad.compile_bomb").await;
        assert!(execution.to_string().contains("E-HOST-001"), "{execution}");
        time
    };
    let beside = async {
        let mut beside = Vec::new();
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(15) {
            beside.push(daemon.run("core.uuid").await.1);
        }
        beside
    };
    let (time, beside) = tokio::join!(bomb, beside);
    let after = daemon.run("bad.compile_bomb").await.1;
    vec![
        Row("S5 an execution alone, median / p99", spread(alone), ""),
        Row("S5 the same beside a compile bomb, median / p99", spread(beside), "<= 500 ms more"),
        Row("S5 that bomb is given up", format!("{:.1} s ({size:.1} MiB)", time.as_secs_f64()), "20 s of CPU"),
        Row("S5 and refused when it comes again", ms(after), ""),
    ]
}

/// S2: a thousand poisoned calls.
pub(crate) async fn poison(daemon: &Daemon, bad: &[Bad]) -> Vec<Row> {
    let round = async || {
        let start = Instant::now();
        for number in 0..POISONED {
            let bad = &bad[number % bad.len()];
            let (execution, _) = daemon.run(&format!("bad.{}", bad.name)).await;
            assert!(execution.to_string().contains("E-HOST-"), "{}: {execution}", bad.name);
        }
        start.elapsed()
    };
    round().await;
    let before = daemon.resident();
    let time = round().await;
    let grown = daemon.resident() / before * 100.0 - 100.0;
    vec![
        Row("S2 poisoned calls", format!("{:.0} / s", POISONED as f64 / time.as_secs_f64()), ""),
        Row("S2 memory after 1,000 of them", format!("{grown:+.1} % of {before:.0} MiB"), "<= +10 %"),
    ]
}
