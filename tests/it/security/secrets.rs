//! Secrets of the store, from the command line and the API to the wire (S26): sealed on the disk, rotated without a
//! restart, never shown.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::daemon::kit::Daemon;
use crate::kit::{Place, Run};

/// A server that remembers with which token it was asked, and answers when it is let to.
struct Server {
    url: String,
    tokens: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(answer: impl Fn(usize) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let tokens = Arc::new(Mutex::new(Vec::<String>::new()));
        let seen = Arc::clone(&tokens);
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let (mut head, mut byte) = (Vec::new(), [0]);
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                    head.push(byte[0]);
                }
                let head = String::from_utf8(head).unwrap();
                let token = head.lines().find_map(|line| line.strip_prefix("authorization: Bearer ")).unwrap_or("none");
                seen.lock().unwrap().push(token.to_owned());
                let number = seen.lock().unwrap().len();
                answer(number);
                drop(stream.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"));
            }
        });
        Self { url, tokens }
    }

    fn tokens(&self) -> Vec<String> {
        self.tokens.lock().unwrap().clone()
    }
}

const GRANT: &str = "[[grants.core.http]]\nconnection = \"*\"\nmethods = [\"*\"]\n";

fn place(url: &str, more: &str) -> Place {
    let place = Place::new();
    let auth = "auth = { type = \"bearer\", token = { secret = \"token\" } }";
    let connection = format!("[connections.b]\nkind = \"box\"\nbase_url = \"{url}\"\n{auth}\n");
    place.write("runner.toml", &format!("{more}{connection}{GRANT}"));
    place
}

fn succeeded(run: Run) -> Run {
    assert_eq!(run.code, Some(0), "{}", run.seen());
    run
}

fn set(place: &Place, name: &str, value: &str) {
    let run = succeeded(place.run_with_input(&["secret", "set", name, "-"], value));
    assert!(!run.seen().contains(value), "{}", run.seen());
}

async fn ask(daemon: &Daemon) -> Value {
    daemon.run("core.http_request", json!({ "connection": "b", "path": "/x" })).await
}

/// Every file below a directory that holds this text.
fn holders(directory: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(holders(&path, text));
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(text.len()).any(|window| window == text.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

fn uses(place: &Place) -> Vec<Value> {
    let log = succeeded(place.run(&["--json", "audit", "list", "--action", "secret.use"])).json();
    log.as_array().unwrap().iter().map(|entry| entry["details"]["secrets"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_rotated_without_a_restart_and_what_is_under_way_ends_with_the_old_one() {
    let (release, released) = std::sync::mpsc::channel::<()>();
    // The second request is answered when the secret has been rotated.
    let server = Server::new(move |number| {
        if number == 2 {
            released.recv().unwrap();
        }
    });
    let place = place(&server.url, "");
    let daemon = Daemon::start(&place, &[]);
    set(&place, "token", "first-s3cret");
    assert_eq!(ask(&daemon).await["status"], "succeeded");
    let (under_way, ()) = tokio::join!(ask(&daemon), async {
        crate::daemon::kit::until("the second request", async || (server.tokens().len() == 2).then_some(())).await;
        let run = place.run_with_input(&["secret", "rotate", "token", "-"], "second-s3cret\n");
        assert!(succeeded(run).stdout.contains("token version 2"));
        release.send(()).unwrap();
    });
    assert_eq!(under_way["status"], "succeeded", "{under_way}");
    assert_eq!(ask(&daemon).await["status"], "succeeded");
    assert_eq!(ask(&daemon).await["status"], "succeeded");
    assert_eq!(server.tokens(), ["first-s3cret", "first-s3cret", "second-s3cret", "second-s3cret"]);
    // One entry each time that the connection was made, not one a request.
    assert_eq!(uses(&place), [json!({ "token": 1 }), json!({ "token": 2 })]);

    let listed = daemon.get("/api/v1/secrets").await;
    assert_eq!(listed["items"][0]["used_by"], json!(["the connection `b`"]), "{listed}");
    let document = format!("{listed}{}", succeeded(place.run(&["secret", "list"])).seen());
    assert_eq!(daemon.stop().code(), Some(0));
    for secret in ["first-s3cret", "second-s3cret"] {
        assert!(!document.contains(secret));
        assert_eq!(holders(&place.path("."), secret), [""; 0], "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_used_is_not_removed_unless_somebody_insists() {
    let server = Server::new(|_| ());
    let place = place(&server.url, "");
    set(&place, "token", "s3cret");
    let refused = place.run(&["secret", "delete", "token"]);
    assert_eq!(refused.code, Some(2), "{}", refused.seen());
    assert!(refused.stderr.contains("E-SECRET-0005") && refused.stderr.contains("the connection `b`"));

    let daemon = Daemon::start(&place, &[]);
    assert_eq!(ask(&daemon).await["status"], "succeeded");
    let refused = place.run(&["secret", "delete", "token"]);
    assert!(
        refused.stderr.contains("E-SECRET-0005") && refused.stderr.contains("the connection `b`"),
        "{}",
        refused.seen()
    );
    succeeded(place.run(&["secret", "delete", "token", "--force"]));
    let failed = ask(&daemon).await;
    assert_eq!(failed["status"], "failed");
    assert!(failed.to_string().contains("there is no secret `token`"), "{failed}");
    set(&place, "token", "other");
    assert_eq!(ask(&daemon).await["status"], "succeeded");
    assert_eq!(server.tokens(), ["s3cret", "other"]);
    let listed = daemon.get("/api/v1/secrets").await;
    assert_eq!(listed["items"][0]["version"], 2, "a version is used once: {listed}");
}

#[test]
fn what_needs_no_secret_needs_no_key() {
    let server = Server::new(|_| ());
    let place = place(&server.url, "[secrets]\nkey = { env = \"KEY\" }\n");
    succeeded(place.run(&["exec", "core.noop"]));
    let refused = place.run_with_input(&["secret", "set", "token", "-"], "s3cret");
    assert_ne!(refused.code, Some(0));
    assert!(
        refused.stderr.contains("E-SECRET-0001") && refused.stderr.contains("`KEY` is not set"),
        "{}",
        refused.seen()
    );
    let failed = place.run(&["exec", "core.http_request", "connection=b", "path=/x"]);
    assert!(failed.code == Some(1) && failed.seen().contains("there is no secret `token`"), "{}", failed.seen());
    assert!(!place.path("data/secrets.key").exists());
}

#[test]
fn a_key_is_replaced_while_the_old_one_still_opens() {
    let place = Place::new();
    let key = || succeeded(place.run(&["secret", "key", "new"])).stdout.trim().to_owned();
    let (old, new) = (key(), key());
    assert!(old.len() == 64 && old != new);
    let keep = |name: &str, text: &str| {
        place.write(name, text);
        #[cfg(unix)]
        std::fs::set_permissions(place.path(name), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    };
    keep("old", &old);
    keep("new", &new);
    place.write("runner.toml", "[secrets]\nkey = { file = \"old\" }\n");
    set(&place, "a", "value a");
    set(&place, "b", "value b");

    place.write("runner.toml", "[secrets]\nkey = { file = \"new\" }\n");
    let refused = place.run(&["secret", "rotate", "--key"]);
    assert!(refused.code != Some(0) && refused.stderr.contains("E-SECRET-0003"), "{}", refused.seen());
    place.write("runner.toml", "[secrets]\nkey = { file = \"new\" }\nearlier_keys = [{ file = \"old\" }]\n");
    assert!(succeeded(place.run(&["secret", "rotate", "--key"])).stdout.starts_with("2 sealed"));
    place.write("runner.toml", "[secrets]\nkey = { file = \"new\" }\n");
    assert!(succeeded(place.run(&["secret", "rotate", "--key"])).stdout.starts_with("0 sealed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_of_a_webhook_is_rotated_without_a_restart() {
    let place = Place::new();
    place.write("runner.toml", "[webhooks.secrets]\ngithub = { secret = \"hook\" }\n");
    place.write("packs/hooks/pack.yaml", "ref: hooks\nversion: 1.0.0\n");
    place.write(
        "packs/hooks/rules/push.yaml",
        "trigger:\n  type: core.webhook\n  parameters: {path: github, signature: {scheme: github, secret: github}}\n\
         action:\n  ref: core.noop\n",
    );
    set(&place, "hook", "first-s3cret");
    let daemon = Daemon::start(&place, &[]);
    let deliver = async |id: &str, secret: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(b"{}");
        let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let request =
            daemon.client.post(daemon.at("/api/v1/webhooks/github")).header("content-type", "application/json");
        let request = request.header("x-github-event", "push").header("x-github-delivery", id);
        let request = request.header("x-hub-signature-256", format!("sha256={signature}")).body("{}");
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!((deliver("1", "first-s3cret").await, deliver("2", "second-s3cret").await), (202, 401));
    succeeded(place.run_with_input(&["secret", "rotate", "hook", "-"], "second-s3cret"));
    assert_eq!((deliver("3", "first-s3cret").await, deliver("4", "second-s3cret").await), (401, 202));
    assert_eq!(uses(&place), [json!({ "hook": 1 }), json!({ "hook": 2 })]);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_the_api_values_go_in_and_never_out() {
    let place = Place::new();
    let daemon = Daemon::start(&place, &[]);
    let put = async |name: &str, body: Value| {
        let response =
            daemon.client.put(daemon.at(&format!("/api/v1/secrets/{name}"))).json(&body).send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let (status, kept) = put("a", json!({ "value": "hunter2", "description": "for a" })).await;
    assert_eq!((status, &kept["version"], &kept["description"]), (200, &json!(1), &json!("for a")));
    let long = "x".repeat(64 * 1024 + 1);
    for (name, body, code) in [
        ("a", json!({ "value": "" }), "E-SECRET-0006"),
        ("a", json!({ "value": long }), "E-SECRET-0006"),
        ("a.b", json!({ "value": "x" }), "E-API-0001"),
        ("a", json!({ "valu": "x" }), "E-API-0001"),
        ("new", json!({ "value": "x", "must_exist": true }), "E-SECRET-0004"),
    ] {
        let (status, refused) = put(name, body).await;
        assert!((400..500).contains(&status) && refused["code"] == code, "{name}: {status} {refused}");
    }
    let listed = daemon.get("/api/v1/secrets").await;
    assert!(!format!("{listed}{kept}").contains("hunter2"), "{listed}");
    let delete =
        || async { daemon.client.delete(daemon.at("/api/v1/secrets/a")).send().await.unwrap().status().as_u16() };
    assert_eq!((delete().await, delete().await), (200, 404));
}
