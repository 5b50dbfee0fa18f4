//! What a pack is, as one number: two packs with the same digest run the same.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// SHA-256, in hexadecimal, over the given files: for each, sorted by its path below `root`, the length of the path, the
/// path with `/`, the length of the content, the content.
pub(crate) fn digest(root: &Path, files: &[PathBuf]) -> io::Result<String> {
    let relative = |path: &PathBuf| {
        let below = path.strip_prefix(root).unwrap_or(path);
        below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
    };
    let mut named: Vec<_> = files.iter().map(|path| (relative(path), path)).collect();
    named.sort();
    let mut hasher = Sha256::new();
    for (name, path) in named {
        let mut content = Vec::new();
        File::open(path)?.read_to_end(&mut content)?;
        for part in [name.as_bytes(), &content] {
            hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(part);
        }
    }
    Ok(hex::encode(hasher.finalize()))
}
