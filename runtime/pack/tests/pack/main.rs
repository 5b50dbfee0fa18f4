//! The borders of the crate: directories in, packs and diagnostics out.

mod broken;
mod config;
mod files;
mod good;
mod hostile;
mod kit;
mod parameters;
mod workflows;
