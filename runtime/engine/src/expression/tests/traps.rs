//! The traps of rhai, each by its name: what its defaults would let an expression do, and what it does here.

use super::*;

/// Neither compiles nor runs: gives the code.
fn refused(source: &str) -> Code {
    fault(source)
}

fn is_no_expression(sources: &[&str]) {
    for source in sources {
        let mistake = Expression::compile(source).err();
        let known = [code::EXPR_SYNTAX, code::EXPR_UNKNOWN_FUNCTION, code::EXPR_LIMIT];
        assert!(mistake.as_ref().is_some_and(|mistake| known.contains(&mistake.code)), "{source}: {mistake:?}");
    }
}

#[test]
fn sleep_does_not_exist_in_any_spelling() {
    is_no_expression(&[
        "sleep(1)",
        "1.sleep()",
        "sleep(1.5)",
        r#"Fn("sleep").call(1)"#,
        "[1].map(|x| sleep(x))",
        "[1].map(sleep)",
    ]);
    assert_eq!(refused(r#"[1].map("sleep")"#), code::EXPR_RUNTIME);
}

#[test]
fn import_reads_no_file() {
    is_no_expression(&[r#"import "/etc/passwd""#, r#"import "/etc/passwd" as x"#, "export x", "x::y()", "global::x"]);
}

#[test]
fn eval_does_not_exist() {
    is_no_expression(&[r#"eval("1 + 1")"#, r#""1".eval()"#, r#"Fn("eval").call("1")"#]);
    assert_eq!(refused(r#"["1"].map("eval")"#), code::EXPR_RUNTIME);
}

#[test]
fn timestamp_and_chance_do_not_exist() {
    is_no_expression(&["timestamp()", "timestamp().elapsed", "rand()", "rand(1..5)", "[1].shuffle()", "[1].sample()"]);
}

#[test]
fn print_and_debug_do_not_exist() {
    is_no_expression(&["print(1)", "debug(1)", r#""x".print()"#]);
    assert!(refused(r#"["x"].map("print")"#) == code::EXPR_RUNTIME);
}

#[test]
fn function_pointers_cannot_be_made_of_data() {
    is_no_expression(&[r#"Fn("ctx")"#, r#"Fn(ctx("name"))"#, r#"Fn("abs").call(-1)"#, "(|x| x).call(1)", "(|x| x)(1)"]);
}

#[test]
fn curry_does_not_exist() {
    is_no_expression(&["(|x, y| x + y).curry(1)", r#"curry(Fn("abs"), 1)"#]);
}

#[test]
fn closures_hold_no_statements() {
    is_no_expression(&[
        "[1].map(|x| { loop {} })",
        "[1].map(|x| { while true {} })",
        "[1].map(|x| { let y = x; y })",
        "[1].map(|x| { return x })",
        "[1].map(|x| { x; x })",
        "[1].map(|x| this)",
    ]);
    assert_eq!(eval("[1, 2].map(|x| x * 2)").unwrap(), json!([2, 4]));
}

#[test]
fn a_closure_is_no_result() {
    for source in ["|x| x", "[|x| x]", "#{f: |x| x}", "[1].map(|x| |y| x + y)"] {
        assert_eq!(refused(source), code::EXPR_WRONG_TYPE, "{source}");
    }
}

#[test]
fn a_closure_cannot_call_itself() {
    is_no_expression(&["[|f| f(f)].map(|f| f(f))", "[|f| f.call(f)].map(|f| f.call(f))"]);
}

#[test]
fn what_a_closure_captures_is_shared_and_cannot_hold_itself() {
    assert_eq!(
        eval("[[]].map(|s| [range(3).map(|x| s.push(x)), s])").unwrap(),
        json!([[[null, null, null], [0, 1, 2]]])
    );
    let twice = eval("[[]].map(|s| [s.push(1), range(2).map(|x| s.push(s)), s][2])").unwrap();
    assert_eq!(twice, json!([[1, [1], [1, [1]]]]), "copies, and no circle");
}

#[test]
fn loops_do_not_exist() {
    is_no_expression(&[
        "loop {}",
        "while true {}",
        "for x in 0..9 { x }",
        "do { 1 } while true",
        "do { 1 } until false",
    ]);
}

#[test]
fn statements_do_not_exist() {
    is_no_expression(&[
        "{ 1; 2 }",
        "1; 2",
        "return 1",
        "throw 1",
        "try { 1 } catch { 2 }",
        "fn f() { 1 }",
        "private fn f() {}",
    ]);
}

#[test]
fn let_const_and_assignment_do_not_exist() {
    is_no_expression(&[
        "let x = 1",
        "const X = 1",
        "ctx().a = 1",
        "ctx().a += 1",
        "if true { let x = 1; x } else { 2 }",
    ]);
}

#[test]
fn custom_syntax_and_reserved_words_mean_nothing() {
    is_no_expression(&[
        "@",
        "$x",
        "#x",
        "a ~ b",
        "goto x",
        "async f()",
        "await x",
        "new X()",
        "go f()",
        "spawn f()",
        "thread f()",
    ]);
}

#[test]
fn interpolation_in_a_text_is_an_expression_like_any_other() {
    assert_eq!(eval("`a${1 + 1}b`").unwrap(), json!("a2b"));
    is_no_expression(&["`${let x = 1; x}`", "`${loop {}}`", "`${while true {}}`", "`${eval(\"1\")}`"]);
    assert_eq!(refused("`${sleep(1)}`"), code::EXPR_RUNTIME);
    assert_eq!(eval(r#""${1 + 1} <% 1 %>""#).unwrap(), json!("${1 + 1} <% 1 %>"), "quotes interpolate nothing");
    assert_eq!(eval(r#"ctx("hostile")"#).unwrap(), frame().variables["hostile"], "nor does data");
}

#[test]
fn comparisons_that_rhai_answers_silently_with_false_are_errors() {
    for source in ["() > 1", "1 > ()", r#""1" > 1"#, "[1] < [2]", "#{} >= 1", r#"true < "x""#] {
        assert_eq!(refused(source), code::EXPR_RUNTIME, "{source}");
    }
    // Equality of different types is no mistake: it is how a value is told from null.
    assert_eq!(eval(r#"["1" == 1, () == 1, () == ()]"#).unwrap(), json!([false, false, true]));
}

#[test]
fn there_is_no_truthiness() {
    for source in ["if 1 { 2 } else { 3 }", "1 && true", r#""" || true"#, "!1", "() && true"] {
        let code = refused(source);
        assert!([code::EXPR_RUNTIME, code::EXPR_SYNTAX].contains(&code), "{source}: {code}");
    }
}

#[test]
fn a_property_that_is_missing_is_an_error() {
    assert_eq!(refused("#{a: 1}.b"), code::EXPR_RUNTIME);
    assert_eq!(eval("#{a: ()}.a ?? 2").unwrap(), json!(2));
}

#[test]
fn integers_that_64_bits_cannot_hold_stay_themselves() {
    assert_eq!(eval(r#"ctx("wide")"#).unwrap(), json!(u64::MAX));
    for source in [
        "9223372036854775807 + 1",
        "-9223372036854775807 - 2",
        "2 ** 64",
        "1 / 0",
        "1 % 0",
        "abs(-9223372036854775807 - 1)",
    ] {
        assert_eq!(refused(source), code::EXPR_RUNTIME, "{source}");
    }
}

#[test]
fn numbers_that_json_does_not_have_are_errors() {
    for source in ["0.0 / 0.0", "1.0 / 0.0", "2.0 ** 1e300", "[0.0 / 0.0, 1.0].order()"] {
        assert_eq!(refused(source), code::EXPR_WRONG_TYPE, "{source}");
    }
}

#[test]
fn ranges_of_rhai_are_no_values_and_take_no_room() {
    assert_eq!(refused("0..9223372036854775807"), code::EXPR_WRONG_TYPE);
}

#[test]
fn an_order_that_is_none_panics_nowhere() {
    let sorted = eval("range(90).order_by(|a, b| (a * 7919 + b * 104729) % 3 - 1).len()").unwrap();
    assert_eq!(sorted, json!(90));
    assert_eq!(refused(r#"range(90).map(|x| if x % 2 == 0 { "a" } else { x }).order()"#), code::EXPR_RUNTIME);
}

#[test]
fn reduce_is_as_in_rhai() {
    assert_eq!(eval("[1, 2, 3].reduce(|s, x| (s ?? 0) + x)").unwrap(), json!(6));
    assert_eq!(eval("[1, 2, 3].reduce(|s, x| s + x, 10)").unwrap(), json!(16));
    assert_eq!(eval("[5, 6].reduce(|s, x, i| s + x * i, 0)").unwrap(), json!(6), "with the index");
    assert_eq!(eval(r#"["a", "b"].reduce_rev(|s, x| s + x, "")"#).unwrap(), json!("ba"));
    assert_eq!(eval(r#"["a", "b"].reduce_rev(|s, x, i| s + x + i, "")"#).unwrap(), json!("b1a0"));
    assert_eq!(eval("[].reduce(|s, x| s + x)").unwrap(), Value::Null);
    assert_eq!(refused("[1, 2].reduce(|s, x| s + y, 0)"), code::EXPR_SYNTAX);
    assert_eq!(refused(r#"[1, 2].reduce(|s, x| s + ctx("none"), 0)"#), code::EXPR_RUNTIME);
}

#[test]
fn what_puts_lists_together_is_as_in_rhai() {
    for (source, wanted) in [
        ("[5, 6].map(|x, i| x * i)", json!([0, 6])),
        (r#"[-1, 2].map("abs")"#, json!([1, 2])),
        (
            "[[1, 2]].map(|s| [s.push(3), s.insert(0, 0), s.insert(-1, 9), s.insert(99, 4), s])[0][4]",
            json!([0, 1, 2, 9, 3, 4]),
        ),
        ("[[1, 2]].map(|s| [s.set(0, 7), s.set(-1, 8), s])[0][2]", json!([7, 8])),
        ("[#{a: 1}].map(|s| [s.set(\"a\", 2), s.set(\"b\", 3), s])[0][2]", json!({"a": 2, "b": 3})),
    ] {
        assert_eq!(eval(source).unwrap_or_else(|error| panic!("{source}: {error}")), wanted, "{source}");
    }
}

#[test]
fn replace_is_as_in_rhai() {
    for (source, wanted) in [
        (r#"[" a-b-c "].map(|s| [s.replace("-", "+"), s][0] ?? 1)"#, json!([1])),
        (r#"regex_replace("2026-11-21", "(\\d+)-(\\d+)", "$2/$1")"#, json!("11/2026-21")),
        (r#"regex_replace("aaa", "b", "c")"#, json!("aaa")),
        (r#"regex_replace("aXbX", "X", "$$")"#, json!("a$b$")),
    ] {
        assert_eq!(eval(source).unwrap(), wanted, "{source}");
    }
}
