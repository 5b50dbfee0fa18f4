//! Rehearsal files: what is read, and what is wrong with them.

use std::time::Duration;

use runner_model::{ItemIndex, RouteId, Status};
use runner_pack::{Category, Library, Rehearsal, check, inspect_workflow, read_rehearsals, rehearsal_files};
use serde_json::json;

use crate::kit::{Demo, library};

fn read(text: &str) -> (Vec<Rehearsal>, Vec<String>) {
    let demo = Demo::new();
    demo.file("tests/r.yaml", text).file("tests/data.json", "{\"n\": [1]}").file("tests/words.txt", "as it is");
    demo.file("shared.json", "7").file("tests/bad.json", "{");
    std::fs::write(demo.above().join("outside.json"), "1").unwrap();
    let (rehearsals, report) = read_rehearsals(&demo.path().join("tests/r.yaml"), None);
    let said = |d: &runner_pack::Diagnostic| {
        format!("{}:{} {} {} | {}", d.line, d.column, d.code, d.message, d.hint.as_deref().unwrap_or_default())
    };
    (rehearsals, report.diagnostics.iter().map(said).collect())
}

fn one(text: &str) -> Rehearsal {
    let (mut rehearsals, mistakes) = read(text);
    assert!(mistakes.is_empty(), "{mistakes:?}");
    assert_eq!(rehearsals.len(), 1);
    rehearsals.remove(0)
}

#[test]
fn a_rehearsal_with_every_field_is_read_whole() {
    let rehearsal = one(include_str!("../fixtures/rehearsal.yaml"));
    assert_eq!((rehearsal.name.as_str(), rehearsal.workflow.as_str(), rehearsal.line), ("all of it", "demo.w", 1));
    let mock = &rehearsal.mocks[0];
    assert_eq!((mock.route, mock.seq_id, mock.item), (Some(RouteId(1)), Some(3), Some(ItemIndex(2))));
    assert_eq!((mock.iter_id, mock.num_iter, mock.status, &mock.result), (1, 4, Status::Failed, &json!({"why": "x"})));
    let default = &rehearsal.mocks[1];
    assert_eq!(
        (default.iter_id, default.num_iter, default.status, &default.result),
        (0, 1, Status::Succeeded, &json!(null))
    );
    let expected = &rehearsal.expected;
    assert_eq!(expected.status, Status::Timeout);
    assert_eq!(expected.sequence.as_ref().unwrap(), &["a", "a__r1", "continue"]);
    assert_eq!(expected.output, Some(json!({"y": "<% not evaluated %>"})));
    assert_eq!(expected.errors.as_ref().unwrap()[0]["message"], "m");
    assert_eq!(expected.term_tasks.as_ref().unwrap(), &["a"]);
    assert_eq!(expected.routes.as_ref().unwrap(), &[vec![], vec!["a__t0".to_owned()]]);
    let request = &expected.requests.as_ref().unwrap()[0];
    assert_eq!((request.method.as_str(), request.body.as_ref().unwrap()), ("POST", &json!({"n": 1})));
    assert!(rehearsal.simulate);
    assert_eq!(rehearsal.events[0].after, Duration::from_millis(2500));
    assert_eq!((&rehearsal.answers[0].answer, rehearsal.answers[0].item), (&json!(false), Some(ItemIndex(0))));
    assert_eq!(rehearsal.start.unwrap().to_string(), "2026-01-01T00:00:00.000Z");
    let [first, second] = rehearsal.reruns.as_slice() else { panic!("{:?}", rehearsal.reruns) };
    assert_eq!((first.tasks[0].route, first.tasks[0].reset_items), (Some(RouteId(1)), true));
    assert_eq!((first.tasks[1].route, first.tasks[1].reset_items), (Some(RouteId(0)), false));
    assert_eq!((first.mocks[0].num_iter, first.expected.status), (2, Status::Succeeded));
    assert!(second.tasks.is_empty());
    assert_eq!((second.expected.status, &second.expected.sequence), (Status::Failed, &None));
}

#[test]
fn a_rehearsal_alone_has_the_name_of_its_file_and_compares_nothing_but_the_status() {
    let rehearsal = one("workflow: other.w\n");
    assert_eq!(one("workflow: w\nclock: 2026-01-01T00:00:00Z\n").start, "2026-01-01T00:00:00Z".parse().ok());
    assert_eq!((rehearsal.name.as_str(), rehearsal.workflow.as_str()), ("r", "other.w"));
    let expected = &rehearsal.expected;
    assert_eq!((expected.status, &expected.sequence, &expected.output), (Status::Succeeded, &None, &None));
    assert!(expected.errors.is_none() && expected.routes.is_none() && expected.term_tasks.is_none());
    assert!(rehearsal.inspection.is_empty() && !rehearsal.simulate && rehearsal.start.is_none());
}

#[test]
fn results_are_read_from_files_of_the_pack_only() {
    let text = |path: &str| format!("workflow: w\nmock_action_executions: [{{task_id: a, result_path: {path}}}]\n");
    let result = |path: &str| one(&text(path)).mocks.remove(0).result;
    assert_eq!(result("data.json"), json!({"n": [1]}));
    assert_eq!(result("words.txt"), json!("as it is"));
    assert_eq!(result("shared.json"), json!(7));
    for (path, code, said) in [
        ("gone.json", "E-PACK-0008", "no file `gone.json`"),
        ("bad.json", "E-PACK-0001", "not JSON"),
        ("../../outside.json", "E-PACK-0009", "not in the pack"),
        ("..", "E-PACK-0009", "not a regular file"),
    ] {
        let (rehearsals, mistakes) = read(&text(path));
        assert!(rehearsals.is_empty());
        assert!(matches!(mistakes.as_slice(), [m] if m.contains(code) && m.contains(said)), "{path}: {mistakes:?}");
    }
}

#[test]
fn a_mistake_costs_its_own_rehearsal_and_is_found_at_its_place() {
    let (rehearsals, mistakes) = read(
        "- name: good\n  workflow: w\n- name: bad\n  workflw: w\n- name: good\n  workflow: w\n- workflow: w\n- name: last\n  workflow: w\n",
    );
    assert_eq!(rehearsals.iter().map(|r| (r.name.as_str(), r.line)).collect::<Vec<_>>(), [("good", 1), ("last", 8)]);
    insta::assert_snapshot!("rehearsal_list", mistakes.join("\n"));
}

#[test]
fn every_key_of_a_rehearsal_is_checked() {
    let cases = [
        "workflow: workflows/w.yaml",
        "workflow: a b",
        "workflow: w\ninputs: [x]",
        "workflow: w\nmock_action_executions: {task_id: a}",
        "workflow: w\nmock_action_executions: [{result: 1}]",
        "workflow: w\nmock_action_executions: [{task_id: a-b}]",
        "workflow: w\nmock_action_executions: [{task_id: a, status: skipped}]",
        "workflow: w\nmock_action_executions: [{task_id: a, status: succeded}]",
        "workflow: w\nmock_action_executions: [{task_id: a, num_iter: -1}]",
        "workflow: w\nmock_action_executions: [{task_id: a, item_id: x}]",
        "workflow: w\nmock_action_executions: [{task_id: a, result: 1, result_path: data.json}]",
        "workflow: w\nexpected_workflow_status: succeed",
        "workflow: w\nexpected_task_sequence: a, b",
        "workflow: w\nexpected_task_sequence: [1]",
        "workflow: w\nexpected_output: 5",
        "workflow: w\nexpected_errors: [oh]",
        "workflow: w\nexpected_routes: [a__t0]",
        "workflow: w\nexpected_inspection_errors: [x]",
        "workflow: w\nexpected_inspection_errors: {semantic: []}",
        "workflow: w\nexpected_requests: [{path: /x, connection: a b}]",
        "workflow: w\nsimulate: yes",
        "workflow: w\nevents: [{payload: 1}]",
        "workflow: w\nevents: [{key: k, after: -1}]",
        "workflow: w\nevents: [{key: k, after: 1m}]",
        "workflow: w\nanswers: [{task_id: a, response: 1}]",
        "workflow: w\nclock: 2026-01-01",
        "workflow: w\nclock: [2026-01-01]",
        "workflow: w\nclock: {start: today}",
        "workflow: w\nrerun: {}",
        "workflow: w\nrerun: [{tasks: [a]}]",
        "workflow: w\nrerun: [{rerun_tasks: [a]}]",
        "workflow: w\nworkflow_state: {}",
        "inputs: {}",
        "[]",
        "just a text",
        "",
    ];
    let mut shown = String::new();
    for case in cases {
        let (rehearsals, mistakes) = read(case);
        assert!(rehearsals.is_empty(), "{case}");
        assert!(!mistakes.is_empty(), "{case}");
        shown += &format!("{case}\n  {}\n", mistakes.join("\n  "));
    }
    insta::assert_snapshot!("rehearsal_keys", shown);
}

#[test]
fn a_broken_rehearsal_does_not_keep_a_pack_from_loading() {
    let demo = Demo::new();
    demo.file("tests/b.yaml", ": [").file("tests/a.yaml", "workflow: w\n").file("tests/notes.txt", "");
    let (pack, report) = check(&demo.path(), &library());
    let pack = pack.unwrap();
    assert!(report.diagnostics.is_empty(), "{}", report.plain());
    assert_eq!(pack.rehearsals, [demo.path().join("tests/a.yaml"), demo.path().join("tests/b.yaml")]);
    assert_eq!(rehearsal_files(&demo.path()), pack.rehearsals);
    assert!(read_rehearsals(&pack.rehearsals[1], Some(pack.reference())).1.has_errors());
}

#[test]
fn a_file_outside_of_a_pack_names_the_pack_of_its_workflow() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("r.yaml");
    std::fs::write(&path, "- {name: a, workflow: demo.w}\n- {name: b, workflow: w}\n").unwrap();
    let (rehearsals, report) = read_rehearsals(&path, None);
    assert_eq!((rehearsals.len(), report.errors()), (1, 1), "{}", report.plain());
    let demo = runner_model::PackRef::new("demo").unwrap();
    assert_eq!(read_rehearsals(&path, Some(&demo)).0.len(), 2);
    assert!(read_rehearsals(&directory.path().join("gone.yaml"), None).1.has_errors());
}

#[test]
fn a_workflow_is_inspected_in_five_categories_though_its_pack_does_not_load() {
    let demo = Demo::new();
    demo.file("pack.yaml", "ref: demo\n");
    demo.file(
        "workflows/w.yaml",
        "varz: []
vars: [{x: '<% 1 + %>'}]
tasks:
  a:
    action: core.nope
    input: {y: '<% ctx(\"nobody\") %>'}
    next: [{do: gone}]
",
    );
    demo.file("workflows/other.yaml", "tasks: 5\n").file("workflows/fine.yaml", "tasks: {a: {action: demo.other}}\n");
    let inspection = inspect_workflow(&demo.path(), "w", &library()).unwrap();
    let found: Vec<_> = inspection.by_category().into_iter().map(|(c, list)| (c.as_str(), list.len())).collect();
    // What could not be read hides whether a variable is set.
    assert_eq!(found, [("syntax", 1), ("semantics", 1), ("expressions", 1), ("contents", 1)], "{inspection:#?}");
    assert!(inspect_workflow(&demo.path(), "fine", &library()).unwrap().errors.is_empty());
    assert!(inspect_workflow(&demo.path(), "gone", &library()).is_none());
    assert!(inspect_workflow(&demo.path(), "../workflows/fine", &library()).is_none());
    demo.file("workflows/w.yaml", "tasks: {a: {action: core.echo, input: {message: '<% ctx(\"nobody\") %>'}}}\n");
    let inspection = inspect_workflow(&demo.path(), "w", &library()).unwrap();
    assert_eq!(inspection.by_category().into_keys().collect::<Vec<_>>(), [Category::Context]);
}

#[test]
fn a_pack_can_be_rehearsed_without_the_workflows_that_are_broken() {
    let demo = Demo::new();
    demo.file("workflows/good.yaml", "tasks: {a: {}}\n").file("workflows/bad.yaml", "tasks: {a: {next: [{do: b}]}}\n");
    let load = || Library::load_sound(&[demo.above().to_owned()], None);
    let (sound, report) = load();
    assert_eq!(report.errors(), 1);
    let names: Vec<_> = sound.pack("demo").unwrap().actions.keys().cloned().collect();
    assert_eq!(names, ["good"]);
    assert!(sound.pack("demo").unwrap().actions.contains_key("good"));
    assert!(Library::load(&[demo.above().to_owned()], None).0.pack("demo").is_none());
    demo.file("pack.yaml", "ref: demo\nversion: [1]\n");
    assert!(load().0.pack("demo").is_none());
}
