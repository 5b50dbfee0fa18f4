//! Values for parameters.

use runner_pack::{Library, ParameterError, Parameters};
use serde_json::{Map, Value, json};

use crate::kit::{action, library};

fn create_volume() -> Parameters {
    library().action(&"storage.create_volume".parse().unwrap()).unwrap().1.parameters.clone()
}

fn bind(parameters: &Parameters, given: Value) -> Result<Value, Vec<(String, String)>> {
    let Value::Object(given) = given else { panic!("an object") };
    let short = |error: ParameterError| (error.code.id().to_owned(), error.parameter);
    parameters.bind(given).map(Value::Object).map_err(|errors| errors.into_iter().map(short).collect())
}

#[test]
fn defaults_are_added_and_what_was_given_stays() {
    let bound = bind(&create_volume(), json!({"name": "vol1", "thin": false, "labels": null})).unwrap();
    assert_eq!(bound, json!({"name": "vol1", "size_gb": 10, "thin": false, "labels": null, "protocol": "nfs"}));
}

#[test]
fn every_value_that_does_not_fit_is_reported() {
    let given = json!({
        "naem": "x", "size_gb": "10", "protocol": "smb", "labels": [1], "options": {"tier": "lead"}, "password": 5
    });
    let mut found = bind(&create_volume(), given).unwrap_err();
    found.sort();
    let expected = [
        ("E-PARAM-0001", "naem"),
        ("E-PARAM-0002", "name"),
        ("E-PARAM-0003", "labels"),
        ("E-PARAM-0003", "options"),
        ("E-PARAM-0003", "password"),
        ("E-PARAM-0003", "size_gb"),
        ("E-PARAM-0004", "protocol"),
    ];
    assert_eq!(found, expected.map(|(code, name)| (code.to_owned(), name.to_owned())));
}

#[test]
fn what_is_wrong_is_said_with_a_hint_and_without_the_secret() {
    let parameters = create_volume();
    let error = |given: Value| {
        let Value::Object(given) = given else { panic!("an object") };
        parameters.bind(given).unwrap_err().remove(0)
    };
    let unknown = error(json!({"naem": "x", "name": "x"}));
    assert_eq!(
        (unknown.to_string().as_str(), unknown.hint.as_deref()),
        ("there is no parameter `naem`", Some("did you mean `name`?"))
    );
    let inner = error(json!({"name": "x", "options": {"tier": "lead"}}));
    assert!(inner.message.contains("`options` at `/tier`: \"lead\""), "{inner}");
    let secret = error(json!({"name": "x", "password": 4_711}));
    assert!(!format!("{secret:?}").contains("4711"), "{secret:?}");
    assert_eq!(secret.hint.as_deref(), Some("the parameter's type is `string`, this is a number"));
}

#[test]
fn what_an_execution_ran_with_can_be_given_again() {
    let parameters = create_volume();
    let bound = bind(&parameters, json!({"name": "vol1"})).unwrap();
    assert_eq!(bind(&parameters, bound.clone()).unwrap(), bound);
}

#[test]
fn parameters_have_a_limit() {
    let found = bind(&create_volume(), json!({"name": "a".repeat(2_000_000)})).unwrap_err();
    assert!(found.contains(&("E-PARAM-0005".to_owned(), String::new())), "{found:?}");
}

#[test]
fn a_standard_schema_is_made_of_them() {
    let schema = create_volume().json_schema();
    assert_eq!(schema["required"], json!(["name"]));
    assert_eq!(schema["properties"]["password"], json!({"type": "string", "writeOnly": true}));
    assert_eq!(schema["properties"]["options"]["required"], json!(["tier"]));
    assert_eq!(
        schema["properties"]["name"],
        json!({"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "x-position": 0})
    );
}

#[test]
fn a_secret_deep_in_a_parameter_makes_the_parameter_secret() {
    let demo = action(
        "runner_type: noop\nparameters:\n  login: {type: object, properties: {password: {type: string, secret: true}}}\n",
    );
    let (library, _) = Library::load(&[demo.above().to_owned()], None);
    let (_, action) = library.action(&"demo.a".parse().unwrap()).unwrap();
    assert_eq!(action.parameters.secret_names(), ["login"]);
    assert_eq!(
        action.parameters.json_schema()["properties"]["login"]["properties"]["password"],
        json!({"type": "string"})
    );
}

#[test]
fn a_text_is_read_as_the_type_of_its_parameter() {
    let demo = action(
        "runner_type: noop
parameters:
  s: {type: string}
  i: {type: integer}
  n: {type: number}
  b: {type: boolean}
  a: {type: array}
  ai: {type: array, items: {type: integer}}
  o: {type: object}
  any: {}
  secret: {type: integer, secret: true}
",
    );
    let (library, report) = Library::load(&[demo.above().to_owned()], None);
    assert!(report.diagnostics.is_empty(), "{}", report.plain());
    let parameters = &library.action(&"demo.a".parse().unwrap()).unwrap().1.parameters;
    for (name, text, value) in [
        ("s", "5", json!("5")),
        ("s", " a,b ", json!(" a,b ")),
        ("i", "-5", json!(-5)),
        ("i", "18446744073709551615", json!(u64::MAX)),
        ("n", "1.5", json!(1.5)),
        ("n", "3", json!(3)),
        ("b", "yes", json!(true)),
        ("b", "True", json!(true)),
        ("b", "0", json!(false)),
        ("a", "a, b", json!(["a", "b"])),
        ("a", "", json!([])),
        ("a", "[1, \"b\"]", json!([1, "b"])),
        ("ai", "1,2", json!([1, 2])),
        ("o", "{\"k\": [1]}", json!({"k": [1]})),
        ("o", "k:v,k2:v2:x", json!({"k": "v", "k2": "v2:x"})),
        ("any", "5", json!("5")),
    ] {
        assert_eq!(parameters.from_text(name, text).unwrap(), value, "{name}={text}");
    }
    for (name, text) in [
        ("i", "5.5"),
        ("i", "99999999999999999999"),
        ("n", "NaN"),
        ("n", "inf"),
        ("b", "maybe"),
        ("a", "[1"),
        ("ai", "1,x"),
        ("o", "k"),
        ("secret", "hunter2"),
    ] {
        let error = parameters.from_text(name, text).unwrap_err();
        assert_eq!(error.code.id(), "E-PARAM-0006", "{name}={text}");
        assert!(error.hint.is_some());
        assert!(!error.message.contains("hunter2"));
    }
    assert_eq!(parameters.from_text("x", "1").unwrap_err().code.id(), "E-PARAM-0001");
    assert_eq!(parameters.bind(Map::new()).unwrap(), Map::new(), "what is neither given nor has a default is left out");
}
