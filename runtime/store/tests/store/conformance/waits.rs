//! Open waits: when they are there, and how they are found.

use runner_model::{ItemIndex, Status, StepId};
use runner_store::{Awaited, NewExecution, OpenWait, Store, WaitFilter};
use serde_json::json;

use crate::given::{answered, append, append_at, at, finished, id, item_result, new, result, scheduled, waiting};

async fn all(store: &dyn Store) -> Vec<OpenWait> {
    store.waits(&WaitFilter::default(), 99).await.unwrap()
}

/// Execution, step and item of each.
fn places(waits: &[OpenWait]) -> Vec<(u128, u32, Option<u32>)> {
    let place = |open: &OpenWait| {
        let number = u128::from_be_bytes(*open.execution.as_bytes());
        (number, open.step.0, open.item.map(|item| item.0))
    };
    waits.iter().map(place).collect()
}

pub(crate) async fn a_wait_is_there_until_it_is_answered(store: &dyn Store) {
    let lease = store.create(new(1)).await.unwrap();
    assert_eq!(all(store).await, []);
    let entry = waiting(5, 3, None, None);
    let runner_model::Fact::WaitOpened { wait, .. } = &entry.fact else { panic!("it is one") };
    let wait = runner_model::Wait::clone(wait);
    let version = store.append(append(&lease, vec![scheduled(4, 3), entry.clone()])).await.unwrap();
    let expected = OpenWait { execution: id(1), step: StepId(3), item: None, opened_at: at(5), wait };
    assert_eq!(all(store).await, [expected]);
    // An append that is refused changes nothing.
    assert!(store.append(append(&lease, vec![answered(6, 3, None, json!(true))])).await.is_err());
    let other = store.append(append_at(&lease, version, vec![answered(6, 2, None, json!(true))])).await.unwrap();
    assert_eq!(all(store).await.len(), 1);
    store.append(append_at(&lease, other, vec![answered(7, 3, None, json!(true))])).await.unwrap();
    assert_eq!(all(store).await, []);
}

pub(crate) async fn items_wait_for_themselves(store: &dyn Store) {
    let lease = store.create(new(1)).await.unwrap();
    let waits = [Some(10), None, Some(0), Some(2)].map(|item| waiting(5, 3, item, None));
    let version = store.append(append(&lease, waits.to_vec())).await.unwrap();
    assert_eq!(places(&all(store).await), [(1, 3, None), (1, 3, Some(0)), (1, 3, Some(2)), (1, 3, Some(10))]);
    let done = vec![answered(7, 3, Some(2), json!(true)), item_result(8, 3, Some(0), json!(1))];
    store.append(append_at(&lease, version, done)).await.unwrap();
    assert_eq!(places(&all(store).await), [(1, 3, None), (1, 3, Some(10))]);
    assert_eq!(all(store).await[1].item, Some(ItemIndex(10)));
}

pub(crate) async fn a_new_wait_of_a_step_takes_the_place_of_the_former(store: &dyn Store) {
    let lease = store.create(new(1)).await.unwrap();
    let version = store.append(append(&lease, vec![waiting(5, 3, None, Some("a"))])).await.unwrap();
    store.append(append_at(&lease, version, vec![waiting(6, 3, None, None)])).await.unwrap();
    let found = all(store).await;
    assert_eq!((found.len(), found[0].opened_at, Awaited::of(&found[0].wait)), (1, at(6), Awaited::Inquiry));
    let by_key = WaitFilter { key: Some("a".into()), ..WaitFilter::default() };
    assert_eq!(store.waits(&by_key, 9).await.unwrap(), []);
}

pub(crate) async fn the_end_of_an_attempt_or_of_the_execution_ends_waits(store: &dyn Store) {
    let lease = store.create(new(1)).await.unwrap();
    let other = store.create(new(2)).await.unwrap();
    store.append(append(&other, vec![waiting(5, 0, None, None)])).await.unwrap();
    let waits = (0..3).map(|step| waiting(5, step, None, None)).collect();
    let version = store.append(append(&lease, waits)).await.unwrap();
    let version = store.append(append_at(&lease, version, vec![result(6, 1, json!(1))])).await.unwrap();
    assert_eq!(places(&all(store).await), [(1, 0, None), (1, 2, None), (2, 0, None)]);
    store.append(append_at(&lease, version, vec![finished(7, Status::Canceled)])).await.unwrap();
    assert_eq!(places(&all(store).await), [(2, 0, None)]);
    // The order within an append counts.
    let version = other.version.next();
    let both = vec![answered(8, 0, None, json!(1)), waiting(8, 0, None, None), answered(8, 0, None, json!(2))];
    store.append(append_at(&other, version, both)).await.unwrap();
    assert_eq!(all(store).await, []);
}

pub(crate) async fn waits_are_found_by_the_key_of_their_event(store: &dyn Store) {
    for (number, key) in [(1, Some("job/7")), (2, Some("job/8")), (3, None), (4, Some("job/7"))] {
        let mut new = new(number);
        new.entries.push(waiting(5, 0, None, key));
        store.create(NewExecution { ..new }).await.unwrap();
    }
    let find = |filter: WaitFilter| async move { places(&store.waits(&filter, 9).await.unwrap()) };
    let any = WaitFilter::default;
    assert_eq!(find(WaitFilter { key: Some("job/7".into()), ..any() }).await, [(1, 0, None), (4, 0, None)]);
    assert_eq!(find(WaitFilter { key: Some("job/".into()), ..any() }).await, []);
    assert_eq!(find(WaitFilter { key: Some("job/7".into()), execution: Some(id(4)), ..any() }).await, [(4, 0, None)]);
    assert_eq!(find(WaitFilter { kind: Some(Awaited::Inquiry), ..any() }).await, [(3, 0, None)]);
    assert_eq!(find(WaitFilter { kind: Some(Awaited::Event), ..any() }).await.len(), 3);
    assert_eq!(find(WaitFilter { kind: Some(Awaited::Outcome), ..any() }).await, []);
    assert_eq!(find(WaitFilter { kind: Some(Awaited::Inquiry), key: Some("job/7".into()), ..any() }).await, []);
    assert_eq!(find(WaitFilter { execution: Some(id(2)), ..any() }).await, [(2, 0, None)]);
}

pub(crate) async fn waits_are_listed_oldest_execution_first(store: &dyn Store) {
    for number in [5, 1, 9, 3] {
        let mut new = new(number);
        new.entries.extend([waiting(5, 7, None, None), waiting(5, 2, None, None)]);
        store.create(new).await.unwrap();
    }
    let found = places(&all(store).await);
    assert_eq!(found, [1, 3, 5, 9].map(|number| [(number, 2, None), (number, 7, None)]).concat());
    for limit in 0..9 {
        assert_eq!(places(&store.waits(&WaitFilter::default(), limit).await.unwrap()), found[..limit.min(8)]);
    }
}
