//! Faults on request: what the next requests that match run into. Those of the gateway's path stand for ONTAP's.

use runner_sdk::simulator::{Reply, Request};
use serde::{Deserialize, Serialize};

use crate::job::JobFault;
use crate::problem::Problem;

/// The code of ONTAP's "configuration locked", which passes.
const LOCKED: &str = "2621573";
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
    /// Only to those whose path has this in it.
    #[serde(default)]
    contains: String,
    /// The status, instead of the usual one.
    #[serde(default)]
    status: Option<u16>,
    /// The seconds of `Retry-After`; without it there is no such header.
    #[serde(default)]
    retry_after: Option<u32>,
    /// How long it takes, in milliseconds.
    #[serde(default)]
    delay_ms: Option<u32>,
    /// The message, instead of the usual one.
    #[serde(default)]
    message: Option<String>,
    /// The code, instead of the usual one.
    #[serde(default)]
    code: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// 503.
    Unavailable,
    /// 429.
    Throttled,
    /// 403, or another `status`.
    Refused,
    /// The connection is closed, and nothing was done.
    DropBefore,
    /// The connection is closed, but it was done.
    DropAfter,
    /// It takes its time.
    Slow,
    /// 409, with ONTAP's code that says that it passes.
    Locked,
    /// The job fails.
    JobFailure,
    /// The job does its work with the status `partial_failures`.
    JobPartial,
    /// The job does its work, but cannot be read.
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

fn one() -> u32 {
    1
}

/// Takes what the present request runs into. A fault that was used up is gone.
pub(crate) fn take(faults: &mut Vec<Fault>, request: &Request) -> Option<Mishap> {
    let fault = faults.iter_mut().find(|fault| fault.is_for(request))?;
    fault.count = fault.count.saturating_sub(1);
    let mishap = fault.mishap();
    faults.retain(|fault| fault.count > 0);
    Some(mishap)
}

impl Fault {
    fn is_for(&self, request: &Request) -> bool {
        let of_job = matches!(self.kind, Kind::JobFailure | Kind::JobPartial | Kind::JobGone);
        let writes = request.method != "GET" && request.method != "HEAD";
        self.count > 0
            && self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&request.method))
            && request.path.starts_with(&self.path)
            && request.path.contains(&self.contains)
            && (writes || !of_job)
    }

    fn mishap(&self) -> Mishap {
        match self.kind {
            Kind::Unavailable => self.instead(503, None, "The service is temporarily unavailable."),
            Kind::Throttled => self.instead(429, None, "Too many requests."),
            Kind::Refused => self.instead(403, None, "This is not permitted."),
            Kind::Locked => {
                self.instead(409, Some(LOCKED), "The configuration is temporarily locked. Try again in a few minutes.")
            }
            Kind::DropBefore => Mishap::Instead(self.late(Reply::dropped())),
            Kind::DropAfter => Mishap::DroppedAfter,
            Kind::Slow => Mishap::Late(self.delay_ms.unwrap_or(SLOW_MS)),
            Kind::JobFailure => Mishap::Job(JobFault::Fails(self.message("The operation failed."))),
            Kind::JobPartial => Mishap::Job(JobFault::Partial(self.message("A part of the operation failed."))),
            Kind::JobGone => Mishap::Job(JobFault::Gone),
        }
    }

    fn message(&self, usual: &str) -> String {
        self.message.clone().unwrap_or_else(|| usual.to_owned())
    }

    fn instead(&self, status: u16, code: Option<&str>, message: &str) -> Mishap {
        let mut problem = Problem::new(self.status.unwrap_or(status), self.message(message));
        if let Some(code) = self.code.as_deref().or(code) {
            code.clone_into(&mut problem.code);
        }
        let reply = match self.retry_after {
            Some(seconds) => problem.reply().header("retry-after", seconds),
            None => problem.reply(),
        };
        Mishap::Instead(self.late(reply))
    }

    fn late(&self, reply: Reply) -> Reply {
        reply.delay_ms(self.delay_ms.unwrap_or_default())
    }
}
