//! What expressions can do, and what they must not be able to do.

use std::sync::Arc;

use runner_model::{Code, Status, TaskName, Timestamp, code};
use serde_json::{Value, json};

use super::*;

fn frame() -> Frame {
    let Value::Object(variables) = json!({
        "name": "vol_db", "size": 107_374_182_400_i64, "wide": u64::MAX, "ratio": 0.25, "none": null,
        "list": [3, 1, 2], "map": {"a": {"b": 1}}, "hostile": "<% 1 + 1 %> {{ 7 }} \"; eval(\"1\")"
    }) else {
        unreachable!()
    };
    let current = TaskResult { status: Status::Succeeded, result: Arc::new(json!({"state": "up", "used": 81.5})) };
    Frame {
        item: None,
        now: Timestamp::from_millis(1_795_257_960_000),
        variables: Arc::new(variables),
        tasks: Arc::new([(TaskName::new("check").unwrap(), current.clone())].into_iter().collect()),
        current: Some(current),
        config: Arc::new(json!({"region": "eu"})),
        kv: Arc::new([("seen".to_owned(), json!(7))].into_iter().collect()),
        execution: None,
        event: None,
    }
}

fn eval(source: &str) -> Result<Value, EvaluationError> {
    Expression::compile(source).unwrap_or_else(|mistake| panic!("{source}: {mistake:?}")).evaluate(&frame())
}

fn fault(source: &str) -> Code {
    match Expression::compile(source) {
        Err(mistake) => mistake.code,
        Ok(expression) => match expression.evaluate(&frame()) {
            Err(EvaluationError::Failed { code, .. }) => code,
            other => panic!("{source} gave {other:?}"),
        },
    }
}

#[test]
fn expressions_give_json_values() {
    for (source, wanted) in [
        ("1 + 2", json!(3)),
        ("7.0 / 2", json!(3.5)),
        (r#"ctx("name") + "_copy""#, json!("vol_db_copy")),
        (r"ctx().name", json!("vol_db")),
        (r#"ctx("size") / 1024 / 1024 / 1024"#, json!(100)),
        (r#"result().state == "up" && succeeded()"#, json!(true)),
        ("failed() || timed_out()", json!(false)),
        ("completed()", json!(true)),
        ("status()", json!("succeeded")),
        (r#"task("check").result.used > 80"#, json!(true)),
        (r#"#{a: 1, b: [ctx("ratio"), ()]}"#, json!({"a": 1, "b": [0.25, null]})),
        (r#"ctx("none") ?? "default""#, json!("default")),
        (r#"config("region")"#, json!("eu")),
        (r#"kv("seen") + 1"#, json!(8)),
        ("now()", json!("2026-11-21T10:46:00.000Z")),
        (r#"get(ctx("map"), "a.b")"#, json!(1)),
        (r#"get(ctx("map"), "a.x", 5)"#, json!(5)),
        (r#"get(ctx("list"), "1")"#, json!(1)),
        (r#"ctx("list").filter(|x| x > 1).map(|x| x * 10)"#, json!([30, 20])),
        (r#"sum(ctx("list"))"#, json!(6)),
        (r#""b" in #{b: 1}"#, json!(true)),
        (r"range(3)", json!([0, 1, 2])),
        (r"range(5, 0, -2)", json!([5, 3, 1])),
        (r"range(0, 5, 2)", json!([0, 2, 4])),
        (r"range(3, 3)", json!([])),
        (r#"zip(ctx("list"), ["a", "b"])"#, json!([[3, "a"], [1, "b"], [2, null]])),
        (r#"keys(ctx("map"))"#, json!(["a"])),
        (r"values(#{x: 1})", json!([1])),
        (r#"from_json("{\"x\": [1]}").x"#, json!([1])),
        (r#"to_json(ctx("map"))"#, json!(r#"{"a":{"b":1}}"#)),
        (r#"base64_decode(base64_encode("ä"))"#, json!("ä")),
        (r#"sha256("abc").sub_string(0, 8)"#, json!("ba7816bf")),
        (r#"regex_match(ctx("name"), "^vol_[a-z]+$")"#, json!(true)),
        (r#"regex_replace("a1b22", "[0-9]+", "-")"#, json!("a-b-")),
        (r#"version_compare("9.10.0", "v9.9.1")"#, json!(1)),
        (r#"parse_time("1970-01-01T00:00:01Z")"#, json!(1000)),
        (r#"parse_time("21.11.2026", "%d.%m.%Y")"#, json!(1_795_219_200_000_i64)),
        (r#"format_time(now(), "%Y-%m-%d %H:%M", "Europe/Berlin")"#, json!("2026-11-21 11:46")),
        (r#"if ctx("size") > 10 { "big" } else { "small" }"#, json!("big")),
        (r#"ctx("wide")"#, json!(u64::MAX)),
        (r#"["ontap", "aiqum"].contains("ontap")"#, json!(true)),
        (r#"ctx("name").to_upper()"#, json!("VOL_DB")),
        (r#"length(ctx("list"))"#, json!(3)),
        (r#"ctx("ratio") * 100"#, json!(25.0)),
        (r#"1 < 2 && 2 >= 2 && 1.5 > 1 && 1 <= 1.0 && "a" < "b" && !(3 < 2)"#, json!(true)),
        (r#"1 == 1.0 && "1" != 1 && () == ()"#, json!(true)),
    ] {
        assert_eq!(eval(source).unwrap_or_else(|error| panic!("{source}: {error}")), wanted, "{source}");
    }
}

#[test]
fn data_is_never_evaluated() {
    assert_eq!(eval(r#"ctx("hostile")"#).unwrap(), frame().variables["hostile"]);
    assert_eq!(eval(r#"from_json("\"<% 1 %>\"")"#).unwrap(), json!("<% 1 %>"));
}

#[test]
fn what_would_reach_outside_or_block_does_not_exist() {
    for source in [
        "sleep(1)",
        "1.sleep()",
        r#"Fn("sleep").call(1)"#,
        r#"eval("1")"#,
        r#"import "/etc/passwd" as x"#,
        "timestamp()",
        r#"print("x")"#,
        r#"debug("x")"#,
        "let x = 1",
        "loop {}",
        "while true {}",
        "fn f() {}",
        "x",
        "this.x",
        "global::x",
        "exit()",
        "rand()",
        "{ 1; 2 }",
        r#"open_file("/etc/passwd")"#,
        "return 1",
        "throw 1",
    ] {
        let mistake = Expression::compile(source).err();
        assert!(mistake.is_some(), "{source} compiles");
    }
}

#[test]
fn bombs_are_stopped_at_a_limit() {
    let nested = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
    let long = "1+".repeat(3000) + "1";
    for source in [
        nested.as_str(),
        long.as_str(),
        r#"range(1000000000)"#,
        r#""x".pad(1000000000, "y")"#,
        r#"range(10000).map(|x| range(10000))"#,
        r#"range(10000).map(|x| range(100).map(|y| y))"#,
        r#"[0].pad(1000000000, 0)"#,
        r#"range(19999).reduce(|s, x| (s ?? "") + "0123456789012345678901234567890123456789012345678901234567890123456789")"#,
    ] {
        let code = fault(source);
        assert!(
            code == code::EXPR_LIMIT || code == code::EXPR_RUNTIME || code == code::EXPR_SYNTAX,
            "{source}: {code}"
        );
    }
    assert_eq!(fault(r#""x".pad(1000000000, "y")"#), code::EXPR_LIMIT);
    assert_eq!(fault(r#"range(20000).map(|x| range(20).map(|y| y * y))"#), code::EXPR_LIMIT);
}

#[test]
fn mistakes_point_at_their_place_and_say_what_to_write() {
    let mistake = |source: &str| Expression::compile(source).unwrap_err();

    let unknown = mistake(r#"1 + lenght("x")"#);
    assert_eq!((unknown.code, unknown.offset, unknown.length), (code::EXPR_UNKNOWN_FUNCTION, 4, 6));
    assert_eq!(unknown.hint.as_deref(), Some("did you mean `length`?"));

    let bare = mistake("1 + size");
    assert_eq!((bare.code, bare.offset), (code::EXPR_SYNTAX, 4));
    assert!(bare.hint.unwrap().contains(r#"ctx("size")"#));

    assert_eq!(mistake("  ").message, "the expression is empty");
    assert!(mistake(r"ctx().a and ctx().b").hint.unwrap_or_default().contains("&&"));
    assert!(mistake("$.name").hint.unwrap_or_default().contains("rhai"));
    assert_eq!(mistake("1 +\n  )").offset, 6);
}

#[test]
fn failures_name_the_expression_and_the_reason() {
    let message = |source: &str| eval(source).unwrap_err().to_string();
    assert_eq!(message(r#"ctx("nope")"#), r#"there is no context variable `nope`, in `<% ctx("nope") %>`"#);
    assert_eq!(message("result().nope"), "there is no `nope` in the map, in `<% result().nope %>`");
    assert!(message(r#"ctx("none") > 1"#).contains("null > integer cannot be decided"));
    assert!(message(r#""10" < 9"#).contains("string < integer cannot be decided"));
    assert!(message(r#"ctx("map") + 1"#).contains("cannot be applied"));
    assert!(message(r#"task("later")"#).contains("has not run yet"));
    assert!(message("item()").contains("there is no item here"));
    assert!(message("event()").contains("there is no event here"));
    assert!(message("1 / 0").contains("zero"));
}

#[test]
fn a_key_that_was_not_read_is_asked_for_even_if_the_expression_has_a_default() {
    for source in [r#"kv("other")"#, r#"kv("other") ?? 1"#] {
        assert_eq!(eval(source).unwrap_err(), EvaluationError::NeedsKv { key: "other".into() }, "{source}");
    }
    assert!(Expression::compile(r#"kv("x")"#).unwrap().reads_kv());
    assert!(!Expression::compile(r#"ctx("kv(1)")"#).unwrap().reads_kv());
}

mod bombs;
mod traps;
