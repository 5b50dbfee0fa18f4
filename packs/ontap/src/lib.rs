//! The pack `ontap`: NetApp ONTAP over its REST API.
//!
//! One engine and a table: [`resources`] says which kinds of objects there are and what can be said of them, [`verbs`] what can be done with
//! each, [`special`] what is done with some. Actions, their metadata and their documentation all follow from these.

pub mod action;
pub mod api;
pub mod body;
pub mod call;
pub mod field;
pub mod job;
pub mod locate;
pub mod resource;
pub mod resources;
pub mod size;
pub mod special;
pub mod verbs;

mod exported;
#[cfg(test)]
mod metadata;
#[cfg(test)]
mod tests;

pub use exported::ACTIONS;
