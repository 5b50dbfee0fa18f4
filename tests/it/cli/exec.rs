//! `runner exec`.

use serde_json::json;

use crate::assert_seen;
use crate::kit::Place;

#[test]
fn an_action_runs_and_its_result_is_json_in_a_pipe() {
    let place = Place::new();
    assert_seen!("exec", place.run(&["exec", "core.noop"]), place.run(&["exec", "core.echo", "message=hello"]));
}

#[test]
fn a_part_of_the_result_is_text_for_the_next_program() {
    let place = Place::new();
    let run = place.run(&["exec", "core.echo", "two words", "-k", "message"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "two words\n"));
    assert_seen!("exec_key_missing", place.run(&["exec", "core.echo", "message=x", "-k", "mesage"]));
}

#[test]
fn json_gives_the_whole_execution_and_nothing_else() {
    let run = Place::new().run(&["exec", "core.echo", "message=x", "--json"]);
    let view = run.json();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert_eq!((&view["status"], &view["result"]), (&json!("succeeded"), &json!({ "message": "x" })));
}

#[test]
fn every_way_to_pass_a_parameter_gives_the_same() {
    let place = Place::new();
    place.write("text", "from a file");
    place.write("json", "\"from a file\"");
    place.write("params.json", r#"{"message": "from a file"}"#);
    let message = |arguments: &[&str]| {
        let run = place.run(&[&["exec", "core.echo", "-k", "message"], arguments].concat());
        assert_eq!(run.code, Some(0), "{}", run.seen());
        run.stdout
    };
    for arguments in [
        &["message=from a file"][..],
        &["from a file"],
        &["message:=\"from a file\""],
        &["message=@text"],
        &["message:=@json"],
        &["--params", "params.json"],
    ] {
        assert_eq!(message(arguments), "from a file\n", "{arguments:?}");
    }
    let input = r#"{"message": "from standard input"}"#;
    let run = place.run_with_input(&["exec", "core.echo", "-", "-k", "message"], input);
    assert_eq!(run.stdout, "from standard input\n");
    let run = place.run_with_input(&["exec", "core.echo", "-", "message=given", "-k", "message"], input);
    assert_eq!(run.stdout, "given\n", "the command line goes before standard input");
}

#[test]
fn a_value_is_read_as_the_type_of_its_parameter() {
    let place = Place::new();
    place.write("packs/typed/pack.yaml", "ref: typed\nversion: 0.1.0\n");
    let parameters = "  count: {type: integer}\n  force: {type: boolean}\n  sizes: {type: array, items: {type: number}}\n  \
                      labels: {type: object}\n  any: {description: anything}\n";
    let text = format!("name: all\nrunner_type: noop\nparameters:\n{parameters}");
    place.write("packs/typed/actions/all.yaml", &text);
    let arguments = ["count=3", "force=yes", "sizes=1,2.5", "labels=a:b", "any=3"];
    let run = place.run(&[&["exec", "typed.all", "--json"], &arguments[..]].concat());
    let wanted = json!({ "count": 3, "force": true, "sizes": [1, 2.5], "labels": { "a": "b" }, "any": "3" });
    assert_eq!(run.json()["parameters"], wanted);
    let mistakes = ["count=3.5", "force=perhaps", "sizes=a", "labels=a", "what=ever", "left over", "count=4", "any:={"];
    assert_seen!("exec_mistakes", place.run(&[&["exec", "typed.all"], &mistakes[..]].concat()));
    let run = place.run(&["exec", "typed.all", "count=x", "force=x", "--json"]);
    assert_eq!(run.error_json()["errors"].as_array().unwrap().len(), 2);
    assert_eq!((run.code, &run.error_json()["error"]["code"]), (Some(2), &json!("E-PARAM-0006")));
    let recorded = place.run(&["execution", "list", "--json"]).json();
    assert_eq!(recorded.as_array().unwrap().len(), 1, "what was refused is not recorded");
}

#[test]
fn what_does_not_exist_is_not_found() {
    let place = Place::new();
    assert_seen!(
        "exec_unknown",
        place.run(&["exec", "core.ecko"]),
        place.run(&["exec", "echo"]),
        place.run(&["exec", "nothing.like_it"]),
        place.run(&["exec"]),
    );
}

#[test]
fn an_action_that_fails_says_why_and_the_process_says_so_too() {
    let place = Place::new();
    assert_seen!("exec_failed", place.run(&["exec", "core.fail", "message=no space", "code=no-space"]));
    let run = place.run(&["exec", "core.fail", "message=no space", "code=no-space", "--json"]);
    assert_eq!((run.code, &run.error_json()["error"]["code"]), (Some(1), &json!("no-space")));
    assert_eq!(run.json()["status"], "failed");
}

#[test]
fn what_a_guest_says_cannot_drive_the_terminal() {
    let run = Place::new().run(&["exec", "core.fail", "message=\u{1b}[2Jgone"]);
    assert!(!run.stderr.contains('\u{1b}') && run.stderr.contains("gone"), "{:?}", run.stderr);
}

#[test]
fn a_workflow_shows_its_steps_and_gives_its_output() {
    let place = Place::new();
    let workflow = "name: greet\nparameters:\n  who: {type: string, required: true}\ntasks:\n  first:\n    action: core.echo\n    \
                    input: {message: '<% ctx(\"who\") %>'}\n    next:\n      - when: <% succeeded() %>\n        publish:\n          \
                    - said: <% result().message %>\n        do: second\n  second:\n    action: core.log\n    \
                    input: {message: done}\noutput:\n  - said: <% ctx(\"said\") %>\n";
    place.write("packs/flow/pack.yaml", "ref: flow\nversion: 0.1.0\ndependencies: [core]\n");
    place.write("packs/flow/workflows/greet.yaml", workflow);
    assert_seen!("exec_workflow", place.run(&["exec", "flow.greet", "who=Ada"]));
    assert_seen!("execution_get_workflow", place.run(&["execution", "get", "last"]));
    let silent = place.run(&["exec", "flow.greet", "who=Ada", "--no-progress"]);
    assert_eq!(silent.stderr, "");
}

#[test]
fn a_pack_with_mistakes_says_where_to_see_them() {
    let place = Place::new();
    place.write("packs/broken/pack.yaml", "ref: broken\nversion: one\n");
    assert_seen!("exec_broken_pack", place.run(&["exec", "broken.anything"]));
    assert_eq!(place.run(&["exec", "core.noop"]).code, Some(0), "the other packs are not affected");
}

#[test]
fn a_secret_is_shown_nowhere() {
    let place = Place::new();
    place.write("packs/hush/pack.yaml", "ref: hush\nversion: 0.1.0\n");
    let text = "name: take\nrunner_type: noop\nparameters:\n  token: {type: string, secret: true}\n";
    place.write("packs/hush/actions/take.yaml", text);
    let token = format!("token={}", place.canary("token"));
    let runs = [
        place.run(&["exec", "hush.take", &token, "--json"]),
        place.run(&["execution", "get", "last"]),
        place.run(&["execution", "journal", "last"]),
        place.run(&["execution", "journal", "last", "--json"]),
    ];
    for run in runs {
        let shown = format!("{}{}", run.stdout, run.stderr);
        assert!(run.code == Some(0) && shown.contains("********"), "{}", run.seen());
    }
}
