//! Random numbers of the host, fit for keys and passwords.

use crate::host;

/// Bytes that the host gives at once.
const CHUNK_BYTES: usize = 65_536;

/// `length` random bytes.
#[must_use]
pub fn bytes(length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let wanted = (length - bytes.len()).min(CHUNK_BYTES);
        bytes.extend(host::random(u32::try_from(wanted).unwrap_or(u32::MAX)));
    }
    bytes.truncate(length);
    bytes
}

/// An array of random bytes.
#[must_use]
pub fn array<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut array = [0; LENGTH];
    for (slot, byte) in array.iter_mut().zip(bytes(LENGTH)) {
        *slot = byte;
    }
    array
}

/// A random number.
#[must_use]
pub fn number() -> u64 {
    u64::from_le_bytes(array())
}
