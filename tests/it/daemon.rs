//! The daemon as an operator has it: started, asked over HTTP, signalled, killed, started again.

mod again;
mod elsewhere;
mod figures;
pub(crate) mod front;
mod happening;
mod hooks;
pub(crate) mod kit;
mod logs;
mod reload;
mod restarts;
mod start;
mod tls;
#[cfg(feature = "otlp")]
mod traces;
mod verbs;
