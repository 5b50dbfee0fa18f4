//! The one door to YAML: a text becomes a tree in which every key and value knows its place.
//!
//! **No other module names the parser.** The text is untrusted: its size is checked where it is read, its depth, nodes and
//! aliases here, before anything is built from them. Strict where YAML is surprising: only `true` and `false` are booleans,
//! a number that JSON cannot hold exactly is refused, keys are texts and stand once, tags and further documents are refused.

mod build;
mod locate;
mod node;
mod scalar;

pub(crate) use build::parse;
pub(crate) use node::{Entry, Kind, Node, Style};
