//! Pictures of workflows: what leads to what, and how far a run of it has come.
//!
//! [`Graph::of`] reads a plan, [`Graph::with_execution`] lays a run over it, and the graph writes itself as SVG, as
//! Mermaid or as DOT. The same graph always gives the same bytes.
//!
//! **Everything in a picture that stands in a pack is text**: it is escaped for the format it is written in, and can
//! neither end a string nor begin an element. This crate does no input or output and knows no clock.

mod dot;
mod execution;
pub mod graph;
mod label;
mod layout;
mod mermaid;
mod svg;
mod text;

pub use execution::{RunState, Taken, TaskState};
pub use graph::{Edge, End, Graph, Mark, Node};
pub use label::{Label, Tone};
pub use svg::{Direction, SvgOptions, Theme, dark_stylesheet};
