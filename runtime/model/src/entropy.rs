//! The one door to randomness.

use std::sync::atomic::{AtomicU64, Ordering};

/// A source of random bytes.
pub trait Entropy: Send + Sync + 'static {
    /// Ten random bytes: the random part of an id.
    fn ten_bytes(&self) -> [u8; 10];
}

/// The operating system's random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn ten_bytes(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        // The only failure is an operating system without a random device. An id need not be secret, and the store
        // refuses one that exists, so the process' own address-space noise and counter serve then.
        if getrandom::fill(&mut bytes).is_err() {
            static FALLBACK: AtomicU64 = AtomicU64::new(1);
            let seed = (&raw const FALLBACK as u64) ^ u64::from(std::process::id()).rotate_left(32);
            return SeededEntropy::new(seed.wrapping_add(FALLBACK.fetch_add(1, Ordering::Relaxed))).ten_bytes();
        }
        bytes
    }
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
