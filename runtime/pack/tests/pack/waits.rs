//! Actions that wait: what their parameters ask for, and which answers fit.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use runner_model::{OnExpiry, Timestamp, Wait, WaitKind};
use runner_pack::{Action, Body, Library, Pack, check, check_answer};
use serde_json::{Map, Value, json};

use crate::kit::action;

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

/// An action of the pack that ships.
fn core(name: &str) -> Arc<Action> {
    // Its component is hashed when it is read, which once is enough.
    static CORE: LazyLock<Arc<Pack>> = LazyLock::new(|| {
        let (pack, report) = check(Path::new("../../packs/core"), &Library::default());
        assert!(report.diagnostics.is_empty(), "{}", report.plain());
        pack.unwrap()
    });
    CORE.actions[name].clone()
}

fn map(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("an object") };
    map
}

/// What the action waits for when it is called with these parameters.
fn wait(action: &Action, given: Value) -> Wait {
    let bound = action.parameters.bind(map(given)).unwrap();
    action.wait(&bound, NOW).unwrap().unwrap()
}

/// What is wrong with parameters that are bound already, as `parameter: message | hint`.
fn mistakes(action: &Action, bound: Value) -> Vec<String> {
    let errors = action.wait(&map(bound), NOW).unwrap_err();
    errors
        .iter()
        .map(|e| format!("{} {}: {e} | {}", e.code, e.parameter, e.hint.as_deref().unwrap_or_default()))
        .collect()
}

fn ask(given: Value) -> Wait {
    wait(&core("ask"), given)
}

#[test]
fn an_inquiry_asks_for_yes_or_no_within_a_day_unless_told_otherwise() {
    let wait = ask(json!({}));
    let WaitKind::Inquiry { prompt, schema, roles, users, route } = &wait.kind else { panic!("{wait:?}") };
    assert_eq!((prompt.as_str(), route.as_str(), roles.len(), users.len()), ("", "", 0, 0));
    assert_eq!(schema["required"], json!(["approved"]));
    assert_eq!(wait.expires_at, Some(NOW.plus_ms(24 * 60 * 60 * 1000)));
    assert_eq!(wait.on_expiry, OnExpiry::Timeout);
    assert!(check_answer(&wait, &json!({"approved": false, "why": "too large"})).is_ok());
    // An inquiry of a pack's own that takes no parameters asks the same.
    let own = action("runner_type: inquiry\n");
    let (pack, report) = check(&own.path(), &Library::default());
    assert!(report.diagnostics.is_empty(), "{}", report.plain());
    let own = pack.unwrap().actions["a"].wait(&Map::new(), NOW).unwrap().unwrap();
    assert_eq!((&own.expires_at, &own.on_expiry), (&wait.expires_at, &wait.on_expiry));
    let answers = [json!({"approved": true}), json!({"approved": 1}), json!({}), json!(true)];
    for answer in &answers {
        assert_eq!(check_answer(&own, answer).is_ok(), check_answer(&wait, answer).is_ok(), "{answer}");
    }
    assert!(check_answer(&own, &answers[0]).is_ok() && check_answer(&own, &answers[1]).is_err());
}

#[test]
fn every_parameter_of_an_inquiry_counts() {
    let wait = ask(json!({
        "prompt": "Delete it?", "roles": ["admin"], "users": ["eve"], "route": "storage", "ttl": 0.5, "on_timeout": "answer",
        "default_answer": {"approved": false},
    }));
    let WaitKind::Inquiry { prompt, roles, users, route, .. } = &wait.kind else { panic!("{wait:?}") };
    assert_eq!((prompt.as_str(), route.as_str()), ("Delete it?", "storage"));
    assert_eq!((roles.as_slice(), users.as_slice()), (&["admin".to_owned()][..], &["eve".to_owned()][..]));
    assert_eq!(wait.expires_at, Some(NOW.plus_ms(30_000)));
    assert_eq!(wait.on_expiry, OnExpiry::Answer(json!({"approved": false})));
    assert_eq!(ask(json!({"ttl": 0})).expires_at, None);
    assert_eq!(ask(json!({"ttl": 0.000_001})).expires_at, Some(NOW.plus_ms(1)));
    assert_eq!(ask(json!({"on_timeout": "fail"})).on_expiry, OnExpiry::Fail);
}

#[test]
fn schemas_may_be_written_as_stackstorm_has_them() {
    let standard = json!({
        "type": "object",
        "required": ["size"],
        "properties": {"size": {"type": "integer", "minimum": 1}, "tier": {"enum": ["gold", "tin"]}},
    });
    let map = json!({"size": {"type": "integer", "minimum": 1, "required": true}, "tier": {"enum": ["gold", "tin"]}});
    let mixed = json!({"type": "object", "properties": &map});
    for schema in [standard, map, mixed] {
        let wait = ask(json!({"schema": schema}));
        for (answer, fits) in [
            (json!({"size": 3}), true),
            (json!({"size": 3, "tier": "gold"}), true),
            (json!({"size": 0}), false),
            (json!({"tier": "gold"}), false),
            (json!({"size": 1, "tier": "wood"}), false),
            (json!({"size": 1, "teir": "gold"}), false),
            (json!([]), false),
            (Value::Null, false),
        ] {
            assert_eq!(check_answer(&wait, &answer).is_ok(), fits, "{schema} {answer}");
        }
    }
}

#[test]
fn names_that_are_words_of_the_standard_too_can_be_asked_for() {
    for (schema, good, bad) in [
        (json!({"type": {"type": "string", "required": true}}), json!({"type": "a"}), json!({})),
        (json!({"properties": {"type": "integer", "required": true}}), json!({"properties": 1}), json!({})),
        (json!({"required": {"type": "boolean", "required": true}}), json!({"required": true}), json!({})),
        (json!({"items": {"type": "array"}}), json!({"items": []}), json!({"items": 1})),
        // A schema of the standard that names no type.
        (json!({"properties": {"a": {"type": "integer", "required": true}}}), json!({"a": 1}), json!({"b": 1})),
        (json!({"properties": {"a": {"type": "integer"}}, "required": ["a"]}), json!({"a": 1}), json!({})),
        (
            json!({"a": {"type": "object", "properties": {"b": {"type": "integer", "required": true}}}}),
            json!({"a": {"b": 1}}),
            json!({"a": {}}),
        ),
        (
            json!({"type": "array", "items": {"properties": {"b": {"required": true}}}}),
            json!([{"b": 1}]),
            json!([{"c": 1}]),
        ),
    ] {
        let wait = ask(json!({"schema": schema}));
        assert!(check_answer(&wait, &good).is_ok(), "{schema} {good} {:?}", wait.schema());
        assert!(check_answer(&wait, &bad).is_err(), "{schema} {bad} {:?}", wait.schema());
    }
    assert!(check_answer(&ask(json!({"schema": {}})), &json!("anything")).is_ok());
}

#[test]
fn an_answer_that_does_not_fit_says_all_that_is_wrong_and_what_to_answer() {
    let schema = json!({
        "size": {"type": "integer", "minimum": 1, "required": true}, "tier": {"enum": ["gold", "tin"], "required": true}, "note": {}
    });
    let error = check_answer(&ask(json!({"schema": schema})), &json!({"size": "x"})).unwrap_err();
    assert_eq!(error.code().id(), "E-EXEC-0011");
    assert_eq!(error.mistakes.len(), 2, "{error:?}");
    assert!(error.mistakes.iter().any(|m| m == "`/size`: \"x\" is not of type \"integer\""), "{error:?}");
    assert!(error.to_string().starts_with("the answer does not fit: "), "{error}");
    assert!(error.to_string().contains("\"tier\" is a required property"), "{error}");
    let hint = error.hint.unwrap();
    assert_eq!(hint, "it takes `note` (anything), `size` (integer, required), `tier` (\"gold\" or \"tin\", required)");
    let large = check_answer(&ask(json!({"schema": {}})), &json!("x".repeat(2_000_000))).unwrap_err();
    assert!(large.to_string().contains("bytes"), "{large}");
}

#[test]
fn a_secret_answer_is_not_quoted() {
    let wait = ask(json!({"schema": {"password": {"type": "string", "minLength": 20, "secret": true}}}));
    for answer in [json!({"password": "hunter2"}), json!({"password": 4711}), json!("hunter2")] {
        let error = check_answer(&wait, &answer).unwrap_err();
        let said = format!("{error:?}");
        assert!(!said.contains("hunter2") && !said.contains("4711"), "{said}");
    }
}

#[test]
fn an_event_is_waited_for_by_its_key() {
    let action = core("wait_for");
    let forever = wait(&action, json!({"key": "volume-7"}));
    assert_eq!(forever.kind, WaitKind::Event { key: "volume-7".into() });
    assert_eq!((forever.expires_at, &forever.on_expiry), (None, &OnExpiry::Timeout));
    assert!(check_answer(&forever, &json!({"any": [1]})).is_ok());
    let short = wait(&action, json!({"key": "k", "timeout": 1.5, "on_timeout": "answer", "default_answer": 7}));
    assert_eq!(short.expires_at, Some(NOW.plus_ms(1500)));
    assert_eq!(short.on_expiry, OnExpiry::Answer(json!(7)));
    let null = wait(&action, json!({"key": "k", "on_timeout": "answer", "default_answer": null}));
    assert_eq!(null.on_expiry, OnExpiry::Answer(Value::Null));
    for given in
        [json!({}), json!({"key": ""}), json!({"key": "k", "timeout": 0}), json!({"key": "k", "on_timeout": "x"})]
    {
        assert!(action.parameters.bind(map(given.clone())).is_err(), "{given}");
    }
}

#[test]
fn parameters_that_make_no_wait_are_refused_all_at_once() {
    let (ask, wait_for) = (core("ask"), core("wait_for"));
    let shown = [
        mistakes(&ask, json!({"schema": {"type": "strin"}})),
        mistakes(&ask, json!({"schema": 5})),
        mistakes(&ask, json!({"schema": {"a": {"pattern": "("}}})),
        mistakes(&ask, json!({"prompt": 1, "roles": "admin", "users": [1], "ttl": "long", "on_timeout": "ask"})),
        mistakes(&ask, json!({"ttl": -1})),
        mistakes(&ask, json!({"ttl": 1e12})),
        mistakes(&ask, json!({"on_timeout": "answer"})),
        mistakes(&ask, json!({"on_timeout": "answer", "default_answer": {"approved": "yes"}})),
        mistakes(&ask, json!({"on_timeout": "answer", "default_answer": null})),
        mistakes(&wait_for, json!({})),
        mistakes(&wait_for, json!({"key": "", "timeout": -1})),
        mistakes(&wait_for, json!({"key": 5, "timeout": 0})),
        mistakes(&wait_for, json!({"key": "k".repeat(600)})),
        mistakes(&wait_for, json!({"key": "k", "on_timeout": "answer"})),
    ];
    insta::assert_snapshot!(shown.map(|list| list.join("\n")).join("\n\n"));
}

#[test]
fn what_runs_something_does_not_wait() {
    for name in ["noop", "echo"] {
        assert_eq!(core(name).wait(&Map::new(), NOW).unwrap(), None);
    }
    assert!(matches!(core("ask").body, Body::Inquiry));
    assert!(matches!(core("wait_for").body, Body::WaitFor));
}

#[test]
fn mistakes_in_the_files_of_waiting_actions_are_found() {
    for (text, code, place, said) in [
        ("runner_type: inquiry\nentry_point: x\n", "E-PACK-0007", (2, 14), "remove `entry_point`"),
        ("runner_type: wait_for\nentry_point: x\n", "E-PACK-0007", (2, 14), "remove `entry_point`"),
        ("runner_type: inquiry\nparameters:\n  tll: {type: number}\n", "E-PACK-0007", (3, 3), "did you mean `ttl`?"),
        ("runner_type: wait_for\nparameters:\n  ttl: {type: number}\n", "E-PACK-0007", (3, 3), "it knows: `key`"),
        ("runner_type: inquirer\n", "E-PACK-0007", (1, 14), "`runner_type: inquiry`"),
        ("runner_type: waitfor\n", "E-PACK-0007", (1, 14), "did you mean `wait_for`?"),
        ("runner_type: http\n", "E-PACK-0020", (1, 14), "`runner_type: wasm`"),
    ] {
        let d = action(text).only();
        assert_eq!((d.code.id(), (d.line, d.column)), (code, place), "{text}");
        assert!(d.hint.as_ref().unwrap().contains(said), "{d:?}");
    }
}

#[test]
fn a_call_that_could_never_wait_is_found_when_the_workflow_loads() {
    let (library, report) = Library::load(&["../../packs".into()], None);
    assert!(library.pack("core").is_some(), "{}", report.plain());
    let findings = |input: &str| {
        let demo = crate::kit::workflow(&format!("tasks: {{t: {{action: core.ask, input: {{{input}}}}}}}\n"));
        let (_, report) = check(&demo.path(), &library);
        report.diagnostics.iter().map(|d| format!("{} {} {}", d.code, d.column, d.message)).collect::<Vec<_>>()
    };
    for (input, column, said) in [
        ("schema: {type: strin}", 39, "not a JSON Schema"),
        ("prompt: '<% \"x\" %>', schema: {a: {type: integr}}", 60, "not a JSON Schema"),
        ("on_timeout: answer", 21, "there is no `default_answer`"),
        ("on_timeout: answer, default_answer: {approved: 1}", 59, "not of type \"boolean\""),
        ("on_timeout: answer, default_answer: 1", 75, "not of type \"object\""),
    ] {
        let found = findings(input);
        let expected = format!("E-FLOW-0008 {column} ");
        assert!(
            matches!(found.as_slice(), [one] if one.starts_with(&expected) && one.contains(said)),
            "{input} {found:?}"
        );
    }
    for input in [
        "schema: {a: {type: integer, required: true}}, on_timeout: answer, default_answer: {a: 1}",
        "schema: '<% #{} %>', on_timeout: answer, default_answer: 5",
        "on_timeout: answer, default_answer: '<% 5 %>'",
        "on_timeout: '<% \"answer\" %>'",
        "on_timeout: fail, ttl: 0",
    ] {
        assert!(findings(input).is_empty(), "{input} {:?}", findings(input));
    }
}

#[test]
fn a_schema_refers_to_nothing_outside_of_itself() {
    let ask = core("ask");
    for outside in ["http://127.0.0.1:1/schema", "file:///etc/hostname"] {
        let said = mistakes(&ask, json!({"schema": {"$ref": outside}}));
        assert!(matches!(said.as_slice(), [one] if one.contains("not a JSON Schema")), "{said:?}");
    }
    let nested = wait(&ask, json!({"schema": {"$ref": "#/$defs/size", "$defs": {"size": {"type": "integer"}}}}));
    assert!(check_answer(&nested, &json!(1)).is_ok() && check_answer(&nested, &json!("1")).is_err());
    let endless = wait(&ask, json!({"schema": {"$ref": "#"}}));
    assert!(check_answer(&endless, &json!({"a": 1})).is_ok());
}
