//! `runner.lock`: what was installed into a packs directory, from where, and the sum of each file.

use std::collections::BTreeMap;
use std::path::Path;

use runner_model::{PackRef, Timestamp, limits};
use serde::{Deserialize, Serialize};

use super::InstallError;
use super::swap::replace_file;
use crate::digest::{Contents, Sum};
use crate::source::{ReadError, read};

/// The name of the file, in the packs directory.
pub const LOCK_FILE: &str = "runner.lock";

/// The format that is written.
const FORMAT: u32 = 1;

const HEAD: &str = "# What `runner pack install` put into this directory. `runner pack verify` compares.\n\n";

/// What was installed into a packs directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock(pub BTreeMap<PackRef, Locked>);

/// A pack that was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// Its version.
    pub version: String,
    /// Where it came from: an address without its query, or a path.
    pub source: String,
    /// SHA-256 of the archive; none if it came from a directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// SHA-256 over the paths and sums of its files, made like the digest of a pack without a configuration.
    pub digest: String,
    /// When, as RFC 3339.
    pub installed_at: String,
    /// SHA-256 of each file, by its path.
    pub files: BTreeMap<String, String>,
}

/// Where a pack comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// An address without its query, or a path.
    pub source: String,
    /// SHA-256 of the archive; none if it comes from a directory.
    pub sha256: Option<String>,
    /// The moment.
    pub at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u32,
    #[serde(default)]
    packs: BTreeMap<PackRef, Locked>,
}

impl Lock {
    /// Reads the lock of a packs directory: empty if there is none.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn read(packs: &Path) -> Result<Self, InstallError> {
        let path = packs.join(LOCK_FILE);
        let wrong = |why: String| InstallError::Lock { path: path.clone(), why };
        let text = match read(&path, limits::PACK_LOCK_BYTES_MAX) {
            Ok(text) => text,
            Err(ReadError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(wrong(error.to_string())),
        };
        // A later format may have other keys: its number is looked at first.
        let format = toml::from_str::<toml::Table>(&text).ok().and_then(|table| table.get("format")?.as_integer());
        if format.is_some_and(|format| format > i64::from(FORMAT)) {
            return Err(wrong("it was written by a newer version of runner".to_owned()));
        }
        let written: Written = toml::from_str(&text).map_err(|error| wrong(error.message().to_owned()))?;
        for (reference, locked) in &written.packs {
            if locked.sums().map(|sums| digest(&sums)).as_ref() != Some(&locked.digest) {
                return Err(wrong(format!("the digest of `{reference}` is not that of its files")));
            }
        }
        Ok(Self(written.packs))
    }

    /// Writes the lock of a packs directory, whole.
    pub(super) fn write(&self, packs: &Path) -> Result<(), InstallError> {
        let path = packs.join(LOCK_FILE);
        let written = Written { format: FORMAT, packs: self.0.clone() };
        let text = toml::to_string(&written)
            .map_err(|error| InstallError::Lock { path: path.clone(), why: error.to_string() })?;
        replace_file(&path, format!("{HEAD}{text}").as_bytes()).map_err(InstallError::io(&path))
    }

    /// Removes what is said of a pack; for directories that are gone.
    pub(super) fn forget(packs: &Path, reference: &PackRef) -> Result<(), InstallError> {
        let mut lock = Self::read(packs)?;
        match lock.0.remove(reference) {
            Some(_) => lock.write(packs),
            None => Ok(()),
        }
    }

    /// Says of a pack what was installed.
    pub(super) fn note(packs: &Path, reference: PackRef, locked: Locked) -> Result<(), InstallError> {
        let mut lock = Self::read(packs)?;
        lock.0.insert(reference, locked);
        lock.write(packs)
    }
}

impl Locked {
    pub(super) fn new(version: String, origin: Origin, sums: &BTreeMap<String, Sum>) -> Self {
        Self {
            version,
            source: origin.source,
            sha256: origin.sha256,
            digest: digest(sums),
            installed_at: origin.at.to_string(),
            files: sums.iter().map(|(path, sum)| (path.clone(), hex::encode(sum))).collect(),
        }
    }

    fn sums(&self) -> Option<BTreeMap<String, Sum>> {
        let read = |(path, sum): (&String, &String)| Some((path.clone(), hex::decode(sum).ok()?.try_into().ok()?));
        self.files.iter().map(read).collect()
    }
}

/// The digest of files without a configuration.
pub(super) fn digest(sums: &BTreeMap<String, Sum>) -> String {
    let mut contents = Contents::default();
    sums.iter().for_each(|(path, sum)| contents.insert(path.clone(), *sum));
    contents.digest(&[])
}
