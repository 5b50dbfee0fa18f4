//! Packs from elsewhere: installed whole or not at all, compared with what was installed, removed when nobody needs them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::daemon::front::{Authority, Proxy};
use crate::daemon::kit::{Daemon, until};
use crate::kit::{Place, Run};

/// A pack with one workflow that says its version, in a directory that is no packs directory.
fn write(place: &Place, version: &str) {
    place.write("away/demo/pack.yaml", &format!("ref: demo\nversion: {version}\ndependencies: [core]\n"));
    let say = format!("name: say\ntasks:\n  say:\n    action: core.echo\n    input: {{message: {version}}}\n");
    let output = "output:\n  - message: <% task(\"say\").result.message %>\n";
    place.write("away/demo/workflows/say.yaml", &format!("{say}{output}"));
    place.write("away/demo/README.md", "# demo\n");
}

/// The archive of such a pack: its file and its sum.
fn archive(place: &Place, version: &str) -> (String, String) {
    write(place, version);
    let file = format!("demo-{version}.tar.gz");
    let made = place.run(&["pack", "pack", "./away/demo", "-o", &file, "--json"]);
    assert_eq!(made.code, Some(0), "{}", made.seen());
    (file, made.json()["sha256"].as_str().unwrap().to_owned())
}

fn place() -> Place {
    let place = Place::new();
    fs::create_dir(place.path("packs")).unwrap();
    place
}

fn refused(run: &Run, exit: i32, code: &str) {
    let found = run.error_json()["error"]["code"].as_str().map(str::to_owned);
    assert_eq!((run.code, found.as_deref()), (Some(exit), Some(code)), "{}", run.seen());
}

/// What is in the packs directory, apart from the place that is worked in.
fn names(place: &Place) -> Vec<String> {
    let entries = fs::read_dir(place.path("packs")).unwrap().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

/// S29: the digest of a pack is recorded and compared.
#[test]
fn a_pack_is_installed_from_an_archive_compared_replaced_and_removed() {
    let place = place();
    let (first, sum) = archive(&place, "1.0.0");
    assert_eq!(sum, hex(&Sha256::digest(fs::read(place.path(&first)).unwrap())));
    let other = "0".repeat(64);
    refused(&place.run(&["pack", "install", &first, "--sha256", &other, "--json"]), 4, "E-PACK-0024");
    assert!(names(&place).is_empty(), "nothing was installed");

    let installed = place.run(&["pack", "install", &first, "--sha256", &sum]);
    assert_eq!(installed.code, Some(0), "{}", installed.seen());
    assert_eq!(names(&place), ["demo", "runner.lock"]);
    assert_eq!(place.run(&["exec", "demo.say", "-k", "message"]).stdout, "1.0.0\n");
    assert_eq!(place.run(&["pack", "verify"]).code, Some(0));
    let again = place.run(&["pack", "install", &first, "--json"]);
    assert_eq!((again.code, again.json()["status"].as_str()), (Some(0), Some("unchanged")));

    let (second, _) = archive(&place, "2.0.0");
    refused(&place.run(&["pack", "install", &second, "--json"]), 4, "E-PACK-0026");
    fs::write(place.path("packs/demo/README.md"), "changed").unwrap();
    fs::write(place.path("packs/demo/added.md"), "added").unwrap();
    let verified = place.run(&["pack", "verify", "demo", "--json"]);
    let differences = &verified.json()["packs"][0]["differences"];
    assert_eq!(
        (verified.code, &differences["changed"][0], &differences["added"][0]),
        (Some(1), &"README.md".into(), &"added.md".into())
    );
    assert!(place.run(&["pack", "list"]).stdout.contains("2 changes since it was installed"));
    assert!(place.run(&["doctor"]).stdout.contains("E-PACK-0025"));
    refused(&place.run(&["pack", "install", &second, "--upgrade", "--json"]), 4, "E-PACK-0025");
    refused(&place.run(&["pack", "remove", "demo", "--json"]), 2, "E-PACK-0027");

    fs::write(place.path("packs/demo/README.md"), "# demo\n").unwrap();
    fs::remove_file(place.path("packs/demo/added.md")).unwrap();
    let replaced = place.run(&["pack", "install", &second, "--upgrade", "--json"]);
    assert_eq!((replaced.code, replaced.json()["before"].as_str()), (Some(0), Some("1.0.0")), "{}", replaced.seen());
    assert_eq!(place.run(&["exec", "demo.say", "-k", "message"]).stdout, "2.0.0\n");
    assert_eq!(place.run(&["pack", "remove", "demo"]).code, Some(0));
    assert_eq!(names(&place), ["runner.lock"]);
    refused(&place.run(&["pack", "verify", "demo", "--json"]), 3, "E-PACK-0014");

    let database = rusqlite::Connection::open(place.path("data/runner.db")).unwrap();
    let count = |action: &str| -> i64 {
        database.query_row("SELECT count(*) FROM audit WHERE action = ?", [action], |row| row.get(0)).unwrap()
    };
    assert_eq!((count("pack.install"), count("pack.remove")), (2, 1), "what was refused is not among them");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// S8, S29: what has mistakes is not installed, all of them are shown, and none at the place where it was put together.
#[test]
fn a_pack_with_mistakes_is_shown_them_all_and_not_installed() {
    let place = place();
    write(&place, "1.0.0");
    place.write("away/demo/workflows/bad.yaml", "tasks:\n  t:\n    action: core.ecko\n    next: [{do: nowhere}]\n");
    let run = place.run(&["pack", "install", "away/demo"]);
    assert_eq!(run.code, Some(4), "{}", run.seen());
    assert!(run.seen().contains("demo/workflows/bad.yaml:3") && !run.seen().contains(".installing"), "{}", run.seen());
    assert!(names(&place).is_empty());
    fs::write(place.path("junk.tar.gz"), "no archive").unwrap();
    refused(&place.run(&["pack", "install", "junk.tar.gz", "--json"]), 4, "E-PACK-0021");
    refused(&place.run(&["pack", "install", "nothing.tar.gz", "--json"]), 3, "E-PACK-0009");
    refused(&place.run(&["pack", "install", "away", "--json"]), 4, "E-PACK-0015");
    #[cfg(unix)]
    {
        fs::remove_file(place.path("away/demo/workflows/bad.yaml")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", place.path("away/demo/passwd.md")).unwrap();
        refused(&place.run(&["pack", "install", "away/demo", "--json"]), 4, "E-PACK-0022");
    }
    assert!(names(&place).is_empty());
}

#[test]
fn what_others_need_is_removed_only_with_a_yes() {
    let place = place();
    write(&place, "1.0.0");
    let copied = place.run(&["pack", "install", "away/demo"]);
    assert_eq!(copied.code, Some(0), "{}", copied.seen());
    place.write("packs/user/pack.yaml", "ref: user\nversion: 1.0.0\n");
    let wait = "name: wait\ntasks:\n  wait: {action: core.wait_for, input: {key: go}, next: [{do: say}]}\n  say: {action: demo.say}\n";
    place.write("packs/user/workflows/wait.yaml", wait);
    let run = place.run(&["pack", "remove", "demo"]);
    assert_eq!(run.code, Some(2), "{}", run.seen());
    assert!(
        run.stderr.contains("the pack `user` needs it") && run.stderr.contains("workflows/wait.yaml:4"),
        "{}",
        run.seen()
    );
    let own = place.run(&["pack", "remove", "user"]);
    assert!(own.code == Some(2) && own.stderr.contains("was not installed"), "{}", own.seen());
    let lookalike = "ref: demmo\nversion: 1.0.0\n";
    place.write("away/demmo/pack.yaml", lookalike);
    refused(&place.run(&["pack", "install", "away/demmo", "--name-check", "--json"]), 2, "E-PACK-0026");

    place.write(
        "away/demo/workflows/wait.yaml",
        "name: wait\ntasks:\n  wait: {action: core.wait_for, input: {key: go}}\n",
    );
    assert_eq!(place.run(&["pack", "install", "away/demo", "--upgrade"]).code, Some(0));
    let mut waiting =
        place.command(&["exec", "demo.wait", "--quiet"]).stderr(std::process::Stdio::null()).spawn().unwrap();
    while !place.run(&["execution", "list", "--json"]).stdout.contains("\"pending\"") {}
    waiting.kill().unwrap();
    waiting.wait().unwrap();
    let run = place.run(&["pack", "remove", "demo"]);
    assert!(run.stderr.contains("an execution of `demo` has not ended"), "{}", run.seen());
    assert_eq!(place.run(&["pack", "remove", "demo", "--yes"]).code, Some(0));
    assert!(!place.path("packs/demo").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_takes_what_is_installed_replaced_and_removed() {
    let place = place();
    let daemon = Daemon::start(&place, &[]);
    let version = async || {
        let response = daemon.client.get(daemon.at("/api/v1/packs/demo")).send().await.unwrap();
        let pack: serde_json::Value = response.json().await.unwrap_or_default();
        pack["version"].as_str().map(str::to_owned)
    };
    for new in ["1.0.0", "2.0.0"] {
        let (file, _) = archive(&place, new);
        let run = place.run(&["pack", "install", &file, "--upgrade"]);
        assert_eq!(run.code, Some(0), "{}", run.seen());
        until("the version", async || version().await.filter(|version| version == new)).await;
    }
    assert_eq!(place.run(&["pack", "remove", "demo"]).code, Some(0));
    until("the end of it", async || version().await.is_none().then_some(())).await;
    daemon.stop();
}

/// Answers each request for a path as the function says, without a word about keeping the connection.
fn serve(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || respond(stream, &*answer));
        }
    });
    url
}

fn respond(mut stream: TcpStream, answer: &dyn Fn(&str) -> Vec<u8>) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    assert!(!head.contains("authorization") && !head.contains("cookie"), "{head}");
    let path = head.split_whitespace().nth(1).unwrap_or_default();
    // Whoever has enough hangs up.
    let _ = stream.write_all(&answer(path));
}

fn ok(headers: &str, body: &[u8]) -> Vec<u8> {
    [
        format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len()).as_bytes(),
        body,
    ]
    .concat()
}

fn lead(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
}

fn answers(archive: Vec<u8>) -> impl Fn(&str) -> Vec<u8> {
    move |path| match path.split('?').next().unwrap_or_default() {
        "/demo.tar.gz" => ok("", &archive),
        "/labelled" => ok("Content-Encoding: gzip\r\n", &archive),
        "/1" => lead("/2"),
        "/2" => lead("/3"),
        "/3" => lead("/demo.tar.gz"),
        "/0" => lead("/1"),
        "/round" => lead("/round"),
        "/plain" => lead("http://127.0.0.1:9/demo.tar.gz"),
        "/named" => lead("https://me:secret@127.0.0.1/demo.tar.gz"),
        "/file" => lead("file:///etc/passwd"),
        "/large" => b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec(),
        "/cut" => [&ok("", &archive)[..200], b""].concat(),
        "/page" => ok("Content-Type: text/html\r\n", b"<html>log in</html>"),
        _ => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
    }
}

/// S8, S29: an archive comes over TLS from whom the operator trusts, or its sum is known.
#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_fetched_only_where_nobody_on_the_way_can_change_it() {
    let place = place();
    let (file, sum) = archive(&place, "1.0.0");
    let authority = Authority::new("ours");
    place.write("ca.pem", &authority.pem());
    let plain = serve(answers(fs::read(place.path(&file)).unwrap()));
    let proxy = Proxy::start(&authority).await;
    proxy.lead(Some(&plain));
    let install = |url: &str, more: &[&str]| {
        let arguments = [&["pack", "install", url, "--json"], more].concat();
        let mut command = place.command(&arguments);
        command.env("RUNNER_CACERT", place.path("ca.pem"));
        place.ended(&arguments, command.output().unwrap())
    };
    let tls = |path: &str| format!("{}{path}", proxy.url);
    for (path, exit, code) in [
        ("/round", 5, "E-PACK-0028"),
        ("/0", 5, "E-PACK-0028"),
        ("/plain", 5, "E-PACK-0028"),
        ("/named", 5, "E-PACK-0028"),
        ("/file", 5, "E-PACK-0028"),
        ("/nothing", 5, "E-PACK-0028"),
        ("/cut", 5, "E-PACK-0028"),
        ("/large", 4, "E-PACK-0023"),
        ("/page", 4, "E-PACK-0021"),
    ] {
        let run = install(&tls(&format!("{path}?token=canary")), &[]);
        refused(&run, exit, code);
        assert!(!run.seen().replace(&run.arguments, "").contains("canary"), "{}", run.seen());
    }
    refused(&install(&format!("{plain}/demo.tar.gz"), &[]), 2, "E-PACK-0028");
    refused(&install(&tls("/demo.tar.gz"), &["--sha256", &"0".repeat(64)]), 4, "E-PACK-0024");
    assert_eq!(install(&proxy.url.replace("https://", "https://me:secret@"), &[]).code, Some(2));
    let untrusted = place.run(&["pack", "install", &tls("/demo.tar.gz"), "--json"]);
    refused(&untrusted, 5, "E-PACK-0028");
    assert!(names(&place).is_empty(), "nothing of it was installed");

    for (url, more) in [
        (tls("/1?token=canary"), &[][..]),
        (tls("/labelled"), &[]),
        (format!("{plain}/demo.tar.gz"), &["--sha256", sum.as_str()]),
    ] {
        let run = install(&url, more);
        assert_eq!(run.code, Some(0), "{}", run.seen());
        let lock = fs::read_to_string(place.path("packs/runner.lock")).unwrap();
        assert!(
            lock.contains(&sum) && lock.contains(url.split('?').next().unwrap()) && !lock.contains("canary"),
            "{lock}"
        );
        assert_eq!(place.run(&["pack", "remove", "demo"]).code, Some(0));
    }
    assert!(!Path::new(&place.path("packs/demo")).exists());
}
