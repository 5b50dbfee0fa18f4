//! The one door to randomness.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

/// A source of random bytes.
pub trait Entropy: Send + Sync + 'static {
    /// Ten random bytes: the random part of an id.
    fn ten_bytes(&self) -> [u8; 10];
}

/// The operating system's random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

/// Bytes that are fetched at a time, for 64 ids: the calls of the system were 2 % of what a small delivery takes.
const FETCHED: usize = 640;

thread_local! {
    /// What is fetched and not given out.
    static SPARE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Entropy for SystemEntropy {
    fn ten_bytes(&self) -> [u8; 10] {
        SPARE.with_borrow_mut(|spare| {
            if spare.len() < 10 {
                spare.resize(FETCHED, 0);
                if getrandom::fill(spare).is_err() {
                    spare.clear();
                    return without_a_device();
                }
            }
            let mut bytes = [0; 10];
            // What is given out may become part of a key: it is not kept here.
            bytes.iter_mut().zip(spare.iter_mut().rev()).for_each(|(to, from)| *to = std::mem::take(from));
            spare.truncate(spare.len() - bytes.len());
            bytes
        })
    }
}

/// The only failure is an operating system without a random device. An id need not be secret, and the store refuses one that
/// exists, so the process' own address-space noise and counter serve then.
fn without_a_device() -> [u8; 10] {
    static FALLBACK: AtomicU64 = AtomicU64::new(1);
    let seed = (&raw const FALLBACK as u64) ^ u64::from(std::process::id()).rotate_left(32);
    SeededEntropy::new(seed.wrapping_add(FALLBACK.fetch_add(1, Ordering::Relaxed))).ten_bytes()
}

/// The same bytes for the same seed: for tests and simulations.
#[derive(Debug)]
pub struct SeededEntropy(AtomicU64);

impl SeededEntropy {
    /// A source that depends only on `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
    fn next_u64(&self) -> u64 {
        let mut z = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed).wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

impl Entropy for SeededEntropy {
    fn ten_bytes(&self) -> [u8; 10] {
        let wide = (u128::from(self.next_u64()) << 64) | u128::from(self.next_u64());
        let all = wide.to_le_bytes();
        let mut bytes = [0; 10];
        for (to, from) in bytes.iter_mut().zip(all) {
            *to = from;
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_byte_is_given_out_twice() {
        let mine: Vec<_> = (0..1_000).map(|_| SystemEntropy.ten_bytes()).collect();
        let others = std::thread::spawn(|| (0..1_000).map(|_| SystemEntropy.ten_bytes()).collect::<Vec<_>>());
        let all: BTreeSet<_> = mine.into_iter().chain(others.join().unwrap()).collect();
        assert_eq!(all.len(), 2_000);
        assert!(!all.contains(&[0; 10]));
    }
}
