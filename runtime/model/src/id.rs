//! Identities and counters. Each is a type of its own, so that one cannot be passed for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Clock, Entropy, RuleRef, Timestamp};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id at the clock's present moment.
            #[must_use]
            pub fn new(clock: &dyn Clock, entropy: &dyn Entropy) -> Self {
                let millis = u64::try_from(clock.now().as_millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &entropy.ten_bytes()).into_uuid())
            }

            /// The sixteen bytes, most significant first: their order is the order of ids.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The id with these sixteen bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }
    )*};
}

ids! {
    /// The identity of one execution: a UUID of version 7 (RFC 9562), so that ids sort by the time they were made.
    ExecutionId;
    /// The identity of one event, made in the same way.
    EventId;
    /// The identity of an API key, made in the same way. It is no secret.
    KeyId;
}

impl ExecutionId {
    /// The id of the execution that a step of this one starts: the same whenever the step is looked at again, so that
    /// a step never starts two. It keeps the parent's time, and so its place in the order of ids.
    #[must_use]
    pub fn child(&self, step: StepId, item: Option<ItemIndex>, attempt: AttemptNumber) -> Self {
        let mut name = self.0.as_bytes().to_vec();
        name.extend(step.0.to_be_bytes());
        name.extend(item.into_iter().flat_map(|item| item.0.to_be_bytes()));
        name.extend(attempt.0.to_be_bytes());
        Self(named(&self.0, &name))
    }
}

impl EventId {
    /// What no id of an event at this moment or later lies below.
    #[must_use]
    pub fn earliest(moment: Timestamp) -> Self {
        // Of the time an id holds 48 bits: until the year 10889.
        let millis = u64::try_from(moment.as_millis()).unwrap_or(0).min((1 << 48) - 1);
        Self::from_bytes((u128::from(millis) << 80).to_be_bytes())
    }

    /// The id of the execution that a rule makes of this event: the same whenever the event is looked at again, so that
    /// it never makes two. It keeps the event's time, and so its place in the order of ids.
    #[must_use]
    pub fn execution(&self, rule: &RuleRef) -> ExecutionId {
        ExecutionId(named(&self.0, rule.as_str().as_bytes()))
    }
}

/// A UUID of version 8 (free form): a name within another UUID, as RFC 9562 makes version 5, with the time of the other.
fn named(within: &Uuid, name: &[u8]) -> Uuid {
    let mut bytes = *Uuid::new_v5(within, name).as_bytes();
    for (byte, time) in bytes.iter_mut().zip(within.as_bytes()).take(6) {
        *byte = *time;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            /// The one that follows.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

counters! {
    /// A step of an execution, counted from 0 in the order of their start.
    StepId(u32);
    /// A try of a step, counted from 1.
    AttemptNumber(u32);
    /// An item of a step that runs over a list, counted from 0.
    ItemIndex(u32);
    /// A route through a workflow, counted from 0; a split starts a new one.
    RouteId(u32);
    /// How many entries a journal holds: an append says how many it expects to find.
    Version(u64);
    /// Grows each time an execution changes its owner; a write with an older token is refused.
    FencingToken(u64);
}

impl AttemptNumber {
    /// The first try.
    pub const FIRST: Self = Self(1);
}

/// The process that owns an execution, for as long as its lease lasts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub String);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ManualClock, SeededEntropy, Timestamp};

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let clock = ManualClock::at(Timestamp::from_millis(1_795_257_960_000));
        let entropy = SeededEntropy::new(1);
        let first = ExecutionId::new(&clock, &entropy);
        clock.advance_ms(1);
        let second = ExecutionId::new(&clock, &entropy);
        assert!(first < second && first.to_string() < second.to_string());
        assert_eq!(first.to_string().parse::<ExecutionId>().unwrap(), first);
    }

    #[test]
    fn the_earliest_id_of_a_moment_lies_below_its_ids_and_above_those_before() {
        let moment = Timestamp::from_millis(1_795_257_960_000);
        let entropy = SeededEntropy::new(1);
        let made = |more| EventId::new(&ManualClock::at(moment.plus_ms(more)), &entropy);
        let earliest = EventId::earliest(moment);
        assert!(made(-1) < earliest && earliest <= made(0) && earliest < made(1));
        assert_eq!(*EventId::earliest(Timestamp::from_millis(-1)).as_bytes(), [0; 16]);
        assert!(earliest < EventId::earliest(Timestamp::from_millis(i64::MAX)));
    }

    #[test]
    fn the_executions_that_steps_start_have_ids_of_their_own_that_stay_the_same() {
        let parent =
            ExecutionId::new(&ManualClock::at(Timestamp::from_millis(1_795_257_960_000)), &SeededEntropy::new(1));
        let child = parent.child(StepId(0), None, AttemptNumber::FIRST);
        assert_eq!(child, parent.child(StepId(0), None, AttemptNumber::FIRST));
        assert_ne!(child, parent.child(StepId(1), None, AttemptNumber::FIRST));
        assert_ne!(child, parent.child(StepId(0), None, AttemptNumber(2)));
        assert_ne!(child, parent.child(StepId(0), Some(ItemIndex(0)), AttemptNumber::FIRST));
        assert_eq!(child.as_bytes()[..6], parent.as_bytes()[..6]);
    }
}
