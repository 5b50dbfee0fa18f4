//! The borders of the crate: directories in, packs and diagnostics out.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "in a test they are the report")]

mod archives;
mod broken;
mod config;
mod connections;
mod docs;
mod durability;
mod files;
mod good;
mod hostile;
mod install;
mod kit;
mod parameters;
mod part;
mod permissions;
mod policies;
mod rehearsals;
mod reload;
mod rules;
mod schedules;
mod sensors;
mod tasks;
mod trial;
mod waits;
mod webhooks;
mod workflows;
mod yaml;
