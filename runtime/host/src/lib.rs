//! Runs one action in wasmtime under limits; the WIT host interfaces; the egress door.
//!
//! **This crate alone names wasmtime.** It knows no store, no rules and no workflow: it is handed an [`Attempt`], and says
//! with an `Outcome` how it ended. In reading order:
//!
//! - [`Host`] makes a [`Component`] of bytes and runs attempts of it;
//! - `engine`, `epoch`, `compile` and `cache` keep wasmtime within limits and its machine code trustworthy;
//! - `run` and `stop` lead an attempt from its place in the pool to its outcome;
//! - `guest` is what a guest can call;
//! - `egress` is the only way out, [`Connections`] what it leads to, [`Simulator`] what may stand in for it;
//! - [`Traffic`] is what may stand between the two: cassettes and plans.

mod attempt;
mod bindings;
mod cache;
mod cassette;
mod compile;
mod component;
mod egress;
mod engine;
mod epoch;
mod escape;
mod grant;
mod guest;
mod host;
mod kv;
mod mask;
mod plan;
mod run;
mod simulator;
mod stop;
mod trace;
mod traffic;

pub use attempt::{Attempt, Deaf, Emitted, LogLevel, LogLine, Observer, PackContext, Polled, RequestSummary};
pub use cassette::{Player, Recorder};
pub use compile::{Compiling, compile_limited};
pub use component::{Component, World};
pub use egress::{
    Auth, AuthKind, CertificateReport, ClientAuth, ClientCertificate, ConnectionConfig, ConnectionInfo,
    ConnectionSource, Connections, Door, Fingerprint, HttpResponse, Listening, Lookup, OAuth2, TestReport, Tls,
    TlsKind, TokenReport, raise_open_files,
};
pub use grant::CurrentGrant;
pub use host::{Host, HostError, HostOptions};
pub use kv::{Kv, KvError, NoKv};
pub use mask::Mask;
pub use plan::{Change, ChangeKind, Difference, PlannedKv, Planner};
pub use simulator::{Simulator, SimulatorEnding, SimulatorReply, SimulatorRequest};
pub use trace::{NotATraceParent, TraceParent};
pub use traffic::Traffic;
