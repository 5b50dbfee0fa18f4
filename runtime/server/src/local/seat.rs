//! Who is alive.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use runner_model::NodeId;

/// What follows the name of a process.
const LOCK: &str = "lock";
const SOCKET: &str = "sock";
const PORT: &str = "port";
/// A lock that is not held yet: another process must never find a lock file that it could take from a living one.
const NEW: &str = "new";

/// The processes of one data directory.
#[derive(Debug, Clone)]
pub struct Nodes {
    dir: PathBuf,
}

impl Nodes {
    /// Those of the data directory `data`.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Self { dir: data.join("nodes") }
    }

    /// Takes a place among them, until it is dropped or the process ends.
    ///
    /// # Errors
    /// The directory cannot be written, or has no locks.
    pub fn join(&self, node: &NodeId) -> io::Result<Seat> {
        make_private(&self.dir)?;
        let new = self.file(node, NEW);
        let lock = OpenOptions::new().write(true).create_new(true).open(&new)?;
        let held = lock.try_lock().map_err(io::Error::from).and_then(|()| fs::rename(&new, self.file(node, LOCK)));
        if let Err(error) = held {
            let _ = fs::remove_file(&new);
            return Err(error);
        }
        Ok(Seat { nodes: self.clone(), node: node.clone(), _lock: lock })
    }

    /// Whether a process lives. One without a lock file does not, as far as can be said.
    #[must_use]
    pub fn is_alive(&self, node: &NodeId) -> bool {
        // The lock is given back at once, when the file is closed.
        matches!(lock(&self.file(node, LOCK)), Ok(None))
    }

    /// The processes that ended without saying so.
    #[must_use]
    pub fn dead(&self) -> Vec<Dead> {
        let Ok(entries) = fs::read_dir(&self.dir) else { return Vec::new() };
        let dead = |entry: io::Result<fs::DirEntry>| {
            let path = entry.ok()?.path();
            let is_lock = path.extension().is_some_and(|extension| extension == LOCK);
            let name = path.file_stem().filter(|_| is_lock)?.to_str()?;
            let held = lock(&path).ok().flatten()?;
            Some(Dead { nodes: self.clone(), node: NodeId(name.to_owned()), _lock: held })
        };
        entries.filter_map(dead).collect()
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn socket(&self, node: &NodeId) -> PathBuf {
        self.file(node, SOCKET)
    }

    pub(super) fn port(&self, node: &NodeId) -> PathBuf {
        self.file(node, PORT)
    }

    fn file(&self, node: &NodeId, kind: &str) -> PathBuf {
        self.dir.join(format!("{node}.{kind}"))
    }

    fn forget(&self, node: &NodeId) {
        // The lock last: as long as it is there somebody comes back for the others.
        for kind in [SOCKET, PORT, LOCK] {
            let _ = fs::remove_file(self.file(node, kind));
        }
    }
}

/// The lock on a file; none if another process holds it.
pub(super) fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = File::open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// A directory that nobody but its owner can look into.
fn make_private(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// The place of this process: as long as it is held others know that the process lives.
#[derive(Debug)]
pub struct Seat {
    nodes: Nodes,
    node: NodeId,
    _lock: File,
}

impl Seat {
    /// Whose place it is.
    #[must_use]
    pub const fn node(&self) -> &NodeId {
        &self.node
    }

    pub(crate) const fn nodes(&self) -> &Nodes {
        &self.nodes
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.nodes.forget(&self.node);
    }
}

/// A process that ended without saying so. As long as this is held nobody else finds it.
#[derive(Debug)]
pub struct Dead {
    nodes: Nodes,
    node: NodeId,
    _lock: File,
}

impl Dead {
    /// Who it was.
    #[must_use]
    pub const fn node(&self) -> &NodeId {
        &self.node
    }

    /// Removes what it left, once whatever it owned is known to be free.
    pub fn bury(self) {
        self.nodes.forget(&self.node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> NodeId {
        NodeId(name.to_owned())
    }

    #[test]
    fn a_process_lives_as_long_as_it_holds_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let nodes = Nodes::of(dir.path());
        assert!(!nodes.is_alive(&node("a")), "nobody has been there");
        let seat = nodes.join(&node("a")).unwrap();
        assert!(nodes.is_alive(&node("a")) && nodes.dead().is_empty());
        drop(seat);
        assert!(!nodes.is_alive(&node("a")) && nodes.dead().is_empty(), "it said that it goes");
        assert_eq!(fs::read_dir(dir.path().join("nodes")).unwrap().count(), 0);
    }

    #[test]
    fn who_left_a_lock_that_nobody_holds_is_dead_and_is_buried_once() {
        let dir = tempfile::tempdir().unwrap();
        let nodes = Nodes::of(dir.path());
        let _alive = nodes.join(&node("alive")).unwrap();
        for left in ["gone.lock", "gone.sock", "gone.port"] {
            fs::write(dir.path().join("nodes").join(left), "").unwrap();
        }
        let dead = nodes.dead();
        assert_eq!(dead.iter().map(Dead::node).collect::<Vec<_>>(), [&node("gone")]);
        assert!(nodes.dead().is_empty(), "somebody is at it");
        dead.into_iter().for_each(Dead::bury);
        let left: Vec<_> = fs::read_dir(dir.path().join("nodes")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left, [dir.path().join("nodes/alive.lock")]);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_look_into_the_directory() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let _seat = Nodes::of(dir.path()).join(&node("a")).unwrap();
        assert_eq!(fs::metadata(dir.path().join("nodes")).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
