//! The executor with a real host, real guests and both stores.

#[path = "it/actions.rs"]
mod actions;
#[path = "it/kit.rs"]
mod kit;
#[path = "it/recovery.rs"]
mod recovery;
#[path = "it/workflows.rs"]
mod workflows;
