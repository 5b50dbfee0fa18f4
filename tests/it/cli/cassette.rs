//! `exec --record`, `--replay` and `--plan`.

use serde_json::{Value, json};

use crate::kit::{Place, Run, root};

fn example() -> String {
    root().join("examples/02-grow-volume/packs").display().to_string()
}

fn grow(place: &Place, more: &[&str]) -> Run {
    let packs = example();
    place.run(&[&["--packs", packs.as_str(), "exec", "capacity.grow_volume", "volume=vol_db"], more].concat())
}

fn tape(place: &Place) -> Vec<Value> {
    let text = std::fs::read_to_string(place.path("tape.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Of the requests on the tape those that change something: method, path and body.
fn mutations(place: &Place) -> Vec<Value> {
    let requests = tape(place).into_iter().skip(1).map(|line| line["request"].clone());
    let changing = requests.filter(|request| request["method"] != "GET");
    changing.map(|r| json!([r["method"], r["path"], r["json"]])).collect()
}

#[test]
fn what_was_recorded_with_a_simulator_replays_without_it() {
    let place = Place::new();
    let recorded = grow(&place, &["--simulate", "--record", "tape.jsonl"]);
    assert_eq!(recorded.code, Some(0), "{}", recorded.seen());
    assert_eq!(mutations(&place).len(), 1);
    let replayed = grow(&place, &["--replay", "tape.jsonl"]);
    assert_eq!((replayed.code, &replayed.stdout), (Some(0), &recorded.stdout), "{}", replayed.seen());
    assert!(!replayed.stderr.contains("E-TAPE"), "{}", replayed.seen());
    let other =
        place.run(&["--packs", &example(), "exec", "capacity.grow_volume", "volume=vol_web", "--replay", "tape.jsonl"]);
    assert_eq!(other.code, Some(1), "{}", other.seen());
    for part in ["E-TAPE-0002", "GET /v1/volumes/vol_db", "GET /v1/volumes/vol_web"] {
        assert!(other.stderr.contains(part), "{part}: {}", other.seen());
    }
    let missing = grow(&place, &["--replay", "none.jsonl", "--json"]);
    assert_eq!((missing.code, missing.error_json()["error"]["code"].as_str()), (Some(4), Some("E-TAPE-0001")));
}

#[test]
fn a_plan_lists_the_changes_that_a_run_then_makes_and_leaves_nothing_behind() {
    let place = Place::new();
    let planned = grow(&place, &["--simulate", "--plan", "--json"]);
    assert_eq!(planned.code, Some(0), "{}", planned.seen());
    let plan = planned.json();
    let changes = plan["changes"].as_array().unwrap();
    let listed: Vec<_> = changes.iter().map(|c| json!([c["method"], c["path"], c["body"]])).collect();
    assert_eq!((&changes[0]["kind"], &changes[0]["name"]), (&json!("changed"), &json!("vol_db")));
    let difference = &changes[0]["differences"][0];
    assert_eq!((&difference["path"], &difference["before"]), (&json!("size_gib"), &json!(1000)));
    assert!(!place.path("data/runner.db").exists(), "nothing is recorded");
    let run = grow(&place, &["--simulate", "--record", "tape.jsonl"]);
    assert_eq!(run.code, Some(0), "{}", run.seen());
    assert_eq!(listed, mutations(&place));
}

#[test]
fn a_plan_is_drawn_with_what_differs() {
    let place = Place::new();
    let planned = grow(&place, &["--simulate", "--plan"]);
    assert!(planned.stdout.contains("~ vol_db (array)\n    size_gib: 1000 → "), "{}", planned.seen());
    assert!(planned.stdout.ends_with("1 change\n"), "{}", planned.seen());
    let nothing = place.run(&["--packs", &example(), "exec", "capacity.list_volumes", "--simulate", "--plan"]);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (Some(0), "nothing would change\n"), "{}", nothing.seen());
}

#[test]
fn a_plan_takes_questions_as_answered_and_keeps_key_value_data_as_it_is() {
    let place = Place::new();
    place.write("packs/ask/pack.yaml", "ref: ask\nversion: 0.1.0\ndependencies: [core]\n");
    let workflow = "name: approve\ntasks:\n  ask:\n    action: core.ask\n    input: {prompt: Shall it?}\n    next:\n      \
                    - when: <% succeeded() && result().response.approved %>\n        do: keep\n  keep:\n    \
                    action: core.kv_set\n    input: {key: kept, value: 1}\n    delay: 86400\n";
    place.write("packs/ask/workflows/approve.yaml", workflow);
    let core = root().join("packs").display().to_string();
    let packs = place.path("packs").display().to_string();
    let planned = place.run(&["--packs", &packs, "--packs", &core, "exec", "ask.approve", "--plan", "--json"]);
    assert_eq!(planned.code, Some(0), "{}", planned.seen());
    let plan = planned.json();
    assert_eq!(plan["approvals"], json!([{ "prompt": "Shall it?", "answer": { "approved": true } }]));
    assert_eq!((&plan["changes"][0]["target"], &plan["changes"][0]["kind"]), (&json!("kv"), &json!("created")));
    let kept = place.run(&["--packs", &core, "exec", "core.kv_get", "key=kept", "--json"]);
    assert_eq!(kept.json()["result"]["found"], json!(false), "{}", kept.seen());
}
