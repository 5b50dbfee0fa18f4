//! What is measured: a process that listens, and the request that it is sent.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::bare;

const SECRET: &str = "only for the bench";
/// A push, as short as one gets.
const BODY: &str = r#"{"ref":"refs/heads/main","after":"4f2a1c","commits":[{"id":"4f2a1c"}],"pusher":{"name":"ada"}}"#;

/// A process that listens, for as long as this is held.
pub(crate) struct Served {
    /// Where.
    pub(crate) address: SocketAddr,
    path: String,
    signature: String,
    child: Child,
}

impl Served {
    /// The bare server.
    pub(crate) fn bare(directory: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(bare::ARGUMENT).arg(directory.join("bare.db"));
        Self::of(command, "/hook")
    }

    /// The daemon, with a webhook whose rule matches (`busy`) or does not (`quiet`).
    pub(crate) fn daemon(directory: &Path, kind: &str) -> Self {
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
        fs::write(place.join("runner.toml"), format!("[webhooks.secrets]\nbench = \"{SECRET}\"\n")).unwrap();
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data", "data", "--packs", "packs", "--packs"]);
        command.arg(repository.join("packs")).current_dir(&place).stderr(Stdio::null());
        Self::of(command, "/api/v1/webhooks/hook")
    }

    fn of(mut command: Command, path: &str) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let line = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
        let address = line.trim_start_matches("listening on http://").parse().unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(BODY.as_bytes());
        let signature = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        Self { address, path: path.to_owned(), signature, child }
    }

    /// A delivery with this id, as it goes over the wire.
    pub(crate) fn request(&self, delivery: &str) -> String {
        let (path, signature, length) = (&self.path, &self.signature, BODY.len());
        format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
             x-github-event: push\r\nx-github-delivery: {delivery}\r\nx-hub-signature-256: sha256={signature}\r\n\r\n{BODY}",
            self.address
        )
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
