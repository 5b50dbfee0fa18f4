//! A pack without mistakes.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use runner_model::PackRef;
use serde_json::Value;

use crate::{Action, Contents, Diagnostic, Manifest, Parameters, Policy, Rule, Sensor};

/// A pack, checked: everything it refers to is there.
#[derive(Clone)]
pub struct Pack {
    /// What `pack.yaml` says.
    pub manifest: Manifest,
    /// Where it is.
    pub directory: PathBuf,
    /// Its actions and workflows, by their own names.
    pub actions: BTreeMap<String, Arc<Action>>,
    /// The files of its components, by name.
    pub components: BTreeMap<String, PathBuf>,
    /// Its rules, by their own names.
    pub rules: BTreeMap<String, Arc<Rule>>,
    /// Its sensors, by their own names.
    pub sensors: BTreeMap<String, Arc<Sensor>>,
    /// Its policies, by their own names.
    pub policies: BTreeMap<String, Arc<Policy>>,
    /// The keys of its configuration; none if it has none.
    pub config_schema: Option<Parameters>,
    /// Its configuration, checked, with defaults: an object.
    pub config: Value,
    /// SHA-256, in hexadecimal, over everything that matters for running it, its configuration included.
    pub digest: String,
    /// The sums of its files that the digest was made of.
    pub contents: Contents,
    /// Its rehearsal files, sorted. They are read by [`crate::read_rehearsals`], and count neither for the digest nor for
    /// whether the pack can be used.
    pub rehearsals: Vec<PathBuf>,
    /// What is doubtful about it.
    pub warnings: Vec<Diagnostic>,
}

/// Which pack it is. Its configuration, which may hold secrets, is not shown.
impl fmt::Debug for Pack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pack")
            .field("reference", &self.manifest.reference)
            .field("version", &self.manifest.version)
            .field("directory", &self.directory)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

impl Pack {
    /// Its reference.
    #[must_use]
    pub const fn reference(&self) -> &PackRef {
        &self.manifest.reference
    }

    /// The values of its configuration that must not be shown.
    pub fn secret_config(&self) -> impl Iterator<Item = &Value> {
        let keys = self.config_schema.iter().flatten().filter(|key| key.secret);
        keys.filter_map(|key| self.config.get(&key.name)).filter(|value| !value.is_null())
    }
}

/// A configuration as it counts for the digest and is kept in the archive.
pub(crate) fn config_bytes(config: &Value) -> Vec<u8> {
    config.to_string().into_bytes()
}
