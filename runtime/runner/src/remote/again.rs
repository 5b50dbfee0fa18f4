//! Coming again: a daemon that is restarted, or a way to it that is cut, is waited for by whoever has been with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::CliError;

/// How long to wait before coming again, the first time; doubled each time.
const AGAIN: Duration = Duration::from_millis(200);
/// How long to wait at the most: so late does whoever looks on learn that the daemon is back.
const AGAIN_MAX: Duration = Duration::from_secs(2);
/// How long a daemon may be away: service managers give one a minute to end, and it takes up what was left when it begins.
const AWAY_MAX: Duration = Duration::from_secs(180);
/// How often to come again before that is worth a word.
const QUIET: u32 = 2;

/// A request that was not done.
#[derive(Debug)]
pub(super) struct Failed {
    /// What the user is told.
    pub(super) error: CliError,
    /// Whether it may be done if it is asked again: nobody was there, or somebody who is about to end.
    pub(super) may_pass: bool,
}

impl Failed {
    /// It will not be done however often it is asked.
    pub(super) const fn for_good(error: CliError) -> Self {
        Self { error, may_pass: false }
    }

    /// It may be done later.
    pub(super) const fn for_now(error: CliError) -> Self {
        Self { error, may_pass: true }
    }
}

/// Whether those who ask the same daemon wait for it, and whether the user knows that they do.
#[derive(Debug, Clone, Default)]
pub(super) struct Patience(Option<Arc<AtomicBool>>);

impl Patience {
    /// To wait for the daemon.
    pub(super) fn endless() -> Self {
        Self(Some(Arc::default()))
    }

    /// A request, or a stream, that has not been tried yet.
    pub(super) const fn again(self) -> Again {
        Again { patience: self, tries: 0, until: None }
    }
}

/// How often one request, or one stream, was tried.
#[derive(Debug)]
pub(super) struct Again {
    patience: Patience,
    tries: u32,
    /// Until when to try.
    until: Option<Instant>,
}

impl Again {
    /// The daemon is there, whatever it says.
    pub(super) fn is_there(&mut self) {
        self.until = None;
        if let Some(told) = &self.patience.0
            && told.swap(false, Ordering::Relaxed)
        {
            tracing::warn!("the daemon is back");
        }
    }

    /// It has something to say.
    pub(super) const fn heard(&mut self) {
        self.tries = 0;
    }

    /// Waits before the next try, if there is to be one.
    pub(super) async fn after(&mut self, failed: Failed) -> Result<(), CliError> {
        let Some(told) = self.patience.0.as_ref().filter(|_| failed.may_pass) else { return Err(failed.error) };
        let until = *self.until.get_or_insert_with(|| Instant::now() + AWAY_MAX);
        if Instant::now() >= until {
            return Err(failed.error);
        }
        if self.tries >= QUIET && !told.swap(true, Ordering::Relaxed) {
            let message = failed.error.mistakes.first().map(|mistake| mistake.message.as_str()).unwrap_or_default();
            tracing::warn!("{message}; trying again for {} s", AWAY_MAX.as_secs());
        }
        self.pause().await;
        Ok(())
    }

    /// Waits before the next try.
    pub(super) async fn pause(&mut self) {
        let wait = AGAIN.saturating_mul(2_u32.saturating_pow(self.tries)).min(AGAIN_MAX);
        self.tries = self.tries.saturating_add(1);
        tokio::time::sleep(wait).await;
    }
}
