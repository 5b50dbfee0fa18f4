//! Where in an entry or an event a value may be large, how such values are taken out and put back, and how the places are
//! written.

use runner_model::{Entry, Event, Fact, Outcome, limits};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Hash, from_json, to_json};
use crate::StoreError;

/// Bytes of one written reference: the entry, the place in it, the hash.
const WRITTEN_BYTES: usize = 4 + 1 + size_of::<Hash>();

/// A place in the entries of one append, or in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Which entry, counted from 0. In an event: 0 is the event itself, the others are its matches.
    entry: u32,
    /// Which of its values, as counted by [`values`].
    value: u8,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.entry, self.value)
    }
}

/// What stands in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) place: Place,
    pub(super) hash: Hash,
}

/// A value that may be large.
enum Slot<'a> {
    One(&'a mut Value),
    List(&'a mut Vec<Value>),
    Map(&'a mut Map<String, Value>),
}

impl Slot<'_> {
    fn json(&self) -> Result<Vec<u8>, StoreError> {
        fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
            to_json("the entry", value)
        }
        match self {
            Self::One(value) => json(value),
            Self::List(values) => json(values),
            Self::Map(values) => json(values),
        }
    }

    fn clear(self) {
        match self {
            Self::One(value) => *value = Value::Null,
            Self::List(values) => values.clear(),
            Self::Map(values) => values.clear(),
        }
    }

    fn fill(self, json: &[u8]) -> Option<()> {
        match self {
            Self::One(value) => *value = from_json(json).ok()?,
            Self::List(values) => *values = from_json(json).ok()?,
            Self::Map(values) => *values = from_json(json).ok()?,
        }
        Some(())
    }
}

/// The values of a fact that may be large. Their order is a part of the format: further ones come behind.
fn values(fact: &mut Fact) -> Vec<Slot<'_>> {
    match fact {
        Fact::Requested(requested) => vec![Slot::One(&mut requested.parameters)],
        Fact::StepScheduled { input, items, .. } => {
            [Some(Slot::One(input)), items.as_mut().map(Slot::List)].into_iter().flatten().collect()
        }
        Fact::ItemScheduled { input, .. } => vec![Slot::One(input)],
        Fact::AttemptFinished { outcome: Outcome::Succeeded { result }, .. } | Fact::Finished { result, .. } => {
            vec![Slot::One(result)]
        }
        Fact::Answered { answer, .. } => vec![Slot::One(answer)],
        _ => Vec::new(),
    }
}

/// The values of entries that may be large, and where they stand.
fn in_entries(entries: &mut [Entry]) -> impl Iterator<Item = (Place, Slot<'_>)> {
    entries.iter_mut().zip(0..).flat_map(|(one, entry)| {
        values(&mut one.fact).into_iter().zip(0..).map(move |(slot, value)| (Place { entry, value }, slot))
    })
}

/// The values of an event that may be large, and where they stand.
fn in_event(event: &mut Event) -> impl Iterator<Item = (Place, Slot<'_>)> {
    let parameters = event.matches.iter_mut().map(|one| Slot::Map(&mut one.parameters));
    let all = std::iter::once(Slot::One(&mut event.payload)).chain(parameters);
    all.zip(0..).map(|(slot, entry)| (Place { entry, value: 0 }, slot))
}

/// Takes the large values out of the entries, as JSON; null or an empty list stays behind.
pub(super) fn take_large(entries: &mut [Entry]) -> Result<Vec<(Place, Vec<u8>)>, StoreError> {
    take(in_entries(entries))
}

/// The same of an event.
pub(super) fn take_large_of_event(event: &mut Event) -> Result<Vec<(Place, Vec<u8>)>, StoreError> {
    take(in_event(event))
}

fn take<'a>(slots: impl Iterator<Item = (Place, Slot<'a>)>) -> Result<Vec<(Place, Vec<u8>)>, StoreError> {
    let mut taken = Vec::new();
    for (place, slot) in slots {
        let json = slot.json()?;
        if json.len() > limits::RESULT_INLINE_BYTES_MAX {
            slot.clear();
            taken.push((place, json));
        }
    }
    Ok(taken)
}

/// Puts a value back where it was taken from; none if there is no such place, or it is not such a value.
pub(super) fn put_back(entries: &mut [Entry], reference: &Reference, json: &[u8]) -> Option<()> {
    let Place { entry, value } = reference.place;
    let entry = entries.get_mut(usize::try_from(entry).ok()?)?;
    values(&mut entry.fact).into_iter().nth(usize::from(value))?.fill(json)
}

/// The same in an event.
pub(super) fn put_back_into_event(event: &mut Event, reference: &Reference, json: &[u8]) -> Option<()> {
    in_event(event).find(|(place, _)| *place == reference.place)?.1.fill(json)
}

/// References as bytes.
pub(super) fn write(references: &[Reference]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(references.len() * WRITTEN_BYTES);
    for Reference { place, hash } in references {
        bytes.extend(place.entry.to_be_bytes());
        bytes.push(place.value);
        bytes.extend(hash);
    }
    bytes
}

/// References from bytes that a digest has vouched for.
pub(super) fn read(bytes: &[u8]) -> impl Iterator<Item = Reference> {
    let (chunks, _) = bytes.as_chunks::<WRITTEN_BYTES>();
    chunks.iter().filter_map(|chunk| {
        let (entry, rest) = chunk.split_first_chunk()?;
        let (value, hash) = rest.split_first()?;
        let place = Place { entry: u32::from_be_bytes(*entry), value: *value };
        Some(Reference { place, hash: hash.try_into().ok()? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_as_they_were_written() {
        let reference = |entry, value, byte| Reference { place: Place { entry, value }, hash: [byte; 32] };
        let all = [reference(0, 0, 1), reference(u32::MAX, 1, 2), reference(7, 255, 3)];
        assert_eq!(read(&write(&all)).collect::<Vec<_>>(), all);
        assert_eq!(read(&[]).count(), 0);
    }
}
