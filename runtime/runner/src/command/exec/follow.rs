//! Waits for an execution's end, shows what happens until then, and passes on the wish to stop.

use runner_executor::Execution;
use runner_model::ExecutionView;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
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
    let mut listening = true;
    let result = loop {
        tokio::select! {
            event = events.recv(), if listening => match event {
                Ok(event) => display.event(&event),
                Err(RecvError::Lagged(lost)) => display.lost(lost),
                Err(RecvError::Closed) => listening = false,
            },
            () = stop.cancelled(), if !cancel.is_cancelled() => cancel.cancel(),
            result = &mut finished => break result,
        }
    };
    loop {
        match events.try_recv() {
            Ok(event) => display.event(&event),
            Err(TryRecvError::Lagged(lost)) => display.lost(lost),
            Err(TryRecvError::Empty | TryRecvError::Closed) => break,
        }
    }
    display.end(result.as_ref().ok());
    result
        .map_err(|error| CliError::from(error).hint(format!("what is recorded stays: see `runner execution get {id}`")))
}
