//! Faults on request: what the next requests that match run into.

use runner_sdk::simulator::{Reply, Request};
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// The code of "configuration locked", which passes.
const LOCKED: u64 = 2_621_573;
/// How long a slow answer takes if nothing else is said.
const SLOW_MS: u32 = 3000;

/// What the next requests run into.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// What happens.
    kind: Kind,
    /// To how many requests.
    #[serde(default = "one")]
    count: u32,
    /// Only to those of this method.
    #[serde(default)]
    method: Option<String>,
    /// Only to those whose path begins so.
    #[serde(default)]
    path: String,
    /// Only to those on this connection.
    #[serde(default)]
    connection: Option<String>,
    /// The seconds of `Retry-After`; without it there is no such header.
    #[serde(default)]
    retry_after: Option<u32>,
    /// How long it takes, in milliseconds.
    #[serde(default)]
    delay_ms: Option<u32>,
    /// The message, instead of the usual one.
    #[serde(default)]
    message: Option<String>,
    /// ONTAP's code, instead of the usual one.
    #[serde(default)]
    code: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// 503.
    Unavailable,
    /// 429.
    Throttled,
    /// The connection is closed, and nothing was done.
    DropBefore,
    /// The connection is closed, but it was done.
    DropAfter,
    /// It takes its time.
    Slow,
    /// 409, with the code that says that it passes.
    Locked,
    /// The job fails.
    JobFailure,
    /// The job does its work, and cannot be read after its end.
    JobGone,
}

/// What happens to one request.
pub(crate) enum Mishap {
    /// It is answered so, and nothing is done.
    Instead(Reply),
    /// It is done, and the connection closed.
    DroppedAfter,
    /// It is done, and answered late.
    Late(u32),
    /// It is done, and its job goes wrong.
    Job(JobFault),
}

/// What goes wrong with a job.
pub(crate) enum JobFault {
    /// It fails.
    Fails(Refusal),
    /// It cannot be read after its end.
    Gone,
}

fn one() -> u32 {
    1
}

/// Takes what the present request runs into. A fault that was used up is gone.
pub(crate) fn take(faults: &mut Vec<Fault>, request: &Request) -> Option<Mishap> {
    let index = faults.iter().position(|fault| fault.is_for(request))?;
    let fault = faults.get_mut(index)?;
    fault.count = fault.count.saturating_sub(1);
    let mishap = fault.mishap();
    faults.retain(|fault| fault.count > 0);
    Some(mishap)
}

impl Fault {
    fn is_for(&self, request: &Request) -> bool {
        let writes = request.method != "GET" && request.method != "HEAD";
        self.count > 0
            && self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&request.method))
            && request.path.starts_with(&self.path)
            && self.connection.as_ref().is_none_or(|connection| *connection == request.connection)
            && (writes || !matches!(self.kind, Kind::JobFailure | Kind::JobGone))
    }

    fn mishap(&self) -> Mishap {
        match self.kind {
            Kind::Unavailable => self.instead(503, 13_001, "The service is temporarily unavailable."),
            Kind::Throttled => self.instead(429, 13_001, "Too many requests."),
            Kind::Locked => {
                self.instead(409, LOCKED, "The configuration is temporarily locked. Try again in a few minutes.")
            }
            Kind::DropBefore => Mishap::Instead(self.late(Reply::dropped())),
            Kind::DropAfter => Mishap::DroppedAfter,
            Kind::Slow => Mishap::Late(self.delay_ms.unwrap_or(SLOW_MS)),
            Kind::JobFailure => Mishap::Job(JobFault::Fails(self.refusal(500, 13_001, "The operation failed."))),
            Kind::JobGone => Mishap::Job(JobFault::Gone),
        }
    }

    fn refusal(&self, status: u16, code: u64, message: &str) -> Refusal {
        Refusal::new(status, self.code.unwrap_or(code), self.message.clone().unwrap_or_else(|| message.to_owned()))
    }

    fn instead(&self, status: u16, code: u64, message: &str) -> Mishap {
        let reply = self.refusal(status, code, message).reply();
        let reply = match self.retry_after {
            Some(seconds) => reply.header("retry-after", seconds),
            None => reply,
        };
        Mishap::Instead(self.late(reply))
    }

    fn late(&self, reply: Reply) -> Reply {
        reply.delay_ms(self.delay_ms.unwrap_or_default())
    }
}
