//! One cluster of the world, as the rules of the resources see it: its tables, its neighbours, ids and the time.

use serde_json::Value;

use crate::path;
use crate::world::{Cluster, World};

/// A cluster among the others.
pub(crate) struct Site<'a> {
    /// The world.
    pub(crate) world: &'a mut World,
    /// Which cluster.
    pub(crate) at: usize,
}

static NO_RECORDS: &[Value] = &[];

impl Site<'_> {
    /// The same world at another cluster.
    pub(crate) fn other(&mut self, at: usize) -> Site<'_> {
        Site { world: self.world, at }
    }

    /// The name of a cluster.
    pub(crate) fn name_of(&self, at: usize) -> String {
        self.identity(at, "name")
    }

    /// The uuid of a cluster.
    pub(crate) fn uuid_of(&self, at: usize) -> String {
        self.identity(at, "uuid")
    }

    fn identity(&self, at: usize, field: &str) -> String {
        let cluster = self.world.clusters.get(at).and_then(|cluster| cluster.tables.get("/cluster")?.first());
        cluster.map(|record| path::owned(record, field)).unwrap_or_default()
    }

    /// The cluster.
    pub(crate) fn cluster(&self) -> Option<&Cluster> {
        self.world.clusters.get(self.at)
    }

    /// The records of a collection.
    pub(crate) fn records(&self, table: &str) -> &[Value] {
        self.cluster().and_then(|cluster| cluster.tables.get(table)).map_or(NO_RECORDS, Vec::as_slice)
    }

    /// The records of a collection, to change.
    pub(crate) fn table(&mut self, table: &'static str) -> Option<&mut Vec<Value>> {
        self.world.clusters.get_mut(self.at).map(|cluster| cluster.tables.entry(table).or_default())
    }

    /// The record with this text in a field.
    pub(crate) fn find(&self, table: &str, field: &str, wanted: &str) -> Option<&Value> {
        self.records(table).iter().find(|record| path::text(record, field) == Some(wanted))
    }

    /// The record with these texts in these fields.
    pub(crate) fn find_all(&self, table: &str, wanted: &[(&str, &str)]) -> Option<&Value> {
        let fits = |record: &&Value| wanted.iter().all(|(field, text)| path::text(record, field) == Some(*text));
        self.records(table).iter().find(fits)
    }

    /// Changes the record of this uuid.
    pub(crate) fn update(&mut self, table: &'static str, uuid: &str, change: impl FnOnce(&mut Value)) {
        let found =
            self.table(table).and_then(|records| records.iter_mut().find(|r| path::text(r, "uuid") == Some(uuid)));
        if let Some(record) = found {
            change(record);
        }
    }

    /// Puts a record in; gives its number.
    pub(crate) fn insert(&mut self, table: &'static str, mut record: Value) -> u64 {
        let number = self.world.next();
        path::set(&mut record, "~seq", number);
        if let Some(records) = self.table(table) {
            records.push(record);
        }
        number
    }

    /// Takes records away.
    pub(crate) fn remove(&mut self, table: &'static str, gone: impl Fn(&Value) -> bool) {
        if let Some(records) = self.table(table) {
            records.retain(|record| !gone(record));
        }
    }

    /// A new uuid.
    pub(crate) fn uuid(&mut self) -> String {
        self.world.uuid()
    }

    /// The time.
    pub(crate) fn now(&self) -> u64 {
        self.world.now
    }

    /// The time as ONTAP writes it.
    pub(crate) fn moment(&self) -> String {
        crate::moment::written(self.world.now)
    }

    /// The next number of a sequence: never given twice, even if what it was given to does not come to be.
    pub(crate) fn number(&mut self, sequence: &str) -> u64 {
        let Some(cluster) = self.world.clusters.get_mut(self.at) else { return 0 };
        let last = cluster.numbers.entry(sequence.to_owned()).or_default();
        *last += 1;
        *last
    }
}
