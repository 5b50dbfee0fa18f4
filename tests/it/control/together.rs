//! One process runs an execution, another one asks it.

use serde_json::json;

use super::kit::{Running, kinds, place, view, with_code};

#[test]
fn an_approval_is_answered_from_another_process() {
    let place = place();
    let mut running = Running::begin(&place, &["exec", "t.approve"]);
    let id = running.id.clone();
    let line = running.until_waiting(&place);
    assert!(line.contains("for an answer to “May the volume grow?”"), "{line}");
    // The very command that is shown is the one that helps.
    assert!(line.contains(&format!("execution respond {id} --task ask size=INTEGER")), "{line}");

    let explained = with_code(place.run(&["execution", "explain", &id]), 0).stdout;
    assert!(explained.starts_with("it waits for an answer to `ask` (“May the volume grow?”), since "), "{explained}");
    assert!(!explained.contains("but "), "its process lives: {explained}");
    let listed = with_code(place.run(&["inquiry", "list", "--json"]), 0).json();
    assert_eq!((&listed[0]["execution"], listed.as_array().unwrap().len()), (&json!(id), 1));
    let got = with_code(place.run(&["inquiry", "get", &id, "--json"]), 0).json();
    assert_eq!((&got[0]["task"], &got[0]["schema"]["required"]), (&json!("ask"), &json!(["size"])));
    let open = with_code(place.run(&["execution", "list", "--open", "--json"]), 0).json();
    assert_eq!((&open[0]["id"], &open[0]["status"]), (&json!(id), &json!("pending")));

    let misfit = with_code(place.run(&["execution", "respond", &id, "size=large"]), 2);
    assert!(
        misfit.stderr.contains("E-EXEC-0011") && misfit.stderr.contains("write a whole number"),
        "{}",
        misfit.seen()
    );
    assert!(misfit.stderr.contains("size=INTEGER"), "the schema is shown: {}", misfit.seen());
    let missing = with_code(place.run(&["execution", "respond", &id, "note=yes"]), 2);
    assert!(missing.stderr.contains("`size` (integer, required)"), "{}", missing.seen());
    let stray = with_code(place.run(&["execution", "respond", &id, "--task", "other", "size=1"]), 2);
    assert!(stray.stderr.contains("E-EXEC-0010") && stray.stderr.contains("--task ask"), "{}", stray.seen());

    let answered = with_code(place.run(&["inquiry", "respond", &id, "size=40", "note=7", "--json"]), 0).json();
    assert_eq!(answered, json!({ "id": id, "status": answered["status"] }));
    let (code, stdout, _) = running.finish();
    assert_eq!((code, stdout.contains("\"size\": 40")), (0, true), "{stdout}");
    assert_eq!(view(&place, &id)["steps"][1]["result"]["response"], json!({ "size": 40, "note": "7" }));
    let late = with_code(place.run(&["execution", "respond", &id, "size=1"]), 2);
    assert!(late.stderr.contains("E-EXEC-0009"), "{}", late.seen());
}

#[test]
fn an_execution_is_paused_and_resumed_from_another_process() {
    let place = place();
    let mut running = Running::begin(&place, &["exec", "t.approve"]);
    let id = running.id.clone();
    running.until_waiting(&place);
    let paused = with_code(place.run(&["execution", "pause", &id, "--json"]), 0).json();
    assert_eq!(paused, json!({ "id": id, "status": "paused" }));
    assert!(running.until("paused").contains(&format!("execution resume {id}")));
    let explained = with_code(place.run(&["execution", "explain", &id]), 0).stdout;
    assert!(explained.starts_with("it is paused, until somebody lets it go on"), "{explained}");
    // An answer may come meanwhile; what follows from it does not begin.
    with_code(place.run(&["execution", "respond", &id, "size=1"]), 0);
    assert_eq!(view(&place, &id)["status"], "paused");
    with_code(place.run(&["execution", "resume", &id]), 0);
    running.until("resumed");
    assert_eq!(running.finish().0, 0);
    let again = with_code(place.run(&["execution", "resume", &id]), 2);
    assert!(again.stderr.contains("E-EXEC-0009"), "{}", again.seen());
}

#[test]
fn executions_are_cancelled_from_another_process() {
    let place = place();
    let mut guest = Running::begin(&place, &["exec", "t.loop"]);
    let mut question = Running::begin(&place, &["exec", "t.approve"]);
    let ids = [guest.id.clone(), question.id.clone()];
    guest.until("started   stuck");
    question.until_waiting(&place);
    let run = with_code(place.run(&["execution", "cancel", &ids[0], "0000", &ids[1], "--json"]), 3);
    let rows = run.json();
    assert_eq!((&rows[0]["id"], &rows[1]["id"]), (&json!(ids[0]), &json!(ids[1])), "{}", run.seen());
    assert!(run.stderr.contains("E-STORE-0006"), "one of the three does not exist: {}", run.seen());
    for running in [guest, question] {
        let (code, _, stderr) = running.finish();
        assert_eq!(code, 130);
        assert!(stderr.contains("canceling by the command line"), "{stderr}");
    }
    for id in ids {
        assert_eq!(view(&place, &id)["status"], "canceled");
    }
}

#[test]
fn a_tail_shows_what_was_and_what_comes_and_ends_as_the_execution_does() {
    let place = place();
    let mut running = Running::begin(&place, &["exec", "t.nested"]);
    let id = running.id.clone();
    running.until_waiting(&place);
    let before = with_code(place.run(&["execution", "tail", &id]), 0).stdout;
    let words = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| line.split_once("Z ").unwrap().1.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
            .collect()
    };
    assert!(words(&before).contains(&"succeeded beside".to_owned()), "{before}");
    assert!(before.contains("   waits     ask for an answer"), "what the sub-workflow does is indented: {before}");

    let tail = place.command(&["execution", "tail", "-f", &id]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let child = with_code(place.run(&["inquiry", "list", "--json"]), 0).json()[0]["execution"].clone();
    with_code(place.run(&["execution", "respond", child.as_str().unwrap(), "size=1"]), 0);
    assert_eq!(running.finish().0, 0);
    let output = tail.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with(&before), "{text}");
    assert_eq!(words(&text).last().unwrap(), "succeeded", "{text}");
    assert_eq!(text.matches(" answered ").count(), 1, "nothing is shown twice: {text}");

    let lines = with_code(place.run(&["execution", "tail", "-f", &id, "--json"]), 0).stdout;
    let entries: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(entries.iter().filter(|entry| entry["execution"] == id).count(), kinds(&place, &id).len());
}

#[test]
fn an_answer_that_could_be_for_several_steps_has_to_say_for_which() {
    let place = place();
    let mut running = Running::begin(&place, &["exec", "t.both"]);
    let id = running.id.clone();
    running.until("waits     left");
    running.until("waits     right");
    let ambiguous = with_code(place.run(&["execution", "respond", &id, "approved=yes"]), 2);
    assert!(ambiguous.stderr.contains("E-EXEC-0010"), "{}", ambiguous.seen());
    assert!(ambiguous.stderr.contains("--task left approved=true|false"), "{}", ambiguous.seen());
    for task in ["left", "right"] {
        with_code(place.run(&["execution", "respond", &id, "--task", task, r#"{"approved": true}"#]), 0);
    }
    assert_eq!(running.finish().0, 0);
}

#[test]
fn an_event_reaches_everything_that_waits_for_it_in_all_processes() {
    let place = place();
    let nobody = with_code(place.run(&["event", "send", "volume-7"]), 3);
    assert!(nobody.stderr.contains("E-EXEC-0010"), "{}", nobody.seen());
    let mut running: Vec<_> = ["volume-7", "volume-7", "other"]
        .map(|key| Running::begin(&place, &["exec", "t.event", &format!("key={key}")]))
        .into();
    running.iter_mut().for_each(|running| drop(running.until_waiting(&place)));
    let other = running.pop().unwrap();
    let took = with_code(place.run(&["event", "send", "volume-7", "size=3", "name=vol", "--json"]), 0).json();
    assert_eq!(took.as_array().unwrap().len(), 2, "{took}");
    for running in running {
        let id = running.id.clone();
        assert_eq!(running.finish().0, 0);
        assert_eq!(view(&place, &id)["result"]["got"], json!({ "size": 3, "name": "vol" }));
    }
    assert_eq!(view(&place, &other.id)["status"], "pending");
    with_code(place.run(&["event", "send", "other", "-"]), 2);
    with_code(place.run(&["event", "send", "other"]), 0);
    assert_eq!(other.finish().0, 0);
}

#[test]
fn an_approval_that_nobody_gives_times_out() {
    let place = place();
    let run = with_code(place.run(&["exec", "t.brief", "--json"]), 0).json();
    assert_eq!(run["result"]["how"], "timeout", "{run}");
}

#[test]
fn a_data_directory_whose_path_is_too_long_for_a_socket_is_reached_by_a_port() {
    let place = place();
    let data = place.path(&"d".repeat(120));
    let command = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_runner"));
        command
            .current_dir(place.path(""))
            .args(arguments)
            .arg("--data")
            .arg(&data)
            .arg("--packs")
            .arg(place.path("packs"));
        command.arg("--packs").arg(crate::kit::root().join("packs"));
        command
    };
    let mut running = Running::of(command(&["exec", "t.event", "key=k"]));
    running.until("waits");
    let names: Vec<_> = std::fs::read_dir(data.join("nodes")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let port = names.iter().find(|path| path.extension().is_some_and(|end| end == "port")).expect("a port");
    let (number, secret) =
        std::fs::read_to_string(port).unwrap().split_once(' ').map(|(n, s)| (n.to_owned(), s.to_owned())).unwrap();
    for (guess, expected) in [("0".repeat(40), "401"), (secret, "200")] {
        let answer = ask(&number, &guess);
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected}")), "{answer}");
    }
    let sent = || command(&["event", "send", "k"]).status().unwrap().code();
    while sent() == Some(3) {}
    assert_eq!(running.finish().0, 0);
}

/// Asks a process which one it is, by its port.
fn ask(port: &str, secret: &str) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap();
    let request =
        format!("GET /node HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {secret}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn who_ends_in_good_order_leaves_nothing_behind() {
    let place = place();
    let mut running = Running::begin(&place, &["exec", "t.approve"]);
    running.until_waiting(&place);
    let nodes = || std::fs::read_dir(place.path("data/nodes")).unwrap().count();
    assert_eq!(nodes(), 2, "a lock and a socket");
    with_code(place.run(&["execution", "respond", "last", "size=1"]), 0);
    assert_eq!(running.finish().0, 0);
    assert_eq!(nodes(), 0);
}
