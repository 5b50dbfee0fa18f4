//! The daemon as an operator has it: started, asked over HTTP, signalled, killed, started again.

mod happening;
mod hooks;
mod kit;
mod reload;
mod restarts;
mod start;
