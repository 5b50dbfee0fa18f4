//! How entries and values are written down: JSON, of limited depth, with a digest for what must never change.
//!
//! `serde_json` writes any depth but reads only 128 levels, and an entry wraps the values of others in levels of its
//! own: a result that was just deep enough to be read from the guest could be recorded and never read again. So the
//! depth is counted here, in both directions, and the reader's own limit is off.
//!
//! A large value of an entry is taken out of it and kept as a [`Blob`]. Which ones were taken stands beside the entries,
//! in a column of its own, so that no value that a user made can be taken for a reference.

mod blob;
mod digest;
mod event;
mod place;
mod sealing;

use runner_model::{Entry, ExecutionId, Version, limits};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoreError;
pub(crate) use blob::{Blob, Hash};
pub(crate) use digest::Digest;
pub(crate) use event::{StoredEvent, WrittenEvent, check_event, owner_of_event, read_event, write_event};
pub(crate) use sealing::Sealer;

/// Levels that the journal may add around a value: the list, the entry, the outcome, the failure, and some to spare.
const DEPTH_MAX: usize = limits::JSON_DEPTH_MAX + 16;

/// The entries of one append as they are stored.
#[derive(Debug)]
pub(crate) struct Written {
    pub json: Vec<u8>,
    pub count: u64,
    /// Which values of the entries are blobs, as bytes; none if all of them stand in the JSON.
    pub references: Option<Vec<u8>>,
    pub blobs: Vec<Blob>,
    pub digest: Digest,
}

impl Written {
    /// How much is written to the database, about.
    pub(crate) fn bytes(&self) -> usize {
        self.blobs.iter().map(|blob| blob.data.len()).sum::<usize>().saturating_add(self.json.len())
    }
}

/// The entries of one append as they are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored<'a> {
    pub json: &'a [u8],
    pub count: u64,
    pub references: Option<&'a [u8]>,
    pub digest: &'a [u8],
}

/// The blobs that references name.
pub(crate) fn hashes(references: &[u8]) -> impl Iterator<Item = Hash> {
    place::read(references).map(|reference| reference.hash)
}

/// Makes sure that entries can be written down and read again.
pub(crate) fn check_entries(entries: &[Entry]) -> Result<(), StoreError> {
    to_json("the entry", &entries).map(|_| ())
}

/// Who may read the parts of an execution.
pub(crate) fn owner_of(id: ExecutionId) -> String {
    format!("execution {id}")
}

/// Writes down the entries that follow after `first` others, sealed if there is a sealer. Their large values are gone from
/// them afterwards.
pub(crate) async fn write_entries(
    id: ExecutionId,
    first: Version,
    entries: &mut [Entry],
    sealer: Option<&Sealer>,
) -> Result<Written, StoreError> {
    let count = entries.len() as u64;
    // The depth is that of the whole, wherever its parts are kept.
    let mut json = to_json("the entry", &entries)?;
    let mut blobs = Vec::new();
    let mut references = None;
    if json.len() > limits::RESULT_INLINE_BYTES_MAX {
        let large = place::take_large(entries)?;
        if !large.is_empty() {
            json = to_json("the entry", &entries)?;
            let (found, made) = blob::make(large, sealer.cloned(), first.0.to_string()).await?;
            (references, blobs) = (Some(place::write(&found)), made);
        }
    }
    if let Some(sealer) = sealer {
        json = sealer.seal(
            ENTRIES,
            &entries_place(first, count, references.as_deref()).each_ref().map(|part| &**part),
            &json,
        )?;
    }
    let digest = digest::of(append(id, first, count, &json, references.as_deref()));
    Ok(Written { json, count, references, blobs, digest })
}

/// What the entries of an append are called where they are sealed.
const ENTRIES: &str = "journal";

/// The place of an append: which entries they are, and which blobs belong to them.
fn entries_place(first: Version, count: u64, references: Option<&[u8]>) -> [String; 3] {
    [first.0.to_string(), count.to_string(), hex::encode(references.unwrap_or_default())]
}

/// Reads the entries of one append and makes sure that they are what was written. `fetch` finds a blob: the length of
/// the value, and the compressed bytes.
pub(crate) fn read_entries<E: From<StoreError>>(
    id: ExecutionId,
    first: Version,
    stored: Stored<'_>,
    sealer: Option<&Sealer>,
    mut fetch: impl FnMut(&Hash) -> Result<Option<(u64, Vec<u8>)>, E>,
) -> Result<Vec<Entry>, E> {
    let damaged = |why: &str| StoreError::Corrupt { what: format!("entry {first} of execution {id} {why}") };
    let Stored { json, count, references, digest: expected } = stored;
    if !digest::is_of(expected, append(id, first, count, json, references)) {
        return Err(damaged("is not what was written").into());
    }
    let opened = match sealer {
        None => None,
        Some(sealer) => {
            let place = entries_place(first, count, references);
            Some(sealer.open(ENTRIES, &place.each_ref().map(|part| &**part), json)?)
        }
    };
    let json = opened.as_ref().map_or(json, |opened| opened.as_slice());
    let mut entries: Vec<Entry> = from_json(json).map_err(|reason| damaged(&format!("cannot be read: {reason}")))?;
    if entries.len() as u64 != count {
        return Err(damaged("has another number of entries than recorded").into());
    }
    for reference in place::read(references.unwrap_or_default()) {
        let found = fetch(&reference.hash)?;
        let seal = sealer.map(|sealer| (sealer, first.0.to_string()));
        let plain = found.and_then(|(bytes, data)| blob::open(&reference, bytes, &data, seal));
        let plain = plain.ok_or_else(|| damaged("has a large value that is not what was written"))?;
        place::put_back(&mut entries, &reference, &plain).ok_or_else(|| damaged("has no place for a large value"))?;
    }
    Ok(entries)
}

/// Writes a value as JSON.
pub(crate) fn to_json<T: Serialize>(what: &'static str, value: &T) -> Result<Vec<u8>, StoreError> {
    let illegal = |reason| StoreError::Illegal { what, reason };
    // What most of them take: it need not grow then.
    let mut json = Vec::with_capacity(1024);
    serde_json::to_writer(&mut json, value).map_err(|error| illegal(error.to_string()))?;
    match too_deep(&json) {
        Some(levels) => Err(illegal(format!("it has {levels} levels, at most {DEPTH_MAX} are allowed"))),
        None => Ok(json),
    }
}

/// Reads a value from JSON; the error is a reason.
pub(crate) fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, String> {
    if too_deep(json).is_some() {
        return Err(format!("it has more than {DEPTH_MAX} levels"));
    }
    let mut reader = serde_json::Deserializer::from_slice(json);
    reader.disable_recursion_limit();
    let value = T::deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| error.to_string())
}

/// The deepest nesting of lists and objects, if it is deeper than allowed.
fn too_deep(json: &[u8]) -> Option<usize> {
    // Most have not even as many brackets, whatever stands within texts.
    memchr::memchr2_iter(b'[', b'{', json).nth(DEPTH_MAX)?;
    Some(depth(json)).filter(|levels| *levels > DEPTH_MAX)
}

/// The deepest nesting of lists and objects.
fn depth(json: &[u8]) -> usize {
    let (mut level, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                level += 1;
                deepest = deepest.max(level);
            }
            b']' | b'}' if !in_string => level = level.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// What the digest of an append is over.
fn append(
    id: ExecutionId,
    first: Version,
    count: u64,
    json: &[u8],
    references: Option<&[u8]>,
) -> impl Fn(&mut dyn FnMut(&[u8])) {
    move |part| {
        part(id.as_bytes());
        part(&first.0.to_be_bytes());
        part(&count.to_be_bytes());
        part(json);
        digest::references(references, part);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn nested(levels: usize) -> Value {
        (0..levels).fold(Value::Null, |inner, _| json!([inner]))
    }

    #[test]
    fn depth_counts_brackets_outside_of_strings() {
        assert_eq!(depth(br#"{"a":[1,{"b":"]]}}\"[[[["}],"c":[]}"#), 3);
        assert_eq!(depth(b"1"), 0);
    }

    #[test]
    fn what_is_written_can_be_read_back_up_to_the_limit() {
        for levels in [limits::JSON_DEPTH_MAX, DEPTH_MAX] {
            let json = to_json("it", &nested(levels)).unwrap();
            assert_eq!(from_json::<Value>(&json).unwrap(), nested(levels));
        }
        assert!(matches!(to_json("it", &nested(DEPTH_MAX + 1)), Err(StoreError::Illegal { .. })));
    }

    #[test]
    fn a_deep_value_from_elsewhere_is_an_error_and_no_overflow() {
        assert!(from_json::<Value>("[".repeat(1_000_000).as_bytes()).unwrap_err().contains("levels"));
    }

    #[test]
    fn numbers_come_back_as_they_were() {
        for number in
            [json!(0.1 + 0.2), json!(1.7976931348623157e308), json!(u64::MAX), json!(5e-324), json!(123456.789e-7)]
        {
            assert_eq!(from_json::<Value>(&to_json("it", &number).unwrap()).unwrap(), number);
        }
    }
}
