//! Pack directories to checked packs, with diagnostics that point at the line.
//!
//! Every file is read as untrusted text, turned into a tree in which each key and value knows its place, and checked as far
//! as it goes: **all mistakes of all files are found in one pass**. First each pack by itself (`draft`), then what it calls
//! in others, when all are known ([`Library::load`]). A [`Pack`] exists only without mistakes.
//!
//! **No database, no component is opened (only hashed), no clock.** Only the module `yaml` names the YAML parser. No input panics.

mod action;
mod category;
mod config;
mod diagnostic;
mod digest;
mod draft;
mod fields;
mod files;
mod inspect;
mod library;
mod manifest;
mod metadata;
mod pack;
mod parameters;
mod rehearsal;
mod source;
pub mod suggest;
mod wait;
mod workflow;
mod yaml;

pub use action::{Action, Asked, Body};
pub use category::Category;
pub use diagnostic::{Diagnostic, Report, Severity};
pub use inspect::{Inspection, inspect_workflow};
pub use library::{Broken, Library, check};
pub use manifest::{ConnectionKind, Dependency, Manifest};
pub use metadata::Tag;
pub use pack::Pack;
pub use parameters::{Parameter, ParameterError, ParameterKind, Parameters};
pub use rehearsal::{
    Expected, ExpectedRequest, Mock, MockAnswer, MockEvent, Phase, Rehearsal, read_rehearsals, rehearsal_files,
};
pub use wait::{AnswerError, check_answer};
