//! Sleeping by a clock that may be set.

use std::time::Duration;

use runner_model::{Clock, Timestamp, limits};

/// Sleeps until a moment, but not longer than a while: what the machine's clock says may jump.
pub(crate) async fn until(clock: &dyn Clock, moment: Option<Timestamp>) {
    let longest = limits::CLOCK_LOOK;
    let wait = match moment {
        Some(moment) => {
            let millis = moment.since_ms(clock.now()).max(0);
            Duration::from_millis(u64::try_from(millis).unwrap_or(0)).min(longest)
        }
        None => longest,
    };
    tokio::time::sleep(wait).await;
}

/// A length of time, in milliseconds.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
