//! What of an execution waits for its turn, because of policies. No journal says that: the process that drives it does.

use std::time::Duration;

use runner_model::{ExecutionView, StepView};
use runner_server::control::Turn;
use serde::Deserialize;

use crate::app::App;
use crate::error::CliError;
use crate::owner;
use crate::records::{Place, at};

/// How long the process that drives it may take to answer: what is recorded is shown without it.
const TELL: Duration = Duration::from_secs(2);

/// All of it; nothing if nobody can say.
pub(super) async fn of(app: &App, place: &Place, view: &ExecutionView) -> Result<Vec<Turn>, CliError> {
    if view.record.status.is_terminal() {
        return Ok(Vec::new());
    }
    match place {
        Place::There(remote) => {
            #[derive(Deserialize)]
            struct Shown {
                #[serde(default)]
                delayed: Vec<Turn>,
            }
            Ok(remote.get::<Shown>(&at(view.record.id, ""), &[]).await?.delayed)
        }
        Place::Here(store) => {
            let Some(owner) = owner::find(app, store, view.record.id).await? else { return Ok(Vec::new()) };
            let told = tokio::time::timeout(TELL, owner.delayed(view.record.id)).await;
            Ok(told.ok().and_then(Result::ok).unwrap_or_default())
        }
    }
}

/// A line for one of them.
pub(super) fn line(turn: &Turn, steps: &[StepView]) -> String {
    let task = turn.step.and_then(|step| steps.iter().find(|own| own.step == step)).map(|step| step.task.to_string());
    let item = turn.item.map(|item| format!("[{item}]")).unwrap_or_default();
    let who = task.map_or_else(|| "it".to_owned(), |task| format!("{task}{item}"));
    let before = match turn.ahead {
        0 => "is the next".to_owned(),
        ahead => format!("has {ahead} before it"),
    };
    format!("{who} waits for its turn by the policy `{}`, and {before}", turn.policy)
}
