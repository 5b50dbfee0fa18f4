//! Waits for an execution's end, shows what happens until then, and passes on the wish to stop.

use runner_executor::{Execution, Heard};
use runner_model::ExecutionView;
use tokio_util::sync::CancellationToken;

use super::progress::Display;
use crate::error::CliError;

/// Follows it to the end; `stop` cancels it.
pub(crate) async fn to_the_end(
    mut execution: Execution,
    display: &mut Display,
    stop: &CancellationToken,
) -> Result<ExecutionView, CliError> {
    let mut events = execution.take_progress();
    let cancel = execution.canceller();
    let id = execution.id;
    let mut finished = std::pin::pin!(execution.finished());
    let (mut listening, mut stopping) = (true, false);
    let result = loop {
        tokio::select! {
            event = events.recv(), if listening => match event {
                Some(Heard::Event(event)) => display.event(&event),
                Some(Heard::Lost(lost)) => display.lost(lost),
                None => listening = false,
            },
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                cancel("the one who asked for it");
            }
            result = &mut finished => break result,
        }
    };
    while let Some(heard) = events.try_recv() {
        match heard {
            Heard::Event(event) => display.event(&event),
            Heard::Lost(lost) => display.lost(lost),
        }
    }
    display.end(result.as_ref().ok());
    result
        .map_err(|error| CliError::from(error).hint(format!("what is recorded stays: see `runner execution get {id}`")))
}
