//! Lets a checked request through to the system, or to what stands between ([`Traffic`]).

use std::time::Instant;

use runner_model::limits::HttpLimits;
use runner_model::{ConnectionName, HttpAsk, HttpTarget};
use serde_json::Value;

use super::deliver::{Again, deliver};
use super::endpoint::Endpoint;
use super::error::NetError;
use super::request::Checked;
use super::{HttpResponse, permit};
use crate::attempt::PackContext;
use crate::plan::{Planner, Reading};
use crate::traffic::{Ask, Origin, Traffic};

/// The way to a system.
pub(super) struct Way<'a> {
    pub(super) limits: &'a HttpLimits,
    pub(super) endpoint: &'a Endpoint,
    pub(super) hear: &'a (dyn Fn(Again) + Send + Sync),
}

impl Way<'_> {
    async fn send(&self, checked: &Checked) -> Result<HttpResponse, NetError> {
        deliver(self.limits, checked, self.endpoint, self.hear).await
    }
}

pub(super) async fn pass(
    pack: &PackContext,
    origin: &Origin,
    checked: Checked,
    way: Way<'_>,
) -> Result<HttpResponse, NetError> {
    let Some(traffic) = pack.connections.traffic() else { return way.send(&checked).await };
    let ask = checked.ask(way.endpoint, origin, traffic.mask());
    match traffic {
        Traffic::Recorded(recorder) => {
            let (at, start) = (recorder.now(), Instant::now());
            let result = way.send(&checked).await;
            recorder.exchanged(&ask, (at, start.elapsed()), &result);
            result
        }
        Traffic::Replayed(player) => player.answer(&ask),
        Traffic::Planned(planner) => plan(planner, pack, &ask, &checked, &way).await,
    }
}

/// Sends what reads, and stops the rest.
async fn plan(
    planner: &Planner,
    pack: &PackContext,
    ask: &Ask,
    checked: &Checked,
    way: &Way<'_>,
) -> Result<HttpResponse, NetError> {
    if way.endpoint.info.simulated {
        return simulate(planner, ask, checked, way).await;
    }
    if Planner::reads(ask, checked.effect) {
        return match planner.reading(ask) {
            Reading::Answered(response) => Ok(response),
            Reading::Asked => Ok(planner.completed(ask, way.send(checked).await?)),
        };
    }
    let before = match planner.before(ask) {
        Some(before) => before,
        None if ask.method == "POST" || !may_read(pack, way.endpoint, ask) => None,
        None => match way.send(&checked.reading()).await {
            // The system would answer so to the request itself, and change nothing.
            Ok(response) if response.status == 404 && ask.method != "PUT" => return Ok(response),
            Ok(response) if response.status < 300 => serde_json::from_slice::<Value>(&response.body).ok(),
            _ => None,
        },
    };
    Ok(planner.stopped(ask, checked.effect, before))
}

/// A simulator may do what is planned: its state ends with this process, and its answers are those of a run.
async fn simulate(planner: &Planner, ask: &Ask, checked: &Checked, way: &Way<'_>) -> Result<HttpResponse, NetError> {
    if Planner::reads(ask, checked.effect) {
        return way.send(checked).await;
    }
    let before = match ask.method.as_str() {
        "POST" => None,
        _ => way.send(&checked.reading()).await.ok().filter(|response| response.status < 300),
    };
    let before = before.and_then(|response| serde_json::from_slice::<Value>(&response.body).ok());
    let response = way.send(checked).await?;
    if response.status < 400 {
        planner.stopped(ask, checked.effect, before);
    }
    Ok(response)
}

/// Whether the pack may read what it would change: a plan opens no other way.
fn may_read(pack: &PackContext, endpoint: &Endpoint, ask: &Ask) -> bool {
    let Ok(name) = ConnectionName::new(&endpoint.info.name) else { return false };
    let target = HttpTarget::Connection { name: &name, kind: &endpoint.info.kind };
    permit::check(pack, &HttpAsk { target, method: "GET", path: &ask.path }).is_ok()
}
