//! The log of a daemon, as whoever collects it reads it.

use serde_json::{Value, json};

use super::kit::Daemon;
use crate::kit::Place;

fn log(place: &Place) -> String {
    std::fs::read_to_string(place.path("daemon.log")).unwrap()
}

#[tokio::test]
async fn each_line_of_a_log_in_json_is_an_object_with_its_time_level_and_target() {
    let place = Place::new();
    let daemon = Daemon::start(&place, &["--json"]);
    daemon.run("core.echo", json!({ "message": "hello" })).await;
    assert_eq!(daemon.stop().code(), Some(0));
    let log = log(&place);
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    for line in &lines {
        let texts = ["timestamp", "level", "target"].iter().all(|key| line[key].is_string());
        assert!(texts && line["fields"]["message"].is_string(), "{line}");
        assert_ne!(line["level"], "DEBUG", "{line}");
    }
    let request = lines.iter().find(|line| line["fields"]["message"] == "request");
    let request = request.unwrap_or_else(|| panic!("no request in {log}"));
    assert_eq!(request["fields"]["path"], "/api/v1/executions");
    assert!(request["target"].as_str().unwrap().starts_with("runner_server"), "{request}");
}

#[tokio::test]
async fn runner_log_says_what_is_in_the_log_unless_a_flag_does() {
    let place = Place::new();
    let said = async |more: &[&str]| {
        let _ = std::fs::remove_file(place.path("daemon.log"));
        let mut command = place.command(&[&["serve", "--listen", "127.0.0.1:0"], more].concat());
        let daemon = Daemon::of(
            {
                command.env("RUNNER_LOG", "warn,runner_executor=debug");
                command
            },
            &place,
        );
        let id = daemon.run("core.echo", json!({ "message": "hello" })).await["id"].as_str().unwrap().to_owned();
        assert_eq!(daemon.stop().code(), Some(0));
        (id, log(&place))
    };
    let (id, log) = said(&[]).await;
    for what in ["execution begun", "execution ended"] {
        let line = log.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("no `{what}` in {log}"));
        assert!(line.starts_with("20") && line.contains("DEBUG") && line.contains(&id), "{line}");
    }
    assert!(!log.contains("INFO"), "{log}");
    let (_, log) = said(&["--quiet"]).await;
    assert!(!log.contains("DEBUG"), "{log}");
}
