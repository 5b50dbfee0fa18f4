//! Whether bytes are what was written: a digest against accidents. Whoever may write to the database could write another
//! digest too, so it need be no cryptographic one; every append is passed through it, and every processor is fast at this
//! one.

use sha2::{Digest as _, Sha256};
use xxhash_rust::xxh3::Xxh3;

/// The digest of one append, or of one event: XXH3 with 128 bits.
pub(crate) type Digest = [u8; 16];

/// The digest of what is given, part by part.
pub(super) fn of(parts: impl Fn(&mut dyn FnMut(&[u8]))) -> Digest {
    let mut hash = Xxh3::new();
    parts(&mut |part| hash.update(part));
    hash.digest128().to_be_bytes()
}

/// Whether what is given is what was written with this digest.
pub(super) fn is_of(expected: &[u8], parts: impl Fn(&mut dyn FnMut(&[u8]))) -> bool {
    of(&parts) == expected || earlier(parts) == expected
}

/// Gives references to large values, if there are any, so that no other part can be taken for them.
pub(super) fn references(references: Option<&[u8]>, part: &mut dyn FnMut(&[u8])) {
    if let Some(references) = references {
        part(references);
        part(&references.len().to_be_bytes());
    }
}

/// What was written up to version 7 of the database: the first half of a SHA-256.
fn earlier(parts: impl Fn(&mut dyn FnMut(&[u8]))) -> Digest {
    let mut hash = Sha256::new();
    parts(&mut |part| hash.update(part));
    let whole: [u8; 32] = hash.finalize().into();
    whole.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts<'a>(parts: &'a [&'a [u8]]) -> impl Fn(&mut dyn FnMut(&[u8])) {
        move |part| parts.iter().for_each(|one| part(one))
    }

    #[test]
    fn digests_are_those_that_are_published_for_them() {
        assert_eq!(hex::encode(of(parts(&[]))), "99aa06d3014798d86001c324468d497f");
        assert_eq!(hex::encode(earlier(parts(&[b"abc"]))), "ba7816bf8f01cfea414140de5dae2223");
    }

    #[test]
    fn parts_are_one_after_the_other_and_a_changed_bit_is_another_digest() {
        let long: Vec<u8> = (0..=255).cycle().take(2_000).collect();
        for end in [1, 16, 17, 128, 129, 240, 241, 1_024, 2_000] {
            let whole = &long[..end];
            let (front, back) = whole.split_at(end / 3);
            for expected in [of(parts(&[whole])), earlier(parts(&[whole]))] {
                assert!(is_of(&expected, parts(&[front, back])), "{end}");
                for bit in (0..end * 8).step_by(17) {
                    let mut changed = whole.to_vec();
                    changed[bit / 8] ^= 1 << (bit % 8);
                    assert!(!is_of(&expected, parts(&[&changed])), "{end}: {bit}");
                }
            }
        }
        assert!(!is_of(b"", parts(&[])));
    }
}
