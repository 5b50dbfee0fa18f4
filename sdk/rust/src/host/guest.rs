//! The host as a component sees it: each function hands over to the bindings and translates the types.

use crate::bindings::action::runner::plugin::{
    clock, config, context, http as wit, kv as wit_kv, log as wit_log, random,
};
use crate::context::Attempt;
use crate::http::{Effect, Error, ErrorKind, Request, Response, Target};
use crate::kv;
use crate::log::Level;

pub(crate) fn send(request: Request) -> Result<Response, Error> {
    let target = match request.target {
        Target::Connection { name, path } => wit::Target::Connection(wit::ConnectionTarget { name, path }),
        Target::Url(url) => wit::Target::Url(url),
    };
    let effect = request.effect.map(|effect| match effect {
        Effect::Read => wit::Effect::Read,
        Effect::Create => wit::Effect::Create,
        Effect::Update => wit::Effect::Update,
        Effect::Delete => wit::Effect::Delete,
    });
    let request = wit::Request {
        target,
        method: request.method,
        query: request.query,
        headers: request.headers,
        body: request.body,
        timeout_ms: request.timeout_ms,
        effect,
    };
    match wit::send(&request) {
        Ok(response) => Ok(Response::new(response.status, response.headers, response.body)),
        Err(error) => Err(Error {
            kind: kind(error.kind),
            code: error.code,
            message: error.message,
            hint: error.hint,
            retryable: error.retryable,
        }),
    }
}

fn kind(kind: wit::ErrorKind) -> ErrorKind {
    match kind {
        wit::ErrorKind::Denied => ErrorKind::Denied,
        wit::ErrorKind::UnknownConnection => ErrorKind::UnknownConnection,
        wit::ErrorKind::BadRequest => ErrorKind::BadRequest,
        wit::ErrorKind::Dns => ErrorKind::Dns,
        wit::ErrorKind::Connect => ErrorKind::Connect,
        wit::ErrorKind::Tls => ErrorKind::Tls,
        wit::ErrorKind::Timeout => ErrorKind::Timeout,
        wit::ErrorKind::TooLarge => ErrorKind::TooLarge,
        wit::ErrorKind::Closed => ErrorKind::Closed,
        wit::ErrorKind::Protocol => ErrorKind::Protocol,
        wit::ErrorKind::Other => ErrorKind::Other,
    }
}

pub(crate) fn kv_get(key: &str) -> Result<Option<String>, kv::Error> {
    wit_kv::get(key).map_err(kv_error)
}

pub(crate) fn kv_set(key: &str, value: &str, ttl_seconds: Option<u64>) -> Result<(), kv::Error> {
    wit_kv::set(key, value, ttl_seconds).map_err(kv_error)
}

pub(crate) fn kv_delete(key: &str) -> Result<bool, kv::Error> {
    wit_kv::delete(key).map_err(kv_error)
}

pub(crate) fn kv_compare_and_swap(
    key: &str,
    expected: Option<&str>,
    value: Option<&str>,
    ttl_seconds: Option<u64>,
) -> Result<bool, kv::Error> {
    wit_kv::compare_and_swap(key, expected, value, ttl_seconds).map_err(kv_error)
}

pub(crate) fn kv_keys(prefix: &str, limit: u32) -> Result<Vec<String>, kv::Error> {
    wit_kv::keys(prefix, limit).map_err(kv_error)
}

fn kv_error(error: wit_kv::KvError) -> kv::Error {
    match error {
        wit_kv::KvError::Denied(text) => kv::Error::Denied(text),
        wit_kv::KvError::TooLarge(text) => kv::Error::TooLarge(text),
        wit_kv::KvError::NotJson(text) => kv::Error::BadValue(text),
        wit_kv::KvError::Store(text) => kv::Error::Store(text),
    }
}

pub(crate) fn config() -> String {
    config::get()
}

pub(crate) fn log(level: Level, message: &str, fields: Vec<(String, String)>) {
    let level = match level {
        Level::Trace => wit_log::Level::Trace,
        Level::Debug => wit_log::Level::Debug,
        Level::Info => wit_log::Level::Info,
        Level::Warn => wit_log::Level::Warn,
        Level::Error => wit_log::Level::Error,
    };
    wit_log::emit(level, message, &fields);
}

pub(crate) fn attempt() -> Attempt {
    let attempt = context::current();
    Attempt {
        execution_id: attempt.execution_id,
        action: attempt.action,
        number: attempt.number,
        idempotency_key: attempt.idempotency_key,
        deadline_ms: attempt.deadline_ms,
        trace_parent: attempt.trace_parent,
    }
}

pub(crate) fn heartbeat(progress: &str) -> bool {
    context::heartbeat(progress)
}

pub(crate) fn last_heartbeat() -> Option<String> {
    context::last_heartbeat()
}

pub(crate) fn now_ms() -> u64 {
    clock::now_ms()
}

pub(crate) fn random(length: u32) -> Vec<u8> {
    random::bytes(length)
}
