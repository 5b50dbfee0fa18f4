//! Events: recorded once with what goes with them, matched, settled, listed; ends that are announced.

use runner_model::{Entry, Event, EventId, Fact, Failure, MatchState, Status, code, limits};
use runner_store::{Advance, Append, EventFilter, Expiry, NewEvent, Once, Recorded, Store, StoreError};
use serde_json::{Value, json};

use crate::given::{
    append, append_at, at, event, event_id, finished, id, new, node, noise, plain, requested, rule, scheduled,
};

async fn record(store: &dyn Store, event: Event) -> Recorded {
    one(store.record(vec![plain(event)], vec![]).await.unwrap())
}

fn one(recorded: Vec<Recorded>) -> Recorded {
    let [one] = <[Recorded; 1]>::try_from(recorded).unwrap();
    one
}

fn once(name: &str, key: &str, until: i64) -> Once {
    Once { rule: rule(name), key: key.to_owned(), until: at(until) }
}

fn ids(events: &[Event]) -> Vec<EventId> {
    events.iter().map(|event| event.id).collect()
}

pub(crate) async fn an_event_comes_back_as_it_was_recorded(store: &dyn Store) {
    let mut full = event(1, Some("delivery"), &["b", "a"]);
    full.trace_parent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
    full.payload = json!({"float": 0.1 + 0.2, "big": u64::MAX, "nested": [[{"a": null}]]});
    full.matches[1].state = MatchState::Queued;
    assert_eq!(record(store, full.clone()).await, Recorded::New(full.clone()));
    assert_eq!(store.event(event_id(1)).await, Ok(full));
    let empty = Event { chain: 0, payload: Value::Null, ..event(2, None, &[]) };
    record(store, empty.clone()).await;
    assert_eq!(store.event(event_id(2)).await, Ok(empty));
    assert_eq!(store.event(event_id(3)).await, Err(StoreError::NoEvent));
    assert_eq!(store.record(vec![], vec![]).await, Ok(vec![]));
}

pub(crate) async fn the_same_delivery_is_recorded_once(store: &dyn Store) {
    let first = event(1, Some("delivery"), &["a"]);
    record(store, first.clone()).await;
    store.settle(event_id(1), &rule("a"), MatchState::Started).await.unwrap();
    let mut known = first;
    known.matches[0].state = MatchState::Started;
    let again = event(2, Some("delivery"), &["a", "b"]);
    assert_eq!(record(store, again.clone()).await, Recorded::Known(known));
    assert_eq!(store.event(event_id(2)).await, Err(StoreError::NoEvent));
    // Of another source, of another trigger, with another key it is another one.
    let others = [
        Event { id: event_id(3), source: "gitlab".into(), ..again.clone() },
        Event { id: event_id(4), trigger: "core.cron".parse().unwrap(), ..again.clone() },
        Event { id: event_id(5), key: Some("delivery ".into()), ..again },
    ];
    for other in others {
        assert_eq!(record(store, other.clone()).await, Recorded::New(other));
    }
    // Two in one call, too.
    let pair = [6, 7].map(|number| plain(event(number, Some("pair"), &[])));
    let expected = vec![Recorded::New(pair[0].event.clone()), Recorded::Known(pair[0].event.clone())];
    assert_eq!(store.record(pair.to_vec(), vec![]).await, Ok(expected));
}

pub(crate) async fn events_without_a_key_are_all_different(store: &dyn Store) {
    for number in 1..=3 {
        let event = event(number, None, &[]);
        assert_eq!(record(store, event.clone()).await, Recorded::New(event));
    }
    assert_eq!(store.events(&EventFilter::default(), None, 9).await.unwrap().len(), 3);
}

pub(crate) async fn an_event_that_is_recorded_once_more_is_known(store: &dyn Store) {
    let first = event(1, None, &["a"]);
    record(store, first.clone()).await;
    assert_eq!(record(store, event(1, None, &["a", "b"])).await, Recorded::Known(first.clone()));
    assert_eq!(record(store, event(1, Some("k"), &[])).await, Recorded::Known(first));
}

pub(crate) async fn large_payloads_and_parameters_come_back_as_they_were(store: &dyn Store) {
    let bytes = limits::RESULT_INLINE_BYTES_MAX;
    for (number, size) in [(1, bytes - 50), (2, bytes), (3, bytes * 3)] {
        let mut large = event(number, None, &["a", "b", "c"]);
        large.payload = json!({"text": noise(1, size)});
        large.matches[0].parameters.insert("payload".into(), large.payload.clone());
        large.matches[2].parameters.insert("other".into(), json!(noise(7, size)));
        assert_eq!(record(store, large.clone()).await, Recorded::New(large.clone()));
        assert_eq!(store.event(event_id(number)).await, Ok(large));
    }
}

pub(crate) async fn an_event_that_cannot_be_read_again_is_refused_with_everything_beside_it(store: &dyn Store) {
    let mut deep = event(2, None, &[]);
    deep.payload = (0..1_000).fold(Value::Null, |inner, _| json!([inner]));
    let advance = vec![Advance::Mark { name: "m".into(), value: "1".into() }];
    let refused = store.record(vec![plain(event(1, None, &[])), plain(deep)], advance).await;
    assert!(matches!(refused, Err(StoreError::Illegal { .. })), "{refused:?}");
    assert_eq!((store.event(event_id(1)).await, store.mark("m").await), (Err(StoreError::NoEvent), Ok(None)));
    let deepest = (0..limits::JSON_DEPTH_MAX).fold(Value::Null, |inner, _| json!([inner]));
    let allowed = Event { payload: deepest, ..event(3, None, &[]) };
    record(store, allowed.clone()).await;
    assert_eq!(store.event(event_id(3)).await, Ok(allowed));
}

pub(crate) async fn a_rule_matches_an_event_once(store: &dyn Store) {
    let refused = store.record(vec![plain(event(1, None, &["a", "b", "a"]))], vec![]).await;
    assert!(matches!(refused, Err(StoreError::Illegal { .. })), "{refused:?}");
    assert_eq!(store.event(event_id(1)).await, Err(StoreError::NoEvent));
}

pub(crate) async fn a_key_of_a_rule_holds_back_its_next_match_until_it_expires(store: &dyn Store) {
    let with = |number: u128, once: Vec<Once>| NewEvent { event: event(number, None, &["a", "b"]), once };
    let states = |recorded: Recorded| {
        let Recorded::New(event) = recorded else { panic!("{recorded:?} is not new") };
        event.matches.into_iter().map(|found| found.state.as_str()).collect::<Vec<_>>()
    };
    let cases = [
        (with(1, vec![once("a", "k", 10)]), ["pending", "pending"]),
        (with(2, vec![once("a", "k", 99)]), ["skipped", "pending"]),
        (with(3, vec![once("a", "l", 99)]), ["pending", "pending"]),
        (with(4, vec![once("b", "k", 99)]), ["pending", "pending"]),
        // What was held back did not make the key last longer.
        (with(10, vec![once("a", "k", 20)]), ["pending", "pending"]),
        (with(11, vec![once("a", "k", 20), once("b", "k", 20)]), ["skipped", "skipped"]),
        // Of a rule that did not match nothing is kept.
        (with(12, vec![once("c", "k", 99)]), ["pending", "pending"]),
    ];
    for (new, expected) in cases {
        let number = new.event.id;
        assert_eq!(states(one(store.record(vec![new.clone()], vec![]).await.unwrap())), expected, "{number}");
        let read = store.event(number).await.unwrap();
        assert_eq!(read.matches.iter().map(|found| found.state.as_str()).collect::<Vec<_>>(), expected, "{number}");
    }
    // In one call the first one takes it. A match that is not open takes none.
    let mut done = with(22, vec![once("a", "n", 99)]);
    done.event.matches[0].state = MatchState::Started;
    let all = vec![with(20, vec![once("a", "m", 99)]), with(21, vec![once("a", "m", 99)]), done];
    let recorded = store.record(all, vec![]).await.unwrap();
    let recorded: Vec<_> = recorded.into_iter().map(|one| states(one)[0]).collect();
    assert_eq!(recorded, ["pending", "skipped", "started"]);
    let next = one(store.record(vec![with(23, vec![once("a", "n", 99)])], vec![]).await.unwrap());
    assert_eq!(states(next), ["pending", "pending"]);
}

pub(crate) async fn what_is_known_takes_no_key(store: &dyn Store) {
    record(store, event(1, Some("d"), &["a"])).await;
    let again = NewEvent { event: event(2, Some("d"), &["a"]), once: vec![once("a", "k", 99)] };
    assert!(matches!(one(store.record(vec![again], vec![]).await.unwrap()), Recorded::Known(_)));
    let other = NewEvent { event: event(3, None, &["a"]), once: vec![once("a", "k", 99)] };
    let Recorded::New(other) = one(store.record(vec![other], vec![]).await.unwrap()) else { panic!("it is new") };
    assert_eq!(other.matches[0].state, MatchState::Pending);
}

pub(crate) async fn a_match_is_settled_once(store: &dyn Store) {
    record(store, event(1, None, &["a", "b"])).await;
    let state = async |name: usize| store.event(event_id(1)).await.unwrap().matches[name].state.clone();
    store.settle(event_id(1), &rule("a"), MatchState::Queued).await.unwrap();
    assert_eq!((state(0).await, state(1).await), (MatchState::Queued, MatchState::Pending));
    let failed = MatchState::Failed { failure: Failure::new(code::STORE_FULL, "the disk is full") };
    store.settle(event_id(1), &rule("a"), failed.clone()).await.unwrap();
    store.settle(event_id(1), &rule("a"), MatchState::Started).await.unwrap();
    store.settle(event_id(1), &rule("a"), MatchState::Pending).await.unwrap();
    assert_eq!((state(0).await, state(1).await), (failed, MatchState::Pending));
    for (event, name) in [(1, "c"), (2, "a")] {
        let settled = store.settle(event_id(event), &rule(name), MatchState::Started).await;
        assert_eq!(settled, Err(StoreError::NoEvent));
    }
}

pub(crate) async fn what_is_open_is_listed_oldest_first(store: &dyn Store) {
    for number in [4, 2, 9, 1, 7] {
        let rules: &[&str] = if number == 2 { &[] } else { &["a", "b"] };
        record(store, event(number, None, rules)).await;
    }
    let open = async |after: Option<u128>, limit| ids(&store.open_events(after.map(event_id), limit).await.unwrap());
    assert_eq!(open(None, 9).await, [1, 4, 7, 9].map(event_id));
    assert_eq!(open(Some(4), 1).await, [event_id(7)]);
    store.settle(event_id(7), &rule("a"), MatchState::Started).await.unwrap();
    assert_eq!(open(None, 9).await, [1, 4, 7, 9].map(event_id));
    store.settle(event_id(7), &rule("b"), MatchState::Skipped { reason: "enough".into() }).await.unwrap();
    assert_eq!(open(None, 9).await, [1, 4, 9].map(event_id));
    assert_eq!(open(None, 0).await, []);
}

pub(crate) async fn events_are_filtered(store: &dyn Store) {
    let cron = Event { trigger: "core.cron".parse().unwrap(), source: "core.r".into(), ..event(3, None, &["r"]) };
    for event in [event(1, None, &["a"]), event(2, None, &["a", "b"]), cron, event(4, None, &[])] {
        record(store, event).await;
    }
    store.settle(event_id(1), &rule("a"), MatchState::Started).await.unwrap();
    let any = EventFilter::default;
    let (webhook, a) = (Some("core.webhook".parse().unwrap()), Some(rule("a")));
    let cases = [
        (any(), vec![4, 3, 2, 1]),
        (EventFilter { trigger: webhook.clone(), ..any() }, vec![4, 2, 1]),
        (EventFilter { source: Some("core.r".into()), ..any() }, vec![3]),
        (EventFilter { rule: a.clone(), ..any() }, vec![2, 1]),
        (EventFilter { rule: Some(rule("c")), ..any() }, vec![]),
        (EventFilter { open: Some(true), ..any() }, vec![3, 2]),
        (EventFilter { open: Some(false), ..any() }, vec![4, 1]),
        (EventFilter { open: Some(true), rule: a.clone(), ..any() }, vec![2]),
        (EventFilter { open: Some(false), rule: a, trigger: webhook, ..any() }, vec![1]),
        (EventFilter { received_after: Some(at(2)), received_before: Some(at(4)), ..any() }, vec![3, 2]),
    ];
    for (filter, expected) in cases {
        let found = store.events(&filter, None, 9).await.unwrap();
        assert_eq!(ids(&found), expected.into_iter().map(event_id).collect::<Vec<_>>(), "{filter:?}");
        assert!(found.iter().all(|event| filter.admits(event)));
    }
}

pub(crate) async fn events_are_found_by_their_time(store: &dyn Store) {
    const HOUR: i64 = 60 * 60 * 1000;
    // Recorded a moment after its id was made, as it is, and before it, as when a clock is set.
    let given = [(0, 0), (HOUR, HOUR + 1), (2 * HOUR, 2 * HOUR - 59_000), (3 * HOUR, 3 * HOUR)];
    for (made, received) in given {
        let id = EventId::earliest(at(made));
        record(store, Event { id, received_at: at(received), ..event(1, None, &[]) }).await;
    }
    let hours = async |after: Option<i64>, before: Option<i64>| {
        let range =
            EventFilter { received_after: after.map(at), received_before: before.map(at), ..EventFilter::default() };
        let found = store.events(&range, None, 9).await.unwrap();
        let made = given.map(|(made, _)| EventId::earliest(at(made)));
        ids(&found).iter().map(|id| made.iter().position(|made| made == id).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(hours(Some(HOUR + 1), None).await, [3, 2, 1]);
    assert_eq!(hours(Some(HOUR + 2), None).await, [3, 2]);
    assert_eq!(hours(None, Some(HOUR + 1)).await, [0]);
    assert_eq!(hours(Some(2 * HOUR - 59_000), Some(2 * HOUR)).await, [2]);
    assert_eq!(hours(Some(4 * HOUR), None).await, [0; 0]);
    let expiry =
        |before| Expiry { executions_before: None, executions_max: None, events_before: Some(at(before)), now: at(0) };
    for (before, gone, left) in [(HOUR + 1, 1, vec![3, 2, 1]), (2 * HOUR - 58_999, 2, vec![3])] {
        assert_eq!(store.prune(expiry(before), 9).await.unwrap().events, gone);
        assert_eq!(hours(None, None).await, left);
    }
}

pub(crate) async fn events_are_paged_from_the_newest(store: &dyn Store) {
    for number in [3, 1, 5, 2, 4] {
        record(store, event(number, None, &["a"])).await;
    }
    for filter in [EventFilter::default(), EventFilter { rule: Some(rule("a")), ..EventFilter::default() }] {
        let page = async |cursor: Option<u128>| ids(&store.events(&filter, cursor.map(event_id), 2).await.unwrap());
        assert_eq!(page(None).await, [5, 4].map(event_id));
        assert_eq!(page(Some(4)).await, [3, 2].map(event_id));
        assert_eq!(page(Some(2)).await, [event_id(1)]);
        assert_eq!(page(Some(1)).await, []);
    }
}

pub(crate) async fn marks_move_with_the_events(store: &dyn Store) {
    let mark = |value: &str| vec![Advance::Mark { name: "schedule/core.nightly".into(), value: value.into() }];
    assert_eq!(store.mark("schedule/core.nightly").await, Ok(None));
    store.record(vec![plain(event(1, Some("1"), &[]))], mark("1")).await.unwrap();
    assert_eq!(store.mark("schedule/core.nightly").await, Ok(Some("1".into())));
    // Without an event, and with one that is known.
    store.record(vec![], mark("2")).await.unwrap();
    assert_eq!(store.mark("schedule/core.nightly").await, Ok(Some("2".into())));
    store.record(vec![plain(event(3, Some("1"), &[]))], mark("3")).await.unwrap();
    assert_eq!(store.mark("schedule/core.nightly").await, Ok(Some("3".into())));
    assert_eq!(store.mark("schedule/core").await, Ok(None));
}

pub(crate) async fn the_end_of_an_execution_is_announced_until_it_is_dealt_with(store: &dyn Store) {
    // Number 2 ends first.
    for number in [2, 1, 3] {
        let lease = store.create(new(number)).await.unwrap();
        let end = vec![scheduled(4, 0), finished(5, Status::Failed)];
        store.append(Append { announce: true, ..append(&lease, end) }).await.unwrap();
    }
    assert_eq!(store.ended(9).await, Ok(vec![id(2), id(1), id(3)]));
    assert_eq!(store.ended(1).await, Ok(vec![id(2)]));
    store.record(vec![plain(event(1, Some("1"), &[]))], vec![Advance::Ended(id(1))]).await.unwrap();
    assert_eq!(store.ended(9).await, Ok(vec![id(2), id(3)]));
    // It runs again, and ends again.
    let lease = store.claim(id(1), &node("a"), at(0), at(9)).await.unwrap().unwrap();
    let again = Entry::new(at(8), Fact::RerunRequested { by: "me".into(), tasks: vec![] });
    let both = vec![again, finished(9, Status::Succeeded)];
    store.append(Append { announce: true, ..append(&lease, both) }).await.unwrap();
    assert_eq!(store.ended(9).await, Ok(vec![id(2), id(3), id(1)]));
    store.record(vec![], vec![Advance::Ended(id(3)), Advance::Ended(id(77))]).await.unwrap();
    assert_eq!(store.ended(9).await, Ok(vec![id(2), id(1)]));
}

pub(crate) async fn an_end_is_announced_only_if_it_is_asked_for_and_happens(store: &dyn Store) {
    let lease = store.create(new(1)).await.unwrap();
    let version = store.append(Append { announce: true, ..append(&lease, vec![scheduled(3, 0)]) }).await.unwrap();
    assert_eq!(store.ended(9).await, Ok(vec![]));
    // A refused append announces nothing.
    let twice = vec![finished(4, Status::Failed), requested(5, "core.noop")];
    let refused = store.append(Append { announce: true, ..append_at(&lease, version, twice) }).await;
    assert!(matches!(refused, Err(StoreError::Illegal { .. })), "{refused:?}");
    assert_eq!(store.ended(9).await, Ok(vec![]));
    store.append(append_at(&lease, version, vec![finished(4, Status::Failed)])).await.unwrap();
    assert_eq!(store.ended(9).await, Ok(vec![]));
}
