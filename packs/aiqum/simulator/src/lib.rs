//! A simulated Active IQ Unified Manager: its REST API v2, as far as the pack `aiqum` and the document that it follows use it.
//!
//! It watches simulated ONTAP clusters, `cluster1` and `cluster2`, which stand behind their own REST API ([`estate`]): what is
//! made through Unified Manager is seen through its gateway, and the other way round after the next acquisition.
//!
//! A request goes through the door (login, faults), is read as a call ([`call`]) and routed ([`route`]). Views of the data
//! centre are made of the clusters' records ([`view`]); what Unified Manager keeps itself is in [`provider`], [`event`] and
//! [`admin`]. Work that it only accepts is a job ([`job`]), done when the host's clock says so. [`seed`] is the dialect of the
//! document, which differs from the real API.
//!
//! For tests: `POST /simulator/dialect`, `/simulator/faults`, `/simulator/rules`, `/simulator/reset`,
//! `GET /simulator/requests`.

mod admin;
mod call;
mod control;
mod estate;
mod event;
mod fault;
mod gateway;
mod job;
mod key;
mod list;
mod log;
mod path;
mod problem;
mod provider;
mod route;
mod seed;
mod svm;
mod view;

use runner_sdk::clock;
use runner_sdk::simulator::{Reply, Request, Simulator};

use call::Call;
use control::Rules;
use estate::Estate;
use event::Events;
use fault::{Fault, Mishap};
use job::Jobs;
use log::Log;
use problem::Problem;
use provider::Provider;
use seed::Dialect;

/// The simulated Unified Manager.
pub struct Aiqum {
    estate: Estate,
    provider: Provider,
    jobs: Jobs,
    events: Events,
    rules: Rules,
    dialect: Dialect,
    faults: Vec<Fault>,
    log: Log,
}

/// A new Unified Manager that watches two clusters.
#[must_use]
pub fn aiqum() -> Aiqum {
    Aiqum::default()
}

impl Default for Aiqum {
    fn default() -> Self {
        Self {
            estate: Estate::new(pack_ontap_simulator::ontap(), &["cluster1", "cluster2"]),
            provider: Provider::default(),
            jobs: Jobs::default(),
            events: Events::default(),
            rules: Rules::default(),
            dialect: Dialect::Real,
            faults: Vec::new(),
            log: Log::default(),
        }
    }
}

impl Simulator for Aiqum {
    fn handle(&mut self, request: &Request) -> Reply {
        if request.path.starts_with(control::PREFIX) {
            return control::handle(self, request);
        }
        let reply = self.answer(request);
        self.log.note(request, &reply);
        reply
    }
}

impl Aiqum {
    fn answer(&mut self, request: &Request) -> Reply {
        let now = clock::now_ms();
        self.estate.acquire_due(now, self.rules.acquisition_ms);
        job::advance(self, now);
        if let Some(problem) = unauthorized(request) {
            return problem.reply().header("www-authenticate", "Basic realm=\"Unified Manager\"");
        }
        let (mut job_fault, mut dropped, mut late) = (None, false, 0);
        match fault::take(&mut self.faults, request) {
            Some(Mishap::Instead(reply)) => return reply,
            Some(Mishap::DroppedAfter) => dropped = true,
            Some(Mishap::Late(millis)) => late = millis,
            Some(Mishap::Job(fault)) => job_fault = Some(fault),
            None => {}
        }
        self.jobs.fault = job_fault;
        let reply = Call::read(request, self.dialect, now).and_then(|call| route::dispatch(self, &call));
        self.jobs.fault = None;
        let reply = reply.unwrap_or_else(|problem| problem.reply());
        if dropped {
            return Reply::dropped();
        }
        let delay = reply.delay_ms.saturating_add(late);
        reply.delay_ms(delay)
    }
}

/// Only HTTP basic authentication: any user with any password but `wrong`.
fn unauthorized(request: &Request) -> Option<Problem> {
    let is_known = request.basic_auth().is_some_and(|(user, password)| !user.is_empty() && password != "wrong");
    (!is_known).then(|| Problem::new(401, "The user name or the password is not correct."))
}

runner_sdk::export_simulator!(aiqum);

#[cfg(test)]
mod tests;
