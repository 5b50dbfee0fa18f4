//! Random workflows, driven at random: whatever happens, the journal alone gives the same state, every state has a way
//! on, and what is counted is what is there.
//!
//! `RUNNER_WORKFLOWS` says how many; a failure is shrunk to the fewest choices that lead to it.

mod check;
mod drive;
mod workflow;

use proptest::collection::vec;
use proptest::prelude::{any, proptest};
use proptest::test_runner::Config;

use drive::Drive;
use workflow::{Choices, workflow};

#[allow(clippy::disallowed_methods, reason = "how much to test is said from outside")]
fn cases() -> u32 {
    std::env::var("RUNNER_WORKFLOWS").ok().and_then(|number| number.parse().ok()).unwrap_or(400)
}

proptest! {
    #![proptest_config(Config { cases: cases(), failure_persistence: None, ..Config::default() })]

    #[test]
    fn whatever_happens_replay_gives_the_live_state_and_nothing_is_stuck(
        written in vec(any::<u16>(), 0..700),
        happens in vec(any::<u16>(), 0..300),
    ) {
        let plan = workflow(&mut Choices::new(&written));
        let mut choices = Choices::new(&happens);
        let mut drive = Drive::start(plan, choices.once_in(8));
        while choices.are_left() && !drive.is_large() {
            drive.act(&mut choices);
        }
        drive.end();
    }
}
