//! Pack directories to checked packs, with diagnostics that point at the line.
//!
//! Every file is read as untrusted text, turned into a tree in which each key and value knows its place, and checked as far
//! as it goes: **all mistakes of all files are found in one pass**. First each pack by itself (`draft`), then what it calls
//! in others, when all are known ([`Library::load`]). A [`Pack`] exists only without mistakes.
//!
//! **No database, no network, no component is opened (only hashed), no clock (but that of the module `watch`).** Only the module `yaml` names the YAML parser,
//! only `install` unpacks archives. No input panics.

mod action;
mod archive;
mod call;
mod category;
mod condition;
mod config;
mod diagnostic;
mod digest;
mod draft;
mod durability;
mod expression;
mod fields;
mod files;
mod idempotent;
mod inspect;
mod install;
mod known;
mod library;
mod manifest;
mod metadata;
mod pack;
mod parameters;
mod policy;
mod rehearsal;
mod rule;
mod sensor;
mod source;
pub mod suggest;
mod time;
mod trigger;
mod triggering;
mod wait;
mod watch;
mod workflow;
mod yaml;

pub use action::{Action, Asked, Body};
pub use archive::{Archive, ArchiveError};
pub use category::Category;
pub use diagnostic::{Diagnostic, Report, Severity};
pub use digest::{Contents, Sum, sum};
pub use idempotent::Idempotent;
pub use inspect::{Inspection, inspect_workflow};
pub use install::{
    Differences, InstallError, LOCK_FILE, Lock, Locked, Origin, Place, Published, Refusal, Staged, bundle, differences,
};
pub use library::{Broken, Changes, Library, check};
pub use manifest::{ConnectionKind, Dependency, Manifest};
pub use metadata::Tag;
pub use pack::Pack;
pub use parameters::{Parameter, ParameterError, ParameterKind, Parameters};
pub use policy::{Over, Policy, PolicyKind};
pub use rehearsal::{
    Expected, ExpectedRequest, Mock, MockAnswer, MockEvent, Phase, Rehearsal, read_rehearsals, rehearsal_files,
};
pub use rule::{Rule, RuleKind, read_rule};
pub use sensor::{Sensor, TriggerType};
pub use trigger::{
    ActionPattern, Algorithm, Encoding, OnMissed, Overlap, Reply, Scheduled, Scheme, Trigger, Webhook, WebhookAuth,
};
pub use wait::{AnswerError, check_answer};
pub use watch::{Watch, WatchError};
