//! The process is killed again and again while it works, and nothing is lost, and nothing is done twice that must not be.
//!
//! A real binary, a real database, a server that counts what it is asked for. `RUNNER_CRASH_KILLS` says how often, and
//! `RUNNER_CRASH_SEED` which times; `cargo xtask crash --kills 1000` is the long run.

mod check;
mod pack;
mod server;

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::kit::Place;
use check::History;
use server::Server;

/// Kills in a run of the tests.
const KILLS: usize = 25;
/// The process is killed so many milliseconds after its start at the latest.
const KILLED_AFTER_MS: u64 = 800;
/// Executions that are asked for together.
const EXECUTIONS: usize = 20;
/// What nobody kills any more has ended after this time.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

fn number(name: &str) -> Option<u64> {
    std::env::var_os(name)?.to_str()?.parse().ok()
}

/// Chance that depends on a seed: SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

/// The process that drives everything that is open; killed by a signal that it cannot see.
struct Victim(Child);

impl Victim {
    fn start(place: &Place) -> Self {
        let mut command = place.command(&["execution", "resume", "--all"]);
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Kills it at the end of this time; says whether it was still there.
    fn dies_after(&mut self, time: Duration) -> bool {
        let end = Instant::now() + time;
        while Instant::now() < end {
            if self.0.try_wait().unwrap().is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1).min(end.saturating_duration_since(Instant::now())));
        }
        let was_there = self.0.try_wait().unwrap().is_none();
        // SIGKILL.
        self.0.kill().unwrap();
        self.0.wait().unwrap();
        was_there
    }

    fn ends_within(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while self.0.try_wait().unwrap().is_none() {
            if Instant::now() > end {
                self.0.kill().unwrap();
                self.0.wait().unwrap();
                panic!("I2: what is open has not ended after {time:?}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn whenever_it_is_killed_nothing_is_lost_and_nothing_is_done_twice() {
    let kills = number("RUNNER_CRASH_KILLS").map_or(KILLS, |kills| usize::try_from(kills).unwrap());
    let seed = number("RUNNER_CRASH_SEED").unwrap_or(1);
    let mut chance = Chance(seed);
    let (place, server) = (Place::new(), Server::start());
    pack::write(&place, server.port());
    let mut history = History::default();
    let mut killed = 0;
    while killed < kills {
        let batch: Vec<_> = (0..EXECUTIONS).map(|number| pack::request(&place, number)).collect();
        history.acknowledged.extend(batch.iter().cloned());
        loop {
            let mut victim = Victim::start(&place);
            if killed == kills {
                victim.ends_within(ENDS_WITHIN);
                break;
            }
            if !victim.dies_after(Duration::from_millis(chance.below(KILLED_AFTER_MS))) {
                // Nothing was left to do.
                break;
            }
            history.kills.push(Instant::now());
            killed += 1;
        }
        history.check(&place, &server, &batch);
        if kills > KILLS {
            println!("{killed} kills");
        }
    }
    history.check_all(&place);
    println!("seed {seed}, {killed} kills: {}", history.sum(&server));
}
