//! What another process grants, or takes back, holds here as well, after a moment.

use std::sync::Arc;

use runner_executor::Packs;
use runner_model::limits;
use runner_store::{Grants as _, SqliteStore};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Looks again and again at what is recorded. What this process itself records holds at once, without a look.
pub(super) async fn follow(store: Arc<SqliteStore>, packs: Arc<Packs>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(limits::GRANTS_LOOK) => {}
        }
        let Ok(records) = store.grants().await.inspect_err(|error| warn!(%error, "grants not read")) else { continue };
        if packs.take_grants(records) {
            info!("grants changed by another process");
            let packs = packs.clone();
            // A panic there is reported when it happens.
            let _ = tokio::task::spawn_blocking(move || packs.let_in()).await;
        }
    }
}
