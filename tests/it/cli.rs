//! The command line as a real process, in a pipe.

mod cassette;
mod config;
mod connection;
mod doctor;
mod exec;
mod execution;
mod help;
mod pack;
mod simulate;
mod stop;
mod test;
