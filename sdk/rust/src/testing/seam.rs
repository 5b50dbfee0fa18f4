//! The functions that the SDK calls on the host, answered by the fake.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::run::{LogLine, Sent};
use super::state::{State, host};
use crate::context::Attempt;
use crate::http::{self, ErrorKind, Request, Response, Target};
use crate::kv;
use crate::log::Level;
use crate::simulator::{self, Boxed, Ending};

pub(crate) fn send(request: Request) -> Result<Response, http::Error> {
    let sent = sent(request);
    // The simulator is taken out while it answers, since it calls the host itself: for the time, to log.
    let simulator = host(|state| {
        state.sent.push(sent.clone());
        state.simulators.remove(&sent.target)
    });
    let Some(mut simulator) = simulator else { return host(|state| expected(state, &sent)) };
    let name = sent.target.clone();
    let result = ask_simulator(&mut simulator, sent);
    host(|state| state.simulators.insert(name, simulator));
    result
}

fn sent(request: Request) -> Sent {
    let mut query = request.query;
    let (target, path) = match request.target {
        Target::Connection { name, path } => (name, path),
        Target::Url(url) => {
            let (url, in_url) = url.split_once('?').unwrap_or((&url, ""));
            let pairs = in_url.split('&').filter(|pair| !pair.is_empty());
            let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
            query.splice(0..0, pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
            let after_scheme = url.find("://").map_or(0, |at| at + 3);
            let slash = url.get(after_scheme..).and_then(|rest| rest.find('/')).map(|at| at + after_scheme);
            let (origin, path) = slash.and_then(|at| url.split_at_checked(at)).unwrap_or((url, "/"));
            (origin.to_owned(), path.to_owned())
        }
    };
    let body = request.body.unwrap_or_default();
    Sent { method: request.method, target, path, query, headers: request.headers, body }
}

fn expected(state: &mut State, sent: &Sent) -> Result<Response, http::Error> {
    let fits = |route: &super::state::Route| {
        (&route.method, &route.target, &route.path) == (&sent.method, &sent.target, &sent.path)
    };
    let Some(at) = state.routes.iter().position(fits) else {
        let known: Vec<_> = state.routes.iter().map(|r| format!("{} {} {}", r.method, r.target, r.path)).collect();
        panic!(
            "the test does not expect {} {} {}; it expects [{}]",
            sent.method,
            sent.target,
            sent.path,
            known.join(", ")
        );
    };
    let answers = state.routes.get_mut(at).map(|route| &mut route.answers);
    let answer =
        answers.and_then(|answers| if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() });
    match answer {
        Some(answer) => answer.0,
        None => panic!("an expected request has no answer"),
    }
}

fn ask_simulator(simulator: &mut Boxed, sent: Sent) -> Result<Response, http::Error> {
    let lowercase = |(name, value): (String, String)| (name.to_ascii_lowercase(), value);
    let mut headers: Vec<_> = sent.headers.into_iter().map(lowercase).collect();
    headers.push(("authorization".to_owned(), format!("Basic {}", STANDARD.encode("tester:tester"))));
    let reply = simulator.handle(&simulator::Request {
        connection: sent.target,
        query: sent.query,
        headers,
        body: sent.body,
        ..simulator::Request::new(sent.method, sent.path)
    });
    match reply.ending {
        Ending::Response { status, headers, body } => {
            Ok(Response::new(status, headers.into_iter().map(lowercase).collect(), body))
        }
        Ending::Dropped => Err(http::Error::new(
            ErrorKind::Closed,
            "E-NET-0009",
            "the connection was closed before the response was complete",
        )),
    }
}

/// The value as it is in force now.
fn live(state: &State, key: &str) -> Option<Value> {
    let (value, expires) = state.kv.get(key)?;
    expires.is_none_or(|at| at > state.now_ms).then(|| value.clone())
}

fn parsed(text: &str) -> Result<Value, kv::Error> {
    serde_json::from_str(text).map_err(|error| kv::Error::BadValue(error.to_string()))
}

pub(crate) fn kv_get(key: &str) -> Result<Option<String>, kv::Error> {
    Ok(host(|state| live(state, key)).map(|value| value.to_string()))
}

pub(crate) fn kv_set(key: &str, value: &str, ttl_seconds: Option<u64>) -> Result<(), kv::Error> {
    let value = parsed(value)?;
    host(|state| {
        let expires = ttl_seconds.map(|seconds| state.now_ms + seconds * 1000);
        state.kv.insert(key.to_owned(), (value, expires));
    });
    Ok(())
}

pub(crate) fn kv_delete(key: &str) -> Result<bool, kv::Error> {
    Ok(host(|state| {
        let was_there = live(state, key).is_some();
        state.kv.remove(key);
        was_there
    }))
}

pub(crate) fn kv_compare_and_swap(
    key: &str,
    expected: Option<&str>,
    value: Option<&str>,
    ttl_seconds: Option<u64>,
) -> Result<bool, kv::Error> {
    let expected = expected.map(parsed).transpose()?;
    if host(|state| live(state, key)) != expected {
        return Ok(false);
    }
    match value {
        Some(value) => kv_set(key, value, ttl_seconds)?,
        None => drop(kv_delete(key)?),
    }
    Ok(true)
}

pub(crate) fn kv_keys(prefix: &str, limit: u32) -> Result<Vec<String>, kv::Error> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(host(|state| {
        let keys = state.kv.keys().filter(|key| key.starts_with(prefix) && live(state, key).is_some());
        keys.take(limit).cloned().collect()
    }))
}

pub(crate) fn config() -> String {
    host(|state| state.config.to_string())
}

pub(crate) fn log(level: Level, message: &str, fields: Vec<(String, String)>) {
    host(|state| state.logs.push(LogLine { level, message: message.to_owned(), fields }));
}

pub(crate) fn attempt() -> Attempt {
    host(|state| state.attempt.clone())
}

pub(crate) fn heartbeat(progress: &str) -> bool {
    host(|state| {
        state.heartbeats.push(parsed(progress).unwrap_or_default());
        !state.canceled
    })
}

pub(crate) fn last_heartbeat() -> Option<String> {
    host(|state| state.last_heartbeat.as_ref().map(ToString::to_string))
}

pub(crate) fn now_ms() -> u64 {
    host(|state| state.now_ms)
}

/// SplitMix64 (Steele, Lea, Flood, 2014): the same bytes in each run.
pub(crate) fn random(length: u32) -> Vec<u8> {
    host(|state| {
        let mut next = || {
            state.random = state.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = state.random;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            (z ^ (z >> 31)).to_le_bytes().first().copied().unwrap_or_default()
        };
        (0..length).map(|_| next()).collect()
    })
}
