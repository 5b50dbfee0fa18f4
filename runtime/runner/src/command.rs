//! The commands, one module each.

mod action;
pub(crate) mod answer;
mod completion;
mod connection;
mod doctor;
mod event;
mod exec;
mod execution;
mod explain;
mod graph;
mod inquiry;
mod key;
mod pack;
mod serve;
mod simulate;
mod test;

pub(crate) use action::ActionCommand;
pub(crate) use completion::CompletionCommand;
pub(crate) use connection::ConnectionCommand;
pub(crate) use doctor::DoctorCommand;
pub(crate) use event::EventCommand;
pub(crate) use exec::{ExecCommand, find};
pub(crate) use execution::{Chosen, ExecutionCommand, choose, open_waits, rests};
pub(crate) use explain::ExplainCommand;
pub(crate) use graph::GraphCommand;
pub(crate) use inquiry::InquiryCommand;
pub(crate) use key::KeyCommand;
pub(crate) use pack::PackCommand;
pub(crate) use serve::ServeCommand;
pub(crate) use simulate::SimulateCommand;
pub(crate) use test::TestCommand;
