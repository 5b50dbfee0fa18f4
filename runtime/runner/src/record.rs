//! Recording what is asked, without driving anything: for `--detach`. Whoever takes the execution up later decides what
//! follows from it, exactly as if a process had ended right after recording it.

use std::sync::Arc;

use runner_engine::{Plan, State};
use runner_executor::{Control, ControlError, ExecutorError, RequestError};
use runner_model::{
    Clock as _, Entry, ExecutionId, ExecutionView, Fact, Mask, Origin, Status, SystemClock, SystemEntropy, Version,
    code, limits,
};
use runner_pack::{Action, Asked, Pack, check_answer};
use runner_store::{Append, Journal as _, Leases as _, NewExecution, SqliteStore};
use serde_json::{Map, Value};

use crate::app::App;
use crate::command::Chosen;
use crate::error::CliError;
use crate::exit::Exit;

/// Records a request for an execution that nobody runs yet.
pub(crate) async fn request(
    app: &App,
    store: &SqliteStore,
    action: &Action,
    parameters: Map<String, Value>,
    simulate: bool,
    secrets: Vec<String>,
) -> Result<ExecutionId, CliError> {
    let reference = || action.reference.clone();
    if !action.enabled {
        return Err(RequestError::Disabled { action: reference() }.into());
    }
    let (pack, found) = pack_of(app, action)?;
    app.granted_packs(Some(store), simulate).await?.check(&pack, &found)?;
    let sealed = !secrets.is_empty() || app.library().0.may_hold_secrets(&pack, action);
    let requested = action.request(&pack, parameters, Asked { simulate, sealed, ..Asked::by(Origin::Cli) });
    let requested = requested.map_err(|mistakes| RequestError::Parameters { action: reference(), mistakes })?;
    let id = ExecutionId::new(&SystemClock, &SystemEntropy);
    let now = SystemClock.now();
    let mut entries = vec![Entry::new(now, Fact::Requested(Box::new(requested)))];
    let mask = Mask::default();
    secrets.iter().for_each(|text| mask.learn(text));
    if sealed {
        pack.secret_config().for_each(|value| mask.learn_all(value));
    }
    if !mask.is_empty() {
        entries.push(Entry::new(now, Fact::SecretsLearned { texts: mask.secrets() }));
    }
    let new = NewExecution { id, entries, owner: App::node(), lease_until: now };
    let lease = store.create(new).await?;
    store.release(id, lease.token).await?;
    Ok(id)
}

/// Records what is asked of an execution that nobody runs. Gives the status it then has.
pub(crate) async fn note(app: &App, store: &SqliteStore, id: ExecutionId, ask: Control) -> Result<Status, CliError> {
    let now = SystemClock.now();
    let until = now.plus_ms(i64::try_from(limits::LEASE.as_millis()).unwrap_or(i64::MAX));
    let Some(lease) = store.claim(id, &App::node(), now, until).await? else {
        return Err(ExecutorError::Owned { id }.into());
    };
    let noted = append(app, store, id, lease.token, ask).await;
    store.release(id, lease.token).await?;
    noted
}

async fn append(
    app: &App,
    store: &SqliteStore,
    id: ExecutionId,
    token: runner_model::FencingToken,
    ask: Control,
) -> Result<Status, CliError> {
    let entries = store.read(id, Version(0)).await?;
    let corrupt = || CliError::new(Exit::Broken, code::STORE_CORRUPT, format!("the journal of {id} cannot be read"));
    let view = ExecutionView::fold_unmasked(id, &entries).ok_or_else(corrupt)?;
    let sealed =
        matches!(entries.first().map(|entry| &entry.fact), Some(Fact::Requested(requested)) if requested.sealed);
    let at = SystemClock.now().max(entries.last().map(|entry| entry.at).unwrap_or_default());
    let facts = facts(app, &view, &entries, ask)?;
    let added: Vec<_> = facts.into_iter().map(|fact| Entry::new(at, fact)).collect();
    let expected = Version(u64::try_from(entries.len()).unwrap_or(u64::MAX));
    store.append(Append { id, token, expected, entries: added.clone(), sealed, announce: false }).await?;
    let after = ExecutionView::fold(id, &[entries, added].concat()).ok_or_else(corrupt)?;
    Ok(after.record.status)
}

/// The facts that something that is asked makes, if it can be asked now.
fn facts(app: &App, view: &ExecutionView, entries: &[Entry], ask: Control) -> Result<Vec<Fact>, CliError> {
    let (id, status) = (view.record.id, view.record.status);
    let unfit = |what| Err(ControlError::Unfit { id, status, what }.into());
    match ask {
        Control::Rerun { by, tasks } => {
            let (plan, state) = replay(app, view, entries)?;
            state.check_rerun(&plan, &tasks).map_err(ControlError::from)?;
            Ok(vec![Fact::RerunRequested { by, tasks }])
        }
        _ if status.is_terminal() => Err(ControlError::Ended { id, status }.into()),
        Control::Pause { .. } if !matches!(status, Status::Running | Status::Pending) => unfit("paused"),
        Control::Pause { by } => Ok(vec![Fact::PauseRequested { by }]),
        Control::Resume { .. } if !matches!(status, Status::Pausing | Status::Paused) => unfit("resumed"),
        Control::Resume { by } => Ok(vec![Fact::ResumeRequested { by }]),
        Control::Cancel { by } => Ok(vec![Fact::CancelRequested { by }]),
        Control::Respond { by, task, item, answer } => {
            let Chosen { step, item, wait, .. } = crate::command::choose(view, task.as_ref(), item)?;
            check_answer(&wait, &answer).map_err(|error| crate::command::answer::misfit(&error))?;
            Ok(vec![Fact::Answered { step, item, by, answer }])
        }
        Control::Event { by, key, payload } => {
            let waits = crate::command::open_waits(view).into_iter().filter(|open| open.is_for(&key));
            let answered =
                |Chosen { step, item, .. }| Fact::Answered { step, item, by: by.clone(), answer: payload.clone() };
            Ok(waits.map(answered).collect())
        }
    }
}

fn replay(app: &App, view: &ExecutionView, entries: &[Entry]) -> Result<(Arc<Plan>, State), CliError> {
    let action = crate::command::find(app, view.record.action.as_str())?;
    let (pack, _) = pack_of(app, &action)?;
    let plan = action.plan();
    let state = State::replay(&plan, view.record.id, entries, Arc::new(pack.config.clone()));
    let state = state.map_err(|_| {
        let message = format!("the journal of {} does not fit the pack that is installed", view.record.id);
        CliError::new(Exit::Invalid, code::EXEC_JOURNAL, message)
            .hint("install the version of the pack that the execution began with")
    })?;
    Ok((plan, state))
}

fn pack_of(app: &App, action: &Action) -> Result<(Arc<Pack>, Arc<Action>), CliError> {
    let found = app.library().0.action(&action.reference).map(|(pack, action)| (pack.clone(), action.clone()));
    found.ok_or_else(|| ExecutorError::Missing { action: action.reference.clone() }.into())
}
