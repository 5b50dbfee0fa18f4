//! The engine, the compile cache, and whether every component can be loaded.

use std::time::Instant;

use runner_host::{Host, World};
use runner_model::code;
use runner_pack::Pack;

use super::{Finding, Verdict};
use crate::app::App;
use crate::error::Mistake;
use crate::output::{count as plural, elapsed};

/// Loads every component of every sound pack.
pub(super) async fn components(app: &App) -> Vec<Finding> {
    let host = match app.host() {
        Ok(host) => host,
        Err(error) => return Finding::bad("engine", &error),
    };
    let mut findings = Vec::new();
    let mut count = 0_usize;
    let start = Instant::now();
    for pack in app.library().0.packs() {
        for (name, path) in &pack.components {
            count += 1;
            findings.extend(load(&host, pack, name, path).await);
        }
    }
    if findings.is_empty() {
        let details = format!("{} loaded in {}", plural(count, "component"), elapsed(start.elapsed()));
        findings.push(Finding::good("components", details));
    }
    if count > 0 {
        findings.push(cache(app));
    }
    findings
}

async fn load(host: &Host, pack: &Pack, name: &str, path: &std::path::Path) -> Option<Finding> {
    let mistake = match tokio::fs::read(path).await {
        Ok(wasm) => {
            let simulates = pack.manifest.connections.values().any(|kind| kind.simulator.as_deref() == Some(name));
            let world = if simulates { World::Simulator } else { World::Action };
            let failure = host.load(wasm.into(), world).await.err()?;
            let message = format!("`{}`: {}", path.display(), failure.message);
            Mistake { code: failure.code, message, causes: Vec::new(), details: failure.details, hint: failure.hint }
        }
        Err(error) => {
            let message = format!("`{}` cannot be read: {error}", path.display());
            Mistake::new(code::EXEC_NO_ACTION_FILE, message)
        }
    };
    Some(Finding::of("components", Verdict::Bad, &mistake))
}

/// What was compiled must have been kept.
fn cache(app: &App) -> Finding {
    let path = app.config.data.join("cache");
    let files = std::fs::read_dir(&path).map(|entries| entries.flatten().filter(is_compiled).count());
    match files {
        Ok(count) if count > 0 => Finding::good("compile cache", format!("{} ({count} entries)", path.display())),
        _ => {
            let message = format!("nothing is kept in `{}`: components are compiled each time", path.display());
            let hint = "make the directory writable for this user".to_owned();
            let mistake = Mistake::new(code::HOST_CACHE, message).maybe_hint(Some(hint));
            Finding::of("compile cache", Verdict::Bad, &mistake)
        }
    }
}

fn is_compiled(entry: &std::fs::DirEntry) -> bool {
    // The key that authenticates the entries lies beside them.
    entry.path().extension().is_some_and(|extension| extension == "cwasm")
}
