//! Simulated ONTAP clusters: the REST API of ONTAP 9.17, as far as the pack `ontap` and NetApp's own clients use it.
//!
//! One instance holds all clusters. The connection says which one is meant: `ontap` and `cluster1` are the first, any other
//! name is a cluster of that name, made when it is first asked for; `cluster2` is there from the start. Every cluster has two
//! nodes, aggregates, ports and intercluster interfaces, and reaches every other.
//!
//! A request goes through the door (login, faults), is understood as a call ([`call`]), read or written by rules that know no
//! resource by name ([`read`], [`write`], [`perform`]), and the resources are rows of a table ([`table`]) with small functions
//! where one has rules of its own. Time is the host's: jobs, transfers and passphrases end by it.
//!
//! For tests: `POST /simulator/faults`, `/simulator/rules`, `/simulator/used`, `/simulator/reset`, `GET /simulator/requests`.

mod answer;
mod body;
mod call;
mod control;
mod effect;
mod fault;
mod filter;
mod job;
mod jobs;
mod log;
mod moment;
pub mod path;
mod perform;
mod projection;
mod query;
mod read;
mod refer;
mod refusal;
mod resource;
mod route;
mod setup;
mod site;
mod size;
mod table;
mod world;
mod write;

use runner_sdk::clock;
use runner_sdk::simulator::{Ending, Reply, Request, Simulator};
use serde_json::Value;

use call::Call;
use fault::{Fault, JobFault, Mishap};
use log::Log;
use refusal::Refusal;
use site::Site;
use world::World;

/// The simulated clusters.
pub struct Ontap {
    world: World,
    faults: Vec<Fault>,
    log: Log,
    clock: Box<dyn Fn() -> u64>,
}

/// Two new clusters, `cluster1` and `cluster2`, on the host's clock.
#[must_use]
pub fn ontap() -> Ontap {
    with_clock(clock::now_ms)
}

/// Two new clusters on a clock of the caller's, in milliseconds since 1970.
#[must_use]
pub fn with_clock(clock: impl Fn() -> u64 + 'static) -> Ontap {
    Ontap { world: setup::world(), faults: Vec::new(), log: Log::default(), clock: Box::new(clock) }
}

impl Simulator for Ontap {
    fn handle(&mut self, request: &Request) -> Reply {
        effect::advance(&mut self.world, (self.clock)());
        if request.path.starts_with(control::PREFIX) {
            return control::handle(self, request);
        }
        let reply = self.answer(request);
        self.log.note(request, &reply);
        reply
    }
}

impl Ontap {
    fn answer(&mut self, request: &Request) -> Reply {
        if let Some(refusal) = unauthorized(request) {
            return refusal.reply().header("www-authenticate", "Basic realm=\"Private\"");
        }
        let (mut job_fault, mut dropped, mut late) = (None, false, 0);
        match fault::take(&mut self.faults, request) {
            Some(Mishap::Instead(reply)) => return reply,
            Some(Mishap::DroppedAfter) => dropped = true,
            Some(Mishap::Late(millis)) => late = millis,
            Some(Mishap::Job(fault)) => job_fault = Some(fault),
            None => {}
        }
        let at = setup::cluster(&mut self.world, &request.connection);
        let mut site = Site { world: &mut self.world, at };
        let reply = dispatch(&mut site, request, job_fault).unwrap_or_else(|refusal| refusal.reply());
        table::peer::settle(&mut self.world);
        if dropped {
            return Reply::dropped();
        }
        let delay = reply.delay_ms.saturating_add(late);
        as_accepted(request, reply).delay_ms(delay)
    }
}

fn dispatch(site: &mut Site<'_>, request: &Request, job_fault: Option<JobFault>) -> Result<Reply, Refusal> {
    let call = Call::read(site, request, job_fault)?;
    let accepted = match request.method.as_str() {
        "GET" | "HEAD" => return read::get(site, &call),
        "OPTIONS" => return Ok(Reply::status(200).header("allow", "GET, POST, PATCH, DELETE, HEAD, OPTIONS")),
        "PATCH" if call.place.resource.path == jobs::PATH => return jobs::patch(site, &call),
        "POST" => write::post(site, &call)?,
        "PATCH" => write::patch(site, &call)?,
        "DELETE" => write::delete(site, &call)?,
        other => return Err(Refusal::unsupported(other)),
    };
    perform::perform(site, &call, accepted)
}

/// Any user with any password but `wrong`, or any bearer token but `wrong`.
fn unauthorized(request: &Request) -> Option<Refusal> {
    let by_password = request.basic_auth().is_some_and(|(user, password)| !user.is_empty() && password != "wrong");
    let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let by_token = token.is_some_and(|token| !token.is_empty() && token != "wrong");
    (!by_password && !by_token).then(|| Refusal::new(401, 6_691_623, "User is not authorized."))
}

/// The answer in the form that the client accepts: with links, unless it asks for plain JSON.
fn as_accepted(request: &Request, reply: Reply) -> Reply {
    if !request.header("accept").is_some_and(|accept| accept.trim().eq_ignore_ascii_case("application/json")) {
        return reply;
    }
    let Ending::Response { status, headers, body } = reply.ending else { return reply };
    let mut body: Value = serde_json::from_slice(&body).unwrap_or_default();
    answer::without_links(&mut body);
    let mut plain = Reply::json(status, &body);
    for (name, value) in headers.into_iter().filter(|(name, _)| name != "content-type") {
        plain = plain.header(name, value);
    }
    plain
}

#[cfg(feature = "component")]
runner_sdk::export_simulator!(ontap);

#[cfg(test)]
mod tests;
