use std::collections::{BTreeMap, BTreeSet};

use runner_model::{Entropy as _, SeededEntropy, StepId};

use super::*;

fn key(policy: &str, values: &str) -> Key {
    Key { policy: policy.parse().unwrap(), values: values.to_owned() }
}

fn claim(policy: &str, values: &str, limit: Limit) -> Claim {
    Claim { key: key(policy, values), limit, refuses: false }
}

fn ticket(number: u8) -> Ticket {
    let mut bytes = [0; 16];
    bytes[15] = number;
    let unit = UnitId { step: StepId(0), item: None };
    Ticket { execution: ExecutionId::from_bytes(bytes), unit: Some(unit) }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// Who is called, by number.
fn called(line: &mut Line) -> Vec<u8> {
    line.take_called().iter().map(|id| id.as_bytes()[15]).collect()
}

#[test]
fn places_are_given_in_the_order_of_the_turns() {
    let mut line = Line::default();
    let one = || vec![claim("p.a", "", Limit::Places(1))];
    let Answer::Go(held) = line.ask(ticket(9), || at(0), one(), at(0)) else { panic!("the first goes at once") };
    for (number, since) in [(1, 30), (2, 10), (3, 20)] {
        assert_eq!(line.ask(ticket(number), || at(since), one(), at(40)), Answer::Wait);
    }
    let mut held = held;
    for expected in [2, 3, 1] {
        line.give_back(held, at(50));
        assert_eq!(called(&mut line), [expected]);
        held = match line.ask(ticket(expected), || at(0), one(), at(50)) {
            Answer::Go(keys) => keys,
            other => panic!("{other:?}"),
        };
    }
}

#[test]
fn who_waits_for_two_keys_is_not_overtaken_in_either_and_holds_neither() {
    let mut line = Line::default();
    let a = || claim("p.a", "", Limit::Places(1));
    let b = || claim("p.b", "", Limit::Places(1));
    let Answer::Go(held) = line.ask(ticket(1), || at(0), vec![a()], at(0)) else { panic!() };
    assert_eq!(line.ask(ticket(2), || at(1), vec![a(), b()], at(1)), Answer::Wait);
    assert_eq!(line.ask(ticket(3), || at(2), vec![b()], at(2)), Answer::Wait, "b is free, but 2 came first");
    called(&mut line);
    line.keep(ticket(2).execution, &BTreeSet::new(), at(3));
    assert_eq!(called(&mut line), [3], "2 is gone, and had taken nothing");
    line.give_back(held, at(4));
    assert_eq!(called(&mut line), [0; 0]);
}

#[test]
fn a_pace_lets_a_burst_through_and_then_one_in_each_interval() {
    let mut line = Line::default();
    let pace = || vec![claim("p.r", "", Limit::Pace { interval_us: 100_000, burst: 3 })];
    let mut went = Vec::new();
    for number in 0..6 {
        if matches!(line.ask(ticket(number), || at(0), pace(), at(1_000)), Answer::Go(_)) {
            went.push((number, 1_000));
        }
    }
    called(&mut line);
    while let Some(next) = line.next_time() {
        line.tick(next);
        went.extend(called(&mut line).into_iter().map(|number| (number, next.as_millis())));
    }
    assert_eq!(went, [(0, 1_000), (1, 1_000), (2, 1_000), (3, 1_100), (4, 1_200), (5, 1_300)]);
}

#[test]
fn who_is_not_to_wait_is_refused_also_when_others_wait_before_it() {
    let mut line = Line::default();
    let one = |refuses| vec![Claim { refuses, ..claim("p.a", "", Limit::Places(1)) }];
    assert!(matches!(line.ask(ticket(1), || at(0), one(true), at(0)), Answer::Go(_)));
    assert_eq!(line.ask(ticket(2), || at(1), one(true), at(1)), Answer::Refused("p.a".parse().unwrap()));
    assert_eq!(line.ask(ticket(3), || at(1), one(false), at(1)), Answer::Wait);
}

#[test]
fn while_the_line_is_closed_nobody_goes_and_then_the_first_does() {
    let mut line = Line::default();
    let one = |refuses| vec![Claim { refuses, ..claim("p.a", "", Limit::Places(1)) }];
    line.close();
    assert_eq!(line.ask(ticket(1), || at(20), one(false), at(30)), Answer::Wait);
    assert_eq!(line.ask(ticket(2), || at(10), one(false), at(30)), Answer::Wait);
    assert_eq!(line.ask(ticket(3), || at(25), one(true), at(30)), Answer::Wait);
    line.open(at(40));
    assert_eq!(called(&mut line), [2, 3]);
    assert!(matches!(line.ask(ticket(2), || at(0), one(false), at(40)), Answer::Go(_)));
    assert!(matches!(line.ask(ticket(3), || at(0), one(true), at(40)), Answer::Refused(_)));
}

#[test]
fn a_policy_that_is_gone_lets_go_and_one_with_more_places_lets_more_go() {
    let mut line = Line::default();
    let claims = |policy: &str| vec![claim(policy, "", Limit::Places(1))];
    for (number, policy) in [(1, "p.gone"), (2, "p.gone"), (3, "p.more"), (4, "p.more"), (5, "p.more")] {
        line.ask(ticket(number), || at(0), claims(policy), at(0));
    }
    called(&mut line);
    line.revise(|key| (key.policy.as_str() == "p.more").then_some(Limit::Places(2)), at(1));
    assert_eq!(called(&mut line), [2, 4]);
}

#[test]
fn an_execution_as_a_whole_stays_inside_until_it_leaves() {
    let mut line = Line::default();
    let whole = |number| Ticket { unit: None, ..ticket(number) };
    let one = || vec![claim("p.w", "", Limit::Places(1))];
    assert_eq!(line.ask(whole(1), || at(0), one(), at(0)), Answer::Go(vec![]));
    assert_eq!(line.ask(whole(2), || at(0), one(), at(0)), Answer::Wait);
    line.keep(whole(1).execution, &BTreeSet::new(), at(1));
    assert_eq!(line.ask(whole(1), || at(0), one(), at(1)), Answer::Go(vec![]), "it is inside all the time");
    called(&mut line);
    line.leave(whole(1).execution, at(2));
    assert_eq!(called(&mut line), [2]);
}

/// Random askers with random claims: never too many at once, first come first served for each key, everybody goes.
#[test]
fn nobody_overtakes_nobody_starves_and_there_are_never_too_many() {
    for seed in 0..100 {
        let entropy = SeededEntropy::new(seed);
        let draw = |below: u8| entropy.ten_bytes()[0] % below;
        let policies = [("p.a", 1), ("p.b", 2), ("p.c", 3)];
        let mut line = Line::default();
        let mut claims: BTreeMap<Ticket, Vec<Claim>> = BTreeMap::new();
        let mut order: Vec<Ticket> = Vec::new();
        let mut inside: BTreeMap<Ticket, Vec<Key>> = BTreeMap::new();
        let mut went = BTreeSet::new();
        let mut now = 0;
        while went.len() < 100 {
            now += 1;
            if order.len() < 100 && draw(2) == 0 {
                let ticket = ticket(u8::try_from(order.len()).unwrap());
                let mask = draw(7) + 1;
                let wanted = policies.iter().enumerate().filter(|(bit, _)| mask & (1 << bit) != 0);
                let wanted: Vec<_> =
                    wanted.map(|(_, (policy, places))| claim(policy, "", Limit::Places(*places))).collect();
                claims.insert(ticket, wanted);
                order.push(ticket);
                let answer = line.ask(ticket, || at(now), claims[&ticket].clone(), at(now));
                goes(&line, answer, ticket, &claims, &order, &mut went, &mut inside);
            }
            let leaver = inside.keys().nth(usize::from(draw(4))).copied();
            if let Some(keys) = leaver.and_then(|leaver| inside.remove(&leaver)) {
                line.give_back(keys, at(now));
            }
            for id in line.take_called() {
                let ticket = *order.iter().find(|ticket| ticket.execution == id).unwrap();
                if !went.contains(&ticket) {
                    let answer = line.ask(ticket, || at(now), claims[&ticket].clone(), at(now));
                    goes(&line, answer, ticket, &claims, &order, &mut went, &mut inside);
                }
            }
            assert!(now < 10_000, "seed {seed}: only {} went", went.len());
        }
        assert!(line.queues.is_empty() && line.is_empty(), "seed {seed}");
    }
}

fn goes(
    line: &Line,
    answer: Answer,
    ticket: Ticket,
    claims: &BTreeMap<Ticket, Vec<Claim>>,
    order: &[Ticket],
    went: &mut BTreeSet<Ticket>,
    inside: &mut BTreeMap<Ticket, Vec<Key>>,
) {
    let Answer::Go(keys) = answer else { return };
    inside.insert(ticket, keys);
    for claim in &claims[&ticket] {
        let Limit::Places(places) = claim.limit else { unreachable!() };
        let taken = inside.values().filter(|keys| keys.contains(&claim.key)).count();
        assert!(taken <= places as usize, "{taken} at once");
        let before = order.iter().take_while(|other| **other != ticket);
        let same = |other: &&Ticket| claims[other].iter().any(|theirs| theirs.key == claim.key);
        let overtaken = before.filter(same).find(|other| matches!(line.stands.get(other), Some(Stand::Waiting(..))));
        assert!(overtaken.is_none(), "{ticket:?} overtakes {overtaken:?}");
    }
    went.insert(ticket);
}

fn whole(number: u8) -> ExecutionId {
    ticket(number).execution
}

/// Execution `number`, inside of `around`, asks for places of these policies, of which there is one each.
fn enters(line: &mut Line, number: u8, around: &[u8], policies: &[&str]) -> Answer {
    let claims = policies.iter().map(|policy| claim(policy, "", Limit::Places(1))).collect();
    let around = around.iter().map(|number| whole(*number)).collect();
    line.ask_within(whole(number), around, at(i64::from(number)), claims, at(100))
}

#[test]
fn a_circle_of_any_length_is_untied_by_its_youngest() {
    for length in 2..=9 {
        let mut line = Line::default();
        let policy = |number: u8| format!("p.n{}", number % length);
        for outer in 0..length {
            assert_eq!(enters(&mut line, outer, &[], &[&policy(outer)]), Answer::Go(vec![]));
        }
        // Somebody who only waits in line, though younger, is none of it.
        assert_eq!(enters(&mut line, 99, &[], &[&policy(0)]), Answer::Wait);
        for inner in 1..length {
            assert_eq!(enters(&mut line, 10 + inner, &[inner], &[&policy(inner + 1)]), Answer::Wait);
        }
        // The last one to ask is not the youngest.
        assert_eq!(enters(&mut line, 10, &[0], &[&policy(1)]), Answer::Wait);
        let youngest = 10 + length - 1;
        assert_eq!(called(&mut line), [youngest], "{length}");
        let knotted = enters(&mut line, youngest, &[length - 1], &[&policy(length)]);
        assert_eq!(knotted, Answer::Knotted("p.n0".parse().unwrap()));
        // What is inside of nothing that is wanted is left alone, whatever it waits for.
        assert_eq!(enters(&mut line, 60, &[50], &[&policy(0)]), Answer::Wait);
        line.leave(whole(length - 1), at(200));
        assert_eq!(called(&mut line), [10 + length - 2], "the others go on");
    }
}

#[test]
fn nobody_is_refused_as_long_as_one_of_the_places_comes_free() {
    let mut line = Line::default();
    let two = |line: &mut Line, number: u8, around: &[u8], policy: &str| {
        let around = around.iter().map(|number| whole(*number)).collect();
        let claims = vec![claim(policy, "", Limit::Places(2))];
        line.ask_within(whole(number), around, at(i64::from(number)), claims, at(100))
    };
    for number in [1, 2] {
        assert_eq!(two(&mut line, number, &[], "p.a"), Answer::Go(vec![]));
        assert_eq!(two(&mut line, number + 2, &[], "p.b"), Answer::Go(vec![]));
    }
    assert_eq!(two(&mut line, 11, &[1], "p.b"), Answer::Wait);
    assert_eq!(two(&mut line, 13, &[3], "p.a"), Answer::Wait);
    assert_eq!(two(&mut line, 14, &[4], "p.a"), Answer::Wait, "2 has nobody inside, and ends");
    assert_eq!(called(&mut line), [0; 0]);
    assert_eq!(two(&mut line, 12, &[2], "p.b"), Answer::Wait);
    assert_eq!(called(&mut line), [14], "now nobody ends");
}
