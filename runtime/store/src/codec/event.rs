//! How an event is written down: as entries are. What becomes of its matches is kept elsewhere.

use runner_model::{Event, EventId, limits};

use super::{Blob, Digest, Hash, Sealer, blob, digest, from_json, place, to_json};
use crate::StoreError;

/// An event as it is stored.
#[derive(Debug)]
pub(crate) struct WrittenEvent {
    pub json: Vec<u8>,
    /// Which of its values are blobs, as bytes; none if all of them stand in the JSON.
    pub references: Option<Vec<u8>>,
    pub blobs: Vec<Blob>,
    pub digest: Digest,
}

impl WrittenEvent {
    /// How much is written to the database, about.
    pub(crate) fn bytes(&self) -> usize {
        self.blobs.iter().map(|blob| blob.data.len()).sum::<usize>().saturating_add(self.json.len())
    }
}

/// An event as it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoredEvent<'a> {
    pub json: &'a [u8],
    pub references: Option<&'a [u8]>,
    pub digest: &'a [u8],
}

/// What an event is called where it is sealed.
const EVENT: &str = "content";

/// Who may read the parts of an event.
pub(crate) fn owner_of_event(id: EventId) -> String {
    format!("event {id}")
}

/// Makes sure that an event can be written down and read again.
pub(crate) fn check_event(event: &Event) -> Result<(), StoreError> {
    to_json("the event", event).map(|_| ())
}

/// Writes down an event, sealed if there is a sealer.
pub(crate) async fn write_event(event: &Event, sealer: Option<&Sealer>) -> Result<WrittenEvent, StoreError> {
    let mut json = to_json("the event", event)?;
    let (mut references, mut blobs) = (None, Vec::new());
    if json.len() > limits::RESULT_INLINE_BYTES_MAX {
        let mut rest = event.clone();
        let large = place::take_large_of_event(&mut rest)?;
        if !large.is_empty() {
            json = to_json("the event", &rest)?;
            let (found, made) = blob::make(large, sealer.cloned(), String::new()).await?;
            (references, blobs) = (Some(place::write(&found)), made);
        }
    }
    if let Some(sealer) = sealer {
        json = sealer.seal(EVENT, &[&hex::encode(references.as_deref().unwrap_or_default())], &json)?;
    }
    let digest = digest::of(whole(event.id, &json, references.as_deref()));
    Ok(WrittenEvent { json, references, blobs, digest })
}

/// Reads an event and makes sure that it is what was written. `fetch` finds a blob: the length of the value, and the
/// compressed bytes.
pub(crate) fn read_event<E: From<StoreError>>(
    id: EventId,
    stored: StoredEvent<'_>,
    sealer: Option<&Sealer>,
    mut fetch: impl FnMut(&Hash) -> Result<Option<(u64, Vec<u8>)>, E>,
) -> Result<Event, E> {
    let damaged = |why: &str| StoreError::Corrupt { what: format!("event {id} {why}") };
    let StoredEvent { json, references, digest: expected } = stored;
    if !digest::is_of(expected, whole(id, json, references)) {
        return Err(damaged("is not what was written").into());
    }
    let opened = match sealer {
        None => None,
        Some(sealer) => Some(sealer.open(EVENT, &[&hex::encode(references.unwrap_or_default())], json)?),
    };
    let json = opened.as_ref().map_or(json, |opened| opened.as_slice());
    let mut event: Event = from_json(json).map_err(|reason| damaged(&format!("cannot be read: {reason}")))?;
    for reference in place::read(references.unwrap_or_default()) {
        let found = fetch(&reference.hash)?;
        let seal = sealer.map(|sealer| (sealer, String::new()));
        let plain = found.and_then(|(bytes, data)| blob::open(&reference, bytes, &data, seal));
        let plain = plain.ok_or_else(|| damaged("has a large value that is not what was written"))?;
        place::put_back_into_event(&mut event, &reference, &plain)
            .ok_or_else(|| damaged("has no place for a large value"))?;
    }
    Ok(event)
}

/// What the digest of an event is over.
fn whole(id: EventId, json: &[u8], references: Option<&[u8]>) -> impl Fn(&mut dyn FnMut(&[u8])) {
    move |part| {
        part(id.as_bytes());
        part(json);
        digest::references(references, part);
    }
}
