//! Compiled components on disk: found by content, believed only with the right seal.
//!
//! A file holds machine code that runs outside any sandbox, so whoever can change it owns the process. Each file
//! therefore begins with a keyed BLAKE3 over its name and content, made with a key that only this user can read. A file
//! without the right seal is never looked at: the component is compiled again and the file replaced. A file is written
//! beside its place and renamed into it, so that two processes can share a directory.
//!
//! Each command that calls an action goes over all of its code first: BLAKE3 is fast on every processor, SHA-256 only on
//! those that have instructions for it.

mod key;
mod trusted;
mod upkeep;

use std::fs;
use std::hash::{Hash as _, Hasher};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runner_model::Clock;
use tracing::warn;
use wasmtime::Engine;
use wasmtime::component::Component;

pub(crate) use trusted::deserialize;

use crate::compile::Sum;

/// The seal's length, in bytes.
const SEAL_BYTES: usize = blake3::OUT_LEN;
/// Changes whenever the layout of a file does.
const FORMAT: &[u8] = b"runner compiled component 3";

/// A directory of compiled components.
pub(crate) struct Cache {
    directory: PathBuf,
    key: key::Key,
    clock: Arc<dyn Clock>,
}

impl Cache {
    /// Opens a directory, which is made if it is not there. Only this user may enter it.
    pub(crate) fn open(directory: PathBuf, clock: Arc<dyn Clock>) -> io::Result<Self> {
        key::make_private_directory(&directory)?;
        let key = key::Key::of(&directory)?;
        Ok(Self { directory, key, clock })
    }

    /// The compiled form of the component with this sum, if it is there and can be trusted.
    pub(crate) fn get(&self, engine: &Engine, sum: &Sum) -> Option<Component> {
        let name = hex::encode(sum);
        let path = self.path(&name);
        let file = match fs::read(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                warn!(path = %path.display(), %error, "a compiled component cannot be read; compiling it again");
                return None;
            }
        };
        let Some(code) = self.unseal(&name, &file) else {
            warn!(path = %path.display(), "a compiled component was changed or is damaged; compiling it again");
            return None;
        };
        match deserialize(engine, code) {
            Ok(component) => {
                upkeep::note_use(&path, self.clock.now());
                Some(component)
            }
            Err(error) => {
                warn!(path = %path.display(), %error, "a compiled component does not fit this engine; compiling it again");
                None
            }
        }
    }

    /// Keeps the compiled form of a component. That it cannot be kept costs time, not correctness: it is logged.
    pub(crate) fn put(&self, sum: &Sum, code: &[u8]) {
        if let Err(error) = self.write(&hex::encode(sum), code) {
            warn!(directory = %self.directory.display(), %error, "a compiled component cannot be kept");
        }
        upkeep::remove_old(&self.directory, self.clock.now());
    }

    fn write(&self, name: &str, code: &[u8]) -> io::Result<()> {
        let mut suffix = [0; 8];
        getrandom::fill(&mut suffix).map_err(io::Error::other)?;
        let beside = self.directory.join(format!("{name}.{}", hex::encode(suffix)));
        let result = key::create_private(&beside).and_then(|mut file| {
            file.write_all(self.seal(name, code).as_bytes())?;
            file.write_all(code)?;
            fs::rename(&beside, self.path(name))
        });
        if result.is_err() {
            // The error that is reported is the first one.
            let _ = fs::remove_file(&beside);
        }
        result
    }

    fn unseal<'a>(&self, name: &str, file: &'a [u8]) -> Option<&'a [u8]> {
        let (seal, code) = file.split_first_chunk::<SEAL_BYTES>()?;
        // Compares in constant time.
        (self.seal(name, code) == *seal).then_some(code)
    }

    fn seal(&self, name: &str, code: &[u8]) -> blake3::Hash {
        let mut seal = blake3::Hasher::new_keyed(self.key.bytes());
        seal.update(FORMAT).update(name.as_bytes()).update(code);
        seal.finalize()
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new(&self.directory).join(name).with_extension("cwasm")
    }
}

/// What the compiled form depends on: the component, and the engine that runs it.
pub(crate) fn sum(engine: &Engine, wasm: &[u8]) -> Sum {
    let mut settings = StableHasher(blake3::Hasher::new());
    engine.precompile_compatibility_hash().hash(&mut settings);
    let mut sum = blake3::Hasher::new();
    sum.update(FORMAT).update(blake3::hash(wasm).as_bytes());
    // Holds wasmtime's version, the target with its processor features, and every setting of the engine.
    sum.update(settings.0.finalize().as_bytes());
    sum.finalize().into()
}

/// The standard library's hashers may differ between compilers; this one does not.
struct StableHasher(blake3::Hasher);

impl Hasher for StableHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        self.0.finalize().as_bytes().first_chunk().copied().map_or(0, u64::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use runner_model::SystemClock;

    use super::*;

    /// A repeatable source of numbers (xorshift64).
    struct Chance(u64);

    impl Chance {
        fn below(&mut self, end: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
        }
    }

    /// One change of a file, of the kinds that disks and adversaries make.
    fn mutated(file: &[u8], chance: &mut Chance) -> Vec<u8> {
        let mut bytes = file.to_vec();
        let place = chance.below(bytes.len());
        match chance.below(7) {
            0 => bytes[place] ^= 1 << chance.below(8),
            1 => bytes[place] = bytes[place].wrapping_add(1 + u8::try_from(chance.below(255)).unwrap()),
            2 => bytes.truncate(place),
            3 => bytes.insert(place, u8::try_from(chance.below(256)).unwrap()),
            4 => drop(bytes.remove(place)),
            5 => bytes.extend(vec![0; 1 + chance.below(100)]),
            _ => bytes[..=place].reverse(),
        }
        bytes
    }

    /// S6.
    #[test]
    fn none_of_10_000_mutations_of_a_file_is_accepted() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path().join("cache"), Arc::new(SystemClock)).unwrap();
        let code: Vec<u8> = (0..600_usize).map(|number| u8::try_from(number % 251).unwrap()).collect();
        let sum = [7; 32];
        cache.put(&sum, &code);
        let name = hex::encode(sum);
        let file = fs::read(cache.path(&name)).unwrap();
        assert_eq!(cache.unseal(&name, &file), Some(code.as_slice()));
        let mut chance = Chance(0x5eed);
        let (mut tried, mut accepted) = (0, 0);
        while tried < 10_000 {
            let mutation = mutated(&file, &mut chance);
            if mutation == file {
                continue;
            }
            tried += 1;
            accepted += usize::from(cache.unseal(&name, &mutation).is_some());
        }
        assert_eq!(accepted, 0);
        // The very file under another name is another component's.
        assert_eq!(cache.unseal(&hex::encode([8; 32]), &file), None);
    }
}
