//! Rules: what is read, and each mistake with the line to write.

use std::sync::Arc;

use runner_model::Status;
use runner_pack::{Rule, RuleKind, Trigger, check};
use serde_json::json;

use crate::kit::{Demo, library, said};

/// An action to call, a sensor's trigger to wait for, and one rule.
fn demo(rule: &str) -> Demo {
    let demo = Demo::new();
    demo.file(
        "actions/act.yaml",
        "runner_type: noop\nparameters: {text: {type: string, required: true}, n: {type: integer}}\n",
    );
    demo.file(
        "sensors/s.yaml",
        "trigger_types: [{name: seen, parameters_schema: {properties: {site: {type: string, required: true}}, additionalProperties: false}}, {name: bare}]\n",
    );
    demo.file("rules/r.yaml", rule);
    demo
}

fn read(rule: &str) -> Arc<Rule> {
    let demo = demo(rule);
    let (pack, report) = check(&demo.path(), &library());
    assert!(report.diagnostics.is_empty(), "{rule}\n{}", report.plain());
    pack.unwrap().rules["r"].clone()
}

const ACTION: &str = "action: {ref: demo.act, parameters: {text: x}}\n";
const TRIGGER: &str = "trigger: {type: demo.bare}\n";

#[test]
fn a_rule_is_read_whole() {
    let rule = read(
        "name: r\ndescription: what it is for\nenabled: false\ntype: backstop\ntags: [a, {name: team, value: b}]\n\
         trigger: {type: demo.seen, parameters: {site: berlin}}\n\
         criteria: {trigger.a: {type: eq, pattern: 1}, trigger.b: {type: exists}}\n\
         when: <% event().a > 0 %>\n\
         action: {ref: demo.act, parameters: {text: <% event().b %>, n: 3}}\n\
         deduplicate: {key: <% event().id %>, window: 90}\n",
    );
    assert_eq!(rule.reference.as_str(), "demo.r");
    assert_eq!((rule.description.as_str(), rule.enabled, rule.kind), ("what it is for", false, RuleKind::Backstop));
    let Trigger::Custom { trigger, parameters } = &rule.trigger else { panic!("{:?}", rule.trigger) };
    assert_eq!((trigger.as_str(), &parameters["site"]), ("demo.seen", &json!("berlin")));
    assert_eq!(
        rule.plan.criteria.iter().map(runner_engine::rule::Criterion::key).collect::<Vec<_>>(),
        ["trigger.a", "trigger.b"]
    );
    assert!(rule.plan.when.is_some());
    assert_eq!(rule.plan.parameters.members().unwrap(), [("n", Some(&json!(3))), ("text", None)]);
    assert_eq!(rule.plan.once.as_ref().unwrap().window_ms, 90_000);
    assert_eq!(rule.action.as_str(), "demo.act");
    assert_eq!(rule.tags.len(), 2);
    assert!(rule.source.ends_with("rules/r.yaml"));
}

#[test]
fn what_is_left_out_is_as_in_stackstorm_or_safer() {
    let rule = read(&format!("{TRIGGER}{ACTION}"));
    assert!(rule.enabled, "a file that is there is in force");
    assert_eq!(rule.kind, RuleKind::Standard);
    assert!(rule.plan.criteria.is_empty() && rule.plan.when.is_none() && rule.plan.once.is_none());
    let nothing = read(&format!("{TRIGGER}{ACTION}criteria:\nwhen:\ndeduplicate:\ntags:\ntype:\n"));
    assert!(nothing.plan.criteria.is_empty());
    let once = read(&format!("{TRIGGER}{ACTION}deduplicate: {{key: <% event().id %>}}\n"));
    assert_eq!(once.plan.once.as_ref().unwrap().window_ms, 3_600_000);
    let ended = read(&format!("trigger: {{type: core.execution_finished}}\n{ACTION}"));
    assert!(matches!(&ended.trigger, Trigger::ExecutionFinished { action: None, statuses } if statuses.is_empty()));
}

#[test]
fn ends_are_of_one_action_or_of_a_pack() {
    let trigger = |parameters: &str| {
        let rule = read(&format!("trigger: {{type: core.execution_finished, parameters: {{{parameters}}}}}\n{ACTION}"));
        let Trigger::ExecutionFinished { action, statuses } = rule.trigger.clone() else { panic!("{rule:?}") };
        (action.unwrap(), statuses)
    };
    let (one, statuses) = trigger("action: demo.act, statuses: [failed, timeout, failed]");
    assert!(one.matches(&"demo.act".parse().unwrap()) && !one.matches(&"demo.other".parse().unwrap()));
    assert_eq!(statuses, [Status::Failed, Status::Timeout]);
    let (all, statuses) = trigger("action: storage.*, statuses: succeeded");
    assert!(all.matches(&"storage.provision".parse().unwrap()) && !all.matches(&"demo.act".parse().unwrap()));
    assert_eq!((all.to_string().as_str(), statuses), ("storage.*", vec![Status::Succeeded]));
}

#[test]
fn parameters_may_be_one_expression() {
    let rule = read(&format!("{TRIGGER}action: {{ref: demo.act, parameters: <% event().parameters %>}}\n"));
    assert!(rule.plan.parameters.members().is_none());
    read(&format!("{TRIGGER}action: {{ref: core.noop}}\n"));
}

#[test]
fn mistakes_in_a_rule_are_found_with_what_to_write() {
    let with = |text: &str| said(&demo(&format!("{TRIGGER}{ACTION}{text}\n")));
    let only = |text: &str| said(&demo(text));
    let shown = [
        only(""),
        only("[1]"),
        only("description: nothing else\n"),
        only(&format!("triger: {{type: demo.bare}}\n{ACTION}")),
        with("name: other"),
        with("descripton: x"),
        with("pack: demo"),
        with("context: {}"),
        with("enabled: yes"),
        with("type: backstopp"),
        with("type: core.webhook"),
        with("type: {ref: standart}"),
        with("type: {rfe: standard}"),
        with("type: [backstop]"),
        with("tags: {a: b}"),
        with("when: event().a"),
        with("when: [a]"),
        with("when: <% ctx(\"a\") == 1 %>"),
        with("when: <% trigger.body.a == 1 %>"),
        with("when: <% event().a == 1 and event().b %>"),
        with("when: <% evnt().a == 1 %>"),
        with("when: <% event().a = %>"),
        with("deduplicate: <% event().id %>"),
        with("deduplicate: {window: 60}"),
        with("deduplicate: {key: <% task(\"t\").result %>, window: 60}"),
        with("deduplicate: {key: [a], window: 60}"),
        with("deduplicate: {key: a, window: 8d}"),
        with("deduplicate: {key: a, window: '60'}"),
        with("deduplicate: {key: a, window: soon}"),
        with("deduplicate: {key: a, ttl: 60}"),
    ]
    .join("\n");
    insta::assert_snapshot!("rule", shown);
}

#[test]
fn mistakes_in_criteria_are_found_with_what_to_write() {
    let with = |text: &str| said(&demo(&format!("{TRIGGER}{ACTION}criteria: {text}\n")));
    let shown = [
        with("[a]"),
        with("{trigger.a: 5}"),
        with("{trigger.a: }"),
        with("{trigger.a: {pattern: 5}}"),
        with("{trigger.a: {type: equals}}"),
        with("{trigger.a: {type: equals, patern: 5}}"),
        with("{trigger.a: {type: equal, pattern: 5}}"),
        with("{trigger.a: {type: 'matchwildcrad', pattern: '*'}}"),
        with("{trigger.a: {type: '>=', pattern: 5}}"),
        with("{trigger.a: {operator: equals, pattern: 5}}"),
        with("{trigger.a: {type: regex, pattern: '('}}"),
        with("{trigger.a: {type: equals, pattern: <% ctx(\"a\") %>}}"),
        with("{trigger.a: {type: equals, pattern: '{{ st2kv.system.a }}'}}"),
        with("{body.a: {type: equals, pattern: 5}}"),
        with("{'trigger.a[': {type: equals, pattern: 5}}"),
        with("{trigger.a: {type: search, condition: some, pattern: {item.b: {type: equals, pattern: 1}}}}"),
        with("{trigger.a: {type: search, condition: any, pattern: 5}}"),
        with("{trigger.a: {type: search, condition: any, pattern: {item.b: {type: eqals, pattern: 1}}}}"),
        with("{trigger.a: {type: equals, pattern: 5, condition: any}}"),
    ]
    .join("\n");
    insta::assert_snapshot!("criteria", shown);
}

#[test]
fn what_stackstorm_calls_otherwise_is_doubtful() {
    let warned = |kind: &str, key: &str| {
        let text = format!("trigger: {{type: {kind}}}\ncriteria: {{{key}: {{type: exists}}}}\n{ACTION}");
        demo(&text).report().diagnostics.into_iter().map(|d| (d.is_error(), d.hint.unwrap())).collect::<Vec<_>>()
    };
    for (key, ours) in [("trigger.action_ref", "trigger.action"), ("trigger.start_timestamp#x", "trigger.started_at")] {
        assert_eq!(warned("core.st2.generic.actiontrigger", key), [(false, format!("write `{ours}`"))]);
    }
    assert!(warned("core.execution_finished", "trigger.parameters.action_ref").is_empty());
    assert!(warned("demo.bare", "trigger.action_ref").is_empty());
    let timer = "core.st2.CronTimer, parameters: {hour: 5}";
    assert_eq!(warned(timer, "trigger.executed_at"), [(false, "write `trigger.fired_at`".to_owned())]);
}

#[test]
fn mistakes_in_what_a_rule_waits_for_are_found_with_what_to_write() {
    let trigger = |text: &str| said(&demo(&format!("trigger: {text}\n{ACTION}")));
    let shown = [
        trigger("core.webhook"),
        trigger("{parameters: {path: a}}"),
        trigger("{ref: core.webhook, parameters: {path: a}}"),
        trigger("{type: core.webhok, parameters: {path: a}}"),
        trigger("{type: webhook, parameters: {path: a}}"),
        trigger("{type: core.st2.generic.notifytrigger}"),
        trigger("{type: core.st2.key_value_pair.create}"),
        trigger("{type: core.webhook, path: a}"),
        trigger("{type: core.webhook, parameters: [a]}"),
        trigger("{type: demo.seeen, parameters: {site: a}}"),
        trigger("{type: storage.seen}"),
        trigger("{type: nowhere.seen}"),
        trigger("{type: demo.seen}"),
        trigger("{type: demo.seen, parameters: {site: 5, other: 6}}"),
        trigger("{type: demo.bare, parameters: {site: a}}"),
        trigger("{type: demo.bare, parameters: 5}"),
        trigger("{type: core.execution_finished, parameters: {action: demo.akt}}"),
        trigger("{type: core.execution_finished, parameters: {action: dmo.*}}"),
        trigger("{type: core.execution_finished, parameters: {action: '*'}}"),
        trigger("{type: core.execution_finished, parameters: {statuses: [faild, running]}}"),
        trigger("{type: core.execution_finished, parameters: {status: failed}}"),
        trigger("{type: core.st2.generic.actiontrigger, parameters: {a: 1}}"),
    ]
    .join("\n");
    insta::assert_snapshot!("trigger", shown);
}

#[test]
fn mistakes_in_what_a_rule_runs_are_found_with_what_to_write() {
    let action = |text: &str| said(&demo(&format!("{TRIGGER}action: {text}\n")));
    let shown = [
        action("demo.act"),
        action("{parameters: {text: a}}"),
        action("{ref: act, parameters: {text: a}}"),
        action("{ref: demo.act text=a}"),
        action("{ref: demo.akt, parameters: {text: a}}"),
        action("{ref: dmo.act, parameters: {text: a}}"),
        action("{ref: far_away.act}"),
        action("{ref: demo.act, parameters: {txt: a}}"),
        action("{ref: demo.act}"),
        action("{ref: demo.act, parameters: {text: 5, n: x}}"),
        action("{ref: demo.act, parameters: [a]}"),
        action("{ref: demo.act, input: {text: a}}"),
        action("{ref: demo.act, parameters: {text: '{{ trigger.body.name }}'}}"),
        action("{ref: demo.act, parameters: {text: <% event(\"a\") + %>}}"),
        action("{ref: demo.act, parameters: {text: <% result().a %>}}"),
        action("{ref: <% event().action %>}"),
    ]
    .join("\n");
    insta::assert_snapshot!("action", shown);
}

#[test]
fn rules_of_one_pack_may_wait_for_what_another_emits() {
    let both = Demo::new();
    both.file("rules/r.yaml", format!("trigger: {{type: other.seen}}\n{}", "action: {ref: other.act}\n"));
    let other = both.above().join("other");
    std::fs::create_dir_all(other.join("sensors")).unwrap();
    std::fs::create_dir_all(other.join("actions")).unwrap();
    std::fs::create_dir_all(other.join("components")).unwrap();
    std::fs::write(other.join("pack.yaml"), "ref: other\nversion: 1.0.0\n").unwrap();
    std::fs::write(other.join("components/other.wasm"), "bytes").unwrap();
    std::fs::write(other.join("actions/act.yaml"), "runner_type: noop\n").unwrap();
    std::fs::write(other.join("sensors/s.yaml"), "trigger_types: [{name: seen}]\n").unwrap();
    let load = || runner_pack::Library::load(&[both.above().to_owned()], None);
    let (library, report) = load();
    assert!(report.diagnostics.is_empty(), "{}", report.plain());
    assert_eq!(
        library
            .rules()
            .map(|(pack, rule)| (pack.reference().to_string(), rule.reference.to_string()))
            .collect::<Vec<_>>(),
        [("demo".to_owned(), "demo.r".to_owned())]
    );
    assert_eq!(library.sensors().count(), 1);
    // Where a sensor cannot be read it is not known what it emits.
    std::fs::write(other.join("sensors/s.yaml"), "trigger_types: [").unwrap();
    let (_, report) = load();
    assert!(
        report.diagnostics.iter().all(|d| !d.path.ends_with("rules/r.yaml") || !d.is_error()),
        "{}",
        report.plain()
    );
    std::fs::remove_file(other.join("sensors/s.yaml")).unwrap();
    let (library, report) = load();
    assert_eq!(report.errors(), 1, "{}", report.plain());
    assert!(
        library.pack("demo").is_none() && report.plain().contains("no sensor of the pack `other` emits `other.seen`")
    );
}

#[test]
fn what_is_written_changes_the_digest_and_what_is_not_there_does_not() {
    let digest = |demo: &Demo| check(&demo.path(), &library()).0.unwrap().digest.clone();
    let demo = demo(&format!("{TRIGGER}{ACTION}"));
    let before = digest(&demo);
    demo.file("rules/r.yaml", format!("{TRIGGER}{ACTION}# a word\n"));
    let after = digest(&demo);
    assert_ne!(before, after);
    demo.file(
        "policies/p.yaml",
        "resource_ref: demo.act\npolicy_type: action.concurrency\nparameters: {threshold: 1}\n",
    );
    assert_ne!(digest(&demo), after);
    let plain = Demo::new();
    let bare = digest(&plain);
    std::fs::create_dir_all(plain.path().join("rules")).unwrap();
    assert_eq!(digest(&plain), bare);
}

#[test]
fn a_broken_rule_does_not_keep_workflows_from_being_rehearsed() {
    let demo = demo("trigger: 5\n");
    let (library, report) = runner_pack::Library::load_sound(&[demo.above().to_owned()], None);
    assert!(report.has_errors());
    let pack = library.pack("demo").unwrap();
    assert!(pack.rules.is_empty() && pack.actions.contains_key("act") && pack.sensors.contains_key("s"));
}
