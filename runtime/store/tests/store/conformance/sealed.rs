//! What is sealed is used like everything else.

use runner_model::{Event, Failure, MatchState, Status, Version, code};
use runner_store::{EventFilter, NewEvent, Once, Recorded, Store, WaitFilter};
use serde_json::json;

use crate::given::{
    answered, append, append_at, at, event, finished, id, new, noise, result, rule, sealed, sealed_append, waiting,
};

pub(crate) async fn what_is_sealed_comes_back_as_it_was_written(store: &impl Store) {
    let mut all = sealed(new(1)).entries;
    let lease = store.create(sealed(new(1))).await.unwrap();
    let more = vec![
        result(2, 0, json!({"small": 1})),
        result(3, 0, json!(noise(1, 40_000))),
        result(3, 0, json!(noise(1, 40_000))),
    ];
    let version = store.append(sealed_append(append(&lease, more.clone()))).await.unwrap();
    store.append(sealed_append(append_at(&lease, version, vec![finished(4, Status::Succeeded)]))).await.unwrap();
    all.extend(more);
    all.push(finished(4, Status::Succeeded));
    assert_eq!(store.read(id(1), Version(0)).await.unwrap(), all);
    assert_eq!(store.read(id(1), Version(3)).await.unwrap(), all[3..]);
    assert_eq!(runner_store::Catalogue::get(store, id(1)).await.unwrap().status, Status::Succeeded);
}

pub(crate) async fn an_append_must_say_whether_the_execution_is_sealed(store: &impl Store) {
    let one = store.create(sealed(new(1))).await.unwrap();
    let other = store.create(new(2)).await.unwrap();
    let entries = vec![result(3, 0, json!(1))];
    let plain = store.append(append(&one, entries.clone())).await;
    assert_eq!(plain.unwrap_err().code(), code::STORE_ILLEGAL);
    let refused = store.append(sealed_append(append(&other, entries))).await;
    assert_eq!(refused.unwrap_err().code(), code::STORE_ILLEGAL);
    assert_eq!(store.read(id(1), Version(0)).await.unwrap().len(), 2);
    // Without entries nothing is written, sealed or not.
    assert_eq!(store.append(append(&one, vec![])).await.unwrap(), Version(2));
}

pub(crate) async fn what_waits_in_a_sealed_execution_is_found_by_its_key(store: &impl Store) {
    let one = store.create(sealed(new(1))).await.unwrap();
    let other = store.create(new(2)).await.unwrap();
    let opened = vec![waiting(3, 0, None, Some("k")), waiting(3, 1, Some(4), Some("k")), waiting(3, 2, None, None)];
    let version = store.append(sealed_append(append(&one, opened))).await.unwrap();
    store.append(append(&other, vec![waiting(3, 0, None, Some("k"))])).await.unwrap();
    let by_key = WaitFilter { key: Some("k".into()), ..WaitFilter::default() };
    let found = async || {
        let waits = store.waits(&by_key, 9).await.unwrap();
        waits.iter().map(|open| (open.execution, open.step.0)).collect::<Vec<_>>()
    };
    assert_eq!(found().await, [(id(1), 0), (id(1), 1), (id(2), 0)]);
    let all = store.waits(&WaitFilter { execution: Some(id(1)), ..WaitFilter::default() }, 9).await.unwrap();
    assert_eq!(all.len(), 3);
    store.append(sealed_append(append_at(&one, version, vec![answered(4, 0, None, json!(1))]))).await.unwrap();
    assert_eq!(found().await, [(id(1), 1), (id(2), 0)]);
}

pub(crate) async fn a_sealed_event_comes_back_with_what_became_of_it(store: &impl Store) {
    let with = |number: u128, key: &str| NewEvent {
        event: Event { sealed: true, ..event(number, Some("delivery"), &["a", "b"]) },
        once: vec![Once { rule: rule("a"), key: key.to_owned(), until: at(99) }],
    };
    let mut first = with(1, "k");
    first.event.payload = json!({"text": noise(3, 40_000)});
    let recorded = store.record(vec![first.clone()], vec![]).await.unwrap();
    assert_eq!(recorded, [Recorded::New(first.event.clone())]);
    assert_eq!(store.event(first.event.id).await.unwrap(), first.event);
    assert_eq!(store.record(vec![with(2, "other")], vec![]).await.unwrap(), [Recorded::Known(first.event.clone())]);
    // A rule's own key is held, though nobody can read it.
    let mut third = with(3, "k");
    third.event.key = None;
    let Recorded::New(held) = store.record(vec![third], vec![]).await.unwrap().remove(0) else { panic!("known") };
    assert!(matches!(held.matches[0].state, MatchState::Skipped { .. }) && held.matches[1].state.is_open());
    let failed = MatchState::Failed { failure: Failure::new(code::EXEC_DISABLED, "no") };
    store.settle(first.event.id, &rule("b"), failed.clone()).await.unwrap();
    let listed = store.events(&EventFilter::default(), None, 9).await.unwrap();
    assert_eq!(listed[1].matches[1].state, failed);
    assert_eq!(store.open_events(None, 9).await.unwrap().len(), 2);
}
