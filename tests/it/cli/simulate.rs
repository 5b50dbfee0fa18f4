//! `--simulate` and `runner simulate`.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::kit::{Place, interrupt, root};

fn example() -> String {
    root().join("examples/02-grow-volume/packs").display().to_string()
}

#[test]
fn a_workflow_runs_against_the_simulator_of_its_pack() {
    let place = Place::new();
    let run = place.run(&["--packs", &example(), "exec", "capacity.grow_volume", "volume=vol_db", "--simulate"]);
    assert_eq!(run.code, Some(0), "{}", run.seen());
    let result: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(result["grown"], true);
    let view = place.run(&["execution", "get", "last", "--json"]).json();
    let tasks: Vec<_> = view["steps"].as_array().unwrap().iter().map(|step| step["task"].as_str().unwrap()).collect();
    assert_eq!(tasks, ["check", "resize", "verify"]);
}

#[test]
fn with_simulators_a_real_system_cannot_be_reached_and_needs_no_secret() {
    let place = Place::new();
    let connection = "[connections.array]\nkind = \"array\"\nbase_url = \"http://127.0.0.1:9\"\n\
                      auth = { type = \"bearer\", token = { env = \"NOT_SET\" } }\n\
                      [connections.other]\nkind = \"unknown\"\nbase_url = \"http://127.0.0.1:9\"\n\
                      [[grants.core.http]]\nconnection = \"*\"\n";
    place.write("runner.toml", connection);
    let run = place.run(&["--packs", &example(), "exec", "capacity.list_volumes", "--simulate"]);
    assert_eq!(run.code, Some(0), "{}", run.seen());
    let run = place.run(&["exec", "core.http_request", "connection=other", "path=/", "--simulate"]);
    assert!(run.code == Some(1) && run.stderr.contains("E-NET-0002"), "{}", run.seen());
    assert!(run.stderr.contains("warning[E-NET-0011]: the connection `other` is left out"), "{}", run.seen());
}

#[test]
fn a_served_simulator_is_used_like_the_real_system() {
    let place = Place::new();
    let packs = example();
    let mut command = place.command(&["--packs", &packs, "simulate", "array", "--port", "0", "--tls", "--json"]);
    let mut child = command.args(["--cert-out", "ca.pem"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut announced = String::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while !announced.ends_with("}\n") {
        announced.push_str(&lines.next().unwrap().unwrap());
        announced.push('\n');
    }
    let announced: serde_json::Value = serde_json::from_str(&announced).unwrap();
    let (url, pin) = (announced["url"].as_str().unwrap(), announced["pin"].as_str().unwrap());
    let wrong = "00:".repeat(31) + "00";
    for (tls, code) in
        [(format!("pin = \"{pin}\""), 0), ("ca_file = \"ca.pem\"".to_owned(), 0), (format!("pin = \"{wrong}\""), 1)]
    {
        let config = format!(
            "[connections.array]\nkind = \"array\"\nbase_url = \"{url}\"\ntls = {{ {tls} }}\n\
             auth = {{ type = \"basic\", username = \"u\", password = {{ file = \"password\" }} }}\n\
             [[grants.capacity.http]]\nconnection = \"array\"\nmethods = [\"GET\", \"PATCH\"]\n"
        );
        place.write("runner.toml", &config);
        place.write("password", "s3cr3t\n");
        let run = place.run(&["--packs", &packs, "exec", "capacity.grow_volume", "volume=vol_db"]);
        assert_eq!(run.code, Some(code), "{tls}: {}", run.seen());
        assert_eq!(run.stderr.contains("E-NET-0006"), code == 1, "{}", run.seen());
        let test = place.run(&["connection", "test", "array", "--json"]);
        assert_eq!(test.code, Some(code), "{}", test.seen());
    }
    interrupt(&child);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_kind_without_a_simulator_is_named() {
    let run = Place::new().run(&["--packs", &example(), "simulate", "aray", "--port", "0", "--json"]);
    assert_eq!((run.code, run.error_json()["error"]["code"].as_str()), (Some(3), Some("E-NET-0011")));
}
