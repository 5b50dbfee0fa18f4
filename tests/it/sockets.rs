//! The example's workflow against its simulator on a real socket, with and without TLS: the same result as in the
//! process, and a server that is not the right one is refused.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::kit::{Place, Run, interrupt, root};

const PACKS: &str = "examples/02-grow-volume/packs";
const GRANT: &str = "[[grants.capacity.http]]\nconnection = \"array\"\nmethods = [\"GET\", \"PATCH\"]\n\
                     paths = [\"/v1/volumes\", \"/v1/volumes/*\"]\n";

/// A simulated array behind a socket.
struct Array {
    child: Child,
    said: Value,
}

impl Array {
    fn start(place: &Place, more: &[&str]) -> Self {
        let packs = root().join(PACKS);
        let arguments = ["--json", "simulate", "array", "--port", "0", "--packs", packs.to_str().unwrap()];
        let mut command = place.command(&[&arguments[..], more].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut text = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        // What it says is one JSON document, over several lines; it says no more until it ends.
        while output.read_line(&mut text).unwrap() > 0 {
            if let Ok(said) = serde_json::from_str(&text) {
                return Self { child, said };
            }
        }
        panic!("it ended with {:?} and said {text:?}", child.wait_with_output());
    }

    fn text(&self, key: &str) -> &str {
        self.said[key].as_str().unwrap()
    }

    fn stop(mut self) {
        interrupt(&self.child);
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Array {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the workflow with a connection to `url`.
fn grow(place: &Place, url: &str, tls: &str) -> Run {
    let connection = format!(
        "[connections.array]\nkind = \"array\"\nbase_url = \"{url}\"\n\
         auth = {{ basic = {{ username = \"admin\", password = \"pass\" }} }}\n{tls}\n"
    );
    place.write("runner.toml", &format!("{connection}\n{GRANT}"));
    std::fs::set_permissions(place.path("runner.toml"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let packs = root().join(PACKS);
    place.run(&["--json", "exec", "capacity.grow_volume", "volume=vol_db", "--packs", packs.to_str().unwrap()])
}

fn assert_grown(run: &Run) {
    assert_eq!(run.code, Some(0), "{}", run.seen());
    let execution = run.json();
    assert_eq!(execution["result"]["grown"], true, "{execution}");
    assert_eq!(execution["result"]["size_gib"], 1329);
}

fn assert_refused(run: &Run, code: &str) {
    assert_eq!(run.code, Some(1), "{}", run.seen());
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(said.contains(code), "{}", run.seen());
    assert!(!said.contains("pass\""), "{}", run.seen());
}

#[test]
fn the_workflow_gives_the_same_over_a_socket_as_in_the_process() {
    let place = Place::new();
    let array = Array::start(&place, &[]);
    assert_grown(&grow(&place, array.text("url"), ""));
    // The array keeps its state from one process to the next: the volume is large enough now.
    let again = grow(&place, array.text("url"), "").json();
    assert_eq!(again["result"]["grown"], false, "{again}");
    array.stop();

    let packs = root().join(PACKS);
    let simulated = ["--json", "exec", "capacity.grow_volume", "volume=vol_db", "--simulate", "--packs"];
    assert_grown(&Place::new().run(&[&simulated[..], &[packs.to_str().unwrap()]].concat()));
}

#[test]
fn over_tls_the_right_certificate_is_trusted_and_another_refused() {
    let place = Place::new();
    let ca = place.path("ca.pem").display().to_string();
    let array = Array::start(&place, &["--tls", "--cert-out", &ca]);
    let url = array.text("url");
    assert!(url.starts_with("https://"));

    let by_authority = grow(&place, url, &format!("tls = {{ ca_file = \"{ca}\" }}"));
    assert_grown(&by_authority);
    let by_pin = grow(&place, url, &format!("tls = {{ pin = \"{}\" }}", array.text("pin")));
    assert_eq!(by_pin.code, Some(0), "{}", by_pin.seen());

    assert_refused(&grow(&place, url, ""), "E-NET-0006");
    let other = Place::new();
    let other_ca = other.path("ca.pem").display().to_string();
    let other_array = Array::start(&other, &["--tls", "--cert-out", &other_ca]);
    assert_refused(&grow(&place, url, &format!("tls = {{ ca_file = \"{other_ca}\" }}")), "E-NET-0006");
    assert_refused(&grow(&place, url, &format!("tls = {{ pin = \"{}\" }}", other_array.text("pin"))), "E-NET-0006");
    let plain = url.replace("https://", "http://");
    assert_eq!(grow(&place, &plain, "").code, Some(1));
    let insecure = grow(&place, url, "tls = { insecure = true }");
    assert_eq!(insecure.code, Some(0), "{}", insecure.seen());
    assert!(insecure.stderr.contains("trusts any server"), "{}", insecure.seen());
    other_array.stop();
    array.stop();
}

#[test]
fn what_was_not_granted_does_not_leave() {
    let place = Place::new();
    let array = Array::start(&place, &[]);
    let url = array.text("url");
    let denied = place.run(&["--json", "exec", "core.http_request", &format!("url={url}/v1/volumes")]);
    // Nothing was granted: it is not even begun.
    assert_eq!(denied.code, Some(4), "{}", denied.seen());
    assert!(denied.stderr.contains("E-PACK-0030"), "{}", denied.seen());
    place.write("runner.toml", &format!("[grants.core]\nhttp = [{{ url = \"{url}\", paths = [\"/v1/*\"] }}]\n"));
    let allowed =
        place.run(&["--json", "exec", "core.http_request", &format!("url={url}/v1/volumes"), "expect_status=401"]);
    assert_eq!(allowed.code, Some(0), "{}", allowed.seen());
    let other_path = place.run(&["--json", "exec", "core.http_request", &format!("url={url}/v2")]);
    assert_refused(&other_path, "E-NET-0001");
    array.stop();
}
