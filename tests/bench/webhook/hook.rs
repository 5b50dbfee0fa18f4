//! The webhook that is measured, and its deliveries.

use std::fs;
use std::path::Path;
use std::process::Command;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::load::Target;
use crate::served::Served;

const SECRET: &str = "only for the bench";
/// A push, as short as one gets.
const BODY: &str = r#"{"ref":"refs/heads/main","after":"4f2a1c","commits":[{"id":"4f2a1c"}],"pusher":{"name":"ada"}}"#;

/// Runs a daemon with a webhook whose rule matches the deliveries (`busy`) or does not (`quiet`).
pub(crate) fn daemon(directory: &Path, kind: &str) -> Command {
    let place = directory.join(kind);
    let rules = place.join("packs/bench/rules");
    fs::create_dir_all(&rules).unwrap();
    fs::write(place.join("packs/bench/pack.yaml"), "ref: bench\nversion: 1.0.0\n").unwrap();
    let branch = if kind == "busy" { "main" } else { "other" };
    let rule = format!(
        "trigger:\n  type: core.webhook\n  parameters: {{path: hook, signature: {{scheme: github, secret: bench}}}}\n\
         criteria:\n  trigger.body.ref: {{type: equals, pattern: refs/heads/{branch}}}\n\
         when: <% event().body.commits.len() > 0 %>\naction:\n  ref: core.noop\n"
    );
    fs::write(rules.join("push.yaml"), rule).unwrap();
    // Deliveries are taken faster than their executions are run: what waits meanwhile is not to be refused here.
    let settings = format!("[server]\nqueue_max = 1000000\n[webhooks.secrets]\nbench = \"{SECRET}\"\n");
    fs::write(place.join("runner.toml"), settings).unwrap();
    Served::daemon(&place)
}

/// Deliveries to this path, each with an id of its own.
pub(crate) fn deliveries(served: &Served, path: &'static str) -> Target {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(BODY.as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let headers = move |number| {
        format!("x-github-event: push\r\nx-github-delivery: d-{number}\r\nx-hub-signature-256: sha256={signature}\r\n")
    };
    Target::post(served, (path, 202), headers, BODY)
}
