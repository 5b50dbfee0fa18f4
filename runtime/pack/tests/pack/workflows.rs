//! Mistakes in workflows, each at its line and column.

use crate::kit::workflow;

/// The only finding of a workflow with these tasks (which begin on line 2): code, line and column, and all that is said.
fn only(tasks: &str) -> (String, (usize, usize), String) {
    let report = workflow(&format!("tasks:\n{tasks}")).report();
    let [d] = report.diagnostics.as_slice() else { return (String::new(), (0, 0), report.plain()) };
    (d.code.id().to_owned(), (d.line, d.column), format!("{} | {}", d.message, d.hint.as_deref().unwrap_or_default()))
}

fn check(cases: &[(&str, &str, (usize, usize), &str)]) {
    let mut wrong = String::new();
    for (tasks, code, place, said) in cases {
        let found = only(tasks);
        if (found.0.as_str(), found.1) != (*code, *place) || !found.2.contains(said) {
            wrong.push_str(&format!("{tasks}\n   is {found:?}\n  not {:?}\n", (code, place, said)));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn calls_are_checked_against_the_action_also_in_other_packs() {
    check(&[
        ("  a: {action: core.ehco}", "E-FLOW-0005", (2, 15), "did you mean `core.echo`?"),
        ("  a: {action: croe.echo}", "E-FLOW-0005", (2, 15), "did you mean `core.echo`?"),
        ("  a: {action: demo.b}", "E-FLOW-0005", (2, 15), "the pack's actions are: `demo.w`"),
        ("  a: {action: far_away.b}", "E-FLOW-0005", (2, 15), "put the pack `far_away`"),
        ("  a: {action: echo}", "E-PACK-0007", (2, 15), "`pack.name`"),
        ("  a: {action: core.echo message=hi}", "E-PACK-0007", (2, 15), "`input: {message: hi}`"),
        ("  a: {action: 5}", "E-PACK-0005", (2, 15), "name of an action"),
        ("  a: {action: core.echo}", "E-FLOW-0007", (2, 15), "requires the parameter `message`"),
        ("  a: {action: core.echo, input: {mesage: x, message: y}}", "E-FLOW-0006", (2, 34), "did you mean `message`?"),
        ("  a:\n    action: core.echo\n    input:\n      message: 5\n", "E-FLOW-0008", (5, 16), "string"),
        (
            "  a:\n    action: core.echo\n    input:\n      message: x\n      times: 0\n",
            "E-FLOW-0008",
            (6, 14),
            "minimum",
        ),
        ("  a: {action: core.noop, input: {x: 1}}", "E-FLOW-0006", (2, 34), "no parameters"),
        // A workflow is an action too.
        ("  a: {action: storage.provision, input: {name: 7}}", "E-FLOW-0008", (2, 48), "string"),
        ("  a: {action: storage.create_volume, input: {name: x, protocol: smb}}", "E-FLOW-0008", (2, 65), "immutable"),
        ("  a: {input: {x: 1}}", "E-PACK-0006", (2, 3), "no `action`"),
        ("  a: {action: core.noop, input: 5}", "E-PACK-0005", (2, 33), "a map"),
    ]);
}

#[test]
fn what_only_the_run_can_tell_is_not_complained_of() {
    for tasks in [
        "  a: {action: core.echo, input: {message: '<% 1 + 1 %>', times: '<% \"x\" %>'}}",
        "  a: {action: core.echo, input: '<% #{message: \"x\"} %>'}",
        "  a: {action: '<% \"core.\" + \"echo\" %>', input: {anything: 1}}",
        "  a: {action: demo.w}",
        "  a:\n",
        "  a: {}\n",
    ] {
        let found = workflow(&format!("tasks:\n{tasks}")).findings();
        assert!(found.is_empty(), "{tasks}\n{found:?}");
    }
}

#[test]
fn the_shape_is_checked() {
    check(&[
        ("  a: {action: core.noop, next: [{do: b}]}", "E-FLOW-0001", (2, 38), "`b`"),
        ("  a:\n    action: core.noop\n    next:\n      - do: [a1, fail]\n", "E-FLOW-0001", (5, 14), "`a1`"),
        ("  a:\n    next:\n      - do: noop, gone , fail\n", "E-FLOW-0001", (4, 19), "`gone`"),
        ("  a: {next: [{do: a}]}", "E-FLOW-0003", (1, 1), ""),
        ("  a: {}\n  b: {next: [{do: b}]}", "E-FLOW-0004", (3, 3), "`b`"),
        ("  noop: {}", "E-FLOW-0002", (2, 3), "`noop`"),
        ("  a: {next: [{do: b}]}\n  b: {join: 2}", "E-FLOW-0013", (3, 13), ""),
        ("  a-b: {}", "E-PACK-0007", (2, 3), "character `-`"),
        ("  a: {next: {do: fail}}", "E-PACK-0005", (2, 13), "begin it with a dash"),
        ("  a: {next: b}\n  b: {}", "E-PACK-0005", (2, 13), "`next: [{do: b}]`"),
        ("  a: {join: 0}", "E-PACK-0005", (2, 13), "from 1"),
        ("  a: {join: {needs: 1}}", "E-FLOW-0013", (2, 7), "none"),
        ("  a: {next: [{do: 5}]}", "E-PACK-0005", (2, 19), "`do` must be"),
        ("  a: {next: [{publish: a=1}]}", "E-PACK-0005", (2, 24), "short form"),
        ("  a: {next: [{publish: [a]}]}", "E-PACK-0005", (2, 25), "`- a: null`"),
        ("  a: {next: [{publish: [{a: 1, b: 2}]}]}", "E-PACK-0007", (2, 32), "begin a new item: `- b: …`"),
        ("  a: {next: [{publish: [{a-b: 1}]}]}", "E-PACK-0007", (2, 26), "`a-b`"),
        ("  a: {nxt: [{do: b}]}\n  b: {}", "E-PACK-0004", (2, 7), "did you mean `next`?"),
        ("  a: {publish: [{a: 1}]}", "E-PACK-0004", (2, 7), "belongs to an item of `next`"),
        ("  a: 5", "E-PACK-0005", (2, 6), "must be a map"),
    ]);
}

#[test]
fn keys_of_orquesta_say_what_to_write() {
    for (key, said) in
        [("version: 1.0", "not needed"), ("input: [a]", "`parameters:`"), ("runner_type: orquesta", "remove it")]
    {
        let d = workflow(&format!("{key}\ntasks: {{a: {{}}}}\n")).only();
        assert_eq!((d.code.id(), d.line, d.column), ("E-PACK-0004", 1, 1), "{key}");
        assert!(d.hint.as_ref().unwrap().contains(said), "{d:?}");
    }
    assert_eq!(workflow("description: x\n").findings(), ["workflows/w.yaml:1:1 E-PACK-0006"]);
    assert_eq!(workflow("tasks: {}\n").findings(), ["workflows/w.yaml:1:8 E-PACK-0007"]);
    assert_eq!(workflow("tasks: [a]\n").findings(), ["workflows/w.yaml:1:8 E-PACK-0005"]);
}

#[test]
fn a_mistake_in_an_expression_points_at_its_character_in_every_style() {
    // `nope` is a function that does not exist; it stands at the place that must be found.
    for (text, place) in [
        ("vars:\n  - a: <% 1 + nope(1) %>\n", (2, 15)),
        ("vars:\n  - a: 'it''s <% 1 + nope(1) %>'\n", (2, 22)),
        ("vars:\n  - a: \"\\\"x\\\" <% 1 + nope(1) %>\"\n", (2, 22)),
        ("vars:\n  - a: |\n      first\n      <% 1 + nope(1) %>\n", (4, 14)),
        ("vars:\n  - a: >-\n      first\n\n        <% 1 +\n        nope(1) %>\n", (6, 9)),
        ("vars:\n  - a: one\n      two <% 1 +\n      nope(1) %>\n", (4, 7)),
        ("vars:\n  a: {b: [1, {c: <% 1 + nope(1) %>}]}\n", (2, 25)),
        ("output:\n  - a: äöü <% nope(1) %>\n", (2, 15)),
    ] {
        let d = workflow(&format!("{text}tasks: {{t: {{}}}}\n")).only();
        assert_eq!((d.code.id(), d.line, d.column), ("E-EXPR-0006", place.0, place.1), "{text}\n{d:?}");
    }
}

#[test]
fn an_expression_that_yaml_cut_short_says_how_to_quote_it() {
    check(&[
        (
            "  a:\n    next:\n      - when: <% status() == \"a #b\" %>\n",
            "E-EXPR-0002",
            (4, 15),
            "`'<% status() == \"a #b\" %>'`",
        ),
        (
            "  a: {action: core.echo, input: {message: <% max(1, 2) %>}}",
            "E-EXPR-0002",
            (2, 43),
            "`\"<% max(1, 2) %>\"`",
        ),
    ]);
    let d = workflow("vars:\n  - a: <% 1 == 2 ? x : y %>\ntasks: {t: {}}\n").only();
    assert_eq!((d.code.id(), d.line), ("E-PACK-0001", 2));
    assert!(d.hint.as_ref().unwrap().contains("quotes"), "{d:?}");
}

#[test]
fn leftovers_of_yaql_and_jinja_get_a_hint() {
    check(&[
        (
            "  a: {next: [{when: '<% $.x %>'}]}",
            "E-EXPR-0001",
            (2, 25),
            "this is YAQL: `$.name` is written `ctx(\"name\")`",
        ),
        ("  a: {next: [{when: '<% succeeded() and true %>'}]}", "E-EXPR-0001", (2, 37), "`&&`"),
        ("  a: {next: [{when: '{{ succeeded() }}'}]}", "E-EXPR-0004", (2, 22), "Jinja is not evaluated"),
    ]);
    let d = workflow("tasks:\n  a:\n    action: core.echo\n    input:\n      message: 'x {{ ctx().y }}'\n").only();
    assert!(!d.is_error());
    assert_eq!((d.line, d.column, d.end_column), (5, 19, 32));
    assert!(workflow("vars: [{x: {y: 1}}]\noutput: [{a: '<% ctx().x.y %>'}]\ntasks: {t: {}}\n").findings().is_empty());
}

#[test]
fn an_unknown_variable_is_found_where_it_is_read() {
    let demo = workflow("tasks:\n  a:\n    action: core.echo\n    input:\n      message: <% ctx(\"nobody\") %>\n");
    let d = demo.only();
    assert_eq!((d.code.id(), d.line), ("E-FLOW-0009", 5));
}

#[test]
fn one_mistake_does_not_make_others() {
    // Each of these hides something that later checks would otherwise miss.
    for text in [
        "paramters:\n  x: {type: string}\noutput: [{y: '<% ctx(\"x\") %>'}]\ntasks: {a: {}}\n",
        "parameters:\n  x: {type: strin}\noutput: [{y: '<% ctx(\"x\") %>'}]\ntasks: {a: {}}\n",
        "tasks:\n  a: {nxt: [{do: b}]}\n  b: {next: [{do: b}]}\n",
        "tasks:\n  a: {next: [{do: b-c}]}\n  b-c: {}\n",
        "vars: [{x: '<% ( %>'}]\noutput: [{y: '<% ctx(\"x\") %>'}]\ntasks: {a: {}}\n",
    ] {
        let demo = workflow(text);
        let lines: std::collections::BTreeSet<_> = demo.report().diagnostics.iter().map(|d| d.code.id()).collect();
        assert_eq!(lines.len(), 1, "{text}\n{}", demo.report().plain());
    }
}

#[test]
fn an_expression_that_does_not_compile_hides_no_other_mistake() {
    let demo = workflow(
        "tasks:
  a:
    next:
      - when: <% succeeded( %>
        publish: [{x: <% 1 + %>}]
        do: b
  b:
    action: core.echo
    input: {message: '<% ctx(\"x\") + ctx(\"nobody\") %>'}
    next: [{do: gone}]
",
    );
    let codes: Vec<_> = demo.report().diagnostics.iter().map(|d| format!("{} {}", d.line, d.code)).collect();
    assert_eq!(codes, ["4 E-EXPR-0001", "5 E-EXPR-0001", "9 E-FLOW-0009", "10 E-FLOW-0001"]);
}
