//! The interface `http`: the contract's words for what goes through the egress door.

use std::time::Duration;

use super::Guest;
use crate::attempt::LogLevel;
use crate::bindings::plugin::http;
use crate::egress::{self, Again, Effect, NetError, Outgoing, Target};
use crate::traffic::Origin;

impl http::Host for Guest {
    async fn send(&mut self, request: http::Request) -> wasmtime::Result<Result<http::Response, http::HttpError>> {
        self.count()?;
        let mut outgoing = Outgoing::from(request);
        outgoing.trace = Some(self.attempt.span().fresh_span());
        outgoing.origin = self.attempt.origin();
        outgoing.until = Some(self.until);
        let hear = |again: Again| {
            let level = if again.is_usual { LogLevel::Debug } else { LogLevel::Warn };
            self.log.line(level, &again.message, &[]);
        };
        let (summary, result) = Box::pin(egress::send(&self.attempt.pack, &self.limits.http, outgoing, &hear)).await;
        self.attempt.observer.request(summary);
        Ok(match result {
            Ok(response) => {
                Ok(http::Response { status: response.status, headers: response.headers, body: response.body })
            }
            Err(error) => Err(error.into()),
        })
    }
}

impl From<http::Request> for Outgoing {
    fn from(request: http::Request) -> Self {
        Self {
            target: match request.target {
                http::Target::Connection(http::ConnectionTarget { name, path }) => Target::Connection { name, path },
                http::Target::Url(url) => Target::Url(url),
            },
            method: request.method,
            query: request.query,
            headers: request.headers,
            body: request.body,
            timeout: request.timeout_ms.map(|ms| Duration::from_millis(u64::from(ms))),
            effect: request.effect.map(|effect| match effect {
                http::Effect::Read => Effect::Read,
                http::Effect::Create => Effect::Create,
                http::Effect::Update => Effect::Update,
                http::Effect::Delete => Effect::Delete,
            }),
            trace: None,
            until: None,
            origin: Origin::default(),
        }
    }
}

impl From<NetError> for http::HttpError {
    fn from(error: NetError) -> Self {
        Self {
            kind: kind(error.kind),
            code: error.code().id().to_owned(),
            retryable: error.retryable(),
            message: error.message,
            hint: error.hint,
        }
    }
}

const fn kind(kind: egress::ErrorKind) -> http::ErrorKind {
    match kind {
        egress::ErrorKind::Denied | egress::ErrorKind::Address => http::ErrorKind::Denied,
        egress::ErrorKind::UnknownConnection => http::ErrorKind::UnknownConnection,
        egress::ErrorKind::BadRequest => http::ErrorKind::BadRequest,
        egress::ErrorKind::Dns => http::ErrorKind::Dns,
        egress::ErrorKind::Connect => http::ErrorKind::Connect,
        egress::ErrorKind::Tls => http::ErrorKind::Tls,
        egress::ErrorKind::Timeout => http::ErrorKind::Timeout,
        egress::ErrorKind::TooLarge => http::ErrorKind::TooLarge,
        egress::ErrorKind::Closed => http::ErrorKind::Closed,
        egress::ErrorKind::Protocol => http::ErrorKind::Protocol,
        egress::ErrorKind::Simulator
        | egress::ErrorKind::Replay
        | egress::ErrorKind::NotNow
        | egress::ErrorKind::Token
        | egress::ErrorKind::Other => http::ErrorKind::Other,
    }
}
