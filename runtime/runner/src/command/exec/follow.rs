//! Waits for an execution's end, shows what happens until then, and passes on the wish to stop.

use std::time::Duration;

use runner_executor::{Execution, Heard, Progress, ProgressEvent};
use runner_model::{ExecutionId, ExecutionView, Fact, Status, StepId, Version};
use runner_store::{Catalogue as _, Journal as _, SqliteStore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::progress::Display;
use crate::command::rests;
use crate::error::CliError;

/// How often to look whether an execution rests of which nothing is heard.
pub(super) const LOOK: Duration = Duration::from_secs(1);
/// How soon to look after something was heard: it may not be recorded yet.
pub(super) const LOOK_SOON: Duration = Duration::from_millis(25);

/// How long to follow an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// To its end, whatever it waits for.
    End,
    /// To its end, or until it only waits for somebody.
    Rest,
}

/// How following an execution ended.
pub(crate) enum Followed {
    /// It has ended.
    Ended(Box<ExecutionView>),
    /// It has not, and waits for somebody.
    Rests(Status),
}

/// Follows it; `stop` cancels it.
pub(crate) async fn follow(
    mut execution: Execution,
    display: &mut Display,
    stop: &CancellationToken,
    store: &SqliteStore,
    until: Until,
) -> Result<Followed, CliError> {
    let mut events = execution.take_progress();
    let cancel = execution.canceller();
    let id = execution.id;
    let mut finished = std::pin::pin!(execution.finished());
    let (mut listening, mut stopping) = (true, false);
    let mut look = Instant::now();
    let result = loop {
        tokio::select! {
            event = events.recv(), if listening => match event {
                Some(Heard::Event(event)) => {
                    if matches!(event.progress, Progress::StatusChanged { .. } | Progress::WaitOpened { .. }) {
                        look = look.min(Instant::now() + LOOK_SOON);
                    }
                    count_items(display, store, &event).await;
                    display.event(&event);
                }
                Some(Heard::Lost(lost)) => display.lost(lost),
                None => listening = false,
            },
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                cancel("the one who asked for it");
            }
            result = &mut finished => break result,
            () = tokio::time::sleep_until(look), if until == Until::Rest => {
                look = Instant::now() + LOOK;
                if rests(store, id).await? {
                    display.end(None);
                    return Ok(Followed::Rests(store.get(id).await?.status));
                }
            }
        }
    };
    while let Some(heard) = events.try_recv() {
        match heard {
            Heard::Event(event) => display.event(&event),
            Heard::Lost(lost) => display.lost(lost),
        }
    }
    display.end(result.as_ref().ok());
    let view = result.map_err(|error| {
        CliError::from(error).hint(format!("what is recorded stays: see `runner execution get {id}`"))
    })?;
    Ok(Followed::Ended(Box::new(view)))
}

/// Looks up how many items a step runs over, when its first one begins.
async fn count_items(display: &mut Display, store: &SqliteStore, event: &ProgressEvent) {
    let Some((execution, step)) = display.uncounted(event) else { return };
    if let Some(items) = items(store, execution, step).await {
        display.counted(execution, step, items);
    }
}

async fn items(store: &SqliteStore, execution: ExecutionId, step: StepId) -> Option<usize> {
    let entries = store.read(execution, Version(0)).await.ok()?;
    entries.iter().rev().find_map(|entry| match &entry.fact {
        Fact::StepScheduled { step: of, items: Some(items), .. } if *of == step => Some(items.len()),
        _ => None,
    })
}
