//! Ctrl-C and the termination signal: the first asks, the second ends the process at once.

use tokio_util::sync::CancellationToken;

use crate::exit::Exit;

/// A token that is cancelled when the user or the system asks the process to stop. `asked` is called at that moment; a
/// second signal ends the process.
pub(crate) fn on_signal(asked: impl FnOnce() + Send + 'static) -> CancellationToken {
    let token = CancellationToken::new();
    let stop = token.clone();
    // Lives as long as the process: there is nothing to join.
    tokio::spawn(async move {
        signal().await;
        asked();
        stop.cancel();
        signal().await;
        std::process::exit(Exit::Canceled as i32);
    });
    token
}

async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Without signals there is nothing to wait for; the process ends when its work does.
        std::future::pending::<()>().await;
    }
}
