//! `--simulate` and `runner simulate`.

use std::process::{Child, Stdio};

use crate::kit::{Place, interrupt, root};

fn example() -> String {
    root().join("examples/02-grow-volume/packs").display().to_string()
}

/// What it says when it listens.
fn announced(child: &mut Child) -> serde_json::Value {
    let mut values = serde_json::Deserializer::from_reader(child.stdout.take().unwrap()).into_iter();
    values.next().unwrap().unwrap()
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
    let announced = announced(&mut child);
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

/// The pack of the example, with two arrays to simulate.
fn two_arrays(place: &Place) -> String {
    for file in
        ["pack.yaml", "actions/list_volumes.yaml", "components/capacity.wasm", "components/array_simulator.wasm"]
    {
        let to = place.path(&format!("packs/capacity/{file}"));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(root().join("examples/02-grow-volume/packs/capacity").join(file), to).unwrap();
    }
    let written = std::fs::read_to_string(place.path("packs/capacity/pack.yaml")).unwrap();
    let simulator = "    simulator: array_simulator\n";
    let more = written.replace(simulator, &format!("{simulator}    simulated_as: [left, right]\n"));
    place.write("packs/capacity/pack.yaml", &more);
    place.path("packs").display().to_string()
}

#[test]
fn several_connections_of_one_world_are_served() {
    let place = Place::new();
    let packs = two_arrays(&place);
    let mut command = place.command(&["--packs", &packs, "simulate", "array", "--json"]);
    command.args(["--port", "left=0", "--port", "right=0"]).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let announced = announced(&mut child);
    let connections = announced["connections"].as_array().unwrap();
    let names: Vec<_> = connections.iter().map(|one| one["connection"].as_str().unwrap()).collect();
    assert_eq!(names, ["left", "right"]);
    // What is done to one is seen by the other: the faults of the example's simulator are those of its world.
    let (left, right) = (&connections[0]["url"], &connections[1]["url"]);
    let config = format!(
        "[connections.left]\nkind = \"array\"\nbase_url = {left}\nauth = {{ type = \"basic\", username = \"u\", password = \"p\" }}\n\
         [connections.right]\nkind = \"array\"\nbase_url = {right}\nauth = {{ type = \"basic\", username = \"u\", password = \"p\" }}\n\
         [[grants.core.http]]\nconnection = \"*\"\nmethods = [\"*\"]\n"
    );
    place.write("runner.toml", &config);
    let fault = ["exec", "core.http_request", "connection=left", "method=POST", "path=/simulator/faults"];
    let fault = place.run(&[&fault[..], &["json:={\"count\": 1, \"status\": 418}"]].concat());
    assert_eq!(fault.code, Some(0), "{}", fault.seen());
    let seen =
        place.run(&["exec", "core.http_request", "connection=right", "path=/v1/volumes", "expect_status:=[418]"]);
    assert_eq!(seen.code, Some(0), "{}", seen.seen());
    interrupt(&child);
    assert!(child.wait().unwrap().success());
}

#[test]
fn names_for_simulations_exist_and_are_not_taken_from_other_kinds() {
    let place = Place::new();
    let packs = two_arrays(&place);
    for name in ["array", "left", "right"] {
        let run = place.run(&[
            "--packs",
            &packs,
            "exec",
            "capacity.list_volumes",
            &format!("connection={name}"),
            "--simulate",
        ]);
        assert_eq!(run.code, Some(0), "{}", run.seen());
    }
    let run = place.run(&["--packs", &packs, "simulate", "array", "--port", "lefd=0", "--json"]);
    assert_eq!((run.code, run.error_json()["error"]["code"].as_str()), (Some(3), Some("E-NET-0002")));
    let run = place.run(&["--packs", &packs, "simulate", "array", "--port", "left=0", "--port", "left=0", "--json"]);
    assert_eq!((run.code, run.error_json()["error"]["code"].as_str()), (Some(2), Some("E-CLI-0005")));
    place.write("runner.toml", "[connections.left]\nkind = \"router\"\nbase_url = \"http://127.0.0.1:9\"\n");
    let run = place.run(&["--packs", &packs, "exec", "capacity.list_volumes", "--simulate", "--json"]);
    assert_eq!(
        (run.code, run.error_json()["error"]["code"].as_str()),
        (Some(4), Some("E-CONF-0002")),
        "{}",
        run.seen()
    );
}
