//! `runner execution resume --all`: takes up everything that nobody runs, and drives it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use runner_executor::{Executor, ExecutorError, Heard, Listener, Progress};
use runner_model::{ExecutionId, ExecutionRecord, Status, Version};
use runner_store::{Catalogue as _, ExecutionFilter, Journal as _, Leases as _, SqliteStore};
use tokio::time::Instant;

use super::super::foreground::is_simulated;
use super::super::identify::newest;
use super::super::rest::rests;
use crate::app::App;
use crate::command::exec::Display;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{count, table};
use crate::process::{Process, Takes, free_dead};
use crate::stop;

/// How often to look what has become of the executions when nothing was heard of them.
const LOOK: Duration = Duration::from_secs(1);
/// How soon to look after something was heard: it may not be recorded yet.
const LOOK_SOON: Duration = Duration::from_millis(25);

/// There is nothing to go on with.
pub(in super::super) fn nothing(app: &App) -> Result<Exit, CliError> {
    if app.output.json {
        app.output.value(&[(); 0]);
    } else {
        app.output.note("nothing is left to go on with");
    }
    Ok(Exit::Succeeded)
}

/// Drives all of it; with `wait` until everything has ended or waits for somebody.
pub(super) async fn run(app: &mut App, store: &Arc<SqliteStore>, wait: bool) -> Result<Exit, CliError> {
    free_dead(&app.nodes(), store).await;
    let mut found = Vec::new();
    let filter = ExecutionFilter { open: Some(true), ..ExecutionFilter::default() };
    for record in newest(&**store, &filter, usize::MAX, true).await? {
        let owner = store.owner(record.id).await?;
        if !owner.is_some_and(|node| app.nodes().is_alive(&node)) {
            found.push(record);
        }
    }
    if found.is_empty() {
        return nothing(app);
    }
    let (mut real, mut simulated) = (Vec::new(), Vec::new());
    for record in found {
        let kind = if is_simulated(&store.read(record.id, Version(0)).await?) { &mut simulated } else { &mut real };
        kind.push(record);
    }
    let mixed = !simulated.is_empty();
    let mut ended = Vec::new();
    // One kind after the other: what was simulated must not reach a real system.
    for (records, simulate) in [(real, false), (simulated, true)] {
        if !records.is_empty() {
            ended.extend(drive(app, store, records, simulate, mixed, wait).await?);
        }
    }
    Ok(show(app, &ended))
}

async fn drive(
    app: &mut App,
    store: &Arc<SqliteStore>,
    records: Vec<ExecutionRecord>,
    simulate: bool,
    mixed: bool,
    wait: bool,
) -> Result<Vec<ExecutionRecord>, CliError> {
    let process = Process::start(app, store, simulate, Takes::Open).await?;
    let mut display = Display::of_many(app);
    let stopped = stop::on_signal(display.leaving());
    let mut listener = process.executor.listen();
    // All at once if it can be: one by one if some of them are not for this process.
    let mut ids: BTreeSet<_> = records.iter().map(|record| record.id).collect();
    if mixed {
        ids = one_by_one(app, &process.executor, ids).await;
    } else if let Err(error) = process.executor.recover_all().await {
        process.end().await;
        return Err(error.into());
    }
    let look = Look { app, store, executor: &process.executor, ids: &ids, wait };
    let settled = tokio::select! {
        () = stopped.cancelled() => Ok(()),
        settled = look.until_settled(&mut listener, &mut display) => settled,
    };
    display.end(None);
    process.end().await;
    settled?;
    let mut after = Vec::new();
    for id in ids {
        after.push(store.get(id).await?);
    }
    Ok(after)
}

/// Takes up each of them; what cannot be driven is told and left.
async fn one_by_one(app: &App, executor: &Executor, ids: BTreeSet<ExecutionId>) -> BTreeSet<ExecutionId> {
    let mut taken = BTreeSet::new();
    for id in ids {
        match executor.recover(id).await {
            Ok(_) => drop(taken.insert(id)),
            Err(error) => warn(app, id, error),
        }
    }
    taken
}

fn warn(app: &App, id: ExecutionId, error: ExecutorError) {
    for mut mistake in CliError::from(error).mistakes {
        mistake.message = format!("{id} is left: {}", mistake.message);
        app.output.warn(&mistake);
    }
}

/// Looks whether anything would still happen.
struct Look<'a> {
    app: &'a App,
    store: &'a SqliteStore,
    executor: &'a Executor,
    ids: &'a BTreeSet<ExecutionId>,
    wait: bool,
}

impl Look<'_> {
    async fn until_settled(&self, listener: &mut Listener, display: &mut Display) -> Result<(), CliError> {
        let mut open = self.ids.clone();
        let mut tried = BTreeSet::new();
        loop {
            let mut unsettled = Vec::new();
            for id in open.clone() {
                let status = self.store.get(id).await?.status;
                if status.is_terminal() {
                    open.remove(&id);
                } else if !rests(self.store, id).await? {
                    unsettled.push(id);
                }
            }
            let (at_work, parked) = self.executor.count();
            if at_work == 0 && (unsettled.is_empty() || !self.wait || parked == 0) {
                return Ok(());
            }
            // What waits for a time is parked here, and so looked at once more; what could not be taken up says why.
            for id in unsettled.into_iter().filter(|id| at_work == 0 && tried.insert(*id)) {
                if let Err(error) = self.executor.recover(id).await {
                    warn(self.app, id, error);
                    open.remove(&id);
                }
            }
            self.listen(listener, display).await;
        }
    }

    /// Shows what happens until there is a reason to look.
    async fn listen(&self, listener: &mut Listener, display: &mut Display) {
        let mut until = Instant::now() + LOOK;
        loop {
            match tokio::time::timeout_at(until, listener.recv()).await {
                Ok(Some(Heard::Event(event))) => {
                    display.event(&event);
                    if matches!(event.progress, Progress::Finished { .. } | Progress::StatusChanged { .. }) {
                        until = until.min(Instant::now() + LOOK_SOON);
                    }
                }
                Ok(Some(Heard::Lost(lost))) => display.lost(lost),
                Ok(None) => tokio::time::sleep_until(until).await,
                Err(_) => return,
            }
        }
    }
}

fn show(app: &App, records: &[ExecutionRecord]) -> Exit {
    let open = records.iter().filter(|record| !record.status.is_terminal()).count();
    let bad = records.iter().any(|record| record.status.is_terminal() && record.status != Status::Succeeded);
    if app.output.json {
        app.output.value(&records);
    } else {
        let row = |record: &ExecutionRecord| {
            vec![record.id.to_string(), record.action.to_string(), record.status.to_string()]
        };
        app.output.line(table(&app.output, &["id", "action", "status"], records.iter().map(row)));
        if open > 0 {
            let waits = count(open, "execution");
            app.output.note(format!("{waits} not ended: `runner execution explain ID` says what each waits for"));
        }
    }
    match (bad, open) {
        (true, _) => Exit::Failed,
        (false, 0) => Exit::Succeeded,
        (false, _) => Exit::Waiting,
    }
}
