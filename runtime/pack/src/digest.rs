//! What a pack is, as one number: two packs with the same digest run the same.
//!
//! **The sums are those of the bytes that were read**, so that a file which changes while the pack is loaded never counts
//! as what was checked. The values of the configuration count too: they may stand in secret, but they decide what a
//! workflow does, and an execution is to end with those that it began with.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// A SHA-256.
pub type Sum = [u8; 32];

/// The sums of the files that matter for running a pack, by their paths below its directory, with `/`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents(BTreeMap<String, Sum>);

impl Contents {
    pub(crate) fn insert(&mut self, path: String, sum: Sum) {
        self.0.insert(path, sum);
    }

    /// The files.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Sum)> {
        self.0.iter().map(|(path, sum)| (path.as_str(), sum))
    }

    /// The sum of one of the files.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Sum> {
        self.0.get(path)
    }

    /// SHA-256, in hexadecimal: of the configuration the length and the bytes; then for each file, sorted by path, the
    /// length of the path, the path, the sum of the file.
    pub(crate) fn digest(&self, config: &[u8]) -> String {
        let mut hasher = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hasher.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(bytes);
        };
        part(config);
        for (path, sum) in &self.0 {
            part(path.as_bytes());
            part(sum);
        }
        hex::encode(hasher.finalize())
    }
}

/// The sum of these bytes.
#[must_use]
pub fn sum(bytes: &[u8]) -> Sum {
    Sha256::digest(bytes).into()
}

/// The sum of a file.
pub(crate) fn sum_of(path: &Path) -> io::Result<Sum> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut part = vec![0; 64 * 1024];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(hasher.finalize().into()),
            length => hasher.update(part.get(..length).unwrap_or_default()),
        }
    }
}

/// A path below a pack's directory, with `/` on every system.
pub(crate) fn relative(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
