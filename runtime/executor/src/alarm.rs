//! Wakes parked executions when their time has come.

use std::sync::Arc;
use std::time::Duration;

use runner_model::{Clock, Timestamp, limits};

use crate::executor::Shared;
use crate::registry::Order;

/// Until the process ends.
pub(crate) async fn watch(shared: Arc<Shared>) {
    loop {
        let (due, next) = shared.registry.due(shared.options.clock.now());
        // Who stops wakes nobody.
        for id in due.into_iter().filter(|_| !shared.is_draining()) {
            shared.order(id, Order::Look);
        }
        let sleep = until(&*shared.options.clock, next);
        tokio::select! {
            biased;
            () = shared.stop.cancelled() => return,
            () = shared.registry.alarm.notified() => {}
            () = sleep => {}
        }
    }
}

/// Sleeps until a moment, but not longer than a while: what the machine's clock says may jump.
pub(crate) async fn until(clock: &dyn Clock, moment: Option<Timestamp>) {
    let longest = limits::CLOCK_LOOK;
    let wait = match moment {
        Some(moment) => {
            let millis = moment.as_millis().saturating_sub(clock.now().as_millis()).max(0);
            Duration::from_millis(u64::try_from(millis).unwrap_or(0)).min(longest)
        }
        None => longest,
    };
    tokio::time::sleep(wait).await;
}
