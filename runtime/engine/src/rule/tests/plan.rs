//! Whole rules: what matches, what is refused when a pack loads, what becomes of parameters.

use super::*;

fn plan(criteria: &[(&str, Value)], when: Option<&str>, parameters: &Value, key: Option<&str>) -> RulePlan {
    RulePlan {
        criteria: criteria.iter().map(|(key, written)| criterion(key, written).unwrap()).collect(),
        when: when.map(|when| condition(&json!(when)).unwrap()),
        parameters: template(parameters).unwrap(),
        once: key.map(|key| OncePlan { key: template(&json!(key)).unwrap(), window_ms: 60_000 }),
    }
}

#[test]
fn every_criterion_is_looked_at_and_all_of_them_must_hold() {
    let criteria = [
        ("trigger.body.state", json!({"type": "equals", "pattern": "down"})),
        ("trigger.body.used", json!({"type": "gt", "pattern": 90})),
        ("trigger.body.name", json!({"type": "startswith", "pattern": "vol"})),
    ];
    let plan = plan(&criteria, None, &json!({}), None);
    let verdict = plan.examine(&occasion(json!({"body": {"state": "down", "used": 95, "name": "vol1"}})));
    assert!(verdict.matched && verdict.criteria.iter().all(|judged| judged.passed) && verdict.when.is_none());

    let verdict = plan.examine(&occasion(json!({"body": {"state": "up", "used": 95}})));
    assert!(!verdict.matched);
    assert_eq!(verdict.criteria.iter().map(|judged| judged.passed).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(verdict.criteria[0].found, Some(json!("up")));
    assert_eq!(verdict.criteria[0].pattern, Some(json!("down")));
    let why: Vec<_> = verdict.criteria.iter().map(|judged| judged.why.as_deref()).collect();
    assert_eq!(why, [None, None, Some("`startswith` looks at a text, not nothing: the event has no such value")]);
}

#[test]
fn a_rule_without_criteria_matches_everything_and_one_with_criteria_no_empty_event() {
    for payload in [json!(null), json!({}), json!([]), json!(""), json!(0), json!(false)] {
        assert!(plan(&[], None, &json!({}), None).examine(&occasion(payload.clone())).matched, "{payload}");
        let criteria = [("trigger.x", json!({"type": "nexists"}))];
        let verdict = plan(&criteria, None, &json!({}), None).examine(&occasion(payload.clone()));
        assert!(!verdict.matched, "{payload}");
        assert_eq!(verdict.criteria[0].why.as_deref(), Some("the event has no payload"));
    }
}

#[test]
fn when_decides_after_the_criteria() {
    let criteria = [("trigger.used", json!({"type": "exists"}))];
    let plan = plan(&criteria, Some("<% event().used > config(\"limit\") %>"), &json!({}), None);
    let examine = |payload| plan.examine(&occasion(payload));
    assert_eq!((examine(json!({"used": 95})).matched, examine(json!({"used": 95})).when), (true, Some(Ok(true))));
    assert_eq!((examine(json!({"used": 80})).matched, examine(json!({"used": 80})).when), (false, Some(Ok(false))));
    // Where a criterion does not hold, `when` is not asked: what it reads may not be there.
    assert_eq!(examine(json!({"other": 1})).when, None);
    let wrong = examine(json!({"used": "much"}));
    assert!(!wrong.matched);
    let message = wrong.when.unwrap().unwrap_err();
    assert_eq!(message, "string > integer cannot be decided, in `<% event().used > config(\"limit\") %>`");
}

#[test]
fn parameters_keep_their_types_and_the_key_is_a_text() {
    let parameters = json!({
        "name": "<% event(\"body.name\") %>", "text": "on <% event_info().source %>", "size": "<% event().body.size * 2 %>",
        "at": "<% now() %>", "fixed": [1, {"x": null}], "missing": "<% event(\"body.nothing\", \"none\") %>"
    });
    let plan_of = |key| plan(&[], None, &parameters, key);
    let occasion = occasion(json!({"body": {"name": "vol1", "size": 21, "none": null}}));
    let (rendered, once) = plan_of(None).render(&occasion).unwrap();
    assert_eq!(
        Value::Object(rendered),
        json!({"name": "vol1", "text": "on arrays/ontap", "size": 42, "at": "2026-11-21T10:46:00.000Z",
               "fixed": [1, {"x": null}], "missing": "none"})
    );
    assert_eq!(once, None);
    for (key, expected) in [
        ("<% event().body.name %>", Some("vol1")),
        ("<% event().body.size %>", Some("21")),
        ("<% event().body %>", Some("{\"name\":\"vol1\",\"none\":null,\"size\":21}")),
        ("a fixed one", Some("a fixed one")),
        ("<% event().body.none %>", None),
    ] {
        let (_, once) = plan_of(Some(key)).render(&occasion).unwrap();
        assert_eq!(once, expected.map(|key| (key.to_owned(), 60_000)), "{key}");
    }
}

#[test]
fn parameters_that_cannot_be_rendered_are_an_error() {
    let render = |parameters: Value| plan(&[], None, &parameters, None).render(&occasion(json!({"a": 1})));
    let failed = |parameters: Value| render(parameters).unwrap_err().to_string();
    assert_eq!(render(json!(null)).unwrap().0, Map::new());
    assert_eq!(render(json!("<% event() %>")).unwrap().0, json!({"a": 1}).as_object().unwrap().clone());
    assert!(failed(json!("<% event().a %>")).starts_with("the parameters of an action are a map, not a number"));
    assert!(failed(json!({"x": "<% event(\"b.c\") %>"})).starts_with("the event has no `b.c`"));
    assert!(failed(json!({"x": "<% event(\"b..c\") %>"})).starts_with("`b..c` is no way to a value"));
}

#[test]
fn what_makes_no_sense_in_a_rule_is_refused_when_its_pack_loads() {
    for call in [
        "ctx(\"x\")",
        "ctx().x",
        "task(\"t\").result",
        "result()",
        "status()",
        "succeeded()",
        "failed(\"t\")",
        "timed_out()",
        "skipped()",
        "completed()",
        "item()",
        "item(\"x\")",
        "kv(\"x\")",
        "execution().id",
    ] {
        let text = json!({"deep": [format!("a <% {call} %>")]});
        let errors = template(&text).unwrap_err();
        assert_eq!(errors.len(), 1, "{call}");
        assert_eq!(errors[0].code, code::EXPR_OUT_OF_PLACE);
        assert_eq!(errors[0].place, [Place::Key("deep".to_owned()), Place::Index(0)]);
        assert!(errors[0].hint.is_some());
        assert!(condition(&json!(format!("<% {call} == 1 %>"))).is_err(), "{call}");
        let written = json!({"type": "equals", "pattern": format!("<% {call} %>")});
        assert_eq!(criterion("trigger.x", &written).unwrap_err()[0].place, [Place::Key("pattern".to_owned())]);
    }
    assert!(template(&json!("<% json(config(\"x\")) + now() + event_info().id %>")).is_ok());
}

/// The code, the place, and the beginning of the message.
fn mistakes(key: &str, written: &Value) -> Vec<(Code, String, String)> {
    let errors = criterion(key, written).map(|criterion| panic!("{key} {written}: {criterion:?}")).unwrap_err();
    let place = |error: &CompileError| {
        let steps = error.place.iter().map(|place| match place {
            Place::Key(key) => key.clone(),
            Place::Index(index) => index.to_string(),
        });
        steps.collect::<Vec<_>>().join("/")
    };
    errors.iter().map(|error| (error.code, place(error), error.message.clone())).collect()
}

#[test]
fn a_criterion_that_can_never_hold_is_refused_when_its_pack_loads() {
    for (key, written, code, place, message) in [
        (
            "body.x",
            json!({"type": "exists"}),
            code::RULE_CRITERION,
            "",
            "the key `body.x` does not begin with `trigger`",
        ),
        ("triggers.x", json!({"type": "exists"}), code::RULE_CRITERION, "", "the key `triggers.x` does not begin"),
        (
            "trigger.x[*]",
            json!({"type": "exists"}),
            code::RULE_CRITERION,
            "",
            "in the key `trigger.x[*]`: only one value",
        ),
        ("trigger..x", json!({"type": "exists"}), code::RULE_CRITERION, "", "in the key `trigger..x`: only one value"),
        ("trigger.x", json!({"type": "eq"}), code::PACK_MISSING_KEY, "", "`equals` needs a `pattern`"),
        (
            "trigger.x",
            json!({"type": "regex", "pattern": "("}),
            code::RULE_CRITERION,
            "pattern",
            "`(` is not a regular",
        ),
        (
            "trigger.x",
            json!({"type": "iregex", "pattern": 5}),
            code::RULE_CRITERION,
            "pattern",
            "`iregex` needs a text",
        ),
        (
            "trigger.x",
            json!({"type": "startswith", "pattern": ["a"]}),
            code::RULE_CRITERION,
            "pattern",
            "`startswith` needs",
        ),
        (
            "trigger.x",
            json!({"type": "gt", "pattern": {"a": 1}}),
            code::RULE_CRITERION,
            "pattern",
            "`greaterthan` cannot",
        ),
        (
            "trigger.x",
            json!({"type": "td_lt", "pattern": "1h"}),
            code::RULE_CRITERION,
            "pattern",
            "a string is no number",
        ),
        (
            "trigger.x",
            json!({"type": "in", "pattern": 5}),
            code::RULE_CRITERION,
            "pattern",
            "nothing can be in a number",
        ),
        (
            "trigger.x",
            json!({"type": "eq", "pattern": "{{trigger.y}}"}),
            code::EXPR_SYNTAX,
            "pattern",
            "`{{trigger.y}}` is",
        ),
        (
            "trigger.x",
            json!({"type": "eq", "pattern": "<% 1 +"}),
            code::EXPR_UNCLOSED,
            "pattern",
            "this expression has no",
        ),
        (
            "trigger.x",
            json!({"type": "eq", "pattern": 1, "condition": "any"}),
            code::PACK_UNKNOWN_KEY,
            "condition",
            "only",
        ),
    ] {
        let found = mistakes(key, &written);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].0, found[0].1.as_str()), (code, place), "{found:?}");
        assert!(found[0].2.starts_with(message), "{found:?}");
    }
}

#[test]
fn a_search_that_is_wrong_is_refused_whole() {
    let written = json!({"type": "search", "condition": "some", "pattern": {
        "name": {"type": "eq", "pattern": 1}, "item.a": {"type": "equal", "pattern": 1}, "item.b": {"pattern": 1},
        "item.c": 7, "item.d": {"type": "eq", "pattern": 1, "patern": 1}, "item.e": {"type": "regex", "pattern": "("},
    }});
    let found = mistakes("trigger.x", &written);
    let places: Vec<_> = found.iter().map(|(code, place, _)| (*code, place.as_str())).collect();
    assert_eq!(
        places,
        [
            (code::RULE_CRITERION, "condition"),
            (code::RULE_CRITERION, "pattern/item.a/type"),
            (code::PACK_MISSING_KEY, "pattern/item.b"),
            (code::PACK_WRONG_TYPE, "pattern/item.c"),
            (code::PACK_UNKNOWN_KEY, "pattern/item.d/patern"),
            (code::RULE_CRITERION, "pattern/item.e/pattern"),
            (code::RULE_CRITERION, "pattern/name"),
        ]
    );
    for pattern in [json!({}), json!("text"), json!("<% event() %>"), json!(null)] {
        let written = json!({"type": "search", "condition": "any", "pattern": pattern});
        assert_eq!(mistakes("trigger.x", &written)[0].1, "pattern");
    }
    assert_eq!(mistakes("trigger.x", &json!({"type": "search"})).len(), 2);
}

#[test]
fn an_event_is_there_only_in_rules() {
    let expression = crate::Expression::compile("event()").unwrap();
    let message = expression.evaluate(&Frame::default()).unwrap_err().to_string();
    assert!(message.starts_with("there is no event here: `event()` belongs to rules"), "{message}");
}
