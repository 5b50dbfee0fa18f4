//! The one process of a data directory that is its daemon.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};

use runner_model::NodeId;

use super::seat::{Nodes, Seat, lock};

/// The file that the daemon holds a lock on, with its name in it.
const FILE: &str = "daemon";

/// The right to be the daemon of a data directory, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Office {
    lock: File,
}

impl Nodes {
    /// Makes the process with this place the daemon; none if another one is.
    ///
    /// # Errors
    /// The directory cannot be written, or has no locks.
    pub fn take_office(&self, seat: &Seat) -> io::Result<Option<Office>> {
        let path = self.dir().join(FILE);
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Ok(None),
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
        file.set_len(0)?;
        file.write_all(seat.node().0.as_bytes())?;
        Ok(Some(Office { lock: file }))
    }

    /// The daemon of this data directory, if it has one that lives.
    #[must_use]
    pub fn daemon(&self) -> Option<NodeId> {
        let path = self.dir().join(FILE);
        if lock(&path).ok()?.is_some() {
            return None;
        }
        let mut name = String::new();
        File::open(path).ok()?.read_to_string(&mut name).ok()?;
        let node = NodeId(name);
        self.is_alive(&node).then_some(node)
    }
}

impl Drop for Office {
    /// The name goes before the lock does: nobody is to take it for that of the next one.
    fn drop(&mut self) {
        let _ = self.lock.rewind().and_then(|()| self.lock.set_len(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time_is_the_daemon_and_others_know_which() {
        let dir = tempfile::tempdir().unwrap();
        let nodes = Nodes::of(dir.path());
        assert_eq!(nodes.daemon(), None);
        let (first, second) = (NodeId("first-1".to_owned()), NodeId("2".to_owned()));
        let (a, b) = (nodes.join(&first).unwrap(), nodes.join(&second).unwrap());
        let office = nodes.take_office(&a).unwrap().unwrap();
        assert_eq!(nodes.daemon(), Some(first));
        assert!(nodes.take_office(&b).unwrap().is_none());
        drop(office);
        assert_eq!(nodes.daemon(), None);
        let _office = nodes.take_office(&b).unwrap().unwrap();
        assert_eq!(nodes.daemon(), Some(second));
    }
}
