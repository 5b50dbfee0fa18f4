//! Faults on request: what the next requests run into.

use runner_sdk::prelude::{Deserialize, json};
use runner_sdk::simulator::{Reply, Request};

/// What the next requests run into.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// How many requests.
    count: u32,
    /// The status that they get.
    #[serde(default = "unavailable")]
    status: u16,
    /// Whether the connection is closed instead.
    #[serde(default)]
    dropped: bool,
    /// What passes before, in milliseconds.
    #[serde(default)]
    delay_ms: u32,
}

fn unavailable() -> u16 {
    503
}

/// What the present request runs into, if anything.
pub(crate) fn take(fault: &mut Option<Fault>, request: &Request) -> Option<Reply> {
    // Faults are for the array's own API: they can always be set anew.
    let pending = fault.as_mut().filter(|fault| fault.count > 0 && request.path.starts_with("/v1/"))?;
    pending.count -= 1;
    let reply = if pending.dropped {
        Reply::dropped()
    } else {
        Reply::json(pending.status, &json!({ "error": "a fault on request" })).header("retry-after", "1")
    };
    Some(reply.delay_ms(pending.delay_ms))
}
