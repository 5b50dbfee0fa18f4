//! Packs that change while the daemon runs are read again, whole, and swapped in.

use std::path::PathBuf;
use std::sync::Arc;
use std::{fs, io};

use runner_executor::{NotGranted, Packs};
use runner_pack::{Broken, Changes, Library, Watch};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::app::App;

/// Brings back, of each pack that is broken from the beginning, the version that was in use before the daemon was started;
/// and notes what is in use now.
pub(super) async fn bring_back(app: &App, packs: &Arc<Packs>) {
    let (dirs, config_dir, packs) = (app.config.packs.clone(), app.config.config_dir.clone(), packs.clone());
    let brought = tokio::task::spawn_blocking(move || match packs.last() {
        Some(last) => {
            let (library, _) = Library::succeed(&last, &there(dirs), Some(&config_dir));
            packs.swap(library);
        }
        None if packs.has_to_hold_back() => {
            packs.swap(Library::clone(&packs.library()));
        }
        None => packs.keep_all(),
    });
    brought.await.unwrap_or_else(|error| error!(%error, "the packs could not be read"));
}

/// The directories that are there, though they may not be readable now. One that is not is as good as an empty one: it may
/// come, and its packs are gone.
fn there(dirs: Vec<PathBuf>) -> Vec<PathBuf> {
    let is_gone = |dir: &PathBuf| fs::metadata(dir).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    dirs.into_iter().filter(|dir| !is_gone(dir)).collect()
}

/// Watches the directories of packs and of their configurations. None if nothing can be watched; then SIGHUP still
/// makes the daemon look.
pub(super) fn watch(app: &App, packs: Arc<Packs>, stop: &CancellationToken, tasks: &TaskTracker) -> Option<Watch> {
    let changed = Arc::new(Notify::new());
    let (dirs, config_dir) = (app.config.packs.clone(), app.config.config_dir.clone());
    let mut watched = dirs.clone();
    watched.push(config_dir.clone());
    let ring = changed.clone();
    // What changed between the first look and the watching is read now, and every version is kept from the beginning.
    changed.notify_one();
    let watch = Watch::start(&watched, move || ring.notify_one());
    let watch = watch.inspect_err(|error| warn!(%error, "packs are not watched: send SIGHUP after a change")).ok();
    tasks.spawn(hang_up_signals(HangUps::listen(), changed.clone(), stop.clone()));
    tasks.spawn(reload(dirs, config_dir, packs, changed, stop.clone()));
    watch
}

async fn reload(
    dirs: Vec<PathBuf>,
    config_dir: PathBuf,
    packs: Arc<Packs>,
    changed: Arc<Notify>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = changed.notified() => {}
        }
        let told = packs.clone();
        let (dirs, config_dir, packs) = (dirs.clone(), config_dir.clone(), packs.clone());
        let swapped = tokio::task::spawn_blocking(move || {
            let (library, _) = Library::succeed(&packs.library(), &there(dirs), Some(&config_dir));
            packs.swap(library)
        });
        match swapped.await {
            Ok(changes) => {
                tell(&changes, &told.library());
                tell_waiting(&changes, &told);
            }
            Err(error) => error!(%error, "the packs could not be read"),
        }
    }
}

/// The same of every one: for the beginning.
pub(super) fn tell_all_waiting(packs: &Packs) {
    let waiting = packs.library().waiting().map(|pack| pack.reference().clone()).collect();
    tell_waiting(&Changes { waiting, ..Changes::default() }, packs);
}

/// Says of versions that wait what they wait for.
fn tell_waiting(changes: &Changes, packs: &Packs) {
    for NotGranted { pack, version, asks, command, .. } in packs.waiting() {
        if changes.waiting.contains(&pack) {
            let asks = asks.join("; ");
            warn!(%pack, version, asks, "pack waits for a grant: `{command}`; the version before it stays in use");
        }
    }
}

fn tell(changes: &Changes, library: &Library) {
    let all = [("added", &changes.added), ("changed", &changes.changed), ("removed", &changes.removed)];
    for (what, packs) in all {
        for pack in packs {
            info!(%pack, "pack {what}");
        }
    }
    let is_new = |broken: &&Broken| broken.reference.as_ref().is_some_and(|pack| changes.broken.contains(pack));
    library.broken().iter().filter(is_new).for_each(tell_broken);
}

/// Says of a pack that it cannot be used as it is.
pub(super) fn tell_broken(broken: &Broken) {
    let (directory, mistakes) = (broken.directory.display(), broken.mistakes);
    match &broken.kept {
        Some(version) => {
            warn!(%directory, mistakes, version, "pack broken: `runner pack check` says why; a version that worked stays in use");
        }
        None => warn!(%directory, mistakes, "pack left out: `runner pack check` says why"),
    }
}

/// Says of directories of packs that they are not there: one that comes later is seen then.
pub(super) fn tell_missing(dirs: &[PathBuf]) {
    for dir in dirs.iter().filter(|dir| !dir.is_dir()) {
        warn!(directory = %dir.display(), "a directory of packs is not there: what is put there later is loaded then");
    }
}

async fn hang_up_signals(mut signals: HangUps, changed: Arc<Notify>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = signals.next() => changed.notify_one(),
        }
    }
}

/// SIGHUP: what is read from files is to be read again.
pub(super) struct HangUps(#[cfg(unix)] Option<tokio::signal::unix::Signal>);

impl HangUps {
    /// From now on.
    #[cfg(unix)]
    pub(super) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self(signal(SignalKind::hangup()).ok())
    }

    #[cfg(not(unix))]
    pub(super) fn listen() -> Self {
        Self()
    }

    /// Returns when the next one comes; where there are none, never.
    pub(super) async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signals) = &mut self.0
            && signals.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_directory_that_cannot_be_read_keeps_its_packs_and_one_that_is_gone_does_not() {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("packs");
        fs::create_dir_all(dir.join("p/actions")).unwrap();
        fs::write(dir.join("p/pack.yaml"), "ref: p\nname: P\nversion: 1.0.0\n").unwrap();
        let look = |previous: &Library| Library::succeed(previous, &there(vec![dir.clone()]), None).0;
        let first = look(&Library::default());
        assert_eq!(first.digests().len(), 1, "{:?}", first.broken());

        // A link to itself can be read by nobody, whoever it is.
        fs::rename(&dir, place.path().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(&dir, &dir).unwrap();
        let second = look(&first);
        assert_eq!(second.digests(), first.digests());
        assert_eq!(second.broken()[0].kept.as_deref(), Some("1.0.0"));

        fs::remove_file(&dir).unwrap();
        assert_eq!(look(&second).digests().len(), 0);
        fs::rename(place.path().join("elsewhere"), &dir).unwrap();
        assert_eq!(look(&second).digests(), first.digests());
    }
}
