//! A place of its own for each test, and the binary run in it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

mod canaries;
pub(crate) use canaries::Canaries;

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A working directory with nothing in it but a data directory, whose compile cache all tests share.
///
/// When it goes, nothing in it, and nothing that was said of it, may hold a canary ([`Place::canary`]).
pub(crate) struct Place {
    dir: TempDir,
    pub(crate) canaries: Canaries,
}

/// How a run of the binary ended.
pub(crate) struct Run {
    pub(crate) arguments: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    place: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = Self { dir, canaries: Canaries::default() };
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
        fs::create_dir_all(&cache).unwrap();
        fs::create_dir(place.path("data")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(cache, place.path("data/cache")).unwrap();
        place
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    /// Writes a file, and the directories above it.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        self.canaries.own(&path);
    }

    /// A text to be put where something is secret: nothing that the product writes or says may hold it, in any form.
    pub(crate) fn canary(&self, name: &str) -> String {
        self.canaries.hatch(name)
    }

    /// A pack of the directory `packs` with one component and one action of it, for what no action should do.
    pub(crate) fn bad_pack(&self, function: &str, more: &str) {
        self.write("packs/bad/pack.yaml", "ref: bad\nversion: 0.1.0\n");
        self.write(
            &format!("packs/bad/actions/{function}.yaml"),
            &format!("name: {function}\nrunner_type: wasm\n{more}"),
        );
        fs::create_dir_all(self.path("packs/bad/components")).unwrap();
        let guest = root().join("tests/guests/components/host-guest.wasm");
        fs::copy(guest, self.path("packs/bad/components/bad.wasm")).unwrap();
    }

    /// The binary, to be run here with the packs of the repository and those in `packs`, if there are any.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        command.current_dir(self.dir.path()).stdin(Stdio::null()).env_clear();
        // The compiler and its home, for building packs; nothing else of the machine matters.
        for name in ["PATH", "HOME", "RUNNER_WASM_CARGO", "RUNNER_WASM_PREFIX", "CARGO_HOME", "RUSTUP_HOME"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.args(arguments).args(["--data", "data"]);
        if self.path("packs").is_dir() {
            command.args(["--packs", "packs"]);
        }
        command.arg("--packs").arg(root().join("packs"));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().unwrap();
        self.ended(arguments, output)
    }

    /// Runs it with this on its standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Run {
        let mut command = self.command(arguments);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        self.ended(arguments, child.wait_with_output().unwrap())
    }

    pub(crate) fn ended(&self, arguments: &[&str], output: Output) -> Run {
        self.canaries.look(&format!("standard output of {arguments:?}"), &output.stdout);
        self.canaries.look(&format!("standard error of {arguments:?}"), &output.stderr);
        Run {
            arguments: arguments.join(" "),
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            place: self.dir.path().to_owned(),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.canaries.look_below(self.dir.path());
        }
    }
}

impl Run {
    /// Everything that a user sees of it.
    pub(crate) fn seen(&self) -> String {
        let code = self.code.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        let text = format!("$ runner {}\n[exit {code}]\n{}--- stderr\n{}", self.arguments, self.stdout, self.stderr);
        text.replace(&self.place.display().to_string(), "[HERE]").replace(&root().display().to_string(), "[REPOSITORY]")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.seen()))
    }

    pub(crate) fn error_json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stderr).unwrap_or_else(|error| panic!("{error}: {}", self.seen()))
    }
}

/// Sends the signal that Ctrl-C sends.
pub(crate) fn interrupt(child: &Child) {
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// Compares what was seen with the snapshot of this name, apart from what differs from run to run.
#[macro_export]
macro_rules! assert_seen {
    ($name:literal, $($run:expr),+ $(,)?) => {{
        let seen = [$($run.seen()),+].join("\n");
        let mut settings = insta::Settings::clone_current();
        settings.set_omit_expression(true);
        settings.set_prepend_module_to_snapshot(false);
        settings.add_filter(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "[ID]");
        settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "[TIME]");
        settings.add_filter(r"\b\d+(\.\d)? (ms|s|min)\b", "[TOOK]");
        settings.add_filter(r"\b[0-9a-f]{64}\b", "[SHA256]");
        settings.bind(|| insta::assert_snapshot!($name, seen));
    }};
}
