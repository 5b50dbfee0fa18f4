//! Where things are recorded, and the clock that dates them.

use std::time::Instant;

use runner_model::{Clock as _, PackRef, SystemClock, Timestamp, code};
use runner_store::{Catalogue as _, ExecutionFilter, KeyValue as _, SqliteStore};

use super::{Finding, Verdict};
use crate::app::App;
use crate::error::{CliError, Mistake};
use crate::output::elapsed;

/// The data directory and the database: opened, checked whole, written to and read back.
pub(super) async fn data(app: &App) -> Vec<Finding> {
    match probe(app).await {
        Ok(findings) => findings,
        Err(error) => Finding::bad("data", &error),
    }
}

async fn probe(app: &App) -> Result<Vec<Finding>, CliError> {
    // Opening asserts that the journal mode is WAL and that commits are flushed.
    let store = app.store().await?;
    let opened = Finding::good("data", format!("{} (SQLite, WAL, synchronous=FULL)", app.config.data.display()));
    store.verify().await?;
    let took = write_and_read(&store).await?;
    store.close().await;
    Ok(vec![opened, Finding::good("database", format!("sound; a commit took {}", elapsed(took)))])
}

async fn write_and_read(store: &SqliteStore) -> Result<std::time::Duration, CliError> {
    // A name that no pack can have taken: refs are unique, and this one is runner's own.
    let Ok(pack) = PackRef::new("runner_doctor") else { return Ok(std::time::Duration::ZERO) };
    let now = SystemClock.now();
    let start = Instant::now();
    store.set(&pack, "probe", now.as_millis().into(), None).await?;
    let took = start.elapsed();
    let read = runner_store::KeyValue::get(store, &pack, "probe", now).await?;
    store.delete(&pack, "probe", now).await?;
    if read != Some(now.as_millis().into()) {
        let message = "what was written to the database cannot be read back";
        return Err(CliError::new(crate::exit::Exit::Broken, code::STORE_CORRUPT, message));
    }
    Ok(took)
}

/// Whether the clock can be right.
pub(super) async fn clock(app: &App) -> Finding {
    let now = SystemClock.now();
    let wrong = |message: String| {
        let hint = "set the clock, for example with NTP: ids, leases and schedules depend on it".to_owned();
        Finding::of("clock", Verdict::Bad, &Mistake::new(code::HOST_OTHER, message).maybe_hint(Some(hint)))
    };
    // 2025-01-01, before this program was written, and 2100-01-01.
    let (earliest, latest) = (Timestamp::from_millis(1_735_689_600_000), Timestamp::from_millis(4_102_444_800_000));
    if now < earliest || now > latest {
        return wrong(format!("it shows {now}"));
    }
    /// Clocks of machines that share a disk may differ by this much.
    const AHEAD_MS_MAX: i64 = 60_000;
    match newest(app).await {
        Some(newest) if newest.since_ms(now) > AHEAD_MS_MAX => {
            wrong(format!("it shows {now}, but an execution was recorded at {newest}"))
        }
        _ => Finding::good("clock", now.to_string()),
    }
}

async fn newest(app: &App) -> Option<Timestamp> {
    let store = app.existing_store().await.ok()??;
    let newest = store.list(&ExecutionFilter::default(), None, 1).await.ok()?;
    store.close().await;
    newest.first().map(|record| record.created_at)
}
