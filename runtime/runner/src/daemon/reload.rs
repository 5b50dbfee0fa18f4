//! Packs that change while the daemon runs are read again, whole, and swapped in.

use std::path::PathBuf;
use std::sync::Arc;

use runner_executor::Packs;
use runner_pack::{Changes, Library, Watch};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::app::App;

/// Watches the directories of packs and of their configurations. None if nothing can be watched; then SIGHUP still
/// makes the daemon look.
pub(super) fn watch(
    app: &App,
    packs: Arc<Packs>,
    stop: &CancellationToken,
    tasks: &TaskTracker,
) -> Option<Watch> {
    let changed = Arc::new(Notify::new());
    let (dirs, config_dir) = (app.config.packs.clone(), app.config.config_dir.clone());
    let mut watched = dirs.clone();
    watched.push(config_dir.clone());
    let ring = changed.clone();
    // What changed between the first look and the watching is read now, and every version is kept from the beginning.
    changed.notify_one();
    let watch = Watch::start(&watched, move || ring.notify_one());
    let watch = watch.inspect_err(|error| warn!(%error, "packs are not watched: send SIGHUP after a change")).ok();
    tasks.spawn(hang_up_signals(changed.clone(), stop.clone()));
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
        let (dirs, config_dir, packs) = (dirs.clone(), config_dir.clone(), packs.clone());
        let swapped = tokio::task::spawn_blocking(move || {
            // A directory that is not there is as good as an empty one: it may come.
            let dirs: Vec<_> = dirs.into_iter().filter(|dir| dir.is_dir()).collect();
            let (library, report) = Library::succeed(&packs.library(), &dirs, Some(&config_dir));
            (packs.swap(library), report)
        });
        match swapped.await {
            Ok((changes, report)) => tell(&changes, report.errors()),
            Err(error) => error!(%error, "the packs could not be read"),
        }
    }
}

fn tell(changes: &Changes, mistakes: usize) {
    let all = [("added", &changes.added), ("changed", &changes.changed), ("removed", &changes.removed)];
    for (what, packs) in all {
        for pack in packs {
            info!(%pack, "pack {what}");
        }
    }
    for pack in &changes.broken {
        warn!(%pack, mistakes, "pack broken: `runner pack check {pack}` says why; a version that worked stays in use");
    }
}

#[cfg(unix)]
async fn hang_up_signals(changed: Arc<Notify>, stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut signals) = signal(SignalKind::hangup()) else { return };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            heard = signals.recv() => match heard {
                Some(()) => changed.notify_one(),
                None => return,
            },
        }
    }
}

#[cfg(not(unix))]
async fn hang_up_signals(_changed: Arc<Notify>, _stop: CancellationToken) {}
