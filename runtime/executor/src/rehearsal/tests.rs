//! Rehearsals from their files to their reports.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use runner_host::RequestSummary;
use runner_model::{ManualClock, Outcome, Timestamp};
use runner_pack::{Library, read_rehearsals};
use serde_json::{Value, json};

use super::{Difference, Rehearsing, Report, Simulation, run_covering};
use crate::{Call, Guests};

/// What guests were called with: the action, the input, the time.
type Calls = Arc<Mutex<Vec<(String, Value, i64)>>>;

/// A pack in a directory of its own.
struct Stand {
    directory: tempfile::TempDir,
}

impl Stand {
    fn new(workflows: &[(&str, &str)]) -> Self {
        let stand = Self { directory: tempfile::tempdir().unwrap() };
        stand.write("pack.yaml", "ref: t\ndescription: Tests\nversion: 1.0.0\n");
        stand.write("actions/ask.yaml", "name: ask\nrunner_type: inquiry\nparameters: {ttl: {type: number}}\n");
        let wait = "name: wait\nrunner_type: wait_for\nparameters: {key: {type: string}, timeout: {type: number}}\n";
        stand.write("actions/wait.yaml", wait);
        stand.write("actions/act.yaml", "name: act\nrunner_type: wasm\nparameters: {n: {type: integer, default: 1}}\n");
        stand.write("components/t.wasm", "never opened");
        for (name, body) in workflows {
            stand.write(&format!("workflows/{name}.yaml"), &format!("name: {name}\ndescription: x\n{body}"));
        }
        stand
    }

    fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join("packs/t").join(below)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn report(&self, rehearsals: &str, simulation: Option<&Simulation>) -> Report {
        self.write("tests/all.yaml", rehearsals);
        let (library, _) = Library::load_sound(&[self.directory.path().join("packs")], None);
        let (read, mistakes) = read_rehearsals(&self.path("tests/all.yaml"), None);
        assert!(!mistakes.has_errors(), "{}", mistakes.plain());
        let packs: Vec<_> = library.packs().map(AsRef::as_ref).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run_covering(&Rehearsing { library: &library, simulation }, &read, &packs))
    }

    /// Rehearsals without simulation: what differs in each.
    fn differences(&self, rehearsals: &str) -> Vec<Vec<Difference>> {
        self.report(rehearsals, None).rehearsals.into_iter().map(|case| case.differences).collect()
    }

    fn passes(&self, rehearsals: &str) {
        let differences = self.differences(rehearsals);
        assert!(!differences.is_empty() && differences.iter().all(Vec::is_empty), "{differences:#?}");
    }
}

const ASKS: (&str, &str) = (
    "asks",
    "\
vars: [{said: null}, {at: null}]
output:
  - said: <% ctx(\"said\") %>
  - at: <% ctx(\"at\") %>
tasks:
  nap:
    delay: 2592000
    next:
      - do: ask
  ask:
    action: t.ask
    input: {ttl: 10}
    next:
      - when: <% succeeded() %>
        publish: [{said: <% result().by %>}, {at: <% now() %>}]
      - when: <% timed_out() %>
        publish: [{said: nobody}, {at: <% now() %>}]
        do: noop
",
);

#[test]
fn answers_come_in_simulated_time_and_a_month_costs_nothing() {
    Stand::new(&[ASKS]).passes(
        "\
- name: in time
  workflow: asks
  clock: {start: 2031-01-01T00:00:00Z}
  answers: [{task_id: ask, answer: {approved: true}, by: me, after: 90}]
  expected_output: {said: me, at: 2031-01-31T00:01:30.000Z}
- name: too late
  workflow: asks
  clock: {start: 2031-01-01T00:00:00Z}
  answers: [{task_id: ask, answer: {approved: true}, after: 601}]
  expected_output: {said: nobody, at: 2031-01-31T00:10:00.000Z}
  expected_task_sequence: [nap, ask, noop]
",
    );
}

#[test]
fn an_answer_that_does_not_fit_is_a_difference() {
    let found = Stand::new(&[ASKS]).differences(
        "\
workflow: asks
answers: [{task_id: ask, answer: {approved: perhaps}}]
expected_output: {said: nobody, at: 2026-01-31T00:10:00.000Z}
",
    );
    assert_eq!(found[0].iter().map(|found| found.field).collect::<Vec<_>>(), ["answers"], "{found:#?}");
    assert!(found[0][0].message.contains("approved"), "{found:#?}");
}

const WAITS: (&str, &str) = (
    "waits",
    "\
output: [{got: <% task(\"wait\").result %>}]
tasks:
  before: {delay: 60, next: [{do: wait}]}
  wait: {action: t.wait, input: {key: k}}
",
);

#[test]
fn events_reach_those_who_wait_for_them_then() {
    Stand::new(&[WAITS]).passes(
        "\
- name: one before anybody waits is lost
  workflow: waits
  events: [{key: k, payload: 1, after: 59}, {key: other, payload: 2, after: 61}, {key: k, payload: 3, after: 62}]
  expected_output: {got: 3}
- name: none comes
  workflow: waits
  events: [{key: k, payload: 1, after: 59}]
  expected_workflow_status: pending
- name: orquesta knows only that it is paused
  workflow: waits
  expected_workflow_status: paused
  expected_output: {}
",
    );
}

const LINE: (&str, &str) = (
    "line",
    "\
output: [{at: <% ctx(\"at\") %>}]
vars: [{at: nowhere}]
tasks:
  one: {next: [{when: <% succeeded() %>, publish: [{at: one}], do: two}, {when: <% failed() %>, do: three}]}
  two: {next: [{when: <% succeeded() %>, publish: [{at: two}]}]}
  three: {}
",
);

#[test]
fn reruns_are_phases_and_one_that_is_refused_can_be_expected() {
    let stand = Stand::new(&[LINE]);
    stand.passes(
        "\
workflow: line
mock_action_executions: [{task_id: two, status: failed, result: broken}]
expected_workflow_status: failed
expected_task_sequence: [one, two]
expected_errors: [{task_id: two, result: broken}]
rerun:
  - rerun_tasks: [{task_id: three}]
    expected_errors: [{code: E-EXEC-0013, task_id: three}]
  - expected_task_sequence: [one, two, two, continue]
    expected_output: {at: two}
    expected_errors: []
",
    );
    let found = stand.differences(
        "\
workflow: line
rerun: [{}]
",
    );
    assert_eq!((found[0][0].phase, found[0][0].field), (1, "rerun_tasks"));
}

#[test]
fn everything_that_is_expected_can_differ() {
    let found = Stand::new(&[LINE]).differences(
        "\
workflow: line
expected_workflow_status: failed
expected_task_sequence: [one, three]
expected_output: {at: one}
expected_term_tasks: [one]
expected_routes: [[one__t0]]
expected_errors: [{message: never}]
",
    );
    let fields: Vec<_> = found[0].iter().map(|found| found.field).collect();
    assert_eq!(
        fields,
        [
            "expected_task_sequence",
            "expected_routes",
            "expected_workflow_status",
            "expected_output",
            "expected_term_tasks",
            "expected_errors",
        ]
    );
    let output = found[0].iter().find(|found| found.field == "expected_output").unwrap();
    assert_eq!((&output.expected, &output.actual), (&Some(json!({"at": "one"})), &Some(json!({"at": "two"}))));
}

#[test]
fn a_failure_that_was_dealt_with_is_among_the_errors() {
    let stand = Stand::new(&[LINE]);
    stand.passes(
        "\
workflow: line
mock_action_executions: [{task_id: one, status: failed, result: dark}]
expected_task_sequence: [one, three]
expected_errors: [{type: error, message: Execution failed. See result for details., task_id: one, result: dark}]
",
    );
    let found = stand.differences(
        "\
workflow: line
mock_action_executions: [{task_id: one, status: failed}]
expected_errors: []
",
    );
    assert_eq!(found[0][0].field, "expected_errors");
}

#[test]
fn slips_in_names_and_inputs_are_found() {
    let found = Stand::new(&[LINE]).differences(
        "\
- {name: mock, workflow: line, mock_action_executions: [{task_id: onw}]}
- {name: answer, workflow: line, answers: [{task_id: none, answer: 1}]}
- {name: input, workflow: line, inputs: {x: 1}}
- {name: workflow, workflow: lime}
- {name: action, workflow: ask}
- {name: simulation, workflow: line, simulate: true}
",
    );
    let fields: Vec<_> = found.iter().map(|found| found[0].field).collect();
    assert_eq!(fields, ["mock_action_executions", "answers", "inputs", "workflow", "workflow", "simulate"]);
    assert_eq!(found[0][0].hint.as_deref(), Some("did you mean `one`?"));
    assert_eq!(found[3][0].hint.as_deref(), Some("did you mean `t.line`?"));
}

#[test]
fn mistakes_of_a_workflow_are_expected_or_a_difference() {
    let broken =
        ("broken", "tasks:\n  one: {next: [{do: nowhere}]}\n  two: {action: t.act, input: {n: <% ctx(\"b\") %>}}\n");
    let stand = Stand::new(&[LINE, broken]);
    let found = stand.differences(
        "\
- {name: played, workflow: broken}
- {name: sound, workflow: line, expected_inspection_errors: {semantics: [{}]}}
- {name: in part, workflow: broken, expected_inspection_errors: {semantics: [{line: 4}]}}
- {name: elsewhere, workflow: broken, expected_inspection_errors: {semantics: [{line: 5}], context: [{}]}}
- {name: all, workflow: broken, expected_inspection_errors: {semantics: [{code: E-FLOW-0001}], context: [{line: 5}]}}
",
    );
    let counts: Vec<_> = found.iter().map(Vec::len).collect();
    assert_eq!(counts, [2, 1, 1, 1, 0], "{found:#?}");
}

#[test]
fn transitions_that_no_rehearsal_takes_are_reported() {
    let untouched = ("untouched", "tasks:\n  one: {next: [{do: noop}]}\n");
    let report = Stand::new(&[LINE, untouched]).report("{workflow: line}\n", None);
    let coverage = json!(report.coverage);
    assert_eq!(
        coverage[0],
        json!({
            "workflow": "t.line", "rehearsals": 1, "transitions": 3,
            "never_taken": [{"task": "one", "index": 1, "when": "<% failed() %>", "do": ["three"]}],
        })
    );
    assert_eq!((&coverage[1]["rehearsals"], &coverage[1]["transitions"]), (&json!(0), &json!(1)));
}

/// Guests that make a request and give their input back.
struct Echo {
    calls: Calls,
    clock: Arc<ManualClock>,
}

#[async_trait]
impl Guests for Echo {
    async fn run(&self, call: Call) -> Outcome {
        use runner_model::Clock as _;
        let input = Value::Object(call.input.clone());
        self.calls.lock().push((call.action.reference.to_string(), input.clone(), self.clock.now().as_millis()));
        call.observer.request(RequestSummary {
            method: "GET".to_owned(),
            target: "array".to_owned(),
            path: format!("/n/{}", input["n"]),
            result: Ok(200),
            elapsed: std::time::Duration::ZERO,
        });
        Outcome::Succeeded { result: input }
    }
}

fn simulation() -> (Simulation, Calls) {
    let (calls, clock) = (Calls::default(), Arc::new(ManualClock::at(Timestamp::default())));
    let (heard, time) = (calls.clone(), clock.clone());
    let guests = move || Arc::new(Echo { calls: heard.clone(), clock: time.clone() }) as Arc<dyn Guests>;
    (Simulation { clock, guests: Box::new(guests) }, calls)
}

const OUTER: (&str, &str) = (
    "outer",
    "\
output: [{got: <% ctx(\"got\") %>}, {at: <% ctx(\"at\") %>}]
vars: [{got: null}, {at: null}]
tasks:
  mocked: {action: t.act, next: [{do: inner}]}
  inner:
    action: t.inner
    input: {n: 7}
    next: [{when: <% succeeded() %>, publish: [{got: <% result().got %>}, {at: <% now() %>}]}]
",
);

const INNER: (&str, &str) = (
    "inner",
    "\
parameters: {n: {type: integer}}
output: [{got: <% ctx(\"got\") %>}]
vars: [{got: null}]
tasks:
  act:
    action: t.act
    input: {n: <% ctx(\"n\") %>}
    delay: 5
    next: [{when: <% succeeded() %>, publish: [{got: <% result().n %>}]}]
",
);

#[test]
fn what_is_not_mocked_runs_in_a_simulation_and_sub_workflows_are_played() {
    let (simulation, calls) = simulation();
    let report = Stand::new(&[OUTER, INNER]).report(
        "\
workflow: outer
simulate: true
clock: {start: 2031-01-01T00:00:00Z}
mock_action_executions: [{task_id: mocked}]
expected_task_sequence: [mocked, inner, continue]
expected_output: {got: 7, at: 2031-01-01T00:00:05.000Z}
expected_requests: [{method: GET, path: /n/7, connection: array}]
",
        Some(&simulation),
    );
    assert!(report.passed(), "{:#?}", report.rehearsals);
    let begin: Timestamp = "2031-01-01T00:00:05Z".parse().unwrap();
    assert_eq!(*calls.lock(), [("t.act".to_owned(), json!({"n": 7}), begin.as_millis())]);
    assert!(report.coverage.iter().all(|workflow| workflow.never_taken.is_empty()), "{:#?}", report.coverage);
}

#[test]
fn requests_that_were_not_expected_are_a_difference() {
    let (simulation, _) = simulation();
    let report = Stand::new(&[OUTER, INNER]).report(
        "\
- {name: more, workflow: inner, simulate: true, expected_requests: []}
- {name: another, workflow: inner, inputs: {n: 1}, simulate: true, expected_requests: [{method: GET, path: /n/2}]}
- {name: it, workflow: inner, inputs: {n: 2}, simulate: true, expected_requests: [{method: GET, path: /n/2}]}
",
        Some(&simulation),
    );
    let passed: Vec<_> = report.rehearsals.iter().map(super::Case::passed).collect();
    assert_eq!(passed, [false, false, true], "{:#?}", report.rehearsals);
    assert!(Path::new(&report.rehearsals[0].file).ends_with("tests/all.yaml"));
}
