//! What a pack may do is what somebody granted it: asked before anything is recorded, for a version that was looked at.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use runner_model::{GrantRecord, Permissions, SystemClock};
use runner_store::{AuditOrigin, Audited, Grants as _, SqliteOptions, SqliteStore};
use serde_json::Value;

use crate::kit::{Place, Run, root};

/// How long anything may take that has to come.
const SOON: Duration = Duration::from_secs(60);

/// Answers every request, and counts them.
struct Machine {
    url: String,
    requests: Arc<AtomicUsize>,
}

impl Machine {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = requests.clone();
        // Ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let (mut head, mut byte) = (Vec::new(), [0]);
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                    head.push(byte[0]);
                }
                counted.fetch_add(usize::from(!head.is_empty()), Ordering::SeqCst);
                drop(stream.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"));
            }
        });
        Self { url, requests }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// The pack `net`, in a version that asks for these methods on connections of the kind `box`.
fn write(place: &Place, version: &str, methods: &str) {
    let manifest = format!(
        "ref: net\nversion: {version}\nconnections: {{box: {{description: A box}}}}\npermissions:\n  http:\n    \
         - {{connection: box, methods: [{methods}], paths: [/api/**]}}\n"
    );
    place.write("packs/net/pack.yaml", &manifest);
}

/// A place with the first version of the pack, two connections, and the server behind them.
fn place() -> (Place, Machine) {
    let (place, machine) = (Place::new(), Machine::new());
    fs::create_dir_all(place.path("packs/net/components")).unwrap();
    let core = root().join("packs/core/components/core.wasm");
    fs::copy(core, place.path("packs/net/components/net.wasm")).unwrap();
    let request = fs::read_to_string(root().join("packs/core/actions/http_request.yaml")).unwrap();
    place.write("packs/net/actions/http_request.yaml", &request);
    place.write("packs/net/actions/idle.yaml", "name: idle\nrunner_type: noop\n");
    let echo = "name: echo\nrunner_type: wasm\npermissions: none\nparameters: {message: {type: string}}\n";
    place.write("packs/net/actions/echo.yaml", echo);
    let outer = "name: outer\ntasks:\n  one:\n    action: net.inner\n";
    place.write("packs/net/workflows/outer.yaml", outer);
    let inner = "name: inner\ntasks:\n  one:\n    action: core.echo\n    input: {message: x}\n    next:\n      - when: <% failed() %>\n        do: two\n  \
                 two:\n    action: net.http_request\n    input: {connection: box_a, path: /api/x}\n";
    place.write("packs/net/workflows/inner.yaml", inner);
    write(&place, "1.0.0", "GET");
    let connection = |name: &str| format!("[connections.{name}]\nkind = \"box\"\nbase_url = \"{}\"\n", machine.url);
    place.write("runner.toml", &[connection("box_a"), connection("box_b")].concat());
    (place, machine)
}

const GET: [&str; 4] = ["exec", "net.http_request", "connection=box_a", "path=/api/x"];

fn code(run: &Run) -> Value {
    run.error_json()["error"]["code"].clone()
}

fn json(place: &Place, arguments: &[&str]) -> Run {
    place.run(&[arguments, &["--json"]].concat())
}

fn done(run: &Run) {
    assert_eq!(run.code, Some(0), "{}", run.seen());
}

/// S13: deny by default. What a pack needs and nobody granted is refused before anything is recorded, with the command that
/// grants it.
#[test]
fn what_is_not_granted_is_refused_before_anything_is_recorded() {
    let (place, machine) = place();
    let refused = place.run(&GET);
    assert_eq!(refused.code, Some(4), "{}", refused.seen());
    for words in ["E-PACK-0030", "GET /api/** on connections of kind box", "pack grant net`"] {
        assert!(refused.seen().contains(words), "{words}: {}", refused.seen());
    }
    for action in ["net.outer", "core.http_request"] {
        assert_eq!(code(&json(&place, &["exec", action])), "E-PACK-0030", "{action}");
    }
    let detached = json(&place, &[&GET[..], &["--detach"]].concat());
    assert_eq!(code(&detached), "E-PACK-0030", "{}", detached.seen());
    assert_eq!(json(&place, &["execution", "list"]).json(), serde_json::json!([]));
    for action in ["net.idle", "core.noop", "core.now"] {
        done(&place.run(&["exec", action]));
    }
    done(&place.run(&["exec", "net.echo", "message=x"]));
    assert_eq!(machine.requests(), 0);
}

#[test]
fn a_grant_is_shown_agreed_to_recorded_and_taken_back() {
    let (place, machine) = place();
    let unasked = place.run(&["pack", "grant", "net"]);
    assert_eq!(unasked.code, Some(2), "{}", unasked.seen());
    assert!(unasked.seen().contains("GET /api/**") && unasked.seen().contains("--yes"), "{}", unasked.seen());
    assert_eq!(place.run(&GET).code, Some(4), "nobody agreed");

    done(&place.run(&["pack", "grant", "net", "--connection", "box_a", "--yes"]));
    done(&place.run(&GET));
    assert_eq!(machine.requests(), 1);
    let other = json(&place, &["exec", "net.http_request", "connection=box_b", "path=/api/x"]);
    assert_eq!(other.code, Some(1), "{}", other.seen());
    assert!(
        other.seen().contains("E-NET-0001") && other.seen().contains("pack grant net --connection box_b"),
        "{}",
        other.seen()
    );

    let report = json(&place, &["pack", "permissions", "net"]).json();
    assert_eq!((&report["standing"], &report["rules"][0]["granted_on"][0]), (&"recorded".into(), &"box_a".into()));
    assert_eq!(report["missing"][0], "GET /api/** on the connection box_b");
    assert!(report["recorded"]["by"].is_string() && report["recorded"]["at"].is_string(), "{report}");

    done(&place.run(&["pack", "revoke", "net"]));
    assert_eq!(place.run(&GET).code, Some(4));
    assert_eq!(place.run(&["pack", "revoke", "net"]).code, Some(3), "there is nothing left");
    assert_eq!(machine.requests(), 1);
    for (more, words) in [
        (&["--connection", "box_c"][..], "no connection `box_c`"),
        (&["--rule", "2"], "no rule 2"),
        (&["--connection", "box_a", "--all"], "cannot be used with"),
    ] {
        let wrong = place.run(&[&["pack", "grant", "net", "--yes"], more].concat());
        assert!(wrong.code == Some(2) && wrong.seen().contains(words), "{}", wrong.seen());
    }
}

#[test]
fn a_version_that_asks_for_more_is_refused_and_one_that_asks_for_less_is_not() {
    let (place, machine) = place();
    done(&place.run(&["pack", "grant", "net", "--yes"]));
    write(&place, "2.0.0", "GET, POST");
    let refused = place.run(&GET);
    assert_eq!(refused.code, Some(4), "{}", refused.seen());
    for words in ["E-PACK-0031", "POST /api/** on connections of kind box", "pack grant net`"] {
        assert!(refused.seen().contains(words), "{words}: {}", refused.seen());
    }
    let list = place.run(&["pack", "list"]);
    assert!(list.stdout.contains("waits for a grant: asks for POST /api/**"), "{}", list.seen());
    let report = json(&place, &["pack", "permissions", "net"]).json();
    assert_eq!(report["difference"][0], "may now: POST /api/** on connections of kind box");
    assert_eq!(machine.requests(), 0);

    done(&place.run(&["pack", "grant", "net", "--yes"]));
    done(&place.run(&GET));
    write(&place, "3.0.0", "GET");
    done(&place.run(&GET));
    assert_eq!(machine.requests(), 2);
    // What the operator wrote by hand stands, and nothing waits for it.
    write(&place, "4.0.0", "GET, DELETE");
    let file = fs::read_to_string(place.path("runner.toml")).unwrap();
    place.write("runner.toml", &format!("{file}[grants.net]\n"));
    done(&place.run(&GET));
}

#[test]
fn development_mode_grants_what_is_asked_for_and_is_for_this_machine_only() {
    let (place, machine) = place();
    let run = place.run(&[&GET[..], &["--dev"]].concat());
    done(&run);
    assert!(run.stderr.contains("development mode"), "{}", run.seen());
    let mut by_environment = place.command(&GET);
    assert!(by_environment.env("RUNNER_DEV", "1").output().unwrap().status.success());
    assert_eq!(machine.requests(), 2);
    let open = place.run(&["serve", "--dev", "--listen", "0.0.0.0:0"]);
    assert!(open.code == Some(2) && open.seen().contains("E-CLI-0009"), "{}", open.seen());
    assert!(place.run(&["serve", "--dev", "--dump-config"]).stdout.contains("dev = true"));
    assert_eq!(place.run(&GET).code, Some(4), "it is over");
}

/// A daemon on a free port.
struct Daemon {
    child: Child,
}

impl Daemon {
    fn start(place: &Place) -> Self {
        let errors = fs::File::options().create(true).append(true).open(place.path("daemon.log")).unwrap();
        let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(errors).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("listening on "), "{line} {}", log(place));
        Self { child }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log(place: &Place) -> String {
    fs::read_to_string(place.path("daemon.log")).unwrap()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < deadline, "{what} does not come");
        thread::sleep(Duration::from_millis(50));
    }
}

/// The version that the daemon runs.
fn version_run(place: &Place) -> Value {
    let id = json(place, &GET).json()["id"].clone();
    let got = json(place, &["execution", "get", id.as_str().unwrap()]);
    got.json()["pack_version"].clone()
}

#[test]
fn a_daemon_goes_on_with_the_version_before_until_the_next_is_granted() {
    let (place, _machine) = place();
    done(&place.run(&["pack", "grant", "net", "--yes"]));
    let daemon = Daemon::start(&place);
    assert_eq!(version_run(&place), "1.0.0");

    write(&place, "2.0.0", "GET, POST");
    until("the waiting version", || log(&place).contains("waits for a grant"));
    assert!(log(&place).contains("POST /api/**"), "{}", log(&place));
    assert_eq!(version_run(&place), "1.0.0", "the version before stays in use");
    let report = json(&place, &["pack", "permissions", "net"]).json();
    assert_eq!((&report["version"], &report["in_use"]), (&"2.0.0".into(), &"1.0.0".into()));
    assert_eq!(log(&place).matches("waits for a grant").count(), 1, "it is said once");

    drop(daemon);
    let _daemon = Daemon::start(&place);
    assert_eq!(version_run(&place), "1.0.0", "after a restart, too");
    done(&place.run(&["pack", "grant", "net", "--yes"]));
    assert_eq!(version_run(&place), "2.0.0", "without a restart");

    done(&place.run(&["pack", "revoke", "net"]));
    let refused = json(&place, &GET);
    assert_eq!(code(&refused), "E-PACK-0030", "{}", refused.seen());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_grants_and_takes_back_holds_in_the_daemon_after_a_moment() {
    let (place, _machine) = place();
    let _daemon = Daemon::start(&place);
    assert_eq!(place.run(&GET).code, Some(4));
    let store = SqliteStore::open(&place.path("data"), SqliteOptions::default()).await.unwrap();
    let by = || Audited {
        at: runner_model::Clock::now(&SystemClock),
        actor: "somebody".to_owned(),
        origin: AuditOrigin::Cli,
    };
    let wish: Permissions =
        serde_json::from_str(r#"{"http":[{"connection":"box","methods":["GET"],"paths":["/api/**"]}]}"#).unwrap();
    let pack = runner_model::PackRef::new("net").unwrap();
    let (who, at) = (by().actor, by().at);
    let record =
        GrantRecord { pack: pack.clone(), digest: String::new(), wish: wish.clone(), granted: wish, by: who, at };
    store.grant(record, by()).await.unwrap();
    until("the grant", || place.run(&GET).code == Some(0));
    store.revoke_grant(&pack, by()).await.unwrap();
    until("the end of the grant", || place.run(&GET).code == Some(4));
    store.close().await;
}
