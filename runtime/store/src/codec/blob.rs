//! Large values: found by the SHA-256 of their JSON, kept compressed. What is sealed is found by the SHA-256 of what is
//! kept of it, which tells nothing of the value; so no two share one.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use sha2::{Digest as _, Sha256};

use super::Sealer;
use super::place::{Place, Reference};
use crate::StoreError;

/// The SHA-256 of a value's JSON, or of what is kept of a sealed one.
pub(crate) type Hash = [u8; 32];

/// A large value as it is stored.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Blob {
    pub hash: Hash,
    /// The length of the JSON.
    pub bytes: u64,
    /// The JSON, compressed; and sealed, if its owner is.
    pub data: Vec<u8>,
}

/// Makes blobs of values, each once, and says which one stands where. Compressing takes milliseconds, so it is done on
/// a thread that may block.
pub(super) async fn make(
    values: Vec<(Place, Vec<u8>)>,
    sealer: Option<Sealer>,
    within: String,
) -> Result<(Vec<Reference>, Vec<Blob>), StoreError> {
    let made = tokio::task::spawn_blocking(move || {
        let mut references = Vec::with_capacity(values.len());
        let mut blobs: Vec<Blob> = Vec::new();
        for (place, json) in values {
            if let Some(sealer) = &sealer {
                let blob = sealed(sealer, &within, &place, &json)?;
                references.push(Reference { place, hash: blob.hash });
                blobs.push(blob);
                continue;
            }
            let hash = hash(&json);
            references.push(Reference { place, hash });
            if blobs.iter().all(|blob| blob.hash != hash) {
                blobs.push(Blob { hash, bytes: json.len() as u64, data: compress(&json)? });
            }
        }
        Ok((references, blobs))
    });
    made.await.unwrap_or_else(|error| Err(StoreError::Io { reason: error.to_string() }))
}

/// What a large value is called where it is sealed.
const BLOB: &str = "large value";

fn sealed(sealer: &Sealer, within: &str, place: &Place, json: &[u8]) -> Result<Blob, StoreError> {
    let data = sealer.seal(BLOB, &[within, &place.to_string()], &compress(json)?)?;
    Ok(Blob { hash: hash(&data), bytes: json.len() as u64, data })
}

/// The JSON of a blob, sealed if there is a sealer and the append it belongs to; none if it is not what was written.
pub(super) fn open(reference: &Reference, bytes: u64, data: &[u8], seal: Option<(&Sealer, String)>) -> Option<Vec<u8>> {
    let Some((sealer, within)) = seal else { return inflate(&reference.hash, bytes, data) };
    if hash(data) != reference.hash {
        return None;
    }
    let data = sealer.open(BLOB, &[&within, &reference.place.to_string()], data).ok()?;
    let mut json = Vec::new();
    DeflateDecoder::new(data.as_slice()).take(bytes).read_to_end(&mut json).ok()?;
    (json.len() as u64 == bytes).then_some(json)
}

fn inflate(expected: &Hash, bytes: u64, data: &[u8]) -> Option<Vec<u8>> {
    let mut json = Vec::new();
    // However damaged it is, it does not grow beyond what was written.
    DeflateDecoder::new(data).take(bytes).read_to_end(&mut json).ok()?;
    (json.len() as u64 == bytes && hash(&json) == *expected).then_some(json)
}

fn hash(json: &[u8]) -> Hash {
    Sha256::digest(json).into()
}

fn compress(json: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    let done = encoder.write_all(json).and_then(|()| encoder.finish());
    done.map_err(|error| StoreError::Io { reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_comes_back_and_what_is_damaged_does_not() {
        let json = format!("\"{}\"", "volume ".repeat(5_000)).into_bytes();
        let (expected, bytes) = (hash(&json), json.len() as u64);
        let data = compress(&json).unwrap();
        assert!(data.len() * 10 < json.len());
        assert_eq!(inflate(&expected, bytes, &data), Some(json));
        assert_eq!(inflate(&expected, bytes - 1, &data), None);
        assert_eq!(inflate(&expected, bytes + 1, &data), None);
        assert_eq!(inflate(&[0; 32], bytes, &data), None);
        assert_eq!(inflate(&expected, bytes, &data[..data.len() / 2]), None);
        for place in 0..data.len() {
            let mut damaged = data.clone();
            damaged[place] ^= 0x10;
            // The padding of the last byte says nothing.
            assert!(inflate(&expected, bytes, &damaged).is_none_or(|json| hash(&json) == expected), "byte {place}");
        }
    }
}
