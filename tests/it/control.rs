//! Executions are controlled from the command line: those of another process through that process, and those that
//! nobody runs by taking them up.

mod alone;
mod killed;
mod kit;
mod rerun;
mod together;
