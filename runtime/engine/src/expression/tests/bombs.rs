//! Bombs (S10): expressions that would take all time or memory. Each ends in a typed error within the limits.

use super::*;

/// A string of 1 MiB, all that an expression may make, and one that is a hundredth of it.
const LONG: &str = r#"range(19).reduce(|s, x| s + s, "ab")"#;
const HUNDREDTH: &str = r#"range(13).reduce(|s, x| s + s, "a")"#;

/// Where they are stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stopped {
    /// It does not compile.
    Compiling,
    /// A limit.
    Limit,
    /// A rule of a function.
    Failing,
    /// What came of it is no JSON.
    Result,
}

fn bombs() -> Vec<(String, Stopped)> {
    let mut bombs: Vec<_> = written().into_iter().map(|(source, stopped)| (source.to_owned(), stopped)).collect();
    bombs.extend(made());
    bombs
}

fn written() -> Vec<(&'static str, Stopped)> {
    use Stopped::{Compiling, Failing, Limit, Result};
    vec![
        // Ranges.
        ("range(1000000000)", Failing),
        ("range(0, 9223372036854775807)", Failing),
        ("range(-9223372036854775807, 9223372036854775807)", Failing),
        ("range(9223372036854775807, -9223372036854775807, -1)", Failing),
        ("range(0, 10, 0)", Failing),
        ("0..9223372036854775807", Result),
        // Padding.
        (r#""x".pad(1000000000, "y")"#, Limit),
        (r#""x".pad(9223372036854775807, 'y')"#, Limit),
        ("[0].pad(1000000000, 0)", Limit),
        ("[[]].pad(19000, range(19000))", Limit),
        (r#"blob(1000000000)"#, Compiling),
        (r#""x" * 1000000000"#, Failing),
        (r#"[0] * 1000000000"#, Failing),
        // Doubling.
        (r#"range(30).reduce(|s, x| s + s, "ab")"#, Limit),
        ("range(30).reduce(|s, x| s + s, [1, 2])", Limit),
        ("range(60).reduce(|s, x| [s, s], [])", Limit),
        ("range(60).reduce(|s, x| #{a: s, b: s}, #{})", Limit),
        ("range(60).reduce_rev(|s, x| [s, s], [])", Limit),
        (r#"range(60).reduce(|s, x| `${s}${s}`, "ab")"#, Limit),
        (r#"range(60).reduce(|s, x| to_json([s, s]), "ab")"#, Limit),
        (r#"range(60).reduce(|s, x| base64_encode(s) + s, "ab")"#, Limit),
        (r#"range(60).reduce(|s, x| [s, s].to_string(), "ab")"#, Limit),
        // Growing.
        (
            r#"range(19999).reduce(|s, x| s + "0123456789012345678901234567890123456789012345678901234567890123456789", "")"#,
            Limit,
        ),
        (r#"range(19000).map(|x| "0123456789012345678901234567890123456789012345678901234567890123456789")"#, Limit),
        ("range(10000).map(|x| range(10000))", Limit),
        ("range(19000).map(|x| [x, x])", Limit),
        ("range(19000).map(|x| #{a: x, b: x})", Limit),
        ("zip(range(19000), range(19000), range(19000), range(19000))", Limit),
        // Nesting while it runs.
        ("range(19000).reduce(|s, x| [s], [])", Limit),
        ("range(19000).reduce(|s, x| #{a: s}, #{})", Limit),
        ("range(19000).reduce(|s, x| [#{a: [s]}], 1)", Limit),
        ("range(19000).reduce_rev(|s, x| [[[[[[[[s]]]]]]]], 1)", Limit),
        ("range(120).reduce(|s, x| [s], [[[[[[[[[[]]]]]]]]]])", Limit),
        ("[range(125).reduce(|s, x| [s], [])].map(|s| [[[[s]]]])", Limit),
        ("[[[range(125).reduce(|s, x| [s], [])]]]", Result),
        // Nesting by what a closure captures.
        ("[#{}].map(|s| [range(19000).map(|x| s.set(\"a\", s)), s])", Limit),
        ("[[1]].map(|s| [range(19000).map(|x| s.push([s])), s])", Limit),
        ("[[1]].map(|s| [range(19000).map(|x| s.insert(0, s)), s])", Limit),
        ("[[1]].map(|s| [range(19000).map(|x| s.set(0, s)), s])", Limit),
        ("[[1]].map(|s| [range(19000).map(|x| s.splice(0, s.len(), [s])), s])", Limit),
        ("[[1]].map(|s| [range(19000).map(|x| s.splice(0..1, [s])), s])", Limit),
        ("[[1]].map(|s| [range(19000).map(|x| s.splice(0..=0, [s])), s])", Limit),
        ("[[1]].map(|s| [range(19000).map(|x| s.append(s)), s])", Limit),
        ("[[1]].map(|s| [range(19000).map(|x| s.pad(s.len() + 1, s)), s])", Limit),
        ("[[1]].map(|s| [range(19000).map(|x| s.splice(0, 0, [s])), s])", Limit),
        ("[#{a: 1}].map(|s| [range(19000).map(|x| s.mixin(#{a: s})), s])", Limit),
        ("from_json(to_json(range(125).reduce(|s, x| [s], [])) + \"]\")", Failing),
        // Work.
        ("range(19999).map(|x| range(20).map(|y| y * y))", Limit),
        ("range(19999).filter(|x| range(19999).some(|y| y == x + 1))", Limit),
        (r#"range(19999).map("range")"#, Limit),
        ("range(19999).all(|x| range(100).all(|y| range(100).all(|z| true)))", Limit),
        ("range(19999).for_each(|x| range(99).for_each(|y| x))", Limit),
        // Patterns.
        (r#"regex_match("a", "(a{1000}){1000}")"#, Failing),
        (r#"regex_match("a", "((((((((((a{99}){99}){99}){99}){99}){99}){99}){99}){99}){99})")"#, Failing),
        (r#"regex_match("a", "\\w{1000}")"#, Failing),
        (r#"regex_match("a", "(((")"#, Failing),
        (r#"regex_match("a", "(?=a)")"#, Failing),
        (r#"regex_match("a", "(a)\\1")"#, Failing),
        // JSON in texts.
        (r#"from_json(range(9).reduce(|s, x| s + s, "[[[["))"#, Failing),
        (r#"from_json(range(9).reduce(|s, x| s + s, "{\"a\":"))"#, Failing),
        (r#"from_json("1e999999999")"#, Failing),
        (r#"from_json("\"\\ud800\"")"#, Failing),
        (r#"from_json("[1,]")"#, Failing),
        (r#"range(19999).map(|x| from_json("[1,2,3,4,5,6,7,8,9]"))"#, Limit),
        (r#"from_json("[" + range(15).reduce(|s, x| s + s, "1,") + "1]")"#, Limit),
        // Numbers.
        ("2 ** 9223372036854775807", Failing),
        ("9223372036854775807 * 9223372036854775807", Failing),
        ("1.0e308 * 10.0", Result),
        ("parse_int(\"99999999999999999999999\")", Failing),
        // Times.
        (r#"format_time(now(), "%")"#, Failing),
        (r#"parse_time("999999999999-01-01T00:00:00Z")"#, Failing),
        (r#"format_time(9223372036854775807, "%Y")"#, Failing),
    ]
}

/// Those that are too long to be written.
fn made() -> Vec<(String, Stopped)> {
    use Stopped::{Compiling, Limit};
    let around = |open: &str, close: &str, times: usize| format!("{}1{}", open.repeat(times), close.repeat(times));
    let closures: String = (0..100).map(|at| format!("[1].map(|x{at}| ")).collect();
    vec![
        (around("(", ")", 1_000), Compiling),
        (around("[", "]", 1_000), Compiling),
        (around("#{a:", "}", 500), Compiling),
        (around("abs(", ")", 500), Compiling),
        (around("if true {", "} else { 2 }", 150), Compiling),
        (around("`${", "}`", 500), Compiling),
        (format!("{}true", "!".repeat(3_000)), Compiling),
        (format!("{}1", "-".repeat(3_000)), Compiling),
        (format!("1{}", "+1".repeat(1_900)), Compiling),
        (format!("true{}", "&&true".repeat(600)), Compiling),
        (format!("1{}", "??1".repeat(1_200)), Compiling),
        (format!("ctx(){}", ".a".repeat(1_900)), Compiling),
        (format!("ctx(){}", "[0]".repeat(1_300)), Compiling),
        (format!("1{}", ".abs()".repeat(600)), Compiling),
        (format!("{closures}1{}", ")".repeat(100)), Compiling),
        (format!("1{}", " ".repeat(5_000)), Compiling),
        (format!("\"{}\"", "x".repeat(5_000)), Compiling),
        (format!("[{}]", (0..200).map(|at| format!("|x| x + {at}")).collect::<Vec<_>>().join(",")), Compiling),
        // Rhai's own `replace` would ask for 500 GB here, and the process would end.
        (format!("[{LONG}].map(|s| s.replace(\"a\", s))"), Limit),
        (format!("[{LONG}].map(|s| s.replace(\"\", s))"), Limit),
        (format!("[{LONG}].map(|s| s.replace('a', s))"), Limit),
        (format!("[{HUNDREDTH}].map(|s| regex_replace(s, \"a\", s))"), Limit),
        (format!("[{HUNDREDTH}].map(|s| regex_replace(s, \"\", s))"), Limit),
        (format!("[{HUNDREDTH}].map(|s| regex_replace(s, \".*\", range(10).reduce(|t, x| t + t, \"$0\")))"), Limit),
        (format!("regex_match({LONG}, \"(a|b)*c\")"), Limit),
        (format!("[{LONG}].map(|s| s.split(\"\"))"), Limit),
        (format!("[{LONG}].map(|s| s.to_chars())"), Limit),
        (format!("[{LONG}].map(|s| s + s)"), Limit),
        (format!("to_json([{LONG}, {LONG}])"), Limit),
        (format!("sha256({LONG} + {LONG})"), Limit),
    ]
}

fn stopped(source: &str) -> Result<(Stopped, Code), Value> {
    match Expression::compile(source) {
        Err(mistake) => Ok((Stopped::Compiling, mistake.code)),
        Ok(expression) => match expression.evaluate(&frame()) {
            Err(EvaluationError::Failed { code, .. }) if code == code::EXPR_LIMIT => Ok((Stopped::Limit, code)),
            Err(EvaluationError::Failed { code, .. }) if code == code::EXPR_WRONG_TYPE => Ok((Stopped::Result, code)),
            Err(EvaluationError::Failed { code, .. }) => Ok((Stopped::Failing, code)),
            Err(error) => panic!("{source}: {error}"),
            Ok(value) => Err(value),
        },
    }
}

#[test]
fn every_bomb_ends_in_an_error_with_a_code() {
    let bombs = bombs();
    assert!(bombs.len() >= 60, "{}", bombs.len());
    let mut wrong = String::new();
    for (source, expected) in &bombs {
        let began = std::time::Instant::now();
        let found = stopped(source);
        let short: String = source.chars().take(70).collect();
        println!("{:>8.1?} {short}", began.elapsed());
        if found.as_ref().map(|(stopped, _)| stopped) != Ok(expected) {
            wrong.push_str(&format!("{short}: {}\n", format!("{found:?}").chars().take(200).collect::<String>()));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn a_bomb_leaves_nothing_behind_for_the_next_expression() {
    for (source, _) in bombs().iter().filter(|(source, _)| source.len() < 30) {
        let _ = stopped(source);
        assert_eq!(eval("1 + 1").unwrap(), json!(2), "after {source}");
    }
}

#[test]
fn what_nests_while_it_runs_fits_the_stack_of_a_worker() {
    // A worker of tokio's has 2 MiB; builds without optimisation take several times as much of it.
    let worker = std::thread::Builder::new().stack_size(1024 * 1024).spawn(|| {
        let nesting = written().into_iter().filter(|(source, _)| source.contains("19000)") && source.contains(" s"));
        let stopped: Vec<_> = nesting.map(|(source, _)| stopped(source).is_ok()).collect();
        (stopped, stopped_at("range(120).reduce(|s, x| [s], [])"))
    });
    let (stopped, deep) = worker.unwrap().join().unwrap();
    assert!(stopped.len() > 10 && stopped.iter().all(|stopped| *stopped));
    assert_eq!(deep, None, "what is nested no deeper than JSON is a value");
}

fn stopped_at(source: &str) -> Option<Stopped> {
    stopped(source).ok().map(|(stopped, _)| stopped)
}

#[test]
fn what_stays_below_the_limits_is_computed() {
    for (source, wanted) in [
        (format!("{LONG}.len()"), json!(1_048_576)),
        ("range(20000).len()".to_owned(), json!(20_000)),
        ("range(1000).filter(|x| x % 2 == 0).len()".to_owned(), json!(500)),
        ("range(120).reduce(|s, x| [s], []).len()".to_owned(), json!(1)),
        (format!("regex_replace({HUNDREDTH}, \"a\", \"bc\").len()"), json!(16_384)),
        (r#"regex_match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "^(a+)+$")"#.to_owned(), json!(false)),
    ] {
        assert_eq!(eval(&source).unwrap_or_else(|error| panic!("{source}: {error}")), wanted, "{source}");
    }
}
