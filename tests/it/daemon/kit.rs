//! A daemon in a place of its own, and what asks it.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kit::{Canaries, Place};

/// How long anything may take that has to come: a machine with everything else on it is slow.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// A daemon that runs.
pub(crate) struct Daemon {
    pub(crate) url: String,
    child: Child,
    canaries: Canaries,
    pub(crate) client: reqwest::Client,
}

impl Daemon {
    /// Starts one on a free port of the loopback, and waits until it serves.
    pub(crate) fn start(place: &Place, more: &[&str]) -> Self {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], more].concat();
        Self::of(place.command(&arguments), place)
    }

    /// Starts one on a socket that stays open when it ends, as service managers hand them over.
    pub(crate) fn on(place: &Place, socket: &TcpListener, more: &[&str]) -> Self {
        let inner = place.command(&[&["serve"], more].concat());
        let mut command = Command::new("sh");
        // The socket comes as standard input, since that needs no unsafe code; it is expected as file 3.
        command.args(["-c", "exec 3<&0 </dev/null; export LISTEN_FDS=1 LISTEN_PID=$$; exec \"$@\"", "sh"]);
        command.arg(inner.get_program()).args(inner.get_args());
        command.current_dir(inner.get_current_dir().unwrap()).env_clear();
        command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdin(Stdio::from(std::os::fd::OwnedFd::from(socket.try_clone().unwrap())));
        Self::of(command, place)
    }

    /// Starts one as this command says.
    pub(crate) fn of(mut command: Command, place: &Place) -> Self {
        let errors = std::fs::File::options().create(true).append(true).open(place.path("daemon.log")).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(errors).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let Some(Ok(line)) = lines.next() else {
            let log = std::fs::read_to_string(place.path("daemon.log")).unwrap();
            panic!("the daemon did not start: {log}");
        };
        // With `--json` it is a member of an object.
        let address = |line: &str| Some(line.trim().strip_prefix("\"listening\": \"")?.split('"').next()?.to_owned());
        let url = match line.strip_prefix("listening on ") {
            Some(url) => url.to_owned(),
            None => {
                lines.by_ref().map_while(Result::ok).find_map(|line| address(&line)).unwrap_or_else(|| panic!("{line}"))
            }
        };
        // Whoever is first installs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // One connection a request: what is kept open must not hide what a new one meets.
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).timeout(SOON).build().unwrap();
        Self { url, child, canaries: place.canaries.clone(), client }
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its answer to a GET, which has to be one of success.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let response = self.client.get(self.at(path)).send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        self.canaries.look(path, text.as_bytes());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The text of its answer to a GET, whatever it is.
    pub(crate) async fn text(&self, path: &str) -> String {
        let text = self.client.get(self.at(path)).send().await.unwrap().text().await.unwrap();
        self.canaries.look(path, text.as_bytes());
        text
    }

    /// The status of its answer to a POST, and the answer.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let response = self.client.post(self.at(path)).json(body).send().await.unwrap();
        let (status, text) = (response.status().as_u16(), response.text().await.unwrap());
        self.canaries.look(path, text.as_bytes());
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Runs an action to its end, and gives the ended execution.
    pub(crate) async fn run(&self, action: &str, parameters: Value) -> Value {
        let body = serde_json::json!({ "action": action, "parameters": parameters });
        let (status, execution) = self.post("/api/v1/executions?wait=60s", &body).await;
        assert_eq!(status, 200, "{execution}");
        execution
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn ended(mut self) -> ExitStatus {
        let deadline = Instant::now() + SOON;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the daemon does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) fn stop(self) -> ExitStatus {
        self.signal("TERM");
        self.ended()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something holds.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + SOON;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} does not come");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
