//! Ctrl-C and the termination signal: the first asks, the second ends the process at once.

#[cfg(unix)]
use std::task::Poll;

use tokio_util::sync::CancellationToken;

use crate::exit::Exit;

/// A token that is cancelled when the user or the system asks the process to stop. `asked` is called at that moment; a
/// second signal ends the process. When this returns no signal ends the process unasked any more.
pub(crate) fn on_signal(asked: impl FnOnce() + Send + 'static) -> CancellationToken {
    let token = CancellationToken::new();
    let stop = token.clone();
    let mut signals = Signals::new();
    // Lives as long as the process: there is nothing to join.
    tokio::spawn(async move {
        signals.next().await;
        asked();
        stop.cancel();
        signals.next().await;
        std::process::exit(Exit::Canceled as i32);
    });
    token
}

#[cfg(unix)]
struct Signals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Signals {
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
        // One that cannot be caught ends the process, as it always does.
        Self(kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect())
    }

    /// Waits for the next one; for ever, if none can be caught.
    async fn next(&mut self) {
        let any = std::future::poll_fn(|context| {
            let mut any = self.0.iter_mut().map(|signal| signal.poll_recv(context));
            if any.any(|polled| polled.is_ready()) { Poll::Ready(()) } else { Poll::Pending }
        });
        any.await;
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    const fn new() -> Self {
        Self
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without signals there is nothing to wait for; the process ends when its work does.
            std::future::pending::<()>().await;
        }
    }
}
