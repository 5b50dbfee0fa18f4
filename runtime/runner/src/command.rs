//! The commands, one module each.

mod action;
mod completion;
mod connection;
mod doctor;
mod exec;
mod execution;
mod explain;
mod graph;
mod pack;
mod simulate;
mod test;

pub(crate) use action::ActionCommand;
pub(crate) use completion::CompletionCommand;
pub(crate) use connection::ConnectionCommand;
pub(crate) use doctor::DoctorCommand;
pub(crate) use exec::ExecCommand;
pub(crate) use execution::ExecutionCommand;
pub(crate) use explain::ExplainCommand;
pub(crate) use graph::GraphCommand;
pub(crate) use pack::PackCommand;
pub(crate) use simulate::SimulateCommand;
pub(crate) use test::TestCommand;
