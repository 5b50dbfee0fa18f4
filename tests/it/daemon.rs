//! The daemon as an operator has it: started, asked over HTTP, signalled, killed, started again.

mod figures;
mod happening;
mod hooks;
mod kit;
mod logs;
mod reload;
mod restarts;
mod start;
#[cfg(feature = "otlp")]
mod traces;
mod verbs;
