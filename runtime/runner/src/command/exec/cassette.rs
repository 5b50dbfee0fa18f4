//! `--record` and `--replay`: the cassette that is written or answers in this run.

use std::path::Path;
use std::sync::Arc;

use runner_host::{Player, Recorder, Traffic};
use runner_model::{Failure, SystemClock, code};
use runner_pack::Action;
use serde_json::{Map, Value};

use crate::app::App;
use crate::error::{CliError, Mistake};
use crate::exit::Exit;
use crate::output::count;

/// Requests of a cassette that are named when nobody made them: the first say what is different.
const LEFT_SHOWN_MAX: usize = 5;

/// Opens what is asked for. The secret parameters are known from the beginning.
pub(super) fn open(
    record: Option<&Path>,
    replay: Option<&Path>,
    action: &Action,
    parameters: &Map<String, Value>,
) -> Result<Option<Traffic>, CliError> {
    let refused = |failure: Failure| CliError::of_failure(Exit::Invalid, &failure);
    let traffic = match (record, replay) {
        (Some(path), _) => Traffic::Recorded(Arc::new(Recorder::create(path, Arc::new(SystemClock)).map_err(refused)?)),
        (None, Some(path)) => Traffic::Replayed(Arc::new(Player::open(path).map_err(refused)?)),
        (None, None) => return Ok(None),
    };
    learn(&traffic, action, parameters);
    Ok(Some(traffic))
}

/// Keeps the secret parameters of an action out of what is written.
pub(super) fn learn(traffic: &Traffic, action: &Action, parameters: &Map<String, Value>) {
    let secret = action.parameters.secret_names();
    secret.iter().filter_map(|name| parameters.get(name)).for_each(|value| traffic.mask().learn_all(value));
}

/// Says what became of it.
pub(super) fn close(app: &App) -> Result<(), CliError> {
    match &app.traffic {
        Some(Traffic::Recorded(recorder)) => {
            recorder.finish().map_err(|failure| CliError::of_failure(Exit::Failed, &failure))?;
        }
        Some(Traffic::Replayed(player)) => {
            let left = player.left();
            if !left.is_empty() {
                let shown: Vec<_> = left.iter().take(LEFT_SHOWN_MAX).map(|request| format!("`{request}`")).collect();
                let more = left.len().saturating_sub(LEFT_SHOWN_MAX);
                let more = if more == 0 { String::new() } else { format!(" and {more} more") };
                let what = count(left.len(), "recorded request");
                let message = format!("nobody made {what}: {}{more}", shown.join(", "));
                app.output.warn(&Mistake::new(code::TAPE_MISMATCH, message));
            }
        }
        _ => {}
    }
    Ok(())
}
