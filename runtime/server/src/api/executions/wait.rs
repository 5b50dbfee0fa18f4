//! Waiting for the end of an execution, for whoever would rather wait than ask again.

use std::pin::pin;
use std::time::Duration;

use runner_executor::Execution;
use runner_model::limits::{API_WAIT_MAX, STREAM_LOOK};
use runner_model::{ExecutionId, ExecutionView};
use runner_store::Catalogue;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::context::Context;
use crate::api::problem::ApiProblem;

/// Whether to wait.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WaitQuery {
    /// Wait for the end for so many seconds, at most 300: `30s`.
    #[param(pattern = "^([0-9]|[1-9][0-9]|[12][0-9][0-9]|300)s?$", example = "30s")]
    wait: Option<String>,
}

impl WaitQuery {
    /// How long to wait; none is not at all.
    pub(crate) fn time(&self) -> Result<Option<Duration>, ApiProblem> {
        let Some(text) = &self.wait else { return Ok(None) };
        let digits = text.strip_suffix('s').unwrap_or(text);
        let seconds = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let time = seconds.map(Duration::from_secs).filter(|time| *time <= API_WAIT_MAX);
        let unfit = || {
            let max = API_WAIT_MAX.as_secs();
            ApiProblem::bad(format!("`wait` must be a number of seconds, at most {max}")).hint("write `wait=30s`")
        };
        time.map(Some).ok_or_else(unfit)
    }
}

/// The execution at its end; none if it has not ended in time. `execution` was made before it could end.
pub(super) async fn ended(
    context: &Context,
    id: ExecutionId,
    execution: Execution,
    time: Duration,
) -> Result<Option<ExecutionView>, ApiProblem> {
    // Nobody tells this process of the end of what another one drives, or of what has ended.
    let mut is_told = execution.is_here();
    let mut finished = pin!(execution.finished());
    let mut over = pin!(tokio::time::sleep(time));
    loop {
        if !is_told && Catalogue::get(&*context.options.store, id).await?.status.is_terminal() {
            return context.view(id).await.map(Some);
        }
        tokio::select! {
            view = &mut finished => return Ok(view.ok()),
            () = &mut over => return Ok(None),
            () = context.drained() => return Ok(None),
            // Another process may have taken it over.
            () = tokio::time::sleep(STREAM_LOOK) => is_told = false,
        }
    }
}
