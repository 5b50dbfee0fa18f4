use proptest::prelude::*;

use super::*;

/// Texts of the characters that expressions are made of, and of any others.
fn expression() -> impl Strategy<Value = String> {
    let field = prop_oneof![
        4 => "[0-9]{1,2}",
        4 => Just("*".to_owned()),
        2 => r"\*/[0-9]{1,5}",
        2 => "[0-9]{1,2}-[0-9]{1,2}(/[0-9]{1,2})?",
        2 => "[0-9]{1,2}(,[0-9]{1,2}){0,3}",
        1 => "(MON|tue|JAN|dec|SUN)(-(FRI|feb))?",
        1 => "(L|[0-9]{1,2}W|LW|[0-9]L|[0-9]#[0-9L])",
        1 => r"[-0-9*/,?#LWa-z+@]{0,6}",
        1 => r"\PC{0,6}",
    ];
    prop_oneof![
        8 => prop::collection::vec(field, 4..8).prop_map(|fields| fields.join(" ")),
        1 => "@[a-z]{0,8}",
        1 => r"\PC{0,40}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_expression_does_harm_and_what_is_read_goes_forward(
        expression in expression(),
        zone in prop::sample::select(vec!["UTC", "Europe/London", "Australia/Lord_Howe", "America/Nuuk", "nowhere"]),
        moment in prop_oneof![3 => 0..4_000_000_000_000_i64, 1 => any::<i64>()],
    ) {
        match Cron::parse(&expression, zone) {
            Err(error) => {
                prop_assert!(!error.message.is_empty());
                prop_assert!(error.offset.is_none_or(|offset| expression.is_char_boundary(offset)));
            }
            Ok(cron) => {
                let (mut last, schedule) = (Timestamp::from_millis(moment), Schedule::Cron(cron));
                for next in schedule.between(last, Timestamp::from_millis(i64::MAX), 5) {
                    prop_assert!(next > last);
                    prop_assert_eq!(next.as_millis() % 1000, 0);
                    last = next;
                }
            }
        }
    }

    #[test]
    fn no_date_does_harm(text in r"[-0-9T:Z+ .]{0,30}|\PC{0,30}", zone in r"[A-Za-z/_]{0,20}") {
        let _ = Schedule::date(&text, "Europe/London");
        let _ = Schedule::date(&text, &zone);
    }

    #[test]
    fn an_interval_goes_forward(every_ms in any::<i64>(), start in any::<Option<i64>>(), moment in any::<i64>()) {
        let schedule = Schedule::Interval { every_ms, start: start.map(Timestamp::from_millis) };
        let moment = Timestamp::from_millis(moment);
        if let Some(next) = schedule.next_after(moment) {
            prop_assert!(next > moment);
            let earlier = next.as_millis().checked_sub(every_ms).is_some_and(|before| before > moment.as_millis());
            prop_assert!(!earlier || start.is_some_and(|start| start == next.as_millis()));
        }
    }
}
