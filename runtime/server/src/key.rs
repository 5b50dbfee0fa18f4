//! Making API keys. The secret is shown once, to whoever makes it; what is kept is its digest.

use runner_model::{ApiKey, Clock, Entropy, KeyId, PackRef, Role, Timestamp};
use runner_store::Digest;
use sha2::{Digest as _, Sha256};

/// What every secret begins with, so that people and scanners know one when they see it.
pub const KEY_PREFIX: &str = "rk_";

/// Makes a key: its secret, what is known of it, and the digest under which it is kept.
///
/// The secret is 256 bits in hexadecimal. It needs no salt and no slow hash: nobody guesses it.
#[must_use]
pub fn new_key(
    entropy: &dyn Entropy,
    clock: &dyn Clock,
    name: String,
    role: Role,
    packs: Option<Vec<PackRef>>,
    expires_at: Option<Timestamp>,
) -> (String, ApiKey, Digest) {
    // Four draws are 320 bits; the hash makes 256 of them.
    let mut random = Sha256::new();
    for _ in 0..4 {
        random.update(entropy.ten_bytes());
    }
    let digits: String = random.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let secret = format!("{KEY_PREFIX}{digits}");
    let key = ApiKey {
        id: KeyId::new(clock, entropy),
        name,
        role,
        packs,
        created_at: clock.now(),
        expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    let digest = key_digest(&secret);
    (secret, key, digest)
}

/// The digest under which the key with this secret is kept.
#[must_use]
pub fn key_digest(secret: &str) -> Digest {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use runner_model::{SystemClock, SystemEntropy};

    use super::*;

    #[test]
    fn a_secret_has_256_bits_and_is_another_each_time() {
        let make = || new_key(&SystemEntropy, &SystemClock, "ci".to_owned(), Role::Viewer, None, None);
        let ((one, key, digest), (other, _, _)) = (make(), make());
        assert_ne!(one, other);
        assert_eq!(one.len(), KEY_PREFIX.len() + 64);
        assert_eq!(key_digest(&one), digest);
        assert!(!serde_json::to_string(&key).unwrap().contains(&one[3..]), "the key does not hold its secret");
    }
}
