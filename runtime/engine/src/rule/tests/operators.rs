//! Every operator under every name: what holds, what does not, and what cannot be decided.

use super::*;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Says {
    Yes,
    No,
    /// It does not hold, and says why that could not be decided.
    Cannot,
}
use Says::{Cannot, No, Yes};

/// The operator, the value (null: the event has none), the pattern.
fn cases() -> Vec<(&'static str, Value, Value, Says)> {
    vec![
        ("matchwildcard", json!("v1"), json!("v?"), Yes),
        ("matchwildcard", json!("test foo test"), json!("foo"), No),
        ("matchwildcard", json!("V1"), json!("v*"), No),
        ("matchwildcard", json!(1), json!("*"), Cannot),
        ("matchwildcard", json!(null), json!("*"), Cannot),
        ("matchwildcard", json!("v1"), json!(null), No),
        ("matchregex", json!("v1"), json!("v1$"), Yes),
        ("matchregex", json!("foo\nponies\nbar"), json!(".*ponies.*"), Yes),
        ("matchregex", json!("a v1"), json!("v1"), No),
        ("matchregex", json!("bar"), json!("foo|bar"), Yes),
        ("matchregex", json!("xbar"), json!("foo|bar"), No),
        ("matchregex", json!(null), json!("v"), Cannot),
        ("matchregex", json!("v1"), json!(null), No),
        ("regex", json!("apple unicorns"), json!("(ponies|unicorns)"), Yes),
        ("regex", json!("apple unicorns"), json!("Unicorns"), No),
        ("regex", json!("a\nb"), json!("a.b"), No),
        ("regex", json!(null), json!("v"), Cannot),
        ("regex", json!(["v"]), json!("v"), Cannot),
        ("regex", json!("v1"), json!(null), No),
        ("iregex", json!("fooPONIESbar"), json!("ponies"), Yes),
        ("iregex", json!("V1_foo"), json!("v1$"), No),
        ("iregex", json!(null), json!("v"), Cannot),
        ("iregex", json!("1"), json!(null), No),
        ("equals", json!(1), json!(1), Yes),
        ("equals", json!(1), json!(1.0), Yes),
        ("equals", json!(true), json!(1), Yes),
        ("equals", json!("1"), json!(1), No),
        ("equals", json!("True"), json!(true), No),
        ("equals", json!(u64::MAX), json!(-1), No),
        ("equals", json!({"a": [1, 2.0]}), json!({"a": [1.0, 2]}), Yes),
        ("equals", json!({"a": 1}), json!({"a": 1, "b": 2}), No),
        ("equals", json!(["v1", 1]), json!(["v1"]), No),
        ("equals", json!(""), json!(""), Yes),
        ("equals", json!(null), json!("x"), No),
        ("equals", json!("1"), json!(null), No),
        ("equals", json!(null), json!(null), No),
        ("nequals", json!("foo"), json!("FOO"), Yes),
        ("nequals", json!("foo"), json!("foo"), No),
        ("nequals", json!("True"), json!(true), Yes),
        ("nequals", json!(null), json!("x"), Yes),
        ("nequals", json!("None"), json!(null), Yes),
        ("nequals", json!(null), json!(null), No),
        ("iequals", json!("AbC"), json!("aBc"), Yes),
        ("iequals", json!("ABC"), json!("BCA"), No),
        ("iequals", json!(1), json!("1"), Cannot),
        ("iequals", json!(null), json!("x"), Cannot),
        ("iequals", json!("1"), json!(null), No),
        ("contains", json!("haystackneedle"), json!("needle"), Yes),
        ("contains", json!("haystack"), json!("Hay"), No),
        ("contains", json!(["a", 1]), json!(1.0), Yes),
        ("contains", json!(["a", 1]), json!("b"), No),
        ("contains", json!([["a"]]), json!(["a"]), Yes),
        ("contains", json!({"a": 1}), json!("a"), Yes),
        ("contains", json!({"a": 1}), json!("b"), No),
        ("contains", json!({"a": 1}), json!(["a"]), Cannot),
        ("contains", json!("1"), json!(1), Cannot),
        ("contains", json!(1), json!("1"), Cannot),
        ("contains", json!(null), json!("x"), Cannot),
        ("contains", json!("1"), json!(null), No),
        ("ncontains", json!("haystack"), json!("needle"), Yes),
        ("ncontains", json!("needle"), json!("need"), No),
        ("ncontains", json!(["a"]), json!("b"), Yes),
        ("ncontains", json!(null), json!("x"), Cannot),
        ("ncontains", json!("1"), json!(null), No),
        ("icontains", json!("HAYstackNEEDLE"), json!("stackneedle"), Yes),
        ("icontains", json!("haystack"), json!("needle"), No),
        ("icontains", json!(["A"]), json!("a"), Cannot),
        ("icontains", json!(null), json!("x"), Cannot),
        ("icontains", json!("1"), json!(null), No),
        ("incontains", json!("haystack"), json!("NEEDLE"), Yes),
        ("incontains", json!("Needle"), json!("nEED"), No),
        ("incontains", json!(null), json!("x"), Cannot),
        ("incontains", json!("1"), json!(null), No),
        ("startswith", json!("hay needle"), json!("hay"), Yes),
        ("startswith", json!("a hay"), json!("hay"), No),
        ("startswith", json!(null), json!("x"), Cannot),
        ("startswith", json!("1"), json!(null), No),
        ("istartswith", json!("HAY needle"), json!("hay"), Yes),
        ("istartswith", json!("a hay"), json!("HAY"), No),
        ("istartswith", json!(null), json!("x"), Cannot),
        ("istartswith", json!("1"), json!(null), No),
        ("endswith", json!("hay needle"), json!("needle"), Yes),
        ("endswith", json!("hay needle"), json!("Needle"), No),
        ("endswith", json!(null), json!("x"), Cannot),
        ("endswith", json!("1"), json!(null), No),
        ("iendswith", json!("hay NEEDLE"), json!("needle"), Yes),
        ("iendswith", json!("hay needle"), json!("hay"), No),
        ("iendswith", json!(null), json!("x"), Cannot),
        ("iendswith", json!("1"), json!(null), No),
        ("lessthan", json!(1), json!(1.5), Yes),
        ("lessthan", json!(1), json!(1), No),
        ("lessthan", json!(-1), json!(u64::MAX), Yes),
        ("lessthan", json!("aba"), json!("bcb"), Yes),
        ("lessthan", json!([1, "b"]), json!([1, "c"]), Yes),
        ("lessthan", json!([1]), json!([1, 2]), Yes),
        ("lessthan", json!([1, "b"]), json!(["x"]), Cannot),
        ("lessthan", json!("1"), json!(2), Cannot),
        ("lessthan", json!({}), json!(2), Cannot),
        ("lessthan", json!(null), json!(2), Cannot),
        ("lessthan", json!("1"), json!(null), No),
        ("greaterthan", json!(2), json!(1), Yes),
        ("greaterthan", json!(1), json!(0), Yes),
        ("greaterthan", json!(2), json!(3), No),
        ("greaterthan", json!("b"), json!("a"), Yes),
        ("greaterthan", json!(null), json!(0), Cannot),
        ("greaterthan", json!("1"), json!(null), No),
        ("timediff_lt", json!("2026-11-21T10:45:55Z"), json!(10), Yes),
        ("timediff_lt", json!("2026-11-21T11:45:55+01:00"), json!("10"), Yes),
        ("timediff_lt", json!("2026-11-21 10:45:55"), json!(4.5), No),
        ("timediff_lt", json!("2014-07-01T00:01:01.000000"), json!(10), No),
        ("timediff_lt", json!("2030-01-01"), json!(10), Yes),
        ("timediff_lt", json!("Sat, 21 Nov 2026 10:45:55 GMT"), json!(10), Yes),
        ("timediff_lt", json!("yesterday"), json!(10), Cannot),
        ("timediff_lt", json!(1_795_257_960), json!(10), Cannot),
        ("timediff_lt", json!(null), json!(10), Cannot),
        ("timediff_lt", json!("2014-07-01"), json!(null), No),
        ("timediff_gt", json!("2014-07-01T00:01:01.000000"), json!(1), Yes),
        ("timediff_gt", json!("2026-11-21T10:45:55Z"), json!(5), No),
        ("timediff_gt", json!("2026-11-21T10:45:55Z"), json!(4.999), Yes),
        ("timediff_gt", json!(null), json!(10), Cannot),
        ("timediff_gt", json!("2014-07-01"), json!(null), No),
        ("exists", json!(false), json!(null), Yes),
        ("exists", json!(""), json!("whatever"), Yes),
        ("exists", json!(null), json!(null), No),
        ("nexists", json!(null), json!(null), Yes),
        ("nexists", json!(0), json!(null), No),
        ("inside", json!("a"), json!("abc"), Yes),
        ("inside", json!("a"), json!("bcd"), No),
        ("inside", json!(1), json!(["a", 1.0]), Yes),
        ("inside", json!(1), json!(["1"]), No),
        ("inside", json!("a"), json!({"a": 1}), Yes),
        ("inside", json!(null), json!(["a"]), No),
        ("inside", json!(null), json!("abc"), Cannot),
        ("inside", json!(1), json!("1"), Cannot),
        ("inside", json!("a"), json!(null), No),
        ("ninside", json!("a"), json!("bcd"), Yes),
        ("ninside", json!("a"), json!(["a"]), No),
        ("ninside", json!(null), json!(["a"]), Yes),
        ("ninside", json!(null), json!("abc"), Cannot),
        ("ninside", json!("a"), json!(null), No),
    ]
}

fn says(judged: &Judged) -> Says {
    match (judged.passed, &judged.why) {
        (true, None) => Yes,
        (false, None) => No,
        (false, Some(_)) => Cannot,
        (true, Some(why)) => panic!("it holds, and says {why}"),
    }
}

#[test]
fn every_operator_says_under_each_of_its_names_what_it_says_in_stackstorm() {
    let mut seen = std::collections::BTreeMap::<_, Vec<Says>>::new();
    for (operator, value, pattern, expected) in cases() {
        for name in Operator::parse(operator).unwrap().names() {
            let written = json!({"type": name, "pattern": pattern});
            // A literal pattern, compiled when the pack loads, and the same one from an expression.
            let judged = judge("trigger.body.x", &written, json!({"body": {"x": value}, "p": pattern}));
            assert_eq!(says(&judged), expected, "{name}: {value} {pattern}: {judged:?}");
            let written = json!({"type": name, "pattern": "<% event().p %>"});
            let judged = judge("trigger.body.x", &written, json!({"body": {"x": value}, "p": pattern}));
            assert_eq!(says(&judged), expected, "{name}, from an expression: {value} {pattern}: {judged:?}");
        }
        seen.entry(operator).or_default().push(expected);
    }
    for operator in Operator::ALL.iter().filter(|operator| **operator != Operator::Search) {
        let seen = &seen[operator.as_str()];
        assert!(seen.contains(&Yes) && seen.contains(&No), "{operator} is not tried");
    }
}

#[test]
fn all_of_stackstorms_names_are_known_whatever_their_case() {
    let names = "matchwildcard matchregex regex iregex eq equals nequals neq ieq iequals contains icontains ncontains \
                 incontains startswith istartswith endswith iendswith lt lessthan gt greaterthan td_lt timediff_lt td_gt \
                 timediff_gt exists nexists inside in ninside nin search";
    for name in names.split_whitespace() {
        let operator = Operator::parse(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(Operator::parse(&name.to_uppercase()), Some(operator));
        assert!(operator.names().contains(&name));
        assert_eq!(Operator::parse(operator.as_str()), Some(operator));
        assert!(Operator::ALL.contains(&operator));
    }
    let known: usize = Operator::ALL.iter().map(|operator| operator.names().len()).sum();
    assert_eq!(known, names.split_whitespace().count());
    assert_eq!(Operator::parse("weird"), None);
    let without: Vec<_> = Operator::ALL.iter().filter(|operator| !operator.needs_pattern()).collect();
    assert_eq!(without, [&Operator::Exists, &Operator::NExists]);
}

fn fields() -> Value {
    json!({"fields": [
        {"name": "Status", "to": "Approved", "size": 45},
        {"name": "Signed off by", "to": "Stanley", "size": 7},
    ]})
}

#[test]
fn search_looks_at_the_members_of_a_list_as_its_condition_says() {
    let is = |key: &str, operator: &str, pattern: Value| json!({key: {"type": operator, "pattern": pattern}});
    let both = |name: &str, to: &str| json!({"item.name": {"type": "equals", "pattern": name}, "item.to": {"type": "eq", "pattern": to}});
    for (condition, pattern, expected) in [
        ("any", both("Status", "Approved"), true),
        ("any", both("Status", "Stanley"), false),
        ("all", both("Status", "Approved"), false),
        ("all", is("item.name", "startswith", json!("S")), true),
        ("all", is("item.size", "gt", json!(10)), false),
        ("any2any", both("Status", "nobody"), true),
        ("any2any", both("nothing", "nobody"), false),
        ("all2any", both("Status", "Stanley"), true),
        ("all2any", both("Status", "Approved"), false),
        // The same value twice: what follows on `#` tells the keys apart.
        (
            "any",
            json!({"item.size": {"type": "gt", "pattern": 40}, "item.size#2": {"type": "lt", "pattern": 50}}),
            true,
        ),
        (
            "any",
            json!({"item.size": {"type": "gt", "pattern": 45}, "item.size#2": {"type": "lt", "pattern": 50}}),
            false,
        ),
    ] {
        let written = json!({"type": "search", "condition": condition, "pattern": pattern});
        let judged = judge("trigger.fields", &written, fields());
        assert_eq!(judged.passed, expected, "{written}: {judged:?}");
        assert_eq!(judged.pattern.as_ref(), Some(&pattern));
    }
}

#[test]
fn search_takes_a_map_for_a_list_of_one_and_an_empty_list_for_what_it_is() {
    let written = |condition: &str| json!({"type": "search", "condition": condition, "pattern": {"item.a": {"type": "equals", "pattern": 1}}});
    assert!(judge("trigger.x", &written("all"), json!({"x": {"a": 1}})).passed);
    assert!(!judge("trigger.x", &written("any"), json!({"x": {"a": 2}})).passed);
    for (condition, passed) in [("all", true), ("all2any", true), ("any", false), ("any2any", false)] {
        assert_eq!(judge("trigger.x", &written(condition), json!({"x": []})).passed, passed, "{condition}");
    }
    for (payload, why) in [
        (json!({"y": 1}), "`search` looks into a list, and the event has no such value"),
        (json!({"x": "text"}), "`search` looks into a list, not a string"),
        (json!({"x": 7}), "`search` looks into a list, not a number"),
    ] {
        assert_eq!(judge("trigger.x", &written("any"), payload).why.as_deref(), Some(why));
    }
}

#[test]
fn search_says_what_could_not_be_decided_only_if_it_does_not_hold() {
    let written = json!({"type": "search", "condition": "any", "pattern": {"item.a": {"type": "gt", "pattern": 1}}});
    assert_eq!(judge("trigger.x", &written, json!({"x": [{"b": 1}, {"a": 2}]})).why, None);
    let judged = judge("trigger.x", &written, json!({"x": [{"b": 1}, {"a": 0}]}));
    assert!(!judged.passed);
    assert!(judged.why.unwrap().starts_with("item.a: `greaterthan` cannot compare nothing"));
}

#[test]
fn searches_can_stand_in_one_another() {
    let inner =
        json!({"type": "search", "condition": "any", "pattern": {"item": {"type": "equals", "pattern": "down"}}});
    let written = json!({"type": "search", "condition": "all", "pattern": {"item.ports": inner}});
    let payload = |second: &str| json!({"nodes": [{"ports": ["up", "down"]}, {"ports": ["up", second]}]});
    assert!(!judge("trigger.nodes", &written, payload("up")).passed, "a text is no list of members");
    let inner = json!({"type": "contains", "pattern": "down"});
    let written = json!({"type": "search", "condition": "all", "pattern": {"item.ports": inner}});
    assert!(judge("trigger.nodes", &written, payload("down")).passed);
    let inner =
        json!({"type": "search", "condition": "any", "pattern": {"item.state": {"type": "eq", "pattern": "down"}}});
    let written = json!({"type": "search", "condition": "all", "pattern": {"item.ports": inner}});
    let payload = |state: &str| json!({"nodes": [{"ports": [{"state": "down"}]}, {"ports": [{"state": state}]}]});
    assert!(judge("trigger.nodes", &written, payload("down")).passed);
    assert!(!judge("trigger.nodes", &written, payload("up")).passed);
}

#[test]
fn a_key_leads_to_a_value_in_each_of_its_forms() {
    let payload = json!({"body": {"name": "vol1", "list": [{"id": 7}]}, "headers": {"X-Y": "z"}, "a": {"b": [5]}});
    for (key, found) in [
        ("trigger.body.name", Some(json!("vol1"))),
        ("trigger.body.name#1", Some(json!("vol1"))),
        ("trigger.headers['X-Y']", Some(json!("z"))),
        ("trigger.headers.X-Y", Some(json!("z"))),
        ("trigger['a'].b[0]", Some(json!(5))),
        ("trigger[\"body\"]['list'][0].id", Some(json!(7))),
        ("trigger.body.nothing", None),
        ("trigger.body.name.nothing", None),
        ("trigger", Some(payload.clone())),
    ] {
        let judged = judge(key, &json!({"type": "exists"}), payload.clone());
        assert_eq!((judged.found, judged.passed), (found.clone(), found.is_some()), "{key}");
        assert_eq!(judged.key, key);
    }
}

#[test]
fn a_pattern_can_be_an_expression_over_the_event_and_the_configuration() {
    let payload = json!({"used": 95, "name": "vol_eu", "owner": "vol_eu"});
    for (key, written, passed) in [
        ("trigger.used", json!({"type": "gt", "pattern": "<% config(\"limit\") %>"}), true),
        ("trigger.name", json!({"type": "endswith", "pattern": "_<% config(\"region\") %>"}), true),
        ("trigger.name", json!({"type": "eq", "pattern": "<% event(\"owner\") %>"}), true),
        ("trigger.name", json!({"type": "in", "pattern": ["x", "<% event().owner %>"]}), true),
        ("trigger.name", json!({"type": "regex", "pattern": "^<% event().owner %>$"}), true),
        ("trigger.name", json!({"type": "regex", "pattern": "^<% event().owner %>x$"}), false),
    ] {
        let judged = judge(key, &written, payload.clone());
        assert_eq!((judged.passed, judged.why), (passed, None), "{written}");
    }
    let judged = judge("trigger.used", &json!({"type": "gt", "pattern": "<% event().nothing %>"}), payload);
    assert!(!judged.passed && judged.pattern.is_none());
    assert!(judged.why.unwrap().starts_with("there is no `nothing` in the map"));
}

#[test]
fn what_an_event_brings_is_never_evaluated() {
    let hostile = "<% config(\"region\") %>";
    let judged = judge("trigger.x", &json!({"type": "eq", "pattern": "<% event().x %>"}), json!({"x": hostile}));
    assert!(judged.passed);
    assert_eq!(judged.pattern, Some(json!(hostile)));
}
