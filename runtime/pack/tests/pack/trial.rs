//! The file of one rule, read to be tried: wherever it stands.

use std::fs;

use runner_model::code;
use runner_pack::{Library, read_rule};

use crate::kit::{Demo, library};

const RULE: &str = "trigger: {type: core.webhook, parameters: {path: p, auth: none}}\n\
                    criteria: {trigger.body.a: {type: equals, pattern: 1}}\n\
                    action: {ref: demo.act, parameters: {text: <% event().body.b %>}}\n";

fn demo() -> Demo {
    let demo = Demo::new();
    demo.file("actions/act.yaml", "runner_type: noop\nparameters: {text: {type: string, required: true}}\n");
    demo
}

#[test]
fn a_rule_is_read_in_its_pack_also_when_that_is_broken_elsewhere() {
    let demo = demo();
    demo.file("rules/r.yaml", RULE).file("rules/other.yaml", "nonsense: true\n");
    let (rule, report) = read_rule(&demo.path().join("rules/r.yaml"), Some(&library()));
    assert!(report.diagnostics.is_empty(), "{}", report.plain());
    assert_eq!(rule.unwrap().reference.as_str(), "demo.r");
    let (rule, report) = read_rule(&demo.path().join("rules/other.yaml"), Some(&library()));
    assert!(rule.is_none() && report.has_errors());
}

#[test]
fn a_rule_in_no_pack_is_looked_up_in_the_others_or_in_none() {
    let demo = demo();
    let path = demo.above().join("loose.yaml");
    fs::write(&path, RULE).unwrap();
    let (rule, report) = read_rule(&path, None);
    assert!(report.diagnostics.is_empty(), "{}", report.plain());
    assert_eq!(rule.unwrap().plan.criteria.len(), 1);
    let (_, report) = read_rule(&path, Some(&library()));
    assert_eq!(report.diagnostics[0].code, code::RULE_UNKNOWN_ACTION, "{}", report.plain());
    let (others, _) = Library::load(&[demo.above().to_owned()], None);
    let (rule, report) = read_rule(&path, Some(&others));
    assert!(rule.is_some() && report.diagnostics.is_empty(), "{}", report.plain());
}

#[test]
fn a_file_that_is_none_or_is_not_there_is_a_mistake_and_nothing_else() {
    let demo = demo();
    demo.file("rules/r.yml", RULE);
    for path in ["nowhere.yaml", "rules/nowhere.yaml", "rules/r.yml", "components/demo.wasm", "rules"] {
        let (rule, report) = read_rule(&demo.path().join(path), Some(&library()));
        assert!(rule.is_none() && !report.diagnostics.is_empty(), "{path}: {}", report.plain());
    }
}
