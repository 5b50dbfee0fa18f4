//! Sends a checked request: its place among the others, its credentials, its tries.

use std::time::Duration;

use http::HeaderValue;
use runner_model::limits::HttpLimits;
use tokio::time::Instant;
use tracing::info;

use super::endpoint::{Endpoint, Via};
use super::error::{self, NetError};
use super::request::Checked;
use super::retry::Reason;
use super::{HttpResponse, credentials, header, network};
use crate::simulator::SimulatorEnding;

/// A status that says that the credentials are not, or no longer, accepted.
const UNAUTHORIZED: u16 = 401;

/// A request that is about to be sent again.
pub(crate) struct Again {
    /// Why and when, for a person.
    pub(crate) message: String,
    /// Whether that is nothing to look at: an idle connection was closed just then, as a rule.
    pub(crate) is_usual: bool,
}

/// Sends a request until it is answered, its tries are used up or its time is. `hear` is told of each further try.
pub(super) async fn deliver(
    limits: &HttpLimits,
    checked: &Checked,
    endpoint: &Endpoint,
    hear: &(dyn Fn(Again) + Send + Sync),
) -> Result<HttpResponse, NetError> {
    let policy = &endpoint.retry;
    let mut waits = policy.waits();
    let mut number = 1;
    loop {
        let result = once(limits, checked, endpoint).await;
        let reason = policy.reason(checked.effect, number, &result).filter(|_| number < policy.tries);
        let Some(reason) = reason else { return result };
        let wait = match reason.asked {
            Some(asked) => asked,
            None if reason.at_once => Duration::ZERO,
            None => waits.next().unwrap_or_default(),
        };
        let again_at = Instant::now().checked_add(wait);
        if checked.until.is_some_and(|until| again_at.is_none_or(|at| at >= until)) {
            // Without a wish of the server its answer says more than anything that could be said here.
            return if reason.asked.is_some() {
                Err(error::not_now(&reason.what, wait, checked.left()))
            } else {
                result
            };
        }
        number += 1;
        tell(endpoint, &reason, wait, number, hear);
        tokio::time::sleep(wait).await;
    }
}

fn tell(endpoint: &Endpoint, reason: &Reason, wait: Duration, number: u32, hear: &(dyn Fn(Again) + Send + Sync)) {
    let connection = &endpoint.info.name;
    let labels = [("connection", connection.clone()), ("reason", reason.label.to_owned())];
    metrics::counter!("runner_http_retries_total", &labels).increment(1);
    let (what, tries) = (&reason.what, endpoint.retry.tries);
    info!(connection, reason = what, wait_ms = wait.as_millis(), number, "a request is sent again");
    let when = if wait.is_zero() { "at once".to_owned() } else { format!("in {:.1} s", wait.as_secs_f64()) };
    let asked = if reason.asked.is_some() { ", as it asks for" } else { "" };
    let message = format!("{what}: the request is sent again {when}{asked} (try {number} of {tries})");
    hear(Again { message, is_usual: reason.at_once });
}

/// Sends a request once, within the time that a try has. A server that refuses an access token gets a fresh one.
pub(super) async fn once(
    limits: &HttpLimits,
    checked: &Checked,
    endpoint: &Endpoint,
) -> Result<HttpResponse, NetError> {
    let whole = async {
        let _places = endpoint.place(&checked.owner).await;
        let Some(tokens) = &endpoint.tokens else { return attempt(limits, checked, endpoint, None).await };
        let token = tokens.get(limits).await.map_err(|error| endpoint.hidden(error))?;
        let answer = attempt(limits, checked, endpoint, Some(token.header())).await?;
        if answer.status != UNAUTHORIZED {
            return Ok(answer);
        }
        let token = tokens.replace(&token, limits).await.map_err(|error| endpoint.hidden(error))?;
        attempt(limits, checked, endpoint, Some(token.header())).await
    };
    let time = checked.left().map_or(checked.timeout, |left| left.min(checked.timeout));
    tokio::time::timeout(time, whole).await.unwrap_or_else(|_| Err(error::timeout(checked.timeout)))
}

async fn attempt(
    limits: &HttpLimits,
    checked: &Checked,
    endpoint: &Endpoint,
    authorization: Option<&HeaderValue>,
) -> Result<HttpResponse, NetError> {
    match &endpoint.via {
        Via::Network(route) => {
            let client = endpoint.client(route, &checked.owner, &checked.url, &checked.reach);
            let answer = network::send(limits, checked, authorization, &client).await;
            credentials::hidden(&endpoint.credentials, authorization, answer)
        }
        Via::Simulator(simulator) => {
            let reply =
                simulator.handle(checked.for_simulator()).await.map_err(|failure| error::simulator(&failure))?;
            tokio::time::sleep(reply.delay).await;
            match reply.ending {
                SimulatorEnding::Response(response) => header::limit_response(limits, response),
                SimulatorEnding::Dropped => Err(error::unanswered()),
            }
        }
    }
}
