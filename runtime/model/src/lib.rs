//! The vocabulary of runner: what every other crate means by its words.
//!
//! Plain data and the rules that belong to it: ids, statuses and their legal moves, journal entries and the view they
//! fold into, permissions and how they intersect, limits, error codes, and the doors to time and randomness.
//!
//! **This crate does no input or output, names no async runtime and no heavy dependency**: everything else is built on
//! it, so a change here must stay cheap.

pub mod access;
pub mod address;
pub mod clock;
pub mod code;
pub mod entropy;
pub mod entry;
pub mod event;
pub mod explain;
pub mod failure;
pub mod id;
pub mod limits;
pub mod manners;
pub mod mask;
pub mod name;
pub mod permission;
pub mod record;
pub mod secret;
pub mod status;
pub mod suggest;
pub mod time;
pub mod view;
pub mod wait;

pub use access::{ApiKey, Role};
pub use address::{AddressClass, AddressRange, Reach};
pub use clock::{Clock, ManualClock, SystemClock};
pub use code::Code;
pub use entropy::{Entropy, SeededEntropy, SystemEntropy};
pub use entry::{DelayReason, Entry, ErrorRecord, Fact, Origin, Purpose, Requested, RerunTask};
pub use event::{Event, Match, MatchState};
pub use explain::answering;
pub use failure::{Failure, Outcome};
pub use id::{AttemptNumber, EventId, ExecutionId, FencingToken, ItemIndex, KeyId, NodeId, RouteId, StepId, Version};
pub use limits::Limits;
pub use manners::{BodyRule, Manners, RetryManners, TestManners};
pub use mask::{JournalMask, Mask};
pub use name::{
    ActionRef, ConnectionName, NameError, PackRef, PolicyRef, RuleRef, SecretName, SensorRef, TaskName, TriggerRef,
};
pub use permission::{
    Asking, Choice, ChoiceError, Configured, Difference, Given, GrantRecord, GrantReport, HttpAsk, HttpRule,
    HttpTarget, KvAccess, Permissions, Standing, effective, grant_command,
};
pub use record::{Course, ExecutionRecord, IllegalEntry};
pub use secret::Secret;
pub use status::Status;
pub use time::Timestamp;
pub use view::{AttemptView, ExecutionView, ItemView, StepView, WaitView};
pub use wait::{OnExpiry, Wait, WaitKind};
