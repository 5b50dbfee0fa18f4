//! The state: clusters with tables of records, and the jobs that will change them.
//!
//! Knows neither HTTP nor what the tables mean.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::job::Job;

/// Everything that is simulated.
pub(crate) struct World {
    /// The clusters, the first one first.
    pub(crate) clusters: Vec<Cluster>,
    /// What tests may set.
    pub(crate) rules: Rules,
    /// The host's time, in milliseconds; while a job is finished, the time at which it ends.
    pub(crate) now: u64,
    counter: u64,
}

/// How the clusters behave, as set by `POST /simulator/rules`.
#[derive(Debug, Clone, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Rules {
    /// Whether a cluster peer with nothing but addresses is refused, as NetApp's document says. A newer example of theirs
    /// gets a generated passphrase.
    pub(crate) strict_peers: bool,
    /// How long a job takes, in milliseconds; without it each kind of work takes its own time.
    pub(crate) job_ms: Option<u64>,
    /// Whether the last page may have a `next` link with nothing behind it, as ONTAP sometimes does.
    pub(crate) empty_next: bool,
    /// Whether a volume must be offline before it is deleted.
    pub(crate) offline_before_delete: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { strict_peers: true, job_ms: None, empty_next: false, offline_before_delete: true }
    }
}

/// One cluster.
pub(crate) struct Cluster {
    /// The connection that leads to it.
    pub(crate) connection: String,
    /// Records by the path of their collection.
    pub(crate) tables: BTreeMap<&'static str, Vec<Value>>,
    /// The last number of each sequence of ids.
    pub(crate) numbers: BTreeMap<String, u64>,
    /// Jobs, the oldest first.
    pub(crate) jobs: Vec<Job>,
}

impl Cluster {
    /// A cluster with nothing in it.
    pub(crate) fn new(connection: &str) -> Self {
        let connection = connection.to_owned();
        Self { connection, tables: BTreeMap::new(), numbers: BTreeMap::new(), jobs: Vec::new() }
    }
}

impl World {
    /// A world without clusters.
    pub(crate) fn new() -> Self {
        Self { clusters: Vec::new(), rules: Rules::default(), now: 0, counter: 0 }
    }

    /// A number that was never given before.
    pub(crate) fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// A new uuid: the same ones in the same order in each run.
    pub(crate) fn uuid(&mut self) -> String {
        let count = self.next();
        let (high, low) = (mixed(count), mixed(count ^ 0x5bd1_e995_9d1b_58d1));
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            0x8000 | (low >> 48 & 0x3fff),
            low & 0xffff_ffff_ffff
        )
    }
}

/// Numbers that look random (`SplitMix64`).
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
