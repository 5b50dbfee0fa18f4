//! `--plan`: what a run would change, without changing it. Nothing is recorded in the data directory.

use std::sync::Arc;

use console::Style;
use runner_executor::rehearsal::{Preview, Simulation, preview};
use runner_executor::{Guests, HostGuests, Packs, stored};
use runner_host::{Change, ChangeKind, Difference, Kv, PlannedKv, Planner, Traffic};
use runner_model::{Clock, ManualClock, Status, SystemClock, code};
use runner_pack::Action;
use runner_store::{MemoryStore, Store};
use serde_json::{Map, Value, json};

use super::{cassette, result};
use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{count, one_line, table};

/// Characters of a value in a line of the diff.
const VALUE_CHARS_MAX: usize = 120;

/// Makes the plan and shows it.
pub(super) async fn show(
    app: &mut App,
    action: &Action,
    parameters: Map<String, Value>,
    simulate: bool,
) -> Result<Exit, CliError> {
    let planner = Arc::new(Planner::default());
    let traffic = Traffic::Planned(planner.clone());
    cassette::learn(&traffic, action, &parameters);
    app.traffic = Some(traffic);
    let store = app.existing_store().await?.map(Arc::new);
    let made =
        make(app, &planner, store.clone().map(|store| store as Arc<dyn Store>), action, parameters, simulate).await;
    if let Some(store) = store {
        store.close().await;
    }
    let preview = made?;
    let changes = planner.changes();
    if app.output.json {
        app.output.value(&described(&preview, &changes));
    } else {
        app.output.line(drawn(app, &preview, &changes));
    }
    match preview.view.record.status {
        Status::Succeeded => Ok(Exit::Succeeded),
        status if status.is_terminal() => {
            Err(CliError { exit: result::exit_of(status), mistakes: result::mistakes(&preview.view) })
        }
        _ => {
            let message = "the plan ends where the run would wait for something from outside";
            let hint = preview.unanswered.first().map(|reason| format!("no answer could be made up: {reason}"));
            Err(CliError::new(Exit::Waiting, code::FLOW_WAIT_EXPIRED, message).maybe_hint(hint))
        }
    }
}

async fn make(
    app: &mut App,
    planner: &Arc<Planner>,
    store: Option<Arc<dyn Store>>,
    action: &Action,
    parameters: Map<String, Value>,
    simulate: bool,
) -> Result<Preview, CliError> {
    let start = SystemClock.now();
    let clock = Arc::new(ManualClock::at(start));
    let limits = app.config.limits.clone();
    let host = app.host_at(clock.clone())?;
    let secrets = store.clone().map(|store| app.stored_secrets(store, &App::node()));
    if let Some(store) = &store {
        app.recorded = store.grants().await?;
    }
    let packs: Arc<Packs> = Arc::new(app.packs(simulate, secrets.as_ref())?);
    if let Some((pack, found)) = packs.action(&action.reference) {
        packs.check(&pack, &found)?;
    }
    let store = store.unwrap_or_else(|| Arc::new(MemoryStore::default()));
    let kv: Arc<dyn Kv> = Arc::new(PlannedKv::new(planner.clone(), stored(store, clock.clone())));
    let library = packs.library();
    let guests =
        move || -> Arc<dyn Guests> { Arc::new(HostGuests::with_kv(host.clone(), packs.clone(), kv.clone(), &limits)) };
    let simulation = Simulation { clock, guests: Box::new(guests) };
    let made = preview(&library, &simulation, &action.reference, parameters, start).await;
    made.map_err(|error| CliError::new(Exit::Usage, code::PARAM_INVALID, error.to_string()))
}

fn described(preview: &Preview, changes: &[Change]) -> Value {
    json!({
        "action": preview.view.record.action,
        "status": preview.view.record.status,
        "changes": changes,
        "approvals": preview.approvals,
        "errors": preview.view.errors,
    })
}

/// A table of what would be changed, each with what differs below, and how many they are.
fn drawn(app: &App, preview: &Preview, changes: &[Change]) -> String {
    let mut text = String::new();
    if !changes.is_empty() {
        let row = |change: &Change| {
            let what = [change.method.as_str(), change.path.as_str()].join(" ");
            vec![
                sign(change.kind).to_owned(),
                change.name.clone(),
                change.target.clone(),
                what.trim().to_owned(),
                change.action.clone(),
            ]
        };
        text += &table(&app.output, &["", "what", "where", "request", "action"], changes.iter().map(row));
        text += "\n\n";
    }
    for change in changes {
        let style = match change.kind {
            ChangeKind::Created => Style::new().green(),
            ChangeKind::Changed => Style::new().yellow(),
            ChangeKind::Deleted => Style::new().red(),
        };
        let head = format!("{} {} ({})", sign(change.kind), one_line(&change.name, VALUE_CHARS_MAX), change.target);
        text += &if app.output.color() { style.force_styling(true).apply_to(head).to_string() } else { head };
        text.push('\n');
        for difference in &change.differences {
            text += &format!("    {}\n", line(change.kind, difference));
        }
    }
    for approval in &preview.approvals {
        let (prompt, answer) = (one_line(&approval.prompt, VALUE_CHARS_MAX), shown(&approval.answer));
        text += &format!("? taken as answered: {prompt} {answer}\n");
    }
    let total = if changes.is_empty() { "nothing would change".to_owned() } else { count(changes.len(), "change") };
    text += &total;
    text
}

const fn sign(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Created => "+",
        ChangeKind::Changed => "~",
        ChangeKind::Deleted => "-",
    }
}

fn line(kind: ChangeKind, difference: &Difference) -> String {
    let Difference { path, before, after } = difference;
    let name = if path.is_empty() { String::new() } else { format!("{}: ", one_line(path, VALUE_CHARS_MAX)) };
    match (before, after) {
        (Some(before), Some(after)) => format!("{name}{} → {}", shown(before), shown(after)),
        (None, Some(after)) if kind == ChangeKind::Created => format!("{name}{}", shown(after)),
        (None, Some(after)) => format!("{name}? → {}", shown(after)),
        (Some(before), None) => format!("{name}{} → nothing", shown(before)),
        (None, None) => name,
    }
}

fn shown(value: &Value) -> String {
    one_line(&value.to_string(), VALUE_CHARS_MAX)
}
