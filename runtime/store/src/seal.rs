//! Sealing: bytes that only who has the key can read or make, bound to the place where they stand.
//!
//! XChaCha20-Poly1305 with a random nonce. The place (whose value it is, its name, its version) is authenticated beside
//! it: a sealed value that is copied to another place, or put back after it was replaced, does not open. Where keys come
//! from is not known here.

use std::fmt;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A key's length, in bytes.
pub const SEAL_KEY_BYTES: usize = 32;
const KEY_ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;
/// Half of the digest: enough that no two texts have the same.
const TAG_BYTES: usize = 16;
/// Changes whenever the layout or the cipher does.
const FORMAT: u8 = 1;

/// Why something cannot be sealed or opened. Holds nothing of either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It was sealed with a key that is not there.
    #[error("it was sealed with the key `{0}`, which is not there")]
    OtherKey(KeyName),
    /// It was changed, belongs to another place, or is no sealed value at all.
    #[error("it was changed, or belongs somewhere else")]
    Broken,
    /// The operating system gave no randomness.
    #[error("the operating system gives no randomness")]
    NoRandomness,
}

/// What a key is called: says nothing about the key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyName([u8; KEY_ID_BYTES]);

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One key.
#[derive(Clone)]
pub struct SealKey(Zeroizing<[u8; SEAL_KEY_BYTES]>);

impl SealKey {
    /// A key of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; SEAL_KEY_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> KeyName {
        KeyName(self.id())
    }

    /// What it is called in sealed values.
    fn id(&self) -> [u8; KEY_ID_BYTES] {
        let mut digest = Sha256::new();
        digest.update(b"runner seal key");
        digest.update(self.0.as_slice());
        let mut id = [0; KEY_ID_BYTES];
        id.iter_mut().zip(digest.finalize()).for_each(|(to, from)| *to = from);
        id
    }
}

impl SealKey {
    fn tag(&self, domain: &str, text: &str) -> Option<[u8; TAG_BYTES]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).ok()?;
        mac.update(&authenticated(b"runner tag", &[domain, text]));
        let whole = mac.finalize().into_bytes();
        let mut tag = [0; TAG_BYTES];
        tag.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
        Some(tag)
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The key that seals, and earlier ones that still open. A clone holds the same keys.
#[derive(Debug, Clone)]
pub struct Keyring {
    current: SealKey,
    earlier: Vec<SealKey>,
}

impl Keyring {
    /// These keys.
    #[must_use]
    pub const fn new(current: SealKey, earlier: Vec<SealKey>) -> Self {
        Self { current, earlier }
    }

    /// What the key that seals is called.
    #[must_use]
    pub fn name(&self) -> KeyName {
        self.current.name()
    }

    /// Seals bytes for a place.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn seal(&self, place: &[&str], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut sealed = vec![FORMAT];
        sealed.extend_from_slice(&self.current.id());
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| SealError::NoRandomness)?;
        sealed.extend_from_slice(&nonce);
        let aad = authenticated(&sealed, place);
        let cipher = XChaCha20Poly1305::new((&*self.current.0).into());
        let text = cipher.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad });
        sealed.extend_from_slice(&text.map_err(|_| SealError::Broken)?);
        Ok(sealed)
    }

    /// Opens what was sealed for this very place.
    ///
    /// # Errors
    /// [`SealError::OtherKey`] or [`SealError::Broken`].
    pub fn open(&self, place: &[&str], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (head, text) = sealed.split_at_checked(1 + KEY_ID_BYTES + NONCE_BYTES).ok_or(SealError::Broken)?;
        let (format, rest) = head.split_first().ok_or(SealError::Broken)?;
        let (id, nonce) = rest.split_at_checked(KEY_ID_BYTES).ok_or(SealError::Broken)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| SealError::Broken)?;
        if *format != FORMAT {
            return Err(SealError::Broken);
        }
        let key = std::iter::once(&self.current).chain(&self.earlier).find(|key| key.id() == id);
        let missing = || id.try_into().map_or(SealError::Broken, |id| SealError::OtherKey(KeyName(id)));
        let key = key.ok_or_else(missing)?;
        let aad = authenticated(head, place);
        let cipher = XChaCha20Poly1305::new((&*key.0).into());
        let plain = cipher.decrypt(&XNonce::from(nonce), Payload { msg: text, aad: &aad });
        plain.map(Zeroizing::new).map_err(|_| SealError::Broken)
    }

    /// What stands for a text where it is looked for and must not be read: its HMAC-SHA256 by each key, that of the
    /// current one first.
    #[must_use]
    pub fn tags(&self, domain: &str, text: &str) -> Vec<[u8; TAG_BYTES]> {
        let all = std::iter::once(&self.current).chain(&self.earlier);
        all.filter_map(|key| key.tag(domain, text)).collect()
    }

    /// Whether it was sealed with the current key: what was not is to be sealed anew.
    #[must_use]
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        sealed.get(1..=KEY_ID_BYTES).is_some_and(|id| id == self.current.id())
    }
}

/// What is authenticated beside the text: each part with its length, so that no two places read the same.
fn authenticated(head: &[u8], place: &[&str]) -> Vec<u8> {
    let mut aad = head.to_vec();
    for part in place {
        aad.extend_from_slice(&(part.len() as u64).to_le_bytes());
        aad.extend_from_slice(part.as_bytes());
    }
    aad
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(byte: u8) -> Keyring {
        Keyring::new(SealKey::new([byte; SEAL_KEY_BYTES]), Vec::new())
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let sealed = ring(1).seal(&["secret", "ontap", "1"], b"netapp1!").unwrap();
        assert_eq!(ring(1).open(&["secret", "ontap", "1"], &sealed).unwrap().as_slice(), b"netapp1!");
        assert!(!sealed.windows(8).any(|window| window == b"netapp1!"));
        for place in [&["secret", "ontap", "2"], &["secret", "aws", "1"], &["secret", "ontap1", ""]] {
            assert_eq!(ring(1).open(place, &sealed), Err(SealError::Broken), "{place:?}");
        }
        assert_ne!(sealed, ring(1).seal(&["secret", "ontap", "1"], b"netapp1!").unwrap(), "the nonce is random");
    }

    #[test]
    fn a_change_of_any_bit_or_length_is_noticed() {
        let sealed = ring(1).seal(&["a"], b"some text").unwrap();
        for at in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[at / 8] ^= 1 << (at % 8);
            assert!(ring(1).open(&["a"], &changed).is_err(), "bit {at}");
        }
        for length in 0..sealed.len() {
            assert!(ring(1).open(&["a"], &sealed[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn an_earlier_key_opens_and_does_not_seal() {
        let old = ring(1).seal(&["a"], b"text").unwrap();
        assert_eq!(ring(2).open(&["a"], &old), Err(SealError::OtherKey(SealKey::new([1; 32]).name())));
        let both = Keyring::new(SealKey::new([2; 32]), vec![SealKey::new([1; 32])]);
        assert_eq!(both.open(&["a"], &old).unwrap().as_slice(), b"text");
        assert!(!both.is_current(&old) && both.is_current(&both.seal(&["a"], b"").unwrap()));
        assert_eq!(format!("{both:?}").matches("***").count(), 2);
    }
}
