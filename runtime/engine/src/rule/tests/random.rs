//! Whatever is written and whatever comes, nothing is harmed.

use proptest::prelude::*;

use super::*;

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0..5_i64).prop_map(Value::from),
        "[a-c]{0,3}".prop_map(Value::from),
        r"[\[\]!*?a-c\\^(){}|+.-]{0,8}".prop_map(Value::from),
        r"\PC{0,8}".prop_map(Value::from),
        Just(json!("2026-11-21T10:45:55Z")),
        Just(json!("<% event() %>")),
        Just(json!("<% event().a %>")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c]|item(\\.[a-c])?", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => r"trigger(\.[a-c]|\[[0-3]\]|\['[a-c]'\]){0,3}(#[a-z]?)?",
        1 => r"trigger[\[\]'.*#a-c0-9]{0,12}",
        1 => r"\PC{0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn no_criterion_and_no_event_does_harm(
        key in key(),
        operator in prop::sample::select(Operator::ALL.to_vec()),
        pattern in prop::option::of(value()),
        condition in prop::option::of(prop::sample::select(vec!["all", "any", "all2any", "any2any", "some"])),
        payload in value(),
    ) {
        match Criterion::compile(&key, operator, pattern.as_ref(), condition) {
            Err(errors) => prop_assert!(!errors.is_empty()),
            Ok(criterion) => {
                let occasion = occasion(payload);
                let judged = criterion.judge(&occasion.payload, &View::of(&occasion));
                prop_assert!(!(judged.passed && judged.why.is_some()));
                let plan = RulePlan {
                    criteria: vec![criterion],
                    when: None,
                    parameters: Template::literal(json!({})),
                    once: None,
                };
                let matched = judged.passed && !is_empty(&occasion.payload);
                prop_assert_eq!(plan.examine(&occasion).matched, matched);
                prop_assert_eq!(plan.matches(&occasion), Ok(matched));
            }
        }
    }

    #[test]
    fn an_operator_and_its_opposite_never_hold_together(value in value(), pattern in value()) {
        let now = NOW.parse().unwrap();
        let holds = |operator| decide::holds(operator, &value, &pattern, None, now);
        for (one, other) in [
            (Operator::Contains, Operator::NContains), (Operator::IContains, Operator::INContains),
            (Operator::Inside, Operator::NInside), (Operator::LessThan, Operator::GreaterThan),
            (Operator::TimediffLt, Operator::TimediffGt), (Operator::Exists, Operator::NExists),
        ] {
            let (one, other) = (holds(one), holds(other));
            prop_assert_eq!(one.is_err(), other.is_err());
            prop_assert!(!(one == Ok(true) && other == Ok(true)));
        }
        prop_assert_eq!(holds(Operator::Equals) == Ok(true), !pattern.is_null() && holds(Operator::NEquals) == Ok(false));
    }
}
